//! What is told of groups, vehicles, lost tracks, and of what cannot be seen: one text of each kind, to be read in the snapshot.

use super::*;

const DAY_S: f64 = 86_400.0;

/// Runs with several tracks at a time; `change` sets what the sensors say before each look.
fn watch(
    stage: &mut Stage,
    seconds: impl IntoIterator<Item = f64>,
    tracks: impl Fn(f64) -> Vec<Track>,
    change: impl Fn(f64, &mut SensorStatus),
) -> Vec<Alert> {
    let mut all = Vec::new();
    for second in seconds {
        for sensor in &mut stage.sensors {
            sensor.last_heard = Some(at(second));
            change(second, sensor);
        }
        all.extend(stage.step(at(second), &tracks(second)));
    }
    all
}

fn seconds(from: u32, to: u32) -> impl Iterator<Item = f64> {
    (from..to).map(f64::from)
}

fn heard(_: f64, _: &mut SensorStatus) {}

/// The alerts of one kind.
fn of_kind(alerts: &[Alert], kind: AlertKind) -> Vec<Alert> {
    alerts.iter().filter(|alert| alert.kind == kind).cloned().collect()
}

fn vehicle(number: u64, now: f64, position_m: [f64; 2], velocity_mps: [f64; 2]) -> Track {
    let class = ClassProbabilities { person: 0.03, animal: 0.02, vehicle: 0.95 };
    Track { class, ..track(number, now, position_m, velocity_mps) }
}

#[test]
fn six_people_are_a_group_and_four_are_none() {
    let walkers = |people: u32| {
        move |second: f64| {
            let walker = |number: u32| {
                let number = f64::from(number);
                track(number as u64 + 1, second, [10.0 * number, 150.0 - 0.5 * second], [0.0, -0.5])
            };
            (0..people).map(walker).collect::<Vec<Track>>()
        }
    };
    let four = watch(&mut Stage::new(), seconds(0, 40), walkers(4), heard);
    assert_eq!(of_kind(&four, AlertKind::Group), []);
    let six = of_kind(&watch(&mut Stage::new(), seconds(0, 40), walkers(6), heard), AlertKind::Group);
    insta::assert_snapshot!(lines(&six[..1]));
    // Each is there with 99 %.
    assert_eq!(six[0].count, Some((5, 6)));
    assert!(six.iter().all(|alert| alert.id == six[0].id), "{}", lines(&six));
}

/// The tracker tells with each track how many walk together there.
#[test]
fn neighbours_are_counted_once() {
    let walkers = |people: u32| {
        move |second: f64| {
            let walker = |number: u32| {
                let place_m = [10.0 * f64::from(number), 150.0 - 0.5 * second];
                Track { count: (people, people + 1), ..track(u64::from(number) + 1, second, place_m, [0.0, -0.5]) }
            };
            (0..people).map(walker).collect::<Vec<Track>>()
        }
    };
    let three = watch(&mut Stage::new(), seconds(0, 40), walkers(3), heard);
    assert_eq!(of_kind(&three, AlertKind::Group), []);
    let six = of_kind(&watch(&mut Stage::new(), seconds(0, 40), walkers(6), heard), AlertKind::Group);
    assert_eq!(six[0].count, Some((6, 7)));
}

#[test]
fn a_group_keeps_its_alert_when_its_first_track_ends() {
    let walkers = |second: f64| {
        let first = if second < 20.0 { 0 } else { 1 };
        let walker = |number: u64| track(number + 1, second, [10.0 * number as f64, 150.0], [0.0, -0.5]);
        (first..7).map(walker).collect::<Vec<Track>>()
    };
    let alerts = of_kind(&watch(&mut Stage::new(), seconds(0, 60), walkers, heard), AlertKind::Group);
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id), "{}", lines(&alerts));
}

#[test]
fn a_vehicle_stops_and_somebody_gets_out() {
    let tracks = |second: f64| {
        let mut tracks = vec![vehicle(3, second, [0.0, 120.0], [0.1, 0.0])];
        if second >= 80.0 {
            let first_seen = at(80.0);
            tracks.push(Track { first_seen, ..track(4, second, [5.0, 118.0 - 0.3 * (second - 80.0)], [0.0, -0.3]) });
        }
        tracks
    };
    let alerts = watch(&mut Stage::new(), seconds(0, 120), tracks, heard);
    let stop = of_kind(&alerts, AlertKind::VehicleStop);
    let drop_off = of_kind(&alerts, AlertKind::DropOff);
    insta::assert_snapshot!(format!("{}{}", lines(&stop[..1]), lines(&drop_off[..1])));
    assert_eq!(stop[0].id, drop_off[0].id, "one vehicle, one alert");
}

#[test]
fn a_vehicle_that_drives_past_is_no_stop_and_who_walked_there_before_did_not_get_out() {
    let drives = |second: f64| vec![vehicle(3, second, [-200.0 + 8.0 * second, 120.0], [8.0, 0.0])];
    let alerts = watch(&mut Stage::new(), seconds(0, 120), drives, heard);
    assert_eq!(of_kind(&alerts, AlertKind::VehicleStop), []);
    let walker_first = |second: f64| {
        let mut tracks = vec![track(4, second, [5.0, 118.0], [0.0, 0.0])];
        tracks.extend((second >= 100.0).then(|| vehicle(3, second, [0.0, 120.0], [0.1, 0.0])));
        tracks
    };
    let alerts = watch(&mut Stage::new(), seconds(0, 140), walker_first, heard);
    assert_eq!(of_kind(&alerts, AlertKind::DropOff), []);
}

#[test]
fn a_track_lost_before_the_line_is_told_and_one_that_turned_back_is_not() {
    let lost = |second: f64| if second < 30.0 { walker(second).into_iter().collect() } else { vec![] };
    let alerts = of_kind(&watch(&mut Stage::new(), seconds(0, 60), lost, heard), AlertKind::TrackLost);
    insta::assert_snapshot!(lines(&alerts[..1]));
    assert!(alerts[0].dedup_key.ends_with("track-17"), "it shares the alert of its approach");

    let turned = |second: f64| {
        let north_m = if second < 30.0 { 56.0 - 1.4 * second } else { 14.0 + 1.4 * (second - 30.0) };
        let north_mps = if second < 30.0 { -1.4 } else { 1.4 };
        if second < 60.0 { vec![track(17, second, [30.0, north_m], [0.1, north_mps])] } else { vec![] }
    };
    let alerts = watch(&mut Stage::new(), seconds(0, 90), turned, heard);
    assert_eq!(of_kind(&alerts, AlertKind::TrackLost), []);

    let renumbered = |second: f64| {
        let number = if second < 30.0 { 17 } else { 18 };
        walker(second).map(|track| Track { id: TrackId(number), ..track }).into_iter().collect()
    };
    let alerts = watch(&mut Stage::new(), seconds(0, 60), renumbered, heard);
    assert_eq!(of_kind(&alerts, AlertKind::TrackLost), []);
}

#[test]
fn a_border_that_only_a_silent_sensor_sees_cannot_be_seen() {
    let mut stage = Stage::new();
    // The radar sees all of it: while it speaks, a silent camera leaves no gap.
    let camera_silent = |_: f64, sensor: &mut SensorStatus| {
        if sensor.id == "cam-2" {
            sensor.last_heard = Some(at(0.0));
        }
    };
    let alerts = watch(&mut stage, seconds(0, 400), |_| vec![], camera_silent);
    assert_eq!(of_kind(&alerts, AlertKind::CoverageGap), []);
    let all_silent = |_: f64, sensor: &mut SensorStatus| sensor.last_heard = Some(at(400.0));
    let alerts = watch(&mut stage, seconds(400, 800), |_| vec![], all_silent);
    insta::assert_snapshot!(lines(&of_kind(&alerts, AlertKind::CoverageGap)[..1]));
}

/// One after the other walks by, each under a new number and followed by the radar; the camera sees them from the given one on.
fn passing_the_camera(animal: f64, party: u64, seen_from: f64) -> impl Fn(f64) -> Vec<Track> {
    move |second| {
        let number = libm::floor(second / 600.0);
        if second - 600.0 * number > 60.0 {
            return vec![];
        }
        let member = |member: u64| {
            let number_of_track = 10 * (number as u64) + member + 1;
            let mut walker = track(number_of_track, second, [40.0 + 10.0 * member as f64, 150.0], [0.0, 0.2]);
            walker.first_seen = at(600.0 * number);
            walker.class = ClassProbabilities { person: 0.95 - animal, animal, vehicle: 0.05 };
            if number >= seen_from {
                walker.silent = vec![];
                walker.contributions.push(contribution(2, second, 2.0));
            }
            walker
        };
        (0..party).map(member).collect()
    }
}

#[test]
fn a_camera_that_misses_what_the_radar_follows_is_blind_until_it_sees_again() {
    let alerts = watch(&mut Stage::new(), seconds(0, 7_000), passing_the_camera(0.05, 1, 10.0), heard);
    insta::assert_snapshot!(lines(&of_kind(&alerts, AlertKind::SensorBlinded)));
}

#[test]
fn a_party_or_game_that_a_camera_misses_does_not_make_it_blind() {
    for (animal, party) in [(0.05, 5), (0.8, 1)] {
        let last_s = if party > 1 { 600 } else { 7_000 };
        let alerts = watch(&mut Stage::new(), seconds(0, last_s), passing_the_camera(animal, party, 100.0), heard);
        assert_eq!(of_kind(&alerts, AlertKind::SensorBlinded), []);
    }
}

#[test]
fn a_battery_that_falls_by_the_day_is_told_ahead() {
    let mut stage = Stage::new();
    let falls = |second: f64, sensor: &mut SensorStatus| {
        if sensor.id == "pir-3" {
            sensor.battery_mv = Some((3_600.0 - 20.0 * second / DAY_S) as u16);
        }
    };
    let hours = (0..24 * 12).map(|hour| f64::from(hour) * 3_600.0);
    let alerts = of_kind(&watch(&mut stage, hours, |_| vec![], falls), AlertKind::SensorBattery);
    insta::assert_snapshot!(lines(&alerts[..1]));
}

#[test]
fn nodes_that_fall_silent_together_are_jammed_and_a_dead_one_is_not() {
    let site = |nodes: u32| {
        let mut text = SITE.to_owned();
        for node in 1..=nodes {
            text += &format!(
                "\n[[sensor]]\nid = \"node-{node}\"\nkind = \"pir\"\nnode = {node}\nposition = {{ east_m = {}.0, north_m = 10.0 }}\n",
                20 * node
            );
        }
        text
    };
    let run = |silent: u32, gone: &str| {
        let mut stage = Stage::of(&site(6));
        stage.links.insert(gone.to_owned(), Link { up: false, since: at(0.0) });
        let mut all = Vec::new();
        for minute in 0..240_u32 {
            let second = f64::from(minute) * 60.0;
            for (index, sensor) in stage.sensors.iter_mut().enumerate() {
                let node = sensor.id.strip_prefix("node-").and_then(|number| number.parse::<u32>().ok());
                let quiet = node.is_some_and(|node| node <= silent) && minute >= 120;
                // Each node speaks every ten minutes, in a minute of its own.
                if !quiet && (node.is_none() || minute as usize % 10 == index % 10) {
                    sensor.last_heard = Some(at(second));
                    sensor.told_at = sensor.last_heard;
                }
            }
            all.extend(stage.step(at(second), &[]));
        }
        of_kind(&all, AlertKind::Jammed)
    };
    let sink = format!("{SINK}neighbour");
    assert_eq!(run(1, UPLINK), []);
    assert_eq!(run(2, &sink), []);
    assert_eq!(run(6, "radio-1"), [], "nobody is heard by way of a source that is gone");
    assert_eq!(run(6, UPLINK), run(6, &sink), "whether alerts arrive anywhere says nothing of the radio");
    let jammed = run(6, UPLINK);
    insta::assert_snapshot!(lines(&jammed[..1]));
    assert!(jammed[0].first_seen < at(121.0 * 60.0) && jammed[0].last_seen < at(140.0 * 60.0));
}

/// Cars on a road set off one detector after the other; then none comes for an hour, and nobody jams anything.
#[test]
fn nodes_that_see_nothing_any_more_are_not_jammed() {
    let mut text = SITE.to_owned();
    for node in 1..=6 {
        text += &format!(
            "\n[[sensor]]\nid = \"node-{node}\"\nkind = \"pir\"\nnode = {node}\nposition = {{ east_m = {}.0, north_m = 10.0 }}\n",
            20 * node
        );
    }
    let mut stage = Stage::of(&text);
    let mut all = Vec::new();
    for minute in 0..300_u32 {
        let second = f64::from(minute) * 60.0;
        for (index, sensor) in stage.sensors.iter_mut().enumerate() {
            let node = sensor.id.starts_with("node-");
            let tells = minute as usize % 30 == index % 30;
            let sees = (90..120).contains(&minute) && minute % 2 == 0;
            if !node || tells || sees {
                sensor.last_heard = Some(at(second));
            }
            if node && tells {
                sensor.told_at = Some(at(second));
            }
        }
        all.extend(stage.step(at(second), &[]));
    }
    assert_eq!(of_kind(&all, AlertKind::Jammed), []);
}

/// Who is at the end of their strength gets on by centimetres; who only walks slowly needs no help.
#[test]
fn who_creeps_is_hardly_moving_and_who_walks_slowly_is_not() {
    let texts = |speed_mps: f64, temperature_c: f64| {
        let mut stage = Stage::new();
        let creeps = |second: f64| vec![track(19, second, [-100.0 + speed_mps * second, 300.0], [speed_mps, 0.0])];
        let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(temperature_c);
        let called = of_kind(&watch(&mut stage, seconds(0, 300), creeps, cold), AlertKind::PossibleNeed);
        called.into_iter().map(|alert| alert.text).collect::<Vec<_>>()
    };
    let called = texts(0.09, -8.0);
    assert!(matches!(&called[..], [text, ..] if text.contains("hardly moving for 3 min at -8 °C")), "{called:?}");
    assert_eq!(texts(0.3, -8.0), Vec::<String>::new());
    assert_eq!(texts(0.09, 12.0), Vec::<String>::new(), "on a mild day");
}

/// Rain of the last hour wets; a shower of drops does not, and a roof keeps dry.
#[test]
fn who_is_still_in_the_rain_may_need_help() {
    let texts = |rain_mm: f64, temperature_c: f64, north_m: f64| {
        let roof = "[[zone]]\nname = \"barn\"\nkind = \"shelter\"\npoints_m = [[-120.0, 380.0], [-80.0, 380.0], [-80.0, 420.0], [-120.0, 420.0]]\n";
        let mut stage = Stage::of(&format!("{SITE}\n{roof}"));
        stage.weather = Some(WeatherNow { wind_mps: None, rain_mm: Some(rain_mm), temperature_c: Some(temperature_c) });
        let stands = |second: f64| vec![track(19, second, [-100.0, north_m], [0.0, 0.0])];
        let called = of_kind(&watch(&mut stage, seconds(0, 300), stands, |_, _| ()), AlertKind::PossibleNeed);
        called.into_iter().map(|alert| alert.text).collect::<Vec<_>>()
    };
    let called = texts(2.6, 14.0, 300.0);
    assert!(
        matches!(&called[..], [text, ..] if text.starts_with("Possible need of help: hardly moving for 3 min in the rain (3 mm in the last hour).")),
        "{called:?}"
    );
    let called = texts(2.6, 3.0, 300.0);
    assert!(matches!(&called[..], [text, ..] if text.contains("for 3 min at 3 °C in the rain (3 mm")), "{called:?}");
    let called = texts(0.0, 3.0, 300.0);
    assert!(
        matches!(&called[..], [text, ..] if text.contains("for 3 min at 3 °C. ")),
        "the station's cold counts: {called:?}"
    );
    assert_eq!(texts(0.4, 14.0, 300.0), Vec::<String>::new(), "a few drops");
    assert_eq!(texts(2.6, 3.0, 400.0), Vec::<String>::new(), "under a roof");
}

/// A radar that hangs shows its last scan for ever: who walked there then stands still in it.
#[test]
fn what_only_a_stuck_radar_shows_needs_no_help_and_nobody_else() {
    let stands = |second: f64| {
        let mut walker = track(17, second, [30.0, 40.0], [0.0, 0.0]);
        walker.contributions.truncate(1);
        walker.contributions[0] = contribution(0, second, 12.0);
        vec![walker]
    };
    let calls = |stuck: bool| {
        let mut stage = Stage::new();
        let radar = |second: f64, sensor: &mut SensorStatus| {
            sensor.temperature_c = Some(-8.0);
            if sensor.id == "radar-7" {
                let east_m = if stuck { 30.0 } else { 30.0 + libm::sin(second) };
                let position = Measurement::Position {
                    position_m: Vector2::new(east_m, 40.0),
                    covariance_m2: Matrix2::identity() * 16.0,
                };
                sensor.pace.count(
                    at(second),
                    &[Detection { measurement: position, class: None, confidence: None, object: None }],
                );
            }
        };
        of_kind(&watch(&mut stage, seconds(0, 300), stands, radar), AlertKind::PossibleNeed).len()
    };
    assert_eq!((calls(true), calls(false)), (0, 1));
}

/// The field begins behind the line: what crossed it is no farmer for walking on there.
#[test]
fn who_crossed_stays_as_severe_where_people_work() {
    let field = "\n[[zone]]\nname = \"meadow\"\nkind = \"work\"\npoints_m = [[-100.0, -300.0], [100.0, -300.0], [100.0, -15.0], [-100.0, -15.0]]\n";
    let mut stage = Stage::of(&format!("{SITE}{field}"));
    let alerts = watch(&mut stage, seconds(0, 120), |second| walker(second).into_iter().collect(), heard);
    let last = alerts.last().expect("an alert");
    assert!(last.text.contains("Work is scheduled in meadow"), "{}", lines(&alerts));
    assert_eq!((last.kind, last.severity), (AlertKind::Crossing, Severity::High), "{}", lines(&alerts));
}

#[test]
fn a_patrol_of_two_explains_two_tracks_and_nobody_who_joins_them() {
    let told = |people: usize| {
        let mut stage = Stage::new();
        stage.site.units[0].people = people;
        let start_m = walker(0.0).expect("a track").position_m;
        let earlier = OwnReport { unit: 0, time: at(-15.0), position_m: start_m, sd_m: 5.0 };
        assert!(stage.units.take(&earlier, at(-15.0), &stage.site));
        let pair = |second: f64| {
            let first = walker(second).expect("a track");
            // The one without the radio falls back.
            let gap_m = f64::min(5.0 + 0.5 * second, 28.0);
            let behind =
                Track { id: TrackId(18), position_m: first.position_m + Vector2::new(3.0, gap_m), ..first.clone() };
            // Not sure to be there at all: it must not take the place of who is.
            let doubtful = Track { id: TrackId(16), status: TrackStatus::Tentative, ..first.clone() };
            vec![doubtful, first, behind]
        };
        let mut alerts = Vec::new();
        for second in (0..60).map(f64::from) {
            let position_m = walker(second).expect("a track").position_m;
            let report = OwnReport { unit: 0, time: at(second), position_m, sd_m: 5.0 };
            assert!(stage.units.take(&report, at(second), &stage.site));
            alerts.extend(watch(&mut stage, [second], pair, heard));
        }
        alerts.iter().any(Alert::asks_attention)
    };
    assert_eq!((told(1), told(2)), (true, false));
}

/// What makes one detector after the other chatter is one cause, though it takes minutes.
#[test]
fn detectors_that_chatter_within_ten_minutes_are_told_together() {
    let mut stage = Stage::new();
    let reports = |second: f64, sensor: &mut SensorStatus| {
        let from = match sensor.id.as_str() {
            "pir-3" => 0.0,
            "trip-1" => 200.0,
            _ => return,
        };
        if second >= from {
            sensor.pace.count(at(second), &[]);
        }
    };
    let alerts = watch(&mut stage, seconds(0, 400), |_| vec![], reports);
    let chatter = of_kind(&alerts, AlertKind::SensorChattering);
    insta::assert_snapshot!(lines(&chatter));
    assert_eq!(chatter.len(), 2, "{}", lines(&chatter));
}

/// The line is crossed where somebody was lost who was nearing it: one party, one alert.
#[test]
fn a_wire_tells_what_became_of_who_was_lost() {
    let mut stage = Stage::new();
    let lost = |second: f64| if second < 30.0 { walker(second).into_iter().collect() } else { vec![] };
    let mut alerts = watch(&mut stage, seconds(0, 40), lost, heard);
    report(&mut stage, 3, 41.0, Measurement::Crossing { direction: Some(Direction::In) });
    report(&mut stage, 1, 42.0, Measurement::Presence { strength: None });
    alerts.extend(watch(&mut stage, seconds(43, 60), |_| vec![], heard));
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id), "{}", lines(&alerts));
    assert_eq!(alerts.last().map(|alert| alert.kind), Some(AlertKind::Crossing), "{}", lines(&alerts));
}

/// Every minute a few looks miss who lies there, and the track is doubted for a moment.
#[test]
fn missed_looks_do_not_make_somebody_get_up() {
    let lies = |second: f64| {
        let doubted = second > 5.0 && libm::fmod(second, 60.0) < 3.0;
        let existence = if doubted { 0.4 } else { 0.99 };
        vec![Track { existence, ..track(17, second, [30.0, 40.0], [0.0, 0.0]) }]
    };
    let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(-8.0);
    let calls = of_kind(&watch(&mut Stage::new(), seconds(0, 240), lies, cold), AlertKind::PossibleNeed);
    assert!(!calls.is_empty() && calls[0].last_seen <= at(190.0), "{}", lines(&calls));
}

/// Who left the camera's view is believed to exist for a while, but nobody saw them stay.
#[test]
fn who_is_not_seen_any_more_is_not_said_to_be_in_one_place() {
    let leaves =
        |second: f64| vec![Track { last_seen: at(second.min(60.0)), ..track(17, second, [30.0, 40.0], [0.0, 0.0]) }];
    let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(-8.0);
    let alerts = watch(&mut Stage::new(), seconds(0, 300), leaves, cold);
    assert_eq!(of_kind(&alerts, AlertKind::PossibleNeed), []);
}

/// A camera leaves the range open for hundreds of metres, and still sees who walks past.
#[test]
fn who_walks_across_a_bearing_is_not_still_and_who_stays_on_it_is() {
    let calls = |speed_mps: f64| {
        let passes = |second: f64| {
            let seen = track(17, second, [speed_mps * second, 300.0], [speed_mps, 0.0]);
            vec![Track { position_covariance_m2: Matrix2::new(9.0, 0.0, 0.0, 40_000.0), localised: false, ..seen }]
        };
        let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(-8.0);
        of_kind(&watch(&mut Stage::new(), seconds(0, 240), passes, cold), AlertKind::PossibleNeed).len()
    };
    assert_eq!((calls(1.0), calls(0.0)), (0, 1));
}

/// Many a wire does not tell which way it was crossed; the track that crosses it does, whatever it does afterwards.
#[test]
fn a_track_tells_which_way_it_crossed_a_wire_that_does_not() {
    let turns = |second: f64| if second < 60.0 { walker(second) } else { walker(120.0 - second) };
    let back = |second: f64| {
        turns(second)
            .map(|track| if second < 60.0 { track } else { Track { velocity_mps: -track.velocity_mps, ..track } })
    };
    let mut stage = Stage::new();
    let mut alerts = watch(&mut stage, seconds(0, 41), |second| back(second).into_iter().collect(), heard);
    report(&mut stage, 3, 40.0, Measurement::Crossing { direction: None });
    report(&mut stage, 1, 41.0, Measurement::Presence { strength: None });
    alerts.extend(watch(&mut stage, seconds(41, 75), |second| back(second).into_iter().collect(), heard));
    let crossed = of_kind(&alerts, AlertKind::Crossing);
    let inward = |alert: &Alert| alert.text.contains("crossed Bug line inward");
    assert!(!crossed.is_empty() && crossed.iter().all(inward), "{}", lines(&crossed));
}

/// Who tripped the wire walks on where nothing sees them, and their track is doubted: they crossed all the same.
#[test]
fn what_a_wire_and_a_detector_reported_is_not_taken_back() {
    let mut stage = Stage::new();
    let mut alerts = watch(&mut stage, seconds(0, 41), |second| walker(second).into_iter().collect(), heard);
    report(&mut stage, 3, 40.0, Measurement::Crossing { direction: Some(Direction::In) });
    report(&mut stage, 1, 41.0, Measurement::Presence { strength: None });
    let unseen = |second: f64| {
        let existence = if second < 60.0 { 0.99 } else { 0.1 };
        let walker = walker(second).map(|track| Track { existence, last_seen: at(second.min(45.0)), ..track });
        walker.filter(|_| second < 90.0).into_iter().collect()
    };
    alerts.extend(watch(&mut stage, seconds(41, 2_100), unseen, heard));
    let last = of_kind(&alerts, AlertKind::Crossing).pop().expect("a crossing");
    assert_eq!(last.state, AlertState::Expired, "{}", lines(&alerts));
}

/// A walker who passes behind trees for minutes is seen again somewhere else: nobody stood there.
#[test]
fn who_walked_on_unseen_is_not_said_to_have_stayed() {
    let walks = |second: f64| {
        let seen = !(60.0..360.0).contains(&second);
        let last_seen = if seen { at(second) } else { at(60.0) };
        vec![Track { last_seen, ..track(17, second, [1.3 * second - 400.0, 300.0], [1.3, 0.0]) }]
    };
    let cold = |_: f64, sensor: &mut SensorStatus| sensor.temperature_c = Some(-8.0);
    let alerts = watch(&mut Stage::new(), seconds(0, 420), walks, cold);
    assert_eq!(of_kind(&alerts, AlertKind::PossibleNeed), []);
}

/// A radar that looks at a wire and sees nobody speaks against what detectors say there, until it proves to be blind at it.
#[test]
fn what_a_radar_does_not_see_at_a_wire_wakes_nobody_until_it_proves_blind() {
    let mut stage = Stage::new();
    let mut passage = |hour: u32, looks: bool, sees: bool| {
        let begins_s = 3_600.0 * f64::from(hour);
        for look in (0..40).map(f64::from).filter(|_| looks) {
            let position_m = if sees { [5.0, 20.0 - look] } else { [5.0, 300.0] };
            let plot = Measurement::Position { position_m: position_m.into(), covariance_m2: Matrix2::identity() };
            report(&mut stage, 0, begins_s + 60.0 + 2.0 * look, plot);
        }
        report(&mut stage, 1, begins_s + 90.0, Measurement::Presence { strength: None });
        report(&mut stage, 3, begins_s + 100.0, Measurement::Crossing { direction: None });
        report(&mut stage, 3, begins_s + 104.0, Measurement::Crossing { direction: None });
        let alerts = stage.run(3_600 * hour + 105, 3_600 * hour + 160, |_| None);
        of_kind(&alerts, AlertKind::Crossing).into_iter().find(|alert| alert.rev == 1).expect("an alert")
    };
    assert!(passage(0, false, false).asks_attention(), "nothing scans");
    assert!(passage(1, true, true).asks_attention(), "it is seen");
    let unseen = passage(2, true, false);
    assert!(!unseen.asks_attention() && unseen.is_held_as_unsure(), "{}", unseen.text);
    insta::assert_snapshot!(lines(&[unseen]));
    let held = (3..20).take_while(|&hour| !passage(hour, true, false).asks_attention()).count();
    assert!((1..=8).contains(&held), "held back {held} times more");
}

/// What is too unsure is for the record; it asks for attention as soon as it is surer, and from then on.
#[test]
fn what_is_too_unsure_wakes_nobody_until_it_is_surer() {
    let mut stage = Stage::new();
    stage.site.rules.attention_from = 1.0;
    let unsure = stage.run(0, 20, walker);
    assert_eq!((unsure.len(), unsure[0].severity, unsure[0].asks_attention()), (1, Severity::Info, false));
    assert!(unsure[0].text.ends_with("Too unsure to wake anybody: kept for the record."), "{}", unsure[0].text);
    stage.site.rules.attention_from = 0.0;
    let surer = stage.run(20, 21, walker);
    assert_eq!((surer[0].id == unsure[0].id, surer[0].severity), (true, Severity::Medium), "{}", lines(&surer));
    stage.site.rules.attention_from = 1.0;
    let later = stage.run(21, 80, walker);
    assert!(!later.is_empty() && later.iter().all(Alert::asks_attention), "{}", lines(&later));
    // Help is never a matter of sureness.
    let mut stage = Stage::new();
    stage.site.rules.attention_from = 1.0;
    let drowning = stage.run(0, 301, |second| Some(track(9, second, [-250.0, -250.0], [0.5, 0.0])));
    assert!(drowning.iter().any(|alert| alert.kind == AlertKind::PossibleNeed && alert.asks_attention()));
}

/// The second of two walks ahead of the one with the radio, farther and farther, round a bend too; a stranger who was near them and goes
/// another way is told of.
#[test]
fn who_walks_in_column_with_a_patrol_stays_explained_and_who_leaves_it_does_not() {
    let told = |leaves: bool| {
        let mut stage = Stage::new();
        stage.site.units[0].people = 2;
        let north = |second: f64| [-100.0, 300.0 - 1.3 * second];
        let mut alerts = Vec::new();
        for second in (0..300).map(f64::from) {
            if second % 10.0 == 0.0 {
                let position_m = north(second).into();
                let report = OwnReport { unit: 0, time: at(second), position_m, sd_m: 3.0 };
                assert!(stage.units.take(&report, at(second), &stage.site));
            }
            let ahead_m = 3.0 + f64::min(0.5 * second, 80.0);
            let tracks = |second: f64| {
                let [east_m, north_m] = north(second);
                let away_m = if leaves { f64::max(second - 60.0, 0.0) * 1.3 } else { 0.0 };
                let velocity_mps = [if away_m > 0.0 { 1.3 } else { 0.0 }, -1.3];
                vec![
                    track(1, second, [east_m, north_m], [0.0, -1.3]),
                    track(2, second, [east_m + away_m, north_m - ahead_m], velocity_mps),
                ]
            };
            // Settled before anybody can be told of.
            if second >= 20.0 {
                alerts.extend(watch(&mut stage, [second], tracks, heard));
            }
        }
        alerts.iter().any(Alert::asks_attention)
    };
    assert_eq!((told(false), told(true)), (false, true));
}

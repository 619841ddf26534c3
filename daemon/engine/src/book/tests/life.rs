//! What becomes of one walker: approached, crossed, returned, entered, stayed, lost, never there; one alert for one cause.

use super::*;

#[test]
fn an_approach_becomes_the_crossing_in_one_alert() {
    let mut stage = Stage::new();
    let alerts = stage.run(0, 90, walker);
    insta::assert_snapshot!(lines(&alerts));
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id && alert.dedup_key == alerts[0].dedup_key));
    let eta = alerts[0].eta.expect("an approach has one");
    assert!(eta.low_s < eta.s && eta.s < eta.high_s && (eta.s - 35.0).abs() < 2.0, "{eta:?}");
    let crossing = alerts.iter().find(|alert| alert.kind == AlertKind::Crossing).expect("a crossing");
    assert!(crossing.last_seen <= at(44.0), "told {:?}", crossing.last_seen);
}

#[test]
fn a_sensor_that_missed_one_look_is_not_called_silent() {
    let mut stage = Stage::new();
    let missed_once = |second: f64| walker(second).map(|track| Track { silent: vec![0, 2], ..track });
    for alert in stage.run(0, 60, missed_once) {
        let silent: Vec<&str> = alert.contributors.iter().filter(|c| c.share.is_none()).map(|c| &*c.sensor).collect();
        assert_eq!(silent, ["cam-2"], "{}", alert.text);
    }
}

#[test]
fn a_first_message_fits_into_a_kilobyte() {
    let mut stage = Stage::new();
    for sensor in &mut stage.site.sensors {
        sensor.model.id = format!("{}{}", sensor.model.id, "x".repeat(56));
    }
    stage.site.zones[0].name = "y".repeat(64);
    let crossing = stage.run(0, 60, walker).into_iter().last().expect("an alert");
    let json = serde_json::to_vec(&crossing).expect("JSON");
    // The envelope: {"v":1,"epoch":"<16>","seq":<10>,"alert":..}
    assert!(json.len() + 84 <= 1_024, "{} bytes", json.len());
    assert!(!crossing.text.is_empty() && !crossing.contributors.is_empty());
}

#[test]
fn walking_along_the_line_is_no_crossing() {
    let mut stage = Stage::new();
    let along = |second: f64| {
        // Two metres to and fro, with an uncertainty of two metres: nobody can say which side.
        let north_m = if libm::fmod(second, 2.0) < 1.0 { 1.0 } else { -1.0 };
        Some(track(3, second, [-100.0 + second, north_m], [1.0, 0.0]))
    };
    assert_eq!(lines(&stage.run(0, 120, along)), "");
}

#[test]
fn round_the_end_of_the_line_is_no_crossing() {
    let mut stage = Stage::new();
    let round = |second: f64| {
        let angle = second * 0.02;
        Some(track(3, second, [500.0 + 60.0 * libm::sin(angle), 60.0 * libm::cos(angle)], [0.0, 0.0]))
    };
    assert_eq!(lines(&stage.run(0, 150, round)), "");
}

#[test]
fn who_returns_is_told_in_the_same_alert() {
    let mut stage = Stage::new();
    let mut alerts = stage.run(0, 80, walker);
    alerts.extend(
        stage.run(80, 160, |second| Some(track(17, second, [30.0, -56.0 + 1.4 * (second - 80.0)], [0.1, 1.4]))),
    );
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id));
    let last = alerts.last().expect("an alert");
    assert!(last.text.contains("returned over Bug line outward"), "{}", last.text);
    assert_eq!((last.kind, last.severity), (AlertKind::Returned, Severity::High));
}

#[test]
fn entry_and_stay_are_one_alert_and_closed_when_gone() {
    let mut stage = Stage::new();
    stage.site.zones.remove(3);
    let inside = |second: f64| {
        let east_m = if second < 400.0 { 245.0 } else { 245.0 + 2.0 * (second - 400.0) };
        Some(track(5, second, [east_m, -250.0], [0.0, 0.0]))
    };
    let alerts = stage.run(0, 500, inside);
    insta::assert_snapshot!(lines(&alerts));
    let last = alerts.last().expect("an alert");
    assert_eq!(last.state, AlertState::Closed { reason: CloseReason::Cleared });
}

#[test]
fn a_track_lost_and_found_near_by_is_the_same_cause() {
    let mut stage = Stage::new();
    let lost_and_found = |second: f64| match second {
        s if s < 50.0 => walker(s),
        s if s < 60.0 => None,
        s => walker(s).map(|track| Track { id: TrackId(18), ..track }),
    };
    let alerts = stage.run(0, 120, lost_and_found);
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id), "{}", lines(&alerts));
}

#[test]
fn a_track_that_was_never_there_is_retracted() {
    let mut stage = Stage::new();
    let fading = |second: f64| match second {
        s if s < 10.0 => Some(track(5, s, [220.0, -250.0], [0.0, 0.0])),
        s if s < 15.0 => {
            Some(Track { existence: 0.2, status: TrackStatus::Tentative, ..track(5, s, [220.0, -250.0], [0.0, 0.0]) })
        }
        _ => None,
    };
    let last = stage.run(0, 60, fading).pop().expect("an alert");
    assert_eq!(last.state, AlertState::Closed { reason: CloseReason::Retracted });
}

#[test]
fn noise_about_a_zone_border_does_not_flap() {
    let mut stage = Stage::new();
    let noisy = |second: f64| {
        // In and out of the depot's west side by three metres, four times a minute.
        let east_m = if libm::fmod(second, 15.0) < 8.0 { 203.0 } else { 197.0 };
        Some(track(5, second, [east_m, -250.0], [0.0, 0.0]))
    };
    let alerts = stage.run(0, 280, noisy);
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id) && alerts.len() <= 4, "{}", lines(&alerts));
}

#[test]
fn nothing_counts_in_an_ignored_zone() {
    let mut stage = Stage::new();
    let on_the_lane = |second: f64| Some(track(5, second, [280.0, -250.0], [0.0, 0.0]));
    assert_eq!(lines(&stage.run(0, 400, on_the_lane)), "");
}

#[test]
fn a_full_book_keeps_the_severe_ones() {
    let mut stage = Stage::new();
    stage.site.rules.max_open_alerts = 1;
    stage.sensors[1].battery_mv = Some(3_000);
    let first = stage.step(at(0.0), &[]);
    assert_eq!(first[0].kind, AlertKind::SensorBattery);
    stage.sensors[1].tamper = Some((Tamper::Moved, at(1.0), at(1.0)));
    let second = stage.step(at(1.0), &[]);
    let states: Vec<_> = second.iter().map(|alert| (alert.kind, alert.state)).collect();
    assert_eq!(
        states,
        [(AlertKind::SensorBattery, AlertState::Expired), (AlertKind::SensorTamper, AlertState::Raised)]
    );
    assert_eq!(stage.book.open_count(), 1);
}

#[test]
fn confidence_weighs_what_bears_an_alert_out() {
    let sure = |weight: f64, contributions: usize| {
        let mut stage = Stage::new();
        stage.site.rules.confidence_weights = [0.0; EVIDENCE_TERMS];
        stage.site.rules.confidence_weights[5] = weight;
        let alone = |second: f64| {
            let mut walker = walker(second)?;
            walker.contributions.truncate(contributions);
            Some(walker)
        };
        stage.run(0, 10, alone)[0].confidence
    };
    assert_eq!([sure(1.0, 1), sure(1.0, 2), sure(0.0, 2)], [0.5, 0.67, 0.5]);
}

#[test]
fn nobody_is_told_to_be_quite_sure() {
    let mut stage = Stage::new();
    stage.site.rules.confidence_weights = [0.0; EVIDENCE_TERMS];
    stage.site.rules.confidence_weights[0] = 9.0;
    let alert = &stage.run(0, 10, walker)[0];
    assert!(alert.confidence > 0.995 && alert.text.contains(" 99 % sure"), "{} {}", alert.confidence, alert.text);
}

#[test]
fn a_zone_may_ask_for_more_sureness() {
    let told = |least: f64| {
        let mut stage = Stage::new();
        stage.site.zones[0].min_confidence = Some(least);
        stage.site.rules.confidence_weights = [0.0; EVIDENCE_TERMS];
        stage.run(0, 90, walker).len()
    };
    assert!(told(0.4) > 0 && told(0.6) == 0);
}

/// Detectors keep one track for people who follow each other: the second one over the wire is an alert of its own all the same.
#[test]
fn a_second_crossing_of_the_same_track_is_somebody_else() {
    let mut stage = Stage::new();
    let stays = |second: f64| Some(track(17, second, [12.0, -2.0], [0.0, -0.2]));
    let mut alerts = Vec::new();
    for (from, direction) in [(100, Direction::In), (200, Direction::In), (300, Direction::Out)] {
        report(&mut stage, 1, f64::from(from) - 1.0, Measurement::Presence { strength: None });
        report(&mut stage, 3, f64::from(from), Measurement::Crossing { direction: Some(direction) });
        alerts.push(stage.run(from, from + 60, stays));
    }
    let keys = |alerts: &[Alert]| alerts.iter().map(|alert| alert.dedup_key.clone()).collect::<Vec<_>>();
    assert!(keys(&alerts[0]).iter().all(|key| key.ends_with("track-17")), "{}", lines(&alerts[0]));
    assert!(keys(&alerts[1]).iter().any(|key| key.starts_with("wire/")), "{}", lines(&alerts[1]));
    assert!(keys(&alerts[2]).iter().all(|key| key.ends_with("track-17")), "it came back: {}", lines(&alerts[2]));
}

#[test]
fn what_is_plainly_an_animal_alerts_nobody_until_it_is_not() {
    let mut stage = Stage::new();
    let class = |animal: f64| ClassProbabilities { person: 0.9 - animal, animal, vehicle: 0.1 };
    let mut alerts = Vec::new();
    for second in 0_u32..60 {
        let now = f64::from(second);
        let animal = if second < 40 { class(0.9) } else { class(0.1) };
        let passer = Track { class: animal, ..track(10, now, [0.0, 60.0 - 1.4 * now], [0.0, -1.4]) };
        alerts.extend(stage.run_once(now, &[passer]));
        assert!(second >= 40 || alerts.is_empty(), "{}", lines(&alerts));
    }
    assert!(alerts.iter().any(|alert| alert.kind == AlertKind::Crossing), "{}", lines(&alerts));
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

/// The walker of [`walker`] as another track, that many seconds later; lost after so many seconds.
fn later(number: u64, after_s: f64, seen_s: f64) -> impl Fn(f64) -> Option<Track> {
    move |second| {
        let age_s = second - after_s;
        let there = (0.0..seen_s).contains(&age_s);
        let place_m = [30.0, 56.0 - 1.4 * age_s];
        there.then(|| Track { first_seen: at(after_s), ..track(number, second, place_m, [0.1, -1.4]) })
    }
}

#[test]
fn who_crosses_where_somebody_has_crossed_before_is_told() {
    let mut stage = Stage::new();
    let walkers = [later(1, 0.0, 70.0), later(2, 90.0, 70.0), later(3, 200.0, 70.0)];
    let alerts = stage.run(0, 280, |second| walkers.iter().find_map(|walker| walker(second)));
    let crossings: Vec<Alert> = of_kind(&alerts, AlertKind::Crossing);
    let mut ids: Vec<&str> = crossings.iter().map(|alert| alert.id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{}", lines(&alerts));
}

#[test]
fn who_is_lost_at_the_line_and_found_again_at_once_crossed_once() {
    let mut stage = Stage::new();
    // Lost a few steps behind the line, and found again before it by an error of the new track.
    let found = |second: f64| {
        let place_m = [30.0, 56.0 - 1.4 * second + 12.0];
        (second >= 54.0).then(|| Track { first_seen: at(54.0), ..track(18, second, place_m, [0.1, -1.4]) })
    };
    let alerts = stage.run(0, 90, |second| if second < 50.0 { walker(second) } else { found(second) });
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id), "{}", lines(&alerts));
}

#[test]
fn an_alert_carries_the_wind_and_rain_that_the_gateway_knew_of() {
    let mut stage = Stage::new();
    assert_eq!(stage.run(0, 10, walker)[0].weather, None);
    let mut stage = Stage::new();
    stage.weather = Some(WeatherNow { wind_mps: Some(11.26), rain_mm: Some(0.0), temperature_c: Some(3.0) });
    let alert = stage.run(0, 10, walker).remove(0);
    let weather = alert.weather.expect("a station is heard");
    assert_eq!((weather.wind_mps, weather.rain_mm), (Some(11.3), Some(0.0)));
    assert!(weather.at >= at(0.0) && weather.at < at(10.0));
    // What is least needed goes first where the message would be too long.
    let rest = serde_json::to_vec(&Alert { text: String::new(), weather: None, ..alert.clone() }).expect("JSON").len();
    let long = Alert { text: "a".repeat(940 - rest), ..alert };
    let fitted = crate::book::draft::fit(long.clone());
    assert_eq!((fitted.weather, fitted.text, fitted.contributors), (None, long.text, long.contributors));
}

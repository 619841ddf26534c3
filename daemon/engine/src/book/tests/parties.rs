//! Groups, herds, parties in single file, and vehicles that stop.

use super::*;

#[test]
fn a_herd_is_one_alert_and_a_person_in_it_comes_through() {
    let mut stage = Stage::new();
    let class = ClassProbabilities { person: 0.2, animal: 0.7, vehicle: 0.1 };
    let mut alerts = Vec::new();
    for second in 0_u32..60 {
        let now = f64::from(second);
        let south = |east_m: f64| [east_m, 20.0 - 1.4 * now];
        let animal = |n: u32| Track {
            class,
            ..track(100 + u64::from(n), now, south(-200.0 + 20.0 * f64::from(n)), [0.0, -1.4])
        };
        let mut tracks: Vec<Track> = (0..12_u32).map(animal).collect();
        tracks.push(track(17, now, south(300.0), [0.0, -1.4]));
        for sensor in &mut stage.sensors {
            sensor.last_heard = Some(at(now));
        }
        alerts.extend(stage.step(at(now), &tracks));
    }
    insta::assert_snapshot!(lines(&alerts));
    let crossings: std::collections::BTreeSet<_> =
        alerts.iter().filter(|alert| alert.kind == AlertKind::Crossing).map(|alert| &alert.id).collect();
    assert_eq!(crossings.len(), 2, "the herd and the person");
}

#[test]
fn a_party_in_single_file_is_one_alert_with_its_count() {
    let mut stage = Stage::new();
    let mut alerts = Vec::new();
    for second in 0_u32..90 {
        let now = f64::from(second);
        let walker = |n: u32| {
            let north_m = 40.0 + 4.0 * f64::from(n) - 1.4 * now;
            track(10 + u64::from(n), now, [5.0 * f64::from(n % 2), north_m], [0.0, -1.4])
        };
        let tracks: Vec<Track> = (0..12).map(walker).collect();
        alerts.extend(stage.run_once(now, &tracks));
    }
    // The group as such and the camera that misses it are other matters.
    alerts.retain(|alert| matches!(alert.kind, AlertKind::Approach | AlertKind::Crossing));
    let ids: std::collections::BTreeSet<_> = alerts.iter().map(|alert| &alert.id).collect();
    assert_eq!(ids.len(), 1, "{}", lines(&alerts));
    assert!(alerts.iter().any(|alert| alert.kind == AlertKind::Crossing), "{}", lines(&alerts));
    // Whoever is right on the line has neither approached nor crossed it, so that a later count may be one less.
    let told = |alert: &Alert, heads: u32| alert.count.is_some_and(|(_, high)| high >= heads);
    assert!(told(&alerts[0], 12) && alerts.iter().all(|alert| told(alert, 11)), "{}", lines(&alerts));
}

#[test]
fn who_leaves_a_party_gets_an_alert_of_their_own() {
    let mut stage = Stage::new();
    let mut alerts = Vec::new();
    for second in 0_u32..150 {
        let now = f64::from(second);
        // Side by side for half a minute, then one goes on and the other along the line.
        let along_m = 1.4 * f64::max(now - 30.0, 0.0);
        let velocity = if now > 30.0 { [1.2, -0.7] } else { [0.0, -1.4] };
        let stays = track(10, now, [0.0, 100.0 - 1.4 * now], [0.0, -1.4]);
        let leaves = track(11, now, [8.0 + along_m, 100.0 - 1.4 * f64::min(now, 30.0) - 0.5 * along_m], velocity);
        alerts.extend(stage.run_once(now, &[stays, leaves]));
    }
    let ids: std::collections::BTreeSet<_> = alerts.iter().map(|alert| &alert.id).collect();
    assert_eq!(ids.len(), 2, "{}", lines(&alerts));
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

/// So many walk over the line at once, far from each other, as one radar that classifies sees them.
pub(super) fn abreast(people: u64, seen_by: usize) -> impl Fn(f64) -> Vec<Track> {
    move |second| {
        let walker = |number: u64| {
            let place_m = [-400.0 + 90.0 * number as f64, 56.0 - 1.4 * second];
            let mut walker = track(number + 1, second, place_m, [0.0, -1.4]);
            walker.contributions.retain(|part| part.sensor == 0 || seen_by > 1);
            walker.class = ClassProbabilities { person: 0.98, animal: 0.01, vehicle: 0.01 };
            Track { silent: Vec::new(), ..walker }
        };
        (0..people).map(walker).collect()
    }
}

#[test]
fn who_surely_crosses_in_a_storm_is_told_on_their_own_by_one_radar_too() {
    for seen_by in [1, 2] {
        let alerts = watch(&mut Stage::new(), seconds(0, 70), abreast(8, seen_by), heard);
        let crossings = of_kind(&alerts, AlertKind::Crossing);
        let ids: std::collections::BTreeSet<&str> = crossings.iter().map(|alert| alert.id.as_str()).collect();
        assert_eq!(ids.len(), 8, "seen by {seen_by}: {}", lines(&crossings));
        assert!(crossings.iter().all(|alert| alert.text.starts_with("Person")), "{}", lines(&crossings));
    }
}

#[test]
fn a_storm_that_was_closed_hides_nobody_who_comes_later() {
    let mut stage = Stage::new();
    let storm = watch(&mut stage, seconds(0, 10), abreast(7, 1), heard);
    let storm = storm.into_iter().find(|alert| alert.dedup_key.starts_with("storm/")).expect("a storm of approaches");
    let act = Act::Close { alert: storm.id, reason: CloseReason::Nuisance };
    assert_eq!(alerts(stage.command("c1", at(10.0), act)).len(), 1);
    // They are gone at once, and one more comes while the closed storm is still remembered.
    let one = |second: f64| {
        let place_m = [420.0, 76.0 - 1.4 * (second - 12.0)];
        vec![Track { first_seen: at(12.0), ..track(30, second, place_m, [0.0, -1.4]) }]
    };
    let alerts = watch(&mut stage, seconds(12, 30), one, heard);
    assert_eq!(alerts.first().map(|alert| alert.kind), Some(AlertKind::Approach), "{}", lines(&alerts));
}

#[test]
fn many_who_are_lost_before_the_line_are_told_as_people_and_not_as_sensors() {
    let tracks = |second: f64| if second < 28.0 { abreast(7, 1)(second) } else { Vec::new() };
    let alerts = watch(&mut Stage::new(), seconds(0, 60), tracks, heard);
    let lost = of_kind(&alerts, AlertKind::TrackLost);
    assert!(lost.iter().any(|alert| alert.text.contains("of 7 who were nearing Bug line")), "{}", lines(&lost));
    assert!(!lost.iter().any(|alert| alert.text.contains("sensors in the same state")), "{}", lines(&lost));
}

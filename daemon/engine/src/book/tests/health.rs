//! What is told of sensors: silent, blind, chattering, low.

use super::*;

const DAY_S: f64 = 86_400.0;

#[test]
fn health_is_told_in_plain_words() {
    let mut stage = Stage::new();
    let mut told = Vec::new();
    stage.sensors[1].battery_mv = Some(3_210);
    stage.sensors[1].tamper = Some((Tamper::Opened, at(10.0), at(7.0)));
    stage.links.insert(UPLINK.into(), Link { up: false, since: at(-70.0) });
    stage.links.insert("radio-1".into(), Link { up: false, since: at(-65.0) });
    let loss = |what: &str, why: &str, kind| Loss {
        what: what.into(),
        why: why.into(),
        kind,
        count: 120,
        first: at(0.0),
        last: at(9.0),
    };
    stage
        .losses
        .insert("frames/radio-1".into(), loss("frames of radio-1 dropped", "its queue was full", AlertKind::DataLoss));
    stage.losses.insert("storage/recording".into(), loss("faults of recording", "disk full", AlertKind::StorageFault));
    told.extend(stage.step(at(10.0), &[]));
    told.extend(stage.step(at(4_000.0), &[]));
    insta::assert_snapshot!(lines(&told));
}

#[test]
fn a_battery_near_its_limit_does_not_flap() {
    let mut stage = Stage::new();
    let mut told = Vec::new();
    for minute in 0_u32..60 {
        stage.sensors[1].battery_mv = Some(if minute % 2 == 0 { 3_290 } else { 3_320 });
        told.extend(stage.step(at(f64::from(minute) * 50.0), &[]));
    }
    told.retain(|alert| alert.kind == AlertKind::SensorBattery);
    assert_eq!(told.len(), 1, "{}", lines(&told));
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

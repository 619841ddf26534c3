//! Crossings that a wire tells, with a track and without.

use super::*;

#[test]
fn a_tripwire_that_a_detector_bears_out_is_an_alert_without_a_track() {
    let mut stage = Stage::new();
    report(&mut stage, 1, 90.0, Measurement::Presence { strength: None });
    report(&mut stage, 3, 100.0, Measurement::Crossing { direction: Some(Direction::In) });
    report(&mut stage, 3, 104.0, Measurement::Crossing { direction: None });
    let alerts = stage.run(105, 200, |_| None);
    insta::assert_snapshot!(lines(&alerts));
    assert_eq!(alerts.len(), 1);
    // An hour later it is another.
    report(&mut stage, 3, 3_700.0, Measurement::Crossing { direction: Some(Direction::Out) });
    assert_eq!(lines(&stage.run(3_701, 3_705, |_| None)).matches("Crossing rev 1").count(), 0);
    report(&mut stage, 1, 3_706.0, Measurement::Presence { strength: None });
    assert!(lines(&stage.run(3_706, 3_710, |_| None)).contains("Crossing rev 1"));
}

/// Detectors on a line found a track that starts there: its side was never sure, so nothing but the wire tells that it crossed.
#[test]
fn a_tripwire_tells_that_the_track_at_it_crossed() {
    let mut stage = Stage::new();
    report(&mut stage, 1, 99.0, Measurement::Presence { strength: None });
    report(&mut stage, 3, 100.0, Measurement::Crossing { direction: Some(Direction::In) });
    let alerts = stage.run(100, 160, |second| Some(track(17, second, [12.0, -2.0], [0.0, -0.2])));
    insta::assert_snapshot!(lines(&alerts));
}

/// Two people behind each other where only the wire sees them: a quiet wire bears itself out, a restless one does not.
#[test]
fn a_quiet_tripwire_that_is_tripped_twice_is_an_alert_and_a_restless_one_is_none() {
    let told = |restless: u32| {
        let mut stage = Stage::new();
        for _ in 0..restless + 2 {
            stage.sensors[3].pace.count(at(0.0), &[]);
        }
        report(&mut stage, 3, 10.0, Measurement::Crossing { direction: Some(Direction::In) });
        report(&mut stage, 3, 22.0, Measurement::Crossing { direction: Some(Direction::In) });
        stage.run(23, 60, |_| None)
    };
    let quiet = told(0);
    assert_eq!(quiet.len(), 1, "{}", lines(&quiet));
    assert!(quiet[0].text.starts_with("Something crossed Bug line inward twice at trip-1"), "{}", quiet[0].text);
    assert_eq!(lines(&told(8)), "");
}

#[test]
fn a_lone_tripwire_is_none_and_a_track_tells_it_better() {
    let mut stage = Stage::new();
    report(&mut stage, 3, 10.0, Measurement::Crossing { direction: None });
    assert_eq!(lines(&stage.run(10, 200, |_| None)), "");
    let mut stage = Stage::new();
    report(&mut stage, 3, 40.0, Measurement::Crossing { direction: None });
    report(&mut stage, 1, 41.0, Measurement::Presence { strength: None });
    let alerts = stage.run(35, 90, walker);
    assert!(alerts.iter().all(|alert| alert.dedup_key.contains("track-17")), "{}", lines(&alerts));
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

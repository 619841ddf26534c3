//! Own patrols and scheduled work where only wires and detectors tell of a crossing, and where somebody was lost.

use super::*;

/// The patrol is there at these seconds; the wire is tripped at 100 s, and a detector bears it out.
fn tripped(stage: &mut Stage, patrol: &[(f64, [f64; 2])], times: u32) -> Vec<Alert> {
    stage.site.rules.attention_from = 0.0;
    for &(second, position_m) in patrol {
        let report = OwnReport { unit: 0, time: at(second), position_m: position_m.into(), sd_m: 5.0 };
        stage.units.take(&report, at(second), &stage.site);
    }
    report(stage, 1, 99.0, Measurement::Presence { strength: None });
    for time in 0..times {
        let second = 100.0 + 3.0 * f64::from(time);
        report(stage, 3, second, Measurement::Crossing { direction: Some(Direction::In) });
    }
    stage.run(110, 260, |_| None)
}

/// What explains the crossing, and whether it asks for attention at any time.
fn told(alerts: &[Alert]) -> (Option<&str>, bool) {
    let last = alerts.last().expect("never deleted");
    assert_eq!(last.kind, AlertKind::Crossing, "{}", lines(alerts));
    let by = last.suppressed.as_ref().map(|suppression| suppression.rule.as_str());
    (by, alerts.iter().any(Alert::asks_attention))
}

#[test]
fn a_patrol_at_a_wire_explains_that_it_is_crossed_and_the_crossing_stays_visible() {
    let mut stage = Stage::new();
    let alerts = tripped(&mut stage, &[(60.0, [0.0, 40.0]), (90.0, [2.0, 8.0]), (120.0, [2.0, -30.0])], 1);
    insta::assert_snapshot!(lines(&alerts));
    assert_eq!(told(&alerts), (Some("unit patrol-3"), false));
    assert_eq!(alerts[0].severity, Severity::Info);
    let counted = serde_json::to_string(&stage.counters).expect("JSON");
    assert!(counted.contains("alerts_explained_by_own_units"), "{counted}");
}

#[test]
fn a_patrol_elsewhere_or_that_is_heard_too_late_or_is_too_few_explains_no_crossing() {
    let unexplained = |patrol: &[(f64, [f64; 2])], times: u32| {
        let mut stage = Stage::new();
        let alerts = tripped(&mut stage, patrol, times);
        assert_eq!(told(&alerts), (None, true), "{patrol:?}: {}", lines(&alerts));
    };
    // It walks along behind the line, and is never at the wire.
    unexplained(&[(60.0, [-200.0, -90.0]), (90.0, [-160.0, -90.0]), (120.0, [-120.0, -90.0])], 1);
    // It comes when it has happened.
    unexplained(&[(60.0, [300.0, 0.0]), (90.0, [230.0, 0.0]), (106.0, [190.0, 0.0])], 1);
    // Somebody speaks in its name from when the wire is tripped on.
    unexplained(&[(95.0, [2.0, 5.0]), (105.0, [2.0, 0.0])], 1);
    // Its last report is too old.
    unexplained(&[(10.0, [0.0, 20.0]), (30.0, [2.0, 8.0])], 1);
    // One is on patrol, and three came.
    unexplained(&[(60.0, [0.0, 40.0]), (90.0, [2.0, 8.0])], 3);
}

#[test]
fn a_patrol_that_is_seen_elsewhere_has_nobody_at_the_wire() {
    let mut stage = Stage::new();
    stage.site.rules.attention_from = 0.0;
    let patrol = |second: f64| [60.0, 0.3 * second];
    for second in (50..96).step_by(5).map(f64::from) {
        let report = OwnReport { unit: 0, time: at(second), position_m: patrol(second).into(), sd_m: 20.0 };
        stage.units.take(&report, at(second), &stage.site);
        watch(&mut stage, [second], |second| vec![track(40, second, patrol(second), [0.0, 0.3])], heard);
    }
    report(&mut stage, 1, 99.0, Measurement::Presence { strength: None });
    report(&mut stage, 3, 100.0, Measurement::Crossing { direction: Some(Direction::In) });
    let alerts = stage.run(110, 140, |_| None);
    assert_eq!(told(&of_kind(&alerts, AlertKind::Crossing)), (None, true));
}

#[test]
fn a_patrol_at_a_wire_does_not_take_back_that_a_stranger_was_coming() {
    let mut stage = Stage::new();
    let lost = |second: f64| if second < 30.0 { walker(second).into_iter().collect() } else { vec![] };
    let mut alerts = watch(&mut stage, seconds(0, 40), lost, heard);
    let stranger = alerts[0].id.clone();
    for (second, position_m) in [(10.0, [-60.0, 0.0]), (25.0, [-40.0, 0.0]), (40.0, [-15.0, 0.0])] {
        let report = OwnReport { unit: 0, time: at(second), position_m: position_m.into(), sd_m: 5.0 };
        stage.units.take(&report, at(second), &stage.site);
    }
    report(&mut stage, 3, 41.0, Measurement::Crossing { direction: Some(Direction::In) });
    report(&mut stage, 1, 42.0, Measurement::Presence { strength: None });
    alerts.extend(watch(&mut stage, seconds(43, 60), |_| vec![], heard));
    let of_stranger = alerts.iter().rfind(|alert| alert.id == stranger).expect("an alert");
    assert!(of_stranger.asks_attention() && of_stranger.suppressed.is_none(), "{}", lines(&alerts));
    assert!(alerts.iter().any(|alert| alert.suppressed.is_some()), "{}", lines(&alerts));
}

#[test]
fn work_and_ground_where_nothing_counts_matter_to_wires_and_to_who_is_lost() {
    let site = |kind: &str| {
        let ground = "points_m = [[-100.0, -120.0], [100.0, -120.0], [100.0, 120.0], [-100.0, 120.0]]";
        format!("{SITE}\n[[zone]]\nname = \"meadow\"\nkind = \"{kind}\"\n{ground}\n")
    };
    let mut stage = Stage::of(&site("work"));
    let alerts = tripped(&mut stage, &[], 1);
    assert_eq!((alerts[0].severity, alerts[0].lowered_by.as_deref()), (Severity::Low, Some("work in meadow")));
    assert_eq!(lines(&tripped(&mut Stage::of(&site("ignore")), &[], 1)), "");
    let vanishes = |second: f64| if second < 30.0 { walker(second).into_iter().collect() } else { vec![] };
    let lost = |kind: &str| {
        let alerts = watch(&mut Stage::of(&site(kind)), seconds(0, 60), vanishes, heard);
        of_kind(&alerts, AlertKind::TrackLost).first().map(|alert| alert.severity)
    };
    assert_eq!((lost("work"), lost("ignore")), (Some(Severity::Info), None));
}

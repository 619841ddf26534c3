//! Own patrols and scheduled work explain what they explain, and hide nobody.

use super::*;

#[test]
fn scheduled_work_lowers_severity_and_says_so() {
    let mut stage = Stage::new();
    let in_the_field = |second: f64| Some(track(5, second, [220.0, -250.0], [0.0, 0.0]));
    let severity =
        |alerts: Vec<Alert>| alerts.first().map(|alert| (alert.severity, alert.text.contains("Work is scheduled")));
    assert_eq!(severity(stage.run(0, 10, in_the_field)), Some((Severity::Medium, false)));
    // Monday 10:14 at the site.
    let monday = 32 * 3_600;
    // By now it would be high, for the stay: that work makes it less is said, and it stays what it was.
    assert_eq!(severity(stage.run(monday, monday + 10, in_the_field)), Some((Severity::Medium, true)));
    let mut stage = Stage::new();
    assert_eq!(severity(stage.run(monday, monday + 10, in_the_field)), Some((Severity::Info, true)));
}

#[test]
fn an_own_patrol_is_told_as_such_and_in_full_when_it_turns_back() {
    let mut stage = Stage::new();
    let mut alerts = Vec::new();
    let start_m = walker(0.0).expect("a track").position_m;
    let earlier = OwnReport { unit: 0, time: at(-15.0), position_m: start_m, sd_m: 5.0 };
    assert!(stage.units.take(&earlier, at(-15.0), &stage.site));
    for second in 0_u32..120 {
        let now = f64::from(second);
        let walker = walker(now).expect("a track");
        // The patrol walks with the track for a minute, then turns back.
        let position_m = if second < 60 { walker.position_m } else { Vector2::new(30.0, -28.0 + 1.4 * (now - 60.0)) };
        let report = OwnReport { unit: 0, time: at(now), position_m, sd_m: 5.0 };
        assert!(stage.units.take(&report, at(now), &stage.site));
        alerts.extend(stage.run(second, second + 1, |_| Some(walker.clone())));
    }
    insta::assert_snapshot!(lines(&alerts));
    assert_eq!(alerts[0].severity, Severity::Info);
    assert_eq!(alerts[0].suppressed.as_ref().map(|by| by.rule.as_str()), Some("unit patrol-3"));
    assert_eq!(alerts.last().map(|alert| (alert.severity, alert.suppressed.is_some())), Some((Severity::High, false)));
}

#[test]
fn a_forged_position_hides_nobody() {
    let mut stage = Stage::new();
    let own = |second: f64, position_m| OwnReport { unit: 0, time: at(second), position_m, sd_m: 5.0 };
    assert!(stage.units.take(&own(0.0, Vector2::new(-800.0, 0.0)), at(0.0), &stage.site));
    // Ten seconds later on the walker, 800 m away.
    let there = walker(10.0).expect("a track").position_m;
    assert!(!stage.units.take(&own(10.0, there), at(10.0), &stage.site));
    let alerts = stage.run(10, 60, walker);
    assert!(alerts.iter().any(|alert| alert.kind == AlertKind::Crossing && alert.suppressed.is_none()));
    let doubt = alerts.iter().find(|alert| alert.kind == AlertKind::PositionDoubt).expect("an alert");
    insta::assert_snapshot!(doubt.text);
}

#[test]
fn a_unit_that_appears_out_of_silence_hides_nobody_before_the_alert() {
    let mut stage = Stage::new();
    let mut alerts = Vec::new();
    for second in 0_u32..30 {
        let now = f64::from(second);
        let walker = walker(now).expect("a track");
        // Somebody who comes near begins to speak in the patrol's name.
        if second >= 5 {
            let report = OwnReport { unit: 0, time: at(now), position_m: walker.position_m, sd_m: 5.0 };
            assert!(stage.units.take(&report, at(now), &stage.site));
        }
        let explained = stage.units.explain(std::slice::from_ref(&walker), at(now), &stage.site);
        assert_eq!(explained.is_empty(), second < 15, "at {second} s");
        alerts.extend(stage.run(second, second + 1, |_| Some(walker.clone())));
    }
    assert!(alerts.iter().any(|alert| alert.suppressed.is_none() && alert.first_seen < at(15.0)), "{alerts:?}");
}

#[test]
fn a_unit_that_could_be_anywhere_explains_nothing() {
    let mut stage = Stage::new();
    for (second, sd_m, explains) in [(0.0, 20.0, false), (20.0, 20.0, true), (40.0, 700.0, false)] {
        let walker = walker(second).expect("a track");
        let report = OwnReport { unit: 0, time: at(second), position_m: walker.position_m, sd_m };
        assert!(stage.units.take(&report, at(second), &stage.site));
        let explained = stage.units.explain(&[walker], at(second), &stage.site);
        assert_eq!(!explained.is_empty(), explains, "with {sd_m} m");
    }
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

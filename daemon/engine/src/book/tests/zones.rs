//! Each zone with its own hold times, and how sure something must be to be announced.

use super::*;

/// When the first alert of this kind is raised, on a site where the line of this key stands in the zone's table.
fn first(zone: &str, key: &str, kind: AlertKind, track: impl Fn(f64) -> Option<Track>) -> Option<f64> {
    let named = format!("name = \"{zone}\"\n");
    let site = SITE.replace(&named, &format!("{named}{key}\n"));
    let mut stage = Stage::of(&site);
    (0..400_u32)
        .find(|&second| stage.run(second, second + 1, &track).iter().any(|alert| alert.kind == kind))
        .map(f64::from)
}

fn inside(place_m: [f64; 2]) -> impl Fn(f64) -> Option<Track> {
    move |second| Some(track(5, second, place_m, [0.0, 0.0]))
}

#[test]
fn hold_times_of_a_zone_come_before_those_of_the_rules() {
    let depot = |key: &str, kind: AlertKind| first("depot", key, kind, inside([245.0, -250.0]));
    assert_eq!(depot("", AlertKind::Entry), Some(2.0));
    assert_eq!(depot("entry_hold_s = 40.0", AlertKind::Entry), Some(40.0));
    assert_eq!(depot("loiter_after_s = 100.0", AlertKind::Loitering), Some(100.0));
    let border = |key: &str| first("Bug line", key, AlertKind::Approach, walker);
    assert_eq!((border(""), border("approach_hold_s = 20.0")), (Some(5.0), Some(20.0)));
    let lake = |key: &str| first("lake", key, AlertKind::PossibleNeed, inside([-250.0, -250.0]));
    assert_eq!((lake(""), lake("help_after_s = 90.0")), (Some(20.0), Some(90.0)));
    let car = ClassProbabilities { person: 0.03, animal: 0.02, vehicle: 0.95 };
    let stands = |second: f64| Some(Track { class: car, ..track(3, second, [0.0, 120.0], [0.1, 0.0]) });
    let stop = |key: &str| first("Bug line", key, AlertKind::VehicleStop, stands);
    assert_eq!(
        (stop(""), stop("vehicle_stop_s = 120.0"), stop("vehicle_stop_s = 0.0")),
        (Some(60.0), Some(120.0), None)
    );
}

/// An approach may come to nothing: it wakes somebody when it is more likely real than not. A crossing has happened.
#[test]
fn who_has_not_crossed_is_announced_when_that_is_likely_and_who_crossed_is_told_before() {
    let asks = |announce_from: f64| {
        let mut stage = Stage::new();
        stage.site.rules.announce_from = announce_from;
        stage.site.rules.confidence_weights = [0.0; EVIDENCE_TERMS];
        // 0.4 sure, whatever it is.
        stage.site.rules.confidence_weights[0] = -0.405;
        let alerts = stage.run(0, 90, walker);
        let asking = alerts.iter().find(|alert| alert.asks_attention());
        assert!(alerts[0].kind == AlertKind::Approach, "it is kept for the record: {}", lines(&alerts));
        asking.map(|alert| (alert.kind, alert.severity))
    };
    assert_eq!(asks(0.5), Some((AlertKind::Crossing, Severity::High)));
    assert_eq!(asks(0.3), Some((AlertKind::Approach, Severity::Medium)));
}

/// Who is lost before the line is no surer than they were while they came.
#[test]
fn a_lost_track_claims_no_more_than_its_approach() {
    let told = |sure: f64| {
        let mut stage = Stage::new();
        stage.site.rules.confidence_weights = [0.0; EVIDENCE_TERMS];
        stage.site.rules.confidence_weights[0] = libm::log(sure / (1.0 - sure));
        let alerts = stage.run(0, 60, |second| if second < 30.0 { walker(second) } else { None });
        let lost = alerts.iter().find(|alert| alert.kind == AlertKind::TrackLost).expect("it is on record");
        (lost.confidence, lost.asks_attention())
    };
    assert_eq!((told(0.3), told(0.7)), ((0.3, false), (0.7, true)));
}

/// Many small devices say that their battery is low, and not how low.
#[test]
fn a_battery_that_is_called_low_without_a_voltage_is_told() {
    let mut stage = Stage::new();
    stage.sensors[1].battery_low = true;
    let told = stage.run_once(0.0, &[]);
    assert_eq!(told.len(), 1, "{}", lines(&told));
    assert!(told[0].text.starts_with("Battery of pir-3 is low: its node says so."), "{}", told[0].text);
    stage.sensors[1].battery_low = false;
    let over = [stage.run_once(1.0, &[]), stage.run_once(60.0, &[])].concat();
    assert_eq!(over.last().map(|alert| alert.state), Some(AlertState::Closed { reason: CloseReason::Cleared }));
}

/// Where somebody was when they were last seen is what is told, not where they are expected to be by now.
#[test]
fn the_place_is_of_the_time_it_is_told_with() {
    let mut stage = Stage::new();
    let late = |second: f64| {
        let seen = f64::max(second - 3.0, 0.0);
        walker(second).map(|track| Track { last_seen: at(seen), ..track })
    };
    let alerts = stage.run(0, 20, late);
    let told = &alerts[0];
    let Some(crate::Place::Point { lat, lon, .. }) = told.place else { panic!("{told:?}") };
    let said_m = stage.site.frame.to_site(lat, lon).expect("near");
    let was_m = walker(told.last_seen.seconds_since(at(0.0))).expect("a track").position_m;
    assert!((said_m - was_m).norm() < 1.0, "{said_m} {was_m}");
}

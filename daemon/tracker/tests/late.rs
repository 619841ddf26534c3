//! Late scans: filtered again at their own time they give what scans in order give.

use nalgebra::{Matrix2, Vector2};
use vedette_tracker::{
    Clutter, Coverage, Detection, Measurement, Scan, SensorKind, SensorModel, Timestamp, Track, Tracker, TrackerConfig,
};

fn radar() -> SensorModel {
    SensorModel {
        id: "radar".into(),
        kind: SensorKind::Radar,
        position_m: Vector2::zeros(),
        coverage: Coverage::Circle { radius_m: 2000.0 },
        mobile: false,
        scan_period_s: Some(1.0),
        reports_empty_scans: true,
        detection_probability: 0.9,
        clutter: Clutter::PerScan(1.0),
        rearm_s: 0.0,
        position_sd_m: 5.0,
        range_sd_m: 5.0,
        azimuth_sd_rad: 0.02,
        range_rate_sd_mps: 0.5,
        latency_s: 0.0,
        plot_age_s: 0.0,
        error_correlation_s: 0.0,
        initiates: true,
    }
}

/// Two walkers, seen every second with an error that repeats itself.
fn scans(seconds: i32) -> Vec<Scan> {
    (1..=seconds)
        .map(|second| {
            let t = f64::from(second);
            let wobble = 3.0 * libm::sin(t * 2.4);
            let at = |east: f64, north: f64| Detection {
                measurement: Measurement::Position {
                    position_m: Vector2::new(east + wobble, north - wobble),
                    covariance_m2: Matrix2::identity() * 25.0,
                },
                class: None,
                confidence: None,
            };
            Scan {
                sensor: 0,
                time: Timestamp::from_seconds(i64::from(second)),
                at: None,
                detections: vec![at(1.4 * t, 100.0), at(-600.0, -1.2 * t)],
            }
        })
        .collect()
}

fn run(order: impl Iterator<Item = Scan>) -> Tracker {
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![radar()]).unwrap();
    for scan in order {
        tracker.step(&scan);
    }
    tracker
}

fn places(tracks: &[Track]) -> Vec<(u64, Vector2<f64>)> {
    tracks.iter().filter(|track| track.existence > 0.5).map(|track| (track.id.0, track.position_m)).collect()
}

#[test]
fn a_scan_two_seconds_late_gives_the_same_tracks_as_in_order() {
    let in_order = scans(30);
    let mut late = in_order.clone();
    // The first late scan only wakes the log up; the second is filtered again.
    for place in [5, 20] {
        let scan = late.remove(place);
        late.insert(place + 2, scan);
    }
    let end = Timestamp::from_seconds(30);
    let expected = places(&run(in_order.into_iter()).tracks_at(end));
    let tracker = run(late.into_iter());
    let got = places(&tracker.tracks_at(end));
    assert_eq!(expected.len(), 2);
    assert_eq!(got.len(), 2);
    for ((id, place), (late_id, late_place)) in expected.iter().zip(&got) {
        assert_eq!(id, late_id);
        assert!((place - late_place).norm() < 0.2, "{place} in order, {late_place} with late scans");
    }
    assert_eq!(tracker.late_scans().refiltered, 1);
    assert_eq!(tracker.late_scans().out_of_sequence, 1);
}

#[test]
fn a_scan_beyond_the_lag_changes_nothing() {
    let mut tracker = run(scans(40).into_iter());
    let before = serde_json::to_string(&tracker.tracks_at(Timestamp::from_seconds(40))).unwrap();
    tracker.step(&scans(1)[0]);
    assert_eq!(serde_json::to_string(&tracker.tracks_at(Timestamp::from_seconds(40))).unwrap(), before);
    assert_eq!(tracker.late_scans().too_late, 1);
}

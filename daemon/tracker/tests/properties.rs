//! What must hold whatever the plots are.

mod field;

use field::{Walkers, position, radar, scan};
use nalgebra::Vector2;
use proptest::prelude::*;
use vedette_tracker::{
    Contribution, Detection, Measurement, ModelError, Scan, SensorModel, Timestamp, Track, TrackStatus, Tracker,
    TrackerConfig,
};

fn tracker() -> Tracker {
    Tracker::new(TrackerConfig::default(), vec![radar("near", 0.0)]).expect("a valid model")
}

fn after(scans: &[Scan], mut tracker: Tracker) -> String {
    for scan in scans {
        tracker.step(scan);
    }
    let end = scans.last().map_or(Timestamp::MIN, |scan| scan.time);
    serde_json::to_string(&tracker.tracks_at(end)).expect("tracks are plain data")
}

/// A few objects with noise so strong that everything contends, and some plots anywhere.
fn crowded_scans() -> impl Strategy<Value = Vec<Scan>> {
    let plot = (-60.0..60.0_f64, -60.0..60.0_f64, 1.0..8.0_f64);
    let plots = prop::collection::vec(plot, 0..9);
    prop::collection::vec(plots, 2..12).prop_map(|scans| {
        let detections = |plots: Vec<(f64, f64, f64)>| -> Vec<Detection> {
            plots.into_iter().map(|(east, north, sd)| position(east, north, sd)).collect()
        };
        (1..).zip(scans).map(|(second, plots)| scan(second, detections(plots))).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_plots_in_a_scan_carries_no_meaning(scans in crowded_scans(), turn in 0_usize..9) {
        let mut turned = scans.clone();
        for scan in &mut turned {
            let plots = scan.detections.len().max(1);
            scan.detections.rotate_left(turn % plots);
            scan.detections.reverse();
        }
        prop_assert_eq!(after(&scans, tracker()), after(&turned, tracker()));
    }

    #[test]
    fn covariances_stay_symmetric_positive_definite_and_existence_a_probability(scans in crowded_scans()) {
        let mut tracker = tracker();
        for scan in &scans {
            tracker.step(scan);
            for ahead_s in [0.0, 0.3, 10.0, 300.0] {
                for track in tracker.tracks_at(scan.time.plus_seconds(ahead_s)) {
                    let p = track.position_covariance_m2;
                    let v = track.velocity_covariance_m2ps2;
                    prop_assert!((0.0..=1.0).contains(&track.existence));
                    prop_assert_eq!((p[(0, 1)], v[(0, 1)]), (p[(1, 0)], v[(1, 0)]));
                    prop_assert!(p[(0, 0)] > 0.0 && p.determinant() > 0.0, "{p}");
                    prop_assert!(v[(0, 0)] > 0.0 && v.determinant() > 0.0, "{v}");
                }
            }
        }
    }

    #[test]
    fn a_snapshot_continues_as_if_never_taken(scans in crowded_scans(), cut in 0_usize..12) {
        let cut = cut.min(scans.len() - 1);
        let mut first = tracker();
        for scan in &scans[..cut] {
            first.step(scan);
        }
        let stored = serde_json::to_string(&first).unwrap();
        let restored: Tracker = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(after(&scans[cut..], first), after(&scans[cut..], restored));
    }
}

#[test]
fn an_empty_sensor_far_away_changes_nothing() {
    let mut walkers = Walkers::new(8, 3);
    let scans: Vec<Scan> = (1..=30).map(|second| scan(second, walkers.step(0.9, 5, 5.0))).collect();
    let alone = after(&scans, tracker());
    let both = Tracker::new(TrackerConfig::default(), vec![radar("near", 0.0), radar("far", 50_000.0)]).unwrap();
    let mut with_far = Vec::new();
    for scan in scans {
        let half_past = scan.time.plus_seconds(0.4);
        with_far.push(scan);
        with_far.push(Scan { sensor: 1, time: half_past, at: None, detections: Vec::new() });
    }
    with_far.pop();
    assert_eq!(after(&with_far, both), alone);
}

/// Squared innovations of every track at every scan, normalised by their covariances: their mean, and how many there are.
fn mean_squared_innovation(seed: u64, model: SensorModel, as_seen: fn(&Detection) -> Detection) -> (f64, f64) {
    let mut walkers = Walkers::new(40, seed);
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![model]).expect("a valid model");
    let (mut sum, mut count) = (0.0, 0.0);
    for second in 1..=80 {
        let plots = walkers.step(0.95, 0, 5.0).iter().map(as_seen).collect();
        tracker.step(&scan(second, plots));
        let now = Timestamp::from_seconds(i64::from(second));
        if second > 5 {
            let of_now = |contribution: &&Contribution| contribution.time == now;
            for track in tracker.tracks_at(now).iter().filter(|track| track.existence > 0.999) {
                for contribution in track.contributions.iter().filter(of_now) {
                    sum += contribution.test_ratio;
                    count += 1.0;
                }
            }
        }
    }
    (sum / count, count)
}

/// As a radar 20 km to the south gives it: there 5 m across are a quarter of a milliradian.
fn from_afar(detection: &Detection) -> Detection {
    let Measurement::Position { position_m, .. } = detection.measurement else { return *detection };
    let from_radar = position_m - FAR_SOUTH_M;
    let range_m = from_radar.norm();
    let measurement = Measurement::RangeBearing {
        range_m,
        range_sd_m: 5.0,
        azimuth_rad: libm::atan2(from_radar.x, from_radar.y),
        azimuth_sd_rad: 5.0 / range_m,
        range_rate_mps: None,
    };
    Detection { measurement, ..*detection }
}

const FAR_SOUTH_M: Vector2<f64> = Vector2::new(0.0, -20_000.0);

/// The mean of n chi-square variables of two degrees of freedom has mean 2 and variance 4 / n.
#[test]
fn innovations_fit_their_covariance_on_a_matched_model() {
    let polar = SensorModel { position_m: FAR_SOUTH_M, ..radar("polar", 0.0) };
    for (model, as_seen) in [(radar("flat", 0.0), (|seen| *seen) as fn(&Detection) -> Detection), (polar, from_afar)] {
        let (mut sum, mut all) = (0.0, 0.0);
        for seed in 11..=18 {
            let (mean, count) = mean_squared_innovation(seed, model.clone(), as_seen);
            assert!(count > 2500.0, "{count} innovations");
            assert!((mean - 2.0).abs() < 4.0 * libm::sqrt(4.0 / count), "{}, seed {seed}: mean {mean}", model.id);
            sum += mean * count;
            all += count;
        }
        let mean = sum / all;
        assert!((mean - 2.0).abs() < 3.0 * libm::sqrt(4.0 / all), "{}: mean {mean} of {all}", model.id);
    }
}

#[test]
fn walkers_among_clutter_are_tracked_once_each_and_nothing_else_is() {
    let mut walkers = Walkers::new(20, 5);
    let mut tracker = tracker();
    for second in 1..=60 {
        tracker.step(&scan(second, walkers.step(0.9, 5, 5.0)));
    }
    let tracks = tracker.tracks_at(Timestamp::from_seconds(60));
    let confirmed: Vec<&Track> = tracks.iter().filter(|track| track.status == TrackStatus::Confirmed).collect();
    let near = |place: Vector2<f64>| confirmed.iter().filter(|t| (t.position_m - place).norm() < 15.0).count();
    let followed = walkers.places().filter(|place| near(*place) == 1).count();
    assert!(followed >= 19, "{followed} of 20 followed");
    assert!(confirmed.len() <= 21, "{} confirmed", confirmed.len());
}

#[test]
fn a_silent_radar_is_named() {
    let mut tracker = tracker();
    for second in 1..=10 {
        tracker.step(&scan(second, vec![position(f64::from(second), 0.0, 5.0)]));
    }
    tracker.step(&scan(11, Vec::new()));
    let tracks = tracker.tracks_at(Timestamp::from_seconds(11));
    assert_eq!(tracks.len(), 1);
    assert_eq!(tracks[0].silent, vec![0]);
}

#[test]
fn a_detection_probability_above_one_is_refused() {
    let mut wrong = radar("wrong", 0.0);
    wrong.detection_probability = 1.2;
    let error = Tracker::new(TrackerConfig::default(), vec![wrong]).unwrap_err();
    let expected = ModelError::OutOfRange {
        what: "detection_probability",
        whose: "wrong".into(),
        got: 1.2,
        expected: "a probability, 0 to 1",
    };
    assert_eq!(error, expected);
    assert_eq!(error.to_string(), "detection_probability of wrong is 1.2, expected a probability, 0 to 1");
}

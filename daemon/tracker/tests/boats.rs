//! Boats seen from a boat: old plots, hidden objects, large objects, cameras whose errors last, fixtures.

use nalgebra::{Matrix2, Vector2};
use vedette_tracker::{
    Clutter, Coverage, Detection, Measurement, Scan, SensorKind, SensorModel, Timestamp, Track, TrackStatus, Tracker,
    TrackerConfig,
};

fn sensor(id: &str, radius_m: f64) -> SensorModel {
    SensorModel {
        id: id.into(),
        kind: SensorKind::Radar,
        position_m: Vector2::zeros(),
        coverage: Coverage::Circle { radius_m },
        mobile: false,
        scan_period_s: Some(1.0),
        reports_empty_scans: true,
        detection_probability: 0.95,
        clutter: Clutter::PerScan(0.5),
        rearm_s: 0.0,
        position_sd_m: 3.0,
        range_sd_m: 3.0,
        azimuth_sd_rad: 0.04,
        range_rate_sd_mps: 0.5,
        latency_s: 0.0,
        plot_age_s: 0.0,
        error_correlation_s: 0.0,
        initiates: true,
    }
}

fn config() -> TrackerConfig {
    TrackerConfig {
        visibility_dwell_s: 30.0,
        object_extent_m: 7.0,
        further_returns: 3.0,
        groups: false,
        mean_life_s: 60.0,
        confirm_existence: 0.9,
        doubt_existence: 0.8,
        ..TrackerConfig::default()
    }
}

fn plot(east_m: f64, north_m: f64) -> Detection {
    let covariance_m2 = Matrix2::identity() * 9.0;
    Detection {
        measurement: Measurement::Position { position_m: Vector2::new(east_m, north_m), covariance_m2 },
        class: None,
        confidence: None,
        object: None,
    }
}

fn scan(sensor: usize, second: f64, detections: Vec<Detection>) -> Scan {
    Scan { sensor, time: Timestamp::from_seconds(0).plus_seconds(second), at: None, detections }
}

fn confirmed(tracker: &Tracker, second: f64) -> Vec<Track> {
    let tracks = tracker.tracks_at(Timestamp::from_seconds(0).plus_seconds(second));
    tracks.into_iter().filter(|track| track.status == TrackStatus::Confirmed).collect()
}

#[test]
fn a_radar_that_shows_the_past_does_not_drag_the_track_behind() {
    let radar = SensorModel { plot_age_s: 2.0, ..sensor("radar", 900.0) };
    let mut tracker = Tracker::new(config(), vec![radar]).unwrap();
    let place_at = |second: f64| -100.0 + 3.0 * second;
    for second in 0..40 {
        let t = f64::from(second);
        tracker.step(&scan(0, t, vec![plot(place_at(t - 2.0), 50.0)]));
    }
    let tracks = confirmed(&tracker, 39.0);
    assert_eq!(tracks.len(), 1);
    let error_m = tracks[0].position_m.x - place_at(39.0);
    assert!(error_m.abs() < 1.0, "{error_m} m off; the plots are 6 m behind");
}

#[test]
fn a_lidar_that_does_not_see_a_boat_leaves_it_to_the_radar() {
    let sensors = vec![sensor("radar", 900.0), sensor("lidar", 130.0)];
    let run = |config: TrackerConfig| {
        let mut tracker = Tracker::new(config, sensors.clone()).unwrap();
        for second in 0..30 {
            let t = f64::from(second);
            // The lidar sees another boat, so that it is known to work.
            let other = plot(-60.0 - t, 0.0);
            tracker.step(&scan(0, t, vec![plot(60.0 + t, 0.0), other]));
            for tenth in 1..=8 {
                tracker.step(&scan(1, t + f64::from(tenth) / 10.0, vec![other]));
            }
        }
        confirmed(&tracker, 29.8).len()
    };
    assert_eq!(run(config()), 2);
    assert_eq!(run(TrackerConfig { visibility_dwell_s: 0.0, ..config() }), 1, "without visibility it is lost");
}

#[test]
fn stern_and_bow_are_one_boat_but_two_boats_are_two() {
    let sensors = vec![sensor("radar", 900.0), sensor("lidar", 130.0)];
    let mut one = Tracker::new(config(), sensors.clone()).unwrap();
    let mut two = Tracker::new(config(), sensors).unwrap();
    for second in 0..20 {
        let t = f64::from(second);
        let bow = 20.0 + 2.0 * t;
        one.step(&scan(0, t, vec![plot(bow - 4.0, 0.0)]));
        two.step(&scan(0, t, vec![plot(bow, 0.0), plot(bow, 40.0)]));
        // The lidar's range begins where the radar has tracked it for a while.
        for part in if second < 6 { vec![] } else { vec![0.25, 0.75] } {
            let bow = bow + 2.0 * part;
            one.step(&scan(1, t + part, vec![plot(bow, 0.0), plot(bow - 14.0, 0.0)]));
            two.step(&scan(1, t + part, vec![plot(bow, 0.0), plot(bow, 40.0)]));
        }
    }
    assert_eq!(confirmed(&one, 19.75).len(), 1);
    assert_eq!(confirmed(&two, 19.75).len(), 2);
}

#[test]
fn frames_with_one_lasting_error_count_as_one_look() {
    let camera = SensorModel {
        kind: SensorKind::Camera,
        azimuth_sd_rad: 0.04,
        error_correlation_s: 10.0,
        initiates: false,
        ..sensor("camera", 300.0)
    };
    let independent = SensorModel { error_correlation_s: 0.0, ..camera.clone() };
    let run = |camera: SensorModel| {
        let mut tracker = Tracker::new(config(), vec![sensor("radar", 900.0), camera]).unwrap();
        for tenth in 0..300 {
            let t = f64::from(tenth) / 10.0;
            if tenth % 20 == 0 {
                tracker.step(&scan(0, t, vec![plot(100.0, 0.0)]));
            }
            // Always 3 degrees to the left of the object due east.
            let azimuth_rad = core::f64::consts::FRAC_PI_2 - 0.05;
            let measurement = Measurement::Bearing { azimuth_rad, azimuth_sd_rad: 0.04 };
            tracker.step(&scan(
                1,
                t + 0.05,
                vec![Detection { measurement, class: None, confidence: None, object: None }],
            ));
        }
        let tracks = confirmed(&tracker, 29.95);
        assert_eq!(tracks.len(), 1);
        tracks[0].position_m.y.abs()
    };
    let (dragged_m, kept_m) = (run(independent), run(camera));
    assert!(kept_m < 2.0, "{kept_m} m aside");
    assert!(dragged_m > 2.0 * kept_m, "{dragged_m} m against {kept_m} m");
}

#[test]
fn a_sensor_that_begins_no_tracks_begins_none() {
    let camera = SensorModel { kind: SensorKind::Camera, initiates: false, ..sensor("camera", 300.0) };
    let mut tracker = Tracker::new(config(), vec![camera]).unwrap();
    for second in 0..60 {
        let measurement = Measurement::Bearing { azimuth_rad: 0.3, azimuth_sd_rad: 0.02 };
        let detection = Detection { measurement, class: None, confidence: None, object: None };
        tracker.step(&scan(0, f64::from(second), vec![detection]));
    }
    assert!(tracker.tracks_at(Timestamp::from_seconds(59)).is_empty());
}

#[test]
fn a_buoy_is_reported_no_longer_once_it_is_known_to_stay() {
    let config = TrackerConfig { fixture_after_s: 25.0, ..config() };
    let mut tracker = Tracker::new(config, vec![sensor("radar", 900.0)]).unwrap();
    let mut seen = Vec::new();
    for second in 0..60 {
        let t = f64::from(second);
        tracker.step(&scan(0, t, vec![plot(200.0, 100.0), plot(-100.0 + 2.0 * t, 0.0)]));
        seen.push(confirmed(&tracker, t).len());
    }
    assert_eq!((seen[15], seen[59]), (2, 1));
}

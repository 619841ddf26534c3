//! What cameras that give no range can and cannot say.

use nalgebra::Vector2;
use vedette_tracker::{
    Clutter, Coverage, Detection, Measurement, Scan, SensorKind, SensorModel, Timestamp, Track, TrackStatus, Tracker,
    TrackerConfig,
};

fn camera(id: &str, east_m: f64) -> SensorModel {
    SensorModel {
        id: id.into(),
        kind: SensorKind::Camera,
        position_m: Vector2::new(east_m, 0.0),
        coverage: Coverage::Sector { range_m: 700.0, min_range_m: 0.0, heading_rad: 0.0, width_rad: 2.0 },
        mobile: false,
        scan_period_s: Some(1.0),
        reports_empty_scans: true,
        detection_probability: 0.9,
        clutter: Clutter::PerScan(0.02),
        rearm_s: 0.0,
        position_sd_m: 5.0,
        range_sd_m: 5.0,
        azimuth_sd_rad: 0.007,
        range_rate_sd_mps: 0.5,
        latency_s: 0.0,
        plot_age_s: 0.0,
        error_correlation_s: 0.0,
        initiates: true,
    }
}

/// Someone walks north-east past the cameras for a minute; every camera sees every step, without error.
fn watched_by(cameras: &[f64]) -> Vec<Track> {
    let models = cameras.iter().map(|east_m| camera(&format!("camera-{east_m}"), *east_m)).collect();
    let Ok(mut tracker) = Tracker::new(TrackerConfig::default(), models) else { return Vec::new() };
    let mut last = Timestamp::from_seconds(0);
    for second in 0..60_i32 {
        let walker = Vector2::new(150.0, 300.0) + Vector2::new(0.8, 0.6) * f64::from(second);
        for (sensor, east_m) in cameras.iter().enumerate() {
            last = Timestamp::from_seconds(i64::from(second)).plus_seconds(0.1 * sensor as f64);
            let offset = walker - Vector2::new(*east_m, 0.0);
            let azimuth_rad = libm::atan2(offset.x, offset.y);
            let measurement = Measurement::Bearing { azimuth_rad, azimuth_sd_rad: 0.007 };
            let detections = vec![Detection { measurement, class: None, confidence: None, object: None }];
            tracker.step(&Scan { sensor, time: last, at: None, detections });
        }
    }
    tracker.tracks_at(last).into_iter().filter(|track| track.status == TrackStatus::Confirmed).collect()
}

#[test]
fn two_cameras_find_the_place() {
    let tracks = watched_by(&[0.0, 300.0]);
    let place = Vector2::new(150.0, 300.0) + Vector2::new(0.8, 0.6) * 59.0;
    let [track] = tracks.as_slice() else { panic!("{} tracks", tracks.len()) };
    assert!(track.localised);
    assert!((track.position_m - place).norm() < 8.0, "off by {} m", (track.position_m - place).norm());
}

#[test]
fn one_camera_knows_that_but_not_where() {
    let tracks = watched_by(&[0.0]);
    let [track] = tracks.as_slice() else { panic!("{} tracks", tracks.len()) };
    assert!(!track.localised, "at {} with {}", track.position_m, track.position_covariance_m2);
}

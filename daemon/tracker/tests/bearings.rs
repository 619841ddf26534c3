//! What cameras that give no range can and cannot say.

mod field;

use field::Noise;
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

/// Four walk about before three cameras 500 m apart, which see nearly always who is in front of them. Two of the rays of
/// two cameras cross in four places: which are walkers, the way that the crossings move tells, and the third camera.
/// Gives the part of the walkers' seconds, of the last minute, in which they were not where a track is.
fn lost_among_crossings(seed: u64) -> f64 {
    const CAMERAS: [f64; 3] = [0.0, 500.0, 1000.0];
    const SD_RAD: f64 = 0.007;
    let models = CAMERAS.iter().map(|east_m| camera(&format!("camera-{east_m}"), *east_m)).collect();
    let Ok(mut tracker) = Tracker::new(TrackerConfig::default(), models) else { return 1.0 };
    let mut noise = Noise::new(seed);
    let mut between = |low: f64, high: f64| low + (high - low) * noise.uniform();
    let mut walkers: Vec<(Vector2<f64>, Vector2<f64>)> = (0..4)
        .map(|_| {
            let place = Vector2::new(between(350.0, 650.0), between(330.0, 430.0));
            (place, Vector2::new(between(-1.0, 1.0), between(-0.3, 0.3)))
        })
        .collect();
    let mut lost = 0.0;
    for second in 0..150_i32 {
        walkers.iter_mut().for_each(|(place, velocity)| *place += *velocity);
        for (sensor, east_m) in CAMERAS.iter().enumerate() {
            let time = Timestamp::from_seconds(i64::from(second)).plus_seconds(0.1 * sensor as f64);
            let offsets = walkers.iter().map(|(place, _)| place - Vector2::new(*east_m, 0.0));
            let seen = offsets.filter(|offset| offset.norm() < 700.0 && libm::atan2(offset.x, offset.y).abs() < 1.0);
            let seen: Vec<Vector2<f64>> = seen.filter(|_| noise.uniform() < 0.9).collect();
            let bearing = |offset: &Vector2<f64>| Detection {
                measurement: Measurement::Bearing {
                    azimuth_rad: libm::atan2(offset.x, offset.y) + SD_RAD * noise.normal(),
                    azimuth_sd_rad: SD_RAD,
                },
                class: None,
                confidence: None,
                object: None,
            };
            let detections = seen.iter().map(bearing).collect();
            tracker.step(&Scan { sensor, time, at: None, detections });
        }
        if second >= 90 {
            let tracks = tracker.tracks_at(Timestamp::from_seconds(i64::from(second)));
            let placed = tracks.iter().filter(|track| track.status == TrackStatus::Confirmed && track.localised);
            let placed: Vec<Vector2<f64>> = placed.map(|track| track.position_m).collect();
            let is_lost = |place: &Vector2<f64>| placed.iter().all(|track| (track - place).norm() > 15.0);
            lost += walkers.iter().filter(|(place, _)| is_lost(place)).map(|_| 1.0 / 240.0).sum::<f64>();
        }
    }
    lost
}

#[test]
fn walkers_are_told_from_the_other_crossings_of_their_rays() {
    let lost: Vec<f64> = (1..=8).map(lost_among_crossings).collect();
    let mean = lost.iter().sum::<f64>() / 8.0;
    assert!(mean < 0.2, "{mean:.3} on average of {lost:.2?}");
}

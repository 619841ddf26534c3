//! A radar whose clock is off, beside others: the offset is found, and the tracks are better for it.

mod field;

use field::{Noise, position, radar};
use nalgebra::Vector2;
use vedette_tracker::{Scan, SensorModel, Timestamp, TrackStatus, Tracker, TrackerConfig};

const WALKERS: u32 = 24;
const SD_M: f64 = 3.0;

/// Where a walker is: all walk at 1.2 to 2 m/s in their own direction, from places well apart.
fn place(walker: u32, time_s: f64) -> Vector2<f64> {
    let number = f64::from(walker);
    let start = Vector2::new(-1200.0 + 500.0 * f64::from(walker % 6), -900.0 + 500.0 * f64::from(walker / 6));
    let (heading, speed) = (2.4 * number, 1.2 + 0.8 * (number / f64::from(WALKERS)));
    start + Vector2::new(libm::sin(heading), libm::cos(heading)) * (speed * time_s)
}

/// Scans of sensors whose clocks are ahead by these, once a second and sensor, in the order of their stamps.
fn scans(ahead_s: &[f64], seconds: u32, noise: &mut Noise) -> Vec<Scan> {
    let mut scans = Vec::new();
    for second in 1..=seconds {
        for (sensor, ahead_s) in ahead_s.iter().enumerate() {
            let moment_s = f64::from(second) + 0.9 * sensor as f64 / 4.0;
            let mut detections = Vec::new();
            for walker in 0..WALKERS {
                if noise.uniform() < 0.9 {
                    let seen = place(walker, moment_s) + Vector2::new(noise.normal(), noise.normal()) * SD_M;
                    detections.push(position(seen.x, seen.y, SD_M));
                }
            }
            let time = Timestamp::from_seconds(0).plus_seconds(moment_s + ahead_s);
            scans.push(Scan { sensor, time, at: None, detections });
        }
    }
    scans.sort_by_key(|scan| scan.time);
    scans
}

fn run(ahead_s: &[f64], seconds: u32) -> Tracker {
    let sensors: Vec<SensorModel> = (0..ahead_s.len()).map(|number| radar(&format!("radar-{number}"), 0.0)).collect();
    let mut tracker = Tracker::new(TrackerConfig::default(), sensors).expect("a valid model");
    for scan in scans(ahead_s, seconds, &mut Noise::new(5)) {
        tracker.step(&scan);
    }
    tracker
}

/// Mean distance along the course by which the confirmed tracks are behind (negative: ahead), in seconds of walking.
fn trails_s(tracker: &Tracker, time_s: f64) -> f64 {
    let tracks = tracker.tracks_at(Timestamp::from_seconds(0).plus_seconds(time_s));
    let confirmed: Vec<_> = tracks.iter().filter(|track| track.status == TrackStatus::Confirmed).collect();
    assert!(confirmed.len() >= 22, "{} tracks of {WALKERS}", confirmed.len());
    let trails = confirmed.iter().map(|track| {
        let distance = |walker: &u32| (place(*walker, time_s) - track.position_m).norm();
        let walker = (0..WALKERS).min_by(|a, b| distance(a).total_cmp(&distance(b))).expect("there are walkers");
        let velocity = place(walker, time_s + 1.0) - place(walker, time_s);
        (place(walker, time_s) - track.position_m).dot(&velocity) / velocity.norm_squared()
    });
    trails.sum::<f64>() / confirmed.len() as f64
}

#[test]
fn a_clock_half_a_second_ahead_is_found() {
    let tracker = run(&[0.0, 0.0, 0.5, 0.0], 240);
    let estimates: Vec<_> = tracker.sensor_estimates().collect();
    let good = [0, 1, 3].map(|sensor: usize| estimates[sensor].clock_offset_s);
    let against_good = estimates[2].clock_offset_s - good.iter().sum::<f64>() / 3.0;
    assert!((against_good - 0.5).abs() < 0.1, "{against_good} s ahead of the others, {estimates:?}");
    assert!(estimates[2].clock_offset_sd_s < 0.08, "{estimates:?}");
    // All that is left is what no sensor can tell: the mean of the clocks.
    let trail_s = trails_s(&tracker, 240.9);
    assert!(trail_s.abs() < 0.5 / 4.0 + 0.08, "tracks trail by {trail_s} s");
}

/// Beyond what is usual, but no reason to be wrong about everything that it sees.
#[test]
fn a_clock_three_seconds_behind_is_found() {
    let tracker = run(&[0.0, 0.0, -3.0, 0.0], 400);
    let estimates: Vec<_> = tracker.sensor_estimates().collect();
    let good = [0, 1, 3].map(|sensor: usize| estimates[sensor].clock_offset_s);
    let against_good = estimates[2].clock_offset_s - good.iter().sum::<f64>() / 3.0;
    assert!((against_good + 3.0).abs() < 0.3, "{against_good} s ahead of the others, {estimates:?}");
}

#[test]
fn clocks_that_agree_are_left_alone() {
    let tracker = run(&[0.0; 4], 240);
    for estimate in tracker.sensor_estimates() {
        assert!(estimate.clock_offset_s.abs() < 0.08, "{estimate:?}");
    }
}

#[test]
fn a_sensor_alone_tells_no_time() {
    let tracker = run(&[0.5], 60);
    let estimate = tracker.sensor_estimates().next().expect("one sensor");
    assert!(estimate.clock_offset_s.abs() < f64::EPSILON);
}

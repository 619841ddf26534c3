//! Many people on little ground: they are found, told apart as far as that goes, and their restlessness is learned.

mod field;

use field::{Noise, position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{
    Clutter, Coverage, Detection, Scan, SensorModel, Timestamp, TrackStatus, Tracker, TrackerConfig,
};

const WIDTH_M: f64 = 15.0;
const PERIOD_S: f64 = 0.4;
const ERROR_M: f64 = 0.15;

fn square(side_m: f64, error_m: f64, scan_period_s: f64, clutter: f64) -> SensorModel {
    SensorModel {
        coverage: Coverage::Polygon { points_m: vec![[0.0, 0.0], [side_m, 0.0], [side_m, side_m], [0.0, side_m]] },
        position_sd_m: error_m,
        scan_period_s: Some(scan_period_s),
        clutter: Clutter::PerScan(clutter),
        ..radar("radar", 0.0)
    }
}

fn plots_of(places: &[Vector2<f64>], error_m: f64, noise: &mut Noise) -> Vec<Detection> {
    let mut seen = Vec::new();
    for place in places {
        if noise.uniform() < 0.9 {
            seen.push(position(place.x + error_m * noise.normal(), place.y + error_m * noise.normal(), error_m));
        }
    }
    seen
}

/// Walkers who cross a square of fifteen metres to and fro, a new one for each that leaves.
struct Crowd {
    walkers: Vec<(Vector2<f64>, Vector2<f64>)>,
}

impl Crowd {
    fn of(number: u32, noise: &mut Noise) -> Self {
        let somewhere = |noise: &mut Noise| Vector2::new(noise.uniform(), noise.uniform()) * WIDTH_M;
        let walker = |noise: &mut Noise| {
            let direction = core::f64::consts::TAU * noise.uniform();
            (somewhere(noise), Vector2::new(libm::sin(direction), libm::cos(direction)) * 1.1)
        };
        Self { walkers: (0..number).map(|_| walker(noise)).collect() }
    }

    fn walk(&mut self, noise: &mut Noise) {
        for (place, velocity) in &mut self.walkers {
            *velocity += Vector2::new(noise.normal(), noise.normal()) * 0.1;
            *place += *velocity * PERIOD_S;
            for axis in 0..2 {
                // Who leaves on one side is another who comes in on the other.
                place[axis] = place[axis].rem_euclid(WIDTH_M);
            }
        }
    }

    fn places(&self) -> Vec<Vector2<f64>> {
        self.walkers.iter().map(|(place, _)| *place).collect()
    }
}

/// Of thirty people on fifteen metres square, where the configured rate expects a thousandth of one.
#[test]
fn a_crowd_on_a_small_square_is_found() {
    let mut noise = Noise::new(7);
    let mut crowd = Crowd::of(30, &mut noise);
    let mut tracker =
        Tracker::new(TrackerConfig::default(), vec![square(WIDTH_M, ERROR_M, PERIOD_S, 3.0)]).expect("a valid model");
    let (mut found, mut told, mut present) = (0_u32, 0.0, 0_u32);
    for look in 1..=150_u32 {
        crowd.walk(&mut noise);
        let mut plots = plots_of(&crowd.places(), ERROR_M, &mut noise);
        plots.extend((0..3).map(|_| position(WIDTH_M * noise.uniform(), WIDTH_M * noise.uniform(), ERROR_M)));
        let time = Timestamp::from_seconds(0).plus_seconds(PERIOD_S * f64::from(look));
        tracker.step(&Scan { sensor: 0, time, at: None, detections: plots });
        if look > 10 {
            let tracks = tracker.tracks_at(time);
            let confirmed: Vec<_> = tracks.iter().filter(|track| track.status == TrackStatus::Confirmed).collect();
            let is_found =
                |place: &&Vector2<f64>| confirmed.iter().any(|track| (track.position_m - **place).norm() < 0.6);
            found += u32::try_from(crowd.places().iter().filter(is_found).count()).expect("few");
            told += confirmed.len() as f64;
            present += 30;
        }
    }
    let (found, told) = (f64::from(found) / f64::from(present), told / f64::from(present));
    println!("{found:.3} of a crowd found, {told:.3} times as many told as there are");
    assert!(found > 0.9, "{found} of the crowd found");
    assert!(told < 1.25, "{told} times as many told as there are");
    let estimate = tracker.sensor_estimates().next().expect("one sensor");
    assert!(estimate.detection_probability > 0.85, "{estimate:?}");
}

/// The restlessness learned in three minutes from ten people beside each other, who change their velocity so many times as
/// much as configured.
fn restlessness(times: f64) -> f64 {
    let mut noise = Noise::new(11);
    let side_m = 500.0;
    let mut tracker =
        Tracker::new(TrackerConfig::default(), vec![square(side_m, 3.0, 1.0, 1.0)]).expect("a valid model");
    let walking = TrackerConfig::default().walking;
    let density = 2.0 * walking.speed_sd_mps * walking.speed_sd_mps / walking.persistence_s * times;
    let mut walkers: Vec<(Vector2<f64>, Vector2<f64>)> = (0..10_u32)
        .map(|number| (Vector2::new(30.0 + 45.0 * f64::from(number), 100.0), Vector2::new(0.0, 1.2)))
        .collect();
    for second in 1..=180_u32 {
        for (place, velocity) in &mut walkers {
            *velocity += Vector2::new(noise.normal(), noise.normal()) * libm::sqrt(density);
            *place += *velocity;
        }
        let places: Vec<Vector2<f64>> = walkers.iter().map(|(place, _)| *place).collect();
        let plots = plots_of(&places, 3.0, &mut noise);
        tracker.step(&scan(second, plots));
    }
    tracker.restlessness()
}

#[test]
fn how_restless_people_are_is_learned() {
    let (as_configured, restless) = (restlessness(1.0), restlessness(10.0));
    println!("learned {as_configured:.2} of people as configured, {restless:.2} of ten times as restless ones");
    assert!((0.5..2.0).contains(&as_configured), "{as_configured} of people as configured");
    assert!(restless > 2.5 && restless < 20.0, "{restless} of ten times as restless people");
}

//! A field with one radar, its walkers and their plots: what the filter's tests have in common.

#![allow(dead_code, reason = "each test and benchmark uses a part")]

use nalgebra::{Matrix2, Vector2};
use vedette_tracker::{
    Clutter, Coverage, Detection, Measurement, Scan, SensorKind, SensorModel, Timestamp, Track, TrackStatus, Tracker,
};

/// A radar that sees a square of 4 km around `east_m`.
pub(crate) fn radar(id: &str, east_m: f64) -> SensorModel {
    SensorModel {
        id: id.into(),
        kind: SensorKind::Radar,
        position_m: Vector2::new(east_m, 0.0),
        coverage: Coverage::Polygon {
            points_m: vec![
                [east_m - 2000.0, -2000.0],
                [east_m + 2000.0, -2000.0],
                [east_m + 2000.0, 2000.0],
                [east_m - 2000.0, 2000.0],
            ],
        },
        mobile: false,
        scan_period_s: Some(1.0),
        reports_empty_scans: true,
        detection_probability: 0.9,
        clutter: Clutter::PerScan(5.0),
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

/// A detector with a footprint of 15 m.
pub(crate) fn pir(id: &str, east_m: f64, north_m: f64, false_alarms_per_hour: f64) -> SensorModel {
    SensorModel {
        kind: SensorKind::Pir,
        position_m: Vector2::new(east_m, north_m),
        coverage: Coverage::Circle { radius_m: 15.0 },
        scan_period_s: None,
        detection_probability: 0.85,
        clutter: Clutter::PerHour(false_alarms_per_hour),
        rearm_s: 5.0,
        ..radar(id, 0.0)
    }
}

/// What a detector reports.
pub(crate) fn presence() -> Detection {
    Detection { measurement: Measurement::Presence { strength: None }, ..position(0.0, 0.0, 1.0) }
}

/// A position with a standard deviation of `sd_m` per axis.
pub(crate) fn position(east_m: f64, north_m: f64, sd_m: f64) -> Detection {
    Detection {
        measurement: Measurement::Position {
            position_m: Vector2::new(east_m, north_m),
            covariance_m2: Matrix2::identity() * (sd_m * sd_m),
        },
        class: None,
        confidence: None,
        object: None,
    }
}

/// A scan of sensor 0 at a whole second.
pub(crate) fn scan(second: u32, detections: Vec<Detection>) -> Scan {
    Scan { sensor: 0, time: Timestamp::from_seconds(i64::from(second)), at: None, detections }
}

/// The confirmed tracks at a whole second.
pub(crate) fn confirmed(tracker: &Tracker, second: u32) -> Vec<Track> {
    let mut tracks = tracker.tracks_at(Timestamp::from_seconds(i64::from(second)));
    tracks.retain(|track| track.status == TrackStatus::Confirmed);
    tracks
}

/// A seeded source of noise: xorshift, and sums of twelve uniforms for normal deviates.
pub(crate) struct Noise(u64);

impl Noise {
    /// Seeds differ in their noise; zero is not a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Uniform in 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from((self.0 >> 32) as u32) / f64::from(u32::MAX)
    }

    /// Mean zero, variance one.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// Walkers of the filter's own motion model, nearly constant velocity of 0.005 m²/s³.
pub(crate) struct Walkers {
    states: Vec<[f64; 4]>,
    noise: Noise,
}

impl Walkers {
    /// So many, spread over the inner field.
    pub(crate) fn new(count: usize, seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let mut place = || (noise.uniform() - 0.5) * 3000.0;
        let places: Vec<[f64; 2]> = (0..count).map(|_| [place(), place()]).collect();
        let states = places.into_iter().map(|[e, n]| [e, n, noise.normal(), noise.normal()]).collect();
        Self { states, noise }
    }

    /// One second later: where they are, and the plots of a radar with these properties.
    pub(crate) fn step(&mut self, detection_probability: f64, clutter: u32, sd_m: f64) -> Vec<Detection> {
        const ACCELERATION_SD: f64 = 0.0707;
        let mut plots = Vec::new();
        for state in &mut self.states {
            for axis in 0..2 {
                let push = self.noise.normal() * ACCELERATION_SD;
                state[axis] += state[axis + 2] + 0.5 * push;
                state[axis + 2] += push;
            }
            if self.noise.uniform() < detection_probability {
                let (east, north) = (sd_m * self.noise.normal(), sd_m * self.noise.normal());
                plots.push(position(state[0] + east, state[1] + north, sd_m));
            }
        }
        for _ in 0..clutter {
            let (east, north) = (self.noise.uniform() - 0.5, self.noise.uniform() - 0.5);
            plots.push(position(4000.0 * east, 4000.0 * north, sd_m));
        }
        plots
    }

    /// Where they are.
    pub(crate) fn places(&self) -> impl Iterator<Item = Vector2<f64>> + '_ {
        self.states.iter().map(|state| Vector2::new(state[0], state[1]))
    }
}

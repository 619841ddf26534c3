//! Cost of one event on a site of 1,000 sensors that report presence, with 100 people among them.
//!
//! `cargo bench -p vedette-tracker --bench events`

#[path = "../tests/field/mod.rs"]
mod field;

use divan::Bencher;
use divan::counter::ItemsCount;
use field::{Noise, radar};
use nalgebra::Vector2;
use vedette_tracker::{
    Clutter, Coverage, Detection, Measurement, Scan, SensorKind, SensorModel, Timestamp, Tracker, TrackerConfig,
};

fn main() {
    divan::main();
}

const SPACING_M: f64 = 40.0;
const PER_ROW: u32 = 100;

/// Ten rows of a hundred infrared detectors, 40 m apart.
fn detectors() -> Vec<SensorModel> {
    (0..1000)
        .map(|number| SensorModel {
            id: format!("pir-{number}"),
            kind: SensorKind::Pir,
            position_m: Vector2::new(f64::from(number % PER_ROW), f64::from(number / PER_ROW)) * SPACING_M,
            coverage: Coverage::Circle { radius_m: 15.0 },
            scan_period_s: None,
            detection_probability: 0.85,
            clutter: Clutter::PerHour(1.0),
            rearm_s: 5.0,
            ..radar("", 0.0)
        })
        .collect()
}

/// A hundred people who walk along the rows; each is reported by the detector nearest to it every five seconds.
fn events(seconds: u32) -> Vec<Scan> {
    let mut noise = Noise::new(4);
    let mut scans = Vec::new();
    for tick in 0..seconds * 20 {
        let t = f64::from(tick) * 0.05;
        let person = f64::from(tick % 100);
        let east_m = (person * 37.0 + 1.4 * t) % (SPACING_M * f64::from(PER_ROW - 1));
        let row = f64::from(tick % 10);
        let sensor = (row * f64::from(PER_ROW) + (east_m / SPACING_M).round()) as usize;
        let detection =
            Detection { measurement: Measurement::Presence { strength: None }, class: None, confidence: None };
        let time = Timestamp::from_seconds(0).plus_seconds(t + 0.01 * noise.uniform());
        scans.push(Scan { sensor, time, at: None, detections: vec![detection] });
    }
    scans
}

#[divan::bench(sample_count = 10)]
fn presence(bencher: Bencher<'_, '_>) {
    let mut tracker = Tracker::new(TrackerConfig::default(), detectors()).expect("a valid model");
    let events = events(60);
    let (before, measured) = events.split_at(1000);
    for scan in before {
        tracker.step(scan);
    }
    bencher.counter(ItemsCount::new(measured.len())).with_inputs(|| tracker.clone()).bench_values(|mut tracker| {
        for scan in measured {
            tracker.step(scan);
        }
        tracker
    });
}

//! Cost of one event on a site of 1,000 sensors with 100 people among them: with radars and cameras beside the
//! detectors, and with detectors alone, where every track is a cloud of places.
//!
//! `cargo bench -p vedette-tracker --bench events`

#[path = "../../tests/field/mod.rs"]
mod field;
mod site;

use divan::Bencher;
use divan::counter::ItemsCount;
use field::Noise;
use vedette_tracker::{Scan, SensorModel, Timestamp, Tracker, TrackerConfig};

fn main() {
    divan::main();
}

/// Filters the events after `from`, with a filter that knows those before.
fn events_from(bencher: Bencher<'_, '_>, sensors: Vec<SensorModel>, events: &[Scan], from: Timestamp) {
    let mut tracker = Tracker::new(TrackerConfig::default(), sensors).expect("a valid model");
    let (before, measured) = events.split_at(events.partition_point(|event| event.time < from));
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

/// 600 infrared detectors, 300 tripwires, 90 cameras that give bearings and 10 radars. An event is a message: one
/// presence or crossing, or all that a camera or radar saw in a second.
#[divan::bench(sample_count = 10)]
fn mixed_sensors(bencher: Bencher<'_, '_>) {
    let sensors = site::mixed();
    let events = site::walk(&sensors, 30, &mut Noise::new(9));
    events_from(bencher, sensors, &events, Timestamp::from_seconds(10));
}

/// 1,000 infrared detectors and nothing else.
#[divan::bench(sample_count = 10)]
fn presence_only(bencher: Bencher<'_, '_>) {
    let sensors = site::detectors(1000);
    let events = site::walk(&sensors, 120, &mut Noise::new(4));
    events_from(bencher, sensors, &events, Timestamp::from_seconds(60));
}

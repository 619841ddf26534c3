//! What each sensor notices: detections of who is there and false alarms of what is not.
//!
//! Every sensor draws from a random stream of its own, so a change to one leaves the others' reports as they were.

mod contact;
mod presence;
mod scanning;
mod tripwire;

use crate::random::Random;
use crate::report::Plot;
use crate::scenario::{Layout, Sensor, SensorKind};
use crate::truth::Truth;

/// One moment of one sensor at which it has something to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// Seconds after the scenario's beginning.
    pub elapsed_s: f64,
    /// What it says.
    pub plots: Vec<Plot>,
    /// For each plot the walker behind it; none: clutter.
    pub causes: Vec<Option<usize>>,
}

/// What each sensor notices, by its index, in order of time.
#[must_use]
pub fn sense(layout: &Layout, truth: &Truth, seed: u64) -> Vec<Vec<Sighting>> {
    let contacts = contact::contacts(layout, truth);
    layout
        .sensors
        .iter()
        .zip(&contacts)
        .map(|(sensor, contacts)| {
            let mut random = Random::stream(seed, &format!("sensor {}", sensor.id));
            sense_one(sensor, layout.duration_s, contacts, truth, &mut random)
        })
        .collect()
}

fn sense_one(
    sensor: &Sensor,
    duration_s: f64,
    contacts: &[contact::Contact],
    truth: &Truth,
    random: &mut Random,
) -> Vec<Sighting> {
    match sensor.kind {
        SensorKind::Radar | SensorKind::Camera => scanning::scan(sensor, duration_s, contacts, truth, random),
        SensorKind::Pir | SensorKind::Seismic => presence::listen(sensor, duration_s, contacts, truth, random),
        SensorKind::Tripwire => tripwire::watch(sensor, duration_s, contacts, truth, random),
    }
}

/// Times of false reports at a constant rate an hour, in order.
fn false_alarms(per_hour: f64, duration_s: f64, random: &mut Random) -> Vec<f64> {
    let mut times = Vec::new();
    if per_hour > 0.0 {
        let mut time = random.exponential(3600.0 / per_hour);
        while time < duration_s {
            times.push(time);
            time += random.exponential(3600.0 / per_hour);
        }
    }
    times
}

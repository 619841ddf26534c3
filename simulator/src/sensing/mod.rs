//! What each sensor notices: detections of who is there and false alarms of what is not.
//!
//! Every sensor draws from a random stream of its own, so a change to one leaves the others' reports as they were.

mod contact;
mod fault;
mod presence;
mod profile;
mod river;
mod scanning;
mod sky;
mod tripwire;

use crate::random::Random;
use crate::report::Plot;
use crate::scenario::{Clutter, Layout, Sensor, SensorKind};
use crate::truth::Truth;
use contact::Contact;
use sky::Sky;

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

/// What a sensor works with.
struct Ground<'a> {
    layout: &'a Layout,
    truth: &'a Truth,
    sky: &'a Sky,
}

/// What each sensor notices, by its index, in order of time.
#[must_use]
pub fn sense(layout: &Layout, truth: &Truth, seed: u64) -> Vec<Vec<Sighting>> {
    let contacts = contact::contacts(layout, truth);
    let sky = Sky::over(layout, seed);
    let ground = Ground { layout, truth, sky: &sky };
    layout
        .sensors
        .iter()
        .zip(&contacts)
        .map(|(sensor, contacts)| {
            let mut random = Random::stream(seed, &format!("sensor {}", sensor.id));
            let sightings = sense_one(sensor, contacts, &ground, &mut random);
            match &sensor.fault {
                None => sightings,
                Some(fault) => {
                    let mut random = Random::stream(seed, &format!("fault {}", sensor.id));
                    fault::apply(fault, sensor, sightings, layout.duration_s, &mut random)
                }
            }
        })
        .collect()
}

fn sense_one(sensor: &Sensor, contacts: &[Contact], ground: &Ground<'_>, random: &mut Random) -> Vec<Sighting> {
    match sensor.kind {
        SensorKind::Radar | SensorKind::Camera => scanning::scan(sensor, contacts, ground, random),
        SensorKind::Pir | SensorKind::Seismic => presence::listen(sensor, contacts, ground, random),
        SensorKind::Tripwire => tripwire::watch(sensor, contacts, ground, random),
    }
}

/// Times of a sensor's false reports, in order: a Poisson process thinned to the weather's rate (Lewis and Shedler 1979).
fn false_alarms(sensor: &Sensor, ground: &Ground<'_>, random: &mut Random) -> Vec<f64> {
    let Clutter::PerHour(per_hour) = sensor.clutter else { return Vec::new() };
    let duration_s = ground.layout.duration_s;
    let greatest = ground.sky.greatest_nuisance(sensor.kind, duration_s);
    let mut times = Vec::new();
    if per_hour > 0.0 {
        let mean_s = 3600.0 / (per_hour * greatest);
        let mut time_s = random.exponential(mean_s);
        while time_s < duration_s {
            if ground.layout.weather.is_empty() || random.chance(ground.sky.nuisance(sensor.kind, time_s) / greatest) {
                times.push(time_s);
            }
            time_s += random.exponential(mean_s);
        }
    }
    times
}

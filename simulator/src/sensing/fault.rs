//! Defects of sensors: dead, stuck, chattering.

use super::Sighting;
use crate::random::Random;
use crate::report::Plot;
use crate::scenario::{Fault, FaultKind, Sensor, SensorKind};

/// Time between two reports of a stuck detector without a scan period.
const STUCK_PERIOD_S: f64 = 10.0;
/// Mean time between two reports of a chattering one.
const CHATTER_MEAN_S: f64 = 4.0;

/// What remains of the sightings, and what the defect adds.
pub(super) fn apply(
    fault: &Fault,
    sensor: &Sensor,
    sightings: Vec<Sighting>,
    duration_s: f64,
    random: &mut Random,
) -> Vec<Sighting> {
    let to_s = fault.to_s.min(duration_s);
    let is_during = |sighting: &Sighting| (fault.from_s..to_s).contains(&sighting.elapsed_s);
    let last =
        sightings.iter().rfind(|sighting| sighting.elapsed_s < fault.from_s).map(|sighting| sighting.plots.clone());
    let mut result: Vec<Sighting> =
        sightings.into_iter().filter(|sighting| fault.kind == FaultKind::Chattering || !is_during(sighting)).collect();
    let mut time_s = fault.from_s;
    while fault.kind != FaultKind::Dead && time_s < to_s {
        let plots = match fault.kind {
            FaultKind::Stuck => last.clone().unwrap_or_else(|| vec![false_plot(sensor)]),
            FaultKind::Chattering | FaultKind::Dead => vec![false_plot(sensor)],
        };
        let causes = vec![None; plots.len()];
        result.push(Sighting { elapsed_s: time_s, plots, causes });
        time_s += match fault.kind {
            FaultKind::Stuck => sensor.scan_period_s.unwrap_or(STUCK_PERIOD_S),
            FaultKind::Chattering | FaultKind::Dead => random.exponential(CHATTER_MEAN_S),
        };
    }
    result.sort_by(|a, b| a.elapsed_s.total_cmp(&b.elapsed_s));
    result
}

fn false_plot(sensor: &Sensor) -> Plot {
    match sensor.kind {
        SensorKind::Tripwire => Plot::Crossing { direction: None },
        SensorKind::Pir => Plot::Presence { strength: None },
        SensorKind::Seismic => Plot::Presence { strength: Some(0.5) },
        SensorKind::Radar => Plot::RangeBearing { range_m: 100.0, azimuth_deg: 0.0, class: None },
        SensorKind::Camera => Plot::Bearing { azimuth_deg: 0.0, class: None },
    }
}

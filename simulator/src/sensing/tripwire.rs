//! Beams, wires and fence segments: they report that something went through.

use super::contact::Contact;
use super::profile::detection_factor;
use super::{Ground, Sighting, false_alarms};
use crate::geometry;
use crate::random::Random;
use crate::report::Plot;
use crate::scenario::{Coverage, Sensor};
use crate::truth::{STEP_S, step_number};

pub(super) fn watch(sensor: &Sensor, contacts: &[Contact], ground: &Ground<'_>, random: &mut Random) -> Vec<Sighting> {
    let Coverage::Line { from_m, to_m } = sensor.coverage else { return Vec::new() };
    let mut trips: Vec<(f64, Option<usize>)> = Vec::new();
    for contact in contacts {
        let walker = &ground.truth.walkers[contact.walker];
        let index = contact.step - walker.first_step;
        let Some([here, next]) = walker.path_m.get(index..index + 2).and_then(|step| <[_; 2]>::try_from(step).ok())
        else {
            continue;
        };
        let Some((share, _)) = geometry::crossing(from_m, to_m, here, next) else { continue };
        if random.chance(sensor.detection_probability * detection_factor(sensor.kind, walker.kind)) {
            trips.push(((step_number(contact.step) + share) * STEP_S, Some(contact.walker)));
        }
    }
    trips.extend(false_alarms(sensor, ground, random).into_iter().map(|time| (time, None)));
    trips.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ready_s = 0.0;
    let mut sightings = Vec::new();
    for (elapsed_s, cause) in trips {
        if elapsed_s < ready_s {
            continue;
        }
        ready_s = elapsed_s + sensor.rearm_s;
        sightings.push(Sighting { elapsed_s, plots: vec![Plot::Crossing { direction: None }], causes: vec![cause] });
    }
    sightings
}

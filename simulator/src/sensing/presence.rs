//! PIR detectors and geophones: they fire while something is inside, at a rate, and then rest.

use super::contact::Contact;
use super::profile::range_factor;
use super::{Ground, Sighting, false_alarms, river};
use crate::geometry::distance;
use crate::random::Random;
use crate::report::{Plot, rounded};
use crate::scenario::{Coverage, Sensor, SensorKind};
use crate::truth::{STEP_S, step_number};

pub(super) fn listen(sensor: &Sensor, contacts: &[Contact], ground: &Ground<'_>, random: &mut Random) -> Vec<Sighting> {
    let Coverage::Circle { radius_m } = sensor.coverage else { return Vec::new() };
    // A probability p a second is the rate -ln(1 - p); a certain detection within the second is the limit of it.
    let rate_per_s = -libm::log((1.0 - sensor.detection_probability).max(1e-9));
    let mut firings: Vec<(f64, Option<usize>, f64)> = Vec::new();
    let quiet = river::quiet(&ground.layout.rivers, sensor);
    for contact in contacts {
        let start_s = step_number(contact.step) * STEP_S;
        let sensitivity = ground.sky.sensitivity(sensor.kind, start_s);
        let wait_s = random.exponential(1.0 / (rate_per_s * sensitivity * quiet));
        if wait_s >= STEP_S {
            continue;
        }
        let walker = &ground.truth.walkers[contact.walker];
        let Some(position) = walker.at(start_s + wait_s) else { continue };
        let reach_m = radius_m * range_factor(sensor.kind, walker.kind);
        let range_m = distance(sensor.position_m, position);
        if range_m <= reach_m {
            firings.push((start_s + wait_s, Some(contact.walker), 1.0 - 0.8 * range_m / reach_m));
        }
    }
    firings.extend(false_alarms(sensor, ground, random).into_iter().map(|time| (time, None, random.unit())));
    let duration_s = ground.layout.duration_s;
    firings.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ready_s = 0.0;
    let mut sightings = Vec::new();
    for (elapsed_s, cause, strength) in firings {
        if elapsed_s < ready_s || elapsed_s > duration_s {
            continue;
        }
        ready_s = elapsed_s + sensor.rearm_s;
        let strength = (sensor.kind == SensorKind::Seismic).then(|| rounded(strength, 2));
        sightings.push(Sighting { elapsed_s, plots: vec![Plot::Presence { strength }], causes: vec![cause] });
    }
    sightings
}

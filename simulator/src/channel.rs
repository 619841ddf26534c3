//! The way from the sensor to the gateway: the sensor's own clock, loss and delay.

use crate::random::Random;
use crate::report::Report;
use crate::scenario::{Channel, Scenario};
use crate::sensing::Sighting;

/// Stamps and sends what the sensors noticed; the result is in order of arrival.
#[must_use]
pub fn deliver(scenario: &Scenario, sightings: Vec<Vec<Sighting>>, seed: u64) -> Vec<Report> {
    let layout = &scenario.layout;
    let mut reports = Vec::new();
    for (index, (sensor, sightings)) in layout.sensors.iter().zip(sightings).enumerate() {
        let channel = if sensor.node.is_some() { &scenario.radio } else { &scenario.broker };
        let mut random = Random::stream(seed, &format!("channel {}", sensor.id));
        let offset_s = random.normal() * channel.clock_offset_sd_s;
        let drift = random.normal() * channel.clock_drift_sd_ppm * 1e-6;
        for (seq, sighting) in (1..).zip(sightings) {
            let delay_s = random.within(channel.delay_s);
            if random.chance(channel.loss) {
                continue;
            }
            let measured_s = sighting.elapsed_s;
            let step_s = sensor.clock_step.filter(|step| step.at_s <= measured_s).map_or(0.0, |step| step.by_s);
            let measured = layout.begins.plus_seconds(measured_s);
            let arrives_s = after_outage(channel, measured_s + delay_s);
            let report = Report {
                sensor: index,
                measured,
                stamped: measured.plus_seconds(offset_s + drift * measured_s + step_s),
                received: layout.begins.plus_seconds(arrives_s),
                seq,
                plots: sighting.plots,
                causes: sighting.causes,
                damaged: channel.corrupted > 0.0 && random.chance(channel.corrupted),
            };
            if channel.duplicated > 0.0 && random.chance(channel.duplicated) {
                let again_s = after_outage(channel, arrives_s + random.exponential(REPEAT_MEAN_S));
                reports.push(Report { received: layout.begins.plus_seconds(again_s), ..report.clone() });
            }
            reports.push(report);
        }
    }
    reports.sort_by_key(|report| (report.received, report.sensor, report.seq));
    reports
}

/// Mean time after which a duplicate follows.
const REPEAT_MEAN_S: f64 = 1.0;

/// When something due at that time arrives: during an outage everything waits for its end.
fn after_outage(channel: &Channel, at_s: f64) -> f64 {
    channel.outages_s.iter().find(|[from, to]| (*from..*to).contains(&at_s)).map_or(at_s, |[_, to]| *to)
}

//! The way from the sensor to the gateway: the sensor's own clock, loss and delay.

use crate::random::Random;
use crate::report::Report;
use crate::scenario::Scenario;
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
            let measured = layout.begins.plus_seconds(sighting.elapsed_s);
            reports.push(Report {
                sensor: index,
                measured,
                stamped: measured.plus_seconds(offset_s + drift * sighting.elapsed_s),
                received: measured.plus_seconds(delay_s),
                seq,
                plots: sighting.plots,
                causes: sighting.causes,
            });
        }
    }
    reports.sort_by_key(|report| (report.received, report.sensor, report.seq));
    reports
}

//! A sensor's battery is low.

use serde::{Deserialize, Serialize};

use super::{Certainty, Finding, Rule, Situation};
use crate::{AlertKind, Severity};

/// A battery must rise by this much over the limit before its alert is closed: cold nights and sunny days.
const HYSTERESIS_MV: u16 = 100;

/// Needs no memory: the voltage stands in the sensor's status.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Battery;

impl Rule for Battery {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (index, status) in situation.sensors.iter().enumerate() {
            let limit_mv = situation.site.sensors[index].battery_low_mv.unwrap_or(situation.site.rules.battery_low_mv);
            let low = status.battery_low || status.battery_mv.is_some_and(|mv| mv < limit_mv);
            if !low && status.battery_mv.is_none_or(|mv| mv >= limit_mv.saturating_add(HYSTERESIS_MV)) {
                continue;
            }
            let limit = f64::from(limit_mv) / 1_000.0;
            let told = match status.battery_mv.map(|mv| f64::from(mv) / 1_000.0) {
                Some(volts) if volts >= limit && status.battery_low => format!("its node says so, at {volts:.2} V"),
                Some(volts) => format!("{volts:.2} V, limit {limit:.2} V"),
                None => "its node says so".to_owned(),
            };
            let what = format!("battery of {} is low: {told}", status.id);
            let mut finding = situation.sensor_finding("battery", AlertKind::SensorBattery, index, what);
            finding.severity = Severity::Low;
            if !low {
                finding.certainty = Certainty::Holds;
            }
            finding.note = "Change it before the sensor falls silent.".to_owned();
            findings.push(finding);
        }
    }
}

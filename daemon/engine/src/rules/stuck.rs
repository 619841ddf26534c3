//! A sensor says the very same thing again and again: no measurement repeats to the last digit.

use serde::{Deserialize, Serialize};

use super::{Finding, Rule, Situation};
use crate::{AlertKind, Severity};

/// Needs no memory: the count stands in the sensor's status.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stuck;

impl Rule for Stuck {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (index, status) in situation.sensors.iter().enumerate() {
            if !status.pace.is_stuck() {
                continue;
            }
            let repeated = status.pace.repeated();
            let what = format!("sensor {} is stuck: {repeated} equal reports in a row", status.id);
            let mut finding = situation.sensor_finding("stuck", AlertKind::SensorStuck, index, what);
            finding.severity = Severity::Medium;
            finding.note = "What it shows is not what is there.".to_owned();
            findings.push(finding);
        }
    }
}

//! A triggered sensor reports far more often than what it watches for can make it.

use serde::{Deserialize, Serialize};
use vedette_tracker::SensorKind;

use super::{Certainty, Finding, Rule, Situation};
use crate::{AlertKind, Severity};

/// Reports within ten minutes that make a sensor chatter; a walker makes one or two.
const CHATTERS_FROM: u32 = 40;
/// It has calmed down below this.
const CALM_BELOW: u32 = 15;

/// Needs no memory: the counts stand in the sensor's status.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Chattering;

impl Rule for Chattering {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (index, sensor) in situation.site.sensors.iter().enumerate() {
            let triggered = matches!(sensor.model.kind, SensorKind::Pir | SensorKind::Seismic | SensorKind::Tripwire);
            let reports = situation.sensors[index].pace.in_ten_minutes(situation.now);
            if !triggered || reports < CALM_BELOW {
                continue;
            }
            let what = format!("sensor {} reported {reports} times in ten minutes", sensor.model.id);
            let mut finding = situation.sensor_finding("chattering", AlertKind::SensorChattering, index, what);
            finding.severity = Severity::Low;
            if reports < CHATTERS_FROM {
                finding.certainty = Certainty::Holds;
            }
            finding.note = "Wind, rain, an animal or a fault; believe its reports less.".to_owned();
            findings.push(finding);
        }
    }
}

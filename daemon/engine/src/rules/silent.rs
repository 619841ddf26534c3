//! A sensor has not been heard for longer than it may be silent.

use serde::{Deserialize, Serialize};

use super::{Finding, Rule, Situation};
use crate::book::text;
use crate::{AlertKind, Severity};

/// Needs no memory: a sensor that is heard again is silent no longer.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Silent;

impl Rule for Silent {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (index, sensor) in situation.site.sensors.iter().enumerate() {
            let Some(allowed_s) = sensor.silent_after_s else { continue };
            if situation.silent_s(index).is_none() {
                continue;
            }
            let heard = situation.sensors[index].last_heard;
            let since = heard.unwrap_or(situation.started);
            let since_when = text::clock(since, situation.site);
            let what = match heard {
                Some(_) => {
                    format!(
                        "sensor {} silent since {since_when}, at most {} expected",
                        sensor.model.id,
                        text::span(allowed_s)
                    )
                }
                None => format!("sensor {} never heard since the start at {since_when}", sensor.model.id),
            };
            let mut finding = situation.sensor_finding("silent", AlertKind::SensorSilent, index, what);
            finding.first_seen = since;
            finding.last_seen = since;
            finding.severity = Severity::Medium;
            finding.note = "What moves in its ground is not seen by it.".to_owned();
            findings.push(finding);
        }
    }
}

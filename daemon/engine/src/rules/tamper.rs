//! A sensor's housing was opened or moved.

use serde::{Deserialize, Serialize};

use super::{Finding, Lasting, Rule, Situation, Tamper};
use crate::book::text;
use crate::{AlertKind, Severity};

/// A tamper report is news for this long; its alert stays open until it expires.
const NEWS_S: f64 = 60.0;

/// Needs no memory: the report stands in the sensor's status.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tampered;

impl Rule for Tampered {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (index, status) in situation.sensors.iter().enumerate() {
            let Some((tamper, reported, at)) = status.tamper else { continue };
            if situation.now.seconds_since(reported) > NEWS_S {
                continue;
            }
            let done = match tamper {
                Tamper::Opened => "opened",
                Tamper::Moved => "moved",
                Tamper::Unknown => "tampered with",
            };
            let what = format!("sensor {} was {done} at {}", status.id, text::clock(at, situation.site));
            let mut finding = situation.sensor_finding("tamper", AlertKind::SensorTamper, index, what);
            finding.lasting = Lasting::Event;
            finding.severity = Severity::High;
            finding.first_seen = at;
            finding.last_seen = at;
            finding.note = "Somebody or an animal is at the sensor; believe its reports less.".to_owned();
            findings.push(finding);
        }
    }
}

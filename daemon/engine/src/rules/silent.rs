//! A sensor has not been heard for longer than it may be silent, or not been believed for the time it tells.

use serde::{Deserialize, Serialize};

use vedette_tracker::Timestamp;

use super::{Finding, Rule, Situation};
use crate::book::text;
use crate::status::SensorStatus;
use crate::{AlertKind, Severity};

/// A clock this far behind has begun anew, five years.
const NEVER_SET_S: f64 = 157_680_000.0;

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
            let clock = clock_fault(&situation.sensors[index], situation.now, since, allowed_s);
            let (what, note) = match clock {
                Some(clock) => (
                    format!("nothing that sensor {} reports is used since {since_when}: {clock}", sensor.model.id),
                    "Set its clock. What moves in its ground is not seen by it.",
                ),
                None => (what, "What moves in its ground is not seen by it."),
            };
            let mut finding = situation.sensor_finding("silent", AlertKind::SensorSilent, index, what);
            finding.first_seen = since;
            finding.last_seen = since;
            finding.severity = Severity::Medium;
            finding.note = note.to_owned();
            findings.push(finding);
        }
    }
}

/// What is wrong with its clock, if it does report and only that keeps it from being heard.
fn clock_fault(status: &SensorStatus, now: Timestamp, since: Timestamp, allowed_s: f64) -> Option<String> {
    let (at, stamped) = status.refused.filter(|(at, _)| *at > since && now.seconds_since(*at) <= allowed_s)?;
    let ahead_s = stamped.seconds_since(at);
    Some(if ahead_s > 0.0 {
        format!("its clock is {} ahead", text::span(ahead_s))
    } else if ahead_s < -NEVER_SET_S {
        "its clock was never set".to_owned()
    } else {
        format!("it is stamped as {} old", text::span(-ahead_s))
    })
}

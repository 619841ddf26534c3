//! A sensor has not been heard for longer than it may be silent, or what it reports is not used for the time it tells.

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use super::{Finding, Rule, Situation};
use crate::book::text;
use crate::{AlertKind, Severity};

/// Needs no memory: a sensor that is heard again is silent no longer.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Silent;

impl Rule for Silent {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for index in 0..situation.site.sensors.len() {
            let told = wrong_clock(situation, index).map(|told| ("clock", told));
            let told = told.or_else(|| silence(situation, index).map(|told| ("silent", told)));
            let Some((rule, Told { since, what, severity, note })) = told else { continue };
            let mut finding = situation.sensor_finding("silent", AlertKind::SensorSilent, index, what);
            finding.rule = rule;
            finding.first_seen = since;
            finding.last_seen = since;
            finding.severity = severity;
            finding.note = note.to_owned();
            findings.push(finding);
        }
    }
}

struct Told {
    since: Timestamp,
    what: String,
    severity: Severity,
    note: &'static str,
}

/// It does report, and only its clock keeps it from being heard.
fn wrong_clock(situation: &Situation<'_>, index: usize) -> Option<Told> {
    let refusals = situation.sensors[index].refusals.as_ref()?;
    let silent_since = situation.silent_s(index).and(situation.sensors[index].last_heard);
    let silent = silent_since.and_then(|heard| Some((heard, refusals.since(heard)?)));
    let (since, how) = silent.or_else(|| refusals.wrong_clock(situation.now))?;
    let (id, since_when) = (&situation.site.sensors[index].model.id, text::clock(since, situation.site));
    let what = format!("nothing that sensor {id} reports is used since {since_when}: {how}");
    let note = "Set its clock, or that of what receives it. What moves in its ground is not seen by it.";
    Some(Told { since, what, severity: Severity::Medium, note })
}

fn silence(situation: &Situation<'_>, index: usize) -> Option<Told> {
    let sensor = &situation.site.sensors[index];
    let allowed_s = sensor.silent_after_s?;
    let silent_s = situation.silent_s(index)?;
    let heard = situation.sensors[index].last_heard;
    let since = heard.unwrap_or(situation.started);
    let (id, since_when) = (&sensor.model.id, text::clock(since, situation.site));
    if situation.may_have_had_no_event(index) {
        let what = format!("camera {id} never heard in the {} since the start", text::span(silent_s));
        let note = "It may tell of events alone and have had none; if it is not there, what moves in its ground is not seen by it.";
        return Some(Told { since, what, severity: Severity::Low, note });
    }
    let what = match heard {
        Some(_) => format!("sensor {id} silent since {since_when}, at most {} expected", text::span(allowed_s)),
        None => format!("sensor {id} never heard since the start at {since_when}"),
    };
    let note = "What moves in its ground is not seen by it.";
    Some(Told { since, what, severity: Severity::Medium, note })
}

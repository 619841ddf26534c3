//! A sensor has not been heard for longer than it may be silent, or what it reports is not used for the time it tells.

use serde::{Deserialize, Serialize};

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
            let Some((rule, (since, what, note))) = told else { continue };
            let mut finding = situation.sensor_finding("silent", AlertKind::SensorSilent, index, what);
            finding.rule = rule;
            finding.first_seen = since;
            finding.last_seen = since;
            finding.severity = Severity::Medium;
            finding.note = format!("{note}What moves in its ground is not seen by it.");
            findings.push(finding);
        }
    }
}

type Told = (vedette_tracker::Timestamp, String, &'static str);

/// It does report, and only its clock keeps it from being heard.
fn wrong_clock(situation: &Situation<'_>, index: usize) -> Option<Told> {
    let refusals = situation.sensors[index].refusals.as_ref()?;
    let silent_since = situation.silent_s(index).and(situation.sensors[index].last_heard);
    let silent = silent_since.and_then(|heard| Some((heard, refusals.since(heard)?)));
    let (since, how) = silent.or_else(|| refusals.wrong_clock(situation.now))?;
    let (id, since_when) = (&situation.site.sensors[index].model.id, text::clock(since, situation.site));
    let what = format!("nothing that sensor {id} reports is used since {since_when}: {how}");
    Some((since, what, "Set its clock, or that of what receives it. "))
}

fn silence(situation: &Situation<'_>, index: usize) -> Option<Told> {
    let sensor = &situation.site.sensors[index];
    let allowed_s = sensor.silent_after_s?;
    situation.silent_s(index)?;
    let heard = situation.sensors[index].last_heard;
    let since = heard.unwrap_or(situation.started);
    let (id, since_when) = (&sensor.model.id, text::clock(since, situation.site));
    let what = match heard {
        Some(_) => format!("sensor {id} silent since {since_when}, at most {} expected", text::span(allowed_s)),
        None => format!("sensor {id} never heard since the start at {since_when}"),
    };
    Some((since, what, ""))
}

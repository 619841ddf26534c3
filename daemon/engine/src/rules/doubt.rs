//! The positions of an own unit are not used: it cannot have moved there (a fault, or somebody pretends to be it), or its clock is
//! wrong.

use serde::{Deserialize, Serialize};

use super::{Finding, Lasting, Rule, Situation};
use crate::book::text;
use crate::{AlertKind, Severity};

/// Needs no memory: who is not believed stands with the units.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Doubt;

impl Rule for Doubt {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (index, refusals) in situation.units.refused() {
            let Some((since, how)) = refusals.wrong_clock(situation.now) else { continue };
            let Some(unit) = situation.site.units.get(index) else { continue };
            let since_when = text::clock(since, situation.site);
            let what = format!("no position of own unit {} is used since {since_when}: {how}", unit.id);
            let mut finding =
                situation.own_finding("doubt", AlertKind::PositionDoubt, format!("unit/{}/clock", unit.id), what);
            finding.severity = Severity::Medium;
            finding.first_seen = since;
            finding.note = "Its people are told as strangers until its clock is set. Call the unit.".to_owned();
            findings.push(finding);
        }
        for (index, heard) in situation.units.distrusted() {
            let Some((since, _)) = heard.distrusted else { continue };
            let Some(unit) = situation.site.units.get(index) else { continue };
            let since_when = text::clock(since, situation.site);
            let what = format!("position of own unit {} jumps since {since_when} and is not believed", unit.id);
            let key = format!("unit/{}/doubt", unit.id);
            let mut finding = situation.own_finding("doubt", AlertKind::PositionDoubt, key, what);
            finding.lasting = Lasting::Event;
            finding.severity = Severity::High;
            finding.first_seen = since;
            finding.note = "A faulty receiver, or somebody pretends to be it. Call the unit.".to_owned();
            findings.push(finding);
        }
    }
}

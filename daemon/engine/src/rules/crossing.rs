//! A track crossed a border, and which way.

use serde::{Deserialize, Serialize};

use super::sides::Sides;
use super::{Finding, Lasting, Rule, Situation};
use crate::{AlertKind, Severity};

/// Remembers where each track was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Crossing {
    memory: Sides,
}

impl Rule for Crossing {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (candidate, passage) in self.memory.look(situation) {
            if passage.returned {
                continue;
            }
            let mut finding = situation.track_finding("crossing", AlertKind::Crossing, &candidate);
            finding.lasting = Lasting::Event;
            finding.severity = candidate.zone.severity.unwrap_or(Severity::High);
            // Where it is now says how sure the side is: the crossing is as sure as that.
            let probability_in = candidate.relation.probability_in();
            finding.confidence *= if passage.inward { probability_in } else { 1.0 - probability_in };
            let way = if passage.inward { "inward" } else { "outward" };
            finding.inward = Some(passage.inward);
            finding.what = format!("crossed {} {way}", candidate.zone.name);
            findings.push(finding);
        }
    }
}

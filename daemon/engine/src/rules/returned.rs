//! A track that crossed a border went back over it: nobody is where the crossing said somebody is.

use serde::{Deserialize, Serialize};

use super::sides::Sides;
use super::{Finding, Lasting, Rule, Situation};
use crate::{AlertKind, Severity};

/// Remembers where each track was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Returned {
    memory: Sides,
}

impl Rule for Returned {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (candidate, passage) in self.memory.look(situation) {
            if !passage.returned {
                continue;
            }
            let mut finding = situation.track_finding("returned", AlertKind::Returned, &candidate);
            finding.lasting = Lasting::Event;
            // As severe as the crossing: what was left or fetched over there, nobody knows.
            finding.severity = candidate.zone.severity.unwrap_or(Severity::High);
            let probability_in = candidate.relation.probability_in();
            finding.confidence *= if passage.inward { probability_in } else { 1.0 - probability_in };
            let way = if passage.inward { "inward" } else { "outward" };
            finding.inward = Some(passage.inward);
            finding.what = format!("returned over {} {way}", candidate.zone.name);
            findings.push(finding);
        }
    }
}

//! A track that crossed a border went back over it: nobody is where the crossing said somebody is.

use serde::{Deserialize, Serialize};

use super::sides::Sides;
use super::{Finding, Rule, Situation};
use crate::AlertKind;

/// Remembers where each track was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Returned {
    memory: Sides,
}

impl Rule for Returned {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (candidate, passage) in self.memory.look(situation) {
            if passage.returned {
                // As severe as the crossing: what was left or fetched over there, nobody knows.
                let kind = ("returned", AlertKind::Returned);
                findings.push(passage.finding(situation, &candidate, kind, "returned over"));
            }
        }
    }
}

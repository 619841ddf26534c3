//! A track crossed a border, and which way.

use serde::{Deserialize, Serialize};

use super::sides::Sides;
use super::{Finding, Rule, Situation};
use crate::AlertKind;

/// Remembers where each track was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Crossing {
    memory: Sides,
}

impl Rule for Crossing {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (candidate, passage) in self.memory.look(situation) {
            if !passage.returned {
                let kind = ("crossing", AlertKind::Crossing);
                findings.push(passage.finding(situation, &candidate, kind, "crossed"));
            }
        }
    }
}

//! A track is inside of an alert zone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, TrackId};

use super::{Certainty, Finding, Rule, Situation};
use crate::config::ZoneKind;
use crate::{AlertKind, Severity};

/// Probability of being inside from which on it counts as entered.
const ENTERED: f64 = 0.8;
/// Probability of being inside below which it counts as left.
const LEFT: f64 = 0.3;

/// Since when each track is inside of each zone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Entry {
    inside: BTreeMap<usize, BTreeMap<TrackId, Timestamp>>,
}

impl Rule for Entry {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let mut inside = BTreeMap::<usize, BTreeMap<TrackId, Timestamp>>::new();
        for candidate in situation.candidates(|zone| zone.kind == ZoneKind::Alert) {
            let probability = candidate.relation.probability_in();
            let entered = self.inside.get(&candidate.index).and_then(|tracks| tracks.get(&candidate.track.id));
            if probability < if entered.is_some() { LEFT } else { ENTERED } {
                continue;
            }
            let since = entered.copied().unwrap_or(situation.now);
            inside.entry(candidate.index).or_default().insert(candidate.track.id, since);
            let mut finding = situation.track_finding("entry", AlertKind::Entry, &candidate);
            let hold_s = candidate.zone.entry_hold_s.unwrap_or(situation.site.rules.entry_hold_s);
            let held = situation.now.seconds_since(since) >= hold_s;
            if !held || probability < ENTERED {
                finding.certainty = Certainty::Holds;
            }
            finding.severity = candidate.zone.severity.unwrap_or(Severity::Medium);
            finding.confidence *= probability;
            finding.what = format!("entered {}", candidate.zone.name);
            findings.push(finding);
        }
        self.inside = inside;
    }
}

//! A track stays in an alert zone for longer than passing through takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, TrackId};

use super::{Finding, Rule, Situation};
use crate::config::ZoneKind;
use crate::{AlertKind, Severity};

/// Probability of being inside that counts as staying.
const STAYING: f64 = 0.5;

/// Since when each track stays in each zone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Loitering {
    staying: BTreeMap<usize, BTreeMap<TrackId, Timestamp>>,
}

impl Rule for Loitering {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let mut staying = BTreeMap::<usize, BTreeMap<TrackId, Timestamp>>::new();
        for candidate in situation.candidates(|zone| zone.kind == ZoneKind::Alert) {
            let probability = candidate.relation.probability_in();
            let after_s = candidate.zone.loiter_after_s.unwrap_or(situation.site.rules.loiter_after_s);
            if probability < STAYING || after_s == 0.0 {
                continue;
            }
            let since = self.staying.get(&candidate.index).and_then(|tracks| tracks.get(&candidate.track.id));
            let since = since.copied().unwrap_or(situation.now);
            staying.entry(candidate.index).or_default().insert(candidate.track.id, since);
            let stay_s = situation.now.seconds_since(since);
            if stay_s < after_s {
                continue;
            }
            let mut finding = situation.track_finding("loitering", AlertKind::Loitering, &candidate);
            finding.severity = candidate.zone.severity.unwrap_or(Severity::High);
            finding.confidence *= probability;
            finding.what = format!("staying in {} for {:.0} min", candidate.zone.name, stay_s / 60.0);
            findings.push(finding);
        }
        self.staying = staying;
    }
}

//! A track crossed a border, and which way.
//!
//! A side counts once it is probable, not once the estimate lies there: a track that walks along the line does not
//! cross it with every plot.

use std::collections::BTreeMap;

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, TrackId};

use super::geometry::meets;
use super::situation::Candidate;
use super::{Certainty, Finding, Lasting, Rule, Situation};
use crate::config::{ZoneDirection, ZoneKind};
use crate::{AlertKind, Severity};

/// Probability of a side from which on a track has been there.
const SURE: f64 = 0.9;
/// Probability of the other side that makes the first crossing.
const CROSSED: f64 = 0.8;

/// Which side of each border each track was last surely on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Crossing {
    memory: BTreeMap<usize, BTreeMap<TrackId, Side>>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Side {
    inside: bool,
    position_m: Vector2<f64>,
    crossings: u32,
    /// The crossing that made the alert: its way and time.
    crossed: Option<(bool, Timestamp)>,
}

impl Rule for Crossing {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let mut memory = BTreeMap::<usize, BTreeMap<TrackId, Side>>::new();
        for candidate in situation.candidates(|zone| zone.kind == ZoneKind::Border) {
            let id = candidate.track.id;
            let before = self.memory.get(&candidate.index).and_then(|tracks| tracks.get(&id)).copied();
            let Some(side) = side_now(before, &candidate, situation.now) else { continue };
            memory.entry(candidate.index).or_default().insert(id, side);
            findings.extend(finding(situation, &candidate, &side));
        }
        self.memory = memory;
    }
}

fn side_now(before: Option<Side>, candidate: &Candidate<'_>, now: Timestamp) -> Option<Side> {
    let position_m = candidate.track.position_m;
    let inside = candidate.relation.signed_m > 0.0;
    let probability_in = candidate.relation.probability_in();
    let probability = if inside { probability_in } else { 1.0 - probability_in };
    let fresh = Side { inside, position_m, crossings: 0, crossed: None };
    let Some(before) = before else { return (probability >= SURE).then_some(fresh) };
    if inside == before.inside {
        let position_m = if probability >= SURE { position_m } else { before.position_m };
        return Some(Side { position_m, ..before });
    }
    let needed = if before.crossings == 0 { CROSSED } else { SURE };
    if probability < needed {
        return Some(before);
    }
    // Round the end of a line is another side, but no crossing.
    if !meets(&candidate.zone.ground, before.position_m, position_m) {
        return Some(Side { inside, position_m, ..before });
    }
    Some(Side { inside, position_m, crossings: before.crossings + 1, crossed: Some((inside, now)) })
}

fn finding(situation: &Situation<'_>, candidate: &Candidate<'_>, side: &Side) -> Option<Finding> {
    let (inward, crossed_at) = side.crossed?;
    let wanted = match candidate.zone.direction {
        ZoneDirection::Both => true,
        ZoneDirection::In => inward || side.crossings > 1,
        ZoneDirection::Out => !inward || side.crossings > 1,
    };
    if !wanted {
        return None;
    }
    let name = &candidate.zone.name;
    let mut finding = situation.track_finding("crossing", AlertKind::Crossing, candidate);
    finding.lasting = Lasting::Event;
    finding.severity = candidate.zone.severity.unwrap_or(Severity::High);
    // Where it is now says how sure the side is: the crossing is as sure as that.
    let probability_in = candidate.relation.probability_in();
    finding.confidence *= if inward { probability_in } else { 1.0 - probability_in };
    let way = if inward { "inward" } else { "outward" };
    let returned = side.crossings > 1 && side.crossings.is_multiple_of(2);
    finding.what = if returned { format!("returned over {name} {way}") } else { format!("crossed {name} {way}") };
    // What it does afterwards is told while it is news, and keeps nothing open.
    if situation.now.seconds_since(crossed_at) > situation.site.rules.expire_after_s {
        return None;
    }
    if finding.certainty == Certainty::Holds && side.crossings == 0 {
        return None;
    }
    Some(finding)
}

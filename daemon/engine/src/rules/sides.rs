//! Which side of a border each track was last surely on, and how often it went over.
//!
//! A side counts once it is probable, not once the estimate lies there: a track that walks along the line does not
//! cross it with every plot.

use std::collections::BTreeMap;

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, TrackId};

use super::geometry::meets;
use super::situation::Candidate;
use super::{Finding, Lasting, Situation};
use crate::book::text;
use crate::config::{ZoneDirection, ZoneKind};
use crate::{AlertKind, Severity};

/// Probability of a side from which on a track has been there.
const SURE: f64 = 0.9;
/// Probability of the other side that makes the first crossing.
const CROSSED: f64 = 0.8;

/// A passage is told without its age for so long.
const JUST_NOW_S: f64 = 10.0;

/// What is remembered of a track at a border.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Side {
    inside: bool,
    position_m: Vector2<f64>,
    crossings: u32,
    /// The last crossing: its way and time.
    crossed: Option<(bool, Timestamp)>,
}

/// A passage that is still news.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) inward: bool,
    at: Timestamp,
    /// It is back where it came from.
    pub(super) returned: bool,
}

impl Passage {
    /// The finding of `rule` about it: as severe as the border says, as sure as the side the track is on now.
    pub(super) fn finding(
        self,
        situation: &Situation<'_>,
        candidate: &Candidate<'_>,
        (rule, kind): (&'static str, AlertKind),
        went: &str,
    ) -> Finding {
        let mut finding = situation.track_finding(rule, kind, candidate);
        finding.lasting = Lasting::Event;
        finding.severity = candidate.zone.severity.unwrap_or(Severity::High);
        let probability_in = candidate.relation.probability_in();
        finding.confidence *= if self.inward { probability_in } else { 1.0 - probability_in };
        let way = if self.inward { "inward" } else { "outward" };
        finding.inward = Some(self.inward);
        // The text's time and place are where it is now.
        let since_s = situation.now.seconds_since(self.at);
        let ago = if since_s < JUST_NOW_S { String::new() } else { format!(" {} ago", text::span(since_s)) };
        finding.what = format!("{went} {} {way}{ago}", candidate.zone.name);
        finding
    }
}

/// By border and track.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Sides(BTreeMap<usize, BTreeMap<TrackId, Side>>);

impl Sides {
    /// Looks at all tracks near borders; gives the last passage of each that went over one in a way that matters there.
    pub(super) fn look<'a>(&mut self, situation: &Situation<'a>) -> Vec<(Candidate<'a>, Passage)> {
        let mut memory = BTreeMap::<usize, BTreeMap<TrackId, Side>>::new();
        let mut passages = Vec::new();
        for candidate in situation.candidates(|zone| zone.kind == ZoneKind::Border) {
            let id = candidate.track.id;
            let before = self.0.get(&candidate.index).and_then(|tracks| tracks.get(&id)).copied();
            let Some(side) = side_now(before, &candidate, situation.now) else { continue };
            memory.entry(candidate.index).or_default().insert(id, side);
            if let Some(passage) = passage(&side, &candidate, situation) {
                passages.push((candidate, passage));
            }
        }
        self.0 = memory;
        passages
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

fn passage(side: &Side, candidate: &Candidate<'_>, situation: &Situation<'_>) -> Option<Passage> {
    let (inward, crossed_at) = side.crossed?;
    // Who came over in the way that matters is followed on the way back, too.
    let wanted = match candidate.zone.direction {
        ZoneDirection::Both => true,
        ZoneDirection::In => inward || side.crossings > 1,
        ZoneDirection::Out => !inward || side.crossings > 1,
    };
    // What it does afterwards is told while it is news, and keeps nothing open.
    let news = situation.now.seconds_since(crossed_at) <= situation.site.rules.expire_after_s;
    (wanted && news).then(|| Passage { inward, at: crossed_at, returned: side.crossings.is_multiple_of(2) })
}

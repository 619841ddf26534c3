//! A track that was nearing a border was lost close to it: whether it crossed nobody can say.

use std::collections::BTreeMap;

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, TrackId};

use super::evidence::Evidence;
use super::situation::Candidate;
use super::{Finding, Lasting, Rule, Situation, Subject};
use crate::book::text;
use crate::config::{ZoneDirection, ZoneKind};
use crate::units::Passage;
use crate::{AlertKind, Contributor, Severity};

/// Slower than this towards the line is no nearing.
const CLOSING_MIN_MPS: f64 = 0.3;
/// A track shorter than this, or less sure of its place, is more likely noise.
const MIN_LIFE_S: f64 = 20.0;
const MAX_SD_M: f64 = 25.0;
/// How long a loss is news.
const NEWS_S: f64 = 120.0;
/// A new track this near to where the lost one would be is the same one, under another number.
const SAME_M: f64 = 40.0;

/// The last believed state of each track near each border.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lost {
    near: BTreeMap<usize, BTreeMap<TrackId, Last>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Last {
    position_m: Vector2<f64>,
    velocity_mps: Vector2<f64>,
    sd_m: f64,
    from_line_m: f64,
    weight: f64,
    /// What bore out that it was nearing the line.
    #[serde(default)]
    evidence: Option<Evidence>,
    first_seen: Timestamp,
    last_seen: Timestamp,
    contributors: Vec<Contributor>,
    /// When it was missed first.
    gone: Option<Timestamp>,
}

impl Rule for Lost {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let within_m = situation.site.rules.lost_within_m;
        if within_m <= 0.0 {
            return;
        }
        for candidate in situation.candidates(|zone| zone.kind == ZoneKind::Border) {
            let tracks = self.near.entry(candidate.index).or_default();
            match last(situation, &candidate, within_m) {
                Some(last) => drop(tracks.insert(candidate.track.id, last)),
                // It turned, crossed or went away: what it did is known. One that fades keeps its last sure state.
                None if candidate.believed => drop(tracks.remove(&candidate.track.id)),
                None => {}
            }
        }
        let is_there = |id: TrackId| situation.tracks.iter().any(|track| track.id == id);
        for (&zone, tracks) in &mut self.near {
            for (_, last) in tracks.iter_mut().filter(|(id, _)| !is_there(**id)) {
                last.gone.get_or_insert(situation.now);
            }
            tracks.retain(|_, last| {
                last.gone.is_none_or(|gone| situation.now.seconds_since(gone) <= NEWS_S && !goes_on(situation, last))
            });
            let lost = tracks.iter().filter(|(_, last)| last.gone.is_some());
            findings.extend(lost.map(|(&id, last)| finding(situation, zone, id, last)));
        }
    }
}

/// What is to be remembered of a track: only when it is sure of itself, near, and nearing a side that matters.
fn last(situation: &Situation<'_>, candidate: &Candidate<'_>, within_m: f64) -> Option<Last> {
    let (track, relation) = (candidate.track, &candidate.relation);
    let sd_m = libm::sqrt(track.position_covariance_m2.symmetric_eigenvalues().max().max(0.0));
    let outside = relation.signed_m < 0.0;
    let matters = match candidate.zone.direction {
        ZoneDirection::Both => true,
        ZoneDirection::In => outside,
        ZoneDirection::Out => !outside,
    };
    let closing_mps = track.velocity_mps.dot(&relation.inward) * if outside { 1.0 } else { -1.0 };
    let nearing = relation.alongside && relation.signed_m.abs() <= within_m && closing_mps >= CLOSING_MIN_MPS;
    let sure = candidate.believed
        && track.localised
        && sd_m <= MAX_SD_M
        && track.last_seen.seconds_since(track.first_seen) >= MIN_LIFE_S
        && !situation.explained.contains_key(&track.id);
    (matters && nearing && sure).then(|| Last {
        position_m: track.position_m,
        velocity_mps: track.velocity_mps,
        sd_m,
        from_line_m: relation.signed_m.abs(),
        weight: candidate.weight,
        evidence: nearing_evidence(situation, candidate, !outside),
        first_seen: track.first_seen,
        last_seen: track.last_seen,
        contributors: situation.surrounding(track).contributors,
        gone: None,
    })
}

/// Who is lost is no surer than they were while they were seen to come.
fn nearing_evidence(situation: &Situation<'_>, candidate: &Candidate<'_>, outward: bool) -> Option<Evidence> {
    let mut nearing = situation.track_finding("lost", AlertKind::Approach, candidate);
    nearing.inward = Some(!outward);
    Evidence::of(&nearing, situation)
}

/// Whether another track is where the lost one would be by now.
fn goes_on(situation: &Situation<'_>, last: &Last) -> bool {
    situation.tracks.iter().any(|track| {
        let since_s = track.last_seen.seconds_since(last.last_seen).max(0.0);
        let expected_m = last.position_m + last.velocity_mps * since_s;
        (track.position_m - expected_m).norm() <= SAME_M + last.sd_m
    })
}

fn finding(situation: &Situation<'_>, zone: usize, id: TrackId, last: &Last) -> Finding {
    let zone = &situation.site.zones[zone];
    let when = text::clock(last.last_seen, situation.site);
    let passage = Passage { line_m: [last.position_m; 2], sd_m: last.sd_m, at: last.last_seen, people: 1 };
    let what = format!("lost sight of who was nearing {}, {:.0} m from it, {when}", zone.name, last.from_line_m);
    Finding {
        lasting: Lasting::Event,
        severity: zone.severity.map_or(Severity::Medium, |severity| severity.min(Severity::Medium)),
        zone: Some(zone.name.clone()),
        subject: Subject::Spot {
            position_m: last.position_m,
            sd_m: last.sd_m,
            contributors: last.contributors.clone(),
        },
        confidence: last.weight,
        own_unit: situation.units.was_at(&passage, situation.site),
        evidence: last.evidence,
        first_seen: last.first_seen,
        last_seen: last.last_seen,
        note: "Whether it crossed nobody can say.".to_owned(),
        ..situation.own_finding("lost", AlertKind::TrackLost, format!("zone/{}/track-{}", zone.name, id.0), what)
    }
}

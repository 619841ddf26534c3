//! A track moves towards a border line and will likely reach it soon.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, TrackId};

use super::situation::Candidate;
use super::{Certainty, Finding, Rule, Situation};
use crate::config::{ZoneDirection, ZoneKind};
use crate::{AlertKind, Eta, Severity};

/// Slower than this is no approach: velocity noise of a standing object.
const CLOSING_MIN_MPS: f64 = 0.3;
/// An open approach is kept while the time to the line is within this many times the limit.
const KEEP_FACTOR: f64 = 2.0;

/// When each track's movement towards each border began.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Approach {
    since: BTreeMap<usize, BTreeMap<TrackId, Timestamp>>,
}

impl Rule for Approach {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let rules = &situation.site.rules;
        let mut since = BTreeMap::<usize, BTreeMap<TrackId, Timestamp>>::new();
        for candidate in situation.candidates(|zone| zone.kind == ZoneKind::Border) {
            let Some((inward, eta)) = time_to_line(&candidate) else { continue };
            // On the own side people live and work: who nears the line from there is announced when it is nearer, unless outward is
            // what the line is watched for.
            let own_side = !inward && candidate.zone.direction != ZoneDirection::Out;
            let nearest_s = if own_side { rules.approach_outward_within_s } else { f64::INFINITY };
            let within_s = rules.approach_within_s.min(nearest_s);
            if eta.s > KEEP_FACTOR * within_s {
                continue;
            }
            let began = self.since.get(&candidate.index).and_then(|tracks| tracks.get(&candidate.track.id));
            let began = began.copied().unwrap_or(situation.now);
            since.entry(candidate.index).or_default().insert(candidate.track.id, began);
            let hold_s = candidate.zone.approach_hold_s.unwrap_or(rules.approach_hold_s);
            let lasted = situation.now.seconds_since(began) >= hold_s;
            let name = &candidate.zone.name;
            let way = if inward { "inward" } else { "outward" };
            let mut finding = situation.track_finding("approach", AlertKind::Approach, &candidate);
            if !lasted || eta.s > within_s {
                finding.certainty = Certainty::Holds;
            }
            finding.severity =
                candidate.zone.severity.map_or(Severity::Medium, |severity| severity.min(Severity::Medium));
            finding.what = format!("approaching {name} {way}, there in {}", interval(&eta));
            finding.inward = Some(inward);
            finding.eta = Some(eta);
            findings.push(finding);
        }
        self.since = since;
    }
}

/// Time until the track reaches the line, and whether it would cross it inward; nothing when it does not move there.
fn time_to_line(candidate: &Candidate<'_>) -> Option<(bool, Eta)> {
    let relation = &candidate.relation;
    let inward = relation.signed_m < 0.0;
    let wanted = match candidate.zone.direction {
        ZoneDirection::Both => true,
        ZoneDirection::In => inward,
        ZoneDirection::Out => !inward,
    };
    let towards = if inward { relation.inward } else { -relation.inward };
    let track = candidate.track;
    let closing_mps = track.velocity_mps.dot(&towards);
    let closing_sd_mps = libm::sqrt(f64::max((towards.transpose() * track.velocity_covariance_m2ps2 * towards).x, 0.0));
    // Moving there must be more than noise, and nearer the line than twice what that direction can be trusted for.
    if !wanted || !relation.alongside || closing_mps < f64::max(CLOSING_MIN_MPS, 1.5 * closing_sd_mps) {
        return None;
    }
    // A path that runs along the line rather than towards it reaches it somewhere else, if at all.
    if closing_mps < 0.3 * track.velocity_mps.norm() {
        return None;
    }
    let distance_m = relation.signed_m.abs();
    let s = distance_m / closing_mps;
    // First-order error of a quotient, as a log-normal spread: times are positive and skewed.
    let (of_distance, of_speed) = (relation.sd_m / f64::max(distance_m, relation.sd_m), closing_sd_mps / closing_mps);
    let spread = libm::exp(1.96 * libm::sqrt(of_distance * of_distance + of_speed * of_speed));
    let tenth = |s: f64| libm::round(s * 10.0) / 10.0;
    Some((inward, Eta { s: tenth(s), low_s: tenth(s / spread), high_s: tenth(s * spread) }))
}

/// "40 s (25 to 60 s)", in minutes when it is long.
fn interval(eta: &Eta) -> String {
    if eta.s < 120.0 {
        format!("{:.0} s ({:.0} to {:.0} s)", eta.s, eta.low_s, eta.high_s)
    } else {
        format!("{:.0} min ({:.0} to {:.0} min)", eta.s / 60.0, eta.low_s / 60.0, eta.high_s / 60.0)
    }
}

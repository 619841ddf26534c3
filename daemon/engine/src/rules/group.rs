//! Many people together near a border or in a zone: how many, as a range.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vedette_tracker::{Track, TrackId};

use super::situation::Candidate;
use super::{Finding, Rule, Situation, Subject};
use crate::config::ZoneKind;
use crate::{AlertKind, Severity};

/// Tracks this near to each other, and this alike in velocity, go together.
const TOGETHER_M: f64 = 30.0;
const ALIKE_MPS: f64 = 1.0;
/// Animals in herds and vehicles in columns are no group of people.
const ON_FOOT: f64 = 0.5;

/// Probability left out on each side of the range.
const TAIL: f64 = 0.025;

/// The group each track belongs to, by zone; a group keeps the number of its first track.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Group {
    groups: BTreeMap<usize, BTreeMap<TrackId, TrackId>>,
}

impl Rule for Group {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let from = situation.site.rules.group_from;
        if from == 0 {
            return;
        }
        let mut zones = BTreeMap::<usize, Vec<Candidate<'_>>>::new();
        for candidate in situation.candidates(|zone| zone.kind.is_watched()) {
            if matters(situation, &candidate) {
                zones.entry(candidate.index).or_default().push(candidate);
            }
        }
        let mut groups = BTreeMap::new();
        for (zone, candidates) in &zones {
            let mut members = BTreeMap::new();
            for cluster in clusters(candidates) {
                let ids = || cluster.iter().map(|&index| candidates[index].track.id);
                let before = self.groups.get(zone);
                let known = ids().filter_map(|id| before.and_then(|tracks| tracks.get(&id)).copied()).min();
                let Some(number) = known.or_else(|| ids().min()) else { continue };
                members.extend(ids().map(|id| (id, number)));
                let count = count(cluster.iter().map(|&index| candidates[index].track));
                if count.0 >= from {
                    findings.push(finding(situation, candidates, &cluster, number, count));
                }
            }
            groups.insert(*zone, members);
        }
        self.groups = groups;
    }
}

fn matters(situation: &Situation<'_>, candidate: &Candidate<'_>) -> bool {
    let near = match candidate.zone.kind {
        ZoneKind::Border => candidate.relation.signed_m.abs() <= situation.site.rules.group_within_m,
        _ => candidate.relation.signed_m > 0.0,
    };
    let track = candidate.track;
    near && candidate.believed
        && track.localised
        && track.class.animal < ON_FOOT
        && track.class.vehicle < ON_FOOT
        && !situation.explained.contains_key(&track.id)
}

/// Tracks that hang together, as indices in order: each is near some other of its cluster.
fn clusters(candidates: &[Candidate<'_>]) -> Vec<Vec<usize>> {
    let together = |a: usize, b: usize| {
        let (a, b) = (candidates[a].track, candidates[b].track);
        (a.position_m - b.position_m).norm() <= TOGETHER_M && (a.velocity_mps - b.velocity_mps).norm() <= ALIKE_MPS
    };
    let mut left: BTreeSet<usize> = (0..candidates.len()).collect();
    let mut clusters = Vec::new();
    while let Some(first) = left.pop_first() {
        let (mut cluster, mut next) = (vec![first], 0);
        while let Some(&member) = cluster.get(next) {
            next += 1;
            let near: Vec<usize> = left.iter().copied().filter(|&other| together(member, other)).collect();
            for other in near {
                left.remove(&other);
                cluster.push(other);
            }
        }
        cluster.sort_unstable();
        clusters.push(cluster);
    }
    clusters
}

/// How many they are, as a 95 % range. Each track's own count holds its neighbours already: they are not added up.
fn count<'a>(members: impl Iterator<Item = &'a Track>) -> (u32, u32) {
    let (mut exactly, mut least, mut most, mut unsure) = (vec![1.0], 1, 1, 0);
    for track in members {
        let (low, high) = (track.count.0.max(1), track.count.1.max(1));
        (least, most) = (least.max(low), most.max(high));
        unsure = unsure.max(high.saturating_sub(low));
        // The number of those who exist: one more factor of its generating function.
        exactly.push(0.0);
        for number in (0..exactly.len()).rev() {
            let one_less = if number > 0 { exactly[number - 1] } else { 0.0 };
            exactly[number] = exactly[number] * (1.0 - track.existence) + one_less * track.existence;
        }
    }
    let tracks = u32::try_from(exactly.len() - 1).unwrap_or(u32::MAX);
    let mut below = 0.0;
    let at_least = (0_u32..).zip(&exactly).find_map(|(number, probability)| {
        below += probability;
        (below >= TAIL).then_some(number)
    });
    (least.max(at_least.unwrap_or(tracks)), most.max(tracks.saturating_add(unsure)))
}

fn finding(
    situation: &Situation<'_>,
    candidates: &[Candidate<'_>],
    cluster: &[usize],
    number: TrackId,
    count: (u32, u32),
) -> Finding {
    let members = || cluster.iter().map(|&index| &candidates[index]);
    let first = &candidates[cluster[0]];
    let zone = first.zone;
    let mut finding = situation.track_finding("group", AlertKind::Group, first);
    // What its first track does is done by all of it: one alert.
    finding.key = format!("zone/{}/track-{}", zone.name, number.0);
    finding.severity = zone.severity.unwrap_or(Severity::High);
    // The group is there when most of it is.
    #[expect(clippy::cast_precision_loss, reason = "some hundred tracks")]
    {
        finding.confidence = members().map(|member| member.weight).sum::<f64>() / cluster.len() as f64;
    }
    finding.first_seen = members().map(|member| member.track.first_seen).min().unwrap_or(finding.first_seen);
    finding.last_seen = members().map(|member| member.track.last_seen).max().unwrap_or(finding.last_seen);
    if let Subject::Track(track) = &mut finding.subject {
        track.count = count;
    }
    if zone.kind == ZoneKind::Border && first.relation.signed_m > 0.0 {
        // Over the line they can only go outward.
        finding.inward = Some(false);
    }
    finding.what = match zone.kind {
        ZoneKind::Border => format!("together {:.0} m from {}", first.relation.signed_m.abs(), zone.name),
        _ => format!("together in {}", zone.name),
    };
    finding
}

//! Joint hypotheses: which of the tracks that contend for plots is where.
//!
//! Two who walk side by side may have passed each other or not; one state for each cannot say so. Following the best
//! association of every scan lets them bounce, averaging draws them into one. So tracks that contend share a joint
//! belief: a few weighted hypotheses, each with one state for every member, as in a multi-Bernoulli mixture
//! (Garcia-Fernandez, Williams, Granstrom and Svensson, IEEE Transactions on Aerospace and Electronic Systems 54(4),
//! 2018) over these members alone. Each scan extends every hypothesis by its likely associations. Hypotheses under which
//! every member is in about the same place are merged rather than dropped, so a few of them span an encounter of any
//! length. A member about whom all agree leaves.
//!
//! Who gives only rays contends in the same way, and may be in several places under one hypothesis: which of the crossings
//! of several cameras' rays are objects is one question about all of them. Answered track by track, scan after scan, it
//! would count the same exclusion again and again, and the first guess would harden within seconds.
//!
//! Existence is part of it: under each hypothesis a member that goes without plots fades there, and only there.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use self::effort::{Effort, OF_AMBIGUOUS, OF_PLACED};
use self::hypotheses::{Joint, State};
use self::search::{Member, Parent, Rivalry, Rivals};
use crate::association::Verdict;
use crate::bernoulli::{Bernoulli, Label};
use crate::cluster::Forest;
use crate::densities::Densities;
use crate::filter::Models;
use crate::gate::Gates;
use crate::hint::{self, Reliability, Taken};
use crate::imm::Hypothesis;
use crate::mixture;
use crate::prospect::Prospect;
use crate::silence::reports_events;
use crate::view::View;

mod before;
mod effort;
mod hypotheses;
mod search;

/// A track's share of a joint belief.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bond {
    /// Names the belief: the smallest label of its members.
    pub(crate) name: Label,
    /// Where the track is under joint hypotheses that disagree with the likeliest, whose state is the track's own. The
    /// weights, with that of its own, sum to one.
    pub(crate) rivals: Vec<Rival>,
    /// The joint hypotheses, the likeliest first: the weight, which is the same for all members, and the number of the
    /// track's state, its own first. Empty when each has its own state.
    #[serde(default)]
    joints: Vec<(f64, usize)>,
    /// Whether it is about which rays belong together, so that a member may be in several places under one hypothesis.
    #[serde(default)]
    pub(crate) of_rays: bool,
}

impl Bond {
    /// The joint hypotheses, the likeliest first: weight and number of the track's state.
    pub(crate) fn joints(&self) -> Vec<(f64, usize)> {
        if !self.joints.is_empty() {
            return self.joints.clone();
        }
        let weights = self.rivals.iter().map(|rival| rival.hypothesis.weight);
        let own = 1.0 - weights.clone().sum::<f64>();
        std::iter::once(own).chain(weights).zip(0..).collect()
    }
}

/// One track under one joint hypothesis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rival {
    /// Probability that the object exists, given the joint hypothesis.
    pub(crate) existence: f64,
    /// Where it is if so; weighs what the joint hypothesis does.
    pub(crate) hypothesis: Hypothesis,
    /// Where else it may be under the same joint hypothesis, with weights that the former's share adds to one.
    #[serde(default)]
    pub(crate) others: Vec<Hypothesis>,
    /// The sensors' own numbers that it has taken.
    taken: Taken,
}

impl Rival {
    fn new(weight: f64, state: &State) -> Self {
        let hypothesis = Hypothesis { weight, ..state.hypothesis.clone() };
        Self { existence: state.existence, hypothesis, others: state.others.clone(), taken: state.taken.clone() }
    }

    /// All places under this joint hypothesis, with weights that sum to one.
    pub(crate) fn places(&self) -> impl Iterator<Item = (f64, &Hypothesis)> + Clone {
        places(&self.hypothesis, &self.others)
    }

    /// The same, to change them.
    pub(crate) fn places_mut(&mut self) -> impl Iterator<Item = &mut Hypothesis> {
        std::iter::once(&mut self.hypothesis).chain(&mut self.others)
    }
}

/// A place and the others with their weights, which sum to one.
pub(crate) fn places<'a>(
    first: &'a Hypothesis,
    others: &'a [Hypothesis],
) -> impl Iterator<Item = (f64, &'a Hypothesis)> + Clone {
    let rest: f64 = others.iter().map(|other| other.weight).sum();
    std::iter::once((1.0 - rest, first)).chain(others.iter().map(|other| (other.weight, other)))
}

/// Tracks contend when both are likely to exist and both claim a plot with at least this probability.
const CONTENDED_SHARE: f64 = 0.003;
const CONTENDER_EXISTENCE: f64 = 0.1;

/// A plot is from no track with at least this probability, whatever rounding leaves.
const LEAST_UNCLAIMED: f64 = 1e-9;

/// A scan before its update, with all that the joint beliefs need of it.
pub(crate) struct Scene<'a> {
    pub(crate) models: Models<'a>,
    /// The tracks that the scan concerns.
    pub(crate) touched: &'a [usize],
    pub(crate) prospects: &'a [Prospect],
    /// Plots in the gate of each track touched.
    pub(crate) gates: &'a Gates,
    pub(crate) densities: &'a Densities,
    pub(crate) verdicts: &'a [Verdict],
    /// Intensity of everything that is not a known track's.
    pub(crate) foreign: &'a [f64],
    /// For each plot the probability that it is from no track.
    pub(crate) unclaimed: &'a [f64],
    /// How far the sensor's own numbers for its objects can be believed.
    pub(crate) numbering: Reliability,
    pub(crate) view: &'a View<'a>,
}

/// Where a track is after the scan: under the likeliest joint hypothesis, then under the others.
pub(crate) struct Settled {
    pub(crate) track: usize,
    states: Vec<Rival>,
    joints: Vec<(f64, usize)>,
    of_rays: bool,
    name: Label,
}

impl Settled {
    /// That of one member of a belief.
    fn undecided(track: usize, (name, of_rays): (Label, bool), member: usize, joints: &[Joint]) -> Self {
        let mut distinct: Vec<(f64, &Rc<State>)> = Vec::new();
        let mut numbers = Vec::with_capacity(joints.len());
        for joint in joints {
            let state = &joint.states[member];
            let known = distinct.iter().position(|(_, other)| Rc::ptr_eq(other, state));
            let number = known.unwrap_or_else(|| {
                distinct.push((0.0, state));
                distinct.len() - 1
            });
            distinct[number].0 += joint.weight;
            numbers.push((joint.weight, number));
        }
        let states = distinct.into_iter().map(|(weight, state)| Rival::new(weight, state)).collect();
        Self { track, states, joints: numbers, of_rays, name }
    }

    /// Gives the track its states.
    pub(crate) fn install(self, track: &mut Bernoulli) {
        let mut states = self.states.into_iter();
        if let Some(first) = states.next() {
            track.existence = first.existence;
            track.taken = first.taken;
            let share = 1.0 - first.others.iter().map(|other| other.weight).sum::<f64>();
            track.hypotheses = vec![Hypothesis { weight: share, ..first.hypothesis }];
            track.hypotheses.extend(first.others);
        }
        let rivals: Vec<Rival> = states.collect();
        track.bond = if rivals.is_empty() {
            None
        } else {
            Some(Bond { name: self.name, rivals, joints: self.joints, of_rays: self.of_rays })
        };
    }
}

/// Takes a track out of a belief of tracks that have a place, since it may be in several now: it goes on with what the joint
/// hypotheses say of it alone.
pub(crate) fn leave(track: &mut Bernoulli) {
    let (existence, own) = (track.existence_of_all(), track.weight_of_own() * track.existence);
    let Some(bond) = track.bond.take() else { return };
    let mut parts = track.hypotheses.clone();
    parts.iter_mut().for_each(|part| part.weight *= own);
    for rival in &bond.rivals {
        let weight = rival.hypothesis.weight * rival.existence;
        parts.extend(rival.places().map(|(share, place)| Hypothesis { weight: weight * share, ..place.clone() }));
    }
    track.hypotheses = mixture::reduced(parts, &track.hypotheses);
    track.existence = existence;
}

/// Updates the joint beliefs, old and new, of a scan. The tracks it names follow no other association. With those that are
/// `staying` where they were, ascending, nobody comes to a belief.
pub(crate) fn settle(tracks: &[Bernoulli], scene: &Scene<'_>, staying: &[usize]) -> Vec<Settled> {
    let mut place_of = vec![None; tracks.len()];
    scene.touched.iter().enumerate().for_each(|(place, track)| place_of[*track] = Some(place));
    let parties = parties(tracks, scene);
    let mut claimed = vec![0.0; scene.view.plots.len()];
    scene.verdicts.iter().flat_map(|verdict| &verdict.claims).for_each(|(plot, share)| claimed[*plot] += share);
    // The scan says nothing about a belief none of whose members it concerns.
    let concerned = parties.iter().filter(|party| {
        party.iter().any(|track| place_of[*track].is_some())
            && party.iter().all(|track| staying.binary_search(track).is_err())
    });
    concerned.flat_map(|party| settle_party(tracks, scene, &claimed, party, &place_of)).collect()
}

/// The tracks of each joint belief: those that have one, and those that contend for a plot now. In a crowd everybody contends
/// with somebody, and of too many together no more than the best association could be looked for: beliefs that would be
/// larger stay apart, and take what the others claim as theirs.
fn parties(tracks: &[Bernoulli], scene: &Scene<'_>) -> Vec<Vec<usize>> {
    let mut named: BTreeMap<Label, Vec<usize>> = BTreeMap::new();
    for (track, bernoulli) in tracks.iter().enumerate() {
        if let Some(bond) = &bernoulli.bond {
            named.entry(bond.name).or_default().push(track);
        }
    }
    let mut forest = Forest::new(tracks.len());
    let mut concerned = vec![false; tracks.len()];
    let mut size = vec![1; tracks.len()];
    for members in named.values() {
        for member in members {
            forest.join(members[0], *member);
            concerned[*member] = true;
        }
        size[forest.root(members[0])] = members.len();
    }
    for (_, a, b) in ties(tracks, scene) {
        let (root_a, root_b) = (forest.root(a), forest.root(b));
        let together = size[root_a] + size[root_b];
        let of_rays = tracks[a].may_be_anywhere() || tracks[b].may_be_anywhere();
        let most = if of_rays { OF_AMBIGUOUS } else { OF_PLACED }.members;
        if root_a != root_b && together <= most {
            forest.join(a, b);
            size[forest.root(a)] = together;
            concerned[a] = true;
            concerned[b] = true;
        }
    }
    let mut parties: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for track in (0..concerned.len()).filter(|track| concerned[*track]) {
        parties.entry(forest.root(track)).or_default().push(track);
    }
    parties.into_values().collect()
}

/// Tracks that contend for a plot with the one that claims it most, and how much they claim it: the strongest tie first.
fn ties(tracks: &[Bernoulli], scene: &Scene<'_>) -> Vec<(f64, usize, usize)> {
    let mut claims: Vec<(usize, f64, usize)> = Vec::new();
    for (track, verdict) in scene.touched.iter().zip(scene.verdicts) {
        if tracks[*track].existence >= CONTENDER_EXISTENCE {
            // What an event began is around a footprint: only rays cross in places far apart.
            let begun_by = &scene.models.sensors[tracks[*track].label.sensor];
            let of_ray = !reports_events(begun_by);
            let may_contend = |plot: usize| !tracks[*track].is_ambiguous() || of_ray && scene.view.plots[plot].is_ray();
            let enough = verdict.claims.iter().filter(|(_, share)| *share >= CONTENDED_SHARE);
            claims.extend(enough.filter(|(plot, _)| may_contend(*plot)).map(|(plot, share)| (*plot, *share, *track)));
        }
    }
    claims.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut ties = Vec::new();
    for of_plot in claims.chunk_by(|a, b| a.0 == b.0) {
        let (_, _, first) = of_plot[0];
        ties.extend(of_plot[1..].iter().map(|(_, share, track)| (*share, first, *track)));
    }
    ties.sort_by(|a, b| b.0.total_cmp(&a.0));
    ties
}

/// Updates the joint belief of one party: extends it by the scan, and lets go of the members about whom all agree.
/// `claimed`: for each plot the probability that it is from any track.
fn settle_party(
    tracks: &[Bernoulli],
    scene: &Scene<'_>,
    claimed: &[f64],
    party: &[usize],
    place_of: &[Option<usize>],
) -> Vec<Settled> {
    let members: Vec<_> = party.iter().map(|track| (&tracks[*track], place_of[*track])).collect();
    let rivalry = rivalry(scene, claimed, &members);
    let members: Vec<Member<'_>> =
        members.into_iter().map(|(track, place)| Member::new(scene, &rivalry, track, place)).collect();
    let of_rays = party.iter().any(|track| tracks[*track].may_be_anywhere());
    let effort = if of_rays { OF_AMBIGUOUS } else { OF_PLACED }.for_members(party.len());
    let extended = search::extended(&parents(tracks, party, &effort), &members, &effort, scene.view);
    let mut joints = hypotheses::reduced(extended, &effort);
    let mut settled = Vec::with_capacity(party.len());
    let mut undecided = party.to_vec();
    let mut member = 0;
    while let Some(track) = undecided.get(member).copied() {
        if joints.iter().all(|joint| hypotheses::are_close(&joint.states[member], &joints[0].states[member])) {
            undecided.remove(member);
            let agreed = hypotheses::merged(joints.iter().map(|joint| (joint.weight, &joint.states[member])));
            joints.iter_mut().for_each(|joint| drop(joint.states.remove(member)));
            let states = agreed.into_iter().map(|state| Rival::new(1.0, &state)).collect();
            settled.push(Settled { track, states, joints: Vec::new(), of_rays, name: tracks[track].label });
        } else {
            member += 1;
        }
    }
    if let Some(first) = undecided.first() {
        let name = tracks[*first].label;
        let joints = hypotheses::reduced(joints, &effort);
        let of_members = undecided.into_iter().enumerate();
        settled.extend(of_members.map(|(member, track)| Settled::undecided(track, (name, of_rays), member, &joints)));
    }
    settled
}

/// What speaks for others about the plots that a member may have given.
fn rivalry(scene: &Scene<'_>, claimed: &[f64], members: &[(&Bernoulli, Option<usize>)]) -> Rivalry {
    let concerned = || members.iter().filter_map(|(track, place)| Some((track, (*place)?)));
    let mut plots: Vec<usize> = concerned().flat_map(|(_, place)| scene.gates.of(place)).copied().collect();
    plots.sort_unstable();
    plots.dedup();
    let mut share_of_others: Vec<f64> = plots.iter().map(|plot| claimed[*plot]).collect();
    for (_, place) in concerned() {
        for (plot, share) in &scene.verdicts[place].claims {
            if let Ok(found) = plots.binary_search(plot) {
                share_of_others[found] -= share;
            }
        }
    }
    let best_ratio = scene.view.has_numbers.then_some(0.0);
    let rivals = |(plot, share): (&usize, f64)| {
        // What members alone claim is nobody else's, whatever rounding leaves.
        let odds_of_others = share.clamp(0.0, 1.0) / scene.unclaimed[*plot].max(LEAST_UNCLAIMED);
        (*plot, Rivals { odds_of_others, best_ratio })
    };
    let mut rivalry: Vec<(usize, Rivals)> = plots.iter().zip(share_of_others).map(rivals).collect();
    if best_ratio.is_none() {
        return Rivalry(rivalry);
    }
    for (track, place) in concerned() {
        let rivals = track.bond.iter().flat_map(|bond| &bond.rivals).map(|rival| &rival.taken);
        for taken in std::iter::once(&track.taken).chain(rivals) {
            for plot in scene.gates.of(place) {
                let Ok(found) = plots.binary_search(plot) else { continue };
                let ratio = hint::ratio(taken, scene.view, *plot, &scene.numbering);
                let best = rivalry[found].1.best_ratio.get_or_insert(0.0);
                *best = best.max(ratio);
            }
        }
    }
    Rivalry(rivalry)
}

/// The joint hypotheses before the scan. Beliefs that were apart are independent. One that has come to pieces, because a
/// part of it was filtered anew, counts as its likeliest alone.
fn parents(tracks: &[Bernoulli], party: &[usize], effort: &Effort) -> Vec<Parent> {
    let mut beliefs: BTreeMap<Label, Vec<usize>> = BTreeMap::new();
    for (member, track) in party.iter().enumerate() {
        let track = &tracks[*track];
        beliefs.entry(track.bond.as_ref().map_or(track.label, |bond| bond.name)).or_default().push(member);
    }
    let joints = |member: usize| tracks[party[member]].bond.as_ref().map_or_else(|| vec![(1.0, 0)], Bond::joints);
    let mut parents = vec![Parent { weight: 1.0, states: vec![0; party.len()] }];
    for members in beliefs.values() {
        let of_members: Vec<Vec<(f64, usize)>> = members.iter().map(|member| joints(*member)).collect();
        let weights = |of: &[(f64, usize)]| -> Vec<f64> { of.iter().map(|(weight, _)| *weight).collect() };
        let shared = weights(&of_members[0]);
        if of_members.iter().any(|of| weights(of) != shared) {
            continue;
        }
        let mut product = Vec::with_capacity(parents.len() * shared.len());
        for parent in &parents {
            for (number, share) in shared.iter().enumerate() {
                let mut states = parent.states.clone();
                members.iter().zip(&of_members).for_each(|(member, of)| states[*member] = of[number].1);
                product.push(Parent { weight: parent.weight * share, states });
            }
        }
        product.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        product.truncate(2 * effort.hypotheses);
        parents = product;
    }
    parents
}

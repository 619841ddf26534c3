//! Who walks together goes out of sight together: into a wood, over a ridge, into a vehicle.
//!
//! The filter lets objects end one by one, so of a party of which nothing is seen any more each member would be believed in
//! for some scans. That a scan missed all of them by chance is far less likely than that the whole party has ended, which is
//! a hypothesis of its own here: under it nobody gives a plot, under its opposite each is missed for itself or, seldom, all
//! are hidden for a moment. One member that is found rules it out.

use nalgebra::Vector2;

use crate::association::Verdict;
use crate::bernoulli::Bernoulli;
use crate::cluster::Forest;
use crate::joint::Scene;
use crate::sweep::{close_pairs, longer_side};

/// Members of a party that has spread out are nearer to the next one than this, and still move much alike.
const APART_M: f64 = 100.0;
const ALIKE_MPS: f64 = 2.0;

/// Probability that all of a party are hidden from a scan and still there.
const HIDDEN: f64 = 3e-4;

/// So many plots of a party, in expectation, say that somebody of it is there.
const FOUND: f64 = 0.5;

/// A track less likely to exist is nobody's companion.
const LEAST_EXISTENCE: f64 = 0.2;

/// One whom a scan should have found and did not.
struct Missed {
    /// Among the tracks that the scan concerns.
    place: usize,
    position: Vector2<f64>,
    velocity: Vector2<f64>,
    existence: f64,
    /// Plots that it gave, in expectation.
    plots: f64,
    /// How much likelier what it gave is if it has ended.
    likelier: f64,
}

impl Missed {
    fn new(scene: &Scene<'_>, place: usize, track: &Bernoulli) -> Self {
        let (prospect, verdict) = (&scene.prospects[place], &scene.verdicts[place]);
        let state = track.moments_at(prospect);
        let existence = track.existence_of_all();
        Self {
            place,
            position: state.position(),
            velocity: state.velocity(),
            existence,
            plots: plots(verdict),
            likelier: libm::pow(
                verdict.missed / (1.0 - existence + existence * prospect.mean_missed),
                scene.view.share,
            ),
        }
    }

    fn is_with(&self, position: Vector2<f64>, velocity: Vector2<f64>) -> bool {
        (self.position - position).norm() < APART_M && (self.velocity - velocity).norm() < ALIKE_MPS
    }
}

/// Plots that a track gave, in expectation.
fn plots(verdict: &Verdict) -> f64 {
    verdict.claims.iter().map(|(_, share)| share).sum()
}

/// For the tracks, by place among those that the scan concerns, whose party may have ended: the odds of that, against the
/// prior probability that the track does not exist. `ended`: the probability that an object has ended since the sensor's last
/// scan; `in_company`: the part of all objects that walk with others. A scan in which nobody is found says nothing: the
/// sensor may have been blind.
pub(crate) fn endings(tracks: &[Bernoulli], scene: &Scene<'_>, ended: f64, in_company: f64) -> Vec<(usize, f64)> {
    let missed = missed(tracks, scene);
    if missed.len() < 2 || scene.verdicts.iter().all(|verdict| plots(verdict) < FOUND) {
        return Vec::new();
    }
    let parties = parties(&missed);
    if parties.is_empty() {
        return Vec::new();
    }
    let found = Found::of(tracks, scene);
    let mut endings = Vec::new();
    for party in parties {
        let members = || party.iter().map(|member| &missed[*member]);
        if members().map(|member| member.plots).sum::<f64>() >= FOUND
            || members().any(|member| found.is_somebody_with(member))
        {
            continue;
        }
        let likelier: f64 = members().map(|member| member.likelier).product();
        for member in members() {
            let others = 1.0 / (member.likelier / likelier + HIDDEN * member.likelier);
            let odds = member.existence * ended * in_company * others / (1.0 - member.existence).max(f64::EPSILON);
            endings.push((member.place, odds));
        }
    }
    endings
}

/// Those who are sure to have been there before the scan.
fn missed(tracks: &[Bernoulli], scene: &Scene<'_>) -> Vec<Missed> {
    let mut missed = Vec::new();
    for (place, (track, prospect)) in scene.touched.iter().zip(scene.prospects).enumerate() {
        let track = &tracks[*track];
        if plots(&scene.verdicts[place]) < FOUND
            && track.existence > LEAST_EXISTENCE
            && track.is_proven()
            && !track.is_ambiguous()
            && !track.is_known_to_outlast(scene.view.time)
            && prospect.mean_missed < 1.0
        {
            missed.push(Missed::new(scene, place, track));
        }
    }
    missed
}

/// Those who walk together, two and more.
fn parties(missed: &[Missed]) -> Vec<Vec<usize>> {
    let places: Vec<Vector2<f64>> = missed.iter().map(|member| member.position).collect();
    let mut forest = Forest::new(missed.len());
    for (a, b) in close_pairs(&places, APART_M) {
        if missed[a].is_with(missed[b].position, missed[b].velocity) {
            forest.join(a, b);
        }
    }
    let mut roots: Vec<(usize, usize)> = (0..missed.len()).map(|index| (forest.root(index), index)).collect();
    roots.sort_unstable();
    let of_some = roots.chunk_by(|a, b| a.0 == b.0).filter(|party| party.len() > 1);
    of_some.map(|party| party.iter().map(|(_, member)| *member).collect()).collect()
}

/// Those whom the scan found.
struct Found {
    /// The axis along which they are sorted.
    along: usize,
    /// Position and velocity of each.
    states: Vec<(Vector2<f64>, Vector2<f64>)>,
}

impl Found {
    fn of(tracks: &[Bernoulli], scene: &Scene<'_>) -> Self {
        let found = scene.verdicts.iter().zip(scene.prospects).zip(scene.touched);
        let found = found.filter(|((verdict, _), _)| plots(verdict) >= FOUND);
        let mut states: Vec<(Vector2<f64>, Vector2<f64>)> = Vec::with_capacity(scene.touched.len());
        states.extend(found.map(|((_, prospect), track)| {
            let state = tracks[*track].moments_at(prospect);
            (state.position(), state.velocity())
        }));
        let along = longer_side(states.iter().map(|(position, _)| *position));
        states.sort_unstable_by(|a, b| a.0[along].total_cmp(&b.0[along]));
        Self { along, states }
    }

    fn is_somebody_with(&self, member: &Missed) -> bool {
        let (low, high) = (member.position[self.along] - APART_M, member.position[self.along] + APART_M);
        let first = self.states.partition_point(|(position, _)| position[self.along] < low);
        let mut near = self.states[first..].iter().take_while(|(position, _)| position[self.along] <= high);
        near.any(|(position, velocity)| member.is_with(*position, *velocity))
    }
}

//! Who walks together goes out of sight together: into a wood, over a ridge, into a vehicle.
//!
//! The filter lets objects end one by one, so of a party of which nothing is seen any more each member would be believed in
//! for some scans. That a scan missed all of them by chance is far less likely than that the whole party has ended, which is
//! a hypothesis of its own here: under it nobody gives a plot, under its opposite each is missed for itself or, seldom, all
//! are hidden for a moment. One member that is found rules it out.

use nalgebra::Vector2;

use crate::bernoulli::Bernoulli;
use crate::cluster::Forest;
use crate::gate::longer_side;
use crate::joint::Scene;

/// Members of a party that has spread out are no farther from the next one than this, and still move much alike.
const APART_M: f64 = 60.0;
const ALIKE_MPS: f64 = 2.0;

/// Probability that all of a party are hidden from a scan and still there.
const HIDDEN: f64 = 3e-4;

/// So many plots of a party, in expectation, say that somebody of it is there.
const FOUND: f64 = 0.5;

/// A track less likely to exist is nobody's companion.
const LEAST_EXISTENCE: f64 = 0.2;

/// One who may have been seen in a scan.
struct Walker {
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

impl Walker {
    fn new(scene: &Scene<'_>, place: usize, track: &Bernoulli) -> Self {
        let (prospect, verdict) = (&scene.prospects[place], &scene.verdicts[place]);
        let state = track.moments_at(prospect);
        let existence = track.existence_of_all();
        Self {
            place,
            position: state.position(),
            velocity: state.velocity(),
            existence,
            plots: verdict.claims.iter().map(|(_, share)| share).sum(),
            likelier: verdict.missed / (1.0 - existence + existence * prospect.mean_missed),
        }
    }

    fn is_with(&self, other: &Self) -> bool {
        (self.position - other.position).norm() <= APART_M && (self.velocity - other.velocity).norm() <= ALIKE_MPS
    }
}

/// For the tracks, by place among those that the scan concerns, whose party may have ended: the prior probability that the
/// track exists and its party has ended since, relative to that of none, and the scan's evidence for it. `ended`: the
/// probability that an object has ended since the sensor's last scan; `in_company`: the part of all objects that walk with
/// others. A scan in which nobody is found says nothing: the sensor may have been blind.
pub(crate) fn endings(tracks: &[Bernoulli], scene: &Scene<'_>, ended: f64, in_company: f64) -> Vec<(usize, f64)> {
    let walkers = walkers(tracks, scene);
    if walkers.iter().all(|walker| walker.plots < FOUND) {
        return Vec::new();
    }
    let parties = unfound(&walkers);
    let mut endings = Vec::new();
    for party in &parties {
        let likelier: f64 = party.iter().map(|member| walkers[*member].likelier).product();
        for member in party {
            let walker = &walkers[*member];
            let others = 1.0 / (walker.likelier / likelier + HIDDEN * walker.likelier);
            let odds = walker.existence * ended * in_company * others / (1.0 - walker.existence).max(f64::EPSILON);
            endings.push((walker.place, odds));
        }
    }
    endings
}

/// Those whom the scan should have found, from west to east or from south to north.
fn walkers(tracks: &[Bernoulli], scene: &Scene<'_>) -> Vec<Walker> {
    let mut walkers = Vec::with_capacity(scene.touched.len());
    for (place, track) in scene.touched.iter().enumerate() {
        let track = &tracks[*track];
        if track.existence > LEAST_EXISTENCE
            && track.is_proven()
            && !track.is_ambiguous()
            && !track.is_known_to_outlast(scene.view.time)
            && scene.prospects[place].mean_missed < 1.0
        {
            walkers.push(Walker::new(scene, place, track));
        }
    }
    let along = longer_side(walkers.iter().map(|walker| walker.position));
    walkers.sort_by(|a, b| a.position[along].total_cmp(&b.position[along]).then(a.place.cmp(&b.place)));
    walkers
}

/// Parties of two and more of whom nobody was found.
fn unfound(walkers: &[Walker]) -> Vec<Vec<usize>> {
    let along = longer_side(walkers.iter().map(|walker| walker.position));
    let mut forest = Forest::new(walkers.len());
    let mut has_found = vec![false; walkers.len()];
    for (index, walker) in walkers.iter().enumerate().filter(|(_, walker)| walker.plots < FOUND) {
        let is_near = |other: &usize| (walkers[*other].position[along] - walker.position[along]).abs() <= APART_M;
        let behind = (0..index).rev().take_while(is_near);
        let ahead = (index + 1..walkers.len()).take_while(is_near);
        for other in behind.chain(ahead).filter(|other| walker.is_with(&walkers[*other])) {
            if walkers[other].plots >= FOUND {
                // In a crowd the next one usually is: the others need not be looked at.
                has_found[index] = true;
                break;
            }
            forest.join(index, other);
        }
    }
    let mut parties: Vec<(usize, usize)> = (0..walkers.len()).map(|index| (forest.root(index), index)).collect();
    parties.sort_unstable();
    let members = |party: &[(usize, usize)]| party.iter().map(|(_, member)| *member).collect::<Vec<_>>();
    let is_unfound = |party: &Vec<usize>| {
        let plots: f64 = party.iter().map(|member| walkers[*member].plots).sum();
        party.len() > 1 && plots < FOUND && party.iter().all(|member| !has_found[*member])
    };
    parties.chunk_by(|a, b| a.0 == b.0).map(members).filter(is_unfound).collect()
}

//! From the joint hypotheses before a scan to those after it: what each member may have given, and which of that goes
//! together.

use super::Scene;
use super::hypotheses::{Joint, State};
use crate::assignment;
use crate::belief::Pair;
use crate::bernoulli::{Bernoulli, updated_by};
use crate::hint;
use crate::update::{MOST_CERTAIN, news, tempered};

/// Most partial associations of one joint hypothesis that are looked at.
const MOST_NODES: usize = 500;

/// Members of a belief that all likely associations are looked for of.
const MOST_MEMBERS: usize = 12;

/// Most associations that become hypotheses, before the alike are merged.
const MOST_FOLLOWED: usize = 40;

/// What weighs less than this against the likeliest is not followed.
const SMALLEST_RATIO: f64 = 1e-4;

/// A joint hypothesis before the scan.
pub(super) struct Parent {
    pub(super) weight: f64,
    /// For each member the number of its state.
    pub(super) states: Vec<usize>,
}

/// What speaks about each plot for others than the member that might have given it.
pub(super) struct Rivalry {
    /// Probability that it is from a track outside the party.
    pub(super) share_of_others: Vec<f64>,
    /// The most that its number says for any member; empty when the sensor numbers nothing.
    pub(super) best_ratio: Vec<f64>,
}

/// What one member may have given, under each of its states.
pub(super) struct Member {
    of_state: Vec<Choices>,
}

/// What a member may have given under one of its states.
struct Choices {
    /// The likeliest first; never empty.
    choices: Vec<Choice>,
    /// Probability that it gives nothing, relative to the member's other states.
    alone: f64,
}

/// One plot, or none.
struct Choice {
    plot: Option<usize>,
    /// Relative to the likeliest that the member may have given.
    weight: f64,
    state: State,
}

impl Member {
    /// `place`: among those touched. A track that the scan does not concern stays as it is.
    pub(super) fn new(scene: &Scene<'_>, rivalry: &Rivalry, track: &Bernoulli, place: Option<usize>) -> Self {
        let own = State::new(track.existence, track.hypotheses[0].clone(), track.taken.clone());
        let rivals = track.bond.iter().flat_map(|bond| &bond.rivals).cloned();
        let rivals = rivals.map(|rival| State::new(rival.existence, rival.hypothesis, rival.taken));
        let of_state = std::iter::once(own).chain(rivals).map(|state| match place {
            Some(place) => Choices::seen(scene, rivalry, (track, place), &state),
            None => Choices::unseen(state),
        });
        let mut of_state: Vec<Choices> = of_state.collect();
        // Products over many members stay in range; what is common to all hypotheses tells nothing.
        let likeliest = of_state.iter().fold(0.0_f64, |most, of| most.max(of.choices[0].weight));
        let alone = of_state.iter().fold(0.0_f64, |most, of| most.max(of.alone));
        for of in &mut of_state {
            of.alone /= alone;
            of.choices.iter_mut().for_each(|choice| choice.weight /= likeliest);
        }
        Self { of_state }
    }
}

impl Choices {
    fn unseen(state: State) -> Self {
        Self { choices: vec![Choice { plot: None, weight: 1.0, state }], alone: 1.0 }
    }

    fn seen(scene: &Scene<'_>, rivalry: &Rivalry, (track, place): (&Bernoulli, usize), before: &State) -> Self {
        let (prospect, view, existence) = (&scene.prospects[place], scene.view, before.existence);
        let weight_of = |ratio: f64| if view.share < 1.0 { libm::pow(ratio, view.share) } else { ratio };
        let alone = (1.0 - existence + existence * prospect.mean_missed).max(f64::MIN_POSITIVE);
        let if_missed = tempered(existence, existence * prospect.mean_missed / alone, view.share);
        let mut missed = before.clone();
        missed.existence = if_missed;
        let mut of = Self { alone: weight_of(alone), ..Self::unseen(missed) };
        for plot in scene.gates.of(place).iter().copied() {
            let seen = &view.plots[plot];
            let density = before.hypothesis.mean(|state| seen.likelihood(state));
            let others = rivalry.share_of_others[plot];
            let elsewhere = scene.foreign[plot] * (1.0 + others / (1.0 - others).max(SMALLEST_RATIO))
                - view.own_returns(place, plot);
            let detected = existence * prospect.detected[0] * density;
            let likely = weight_of(detected / (alone * elsewhere.max(f64::MIN_POSITIVE)));
            let ratio = |best: &f64| hint::ratio(&before.taken, view, plot, &scene.numbering) / best;
            let weight = likely * rivalry.best_ratio.get(plot).map_or(1.0, ratio);
            if weight <= SMALLEST_RATIO {
                continue;
            }
            let shadow = view.shadow(place, &[(plot, 1.0)], scene.foreign);
            let news = news(scene.models, track, view, shadow);
            let if_seen = tempered(existence, MOST_CERTAIN, view.share * news);
            let Some(after) = updated_by(&before.hypothesis, seen, 1.0) else { continue };
            let mut state = State::new(if_seen, after, before.taken.clone());
            if let Some(number) = seen.object {
                state.taken.note(view.sensor, number, view.time);
            }
            of.choices.push(Choice { plot: Some(plot), weight, state });
        }
        of.choices.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        of
    }
}

/// The likeliest joint associations, found depth first. The best of each parent, an assignment problem, tells early what
/// is too unlikely to follow.
pub(super) fn extended(parents: &[Parent], members: &[Member]) -> Vec<Joint> {
    let searches = parents.iter().map(|parent| {
        let search = Search::new(parent, members);
        let best = search.best();
        (search, best)
    });
    let searches: Vec<(Search<'_>, Association)> = searches.collect();
    let least = SMALLEST_RATIO * searches.iter().fold(0.0, |most: f64, (_, best)| most.max(best.weight));
    // Those of a crowd are too many to look through: only the best of each parent is followed.
    let most_nodes = if members.len() > MOST_MEMBERS { 0 } else { MOST_NODES };
    let mut found = Vec::new();
    for (search, best) in &searches {
        let mut nodes = most_nodes;
        let mut of_search = vec![best.clone()];
        let begun = Association { weight: search.weight, choices: Vec::new() };
        search.descend(&begun, least, &mut nodes, &mut of_search);
        let likely = of_search.into_iter().filter(|association| association.weight >= least);
        found.extend(likely.map(|association| (search, association)));
    }
    found.sort_by(|a, b| b.1.weight.total_cmp(&a.1.weight));
    found.truncate(MOST_FOLLOWED);
    found.iter().map(|(search, association)| search.joint(association)).collect()
}

/// The associations under one joint hypothesis.
struct Search<'a> {
    weight: f64,
    /// What each member may choose.
    members: Vec<&'a [Choice]>,
    /// The most that the members from each on can contribute.
    bound: Vec<f64>,
    /// Whether this is the hypothesis that was reported before.
    is_reported: bool,
}

/// An association, perhaps of the first members only: for each the number of its choice.
#[derive(Clone, Debug)]
struct Association {
    weight: f64,
    choices: Vec<usize>,
}

impl<'a> Search<'a> {
    fn new(parent: &Parent, all: &'a [Member]) -> Self {
        let mut weight = parent.weight;
        let mut members = Vec::with_capacity(all.len());
        for (number, member) in parent.states.iter().zip(all) {
            let of = &member.of_state[*number];
            weight *= of.alone;
            members.push(of.choices.as_slice());
        }
        let mut bound = vec![1.0; members.len() + 1];
        for member in (0..members.len()).rev() {
            bound[member] = bound[member + 1] * members[member][0].weight;
        }
        Self { weight, members, bound, is_reported: parent.states.iter().all(|number| *number == 0) }
    }

    /// The best association of all members.
    fn best(&self) -> Association {
        let mut plots: Vec<usize> =
            self.members.iter().flat_map(|of| of.iter().filter_map(|choice| choice.plot)).collect();
        plots.sort_unstable();
        plots.dedup();
        let mut pairs = Vec::new();
        for (track, of) in self.members.iter().enumerate() {
            pairs.extend(of.iter().filter_map(|choice| {
                let plot = plots.binary_search(&choice.plot?).ok()?;
                Some(Pair { track, plot, weight: choice.weight })
            }));
        }
        // The assignment compares with giving nothing.
        for pair in &mut pairs {
            let nothing = self.members[pair.track].iter().find(|choice| choice.plot.is_none());
            pair.weight /= nothing.map_or(1.0, |nothing| nothing.weight).max(f64::MIN_POSITIVE);
        }
        let best = assignment::best(self.members.len(), plots.len(), &pairs);
        let number = |(pair, of): (&Option<usize>, &&[Choice])| {
            let plot = pair.map(|pair| plots[pairs[pair].plot]);
            of.iter().position(|choice| choice.plot == plot).unwrap_or(0)
        };
        let choices: Vec<usize> = best.iter().zip(&self.members).map(number).collect();
        let weights = choices.iter().zip(&self.members).map(|(number, of)| of[*number].weight);
        Association { weight: self.weight * weights.product::<f64>(), choices }
    }

    /// Adds to `found`, which begins with the best, every other association that begins so and weighs at least `least`.
    fn descend(&self, begun: &Association, least: f64, nodes: &mut usize, found: &mut Vec<Association>) {
        let member = begun.choices.len();
        if member == self.members.len() {
            if found[0].choices != begun.choices {
                found.push(begun.clone());
            }
            return;
        }
        for (number, choice) in self.members[member].iter().enumerate() {
            let weight = begun.weight * choice.weight;
            if *nodes == 0 || weight * self.bound[member + 1] < least {
                return;
            }
            *nodes -= 1;
            if choice.plot.is_none_or(|plot| !self.takes(begun, plot)) {
                let choices = begun.choices.iter().copied().chain([number]).collect();
                self.descend(&Association { weight, choices }, least, nodes, found);
            }
        }
    }

    fn takes(&self, begun: &Association, plot: usize) -> bool {
        begun.choices.iter().zip(&self.members).any(|(number, of)| of[*number].plot == Some(plot))
    }

    fn joint(&self, association: &Association) -> Joint {
        let states = association.choices.iter().zip(&self.members).map(|(number, of)| of[*number].state.clone());
        let reported = if self.is_reported { association.weight } else { 0.0 };
        Joint { weight: association.weight, reported, states: states.collect() }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};
    use proptest::prelude::*;

    use super::*;
    use crate::gaussian::Gaussian;
    use crate::hint::Taken;
    use crate::imm::Hypothesis;

    const PLOTS: usize = 3;

    fn somewhere() -> State {
        let place = Gaussian::new(Vector2::zeros(), Matrix2::identity(), Vector2::zeros(), Matrix2::identity());
        let hypothesis = Hypothesis { weight: 1.0, mode_probability: [0.0, 1.0, 0.0], modes: [place; 3] };
        State::new(0.9, hypothesis, Taken::default())
    }

    /// A member of one state that gives nothing, or one of the plots with these logarithms of weights.
    fn member(logs: &[Option<f64>]) -> Member {
        let mut of = Choices::unseen(somewhere());
        for (plot, log) in logs.iter().enumerate() {
            let choice = log.map(|log| Choice { plot: Some(plot), weight: libm::exp(log), state: somewhere() });
            of.choices.extend(choice);
        }
        of.choices.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        Member { of_state: vec![of] }
    }

    /// Weights of all associations, by trying them.
    fn exhaustive(members: &[Vec<Option<f64>>], taken: &mut Vec<usize>, weight: f64, found: &mut Vec<f64>) {
        let Some((first, rest)) = members.split_first() else {
            found.push(weight);
            return;
        };
        exhaustive(rest, taken, weight, found);
        for (plot, log) in first.iter().enumerate().filter_map(|(plot, log)| Some((plot, (*log)?))) {
            if !taken.contains(&plot) {
                taken.push(plot);
                exhaustive(rest, taken, weight * libm::exp(log), found);
                taken.pop();
            }
        }
    }

    proptest! {
        #[test]
        fn every_likely_association_is_found_once(
            logs in prop::collection::vec(prop::collection::vec(prop::option::of(-6.0..6.0_f64), PLOTS), 1..4),
        ) {
            let members: Vec<Member> = logs.iter().map(|logs| member(logs)).collect();
            let parent = Parent { weight: 1.0, states: vec![0; members.len()] };
            let mut found: Vec<f64> = extended(&[parent], &members).iter().map(|joint| joint.weight).collect();
            let mut expected = Vec::new();
            exhaustive(&logs, &mut Vec::new(), 1.0, &mut expected);
            for weights in [&mut found, &mut expected] {
                weights.sort_by(|a, b| b.total_cmp(a));
            }
            let least = expected[0] * SMALLEST_RATIO;
            expected.retain(|weight| *weight >= least * (1.0 + 1e-9));
            prop_assert!(found.len() >= expected.len(), "{} found of {}", found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((found / expected - 1.0).abs() < 1e-9);
            }
        }
    }
}

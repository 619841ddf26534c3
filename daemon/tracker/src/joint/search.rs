//! From the joint hypotheses before a scan to those after it: what each member may have given, and which of that goes
//! together.

use std::cell::OnceCell;
use std::rc::Rc;

use smallvec::{SmallVec, smallvec};

use super::Scene;
use super::before::Before;
use super::effort::Effort;
use super::hypotheses::{FEW, Joint, State};
use crate::assignment;
use crate::belief::Pair;
use crate::bernoulli::Bernoulli;
use crate::hint;
use crate::update::{MOST_CERTAIN, news, tempered};
use crate::view::View;

/// What weighs less than this against the likeliest is not followed.
const SMALLEST_RATIO: f64 = 1e-3;

/// A joint hypothesis before the scan.
pub(super) struct Parent {
    pub(super) weight: f64,
    /// For each member the number of its state.
    pub(super) states: Vec<usize>,
}

/// What speaks about the plots in the members' gates for others than the member that might have given one: by plot,
/// ascending.
pub(super) struct Rivalry(pub(super) Vec<(usize, Rivals)>);

/// What speaks for others about one plot.
#[derive(Clone, Copy, Default)]
pub(super) struct Rivals {
    /// How much likelier it is from a track outside the party than from none: what belief propagation says for those.
    pub(super) odds_of_others: f64,
    /// The most that its number says for any member; without one when the sensor numbers nothing.
    pub(super) best_ratio: Option<f64>,
}

impl Rivalry {
    fn about(&self, plot: usize) -> Rivals {
        self.0.binary_search_by_key(&plot, |(plot, _)| *plot).map(|place| self.0[place].1).unwrap_or_default()
    }
}

/// What one member may have given, under each of its states.
pub(super) struct Member<'a> {
    of_state: Vec<Choices<'a>>,
}

/// What a member may have given under one of its states.
struct Choices<'a> {
    before: Before<'a>,
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
    /// Probability that the member exists, if so.
    existence: f64,
    /// The state after it, once a joint hypothesis follows it.
    after: OnceCell<Rc<State>>,
}

impl Choice {
    fn new(plot: Option<usize>, weight: f64, existence: f64) -> Self {
        Self { plot, weight, existence, after: OnceCell::new() }
    }

    fn after(&self, before: Before<'_>, view: &View<'_>) -> Rc<State> {
        let after = self.after.get_or_init(|| {
            let seen = self.plot.map(|plot| &view.plots[plot]);
            let mut after = before.after(self.existence, seen);
            if let Some(number) = seen.and_then(|plot| plot.object) {
                after.taken.note(view.sensor, number, view.time);
            }
            Rc::new(after)
        });
        Rc::clone(after)
    }
}

impl<'a> Member<'a> {
    /// `place`: among those touched. A track that the scan does not concern stays as it is.
    pub(super) fn new(scene: &Scene<'a>, rivalry: &Rivalry, track: &'a Bernoulli, place: Option<usize>) -> Self {
        let before = Before::all_of(track, place.map(|place| &scene.prospects[place]));
        let of_state = before.enumerate().map(|(number, state)| match place {
            Some(place) => Choices::seen(scene, rivalry, (track, place, number), state),
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

impl<'a> Choices<'a> {
    fn unseen(before: Before<'a>) -> Self {
        Self { choices: vec![Choice::new(None, 1.0, before.existence)], alone: 1.0, before }
    }

    /// Those of the state of this number of the track at this place.
    fn seen(
        scene: &Scene<'_>,
        rivalry: &Rivalry,
        (track, place, number): (&Bernoulli, usize, usize),
        before: Before<'a>,
    ) -> Self {
        let (view, existence) = (scene.view, before.existence);
        let weight_of = |ratio: f64| if view.share < 1.0 { libm::pow(ratio, view.share) } else { ratio };
        let alone = (1.0 - existence + existence * before.missed).max(f64::MIN_POSITIVE);
        let outlasts = track.is_known_to_outlast(view.time);
        let after = |evidence: f64, share: f64| if outlasts { existence } else { tempered(existence, evidence, share) };
        let if_missed = after(existence * before.missed / alone, view.share);
        let mut choices = Vec::with_capacity(1 + scene.gates.of(place).len());
        choices.push(Choice::new(None, 1.0, if_missed));
        for (gated, plot) in scene.gates.of(place).iter().copied().enumerate() {
            let density = scene.densities.of(place, gated)[number];
            if density <= 0.0 {
                continue;
            }
            let Rivals { odds_of_others, best_ratio } = rivalry.about(plot);
            let elsewhere = scene.foreign[plot] * (1.0 + odds_of_others) - view.own_returns(place, plot);
            let detected = existence * density;
            let likely = weight_of(detected / (alone * elsewhere.max(f64::MIN_POSITIVE)));
            let ratio = |best: &f64| hint::ratio(before.taken, view, plot, &scene.numbering) / best;
            let weight = likely * best_ratio.as_ref().map_or(1.0, ratio);
            if weight <= SMALLEST_RATIO {
                continue;
            }
            let shadow = view.shadow(place, &[(plot, 1.0)], scene.foreign);
            let news = news(scene.models, track, view, shadow);
            let if_seen = after(MOST_CERTAIN, view.share * news);
            choices.push(Choice::new(Some(plot), weight, if_seen));
        }
        choices.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        Self { before, choices, alone: weight_of(alone) }
    }
}

/// The likeliest joint associations, found depth first. The best of each parent, an assignment problem, tells early what
/// is too unlikely to follow.
pub(super) fn extended(parents: &[Parent], members: &[Member<'_>], effort: &Effort, view: &View<'_>) -> Vec<Joint> {
    let searches = parents.iter().map(|parent| {
        let search = Search::new(parent, members);
        let best = search.best();
        (search, best)
    });
    let searches: Vec<(Search<'_>, Association)> = searches.collect();
    let least = SMALLEST_RATIO * searches.iter().fold(0.0, |most: f64, (_, best)| most.max(best.weight));
    // Those of a crowd are too many to look through: only the best of each parent is followed.
    let most_nodes = if members.len() > effort.members { 0 } else { effort.nodes };
    let mut found = Vec::new();
    for (search, best) in &searches {
        let mut nodes = most_nodes;
        let mut of_search = vec![best.clone()];
        search.descend(search.weight, &mut SmallVec::new(), least, &mut nodes, &mut of_search);
        let likely = of_search.into_iter().filter(|association| association.weight >= least);
        found.extend(likely.map(|association| (search, association)));
    }
    found.sort_by(|a, b| b.1.weight.total_cmp(&a.1.weight));
    found.truncate(effort.followed);
    found.iter().map(|(search, association)| search.joint(association, view)).collect()
}

/// The associations under one joint hypothesis.
struct Search<'a> {
    weight: f64,
    /// What each member may choose.
    members: SmallVec<[&'a Choices<'a>; FEW]>,
    /// The most that the members from each on can contribute.
    bound: SmallVec<[f64; FEW]>,
    /// Whether this is the hypothesis that was reported before.
    is_reported: bool,
}

/// An association: for each member the number of its choice.
#[derive(Clone, Debug)]
struct Association {
    weight: f64,
    choices: SmallVec<[usize; FEW]>,
}

impl<'a> Search<'a> {
    fn new(parent: &Parent, all: &'a [Member<'a>]) -> Self {
        let mut weight = parent.weight;
        let mut members = SmallVec::with_capacity(all.len());
        for (number, member) in parent.states.iter().zip(all) {
            let of = &member.of_state[*number];
            weight *= of.alone;
            members.push(of);
        }
        let mut bound: SmallVec<[f64; FEW]> = members.iter().map(|of: &&Choices<'_>| of.choices[0].weight).collect();
        for member in (1..members.len()).rev() {
            bound[member - 1] *= bound[member];
        }
        Self { weight, members, bound, is_reported: parent.states.iter().all(|number| *number == 0) }
    }

    /// The best association of all members.
    fn best(&self) -> Association {
        let choices = if self.is_free() { smallvec![0; self.members.len()] } else { self.best_of_contended() };
        let weights = choices.iter().zip(&self.members).map(|(number, of)| of.choices[*number].weight);
        Association { weight: self.weight * weights.product::<f64>(), choices }
    }

    /// Whether each member may have its likeliest choice.
    fn is_free(&self) -> bool {
        let likeliest = |of: &&Choices<'_>| of.choices[0].plot;
        (1..self.members.len()).all(|member| {
            let plot = likeliest(&self.members[member]);
            plot.is_none() || self.members[..member].iter().all(|other| likeliest(other) != plot)
        })
    }

    /// The numbers of the choices of the best association, as an assignment problem.
    fn best_of_contended(&self) -> SmallVec<[usize; FEW]> {
        let mut plots: Vec<usize> =
            self.members.iter().flat_map(|of| of.choices.iter().filter_map(|choice| choice.plot)).collect();
        plots.sort_unstable();
        plots.dedup();
        let mut pairs = Vec::new();
        for (track, of) in self.members.iter().enumerate() {
            pairs.extend(of.choices.iter().filter_map(|choice| {
                let plot = plots.binary_search(&choice.plot?).ok()?;
                Some(Pair { track, plot, weight: choice.weight })
            }));
        }
        // The assignment compares with giving nothing.
        for pair in &mut pairs {
            let nothing = self.members[pair.track].choices.iter().find(|choice| choice.plot.is_none());
            pair.weight /= nothing.map_or(1.0, |nothing| nothing.weight).max(f64::MIN_POSITIVE);
        }
        let best = assignment::best(self.members.len(), plots.len(), &pairs);
        let number = |(pair, of): (&Option<usize>, &&Choices<'_>)| {
            let plot = pair.map(|pair| plots[pairs[pair].plot]);
            of.choices.iter().position(|choice| choice.plot == plot).unwrap_or(0)
        };
        best.iter().zip(&self.members).map(number).collect()
    }

    /// Adds to `found`, which begins with the best, every other association that begins with these choices, of this weight,
    /// and weighs at least `least`.
    fn descend(
        &self,
        begun: f64,
        choices: &mut SmallVec<[usize; FEW]>,
        least: f64,
        nodes: &mut usize,
        found: &mut Vec<Association>,
    ) {
        let member = choices.len();
        if member == self.members.len() {
            if found[0].choices != *choices {
                found.push(Association { weight: begun, choices: choices.clone() });
            }
            return;
        }
        for (number, choice) in self.members[member].choices.iter().enumerate() {
            let weight = begun * choice.weight;
            if *nodes == 0 || weight * self.bound.get(member + 1).unwrap_or(&1.0) < least {
                return;
            }
            *nodes -= 1;
            if choice.plot.is_none_or(|plot| !self.takes(choices, plot)) {
                choices.push(number);
                self.descend(weight, choices, least, nodes, found);
                choices.pop();
            }
        }
    }

    /// Whether one of the first members has chosen the plot.
    fn takes(&self, choices: &[usize], plot: usize) -> bool {
        choices.iter().zip(&self.members).any(|(number, of)| of.choices[*number].plot == Some(plot))
    }

    fn joint(&self, association: &Association, view: &View<'_>) -> Joint {
        let followed = association.choices.iter().zip(&self.members);
        let states = followed.map(|(number, of)| of.choices[*number].after(of.before, view));
        let reported = if self.is_reported { association.weight } else { 0.0 };
        Joint { weight: association.weight, reported, states: states.collect() }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};
    use proptest::prelude::*;

    use super::super::effort::OF_PLACED;
    use super::*;
    use crate::cells::Cells;
    use crate::config::TrackerConfig;
    use crate::detection::{Detection, Measurement, Scan};
    use crate::gaussian::Gaussian;
    use crate::hint::Taken;
    use crate::imm::Hypothesis;
    use crate::measure::fixture::sensor;
    use crate::sensor::{Coverage, SensorKind};
    use crate::sensor_state::SensorState;
    use crate::time::Timestamp;

    const PLOTS: usize = 3;

    fn somewhere() -> Hypothesis {
        let place = Gaussian::new(Vector2::zeros(), Matrix2::identity(), Vector2::zeros(), Matrix2::identity());
        Hypothesis { weight: 1.0, mode_probability: [0.0, 1.0, 0.0], modes: [place; 3] }
    }

    /// As many plots as any member may give.
    fn scan() -> Scan {
        let measurement = Measurement::Position { position_m: Vector2::zeros(), covariance_m2: Matrix2::identity() };
        let plot = Detection { measurement, class: None, confidence: None, object: None };
        Scan { sensor: 0, time: Timestamp::from_seconds(0), at: None, detections: vec![plot; PLOTS] }
    }

    /// A member of one state that gives nothing, or one of the plots with these logarithms of weights.
    fn member<'a>(before: Before<'a>, logs: &[Option<f64>]) -> Member<'a> {
        let mut of = Choices::unseen(before);
        for (plot, log) in logs.iter().enumerate() {
            let choice = log.map(|log| Choice::new(Some(plot), libm::exp(log), 0.9));
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
            let (place, taken) = (somewhere(), Taken::default());
            let before = Before { existence: 0.9, hypothesis: &place, others: &[], taken: &taken, detected: &[1.0], missed: 0.1 };
            let members: Vec<Member<'_>> = logs.iter().map(|logs| member(before, logs)).collect();
            let parent = Parent { weight: 1.0, states: vec![0; members.len()] };
            let radar = sensor(SensorKind::Radar, Coverage::Circle { radius_m: 100.0 });
            let seen = View::new(&TrackerConfig::default(), &scan(), &radar, &SensorState::new(&radar), Cells::default(), None);
            let mut found: Vec<f64> = extended(&[parent], &members, &OF_PLACED, &seen).iter().map(|joint| joint.weight).collect();
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

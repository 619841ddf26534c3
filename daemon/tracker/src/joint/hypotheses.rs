//! The joint hypotheses themselves: comparing, merging, and keeping them few.

use std::collections::BTreeSet;
use std::rc::Rc;

use smallvec::SmallVec;

use super::effort::Effort;
use crate::gaussian::Gaussian;
use crate::hint::Taken;
use crate::imm::Hypothesis;
use crate::mixture;

/// Another hypothesis is reported only when it is so many times likelier than the one reported before: tracks that
/// exchange their names every few scans are of no use.
const CHANGE_OF_MIND: f64 = 2.0;

/// Existence that differs by more than this is worth telling apart.
const ALIKE_EXISTENCE: f64 = 0.2;

/// States nearer to each other than this, as a squared Mahalanobis distance in their mean covariance, are alike.
const ALIKE_SQUARED: f64 = 0.8;

/// Where one may be in several places, what counts is the symmetric divergence of the moments: a crossing lies well inside
/// of the ray, but is not like it.
const ALIKE_DIVERGENCE: f64 = 0.6;

/// Most beliefs have no more members than this: their lists need no memory of their own.
pub(super) const FEW: usize = 4;

/// A joint hypothesis: a state for each member. Hypotheses that agree about a member share its state.
#[derive(Clone)]
pub(super) struct Joint {
    pub(super) weight: f64,
    /// Part of the weight that comes down from the hypothesis that was reported before.
    pub(super) reported: f64,
    pub(super) states: SmallVec<[Rc<State>; FEW]>,
}

/// A member's state with its moments, for comparing.
#[derive(Clone)]
pub(super) struct State {
    pub(super) existence: f64,
    pub(super) hypothesis: Hypothesis,
    /// Where else the member may be, with weights.
    pub(super) others: Vec<Hypothesis>,
    /// The sensors' own numbers that it has taken.
    pub(super) taken: Taken,
    moments: Gaussian,
}

impl State {
    pub(super) fn new(existence: f64, hypothesis: Hypothesis, taken: Taken) -> Self {
        let moments = hypothesis.moments();
        Self { existence, hypothesis, others: Vec::new(), taken, moments }
    }

    /// A state in several places, with weights that sum to one.
    pub(super) fn among(existence: f64, mut hypotheses: Vec<Hypothesis>, taken: Taken) -> Self {
        let moments = mixture::moments(&hypotheses);
        let others = hypotheses.split_off(1);
        let hypothesis = hypotheses.remove(0);
        Self { existence, hypothesis, others, taken, moments }
    }

    /// All places, with weights that sum to one.
    pub(super) fn places(&self) -> impl Iterator<Item = (f64, &Hypothesis)> + Clone {
        super::places(&self.hypothesis, &self.others)
    }

    fn is_ambiguous(&self) -> bool {
        !self.others.is_empty()
    }

    fn is_close(&self, other: &Self) -> bool {
        let (here, there) = (&self.moments, &other.moments);
        if (self.existence - other.existence).abs() > ALIKE_EXISTENCE {
            return false;
        }
        if self.is_ambiguous() || other.is_ambiguous() {
            divergence(here, there) < ALIKE_DIVERGENCE
        } else {
            here == there || mixture::are_close(here, there, ALIKE_SQUARED)
        }
    }
}

/// Symmetric divergence of two Gaussian positions (Jeffreys, Theory of Probability, 1948), halved.
fn divergence(a: &Gaussian, b: &Gaussian) -> f64 {
    let (pa, pb) = (a.position_covariance(), b.position_covariance());
    let (Some(ia), Some(ib)) = (pa.try_inverse(), pb.try_inverse()) else { return f64::MAX };
    let between = a.position() - b.position();
    0.5 * ((ia * pb).trace() + (ib * pa).trace() - 4.0 + between.dot(&((ia + ib) * between)))
}

/// Whether one can stand for both.
pub(super) fn are_close(a: &Rc<State>, b: &Rc<State>) -> bool {
    Rc::ptr_eq(a, b) || a.is_close(b)
}

/// Normalised, with the alike merged and the least likely beyond the bound left out. The one to report comes first.
pub(super) fn reduced(mut joints: Vec<Joint>, effort: &Effort) -> Vec<Joint> {
    joints.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut groups: Vec<Vec<Joint>> = Vec::new();
    for joint in joints {
        let alike = |group: &&mut Vec<Joint>| group[0].states.iter().zip(&joint.states).all(|(a, b)| are_close(a, b));
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(joint),
            None => groups.push(vec![joint]),
        }
    }
    let mut kept: Vec<Joint> = groups.into_iter().filter_map(merged_joint).collect();
    kept.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    kept.truncate(effort.hypotheses.min(that_fit(&kept, effort.places)));
    let total: f64 = kept.iter().map(|joint| joint.weight).sum();
    for joint in &mut kept {
        joint.weight /= total;
        joint.reported /= total;
    }
    let by_reported = |a: &usize, b: &usize| kept[*a].reported.total_cmp(&kept[*b].reported);
    if let Some(before) = (0..kept.len()).max_by(by_reported)
        && kept[before].weight * CHANGE_OF_MIND >= kept[0].weight
    {
        kept[..=before].rotate_right(1);
    }
    kept
}

/// How many of the first hypotheses have no more than `most_places` in all, those that they share counted once; one at
/// least.
fn that_fit(joints: &[Joint], most_places: usize) -> usize {
    let mut counted = BTreeSet::new();
    let mut places = 0;
    let fits = |joint: &&Joint| {
        for state in joint.states.iter().filter(|state| counted.insert(Rc::as_ptr(state))) {
            places += 1 + state.others.len();
        }
        places <= most_places
    };
    joints.iter().take_while(fits).count().max(1)
}

fn merged_joint(mut group: Vec<Joint>) -> Option<Joint> {
    if group.len() == 1 {
        return group.pop();
    }
    let of_member = |member: usize| merged(group.iter().map(|joint| (joint.weight, &joint.states[member])));
    let states: Option<SmallVec<_>> = (0..group[0].states.len()).map(of_member).collect();
    Some(Joint {
        weight: group.iter().map(|joint| joint.weight).sum(),
        reported: group.iter().map(|joint| joint.reported).sum(),
        states: states?,
    })
}

/// One state with the moments of several, of which the likeliest comes first.
pub(super) fn merged<'a>(parts: impl Iterator<Item = (f64, &'a Rc<State>)> + Clone) -> Option<Rc<State>> {
    let (_, first) = parts.clone().next()?;
    if parts.clone().all(|(_, state)| Rc::ptr_eq(state, first)) {
        return Some(Rc::clone(first));
    }
    let total: f64 = parts.clone().map(|(weight, _)| weight).sum();
    let existence = parts.clone().map(|(weight, state)| weight * state.existence).sum::<f64>() / total;
    let is_ambiguous = parts.clone().any(|(_, state)| state.is_ambiguous());
    let merged = if is_ambiguous {
        let weighted = parts.flat_map(|(weight, state)| {
            let weight = weight * state.existence;
            state.places().map(move |(share, place)| Hypothesis { weight: weight * share, ..place.clone() })
        });
        let hypotheses = mixture::reduced(weighted.collect(), &[]);
        (!hypotheses.is_empty()).then(|| State::among(existence, hypotheses, first.taken.clone()))
    } else {
        let only = Hypothesis::merged(&parts.map(|(weight, state)| (weight * state.existence, &state.hypothesis)));
        only.map(|only| State::new(existence, Hypothesis { weight: 1.0, ..only }, first.taken.clone()))
    };
    merged.map(Rc::new)
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};
    use smallvec::smallvec;

    use super::super::effort::{OF_AMBIGUOUS, OF_PLACED};
    use super::*;

    fn at(east_m: f64, existence: f64) -> State {
        let (place, still) = (Vector2::new(east_m, 0.0), Vector2::zeros());
        let state = Gaussian::new(place, Matrix2::identity() * 4.0, still, Matrix2::identity());
        let hypothesis = Hypothesis { weight: 1.0, mode_probability: [0.0, 1.0, 0.0], modes: [state; 3] };
        State::new(existence, hypothesis, Taken::default())
    }

    fn joint(weight: f64, reported: f64, first: State, second: State) -> Joint {
        Joint { weight, reported, states: smallvec![Rc::new(first), Rc::new(second)] }
    }

    #[test]
    fn the_same_places_by_another_way_are_one_hypothesis() {
        let joints = vec![
            joint(3.0, 3.0, at(0.0, 0.9), at(20.0, 0.9)),
            joint(2.0, 2.0, at(20.0, 0.9), at(0.0, 0.9)),
            joint(1.0, 0.0, at(0.5, 0.8), at(20.0, 0.9)),
        ];
        let reduced = reduced(joints, &OF_PLACED);
        assert_eq!(reduced.len(), 2);
        assert!((reduced[0].weight - 4.0 / 6.0).abs() < 1e-12);
        assert!((reduced[0].states[0].existence - (3.0 * 0.9 + 0.8) / 4.0).abs() < 1e-12);
    }

    #[test]
    fn who_is_gone_and_who_was_missed_are_told_apart() {
        let joints = vec![joint(1.0, 1.0, at(0.0, 0.9), at(20.0, 0.9)), joint(1.0, 1.0, at(0.0, 0.1), at(20.0, 0.9))];
        assert_eq!(reduced(joints, &OF_PLACED).len(), 2);
    }

    #[test]
    fn names_are_exchanged_only_for_a_good_reason() {
        let exchanged = |weight: f64| {
            let joints =
                vec![joint(1.0, 1.0, at(0.0, 0.9), at(20.0, 0.9)), joint(weight, 0.0, at(20.0, 0.9), at(0.0, 0.9))];
            reduced(joints, &OF_PLACED)[0].states[0].moments.position().x > 10.0
        };
        assert!(!exchanged(2.0));
        assert!(exchanged(4.0));
    }

    #[test]
    fn no_more_places_than_the_bound() {
        let anywhere = |east_m: f64| {
            let places = (0..50_u32)
                .map(|number| Hypothesis { weight: 0.02, ..at(east_m + 100.0 * f64::from(number), 0.9).hypothesis });
            State::among(0.9, places.collect(), Taken::default())
        };
        let many = (0..90_u32).map(|number| {
            let north = 1e5 * f64::from(number);
            joint(100.0 - f64::from(number), 0.0, anywhere(north), anywhere(-north))
        });
        let reduced = reduced(many.collect(), &OF_AMBIGUOUS);
        let places: usize = reduced.iter().flat_map(|joint| &joint.states).map(|state| state.places().count()).sum();
        assert!(places <= OF_AMBIGUOUS.places && places > OF_AMBIGUOUS.places / 2, "{places}");
    }

    #[test]
    fn no_more_hypotheses_than_the_bound() {
        let far_apart = (0..20_u32).map(|number| {
            let east_m = 100.0 * f64::from(number);
            joint(1.0 + f64::from(number), 0.0, at(east_m, 0.9), at(-east_m, 0.9))
        });
        let reduced = reduced(far_apart.collect(), &OF_PLACED.for_members(2));
        assert_eq!(reduced.len(), 6);
        assert!((reduced.iter().map(|joint| joint.weight).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

//! One potential object: whether it exists, and where it is if it does.
//!
//! The Bernoulli component of the Poisson multi-Bernoulli filter. Its state is a mixture: one hypothesis where
//! positions are measured, many along the ray while only a bearing is known.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::config::TrackerConfig;
use crate::contribution::Records;
use crate::detection::ClassProbabilities;
use crate::fixture::Mooring;
use crate::gaussian::Gaussian;
use crate::hint::Taken;
use crate::imm::{Hypothesis, MotionStep, move_by, updated_by};
use crate::joint::{Bond, Rival};
use crate::measure::Plot;
use crate::mixture;
use crate::prospect::Prospect;
use crate::time::Timestamp;
use crate::update::MOST_CERTAIN;
use crate::visibility::Visibility;

/// Which plot of which scan began this track: unique, and the same when the past is filtered again
/// (a label in the sense of Vo and Vo, IEEE Transactions on Signal Processing 61(13), 2013).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) time: Timestamp,
    pub(crate) sensor: usize,
    pub(crate) plot: usize,
}

/// Part of the usual threshold of doubt that holds for ambiguous tracks.
const DOUBT_OF_AMBIGUOUS: f64 = 0.6;

/// Part of the existence that a track began with at which it is forgotten, where that is less than usual: among so many false
/// plots that every beginning is unlikely, the true ones would be forgotten with the others.
const FORGOTTEN_PART: f64 = 0.03;

/// Part of the usual threshold below which everything is forgotten.
const LEAST_PART: f64 = 0.01;

/// What an older program did not remember: the usual threshold holds.
const fn certain() -> f64 {
    1.0
}

/// A potential object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bernoulli {
    pub(crate) label: Label,
    /// Time the belief stands for.
    pub(crate) time: Timestamp,
    /// Probability that the object exists.
    pub(crate) existence: f64,
    /// The same, as its first plot alone made it if no other track claimed that.
    #[serde(default = "certain")]
    existence_at_first: f64,
    /// Where it is, if it exists.
    pub(crate) hypotheses: Vec<Hypothesis>,
    pub(crate) class: ClassProbabilities,
    pub(crate) last_seen: Timestamp,
    pub(crate) confirmed: bool,
    /// Expected number of companions that nobody has seen yet.
    pub(crate) companions: f64,
    /// Probability that it came as a companion, until that has been counted.
    pub(crate) companionship: Option<f64>,
    pub(crate) records: Records,
    pub(crate) visibility: Visibility,
    /// Object numbers of sensors that it took last.
    #[serde(default)]
    pub(crate) taken: Taken,
    /// Since it was first confirmed, where fixtures are told apart.
    pub(crate) mooring: Option<Mooring>,
    /// Where else it may be, jointly with the tracks it contends with.
    pub(crate) bond: Option<Bond>,
}

/// Where a track is believed to be, and when.
pub(crate) struct Whereabouts {
    time: Timestamp,
    hypotheses: Vec<Hypothesis>,
    bond: Option<Bond>,
}

impl Whereabouts {
    pub(crate) fn take_back(self, track: &mut Bernoulli) {
        (track.time, track.hypotheses, track.bond) = (self.time, self.hypotheses, self.bond);
    }
}

/// What is believed of a track at one time, which may be later than that of its belief.
pub(crate) struct Outlook<'a> {
    pub(crate) track: &'a Bernoulli,
    pub(crate) time: Timestamp,
    pub(crate) existence: f64,
    pub(crate) hypotheses: Cow<'a, [Hypothesis]>,
    /// Their moments.
    pub(crate) state: Gaussian,
}

impl Bernoulli {
    /// Moves the belief to `to`; the object survives with the probability that its mean life gives.
    pub(crate) fn predict(&mut self, step: &MotionStep, to: Timestamp, life_s: f64) {
        let is_ambiguous = self.is_ambiguous();
        self.hypotheses.iter_mut().for_each(|hypothesis| hypothesis.advance(step, is_ambiguous));
        for rival in self.bond.iter_mut().flat_map(|bond| &mut bond.rivals) {
            let is_ambiguous = !rival.others.is_empty();
            rival.places_mut().for_each(|hypothesis| hypothesis.advance(step, is_ambiguous));
        }
        let survival = step.survival(life_s);
        self.existence *= survival;
        self.bond.iter_mut().flat_map(|bond| &mut bond.rivals).for_each(|rival| rival.existence *= survival);
        self.time = to;
    }

    /// Takes in another track of the same object, of which nothing is left. Both are in one place.
    pub(crate) fn take_over(&mut self, other: &mut Self) {
        let parts = [(self.existence, &self.hypotheses[0]), (other.existence, &other.hypotheses[0])];
        let merged = Hypothesis::merged(&parts.into_iter());
        if let Some(merged) = merged {
            self.hypotheses[0] = Hypothesis { weight: 1.0, ..merged };
        }
        self.existence = (self.existence + other.existence).min(MOST_CERTAIN);
        self.last_seen = self.last_seen.max(other.last_seen);
        other.existence = 0.0;
    }

    /// All places that anything is believed of: its own, and those under less likely joint hypotheses.
    pub(crate) fn states(&self) -> impl Iterator<Item = &Hypothesis> {
        self.hypotheses.iter().chain(self.rivals().flat_map(|rival| rival.places().map(|(_, place)| place)))
    }

    fn states_mut(&mut self) -> impl Iterator<Item = &mut Hypothesis> {
        let rivals = self.bond.iter_mut().flat_map(|bond| &mut bond.rivals);
        self.hypotheses.iter_mut().chain(rivals.flat_map(Rival::places_mut))
    }

    pub(crate) fn rivals(&self) -> impl Iterator<Item = &Rival> {
        self.bond.iter().flat_map(|bond| &bond.rivals)
    }

    /// Probability that the object exists, over all joint hypotheses.
    pub(crate) fn existence_of_all(&self) -> f64 {
        let (weight, rivals) = self.rivals().fold((0.0, 0.0), |(weight, sum), rival| {
            (weight + rival.hypothesis.weight, sum + rival.hypothesis.weight * rival.existence)
        });
        (1.0 - weight) * self.existence + rivals
    }

    /// Density of a plot under each joint hypothesis, the own first, if the object exists; detection included.
    pub(crate) fn densities(&self, prospect: &Prospect, plot: &Plot<'_>) -> impl Iterator<Item = f64> {
        let of_rival = |(number, rival): (usize, &Rival)| -> f64 {
            let places = rival.places().zip(prospect.of_state(number + 1).0);
            places.map(|((share, place), detected)| share * detected * place.mean(|state| plot.likelihood(state))).sum()
        };
        let own = self.mean_over_states(prospect, |state| plot.likelihood(state));
        std::iter::once(own).chain(self.rivals().enumerate().map(of_rival))
    }

    /// Joint hypotheses beside its own.
    pub(crate) fn rival_count(&self) -> usize {
        self.bond.as_ref().map_or(0, |bond| bond.rivals.len())
    }

    /// Density of a plot coming from this object, detection and existence included, over all joint hypotheses.
    /// `densities`: those of the plot under each, as [`Self::densities`] gives them.
    pub(crate) fn density_of_all(&self, densities: &[f64]) -> f64 {
        let own = self.existence * densities[0];
        if self.bond.is_none() {
            return own;
        }
        self.weight_of_own() * own + self.rival_densities(densities).map(|(density, _)| density).sum::<f64>()
    }

    /// Probability of the joint hypothesis whose state is the track's own.
    pub(crate) fn weight_of_own(&self) -> f64 {
        1.0 - self.rivals().map(|rival| rival.hypothesis.weight).sum::<f64>()
    }

    /// The density under each other joint hypothesis, its weight included, and the state there.
    fn rival_densities(&self, densities: &[f64]) -> impl Iterator<Item = (f64, &Hypothesis)> {
        self.rivals()
            .zip(&densities[1..])
            .map(|(Rival { existence, hypothesis, .. }, density)| (hypothesis.weight * existence * density, hypothesis))
    }

    /// The state that a plot agrees with: under the joint hypothesis that explains it best, as it was when the prospect
    /// was taken.
    pub(crate) fn moments_for(&self, prospect: &Prospect, densities: &[f64]) -> Gaussian {
        let own = self.moments_at(prospect);
        if self.bond.is_none() {
            return own;
        }
        let of_own = self.weight_of_own() * (self.existence * densities[0]);
        let best = self.rival_densities(densities).max_by(|a, b| a.0.total_cmp(&b.0));
        best.filter(|(density, _)| *density > of_own).map_or(own, |(_, hypothesis)| hypothesis.moments())
    }

    /// Whether the object may be in places far apart, as long as no position was measured.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.hypotheses.len() > 1
    }

    /// The same, under any joint hypothesis.
    pub(crate) fn may_be_anywhere(&self) -> bool {
        self.is_ambiguous() || self.rivals().any(|rival| !rival.others.is_empty())
    }

    /// Whether it has once been all but certain that the object exists.
    pub(crate) fn is_proven(&self) -> bool {
        self.companionship.is_none()
    }

    /// Existence below which the track is forgotten.
    pub(crate) fn forgotten_below(&self, config: &TrackerConfig) -> f64 {
        forgotten_below(config, self.existence_at_first)
    }

    /// Whether a plot since `at` has proved that the object was there then: what a scan of that time adds comes too late to
    /// say whether it still is.
    pub(crate) fn is_known_to_outlast(&self, at: Timestamp) -> bool {
        self.last_seen > at && self.is_proven()
    }

    /// Existence below which the track is tentative again. The evidence about an ambiguous one comes seldom and in large
    /// steps, so it is kept through more doubt.
    pub(crate) fn doubted_below(&self, config: &TrackerConfig) -> f64 {
        if self.is_ambiguous() { DOUBT_OF_AMBIGUOUS * config.doubt_existence } else { config.doubt_existence }
    }

    /// Moves the belief back by `interval_s` (not positive) along its velocities, for a scan out of sequence. The motion
    /// noise on the way forward again is counted twice, which errs on the safe side.
    pub(crate) fn move_back(&mut self, interval_s: f64, to: Timestamp) {
        if interval_s < 0.0 {
            for mode in self.states_mut().flat_map(|hypothesis| &mut hypothesis.modes) {
                *mode = mode.shifted(interval_s);
            }
            self.time = to;
        }
    }

    pub(crate) fn whereabouts(&self) -> Whereabouts {
        Whereabouts { time: self.time, hypotheses: self.hypotheses.clone(), bond: self.bond.clone() }
    }

    /// How things are now.
    pub(crate) fn outlook(&self) -> Outlook<'_> {
        Outlook {
            track: self,
            time: self.time,
            existence: self.existence,
            hypotheses: Cow::Borrowed(&self.hypotheses),
            state: self.moments(),
        }
    }

    /// How things will be at `to` if nothing more is heard.
    pub(crate) fn outlook_after(&self, step: &MotionStep, to: Timestamp, life_s: f64) -> Outlook<'_> {
        let mut hypotheses = self.hypotheses.clone();
        let is_ambiguous = self.is_ambiguous();
        hypotheses.iter_mut().for_each(|hypothesis| hypothesis.advance(step, is_ambiguous));
        let state = mixture::moments(&hypotheses);
        let existence = self.existence * step.survival(life_s);
        Outlook { track: self, time: to, existence, hypotheses: Cow::Owned(hypotheses), state }
    }

    /// The state with the moments of the whole mixture.
    pub(crate) fn moments(&self) -> Gaussian {
        mixture::moments(&self.hypotheses)
    }

    /// The state with the moments of the whole mixture, as it was when the prospect was taken.
    pub(crate) fn moments_at(&self, prospect: &Prospect) -> Gaussian {
        prospect.state.unwrap_or_else(|| self.moments())
    }

    /// Mean of a function of the state, weighted by the detection probability.
    fn mean_over_states(&self, prospect: &Prospect, value: impl Fn(&Gaussian) -> f64) -> f64 {
        let parts = self.hypotheses.iter().zip(&prospect.detected);
        parts.filter(|(_, d)| **d > 0.0).map(|(h, detection)| h.weight * detection * h.mean(&value)).sum()
    }

    /// The update of the multi-Bernoulli filter: a mixture over "missed" and each plot taken, weighted by their
    /// probabilities, brought back to one Gaussian per mode where there is only one hypothesis.
    ///
    /// `missed` is the probability that the object exists and has no plot; existence itself is the caller's.
    pub(crate) fn update(&mut self, prospect: &Prospect, missed: f64, taken: &[(f64, &Plot<'_>)]) {
        if taken.is_empty() {
            self.reweigh(prospect);
            return;
        }
        if let [only] = self.hypotheses.as_mut_slice() {
            // How likely each plot is, the association has said.
            let mut moved: SmallVec<[(f64, Hypothesis); 2]> = SmallVec::new();
            for (share, plot) in taken {
                moved.push((*share, only.clone()));
                if !moved.last_mut().is_some_and(|(_, after)| move_by(after, plot, 1.0)) {
                    moved.pop();
                }
            }
            let stayed = (missed > 0.0).then_some((missed, &*only));
            let merged = match (stayed, moved.len()) {
                (None, 1) => moved.pop().map(|(_, after)| after),
                _ => Hypothesis::merged(&stayed.into_iter().chain(moved.iter().map(|(share, after)| (*share, after)))),
            };
            if let Some(merged) = merged.filter(|merged| merged.weight > 0.0 && merged.weight.is_finite()) {
                *only = merged;
            }
            only.weight = 1.0;
        } else {
            self.update_ambiguous(prospect, missed, taken);
        }
    }

    /// The same where the place is ambiguous: so is the claim, and only what does not differ is merged.
    fn update_ambiguous(&mut self, prospect: &Prospect, missed: f64, taken: &[(f64, &Plot<'_>)]) {
        let weighed = |(_, plot): &(f64, &Plot<'_>)| self.mean_over_states(prospect, |state| plot.evidence(state));
        let evidence: SmallVec<[f64; 4]> = taken.iter().map(weighed).collect();
        let mut parts = Vec::with_capacity(self.hypotheses.len() * (1 + taken.len()));
        for (place, hypothesis) in self.hypotheses.iter().enumerate() {
            let detection = prospect.detected[place];
            let silence = prospect.missed[place] / prospect.mean_missed.max(f64::MIN_POSITIVE);
            let stayed = missed * hypothesis.weight * silence;
            if stayed > 0.0 {
                parts.push(Hypothesis { weight: stayed, ..hypothesis.clone() });
            }
            for ((share, plot), evidence) in taken.iter().zip(&evidence) {
                let scale = share * hypothesis.weight * detection / evidence;
                parts.extend(updated_by(hypothesis, plot, scale));
            }
        }
        self.hypotheses = mixture::reduced(parts, &self.hypotheses);
    }

    /// The state without a plot: places where it would have been seen lose weight.
    fn reweigh(&mut self, prospect: &Prospect) {
        if self.is_ambiguous() && prospect.missed.iter().any(|missed| *missed < 1.0) {
            for (hypothesis, missed) in self.hypotheses.iter_mut().zip(&prospect.missed) {
                hypothesis.weight *= missed;
            }
            mixture::drop_negligible(&mut self.hypotheses);
        }
    }

    /// Probability that the object exists if no plot is from it.
    pub(crate) fn alive_if_missed(&self, prospect: &Prospect) -> f64 {
        let alive = self.existence * prospect.mean_missed;
        alive / (1.0 - self.existence + alive).max(f64::MIN_POSITIVE)
    }

    /// Takes in what speaks against the object's existence: the prior probability that it does not exist is so many times as
    /// likely again.
    pub(crate) fn doubt(&mut self, odds: f64) {
        let doubted = |existence: &mut f64| *existence /= *existence + (1.0 - *existence) * (1.0 + odds);
        doubted(&mut self.existence);
        self.bond.iter_mut().flat_map(|bond| &mut bond.rivals).for_each(|rival| doubted(&mut rival.existence));
    }

    /// A new track from a plot.
    pub(crate) fn born(
        label: Label,
        (existence, existence_at_first): (f64, f64),
        hypotheses: Vec<Hypothesis>,
        class: ClassProbabilities,
        visibility: Visibility,
    ) -> Self {
        Self {
            label,
            time: label.time,
            existence,
            existence_at_first,
            hypotheses,
            class,
            last_seen: label.time,
            confirmed: false,
            companions: 0.0,
            companionship: None,
            records: Records::default(),
            visibility,
            taken: Taken::default(),
            mooring: None,
            bond: None,
        }
    }
}

/// Existence below which a track is forgotten that began with this much.
pub(crate) fn forgotten_below(config: &TrackerConfig, existence_at_first: f64) -> f64 {
    (FORGOTTEN_PART * existence_at_first).clamp(LEAST_PART * config.forget_existence, config.forget_existence)
}

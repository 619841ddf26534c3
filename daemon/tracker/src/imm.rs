//! The interacting multiple model filter: one Gaussian per way of moving, mixed at each prediction
//! (Blom and Bar-Shalom, IEEE Transactions on Automatic Control 33(8), 1988).

use serde::{Deserialize, Serialize};

use crate::config::{MODES, TrackerConfig};
use crate::gaussian::Gaussian;
use crate::motion::{MotionModel, Transition};

/// A mode less likely than this is left out of sums.
const NEGLIGIBLE: f64 = 1e-6;

/// One place where an object may be, with one Gaussian per motion mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hypothesis {
    /// Probability of this hypothesis, given that the object exists.
    pub(crate) weight: f64,
    /// Probability of each mode, given this hypothesis.
    pub(crate) mode_probability: [f64; MODES],
    /// The state, given each mode.
    pub(crate) modes: [Gaussian; MODES],
}

/// The motion models over one interval, and the Markov chain between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MotionStep {
    pub(crate) interval_s: f64,
    models: [MotionModel; MODES],
    transitions: [Transition; MODES],
    /// Part of the probability that forgets its mode and is drawn anew from the shares.
    redrawn: f64,
}

impl MotionStep {
    pub(crate) fn new(config: &TrackerConfig, interval_s: f64) -> Self {
        let models = config.modes();
        Self {
            interval_s,
            models,
            transitions: models.map(|model| model.over(interval_s)),
            redrawn: -libm::expm1(-interval_s / config.mode_dwell_s),
        }
    }

    fn switch(&self, from: usize, to: usize) -> f64 {
        self.redrawn * self.models[to].share + if from == to { 1.0 - self.redrawn } else { 0.0 }
    }
}

impl Hypothesis {
    /// Mixing and prediction. Who changes the way of moving also draws a new velocity on top of the old one.
    pub(crate) fn predict(&mut self, step: &MotionStep) {
        let mut probability = [0.0; MODES];
        let mut modes = self.modes;
        for to in 0..MODES {
            let mut parts = [(0.0, self.modes[to]); MODES];
            for (from, part) in parts.iter_mut().enumerate() {
                part.0 = step.switch(from, to) * self.mode_probability[from];
                part.1 = self.modes[from];
                if from != to {
                    let fresh = step.models[to].velocity_covariance();
                    let mut velocity = part.1.covariance.fixed_view_mut::<2, 2>(2, 2);
                    velocity += fresh;
                }
            }
            probability[to] = parts.iter().map(|part| part.0).sum();
            let floor = NEGLIGIBLE * probability[to];
            let kept = parts.iter().filter(|part| part.0 > floor).map(|part| (part.0, &part.1));
            if let Some(mixed) = Gaussian::merged(kept) {
                modes[to] = step.transitions[to].predict(&mixed);
            }
        }
        let total: f64 = probability.iter().sum();
        self.mode_probability = probability.map(|p| p / total);
        self.modes = modes;
    }

    /// Prediction in which every mode goes on as it is.
    pub(crate) fn carry(&mut self, step: &MotionStep) {
        for ((probability, mode), transition) in
            self.mode_probability.iter().zip(&mut self.modes).zip(&step.transitions)
        {
            if *probability > NEGLIGIBLE {
                *mode = transition.predict(mode);
            }
        }
    }

    /// Modes that matter, each with its probability.
    pub(crate) fn active(&self) -> impl Iterator<Item = (f64, &Gaussian)> + Clone {
        self.mode_probability.iter().copied().zip(&self.modes).filter(|(probability, _)| *probability > NEGLIGIBLE)
    }

    /// Mean of a function of the state over the modes.
    pub(crate) fn mean(&self, value: impl Fn(&Gaussian) -> f64) -> f64 {
        self.active().map(|(probability, state)| probability * value(state)).sum()
    }

    /// The state given the likeliest mode: where the hypothesis is about, without the tail of the rarer modes.
    pub(crate) fn likeliest(&self) -> &Gaussian {
        let mode = (0..MODES).max_by(|a, b| self.mode_probability[*a].total_cmp(&self.mode_probability[*b]));
        &self.modes[mode.unwrap_or(0)]
    }

    /// Mean and covariance over the modes.
    pub(crate) fn moments(&self) -> Gaussian {
        Gaussian::merged(self.active()).unwrap_or(self.modes[0])
    }

    /// The hypothesis with the moments, mode by mode, of a weighted sum. `None` when the weights sum to nothing.
    pub(crate) fn merged<'a>(parts: impl IntoIterator<Item = &'a Self, IntoIter: Clone>) -> Option<Self> {
        let parts = parts.into_iter();
        let weight: f64 = parts.clone().map(|part| part.weight).sum();
        let first = parts.clone().next().filter(|_| weight > 0.0)?;
        let mut mode_probability = [0.0; MODES];
        let mut modes = first.modes;
        for (mode, probability) in mode_probability.iter_mut().enumerate() {
            let of_mode = parts.clone().map(|part| (part.weight * part.mode_probability[mode], &part.modes[mode]));
            *probability = of_mode.clone().map(|(share, _)| share).sum::<f64>() / weight;
            if let Some(merged) = Gaussian::merged(of_mode) {
                modes[mode] = merged;
            }
        }
        Some(Self { weight, mode_probability, modes })
    }
}

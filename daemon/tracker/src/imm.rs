//! The interacting multiple model filter: one Gaussian per way of moving, mixed at each prediction
//! (Blom and Bar-Shalom, IEEE Transactions on Automatic Control 33(8), 1988).

use serde::{Deserialize, Serialize};

use crate::config::{MODES, TrackerConfig, WALKING};
use crate::gaussian::Gaussian;
use crate::measure::Plot;
use crate::motion::{MotionModel, Transition};

/// A mode less likely than this is left out of sums.
const NEGLIGIBLE: f64 = 1e-6;

/// What comes from another mode is left out of a mode of which it would be less than this part.
const NEGLIGIBLE_PART: f64 = 1e-4;

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
    /// Probability of each mode after the interval, by the mode before: part of it is drawn anew from the shares.
    switch: [[f64; MODES]; MODES],
}

impl MotionStep {
    /// Walkers change their velocity `restlessness` times as much as configured.
    pub(crate) fn new(config: &TrackerConfig, restlessness: f64, interval_s: f64) -> Self {
        let mut models = config.modes();
        models[WALKING].persistence_s /= restlessness;
        let redrawn = -libm::expm1(-interval_s / config.mode_dwell_s);
        let switch = |from: usize, to: usize| redrawn * models[to].share + if from == to { 1.0 - redrawn } else { 0.0 };
        Self {
            interval_s,
            models,
            transitions: models.map(|model| model.over(interval_s)),
            switch: core::array::from_fn(|from| core::array::from_fn(|to| switch(from, to))),
        }
    }

    /// Probability of surviving the step with this mean life.
    pub(crate) fn survival(&self, life_s: f64) -> f64 {
        libm::exp(-self.interval_s / life_s)
    }

    /// The step over this interval, which is the last one where that is as long: most tracks are moved by the same.
    pub(crate) fn over<'a>(
        config: &TrackerConfig,
        restlessness: f64,
        interval_s: f64,
        last: &'a mut Option<Self>,
    ) -> &'a Self {
        if last.as_ref().is_some_and(|step| step.interval_s.total_cmp(&interval_s).is_ne()) {
            *last = None;
        }
        last.get_or_insert_with(|| Self::new(config, restlessness, interval_s))
    }
}

impl Hypothesis {
    /// Prediction. Who is not even placed has no way of moving worth telling: each hypothesis goes on as it began.
    pub(crate) fn advance(&mut self, step: &MotionStep, is_ambiguous: bool) {
        if is_ambiguous {
            self.carry(step);
        } else {
            self.predict(step);
        }
    }

    /// Mixing and prediction. Who changes the way of moving also draws a new velocity on top of the old one.
    pub(crate) fn predict(&mut self, step: &MotionStep) {
        let (before, modes) = (self.mode_probability, self.modes);
        for (to, transition) in step.transitions.iter().enumerate() {
            let shares: [f64; MODES] = core::array::from_fn(|from| step.switch[from][to] * before[from]);
            self.mode_probability[to] = shares.iter().sum();
            let kept = without_negligible(&shares, NEGLIGIBLE_PART * self.mode_probability[to]);
            if let Some(mut mixed) = Gaussian::mixed(&kept, &modes) {
                let total: f64 = kept.iter().sum();
                mixed.widen_velocity(step.models[to].velocity_variance() * ((total - kept[to]) / total));
                transition.predict(&mixed, &mut self.modes[to]);
            }
        }
        let total: f64 = self.mode_probability.iter().sum();
        self.mode_probability.iter_mut().for_each(|probability| *probability /= total);
    }

    /// Prediction in which every mode goes on as it is.
    fn carry(&mut self, step: &MotionStep) {
        for ((probability, mode), transition) in
            self.mode_probability.iter().zip(&mut self.modes).zip(&step.transitions)
        {
            if *probability > NEGLIGIBLE {
                transition.predict(&mode.clone(), mode);
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
        let kept = without_negligible(&self.mode_probability, NEGLIGIBLE);
        Gaussian::mixed(&kept, &self.modes).unwrap_or(self.modes[0])
    }

    /// The hypothesis with the moments, mode by mode, of a weighted sum. `None` when the weights sum to nothing.
    pub(crate) fn merged<'a>(parts: &(impl Iterator<Item = (f64, &'a Self)> + Clone)) -> Option<Self> {
        let weight: f64 = parts.clone().map(|(weight, _)| weight).sum();
        let (_, first) = parts.clone().next().filter(|_| weight > 0.0)?;
        let mut mode_probability = [0.0; MODES];
        let mut modes = first.modes;
        for (mode, probability) in mode_probability.iter_mut().enumerate() {
            let of_mode = parts.clone().map(|(weight, part)| (weight * part.mode_probability[mode], &part.modes[mode]));
            *probability = of_mode.clone().map(|(share, _)| share).sum::<f64>() / weight;
            if let Some(merged) = Gaussian::merged(of_mode) {
                modes[mode] = merged;
            }
        }
        Some(Self { weight, mode_probability, modes })
    }
}

/// The weights of modes, with those that are too small to matter set to zero.
fn without_negligible(weights: &[f64; MODES], floor: f64) -> [f64; MODES] {
    weights.map(|weight| if weight > floor { weight } else { 0.0 })
}

/// The hypothesis after a plot, weighted `scale` times the plot's density. `None` when the plot is impossible.
pub(crate) fn updated_by(hypothesis: &Hypothesis, plot: &Plot<'_>, scale: f64) -> Option<Hypothesis> {
    let mut posterior = hypothesis.clone();
    move_by(&mut posterior, plot, scale).then_some(posterior)
}

/// The same in place. False when the plot is impossible: what is left of the hypothesis then means nothing.
pub(crate) fn move_by(hypothesis: &mut Hypothesis, plot: &Plot<'_>, scale: f64) -> bool {
    let mut total = 0.0;
    for (probability, mode) in hypothesis.mode_probability.iter_mut().zip(&mut hypothesis.modes) {
        let density = if *probability > 0.0 { plot.update(mode) } else { None };
        *probability = density.map_or(0.0, |density| *probability * density);
        total += *probability;
    }
    if total <= 0.0 || !total.is_finite() {
        return false;
    }
    for probability in &mut hypothesis.mode_probability {
        *probability /= total;
    }
    hypothesis.weight = scale * total;
    true
}

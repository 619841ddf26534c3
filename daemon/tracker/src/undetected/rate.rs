//! How many objects arrive, relative to what is configured: learned from those that arrived where some were promised.

use serde::{Deserialize, Serialize};

use crate::grid::as_f64;

/// Confirmed tracks that the configured rate is worth.
const RATE_PRIOR: f64 = 1.0;

/// The configured rate is for a border in general, and a place may be a hundred thousand times as busy: a crowd on some
/// square metres. Before anything is known the rate is therefore distributed as a mixture of exponential distributions, the
/// mean of each `STEP` times that of the one before and its weight `RARER` times smaller: a density that falls as a power, as
/// Lomax's does.
const STEP: f64 = 10.0;
const RARER: f64 = 5.0;
const STEPS: usize = 8;

/// Weight of each.
const WEIGHTS: [f64; STEPS] = geometric(1.0, RARER);

/// Promised objects that each is worth, the inverse of its mean; the harmonic mean of all is what is configured.
const WORTHS: [f64; STEPS] = {
    let (each, mut sum, mut mean, mut step) = (geometric(1.0, STEP), 0.0, 0.0, 0);
    while step < STEPS {
        sum += WEIGHTS[step];
        mean += WEIGHTS[step] * each[step];
        step += 1;
    }
    geometric(RATE_PRIOR * sum / mean, STEP)
};

/// Promised objects that are remembered: nights are quieter than evenings, and who comes after weeks in which nobody came must
/// not be taken for clutter.
const MOST_PROMISED: f64 = 1000.0;

const SETTLING_ROUNDS: usize = 100;

/// What a first look says of the rate, if that is so many times what was expected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLook {
    /// Objects that came alone, or first of their group.
    pub(crate) alone: f64,
    /// Logarithm of how much likelier its plots are so than if nobody were there.
    pub(crate) log_likelihood: f64,
}

/// The rate's conjugate estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Counts", into = "Counts")]
pub(super) struct Rate {
    counts: Counts,
    /// Follows from them.
    relative: f64,
}

/// Confirmed and promised objects, with those that the configured rate is worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Counts {
    arrived: f64,
    promised: f64,
}

impl From<Counts> for Rate {
    fn from(counts: Counts) -> Self {
        Self { counts, relative: counts.relative() }
    }
}

impl From<Rate> for Counts {
    fn from(rate: Rate) -> Self {
        rate.counts
    }
}

impl Rate {
    /// As configured.
    pub(super) fn new() -> Self {
        Counts { arrived: RATE_PRIOR, promised: RATE_PRIOR }.into()
    }

    /// The rate as a multiple of the configured one.
    pub(super) fn relative(&self) -> f64 {
        self.relative
    }

    /// Takes in that `promised` objects were to come at the configured rate, and `arrived` did.
    pub(super) fn learn(&mut self, promised: f64, arrived: f64) {
        *self = self.counts.and(promised, arrived).into();
    }

    /// Learns the rate from the first scan of a field, when most objects that are there show at once: the rate at which the
    /// number of plots that came alone agrees with itself. Of many plots there are two, that of a few objects among false
    /// plots and that of a crowd: the likelier one counts. `look`: what the scan says at so many times the present rate.
    /// Gives that factor.
    pub(super) fn settle(&mut self, promised: f64, plots: usize, look: impl Fn(f64) -> FirstLook) -> f64 {
        let before = self.relative;
        let factor_of = |alone: f64| self.counts.and(promised, alone).relative() / before;
        let settled = |mut factor: f64| {
            for _ in 0..SETTLING_ROUNDS {
                let next = factor_of(look(factor).alone);
                if next.total_cmp(&factor).is_eq() {
                    break;
                }
                factor = next;
            }
            factor
        };
        let plausibility = |factor: f64| {
            let FirstLook { alone, log_likelihood } = look(factor);
            let width = factor * before / libm::sqrt(alone + 1.0);
            log_likelihood - factor * before * promised + log_prior(factor * before) + libm::log(width)
        };
        let (few, many) = (settled(1.0), settled(factor_of(as_f64(plots))));
        let factor = if plausibility(many) > plausibility(few) { many } else { few };
        self.learn(promised, look(factor).alone);
        factor
    }
}

impl Counts {
    fn and(self, promised: f64, arrived: f64) -> Self {
        let promised = self.promised - RATE_PRIOR + promised;
        let kept = (MOST_PROMISED / promised).min(1.0);
        Self {
            arrived: RATE_PRIOR + kept * (self.arrived - RATE_PRIOR + arrived),
            promised: RATE_PRIOR + kept * promised,
        }
    }

    /// The rate after these counts: harmonic mean over the mixture, for the mean itself is that of the tail.
    fn relative(self) -> f64 {
        let promised = self.promised - RATE_PRIOR;
        let exponents = WORTHS.map(|worth| -self.arrived * libm::log((worth + promised) / (WORTHS[0] + promised)));
        let greatest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut mean) = (0.0, 0.0);
        for (exponent, (weight, worth)) in exponents.iter().zip(WEIGHTS.iter().zip(&WORTHS)) {
            let share = weight * worth * libm::exp(exponent - greatest);
            sum += share;
            mean += share * (worth + promised);
        }
        self.arrived * sum / mean
    }
}

/// Logarithm of the density of the rate before anything is known.
fn log_prior(relative: f64) -> f64 {
    let density = |(weight, worth): (&f64, &f64)| weight * worth * libm::exp(-relative * worth);
    libm::log(WEIGHTS.iter().zip(&WORTHS).map(density).sum::<f64>() / WEIGHTS.iter().sum::<f64>())
}

/// A number, and each time so many times less.
const fn geometric(first: f64, ratio: f64) -> [f64; STEPS] {
    let (mut all, mut step) = ([first; STEPS], 1);
    while step < STEPS {
        all[step] = all[step - 1] / ratio;
        step += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// So many plots among as many false ones as are usual, each of which is an object `odds` times as likely at the present
    /// rate as it is false.
    fn look(plots: u32, odds: f64) -> impl Fn(f64) -> FirstLook {
        move |factor| {
            let existence = factor * odds / (1.0 + factor * odds);
            let plots = f64::from(plots);
            FirstLook { alone: plots * existence, log_likelihood: -plots * libm::log1p(-existence) }
        }
    }

    #[test]
    fn the_configured_rate_holds_until_something_is_known() {
        assert!((Rate::new().relative() - 1.0).abs() < 1e-12);
    }

    /// Ten square metres of which the configured rate expects nobody.
    #[test]
    fn a_crowd_on_some_square_metres_is_told_from_false_plots() {
        let (expected, usually_false) = (1e-3, 5.0);
        let settled = |plots: u32| {
            let mut rate = Rate::new();
            let factor = rate.settle(expected, plots as usize, look(plots, expected / usually_false));
            (factor * expected, rate.relative() * expected)
        };
        let ((seen, learned), (none, as_before)) = (settled(45), settled(6));
        assert!(seen > 30.0 && learned > 30.0, "{seen} of 40 taken for objects, {learned} learned");
        assert!(none < 0.01 && as_before < 0.01, "{none} of none taken for objects, {as_before} learned");
    }

    #[test]
    fn quiet_weeks_are_forgotten_within_hours() {
        let mut rate = Rate::new();
        for _ in 0..1_000_000 {
            rate.learn(0.1, 0.0);
        }
        assert!(rate.relative() > 5e-4, "{:e}", rate.relative());
        for _ in 0..30 {
            rate.learn(50.0, 50.0);
        }
        assert!(rate.relative() > 0.7, "{}", rate.relative());
    }

    proptest! {
        #[test]
        fn who_arrives_raises_the_rate_and_who_does_not_lowers_it(
            learned in prop::collection::vec((1e-6..10.0_f64, 0.0..10.0_f64), 0..20),
            promised in 1e-6..100.0_f64,
        ) {
            let mut rate = Rate::new();
            learned.iter().for_each(|(promised, arrived)| rate.learn(*promised, *arrived));
            let after = |promised: f64, arrived: f64| {
                let mut rate = rate;
                rate.learn(promised, arrived);
                rate.relative()
            };
            prop_assert!(rate.relative() > 0.0 && rate.relative().is_finite());
            prop_assert!(after(0.0, 1.0) > rate.relative());
            prop_assert!(after(promised, 0.0) < rate.relative());
        }

        #[test]
        fn a_rate_is_remembered(arrived in 0.0..1e4_f64, promised in 1e-6..1e4_f64) {
            let mut rate = Rate::new();
            rate.learn(promised, arrived);
            let again: Rate = serde_json::from_str(&serde_json::to_string(&rate).expect("numbers")).expect("the same");
            prop_assert_eq!(again, rate);
        }
    }
}

//! How far an expected calibration error can be trusted: what chance alone makes of it.
//!
//! The error of a finite sample is never 0, not even of a perfect model: each bin's share scatters about its claim, and only the
//! amount counts. So the error is set against that of a model that is perfectly calibrated and makes the same claims, and it
//! has an interval from resampling whole runs, since the alerts of one run are about the same people in the same weather.

use std::fmt;

use super::{Claim, Diagram};
use crate::random::Random;

/// Simulated samples; the 95 % bounds then stand on 50 of them.
const ROUNDS: usize = 1_000;

/// An expected calibration error and what to compare it with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Expected calibration error.
    pub error: f64,
    /// Its 95 % interval, by runs drawn with replacement; it leans upwards, as the error itself does.
    pub interval: (f64, f64),
    /// Mean error of a perfectly calibrated model with the same claims.
    pub if_perfect: f64,
    /// The error that such a model exceeds once in twenty samples.
    pub if_perfect_at_most: f64,
}

impl Calibration {
    /// Of the claims of runs.
    #[must_use]
    pub fn of(runs: &[Vec<Claim>], seed: u64) -> Self {
        let all: Vec<Claim> = runs.iter().flatten().copied().collect();
        let mut random = Random::stream(seed, "calibration");
        let perfect = sorted(|| {
            let lucky = |claim: &Claim| Claim { real: random.chance(claim.confidence), ..*claim };
            all.iter().map(lucky).collect()
        });
        let mut random = Random::stream(seed, "runs again");
        let again = sorted(|| (0..runs.len()).flat_map(|_| runs[random.below(runs.len())].iter().copied()).collect());
        #[expect(clippy::cast_precision_loss, reason = "a thousand")]
        let if_perfect = perfect.iter().sum::<f64>() / ROUNDS as f64;
        Self {
            error: Diagram::of(&all).error(),
            interval: (again[ROUNDS / 40], again[ROUNDS - 1 - ROUNDS / 40]),
            if_perfect,
            if_perfect_at_most: perfect[ROUNDS - 1 - ROUNDS / 20],
        }
    }
}

/// The errors of so many samples, least first.
fn sorted(mut sample: impl FnMut() -> Vec<Claim>) -> Vec<f64> {
    let mut errors: Vec<f64> = (0..ROUNDS).map(|_| Diagram::of(&sample()).error()).collect();
    errors.sort_by(f64::total_cmp);
    errors
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, interval: (low, high), if_perfect, if_perfect_at_most } = self;
        write!(
            f,
            "expected calibration error {error:.3} (95 %, runs resampled: {low:.3} to {high:.3}); a perfectly calibrated model would \
             show {if_perfect:.3} on such a sample, and once in twenty more than {if_perfect_at_most:.3}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of three claims each, real with the given chance more or less than they claim.
    fn runs(count: usize, more: f64) -> Vec<Vec<Claim>> {
        let mut random = Random::stream(7, "claims");
        let mut claim = || {
            let confidence = random.uniform(0.2, 0.8);
            Claim { confidence, real: random.chance(confidence + more), evidence: None }
        };
        (0..count).map(|_| (0..3).map(|_| claim()).collect()).collect()
    }

    #[test]
    fn chance_alone_makes_an_error_and_a_false_claim_a_greater_one() {
        let honest = Calibration::of(&runs(100, 0.0), 1);
        assert!(honest.if_perfect > 0.03 && honest.error < honest.if_perfect_at_most, "{honest}");
        let boastful = Calibration::of(&runs(100, -0.15), 1);
        assert!(boastful.interval.0 > boastful.if_perfect_at_most, "{boastful}");
        assert!(boastful.interval.0 < boastful.error && boastful.error < boastful.interval.1, "{boastful}");
        assert!(Calibration::of(&runs(2_000, 0.0), 1).if_perfect < 0.5 * honest.if_perfect);
    }
}

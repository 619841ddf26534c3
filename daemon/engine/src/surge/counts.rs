//! The negative binomial distribution of counts, by mean and shape.

use libm::{exp, lgamma, log, log1p};

/// Terms of an upper tail are added until one is this small a part of the sum.
const NEGLIGIBLE: f64 = 1e-13;
/// Longest upper tail that is added up; far beyond any count that matters.
const MAX_TERMS: u32 = 1_000_000;

/// Negative binomial: a Poisson count whose rate is gamma distributed with this `shape` (variance mean + mean²/shape).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Counts {
    /// Expected count.
    pub(super) mean: f64,
    /// Shape of the rate's distribution; the larger, the nearer to Poisson.
    pub(super) shape: f64,
}

impl Counts {
    /// Logarithm of the probability of `count`.
    fn log_probability(self, count: f64) -> f64 {
        let Self { mean, shape } = self;
        let more = if count > 0.0 { count * log(mean / (shape + mean)) } else { 0.0 };
        lgamma(count + shape) - lgamma(shape) - lgamma(count + 1.0) - shape * log1p(mean / shape) + more
    }

    /// Probability of `count` or more.
    pub(super) fn at_least(self, count: u32) -> f64 {
        if count == 0 {
            return 1.0;
        }
        if self.mean <= 0.0 {
            return 0.0;
        }
        let mut term = exp(self.log_probability(f64::from(count)));
        let mut sum = term;
        for extra in 0..MAX_TERMS {
            let n = f64::from(count) + f64::from(extra);
            term *= (n + self.shape) / (n + 1.0) * (self.mean / (self.mean + self.shape));
            sum += term;
            if term <= sum * NEGLIGIBLE {
                break;
            }
        }
        sum.min(1.0)
    }

    /// The smallest count whose cumulated probability reaches `level`, for a level in [0, 1).
    pub(super) fn quantile(self, level: f64) -> u32 {
        if self.mean <= 0.0 {
            return 0;
        }
        let mut term = exp(self.log_probability(0.0));
        let (mut sum, mut count) = (term, 0);
        while sum < level && count < MAX_TERMS {
            let n = f64::from(count);
            term *= (n + self.shape) / (n + 1.0) * (self.mean / (self.mean + self.shape));
            if term <= 0.0 && n > self.mean {
                break;
            }
            sum += term;
            count += 1;
        }
        count
    }

    /// Logarithm of how much likelier `count` is when the rate is `ratio` times as high.
    pub(super) fn log_ratio(self, count: u32, ratio: f64) -> f64 {
        let Self { mean, shape } = self;
        let n = f64::from(count);
        n * log(ratio) - (n + shape) * log((shape + ratio * mean) / (shape + mean))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn with_a_large_shape_it_is_poisson() {
        let counts = Counts { mean: 3.0, shape: 1e9 };
        // 1 - e^-3 (1 + 3 + 4.5)
        assert!((counts.at_least(3) - 0.576_809_918_872_8).abs() < 1e-6, "{}", counts.at_least(3));
        assert_eq!(counts.quantile(0.5), 3);
    }

    #[test]
    fn with_shape_one_it_is_geometric() {
        let counts = Counts { mean: 4.0, shape: 1.0 };
        assert!((counts.at_least(5) - libm::pow(0.8, 5.0)).abs() < 1e-9);
        assert_eq!(counts.at_least(0), 1.0);
    }

    proptest! {
        #[test]
        fn tail_and_quantile_are_inverse(mean in 0.01_f64..200.0, shape in 0.05_f64..500.0, level in 0.0_f64..0.999_9) {
            let counts = Counts { mean, shape };
            let count = counts.quantile(level);
            prop_assert!(counts.at_least(count + 1) <= 1.0 - level + 1e-6);
            if count > 0 {
                prop_assert!(counts.at_least(count) >= 1.0 - level - 1e-6);
            }
        }

        #[test]
        fn more_is_never_likelier(mean in 0.01_f64..200.0, shape in 0.05_f64..500.0, count in 0_u32..500) {
            let counts = Counts { mean, shape };
            prop_assert!(counts.at_least(count + 1) <= counts.at_least(count) * (1.0 + 1e-9));
        }

        #[test]
        fn evidence_for_a_rise_grows_with_the_count(mean in 0.01_f64..200.0, shape in 0.05_f64..500.0, count in 0_u32..500) {
            let counts = Counts { mean, shape };
            prop_assert!(counts.log_ratio(count + 1, 2.0) > counts.log_ratio(count, 2.0));
            prop_assert!(counts.log_ratio(0, 2.0) < 0.0);
        }
    }
}

//! How sure a share is: the exact one-sided bound of Clopper and Pearson (1934).

/// Confidence of the bound.
const CONFIDENCE: f64 = 0.95;

/// The smallest probability of success under which `successes` or more of `trials` still happen with 5 %.
#[must_use]
pub fn lower_bound(successes: usize, trials: usize) -> f64 {
    if successes == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_least(successes, trials, middle) < 1.0 - CONFIDENCE {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Probability of `successes` or more.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn at_least(successes: usize, trials: usize, probability: f64) -> f64 {
    let (yes, no) = (libm::log(probability), libm::log1p(-probability));
    let factorial = |count: usize| libm::lgamma(count as f64 + 1.0);
    (successes..=trials)
        .map(|count| {
            let choose = factorial(trials) - factorial(count) - factorial(trials - count);
            libm::exp(choose + count as f64 * yes + (trials - count) as f64 * no)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_the_tables() {
        // All of n: the bound is 0.05^(1/n).
        for trials in [1_usize, 10, 59, 300] {
            let exact = 0.05_f64.powf(1.0 / f64::from(u32::try_from(trials).unwrap()));
            assert!((lower_bound(trials, trials) - exact).abs() < 1e-9);
        }
        // 95 of 100: 0.8978 in published tables.
        assert!((lower_bound(95, 100) - 0.8977).abs() < 2e-4, "{}", lower_bound(95, 100));
        assert!(lower_bound(0, 10).abs() < f64::EPSILON);
    }
}

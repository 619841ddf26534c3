//! How sure a share is: the exact bounds of Clopper and Pearson (1934).

/// Confidence of the bounds.
const CONFIDENCE: f64 = 0.95;

/// The smallest probability of success under which `successes` or more of `trials` still happen with 5 %.
#[must_use]
pub fn lower_bound(successes: usize, trials: usize) -> f64 {
    bound(successes, trials, 1.0 - CONFIDENCE)
}

/// The probabilities of success that `successes` of `trials` leave open at 95 %, both ends together.
#[must_use]
pub fn interval(successes: usize, trials: usize) -> (f64, f64) {
    let each = (1.0 - CONFIDENCE) / 2.0;
    (bound(successes, trials, each), 1.0 - bound(trials - successes.min(trials), trials, each))
}

fn bound(successes: usize, trials: usize, level: f64) -> f64 {
    if successes == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_least(successes, trials, middle) < level {
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
            let exact = libm::pow(0.05, 1.0 / f64::from(u32::try_from(trials).unwrap()));
            assert!((lower_bound(trials, trials) - exact).abs() < 1e-9);
        }
        // 95 of 100: 0.8978 in published tables.
        assert!((lower_bound(95, 100) - 0.8977).abs() < 2e-4, "{}", lower_bound(95, 100));
        assert!(lower_bound(0, 10).abs() < f64::EPSILON);
    }

    #[test]
    fn intervals_are_the_tables() {
        // 95 of 100: 0.8872 to 0.9836; none of 10: 0 to 0.3085.
        let (low, high) = interval(95, 100);
        assert!((low - 0.8872).abs() < 2e-4 && (high - 0.9836).abs() < 2e-4, "{low} {high}");
        let (low, high) = interval(0, 10);
        assert!(low.abs() < f64::EPSILON && (high - 0.3085).abs() < 2e-4, "{low} {high}");
    }
}

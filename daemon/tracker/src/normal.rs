//! The standard normal distribution, and moments of restricted and weighted normal variables.

const SQRT_TWO_PI: f64 = 2.506_628_274_631_000_5;

/// Mean and variance of a scalar after conditioning, and the probability (or expectation) conditioned on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Conditioned {
    pub(crate) evidence: f64,
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

fn density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / SQRT_TWO_PI
}

/// Probability that a standard normal variable is at most `x`.
pub(crate) fn distribution(x: f64) -> f64 {
    0.5 * libm::erfc(-x / core::f64::consts::SQRT_2)
}

/// `N(mean, sd²)` restricted to `[low, high]` (Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1,
/// section 13.10.1). `None` when next to nothing of it is inside.
pub(crate) fn restricted(mean: f64, sd: f64, low: f64, high: f64) -> Option<Conditioned> {
    let (a, b) = ((low - mean) / sd, (high - mean) / sd);
    let evidence = if a > 0.0 { distribution(-a) - distribution(-b) } else { distribution(b) - distribution(a) };
    if evidence.is_nan() || evidence < 1e-9 {
        return None;
    }
    // Infinite limits have no density, and nothing times infinity is not a number.
    let at = |x: f64| if x.is_finite() { x * density(x) } else { 0.0 };
    let shift = (density(a) - density(b)) / evidence;
    let variance = 1.0 + (at(a) - at(b)) / evidence - shift * shift;
    Some(Conditioned { evidence, mean: mean + sd * shift, variance: sd * sd * variance.max(1e-6) })
}

/// `N(mean, sd²)` weighted by its positive part: who crosses a line is met in proportion to the speed across it.
/// The evidence is the mean of the positive part.
pub(crate) fn weighted_by_positive_part(mean: f64, sd: f64) -> Conditioned {
    let ratio = mean / sd;
    let zeroth = distribution(ratio);
    let first = mean * zeroth + sd * density(ratio);
    let second = mean * first + sd * sd * zeroth;
    let third = mean * second + 2.0 * sd * sd * first;
    if first < 1e-12 {
        // All but certainly negative: what passes has next to no speed.
        return Conditioned { evidence: first.max(0.0), mean: 0.0, variance: sd * sd };
    }
    let centre = second / first;
    Conditioned { evidence: first, mean: centre, variance: (third / first - centre * centre).max(1e-9) }
}

/// `N(mean, sd²)` weighted by its absolute value.
pub(crate) fn weighted_by_size(mean: f64, sd: f64) -> Conditioned {
    let (up, down) = (weighted_by_positive_part(mean, sd), weighted_by_positive_part(-mean, sd));
    let evidence = up.evidence + down.evidence;
    let centre = (up.evidence * up.mean - down.evidence * down.mean) / evidence;
    let second = (up.evidence * (up.variance + up.mean * up.mean)
        + down.evidence * (down.variance + down.mean * down.mean))
        / evidence;
    Conditioned { evidence, mean: centre, variance: (second - centre * centre).max(1e-9) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Mean, variance and total of `N(mean, sd²)` times `weight`, by brute force.
    fn integrated(mean: f64, sd: f64, weight: impl Fn(f64) -> f64) -> (f64, f64, f64) {
        let step = sd * 1e-3;
        let (mut total, mut first, mut second) = (0.0, 0.0, 0.0);
        for place in -9_000..=9_000 {
            let x = mean + f64::from(place) * step;
            let mass = density((x - mean) / sd) / sd * step * weight(x);
            total += mass;
            first += mass * x;
            second += mass * x * x;
        }
        (total, first / total, second / total - first * first / (total * total))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn restriction_agrees_with_integration(mean in -3.0..3.0_f64, sd in 0.2..4.0_f64, low in -3.0..1.0_f64, width in 1.0..4.0_f64) {
            let Some(closed) = restricted(mean, sd, low, low + width) else { return Ok(()) };
            prop_assume!(closed.evidence > 1e-3);
            let inside = |x: f64| f64::from(u8::from(x >= low && x <= low + width));
            let (evidence, centre, variance) = integrated(mean, sd, inside);
            prop_assert!((closed.evidence - evidence).abs() < 2e-3);
            prop_assert!((closed.mean - centre).abs() < 1e-2 * sd);
            prop_assert!((closed.variance - variance).abs() < 2e-2 * sd * sd);
        }

        #[test]
        fn speed_weights_agree_with_integration(mean in -2.0..2.0_f64, sd in 0.3..2.0_f64) {
            for (closed, weight) in [
                (weighted_by_positive_part(mean, sd), (|x| x.max(0.0)) as fn(f64) -> f64),
                (weighted_by_size(mean, sd), f64::abs),
            ] {
                prop_assume!(closed.evidence > 1e-3);
                let (evidence, centre, variance) = integrated(mean, sd, weight);
                prop_assert!((closed.evidence - evidence).abs() < 1e-3 * sd.max(1.0));
                prop_assert!((closed.mean - centre).abs() < 1e-2 * sd.max(1.0));
                prop_assert!((closed.variance - variance).abs() < 2e-2 * (sd * sd).max(1.0));
            }
        }
    }
}

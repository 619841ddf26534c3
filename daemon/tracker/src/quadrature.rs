//! Gauss-Hermite points of an uncertain position: five along its longer axis, three along its shorter.
//!
//! For measurements that are true or false of a place (inside a footprint or not), where no linearisation exists.

use nalgebra::{Matrix2, Vector2};

use crate::gaussian::Gaussian;

const FIVE: [(f64, f64); 5] = [
    (-2.856_970_013_872_806, 0.011_257_411_327_720_7),
    (-1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (0.0, 0.533_333_333_333_333_3),
    (1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (2.856_970_013_872_806, 0.011_257_411_327_720_7),
];
const THREE: [(f64, f64); 3] =
    [(-1.732_050_807_568_877, 1.0 / 6.0), (0.0, 2.0 / 3.0), (1.732_050_807_568_877, 1.0 / 6.0)];

/// The outermost point, in standard deviations.
const FARTHEST_SD: f64 = 2.857;

/// Number of points.
pub(crate) const POINTS: usize = 15;

/// Whether no point reaches as far as `distance_m` from the position.
pub(crate) fn is_beyond(state: &Gaussian, distance_m: f64) -> bool {
    let trace_m2 = state.covariance[(0, 0)] + state.covariance[(1, 1)];
    distance_m > 0.0 && distance_m * distance_m > FARTHEST_SD * FARTHEST_SD * trace_m2
}

/// Points of a position and their weights, which sum to one.
pub(crate) fn points(position_m: Vector2<f64>, covariance_m2: &Matrix2<f64>) -> [(Vector2<f64>, f64); POINTS] {
    let axes = Axes::of(covariance_m2);
    let short = Vector2::new(-axes.long.y, axes.long.x);
    let mut points = [(position_m, 0.0); POINTS];
    for (row, along) in FIVE.iter().enumerate() {
        for (column, across) in THREE.iter().enumerate() {
            let offset = axes.long * (axes.long_sd * along.0) + short * (axes.short_sd * across.0);
            points[row * THREE.len() + column] = (position_m + offset, along.1 * across.1);
        }
    }
    points
}

/// Probability that the position is where `inside` says.
pub(crate) fn probability(state: &Gaussian, inside: impl Fn(Vector2<f64>) -> bool) -> f64 {
    let points = points(state.position(), &state.position_covariance());
    points.iter().filter(|(place, _)| inside(*place)).map(|(_, weight)| weight).sum()
}

/// The principal axes of a covariance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes {
    /// Unit vector along the longer one.
    pub(crate) long: Vector2<f64>,
    pub(crate) long_sd: f64,
    pub(crate) short_sd: f64,
}

impl Axes {
    pub(crate) fn of(covariance: &Matrix2<f64>) -> Self {
        let (a, b, d) = (covariance[(0, 0)], covariance[(0, 1)], covariance[(1, 1)]);
        let mean = 0.5 * (a + d);
        let half = libm::hypot(0.5 * (a - d), b);
        // Half of the angle whose cosine is (a - d) / 2 over `half`, without the functions of an angle.
        let cosine = if half > 0.0 { (0.5 * (a - d) / half).clamp(-1.0, 1.0) } else { 1.0 };
        let (along, across) = (libm::sqrt(0.5 * (1.0 + cosine)), libm::sqrt(0.5 * (1.0 - cosine)));
        Self {
            long: Vector2::new(along, if b < 0.0 { -across } else { across }),
            long_sd: libm::sqrt((mean + half).max(0.0)),
            short_sd: libm::sqrt((mean - half).max(0.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn points_have_the_moments_of_the_position(
            a in 0.1..500.0_f64, d in 0.1..500.0_f64, correlation in -0.99..0.99_f64, east in -1e3..1e3_f64,
        ) {
            let b = correlation * (a * d).sqrt();
            let covariance = Matrix2::new(a, b, b, d);
            let centre = Vector2::new(east, -east);
            let points = points(centre, &covariance);
            let mean: Vector2<f64> = points.iter().map(|(place, weight)| place * *weight).sum();
            let spread: Matrix2<f64> = points
                .iter()
                .map(|(place, weight)| (place - centre) * (place - centre).transpose() * *weight)
                .sum();
            prop_assert!((mean - centre).norm() < 1e-9 * (1.0 + east.abs()));
            prop_assert!((spread - covariance).norm() < 1e-9 * covariance.norm());
        }
    }
}

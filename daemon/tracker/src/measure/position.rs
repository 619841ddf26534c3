//! A position in the site frame.

use nalgebra::{Matrix2, Matrix2x4, Vector2};

use crate::gaussian::{Gaussian, Linearised, SQRT_TWO_PI};

/// Density of the position for a state. As [`Linearised::likelihood`] gives it, to the bit, without the products with ones
/// and zeros: it is what a filter of positions computes most often.
pub(crate) fn likelihood(
    position_m: Vector2<f64>,
    covariance_m2: &Matrix2<f64>,
    origin_variance_m2: f64,
    prior: &Gaussian,
) -> f64 {
    let innovation = position_m - prior.position();
    let spread = |row: usize, column: usize| {
        let own = if row == column { origin_variance_m2 } else { 0.0 };
        prior.covariance[(row, column)] + (covariance_m2[(row, column)] + own)
    };
    let lower_east = libm::sqrt(spread(0, 0));
    let lower_cross = spread(1, 0) / lower_east;
    let lower_north = libm::sqrt(spread(1, 1) - lower_cross * lower_cross);
    if !(lower_east > 0.0 && lower_north > 0.0) {
        return 0.0;
    }
    let east = innovation.x / lower_east;
    let north = (innovation.y - lower_cross * east) / lower_north;
    let normaliser = lower_east * SQRT_TWO_PI * (lower_north * SQRT_TWO_PI);
    libm::exp(-0.5 * (east * east + north * north)) / normaliser
}

/// `h(x) = [east, north]`: linear.
pub(crate) fn linearise(
    position_m: Vector2<f64>,
    covariance_m2: &Matrix2<f64>,
    origin_variance_m2: f64,
    prior: &Gaussian,
) -> Linearised<2> {
    Linearised {
        innovation: position_m - prior.position(),
        jacobian: Matrix2x4::identity(),
        noise: covariance_m2 + Matrix2::identity() * origin_variance_m2,
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector4;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_short_way_gives_the_same_density(
            parts in prop::array::uniform10(-5.0..5.0_f64), innovation in prop::array::uniform2(-30.0..30.0_f64),
            noise in prop::array::uniform2(0.1..20.0_f64), origin_variance_m2 in 0.0..5.0_f64,
        ) {
            let mut root = nalgebra::Matrix4::<f64>::identity();
            let lower = (0..4).flat_map(|row| (0..=row).map(move |column| (row, column)));
            lower.zip(parts).for_each(|(place, part)| root[place] += part);
            let prior = Gaussian { mean: Vector4::new(3.0, -7.0, 1.0, 0.5), covariance: root * root.transpose() };
            let position_m = prior.position() + Vector2::from(innovation);
            let covariance = Matrix2::new(noise[0], 0.05, 0.05, noise[1]);
            let short = likelihood(position_m, &covariance, origin_variance_m2, &prior);
            let long = linearise(position_m, &covariance, origin_variance_m2, &prior).likelihood(&prior).0;
            prop_assert_eq!(short, long);
        }
    }
}

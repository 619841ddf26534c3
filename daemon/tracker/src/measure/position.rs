//! A position in the site frame.

use nalgebra::{Matrix2, Matrix2x4, Vector2};

use crate::gaussian::{FARTHEST_SQUARED, Gaussian, Linearised, SQRT_TWO_PI, bell};

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
    let east = innovation.x / lower_east;
    if !(lower_east > 0.0 && east * east <= FARTHEST_SQUARED) {
        return 0.0;
    }
    let lower_cross = spread(1, 0) / lower_east;
    let lower_north = libm::sqrt(spread(1, 1) - lower_cross * lower_cross);
    if lower_north.is_nan() || lower_north <= 0.0 {
        return 0.0;
    }
    let north = (innovation.y - lower_cross * east) / lower_north;
    let normaliser = lower_east * SQRT_TWO_PI * (lower_north * SQRT_TWO_PI);
    bell(east * east + north * north) / normaliser
}

/// Kalman update of a state, and the density, as [`Linearised::update`] gives them, with the products with the Jacobian's
/// ones and zeros left out: `P <- (I - K H) P (I - K H)' + K R K'`. `None`, with nothing changed, when `S` is not positive
/// definite.
pub(crate) fn update(
    position_m: Vector2<f64>,
    covariance_m2: &Matrix2<f64>,
    origin_variance_m2: f64,
    state: &mut Gaussian,
) -> Option<f64> {
    let density = likelihood(position_m, covariance_m2, origin_variance_m2, state);
    let innovation = position_m - state.position();
    let noise = covariance_m2 + Matrix2::identity() * origin_variance_m2;
    let spread = state.position_covariance() + noise;
    let determinant = spread[(0, 0)] * spread[(1, 1)] - spread[(1, 0)] * spread[(1, 0)];
    if !(spread[(0, 0)] > 0.0 && determinant > 0.0) {
        return None;
    }
    let inverse = [spread[(1, 1)], -spread[(1, 0)], spread[(0, 0)]].map(|entry| entry / determinant);
    let p = &state.covariance.data.0;
    let gain: [[f64; 2]; 4] = core::array::from_fn(|row| {
        [p[0][row] * inverse[0] + p[1][row] * inverse[1], p[0][row] * inverse[1] + p[1][row] * inverse[2]]
    });
    // (I - K H) P, column by column.
    let kept: [[f64; 4]; 4] = core::array::from_fn(|column| {
        core::array::from_fn(|row| p[column][row] - (gain[row][0] * p[column][0] + gain[row][1] * p[column][1]))
    });
    // K R - (I - K H) P H', of which the rest is the product with K'.
    let pulled: [[f64; 2]; 4] = core::array::from_fn(|row| {
        let of_noise = |axis: usize| gain[row][0] * noise[(0, axis)] + gain[row][1] * noise[(1, axis)];
        [of_noise(0) - kept[0][row], of_noise(1) - kept[1][row]]
    });
    let both = |row: usize, column: usize| {
        kept[column][row] + (pulled[row][0] * gain[column][0] + pulled[row][1] * gain[column][1])
    };
    for column in 0..4 {
        for row in column..4 {
            let entry = both(row, column);
            state.covariance[(row, column)] = entry;
            state.covariance[(column, row)] = entry;
        }
    }
    for (mean, gain) in state.mean.iter_mut().zip(&gain) {
        *mean += gain[0] * innovation.x + gain[1] * innovation.y;
    }
    Some(density)
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

    /// A correlated state, a position to measure near it, its covariance, and the variance of the sensor's own position.
    fn plots() -> impl Strategy<Value = (Gaussian, Vector2<f64>, Matrix2<f64>, f64)> {
        let innovation = prop::array::uniform2(-30.0..30.0_f64);
        let noise = prop::array::uniform2(0.1..20.0_f64);
        let parts = (prop::array::uniform10(-5.0..5.0_f64), innovation, noise, 0.0..5.0_f64);
        parts.prop_map(|(parts, innovation, noise, origin_variance_m2)| {
            let mut root = nalgebra::Matrix4::<f64>::identity();
            let lower = (0..4).flat_map(|row| (0..=row).map(move |column| (row, column)));
            lower.zip(parts).for_each(|(place, part)| root[place] += part);
            let prior = Gaussian { mean: Vector4::new(3.0, -7.0, 1.0, 0.5), covariance: root * root.transpose() };
            let position_m = prior.position() + Vector2::from(innovation);
            (prior, position_m, Matrix2::new(noise[0], 0.05, 0.05, noise[1]), origin_variance_m2)
        })
    }

    proptest! {
        #[test]
        fn the_short_way_gives_the_same_density((prior, position_m, covariance, origin_variance_m2) in plots()) {
            let short = likelihood(position_m, &covariance, origin_variance_m2, &prior);
            let long = linearise(position_m, &covariance, origin_variance_m2, &prior).likelihood(&prior).0;
            prop_assert_eq!(short, long);
        }

        #[test]
        fn the_short_way_gives_the_same_update((prior, position_m, covariance, origin_variance_m2) in plots()) {
            let mut short = prior;
            let density = update(position_m, &covariance, origin_variance_m2, &mut short);
            let long = linearise(position_m, &covariance, origin_variance_m2, &prior).update(&prior, 1.0);
            let (Some(density), Some((long, expected))) = (density, long) else { panic!("no update") };
            let size = prior.covariance.norm();
            prop_assert_eq!(density, expected);
            prop_assert!((short.mean - long.mean).norm() <= 1e-9 * (1.0 + size));
            prop_assert!((short.covariance - long.covariance).norm() <= 1e-10 * size);
            prop_assert_eq!(short.covariance, short.covariance.transpose());
        }
    }
}

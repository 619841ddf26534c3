//! A position in the site frame.

use nalgebra::{Matrix2, Matrix2x4, Vector2};

use crate::gaussian::{FARTHEST_SQUARED, Gaussian, Linearised, bell};

/// Density of the position for a state, as [`Linearised::likelihood`] gives it, without the products with ones and zeros: it
/// is what a filter of positions computes most often.
pub(crate) fn likelihood(
    position_m: Vector2<f64>,
    covariance_m2: &Matrix2<f64>,
    origin_variance_m2: f64,
    prior: &Gaussian,
) -> f64 {
    let innovation = position_m - prior.position();
    let spread = Spread::of(covariance_m2, origin_variance_m2, prior);
    // Most plots are too far away along one axis alone: that takes no division.
    let is_far = |offset: f64, variance: f64| offset * offset > FARTHEST_SQUARED * variance;
    if is_far(innovation.x, spread.east) || is_far(innovation.y, spread.north) {
        return 0.0;
    }
    spread.inverse().map_or(0.0, |inverse| inverse.density(innovation))
}

/// The innovation covariance `S`: its entries east, across and north.
struct Spread {
    east: f64,
    across: f64,
    north: f64,
}

/// Its inverse, and the determinant of that.
struct Inverse {
    east: f64,
    across: f64,
    north: f64,
    determinant: f64,
}

impl Spread {
    fn of(covariance_m2: &Matrix2<f64>, origin_variance_m2: f64, prior: &Gaussian) -> Self {
        let (p, r) = (&prior.covariance, covariance_m2);
        Self {
            east: p[(0, 0)] + (r[(0, 0)] + origin_variance_m2),
            across: p[(1, 0)] + r[(1, 0)],
            north: p[(1, 1)] + (r[(1, 1)] + origin_variance_m2),
        }
    }

    /// `None` when it is not positive definite.
    fn inverse(&self) -> Option<Inverse> {
        let determinant = self.east * self.north - self.across * self.across;
        if !(self.east > 0.0 && determinant > 0.0) {
            return None;
        }
        let of_inverse = 1.0 / determinant;
        Some(Inverse {
            east: self.north * of_inverse,
            across: -self.across * of_inverse,
            north: self.east * of_inverse,
            determinant: of_inverse,
        })
    }
}

impl Inverse {
    /// Density `N(innovation; 0, S)`.
    fn density(&self, innovation: Vector2<f64>) -> f64 {
        let (x, y) = (innovation.x, innovation.y);
        let squared = self.east * x * x + 2.0 * self.across * x * y + self.north * y * y;
        if squared > FARTHEST_SQUARED {
            return 0.0;
        }
        bell(squared) * libm::sqrt(self.determinant) / core::f64::consts::TAU
    }
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
    let inverse = Spread::of(covariance_m2, origin_variance_m2, state).inverse()?;
    let innovation = position_m - state.position();
    let density = inverse.density(innovation);
    let noise = covariance_m2 + Matrix2::identity() * origin_variance_m2;
    let p = &state.covariance.data.0;
    let gain: [[f64; 2]; 4] = core::array::from_fn(|row| {
        [p[0][row] * inverse.east + p[1][row] * inverse.across, p[0][row] * inverse.across + p[1][row] * inverse.north]
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
            prop_assert!((short - long).abs() <= 1e-12 * long, "{short}, expected {long}");
        }

        #[test]
        fn the_short_way_gives_the_same_update((prior, position_m, covariance, origin_variance_m2) in plots()) {
            let mut short = prior;
            let density = update(position_m, &covariance, origin_variance_m2, &mut short);
            let long = linearise(position_m, &covariance, origin_variance_m2, &prior).update(&prior, 1.0);
            let (Some(density), Some((long, expected))) = (density, long) else { panic!("no update") };
            let size = prior.covariance.norm();
            prop_assert!((density - expected).abs() <= 1e-12 * expected, "{density}, expected {expected}");
            prop_assert!((short.mean - long.mean).norm() <= 1e-9 * (1.0 + size));
            prop_assert!((short.covariance - long.covariance).norm() <= 1e-10 * size);
            prop_assert_eq!(short.covariance, short.covariance.transpose());
        }
    }
}

//! A position in the site frame.

use nalgebra::{Matrix2, Matrix2x4, Vector2};

use crate::gaussian::{Gaussian, Linearised};

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

//! A distance from the sensor, such as from signal strength.

use nalgebra::{Matrix1, Matrix1x4, Vector1};

use super::Plot;
use crate::gaussian::{Gaussian, Linearised};

/// `h(x) = |position - sensor|`.
pub(crate) fn linearise(range_m: f64, sd_m: f64, plot: &Plot<'_>, prior: &Gaussian) -> Linearised<1> {
    let offset = prior.position() - plot.origin_m;
    let distance = offset.norm().max(1e-3);
    Linearised {
        innovation: Vector1::new(range_m - distance),
        jacobian: Matrix1x4::new(offset.x / distance, offset.y / distance, 0.0, 0.0),
        noise: Matrix1::new(sd_m * sd_m + plot.origin_variance_m2),
    }
}

//! A direction from the sensor, without range.

use nalgebra::{Matrix1, Matrix1x4, Vector1};

use super::Plot;
use crate::angle::{azimuth_of, wrap};
use crate::gaussian::{Gaussian, Linearised};

/// Below this range the direction of an object says nothing.
const NEAREST_M: f64 = 1.0;

/// `h(x) = atan2(east, north)` from the sensor, clockwise from north.
pub(crate) fn linearise(azimuth_rad: f64, sd_rad: f64, plot: &Plot<'_>, prior: &Gaussian) -> Linearised<1> {
    let offset = prior.position() - plot.origin_m;
    let squared = offset.norm_squared().max(NEAREST_M * NEAREST_M);
    let noise = sd_rad * sd_rad + plot.origin_variance_m2 / squared;
    Linearised {
        innovation: Vector1::new(wrap(azimuth_rad - azimuth_of(offset))),
        jacobian: Matrix1x4::new(offset.y / squared, -offset.x / squared, 0.0, 0.0),
        noise: Matrix1::new(noise),
    }
}

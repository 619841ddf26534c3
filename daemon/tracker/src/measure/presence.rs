//! Something inside the sensor's footprint: a report whose rate is `-ln(1 - detection probability)` a second inside
//! and nothing outside.
//!
//! The footprint's indicator is replaced by a Gaussian bump of height one with the second moments of the footprint,
//! so that an uncertain position is pulled inside as a Gaussian, in one update.

use nalgebra::{Matrix2, Matrix2x4, Vector2};

use super::Plot;
use crate::gaussian::{Gaussian, Linearised};
use crate::sensor::SensorModel;

/// Reports per second from an object inside.
pub(crate) fn rate_per_s(sensor: &SensorModel) -> f64 {
    -libm::log1p(-sensor.detection_probability.min(0.999))
}

/// A position at the middle of the footprint with its spread; the factor turns the density into a rate.
pub(crate) fn linearise(plot: &Plot<'_>, prior: &Gaussian) -> (Linearised<2>, f64) {
    let (centre, noise) = on_ground(plot);
    let height = core::f64::consts::TAU * libm::sqrt(noise.determinant().max(0.0));
    let innovation = Linearised { innovation: centre - prior.position(), jacobian: Matrix2x4::identity(), noise };
    (innovation, height * rate_per_s(plot.sensor))
}

/// Middle and second moments of the footprint: for a disc of radius r, r²/4 per axis.
pub(crate) fn on_ground(plot: &Plot<'_>) -> (Vector2<f64>, Matrix2<f64>) {
    let (low, high) = plot.sensor.coverage.bounds_m(plot.origin_m);
    let half = (high - low) * 0.5;
    let variance = Vector2::new(half.x * half.x, half.y * half.y) * 0.25;
    ((low + high) * 0.5, Matrix2::from_diagonal(&variance) + Matrix2::identity() * plot.origin_variance_m2)
}

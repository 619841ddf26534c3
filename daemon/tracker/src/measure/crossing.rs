//! Something crossed the sensor's line: at that moment it was on the segment, and moving across it.

use nalgebra::{Matrix2, Matrix2x4, Vector2};

use super::Plot;
use crate::detection::Direction;
use crate::gaussian::{Gaussian, Linearised};

/// Spread across the line: a step and the sensor's clock.
const ACROSS_SD_M: f64 = 1.5;

/// Keeps the flux positive when the direction contradicts the velocity.
const SMALLEST_FLUX_MPS: f64 = 1e-4;

/// A position on the segment with its spread. The factor turns the density on the ground into crossings a second:
/// the flux through the segment, `p(x on the line) |v across|`, in the direction that was seen.
pub(crate) fn linearise(direction: Option<Direction>, plot: &Plot<'_>, prior: &Gaussian) -> (Linearised<2>, f64) {
    let (middle, noise) = on_ground(plot);
    let innovation = Linearised { innovation: middle - prior.position(), jacobian: Matrix2x4::identity(), noise };
    let Some((from, to)) = plot.segment() else {
        return (innovation, 0.0);
    };
    let along = to - from;
    let length = along.norm().max(1e-3);
    // Left to right of the line as seen from its start.
    let inwards = Vector2::new(along.y, -along.x) / length;
    let speed = prior.velocity().dot(&inwards);
    let speed_sd = libm::sqrt(inwards.dot(&(prior.velocity_covariance() * inwards)).max(1e-6));
    let ratio = speed / speed_sd;
    let bump = speed_sd * libm::exp(-0.5 * ratio * ratio) / libm::sqrt(core::f64::consts::TAU);
    // Expected positive and negative part of the speed across.
    let inward = bump + 0.5 * speed * libm::erfc(-ratio / core::f64::consts::SQRT_2);
    let outward = inward - speed;
    let flux = match direction {
        None => inward + outward,
        Some(Direction::In) => inward,
        Some(Direction::Out) => outward,
    };
    // The bump along the segment has height one over its own spread: bring it to the segment's length.
    let along_sd = length / libm::sqrt(12.0);
    let height = libm::sqrt(core::f64::consts::TAU) * along_sd;
    (innovation, height * plot.sensor.detection_probability * flux.max(SMALLEST_FLUX_MPS))
}

/// Middle of the segment, spread along it as a uniform distribution is.
pub(crate) fn on_ground(plot: &Plot<'_>) -> (Vector2<f64>, Matrix2<f64>) {
    let Some((from, to)) = plot.segment() else {
        return (plot.origin_m, Matrix2::identity());
    };
    let along = to - from;
    let length = along.norm().max(1e-3);
    let unit = along / length;
    let across = Vector2::new(unit.y, -unit.x);
    let covariance =
        unit * unit.transpose() * (length * length / 12.0) + across * across.transpose() * (ACROSS_SD_M * ACROSS_SD_M);
    ((from + to) * 0.5, covariance)
}

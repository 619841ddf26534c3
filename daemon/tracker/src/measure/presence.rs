//! Something inside the sensor's footprint: a report whose rate is `-ln(1 - detection probability)` a second inside
//! and nothing outside.
//!
//! Inside or outside is no Gaussian: the position is cut to the footprint point by point and brought back to a
//! Gaussian with the same moments; the velocity follows through its correlation with the position. A wide position
//! is split before (see `mixture`), so that the points are dense enough.

use nalgebra::{Matrix2, Matrix2x4, Vector2};

use super::Plot;
use crate::gaussian::{Gaussian, Linearised};
use crate::quadrature;
use crate::sensor::SensorModel;

/// A position this surely inside is left as it is.
const SURELY_INSIDE: f64 = 0.98;

/// Part of the prior's variance kept against points that happen to coincide.
const KEPT_VARIANCE: f64 = 0.05;
const SMALLEST_VARIANCE_M2: f64 = 0.5;

/// Reports per second from an object inside.
pub(crate) fn rate_per_s(sensor: &SensorModel) -> f64 {
    -libm::log1p(-sensor.detection_probability.min(0.999))
}

/// Probability that an object in this state is inside the footprint, weighed by what the report's strength says about where.
pub(crate) fn probability_inside(plot: &Plot<'_>, prior: &Gaussian) -> f64 {
    if is_out_of_reach(plot, prior) {
        return 0.0;
    }
    let points = quadrature::points(prior.position(), &prior.position_covariance());
    points.iter().map(|(place, weight)| weight * agreement(plot, *place)).sum()
}

/// The state cut to the footprint, and the rate of reports. `None` when it is outside.
pub(crate) fn update(plot: &Plot<'_>, prior: &Gaussian) -> Option<(Gaussian, f64)> {
    if is_out_of_reach(plot, prior) {
        return None;
    }
    let before = prior.position_covariance();
    let (mut inside, mut sum, mut square) = (0.0, Vector2::zeros(), Matrix2::zeros());
    for (place, weight) in quadrature::points(prior.position(), &before) {
        let weight = weight * agreement(plot, place);
        if weight > 0.0 {
            let offset = place - prior.position();
            inside += weight;
            sum += offset * weight;
            square += offset * offset.transpose() * weight;
        }
    }
    let rate = inside * rate_per_s(plot.sensor);
    if inside >= SURELY_INSIDE && plot.nearness.is_none() {
        return Some((*prior, rate));
    }
    if inside <= 1e-9 {
        return None;
    }
    let shift = sum / inside;
    let kept = before * KEPT_VARIANCE + Matrix2::identity() * SMALLEST_VARIANCE_M2;
    let covariance = square / inside - shift * shift.transpose() + kept;
    Some((prior.with_position(prior.position() + shift, &covariance)?, rate))
}

/// A position at the middle of the footprint with its spread, for the record of the association.
pub(crate) fn linearise(plot: &Plot<'_>, prior: &Gaussian) -> Linearised<2> {
    let (centre, noise) = on_ground(plot);
    Linearised { innovation: centre - prior.position(), jacobian: Matrix2x4::identity(), noise }
}

/// Middle and second moments of the footprint: for a disc of radius r, r²/4 per axis.
pub(crate) fn on_ground(plot: &Plot<'_>) -> (Vector2<f64>, Matrix2<f64>) {
    let (low, high) = plot.sensor.coverage.bounds_m(plot.origin_m);
    let half = (high - low) * 0.5;
    let variance = Vector2::new(half.x * half.x, half.y * half.y) * 0.25;
    ((low + high) * 0.5, Matrix2::from_diagonal(&variance) + Matrix2::identity() * plot.origin_variance_m2)
}

/// Whether no point of the position can be inside.
fn is_out_of_reach(plot: &Plot<'_>, prior: &Gaussian) -> bool {
    let outside_m = -plot.sensor.coverage.signed_distance_m(plot.origin_m, prior.position());
    quadrature::is_beyond(prior, outside_m - libm::sqrt(plot.origin_variance_m2))
}

/// Density of the report at a place, relative to one that could come from anywhere inside; zero outside.
fn agreement(plot: &Plot<'_>, place: Vector2<f64>) -> f64 {
    if plot.sensor.coverage.signed_distance_m(plot.origin_m, place) < -libm::sqrt(plot.origin_variance_m2) {
        return 0.0;
    }
    plot.nearness.map_or(1.0, |nearness| nearness.at((place - plot.origin_m).norm()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::Measurement;
    use crate::measure::fixture::{plot_of, sensor};
    use crate::sensor::{Coverage, SensorKind};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Against integration over a fine grid, for positions about as narrow as the filter makes them before.
        #[test]
        fn restriction_agrees_with_integration(east in -22.0..22.0_f64, sd in 2.0..6.0_f64) {
            let model = sensor(SensorKind::Pir, Coverage::Circle { radius_m: 15.0 });
            let plot = plot_of(Measurement::Presence { strength: None }, &model);
            let prior = Gaussian::new(
                Vector2::new(east, 3.0), Matrix2::identity() * (sd * sd), Vector2::zeros(), Matrix2::identity(),
            );
            let (mut inside, mut mean) = (0.0, Vector2::zeros());
            for row in -60..=60 {
                for column in -60..=60 {
                    let place = Vector2::new(f64::from(column) * 0.5, f64::from(row) * 0.5);
                    if place.norm() <= 15.0 {
                        let offset = (place - prior.position()) / sd;
                        let mass = 0.25 * libm::exp(-0.5 * offset.norm_squared()) / (core::f64::consts::TAU * sd * sd);
                        inside += mass;
                        mean += place * mass;
                    }
                }
            }
            prop_assert!((probability_inside(&plot, &prior) - inside).abs() < 0.25);
            if inside > 0.3 {
                let Some((posterior, rate)) = update(&plot, &prior) else { return Err(TestCaseError::fail("outside")) };
                prop_assert!((rate / rate_per_s(&model) - inside).abs() < 0.25);
                prop_assert!((posterior.position() - mean / inside).norm() < 0.6 * sd);
                prop_assert!(posterior.covariance.cholesky().is_some());
            }
        }
    }

    #[test]
    fn velocity_follows_the_position_that_presence_gives() {
        let model = sensor(SensorKind::Pir, Coverage::Circle { radius_m: 15.0 });
        let plot = plot_of(Measurement::Presence { strength: None }, &model);
        // Ten seconds after a known place: who is farther east has walked faster.
        let start =
            Gaussian::new(Vector2::new(-25.0, 0.0), Matrix2::identity(), Vector2::new(1.0, 0.0), Matrix2::identity());
        let prior = start.shifted(10.0);
        let posterior = update(&plot, &prior).map(|(posterior, _)| posterior);
        assert!(posterior.is_some_and(|posterior| posterior.velocity().x > prior.velocity().x + 0.1));
    }
}

//! Something crossed the sensor's line: at that moment it was on the segment, and moving across it.
//!
//! The density is the flux through the segment, crossings a second: `p(on the line) P(within its ends) E|v across|`.
//! The state after it is on the line, between the ends, and moving in the direction seen; fast objects are met more
//! often than slow ones, which the velocity learns too.

use nalgebra::{Matrix1, Matrix1x4, Matrix2, Matrix2x4, Vector1, Vector2, Vector4};

use super::Plot;
use crate::detection::Direction;
use crate::gaussian::{Gaussian, Linearised};
use crate::normal;

/// Spread across the line: a step and the sensor's clock.
const ACROSS_SD_M: f64 = 0.7;

/// A line with unit vectors along it and across it, the latter from its left to its right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    from_m: Vector2<f64>,
    along: Vector2<f64>,
    pub(crate) across: Vector2<f64>,
    pub(crate) length_m: f64,
}

impl Segment {
    pub(crate) fn new(from_m: Vector2<f64>, to_m: Vector2<f64>) -> Self {
        let span = to_m - from_m;
        let length_m = span.norm().max(1e-3);
        let along = span / length_m;
        Self { from_m, along, across: Vector2::new(along.y, -along.x), length_m }
    }

    /// The point of the line at a distance from its start.
    pub(crate) fn at(&self, along_m: f64) -> Vector2<f64> {
        self.from_m + self.along * along_m
    }

    /// Mean and standard deviation of the signed distance from the line, positive on its right.
    pub(crate) fn distance(&self, state: &Gaussian) -> (f64, f64) {
        let (mean, sd) = state.scalar(&position(self.across));
        (mean - self.across.dot(&self.from_m), sd)
    }

    /// Probability that the position, moved onto the line, lies between the ends.
    pub(crate) fn probability_between_ends(&self, state: &Gaussian) -> f64 {
        let (place, sd) = self.place(state);
        normal::restricted(place, sd, 0.0, self.length_m).map_or(0.0, |inside| inside.evidence)
    }

    /// Mean speed across, in whichever direction.
    pub(crate) fn mean_speed_across_mps(&self, state: &Gaussian) -> f64 {
        let (mean, sd) = state.scalar(&velocity(self.across));
        normal::weighted_by_size(mean, sd).evidence
    }

    fn place(&self, state: &Gaussian) -> (f64, f64) {
        let (mean, sd) = state.scalar(&position(self.along));
        (mean - self.along.dot(&self.from_m), sd)
    }
}

fn position(direction: Vector2<f64>) -> Vector4<f64> {
    Vector4::new(direction.x, direction.y, 0.0, 0.0)
}

fn velocity(direction: Vector2<f64>) -> Vector4<f64> {
    Vector4::new(0.0, 0.0, direction.x, direction.y)
}

/// The state after the crossing, and crossings a second reported. `None` when it cannot have crossed here.
pub(crate) fn update(
    direction: Option<Direction>,
    plot: &Plot<'_>,
    segment: &Segment,
    prior: &Gaussian,
) -> Option<(Gaussian, f64)> {
    let on_line = Linearised {
        innovation: Vector1::new(-segment.distance(prior).0),
        jacobian: Matrix1x4::from(position(segment.across).transpose()),
        noise: Matrix1::new(ACROSS_SD_M * ACROSS_SD_M + plot.origin_variance_m2),
    };
    let (state, density) = on_line.update(prior, 1.0)?;
    let (place, place_sd) = segment.place(&state);
    let between = normal::restricted(place, place_sd, 0.0, segment.length_m)?;
    let start = segment.along.dot(&segment.from_m);
    let state = state.with_scalar(&position(segment.along), start + between.mean, between.variance);
    let across = velocity(segment.across);
    let (speed, speed_sd) = state.scalar(&across);
    let (flux, state) = match direction {
        Some(Direction::In) => {
            let inward = normal::weighted_by_positive_part(speed, speed_sd);
            (inward.evidence, state.with_scalar(&across, inward.mean, inward.variance))
        }
        Some(Direction::Out) => {
            let outward = normal::weighted_by_positive_part(-speed, speed_sd);
            (outward.evidence, state.with_scalar(&across, -outward.mean, outward.variance))
        }
        None => {
            let either = normal::weighted_by_size(speed, speed_sd);
            (either.evidence, state.with_scalar(&across, either.mean, either.variance))
        }
    };
    Some((state, density * between.evidence * flux * plot.sensor.detection_probability))
}

/// A position on the segment with its spread, for the record of the association.
pub(crate) fn linearise(plot: &Plot<'_>, prior: &Gaussian) -> Linearised<2> {
    let (middle, noise) = on_ground(plot);
    Linearised { innovation: middle - prior.position(), jacobian: Matrix2x4::identity(), noise }
}

/// Middle of the segment, spread along it as a uniform distribution is.
pub(crate) fn on_ground(plot: &Plot<'_>) -> (Vector2<f64>, Matrix2<f64>) {
    let Some(segment) = plot.segment() else {
        return (plot.origin_m, Matrix2::identity());
    };
    let (along, across, length) = (segment.along, segment.across, segment.length_m);
    let covariance = along * along.transpose() * (length * length / 12.0)
        + across * across.transpose() * (ACROSS_SD_M * ACROSS_SD_M);
    (segment.from_m + along * (0.5 * length), covariance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::Measurement;
    use crate::measure::fixture::{plot_of, sensor};
    use crate::sensor::{Coverage, SensorKind};

    fn moving(velocity: Vector2<f64>) -> Gaussian {
        Gaussian::new(Vector2::new(10.0, 5.0), Matrix2::identity() * 100.0, velocity, Matrix2::identity() * 0.25)
    }

    /// Density of a crossing against the flux through the segment, integrated along it.
    #[test]
    fn density_is_the_flux_through_the_segment() {
        let model = sensor(SensorKind::Tripwire, Coverage::Line { from_m: [0.0, 0.0], to_m: [40.0, 0.0] });
        let plot = plot_of(Measurement::Crossing { direction: None }, &model);
        let segment = Segment::new(Vector2::new(0.0, 0.0), Vector2::new(40.0, 0.0));
        let prior = moving(Vector2::new(0.0, -1.5));
        let Some((posterior, density)) = update(None, &plot, &segment, &prior) else { panic!("no crossing") };
        let on_line: f64 = (0..400)
            .map(|piece| {
                let offset = Vector2::new(f64::from(piece) * 0.1 + 0.05 - 10.0, -5.0);
                0.1 * libm::exp(-0.5 * offset.norm_squared() / 100.0) / (core::f64::consts::TAU * 100.0)
            })
            .sum();
        let expected = on_line * 1.5 * model.detection_probability;
        assert!((density / expected - 1.0).abs() < 0.02, "density {density:e}, expected {expected:e}");
        assert!(posterior.position().y.abs() < 0.1);
        assert!(posterior.covariance.cholesky().is_some());
    }

    /// "In" is from left to right of a line that runs east: southwards.
    #[test]
    fn a_direction_turns_the_velocity() {
        let model = sensor(SensorKind::Tripwire, Coverage::Line { from_m: [0.0, 0.0], to_m: [40.0, 0.0] });
        let segment = Segment::new(Vector2::new(0.0, 0.0), Vector2::new(40.0, 0.0));
        for (direction, sign) in [(Direction::In, -1.0), (Direction::Out, 1.0)] {
            let plot = plot_of(Measurement::Crossing { direction: Some(direction) }, &model);
            let posterior = update(Some(direction), &plot, &segment, &moving(Vector2::zeros())).map(|(state, _)| state);
            assert!(posterior.is_some_and(|state| state.velocity().y * sign > 0.3), "{direction:?}");
        }
    }

    #[test]
    fn who_is_beyond_the_end_has_not_crossed() {
        let model = sensor(SensorKind::Tripwire, Coverage::Line { from_m: [0.0, 0.0], to_m: [40.0, 0.0] });
        let plot = plot_of(Measurement::Crossing { direction: None }, &model);
        let segment = Segment::new(Vector2::new(0.0, 0.0), Vector2::new(40.0, 0.0));
        let mut prior = moving(Vector2::new(0.0, -1.0));
        prior.mean[0] = 200.0;
        assert!(update(None, &plot, &segment, &prior).is_none());
    }
}

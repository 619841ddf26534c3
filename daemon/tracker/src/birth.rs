//! New tracks: from every plot, in proportion to how likely it is that nobody claims it and that it is not false.

use nalgebra::{Matrix2, Vector2};

use crate::angle::towards;
use crate::config::{MODES, TrackerConfig};
use crate::detection::{Direction, Measurement};
use crate::gaussian::Gaussian;
use crate::imm::{Hypothesis, MotionStep};
use crate::measure::Plot;
use crate::undetected::Undetected;
use crate::view::View;

/// Where the object of a plot would be, with the intensity of undetected objects that would give this plot.
pub(crate) struct Birth {
    /// Intensity in the units of the plot's density.
    pub(crate) intensity: f64,
    /// Normalised; empty when nothing could be there.
    pub(crate) hypotheses: Vec<Hypothesis>,
}

/// Ratio of two neighbouring ranges along a bearing.
const RANGE_RATIO: f64 = 1.18;
const NEAREST_RANGE_M: f64 = 15.0;

/// The birth that a plot suggests.
pub(crate) fn birth(config: &TrackerConfig, undetected: &Undetected, view: &View<'_>, plot: &Plot<'_>) -> Birth {
    if !view.model.initiates {
        return Birth { intensity: 0.0, hypotheses: Vec::new() };
    }
    let raw = match plot.measurement {
        Measurement::Bearing { azimuth_rad, azimuth_sd_rad } => {
            along_bearing(config, undetected, view, plot, azimuth_rad, azimuth_sd_rad)
        }
        Measurement::Range { range_m, range_sd_m } => around_range(config, undetected, view, plot, range_m, range_sd_m),
        Measurement::Crossing { direction } => across_line(config, undetected, plot, direction),
        Measurement::Position { .. } | Measurement::RangeBearing { .. } | Measurement::Presence { .. } => {
            on_the_spot(config, undetected, view, plot)
        }
    };
    let intensity: f64 = raw.iter().map(|hypothesis| hypothesis.weight).sum();
    let mut hypotheses = raw;
    if plot.sensor.plot_age_s > 0.0 {
        // Born where the object was; what is known of it now includes that it has moved on.
        let step = MotionStep::new(config, plot.sensor.plot_age_s);
        hypotheses.iter_mut().for_each(|hypothesis| hypothesis.predict(&step));
    }
    hypotheses.retain(|hypothesis| hypothesis.weight > 1e-3 * intensity);
    let kept: f64 = hypotheses.iter().map(|hypothesis| hypothesis.weight).sum();
    for hypothesis in &mut hypotheses {
        hypothesis.weight /= kept;
    }
    Birth { intensity, hypotheses }
}

/// A hypothesis at a place, at rest on average, in each way of moving.
fn at(
    config: &TrackerConfig,
    weight: f64,
    place: Vector2<f64>,
    spread: &Matrix2<f64>,
    velocity: Vector2<f64>,
) -> Hypothesis {
    let models = config.modes();
    let share: f64 = models.iter().map(|model| model.share).sum();
    let mut mode_probability = [0.0; MODES];
    for (probability, model) in mode_probability.iter_mut().zip(&models) {
        *probability = model.share / share;
    }
    let modes = models.map(|model| Gaussian::new(place, *spread, velocity, model.velocity_covariance()));
    Hypothesis { weight, mode_probability, modes }
}

fn on_the_spot(config: &TrackerConfig, undetected: &Undetected, view: &View<'_>, plot: &Plot<'_>) -> Vec<Hypothesis> {
    let Some((place, spread)) = plot.on_ground() else { return Vec::new() };
    let mut hypothesis = at(config, 1.0, place, &spread, Vector2::zeros());
    let density = undetected.density_at(place);
    hypothesis.weight = match plot.measurement {
        Measurement::Presence { .. } => {
            // Who is undetected comes in through the edge: flux of an isotropic crowd through a convex outline.
            let (low, high) = plot.sensor.coverage.bounds_m(plot.origin_m);
            let width = 0.5 * (high - low).sum();
            density * width * mean_speed_mps(config)
        }
        Measurement::RangeBearing { range_m, .. } => density * view.detection_probability * range_m,
        _ => density * view.detection_at(&hypothesis.modes[0]).max(0.5 * view.detection_probability),
    };
    vec![hypothesis]
}

/// One hypothesis for each range, in geometric steps: every one as long as it is far from its neighbours.
fn along_bearing(
    config: &TrackerConfig,
    undetected: &Undetected,
    view: &View<'_>,
    plot: &Plot<'_>,
    azimuth_rad: f64,
    azimuth_sd_rad: f64,
) -> Vec<Hypothesis> {
    let outwards = towards(azimuth_rad);
    let across = Vector2::new(outwards.y, -outwards.x);
    let (low, high) = plot.sensor.coverage.bounds_m(plot.origin_m);
    let farthest = 0.5 * (high - low).max();
    let mut hypotheses = Vec::new();
    let mut range = NEAREST_RANGE_M;
    while range < farthest {
        let length = range * (RANGE_RATIO - 1.0);
        let place = plot.origin_m + outwards * (range + 0.5 * length);
        let across_sd = range * azimuth_sd_rad;
        let spread = outwards * outwards.transpose() * (length * length / 12.0)
            + across * across.transpose() * (across_sd * across_sd)
            + Matrix2::identity() * plot.origin_variance_m2;
        let mut hypothesis = at(config, 1.0, place, &spread, Vector2::zeros());
        // Area seen per radian.
        hypothesis.weight = undetected.density_at(place) * range * length * view.detection_at(&hypothesis.modes[0]);
        hypotheses.push(hypothesis);
        range += length;
    }
    hypotheses
}

/// A ring of hypotheses.
fn around_range(
    config: &TrackerConfig,
    undetected: &Undetected,
    view: &View<'_>,
    plot: &Plot<'_>,
    range_m: f64,
    range_sd_m: f64,
) -> Vec<Hypothesis> {
    const DIRECTIONS: u32 = 24;
    let step = core::f64::consts::TAU / f64::from(DIRECTIONS);
    (0..DIRECTIONS)
        .map(|direction| {
            let outwards = towards(f64::from(direction) * step);
            let across = Vector2::new(outwards.y, -outwards.x);
            let across_sd = range_m * step / libm::sqrt(12.0);
            let spread = outwards * outwards.transpose() * (range_sd_m * range_sd_m)
                + across * across.transpose() * (across_sd * across_sd).max(1.0);
            let place = plot.origin_m + outwards * range_m;
            let mut hypothesis = at(config, 1.0, place, &spread, Vector2::zeros());
            hypothesis.weight = undetected.density_at(place) * range_m * step * view.detection_at(&hypothesis.modes[0]);
            hypothesis
        })
        .collect()
}

/// On the line and moving across it, in the direction reported, else in both.
fn across_line(
    config: &TrackerConfig,
    undetected: &Undetected,
    plot: &Plot<'_>,
    direction: Option<Direction>,
) -> Vec<Hypothesis> {
    let (Some((from, to)), Some((place, spread))) = (plot.segment(), plot.on_ground()) else {
        return Vec::new();
    };
    let along = to - from;
    let length = along.norm().max(1e-3);
    let inwards = Vector2::new(along.y, -along.x) / length;
    let speed = mean_speed_mps(config);
    let flux =
        undetected.density_at(place) * length * speed * plot.sensor.detection_probability / core::f64::consts::PI;
    let ways: &[f64] = match direction {
        None => &[1.0, -1.0],
        Some(Direction::In) => &[1.0],
        Some(Direction::Out) => &[-1.0],
    };
    ways.iter()
        .map(|way| {
            let mut hypothesis = at(config, flux, place, &spread, inwards * (way * speed));
            for mode in &mut hypothesis.modes {
                let mut velocity = mode.covariance.fixed_view_mut::<2, 2>(2, 2);
                velocity *= 0.5;
            }
            // Who stands still crosses nothing.
            hypothesis.modes[0].mean.fixed_rows_mut::<2>(2).fill(0.0);
            hypothesis.mode_probability = [0.0, 1.0 - config.vehicle.share, config.vehicle.share];
            hypothesis
        })
        .collect()
}

/// Mean speed on the ground of people on foot (Rayleigh).
fn mean_speed_mps(config: &TrackerConfig) -> f64 {
    config.walking.speed_sd_mps * libm::sqrt(core::f64::consts::FRAC_PI_2)
}

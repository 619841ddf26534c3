//! New tracks: from every plot, in proportion to how likely it is that nobody claims it and that it is not false.

use nalgebra::{Matrix2, Vector2};

use crate::angle::towards;
use crate::config::{MODES, TrackerConfig, WALKING};
use crate::detection::{Direction, Measurement};
use crate::gaussian::Gaussian;
use crate::imm::{Hypothesis, MotionStep};
use crate::measure::Plot;
use crate::mixture;
use crate::undetected::{HEADINGS, Undetected};
use crate::view::View;

/// Where the object of a plot would be, with the intensity of undetected objects that would give this plot.
pub(crate) struct Birth {
    /// Intensity in the units of the plot's density.
    pub(crate) intensity: f64,
    beginning: Beginning,
}

/// Where a new object begins.
enum Beginning {
    /// Where the plot is. Most of these births come to nothing: the hypothesis is made when it is asked for.
    OnTheSpot,
    /// Normalised; empty when nothing could be there.
    Among(Vec<Hypothesis>),
}

impl Birth {
    const fn none() -> Self {
        Self { intensity: 0.0, beginning: Beginning::Among(Vec::new()) }
    }

    /// Whether an object could be there at all.
    pub(crate) fn is_possible(&self) -> bool {
        match &self.beginning {
            Beginning::OnTheSpot => true,
            Beginning::Among(hypotheses) => !hypotheses.is_empty(),
        }
    }

    /// Whether it could be in several places.
    pub(crate) fn is_ambiguous(&self) -> bool {
        matches!(&self.beginning, Beginning::Among(hypotheses) if hypotheses.len() > 1)
    }

    /// Where it would be, with weights that sum to one.
    pub(crate) fn into_hypotheses(self, config: &TrackerConfig, restlessness: f64, plot: &Plot<'_>) -> Vec<Hypothesis> {
        let mut hypotheses = match self.beginning {
            Beginning::OnTheSpot => {
                let here = plot.on_ground().map(|(place, spread)| at(config, 1.0, place, &spread, Vector2::zeros()));
                here.into_iter().collect()
            }
            Beginning::Among(hypotheses) => hypotheses,
        };
        if plot.sensor.plot_age_s > 0.0 {
            // Born where the object was; what is known of it now includes that it has moved on.
            let step = MotionStep::new(config, restlessness, plot.sensor.plot_age_s);
            hypotheses.iter_mut().for_each(|hypothesis| hypothesis.predict(&step));
        }
        hypotheses
    }
}

/// Ratio of two neighbouring ranges along a bearing, and their largest step.
const RANGE_RATIO: f64 = 1.18;
const NEAREST_RANGE_M: f64 = 15.0;
const LARGEST_RANGE_STEP_M: f64 = 20.0;

/// How fast who walks in one of the directions walks, per axis and relative to the variance of all who walk: the Rayleigh
/// distribution of speeds around its mean, and half a direction's width to each side.
const COURSE_VARIANCE: f64 = 0.4;

/// The intensity of the undetected is one of walkers.
const ONLY_WALKING: [f64; MODES] = [0.0, 1.0, 0.0];

/// The birth that a plot suggests.
pub(crate) fn birth(config: &TrackerConfig, undetected: &Undetected, view: &View<'_>, plot: &Plot<'_>) -> Birth {
    if !view.model.initiates {
        return Birth::none();
    }
    let raw = match plot.measurement {
        Measurement::Bearing { azimuth_rad, azimuth_sd_rad } => {
            along_bearing(config, undetected, view, plot, azimuth_rad, azimuth_sd_rad)
        }
        Measurement::Range { range_m, range_sd_m } => around_range(config, undetected, view, plot, range_m, range_sd_m),
        Measurement::Crossing { direction } => across_line(config, undetected, plot, direction),
        Measurement::Presence { .. } => into_footprint(config, undetected, plot),
        Measurement::Position { .. } | Measurement::RangeBearing { .. } => {
            return on_the_spot(undetected, view, plot);
        }
    };
    let intensity: f64 = raw.iter().map(|hypothesis| hypothesis.weight).sum();
    let hypotheses = if intensity > 0.0 { mixture::reduced(raw, &[]) } else { Vec::new() };
    Birth { intensity, beginning: Beginning::Among(hypotheses) }
}

/// Velocities of who is not yet detected at a place: total intensity per square metre, and the moments.
struct Course {
    intensity: f64,
    mean: Vector2<f64>,
    covariance: Matrix2<f64>,
}

impl Course {
    /// Over all directions, each weighted by its intensity times `weight` of its velocity.
    fn of(
        config: &TrackerConfig,
        undetected: &Undetected,
        intensities: &[f64; HEADINGS],
        weight: impl Fn(Vector2<f64>) -> f64,
    ) -> Self {
        let (mut intensity, mut sum, mut square) = (0.0, Vector2::zeros(), Matrix2::zeros());
        for (heading, of_heading) in intensities.iter().enumerate() {
            let velocity = undetected.velocity(heading);
            let weighted = of_heading * weight(velocity);
            intensity += weighted;
            sum += velocity * weighted;
            square += velocity * velocity.transpose() * weighted;
        }
        let total = intensity.max(f64::MIN_POSITIVE);
        let mean = sum / total;
        Self { intensity, mean, covariance: square / total - mean * mean.transpose() + course_covariance(config) }
    }

    /// A hypothesis at a place for who walks so.
    fn at(&self, config: &TrackerConfig, weight: f64, place: Vector2<f64>, spread: &Matrix2<f64>) -> Hypothesis {
        let mut hypothesis = at(config, weight, place, spread, Vector2::zeros());
        hypothesis.modes[WALKING] = Gaussian::new(place, *spread, self.mean, self.covariance);
        hypothesis.mode_probability = ONLY_WALKING;
        hypothesis
    }
}

fn course_covariance(config: &TrackerConfig) -> Matrix2<f64> {
    config.walking.velocity_covariance() * COURSE_VARIANCE
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

fn on_the_spot(undetected: &Undetected, view: &View<'_>, plot: &Plot<'_>) -> Birth {
    let Some((place, spread)) = plot.on_ground() else { return Birth::none() };
    let density = undetected.density_at(place);
    let intensity = match plot.measurement {
        Measurement::RangeBearing { range_m, .. } => density * view.detection_probability * range_m,
        _ => density * view.detection_around(place, &spread).max(0.5 * view.detection_probability),
    };
    if intensity > 0.0 { Birth { intensity, beginning: Beginning::OnTheSpot } } else { Birth::none() }
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
        let length = (range * (RANGE_RATIO - 1.0)).min(LARGEST_RANGE_STEP_M);
        let place = plot.origin_m + outwards * (range + 0.5 * length);
        let across_sd = range * azimuth_sd_rad;
        let spread = outwards * outwards.transpose() * (0.25 * length * length)
            + across * across.transpose() * (across_sd * across_sd)
            + Matrix2::identity() * plot.origin_variance_m2;
        let course = Course::of(config, undetected, &undetected.by_heading(place), |_| 1.0);
        let mut hypothesis = course.at(config, 1.0, place, &spread);
        // Area seen per radian.
        hypothesis.weight = course.intensity * range * length * view.detection_at(&hypothesis.modes[0]);
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

/// On the line and moving across it, in the direction reported, else in both: the flux of each direction of walking,
/// from the side that it comes from.
fn across_line(
    config: &TrackerConfig,
    undetected: &Undetected,
    plot: &Plot<'_>,
    direction: Option<Direction>,
) -> Vec<Hypothesis> {
    let (Some(segment), Some((place, spread))) = (plot.segment(), plot.on_ground()) else {
        return Vec::new();
    };
    let allowed = |speed: f64| match direction {
        None => speed.abs(),
        Some(Direction::In) => speed.max(0.0),
        Some(Direction::Out) => (-speed).max(0.0),
    };
    let ways = [segment.across, -segment.across];
    let courses = ways.map(|way| {
        // A cell before the line, where this line has not thinned the intensity.
        let before = undetected.by_heading(place - way * undetected.cell_m());
        let across = |velocity: Vector2<f64>| {
            if velocity.dot(&way) > 0.0 { allowed(velocity.dot(&segment.across)) } else { 0.0 }
        };
        Course::of(config, undetected, &before, across)
    });
    let flux = segment.length_m * plot.sensor.detection_probability;
    let born = courses
        .iter()
        .filter(|course| course.intensity > 0.0)
        .map(|course| course.at(config, course.intensity * flux, place, &spread));
    born.collect()
}

/// Just inside the outline, in each direction of walking: who is undetected comes in through the edge, as the flux of
/// that direction through the footprint's width.
fn into_footprint(config: &TrackerConfig, undetected: &Undetected, plot: &Plot<'_>) -> Vec<Hypothesis> {
    let Some((centre, spread)) = plot.on_ground() else { return Vec::new() };
    let (low, high) = plot.sensor.coverage.bounds_m(plot.origin_m);
    let width = 0.5 * (high - low).sum();
    let born = (0..HEADINGS).filter_map(|heading| {
        let velocity = undetected.velocity(heading);
        let speed = velocity.norm().max(1e-3);
        let upstream = velocity * (-0.5 * width / speed);
        // A cell before the edge, where this footprint has not thinned the intensity.
        let before = upstream - velocity * (undetected.cell_m() / speed);
        let mut only = [0.0; HEADINGS];
        only[heading] = undetected.by_heading(centre + before)[heading];
        let course = Course::of(config, undetected, &only, |velocity| velocity.norm());
        (course.intensity > 0.0).then(|| course.at(config, course.intensity * width, centre + upstream * 0.6, &spread))
    });
    born.collect()
}

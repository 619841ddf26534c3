//! Whether anybody watches where a track is, or where it is going: who leaves the watched ground for good is not believed
//! in for long, who walks through a gap is.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};

use crate::bernoulli::Bernoulli;
use crate::fields;
use crate::filter::Models;
use crate::gaussian::largest_sd;
use crate::grid;
use crate::hull;
use crate::sensor::{Coverage, SensorModel};
use crate::sensor_state::SensorState;
use crate::time::Timestamp;

/// How far ahead a track's course is followed, and in what steps.
const COURSE_S: [f64; 8] = [5.0, 10.0, 20.0, 40.0, 60.0, 90.0, 120.0, 180.0];

/// Who steps over the edge of what a fast camera sees is given so long to step back.
const LEAST_DEPARTED_LIFE_S: f64 = 0.3;

/// A track this wide, unseen for this long, is given back to the undetected.
const LOST_SD_M: f64 = 250.0;
const LOST_AFTER_S: f64 = 20.0;

/// So is an ambiguous one that has not been believed in for this long.
const DOUBTED_EXISTENCE: f64 = 0.02;
const DOUBTED_AFTER_S: f64 = 10.0;

/// Mean life of the track's object until `at`, as its place then and its course give it: of one who may have left, as far as
/// that is likely, it is shorter.
pub(crate) fn life_s(models: Models<'_>, sensors: &[SensorState], track: &Bernoulli, at: Timestamp) -> f64 {
    let ahead_s = at.seconds_since(track.time).max(0.0);
    let state = match track.hypotheses.as_slice() {
        [only] => *only.likeliest(),
        _ => track.moments(),
    };
    let (place, covariance) = state.position_after(ahead_s);
    let (life_s, within) = (models.config.mean_life_s, watched(models, sensors, place, &covariance));
    let is_placed = || largest_sd(&covariance) <= models.config.point_sd_m;
    let stays_or_returns = || {
        let is_inside = |place| is_watched(models, sensors, place) || models.watched.surrounds(place);
        COURSE_S.iter().any(|ahead| is_inside(place + state.velocity() * *ahead))
    };
    if within >= 1.0 || !is_placed() || stays_or_returns() {
        return life_s;
    }
    1.0 / (within / life_s + (1.0 - within) / departed_life_s(models, track))
}

/// Probability that somebody is where one of the sensors watches, or between them.
fn watched(models: Models<'_>, sensors: &[SensorState], place: Vector2<f64>, covariance_m2: &Matrix2<f64>) -> f64 {
    let of_sensor = |sensor: usize| (&models.sensors[sensor].coverage, sensors[sensor].origin_m);
    let seen = models.watched.candidates(place).map(of_sensor);
    let between = models.watched.grounds.iter().map(|ground| (ground, Vector2::zeros()));
    let mut within = 0.0_f64;
    for (ground, origin_m) in seen.chain(between) {
        within = within.max(ground.probability_inside(origin_m, place, covariance_m2));
        if within >= 1.0 {
            break;
        }
    }
    within
}

/// Mean life of one who has left: no longer than it takes the sensors that saw it to look again.
fn departed_life_s(models: Models<'_>, track: &Bernoulli) -> f64 {
    let seen_by = track.records.seen_by().iter().map(|(sensor, _)| &models.sensors[*sensor]);
    let period_s = seen_by.filter_map(|sensor| sensor.scan_period_s).fold(f64::INFINITY, f64::min);
    models.config.departed_life_s.min(period_s.max(LEAST_DEPARTED_LIFE_S))
}

/// Whether the track is still worth keeping when nothing more is heard until `at`.
pub(crate) fn outlasts(models: Models<'_>, sensors: &[SensorState], track: &Bernoulli, at: Timestamp) -> bool {
    let least = track.forgotten_below(models.config);
    let interval_s = at.seconds_since(track.time).max(0.0);
    let after = |life_s: f64| track.existence_of_all() * libm::exp(-interval_s / life_s);
    // Most tracks do even if they have left: their place need not be looked up.
    let shortest_s = departed_life_s(models, track).min(models.config.mean_life_s);
    after(shortest_s) > least || after(life_s(models, sensors, track, at)) > least
}

/// Whether a track says nothing any more about where its object is.
pub(crate) fn is_lost(track: &Bernoulli, at: Timestamp) -> bool {
    let unseen_s = at.seconds_since(track.last_seen);
    let doubted = track.existence < DOUBTED_EXISTENCE && unseen_s > DOUBTED_AFTER_S && track.hypotheses.len() > 1;
    doubted || (unseen_s > LOST_AFTER_S && track.moments().position_sd_m() > LOST_SD_M)
}

fn is_watched(models: Models<'_>, sensors: &[SensorState], place: Vector2<f64>) -> bool {
    let holds = |sensor: usize| models.sensors[sensor].coverage.holds(sensors[sensor].origin_m, place);
    models.watched.candidates(place).any(holds)
}

/// Which sensors may cover a place: a grid of the small fixed coverages, and a list of the rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Watched {
    /// Cell row, cell column, sensor; sorted.
    cells: Vec<(i64, i64, usize)>,
    /// Sensors that move or whose coverage spans many cells.
    wide: Vec<usize>,
    /// Around what the sensors of each field watch.
    #[serde(default)]
    grounds: Vec<Coverage>,
}

/// Side of the grid's cells.
const CELL_M: f64 = 100.0;

/// A coverage of more cells than this, along one side, is not worth listing by cell.
const WIDE_M: f64 = 1000.0;

impl Watched {
    pub(crate) fn new(sensors: &[SensorModel]) -> Self {
        let mut watched = Self::default();
        for (index, sensor) in sensors.iter().enumerate() {
            let (low, high) = sensor.coverage.bounds_m(sensor.position_m);
            if sensor.mobile || (high - low).max() > WIDE_M {
                watched.wide.push(index);
                continue;
            }
            for row in cell(low.y)..=cell(high.y) {
                watched.cells.extend((cell(low.x)..=cell(high.x)).map(|column| (row, column, index)));
            }
        }
        watched.cells.sort_unstable();
        for members in fields::members(sensors) {
            let fixed = members.into_iter().map(|sensor| &sensors[sensor]).filter(|sensor| !sensor.mobile);
            let hull = hull::around(fixed.map(|sensor| (&sensor.coverage, sensor.position_m)));
            watched.grounds.extend((!hull.is_empty()).then_some(Coverage::Polygon { points_m: hull }));
        }
        watched
    }

    /// Whether sensors watch from around a place.
    fn surrounds(&self, place: Vector2<f64>) -> bool {
        self.grounds.iter().any(|ground| ground.holds(Vector2::zeros(), place))
    }

    /// The sensors that may cover a place.
    pub(crate) fn candidates(&self, place: Vector2<f64>) -> impl Iterator<Item = usize> + '_ {
        self.wide.iter().copied().chain(self.small_ones(place))
    }

    /// Those of the small ones that may cover the place.
    fn small_ones(&self, place: Vector2<f64>) -> impl Iterator<Item = usize> + '_ {
        let here = (cell(place.y), cell(place.x));
        let start = self.cells.partition_point(|entry| (entry.0, entry.1) < here);
        let listed = self.cells[start..].iter().take_while(move |entry| (entry.0, entry.1) == here);
        listed.map(|entry| entry.2)
    }
}

fn cell(coordinate_m: f64) -> i64 {
    grid::cell_of(coordinate_m, CELL_M)
}

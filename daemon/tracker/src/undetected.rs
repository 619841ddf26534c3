//! Objects nobody has seen yet: the Poisson intensity of the filter, on a grid.
//!
//! Objects enter from beyond the grid, where nobody watches, walk in one of eight directions, seldom turn, and leave
//! the intensity with each scan, footprint or line that would have reported them. So a plot in the middle of a
//! well-watched field is unlikely to be a new object and one at its edge likely, and who crosses a line comes from the
//! side that nobody watches. Places inside where people come in may be given. Beside these walkers there are those who
//! appear anywhere: a position may be one of them; a bearing, a presence or a crossing, which the place of origin has
//! to complete, is taken for a walker. The rate itself is learned: a gamma count of confirmed tracks against how many
//! the intensity had promised (Williams, IEEE Transactions on Aerospace and Electronic Systems 51(3), 2015, for the
//! intensity; the rate's conjugate estimate is ours).

pub(crate) mod entry;
mod footprint;
mod grid;
mod rate;
mod walk;

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use self::entry::{EntryZone, Newcomers};
use self::footprint::Footprint;
use self::grid::Grid;
pub(crate) use self::rate::FirstLook;
use self::rate::Rate;
use self::walk::direction;
use crate::config::TrackerConfig;
use crate::grid::as_f64;
use crate::sensor::{SensorKind, SensorModel};
use crate::time::Timestamp;

const LONGEST_PAUSE_S: f64 = 600.0;

/// Directions of walking, evenly spaced from north.
pub(crate) const HEADINGS: usize = 8;

/// Part of all who walk that walks in one of them.
const A_HEADING: f32 = 0.125;

/// Of the objects that a mean life renews, the part that the walkers' intensity counts; the others appear.
const RENEWED_WALKERS: f64 = 0.1;

/// Walkers are not taken to be fewer than this part of the configured number: of whom only detectors and bearings tell, a
/// first report is forgotten before the next one comes if it is too unlikely.
const LEAST_WALKING: f64 = 0.03;

/// How long who has appeared and was not detected stays where that happened.
const APPEARED_STAY_S: f64 = 60.0;

/// The intensity, in objects per cell and for a rate of one. Single precision is plenty for a rate, and half the memory to
/// pass over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Undetected {
    #[serde(flatten)]
    grid: Grid,
    /// Walkers by direction, then row by row from the south-west, relative to the intensity of a field nobody watches, as
    /// they were after their last step.
    walkers: Vec<Vec<f32>>,
    /// Their mean over the directions; empty in what an older program remembered.
    #[serde(default)]
    walking: Vec<f32>,
    /// Part of them, by cell, that no scan since has found: a scan takes the same part from each direction.
    #[serde(default)]
    unfound: Vec<f32>,
    /// Who appeared, relative to the same.
    appeared: Vec<f32>,
    /// Part that passes unreported through each cell's north side.
    passes_north: Vec<f32>,
    /// Part that passes unreported through each cell's east side; nothing from one row's end to the next one's beginning.
    passes_east: Vec<f32>,
    unwatched_per_m2: f64,
    speed_mps: f64,
    life_s: f64,
    time: Option<Timestamp>,
    appeared_until: Option<Timestamp>,
    /// For each sensor that stands still, the part of each cell it sees.
    footprints: Vec<Option<Footprint>>,
    /// Where people come in inside the grid ..
    #[serde(default)]
    entries: Vec<EntryZone>,
    /// .. and how many.
    #[serde(default)]
    newcomers: Vec<Newcomers>,
    /// Scales the configured rate.
    #[serde(flatten)]
    rate: Rate,
    /// Up to here objects were counted from their first plots.
    counted_until: Timestamp,
}

/// How many were undetected where at one time, without what is known of sensors and of the rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intensity {
    /// The cells that it is given for; without, those of the field.
    #[serde(default)]
    grid: Option<Grid>,
    walkers: Vec<Vec<f32>>,
    walking: Vec<f32>,
    unfound: Vec<f32>,
    appeared: Vec<f32>,
    time: Option<Timestamp>,
    appeared_until: Option<Timestamp>,
}

impl Undetected {
    /// How many are undetected where now.
    pub(crate) fn intensity(&self) -> Intensity {
        Intensity {
            grid: Some(self.grid),
            walkers: self.walkers.clone(),
            walking: self.walking.clone(),
            unfound: self.unfound.clone(),
            appeared: self.appeared.clone(),
            time: self.time,
            appeared_until: self.appeared_until,
        }
    }

    /// Goes back, or on, to an intensity of this field.
    pub(crate) fn set_intensity(&mut self, intensity: Intensity) {
        let intensity = intensity.onto(self.grid);
        if intensity.unfound.len() != self.grid.cells() {
            // Of an older program, and of other cells.
            return;
        }
        let Intensity { walkers, walking, unfound, appeared, time, appeared_until, .. } = intensity;
        (self.walkers, self.walking, self.unfound, self.appeared) = (walkers, walking, unfound, appeared);
        (self.time, self.appeared_until) = (time, appeared_until);
    }

    /// A field that nobody has watched yet.
    pub(crate) fn new(config: &TrackerConfig, sensors: &[SensorModel]) -> Self {
        let watched = sensors.iter().map(|sensor| grid::watched(sensor, sensor.position_m));
        let grid = Grid::over(&watched.reduce(|all, own| all.joined(&own)).unwrap_or_default());
        let cells = grid.columns * grid.rows;
        let rate = config.arrivals_per_km2_hour / 3.6e9;
        let mut field = Self {
            grid,
            walkers: vec![vec![1.0; cells]; HEADINGS],
            walking: vec![1.0; cells],
            unfound: vec![1.0; cells],
            appeared: vec![0.0; cells],
            passes_north: Vec::new(),
            passes_east: Vec::new(),
            unwatched_per_m2: rate * config.mean_life_s,
            speed_mps: config.walking.mean_speed_mps(),
            life_s: config.mean_life_s,
            time: None,
            appeared_until: None,
            rate: Rate::new(),
            counted_until: Timestamp::MIN,
            footprints: Vec::new(),
            entries: Vec::new(),
            newcomers: Vec::new(),
        };
        field.lay_out(sensors);
        field
    }

    /// Lets time pass: objects appear at once, walkers walk, turn and depart in whole steps.
    pub(crate) fn advance(&mut self, to: Timestamp) {
        if self.grid.columns == 0 {
            // Of a very long field an older program made no cells.
            return;
        }
        if self.unfound.len() != self.grid.cells() {
            self.sum_up();
        }
        self.appear(to);
        let from = *self.time.get_or_insert(to);
        let step_s = self.grid.step_s();
        let steps = (to.seconds_since(from) / step_s).floor();
        if steps < 1.0 {
            return;
        }
        self.time = Some(from.plus_seconds(steps * step_s));
        let mut moved = Vec::with_capacity(HEADINGS * self.unfound.len());
        // Beyond some minutes the field is as good as new.
        for _ in 0..count(steps.min(LONGEST_PAUSE_S / step_s)) {
            self.advance_one_step(&mut moved);
        }
    }

    /// Objects appear and those that stay undetected leave again. In steps, those of a whole step would stand there at one
    /// scan and none at the next.
    fn appear(&mut self, to: Timestamp) {
        let interval_s = to.seconds_since(*self.appeared_until.get_or_insert(to));
        if interval_s <= 0.0 {
            return;
        }
        self.appeared_until = Some(to);
        let stay = libm::exp(-interval_s / APPEARED_STAY_S);
        let fresh = single((1.0 - RENEWED_WALKERS) / self.life_s * APPEARED_STAY_S * (1.0 - stay));
        let stay = single(stay);
        for appeared in &mut self.appeared {
            *appeared = *appeared * stay + fresh;
        }
    }

    /// What an older program did not remember: the mean over the directions, with nothing found yet.
    fn sum_up(&mut self) {
        let cells = self.grid.cells();
        self.unfound = vec![1.0; cells];
        self.walking = vec![0.0; cells];
        // There a row's end let walkers through.
        self.passes_east
            .iter_mut()
            .skip(self.grid.columns - 1)
            .step_by(self.grid.columns)
            .for_each(|passes| *passes = 0.0);
        for walkers in &self.walkers {
            self.walking.iter_mut().zip(walkers).for_each(|(sum, walkers)| *sum += walkers * A_HEADING);
        }
    }

    /// Objects per square metre at a place, walkers and who appeared.
    pub(crate) fn density_at(&self, point_m: Vector2<f64>) -> f64 {
        let relative =
            |cell: usize| f64::from(self.walking[cell] * self.unfound[cell]) + f64::from(self.appeared[cell]);
        self.unwatched_per_m2 * self.rate.relative() * self.grid.cell_at(point_m).map_or(1.0, relative)
    }

    /// Walkers per square metre at a place, by the direction in which they walk.
    pub(crate) fn by_heading(&self, point_m: Vector2<f64>) -> [f64; HEADINGS] {
        let scale = self.unwatched_per_m2 * self.rate.relative().max(LEAST_WALKING) / as_f64(HEADINGS);
        let cell = self.grid.cell_at(point_m);
        core::array::from_fn(|heading| {
            scale * cell.map_or(1.0, |cell| f64::from(self.walkers[heading][cell] * self.unfound[cell]))
        })
    }

    /// Velocity of who walks in a direction, metres a second.
    pub(crate) fn velocity(&self, heading: usize) -> Vector2<f64> {
        direction(heading) * self.speed_mps
    }

    /// Side of a cell, metres.
    pub(crate) fn cell_m(&self) -> f64 {
        self.grid.cell_m
    }

    /// Takes out what a scan of a sensor at `origin_m` would have seen, and gives the number of new objects that the
    /// scan should have found at a rate of one.
    pub(crate) fn thin(&mut self, sensor: usize, model: &SensorModel, origin_m: Vector2<f64>, detection: f64) -> f64 {
        let gives_positions = matches!(model.kind, SensorKind::Radar);
        let moved;
        let footprint = if let Some(Some(fixed)) = self.footprints.get(sensor) {
            fixed
        } else {
            moved = self.footprint(&model.coverage, origin_m);
            &moved
        };
        let mut cells =
            footprint::Cells { unfound: &mut self.unfound, walking: &self.walking, appeared: &mut self.appeared };
        let (walking, appeared) = footprint.take(single(detection), &mut cells);
        let found = if gives_positions { walking + appeared } else { walking };
        found * self.unwatched_per_m2 * self.grid.cell_m * self.grid.cell_m
    }

    /// Learns the rate from the first scan of a field, see [`Rate::settle`], and gives the factor on the intensity.
    pub(crate) fn settle(
        &mut self,
        promised: f64,
        until: Timestamp,
        plots: usize,
        look: impl Fn(f64) -> FirstLook,
    ) -> f64 {
        self.counted_until = until;
        self.rate.settle(promised, plots, look)
    }

    /// Whether objects seen first at `time` are in the count already.
    pub(crate) fn has_counted(&self, time: Timestamp) -> bool {
        time <= self.counted_until
    }

    /// Learns the rate: `promised` new objects at a rate of one, `arrived` that were confirmed.
    pub(crate) fn learn(&mut self, promised: f64, arrived: f64) {
        self.rate.learn(promised, arrived);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative becomes 0; grids are small")]
fn count(value: f64) -> usize {
    value as usize
}

#[expect(clippy::cast_possible_truncation, reason = "a share or a rate, of which seven digits are enough")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests;

//! Objects nobody has seen yet: the Poisson intensity of the filter, on a grid.
//!
//! Objects enter from beyond the grid, where nobody watches, walk in one of eight directions, seldom turn, and leave
//! the intensity with each scan, footprint or line that would have reported them. So a plot in the middle of a
//! well-watched field is unlikely to be a new object and one at its edge likely, and who crosses a line comes from the
//! side that nobody watches. Places inside where people come in may be given. Beside these walkers there are those who appear anywhere: a position may be one of them;
//! a bearing, a presence or a crossing, which the place of origin has to complete, is taken for a walker.
//! The rate itself is learned: a gamma count of confirmed tracks against
//! how many the intensity had promised (Williams, IEEE Transactions on Aerospace and Electronic Systems 51(3), 2015,
//! for the intensity; the rate's conjugate estimate is ours).

pub(crate) mod entry;
mod footprint;
mod walk;

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use self::entry::Newcomers;
use self::footprint::Footprint;
use self::walk::{STEP_S, direction};
use crate::config::TrackerConfig;
use crate::measure::crossing::Segment;
use crate::sensor::{Coverage, SensorKind, SensorModel};
use crate::silence::DELIVERED;
use crate::time::Timestamp;

/// Most cells on the grid; the cells grow with the site.
const MOST_CELLS: f64 = 4_000.0;
const SMALLEST_CELL_M: f64 = 25.0;
const MARGIN_M: f64 = 100.0;

const SETTLING_ROUNDS: usize = 30;
const LONGEST_PAUSE_S: f64 = 600.0;

/// Directions of walking, evenly spaced from north.
pub(crate) const HEADINGS: usize = 8;

/// Part of all who walk that walks in one of them.
const A_HEADING: f32 = 0.125;

/// Of the objects that a mean life renews, the part that the walkers' intensity counts; the others appear.
const RENEWED_WALKERS: f64 = 0.1;

/// How long who has appeared and was not detected stays where that happened.
const APPEARED_STAY_S: f64 = 60.0;

/// Confirmed tracks that the configured rate is worth.
const RATE_PRIOR: f64 = 1.0;

/// The intensity, in objects per cell and for a rate of one. Single precision is plenty for a rate, and half the memory to
/// pass over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Undetected {
    corner_m: Vector2<f64>,
    cell_m: f64,
    columns: usize,
    rows: usize,
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
    /// Who comes in inside the grid.
    #[serde(default)]
    newcomers: Vec<Newcomers>,
    /// Confirmed and promised objects: their ratio scales the configured rate.
    arrived: f64,
    promised: f64,
    /// Up to here objects were counted from their first plots.
    counted_until: Timestamp,
}

/// How many were undetected where at one time, without what is known of sensors and of the rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intensity {
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
        let Intensity { walkers, walking, unfound, appeared, time, appeared_until } = intensity;
        (self.walkers, self.walking, self.unfound, self.appeared) = (walkers, walking, unfound, appeared);
        (self.time, self.appeared_until) = (time, appeared_until);
    }

    /// A field that nobody has watched yet.
    pub(crate) fn new(config: &TrackerConfig, sensors: &[SensorModel]) -> Self {
        let mut low = Vector2::repeat(f64::INFINITY);
        let mut high = Vector2::repeat(f64::NEG_INFINITY);
        for sensor in sensors {
            let (sensor_low, sensor_high) = sensor.coverage.bounds_m(sensor.position_m);
            // A mobile sensor takes its field along.
            let travel = if sensor.mobile { (sensor_high - sensor_low) * 0.5 } else { Vector2::zeros() };
            low = low.inf(&(sensor_low - travel));
            high = high.sup(&(sensor_high + travel));
        }
        if sensors.is_empty() {
            (low, high) = (Vector2::zeros(), Vector2::zeros());
        }
        let corner_m = low.add_scalar(-MARGIN_M);
        let size = high.add_scalar(MARGIN_M) - corner_m;
        let cell_m = libm::sqrt(size.x * size.y / MOST_CELLS).max(SMALLEST_CELL_M);
        // A strip so long that a cell is wider than it has one column all the same.
        let (columns, rows) = (count(size.x / cell_m).max(1), count(size.y / cell_m).max(1));
        let rate = config.arrivals_per_km2_hour / 3.6e9;
        let mut field = Self {
            corner_m,
            cell_m,
            columns,
            rows,
            walkers: vec![vec![1.0; columns * rows]; HEADINGS],
            walking: vec![1.0; columns * rows],
            unfound: vec![1.0; columns * rows],
            appeared: vec![0.0; columns * rows],
            passes_north: vec![1.0; columns * rows],
            passes_east: (1..=columns * rows).map(|side| if side % columns == 0 { 0.0 } else { 1.0 }).collect(),
            unwatched_per_m2: rate * config.mean_life_s,
            speed_mps: config.walking.mean_speed_mps(),
            life_s: config.mean_life_s,
            time: None,
            appeared_until: None,
            arrived: RATE_PRIOR,
            promised: RATE_PRIOR,
            counted_until: Timestamp::MIN,
            footprints: Vec::new(),
            newcomers: Vec::new(),
        };
        let fixed =
            |sensor: &SensorModel| (!sensor.mobile).then(|| field.footprint(&sensor.coverage, sensor.position_m));
        let footprints = sensors.iter().map(fixed).collect();
        field.footprints = footprints;
        for sensor in sensors.iter().filter(|sensor| !sensor.mobile) {
            if let Some(segment) = sensor.coverage.segment() {
                field.set_line(&segment, 1.0 - DELIVERED * sensor.detection_probability);
            }
        }
        field
    }

    /// Lets time pass: objects appear at once, walkers walk, turn and depart in whole steps.
    pub(crate) fn advance(&mut self, to: Timestamp) {
        if self.columns == 0 {
            // Of a very long field an older program made no cells.
            return;
        }
        if self.unfound.len() != self.columns * self.rows {
            self.sum_up();
        }
        self.appear(to);
        let from = *self.time.get_or_insert(to);
        let steps = (to.seconds_since(from) / STEP_S).floor();
        if steps < 1.0 {
            return;
        }
        self.time = Some(from.plus_seconds(steps * STEP_S));
        let mut moved = Vec::with_capacity(HEADINGS * self.unfound.len());
        // Beyond some minutes the field is as good as new.
        for _ in 0..count(steps.min(LONGEST_PAUSE_S / STEP_S)) {
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
        let cells = self.columns * self.rows;
        self.unfound = vec![1.0; cells];
        self.walking = vec![0.0; cells];
        // There a row's end let walkers through.
        self.passes_east.iter_mut().skip(self.columns - 1).step_by(self.columns).for_each(|passes| *passes = 0.0);
        for walkers in &self.walkers {
            self.walking.iter_mut().zip(walkers).for_each(|(sum, walkers)| *sum += walkers * A_HEADING);
        }
    }

    /// Makes the sides of cells along the segment let through only `passes`.
    fn set_line(&mut self, segment: &Segment, passes: f64) {
        let passes = single(passes);
        let (corner_m, cell_m) = (self.corner_m, self.cell_m);
        let corner = |along_m: f64| {
            let relative = (segment.at(along_m) - corner_m) / cell_m;
            (count(relative.x + 0.5), count(relative.y + 0.5))
        };
        let pieces = count(4.0 * segment.length_m / cell_m) + 1;
        let mut last = corner(0.0);
        for piece in 1..=pieces {
            let next = corner(segment.length_m * as_f64(piece) / as_f64(pieces));
            while last != next {
                // One side at a time, from corner to corner.
                if last.0 != next.0 {
                    let column = last.0.min(next.0).max(last.0.saturating_sub(1));
                    if let Some(below) = last.1.checked_sub(1) {
                        limit(&mut self.passes_north, (self.rows, self.columns), (below, column), passes);
                    }
                    last.0 = if last.0 < next.0 { last.0 + 1 } else { last.0 - 1 };
                } else {
                    let row = last.1.min(next.1).max(last.1.saturating_sub(1));
                    if let Some(left) = last.0.checked_sub(1) {
                        limit(&mut self.passes_east, (self.rows, self.columns), (row, left), passes);
                    }
                    last.1 = if last.1 < next.1 { last.1 + 1 } else { last.1 - 1 };
                }
            }
        }
    }

    /// Objects per square metre at a place, walkers and who appeared.
    pub(crate) fn density_at(&self, point_m: Vector2<f64>) -> f64 {
        let appeared = self.cell_at(point_m).map_or(0.0, |cell| f64::from(self.appeared[cell]));
        self.by_heading(point_m).iter().sum::<f64>() + appeared * self.unwatched_per_m2 * self.scale()
    }

    /// Walkers per square metre at a place, by the direction in which they walk.
    pub(crate) fn by_heading(&self, point_m: Vector2<f64>) -> [f64; HEADINGS] {
        let scale = self.unwatched_per_m2 * self.scale() / as_f64(HEADINGS);
        let cell = self.cell_at(point_m);
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
        self.cell_m
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
        found * self.unwatched_per_m2 * self.cell_m * self.cell_m
    }

    fn footprint(&self, coverage: &Coverage, origin_m: Vector2<f64>) -> Footprint {
        let (low, high) = coverage.bounds_m(origin_m);
        let (start, end) = (self.place_of(low), self.place_of(high));
        let spread = nalgebra::Matrix2::identity() * (self.cell_m * self.cell_m / 12.0);
        let mut seen = Vec::new();
        for row in start.1..=end.1.min(self.rows.saturating_sub(1)) {
            for column in start.0..=end.0.min(self.columns.saturating_sub(1)) {
                let middle = self.corner_m + Vector2::new(as_f64(column) + 0.5, as_f64(row) + 0.5) * self.cell_m;
                let inside = coverage.probability_inside(origin_m, middle, &spread);
                if inside > 0.0 {
                    seen.push((row * self.columns + column, single(inside)));
                }
            }
        }
        Footprint::from(seen)
    }

    /// Learns the rate from the first scan of a field, when most objects that are there show at once: the rate at
    /// which the number of plots that came alone, `alone_at` a factor on the intensity, agrees with itself. Gives
    /// that factor.
    pub(crate) fn settle(&mut self, promised: f64, until: Timestamp, alone_at: impl Fn(f64) -> f64) -> f64 {
        let expected = (self.promised + promised) * self.scale();
        let factor = (0..SETTLING_ROUNDS).fold(1.0, |factor, _| (self.arrived + alone_at(factor)) / expected);
        self.promised += promised;
        self.arrived = factor * expected;
        self.counted_until = until;
        factor
    }

    /// Whether objects seen first at `time` are in the count already.
    pub(crate) fn has_counted(&self, time: Timestamp) -> bool {
        time <= self.counted_until
    }

    /// Learns the rate: `promised` new objects at a rate of one, `arrived` that were confirmed.
    pub(crate) fn learn(&mut self, promised: f64, arrived: f64) {
        self.promised += promised;
        self.arrived += arrived;
    }

    fn scale(&self) -> f64 {
        self.arrived / self.promised
    }

    fn cell_at(&self, point_m: Vector2<f64>) -> Option<usize> {
        let relative = (point_m - self.corner_m) / self.cell_m;
        if relative.x < 0.0 || relative.y < 0.0 {
            return None;
        }
        let (column, row) = (count(relative.x), count(relative.y));
        (column < self.columns && row < self.rows).then_some(row * self.columns + column)
    }

    fn place_of(&self, point_m: Vector2<f64>) -> (usize, usize) {
        let relative = (point_m - self.corner_m) / self.cell_m;
        (count(relative.x), count(relative.y))
    }
}

/// Lowers what passes through the side of a cell, if the cell is on the grid.
fn limit(sides: &mut [f32], (rows, columns): (usize, usize), (row, column): (usize, usize), passes: f32) {
    if row < rows && column < columns {
        let side = &mut sides[row * columns + column];
        *side = side.min(passes);
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

#[expect(clippy::cast_precision_loss, reason = "grids are small")]
fn as_f64(value: usize) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests;

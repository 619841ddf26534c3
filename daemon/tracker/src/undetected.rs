//! Objects nobody has seen yet: the Poisson intensity of the filter, on a grid.
//!
//! Objects come at a uniform rate, live for a mean life, wander between neighbouring cells, and leave the intensity
//! with each scan that would have seen them. So a plot in the middle of a well-watched field is unlikely to be a new
//! object, and one at the field's edge likely. The rate itself is learned: a gamma count of confirmed tracks against
//! how many the intensity had promised (Williams, IEEE Transactions on Aerospace and Electronic Systems 51(3), 2015,
//! for the intensity; the rate's conjugate estimate is ours).

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::config::TrackerConfig;
use crate::sensor::{Coverage, SensorModel};
use crate::time::Timestamp;

/// Most cells on the grid; the cells grow with the site.
const MOST_CELLS: f64 = 4_000.0;
const SMALLEST_CELL_M: f64 = 25.0;
const MARGIN_M: f64 = 100.0;

const SETTLING_ROUNDS: usize = 30;

/// Confirmed tracks that the configured rate is worth.
const RATE_PRIOR: f64 = 1.0;

/// The cells a sensor sees, with the probability that their middle is inside its coverage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Footprint(Vec<(usize, f64)>);

/// The intensity, in objects per cell and for a rate of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Undetected {
    corner_m: Vector2<f64>,
    cell_m: f64,
    columns: usize,
    rows: usize,
    /// Row by row from the south-west, relative to the intensity of a field nobody watches.
    cells: Vec<f64>,
    unwatched_per_m2: f64,
    wander_per_s: f64,
    life_s: f64,
    time: Option<Timestamp>,
    /// For each sensor that stands still, the part of each cell it sees.
    footprints: Vec<Option<Footprint>>,
    /// Confirmed and promised objects: their ratio scales the configured rate.
    arrived: f64,
    promised: f64,
    /// Up to here objects were counted from their first plots.
    counted_until: Timestamp,
}

impl Undetected {
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
        let (columns, rows) = (count(size.x / cell_m), count(size.y / cell_m));
        let rate = config.arrivals_per_km2_hour / 3.6e9;
        // Mean speed along one axis, half of it outwards through a side.
        let outward_mps = 0.5 * libm::sqrt(core::f64::consts::FRAC_2_PI) * config.walking.speed_sd_mps;
        let mut field = Self {
            corner_m,
            cell_m,
            columns,
            rows,
            cells: vec![1.0; columns * rows],
            unwatched_per_m2: rate * config.mean_life_s,
            wander_per_s: outward_mps / cell_m,
            life_s: config.mean_life_s,
            time: None,
            arrived: RATE_PRIOR,
            promised: RATE_PRIOR,
            counted_until: Timestamp::MIN,
            footprints: Vec::new(),
        };
        let fixed =
            |sensor: &SensorModel| (!sensor.mobile).then(|| field.footprint(&sensor.coverage, sensor.position_m));
        let footprints = sensors.iter().map(fixed).collect();
        field.footprints = footprints;
        field
    }

    /// Lets whole seconds pass: arrivals, departures, and wandering between cells.
    pub(crate) fn advance(&mut self, to: Timestamp) {
        let from = *self.time.get_or_insert(to);
        let seconds = libm::floor(to.seconds_since(from));
        if seconds < 1.0 {
            return;
        }
        self.time = Some(from.plus_seconds(seconds));
        // Beyond some minutes the field is as good as new.
        for _ in 0..count(seconds.min(600.0)) {
            self.advance_one_second();
        }
    }

    fn advance_one_second(&mut self) {
        let (columns, rows) = (self.columns, self.rows);
        let fresh = 1.0 / self.life_s;
        let stay = 1.0 - fresh - 4.0 * self.wander_per_s;
        let before = &self.cells;
        let mut after = Vec::with_capacity(before.len());
        for row in 0..rows {
            let here = &before[row * columns..(row + 1) * columns];
            let south = if row > 0 { Some(&before[(row - 1) * columns..row * columns]) } else { None };
            let north = if row + 1 < rows { Some(&before[(row + 1) * columns..(row + 2) * columns]) } else { None };
            for column in 0..columns {
                // Beyond the grid nobody watches: intensity one.
                let west = if column > 0 { here[column - 1] } else { 1.0 };
                let east = here.get(column + 1).copied().unwrap_or(1.0);
                let around = west + east + south.map_or(1.0, |row| row[column]) + north.map_or(1.0, |row| row[column]);
                after.push(here[column] * stay + around * self.wander_per_s + fresh);
            }
        }
        self.cells = after;
    }

    /// Objects per square metre at a place.
    pub(crate) fn density_at(&self, point_m: Vector2<f64>) -> f64 {
        let relative = self.cell_at(point_m).map_or(1.0, |cell| self.cells[cell]);
        relative * self.unwatched_per_m2 * self.scale()
    }

    /// Takes out what a scan of a sensor at `origin_m` would have seen, and gives the number of new objects that the
    /// scan should have found at a rate of one.
    pub(crate) fn thin(&mut self, sensor: usize, model: &SensorModel, origin_m: Vector2<f64>, detection: f64) -> f64 {
        let moved;
        let footprint = match self.footprints.get(sensor) {
            Some(Some(fixed)) => fixed,
            _ => {
                moved = self.footprint(&model.coverage, origin_m);
                &moved
            }
        };
        let mut found = 0.0;
        for (cell, inside) in &footprint.0 {
            let seen = self.cells[*cell] * detection * inside;
            found += seen;
            self.cells[*cell] -= seen;
        }
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
                    seen.push((row * self.columns + column, inside));
                }
            }
        }
        Footprint(seen)
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative becomes 0; grids are small")]
fn count(value: f64) -> usize {
    libm::floor(value) as usize
}

#[expect(clippy::cast_precision_loss, reason = "grids are small")]
fn as_f64(value: usize) -> f64 {
    value as f64
}

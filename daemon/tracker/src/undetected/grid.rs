//! The grid of a field: where its cells are, what stands between them, and how it moves with sensors that travel.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use super::footprint::Footprint;
use super::{Intensity, Undetected, count, single};
use crate::grid::as_f64;
use crate::measure::crossing::Segment;
use crate::rectangle::Rectangle;
use crate::sensor::{Coverage, SensorModel};
use crate::silence::DELIVERED;

/// Most cells on the grid; the cells grow with the site.
const MOST_CELLS: f64 = 4_000.0;

/// Smallest cells of a field that is not small itself, and of one that is, as a part of its longer side: what a scan takes out
/// of a cell that it sees a part of would come back to that part at once.
const SMALLEST_CELL_M: f64 = 25.0;
const SMALLEST_PART: f64 = 0.125;

/// Ground around what is watched, at most, and at least.
const MARGIN_M: f64 = 100.0;
const SMALLEST_MARGIN_M: f64 = 10.0;

/// No cell is smaller.
const LEAST_CELL_M: f64 = 1.0;

/// Step of the walkers' motion in a cell of `SMALLEST_CELL_M` or more, well below its width at walking speed.
const STEP_S: f64 = 4.0;

/// No field is larger: what a sensor reports from farther away tells nothing about who comes and goes.
const LARGEST_M: f64 = 100_000.0;

/// Rows of square cells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Grid {
    pub(super) corner_m: Vector2<f64>,
    pub(super) cell_m: f64,
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// What a sensor there sees, and sees soon: a mobile one takes its field along.
pub(super) fn watched(sensor: &SensorModel, origin_m: Vector2<f64>) -> Rectangle {
    let (low_m, high_m) = sensor.coverage.bounds_m(origin_m);
    let travel = if sensor.mobile { (high_m - low_m) * 0.5 } else { Vector2::zeros() };
    Rectangle { low_m: low_m - travel, high_m: high_m + travel }
}

impl Grid {
    pub(super) fn over(bounds: &Rectangle) -> Self {
        let longer_m = (bounds.high_m - bounds.low_m).max();
        let Rectangle { low_m: corner_m, high_m } = bounds.grown(longer_m.clamp(SMALLEST_MARGIN_M, MARGIN_M));
        let size = high_m - corner_m;
        let smallest_m = (longer_m * SMALLEST_PART).clamp(LEAST_CELL_M, SMALLEST_CELL_M);
        let cell_m = libm::sqrt(size.x * size.y / MOST_CELLS).max(smallest_m);
        // A strip so long that a cell is wider than it has one column all the same.
        Self { corner_m, cell_m, columns: count(size.x / cell_m).max(1), rows: count(size.y / cell_m).max(1) }
    }

    /// Step of the walkers' motion.
    pub(super) fn step_s(&self) -> f64 {
        STEP_S * (self.cell_m / SMALLEST_CELL_M).min(1.0)
    }

    pub(super) fn cells(&self) -> usize {
        self.columns * self.rows
    }

    pub(super) fn middle(&self, column: usize, row: usize) -> Vector2<f64> {
        self.corner_m + Vector2::new(as_f64(column) + 0.5, as_f64(row) + 0.5) * self.cell_m
    }

    pub(super) fn cell_at(&self, point_m: Vector2<f64>) -> Option<usize> {
        let relative = (point_m - self.corner_m) / self.cell_m;
        if relative.x < 0.0 || relative.y < 0.0 {
            return None;
        }
        let (column, row) = self.place_of(point_m);
        (column < self.columns && row < self.rows).then_some(row * self.columns + column)
    }

    /// Column and row, of the first of them what is west or south of the grid.
    fn place_of(&self, point_m: Vector2<f64>) -> (usize, usize) {
        let relative = (point_m - self.corner_m) / self.cell_m;
        (count(relative.x), count(relative.y))
    }

    /// All that the cells cover.
    fn ground(&self) -> Rectangle {
        let size = Vector2::new(as_f64(self.columns), as_f64(self.rows)) * self.cell_m;
        Rectangle { low_m: self.corner_m, high_m: self.corner_m + size }
    }
}

impl Intensity {
    /// The same on other cells, where nobody has watched what is new.
    pub(super) fn onto(self, grid: Grid) -> Self {
        let Some(before) = self.grid.filter(|before| *before != grid) else { return self };
        let middles = (0..grid.rows).flat_map(|row| (0..grid.columns).map(move |column| grid.middle(column, row)));
        let from: Vec<Option<usize>> = middles.map(|middle| before.cell_at(middle)).collect();
        let moved = |cells: &[f32], new: f32| -> Vec<f32> {
            from.iter().map(|cell| cell.and_then(|cell| cells.get(cell)).copied().unwrap_or(new)).collect()
        };
        Self {
            grid: Some(grid),
            walkers: self.walkers.iter().map(|walkers| moved(walkers, 1.0)).collect(),
            walking: moved(&self.walking, 1.0),
            unfound: moved(&self.unfound, 1.0),
            appeared: moved(&self.appeared, 0.0),
            ..self
        }
    }
}

impl Undetected {
    /// Whether a sensor there looks at the grid, which moves along with one that has travelled off it and leaves behind
    /// what nobody is near any more. `sensors`: those of this field, in their order, and where each is.
    pub(crate) fn reach<'a>(
        &mut self,
        sensor: &SensorModel,
        origin_m: Vector2<f64>,
        sensors: impl Iterator<Item = (&'a SensorModel, Vector2<f64>)> + Clone,
    ) -> bool {
        let (low_m, high_m) = sensor.coverage.bounds_m(origin_m);
        let ground = self.grid.ground();
        if ground.holds(low_m) && ground.holds(high_m) {
            return true;
        }
        let own = watched(sensor, origin_m);
        let bounds = sensors.clone().fold(own, |all, (other, origin_m)| all.joined(&watched(other, origin_m)));
        if (bounds.high_m - bounds.low_m).max() > LARGEST_M {
            return false;
        }
        let mut grid = Grid::over(&bounds);
        // Whole cells: up to one is missing on either side.
        (grid.columns, grid.rows) = (grid.columns + 1, grid.rows + 1);
        self.move_to(grid, sensors.map(|(sensor, _)| sensor));
        true
    }

    /// Lays the field out over other ground.
    fn move_to<'a>(&mut self, grid: Grid, sensors: impl Iterator<Item = &'a SensorModel>) {
        let intensity = self.intensity().onto(grid);
        self.grid = grid;
        self.set_intensity(intensity);
        let sensors: Vec<SensorModel> = sensors.cloned().collect();
        self.lay_out(&sensors);
        let entries = core::mem::take(&mut self.entries);
        self.set_entries(&entries);
    }

    /// Notes on the grid what each sensor that stands still sees, and what lines keep from passing.
    pub(super) fn lay_out(&mut self, sensors: &[SensorModel]) {
        let columns = self.grid.columns;
        self.passes_north = vec![1.0; self.grid.cells()];
        self.passes_east = (1..=self.grid.cells()).map(|side| if side % columns == 0 { 0.0 } else { 1.0 }).collect();
        let footprint =
            |sensor: &SensorModel| (!sensor.mobile).then(|| self.footprint(&sensor.coverage, sensor.position_m));
        self.footprints = sensors.iter().map(footprint).collect();
        for sensor in sensors.iter().filter(|sensor| !sensor.mobile) {
            if let Some(segment) = sensor.coverage.segment() {
                self.set_line(&segment, 1.0 - DELIVERED * sensor.detection_probability);
            }
        }
    }

    /// Makes the sides of cells along the segment let through only `passes`.
    fn set_line(&mut self, segment: &Segment, passes: f64) {
        let passes = single(passes);
        let Grid { corner_m, cell_m, columns, rows } = self.grid;
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
                        limit(&mut self.passes_north, (rows, columns), (below, column), passes);
                    }
                    last.0 = if last.0 < next.0 { last.0 + 1 } else { last.0 - 1 };
                } else {
                    let row = last.1.min(next.1).max(last.1.saturating_sub(1));
                    if let Some(left) = last.0.checked_sub(1) {
                        limit(&mut self.passes_east, (rows, columns), (row, left), passes);
                    }
                    last.1 = if last.1 < next.1 { last.1 + 1 } else { last.1 - 1 };
                }
            }
        }
    }

    pub(super) fn footprint(&self, coverage: &Coverage, origin_m: Vector2<f64>) -> Footprint {
        let grid = &self.grid;
        let (low, high) = coverage.bounds_m(origin_m);
        let (start, end) = (grid.place_of(low), grid.place_of(high));
        let spread = nalgebra::Matrix2::identity() * (grid.cell_m * grid.cell_m / 12.0);
        let mut seen = Vec::new();
        for row in start.1..=end.1.min(grid.rows.saturating_sub(1)) {
            for column in start.0..=end.0.min(grid.columns.saturating_sub(1)) {
                let middle = grid.middle(column, row);
                let inside = coverage.probability_inside(origin_m, middle, &spread);
                if inside > 0.0 {
                    seen.push((row * grid.columns + column, single(inside)));
                }
            }
        }
        Footprint::from(seen)
    }
}

/// Lowers what passes through the side of a cell, if the cell is on the grid.
fn limit(sides: &mut [f32], (rows, columns): (usize, usize), (row, column): (usize, usize), passes: f32) {
    if row < rows && column < columns {
        let side = &mut sides[row * columns + column];
        *side = side.min(passes);
    }
}

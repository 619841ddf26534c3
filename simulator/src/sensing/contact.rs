//! Who is near which sensor at which step, found through a grid: the rest of the world need not be looked at.

use super::profile::greatest_range_factor;
use crate::geometry::{Point, bounds};
use crate::scenario::{Coverage, Layout, Sensor};
use crate::truth::Truth;

/// Edge of a grid cell.
const CELL_M: f64 = 50.0;
/// How far an object may move in a step and still be found: 180 km/h.
const STEP_REACH_M: f64 = 50.0;
/// A site is no larger than this many cells in either direction; what lies farther out shares the outermost cells.
const MAX_CELLS: usize = 2000;

/// A walker near a sensor during the step that begins at its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Contact {
    /// The step's number.
    pub(super) step: usize,
    /// Who.
    pub(super) walker: usize,
}

/// For each sensor its contacts, by step and then by walker.
pub(super) fn contacts(layout: &Layout, truth: &Truth) -> Vec<Vec<Contact>> {
    let mut contacts = vec![Vec::new(); layout.sensors.len()];
    let grid = Grid::over(&layout.sensors);
    for walker in &truth.walkers {
        for (index, position) in walker.path_m.iter().enumerate() {
            for sensor in grid.at(*position) {
                // Exactly the sensor's own rectangle: what it draws must not depend on how cells fall.
                let (low, high) = grid.reaches[*sensor];
                if (0..2).any(|axis| position[axis] < low[axis] || position[axis] > high[axis]) {
                    continue;
                }
                contacts[*sensor].push(Contact { step: walker.first_step + index, walker: walker.id });
            }
        }
    }
    contacts.iter_mut().for_each(|contacts| contacts.sort_unstable());
    contacts
}

/// Sensors by the cells their coverage touches.
struct Grid {
    low: Point,
    columns: usize,
    rows: usize,
    cells: Vec<Vec<usize>>,
    reaches: Vec<(Point, Point)>,
}

impl Grid {
    fn over(sensors: &[Sensor]) -> Self {
        let reaches: Vec<(Point, Point)> = sensors.iter().map(reach).collect();
        let corners: Vec<Point> = reaches.iter().flat_map(|(low, high)| [*low, *high]).collect();
        let (low, high) = if corners.is_empty() { ([0.0; 2], [0.0; 2]) } else { bounds(&corners) };
        let [columns, rows] = [0, 1].map(|axis| cell_number(high[axis] - low[axis], MAX_CELLS) + 1);
        let mut grid = Self { low, columns, rows, cells: vec![Vec::new(); columns * rows], reaches: Vec::new() };
        for (sensor, (low, high)) in reaches.iter().enumerate() {
            let ([left, bottom], [right, top]) = (grid.cell(*low), grid.cell(*high));
            for row in bottom..=top {
                for column in left..=right {
                    grid.cells[row * columns + column].push(sensor);
                }
            }
        }
        grid.reaches = reaches;
        grid
    }

    fn cell(&self, point: Point) -> [usize; 2] {
        [cell_number(point[0] - self.low[0], self.columns - 1), cell_number(point[1] - self.low[1], self.rows - 1)]
    }

    fn at(&self, point: Point) -> &[usize] {
        let [column, row] = self.cell(point);
        &self.cells[row * self.columns + column]
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate, then bounded")]
fn cell_number(metres: f64, last: usize) -> usize {
    ((metres / CELL_M) as usize).min(last)
}

/// The rectangle from which an object may be noticed within a step.
fn reach(sensor: &Sensor) -> (Point, Point) {
    let around = |metres: f64| {
        let [east, north] = sensor.position_m;
        ([east - metres, north - metres], [east + metres, north + metres])
    };
    let (low, high) = match &sensor.coverage {
        Coverage::Circle { radius_m } => around(radius_m * greatest_range_factor(sensor.kind)),
        Coverage::Sector { range_m, .. } => around(*range_m),
        Coverage::Polygon { points_m } => bounds(points_m),
        Coverage::Line { from_m, to_m } => bounds(&[*from_m, *to_m]),
    };
    (low.map(|metres| metres - STEP_REACH_M), high.map(|metres| metres + STEP_REACH_M))
}

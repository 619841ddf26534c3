//! What a sensor's coverage is like from place to place: where its false plots come from, and where it sees worse than
//! elsewhere.
//!
//! Two grids of conjugate counts that start at the sensor's own estimates and forget: a coarse one of false plots (gamma)
//! and a fine one of detections (beta), for a shadow is narrower than a wood in the wind. A cell counts for something
//! only where it surely differs: what it says is weighed by `max(0, 1 - (Z / z)⁴)`, with `z` the deviation in standard
//! deviations, which draws to the sensor's estimate like the positive-part estimator of James and Stein but lets go
//! sooner. Where a sensor is the same everywhere, its cells change nothing. Sensors that move or report events have none.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::association::Verdict;
use crate::bernoulli::Bernoulli;
use crate::grid::{as_f64, whole};
use crate::prospect::Prospect;
use crate::sensor::SensorModel;
use crate::silence::reports_events;
use crate::view::View;

/// Most cells of clutter, and the smallest.
const MOST_CLUTTER_CELLS: f64 = 150.0;
const SMALLEST_CLUTTER_CELL_M: f64 = 50.0;

/// The grid of detections is as fine as this.
const MOST_DETECTION_CELLS: f64 = 16_384.0;
const SMALLEST_DETECTION_CELL_M: f64 = 25.0;

/// Most cells of detections that are counted at a time: those that nobody walks in cost nothing.
const MOST_COUNTED: usize = 300;

/// False plots, and chances of detection, that the sensor's own estimate is worth in a cell.
const CLUTTER_PRIOR: f64 = 5.0;
const DETECTION_PRIOR: f64 = 5.0;

/// Deviations below these say nothing. A track that ends within a cell looks like a few misses there.
const SURE_CLUTTER_SD: f64 = 3.5;
const SURE_DETECTION_SD: f64 = 4.5;

/// Scans after which a tenth of the clutter is forgotten, and after how many times that a tenth of the detections: wind
/// and rain pass, ground stays.
const FORGETS_AFTER: u32 = 60;
const DETECTION_ROUNDS: u32 = 10;
const KEPT: f64 = 0.9;

/// Limits of what a cell may make of the sensor's estimate of clutter.
const LEAST_RATIO: f64 = 0.3;
const GREATEST_RATIO: f64 = 30.0;

/// A track that has proved to exist is a chance of detection for so long after it was last seen, whatever the filter
/// makes of the misses, and after that as far as the filter believes in it.
const LOOKED_FOR_S: f64 = 6.0;
const LOOKED_FOR_PERIODS: f64 = 3.5;
const LIKELY_EXISTENCE: f64 = 0.5;
const SURELY_INSIDE: f64 = 0.99;

/// Points along each side of a cell where its part inside the coverage is sampled.
const SAMPLES: u32 = 4;

/// A box cut into cells, numbered row by row from the south-west.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Grid {
    low_m: Vector2<f64>,
    side_m: Vector2<f64>,
    columns: usize,
    rows: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct ClutterCell {
    number: usize,
    /// Part of it that is inside the coverage.
    inside: f64,
    false_plots: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct DetectionCell {
    number: usize,
    hits: f64,
    /// Hits that the sensor's own detection probability promised.
    promised: f64,
    chances: f64,
}

/// The cells of one sensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cells {
    clutter_grid: Grid,
    /// Those that have counted anything, by number.
    clutter: Vec<ClutterCell>,
    /// False plots that the sensor's estimate promised for a square metre.
    promised_per_m2: f64,
    detection_grid: Grid,
    /// Likewise.
    detection: Vec<DetectionCell>,
    scans: u32,
}

/// A sensor's detection probability from place to place, for one scan: it is asked for often, and few cells differ.
#[derive(Clone, Debug)]
pub(crate) struct DetectionMap {
    grid: Grid,
    usual: f64,
    /// By number of the cell.
    differing: Vec<(usize, f64)>,
}

/// What a scan says about the cells of its sensor.
pub(crate) struct Seen<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) tracks: &'a [Bernoulli],
    pub(crate) touched: &'a [usize],
    pub(crate) prospects: &'a [Prospect],
    pub(crate) verdicts: &'a [Verdict],
    /// For each plot the probability that it is false.
    pub(crate) false_plots: &'a [f64],
}

impl Grid {
    fn new(model: &SensorModel, most_cells: f64, smallest_cell_m: f64) -> Self {
        let (low_m, high_m) = model.coverage.bounds_m(model.position_m);
        let size = high_m - low_m;
        let side_m = libm::sqrt(size.x * size.y / most_cells).max(smallest_cell_m);
        let along = |extent_m: f64| whole(extent_m / side_m).clamp(1, whole(most_cells));
        let (columns, rows) = (along(size.x), along(size.y));
        Self { low_m, side_m: Vector2::new(size.x / as_f64(columns), size.y / as_f64(rows)), columns, rows }
    }

    fn number_at(&self, place_m: Vector2<f64>) -> Option<usize> {
        let offset = place_m - self.low_m;
        if self.columns == 0 || offset.x < 0.0 || offset.y < 0.0 {
            return None;
        }
        let (column, row) = (whole(offset.x / self.side_m.x), whole(offset.y / self.side_m.y));
        (column < self.columns && row < self.rows).then(|| row * self.columns + column)
    }

    fn cell_m2(&self) -> f64 {
        self.side_m.x * self.side_m.y
    }

    /// Part of a cell that the sensor covers; no cell that gave a plot is wholly outside.
    fn part_inside(&self, view: &View<'_>, number: usize) -> f64 {
        let corner = Vector2::new(as_f64(number % self.columns), as_f64(number / self.columns));
        let covered = |sample: &u32| {
            let within = Vector2::new(f64::from(sample % SAMPLES) + 0.5, f64::from(sample / SAMPLES) + 0.5);
            let place = self.low_m + (corner + within / f64::from(SAMPLES)).component_mul(&self.side_m);
            view.model.coverage.holds(view.origin_m, place)
        };
        let samples = (0..SAMPLES * SAMPLES).filter(covered).count().max(1);
        as_f64(samples) / f64::from(SAMPLES * SAMPLES)
    }
}

impl Cells {
    /// The cells of a sensor that scans and stands still; none for others.
    pub(crate) fn new(model: &SensorModel) -> Self {
        if model.mobile || reports_events(model) || model.coverage.segment().is_some() {
            return Self::default();
        }
        Self {
            clutter_grid: Grid::new(model, MOST_CLUTTER_CELLS, SMALLEST_CLUTTER_CELL_M),
            detection_grid: Grid::new(model, MOST_DETECTION_CELLS, SMALLEST_DETECTION_CELL_M),
            ..Self::default()
        }
    }

    /// Factor on the sensor's intensity of false plots at a place.
    pub(crate) fn clutter_ratio(&self, place_m: Vector2<f64>) -> f64 {
        let number = self.clutter_grid.number_at(place_m);
        let place = number.and_then(|number| self.clutter.binary_search_by_key(&number, |cell| cell.number).ok());
        let Some(cell) = place.map(|place| &self.clutter[place]) else { return 1.0 };
        let promised = self.promised_per_m2 * self.clutter_grid.cell_m2() * cell.inside;
        let ratio = (CLUTTER_PRIOR + cell.false_plots) / (CLUTTER_PRIOR + promised);
        let deviation = (cell.false_plots - promised) / libm::sqrt(promised + 1.0);
        (1.0 + (ratio - 1.0) * weight(deviation, SURE_CLUTTER_SD)).clamp(LEAST_RATIO, GREATEST_RATIO)
    }

    /// The sensor's detection probability at a place, where it is `usual` elsewhere.
    pub(crate) fn detection_probability(&self, usual: f64, place_m: Vector2<f64>) -> f64 {
        let number = self.detection_grid.number_at(place_m);
        let place = number.and_then(|number| self.detection.binary_search_by_key(&number, |cell| cell.number).ok());
        place.map_or(usual, |place| self.detection[place].detection_probability(usual))
    }

    /// The same everywhere.
    pub(crate) fn detection_map(&self, usual: f64) -> DetectionMap {
        let differing = self.detection.iter().filter(|cell| cell.weight() > 0.0);
        let differing = differing.map(|cell| (cell.number, cell.detection_probability(usual))).collect();
        DetectionMap { grid: self.detection_grid, usual, differing }
    }

    /// Counts what a scan says: false plots, and whether tracks that are surely there were seen. `is_there`: whether a track
    /// is no figment.
    pub(crate) fn learn(&mut self, seen: &Seen<'_>, is_there: impl Fn(&Bernoulli) -> bool) {
        if self.clutter_grid.columns == 0 {
            return;
        }
        self.learn_clutter(seen);
        self.learn_detection(seen, is_there);
        self.scans = self.scans.wrapping_add(1);
        if self.scans.is_multiple_of(FORGETS_AFTER) {
            self.forget();
        }
    }

    fn learn_clutter(&mut self, seen: &Seen<'_>) {
        let view = seen.view;
        self.promised_per_m2 += view.usual_clutter / view.model.coverage.area_m2().max(1.0);
        for (plot, false_plots) in view.plots.iter().zip(seen.false_plots) {
            let number = plot.on_ground().and_then(|(place, _)| self.clutter_grid.number_at(place));
            let Some(number) = number else { continue };
            match self.clutter.binary_search_by_key(&number, |cell| cell.number) {
                Ok(place) => self.clutter[place].false_plots += false_plots,
                Err(place) => {
                    let inside = self.clutter_grid.part_inside(view, number);
                    self.clutter.insert(place, ClutterCell { number, inside, false_plots: *false_plots });
                }
            }
        }
    }

    fn learn_detection(&mut self, seen: &Seen<'_>, is_there: impl Fn(&Bernoulli) -> bool) {
        let view = seen.view;
        let period_s = view.model.scan_period_s.unwrap_or(0.0);
        let looked_for_s = LOOKED_FOR_S.max(LOOKED_FOR_PERIODS * period_s);
        for ((track, prospect), verdict) in seen.touched.iter().zip(seen.prospects).zip(seen.verdicts) {
            let track = &seen.tracks[*track];
            let was_seen = view.time.seconds_since(track.last_seen) <= looked_for_s;
            let chance = if was_seen { 1.0 } else { track.existence };
            let is_younger = track.label.time > view.time;
            if is_younger || track.is_ambiguous() || !track.is_proven() || chance < LIKELY_EXISTENCE {
                continue;
            }
            if !is_there(track) {
                continue;
            }
            let state = track.moments_at(prospect);
            let spread = state.position_covariance();
            let inside = view.model.coverage.probability_inside(view.origin_m, state.position(), &spread);
            let Some(number) = self.detection_grid.number_at(state.position()) else { continue };
            if inside < SURELY_INSIDE {
                continue;
            }
            let place = match self.detection.binary_search_by_key(&number, |cell| cell.number) {
                Ok(place) => place,
                Err(_) if self.detection.len() >= MOST_COUNTED => continue,
                Err(place) => {
                    self.detection.insert(place, DetectionCell { number, hits: 0.0, promised: 0.0, chances: 0.0 });
                    place
                }
            };
            let cell = &mut self.detection[place];
            cell.chances += chance;
            cell.promised += chance * view.detection_probability;
            cell.hits += (1.0 - verdict.missed).min(chance);
        }
    }

    /// Fades the counts. Where there is little room, cells that are like the rest make some.
    fn forget(&mut self) {
        self.promised_per_m2 *= KEPT;
        self.clutter.iter_mut().for_each(|cell| cell.false_plots *= KEPT);
        if self.detection.len() > MOST_COUNTED / 2 {
            self.detection.retain(|cell| cell.weight() > 0.0);
        }
        if !self.scans.is_multiple_of(FORGETS_AFTER * DETECTION_ROUNDS) {
            return;
        }
        for cell in &mut self.detection {
            for count in [&mut cell.hits, &mut cell.promised, &mut cell.chances] {
                *count *= KEPT;
            }
        }
    }
}

impl DetectionMap {
    pub(crate) fn at(&self, place_m: Vector2<f64>) -> f64 {
        if self.differing.is_empty() {
            return self.usual;
        }
        let number = self.grid.number_at(place_m);
        let place = number.and_then(|number| self.differing.binary_search_by_key(&number, |(number, _)| *number).ok());
        place.map_or(self.usual, |place| self.differing[place].1)
    }
}

impl DetectionCell {
    fn detection_probability(&self, usual: f64) -> f64 {
        let local = (DETECTION_PRIOR * usual + self.hits) / (DETECTION_PRIOR + self.chances);
        usual + (local - usual) * self.weight()
    }

    /// How much it counts for.
    fn weight(&self) -> f64 {
        let variance = self.promised * (1.0 - self.promised / self.chances.max(f64::MIN_POSITIVE));
        weight((self.hits - self.promised) / libm::sqrt(variance.max(1e-6)), SURE_DETECTION_SD)
    }
}

/// How much a deviation of so many standard deviations counts for.
fn weight(deviation: f64, sure: f64) -> f64 {
    let doubt = sure * sure / (deviation * deviation).max(f64::MIN_POSITIVE);
    (1.0 - doubt * doubt).max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measure::fixture::sensor;
    use crate::sensor::{Coverage, SensorKind};

    proptest! {
        /// The map of one scan says of every place what the cells do, whatever they have counted.
        #[test]
        fn the_map_says_what_the_cells_say(
            counted in prop::collection::btree_map(0_usize..400, (0.0..=1.0_f64, 1.0..200.0_f64), 0..40),
            places in prop::collection::vec((-600.0..600.0_f64, -600.0..600.0_f64), 1..40),
            usual in 0.05..0.99_f64,
        ) {
            let mut cells = Cells::new(&sensor(SensorKind::Radar, Coverage::Circle { radius_m: 500.0 }));
            let cell = |(number, (part, chances)): (usize, (f64, f64))| {
                DetectionCell { number, hits: part * chances, promised: usual * chances, chances }
            };
            cells.detection = counted.into_iter().map(cell).collect();
            let map = cells.detection_map(usual);
            for (east_m, north_m) in places {
                let place_m = Vector2::new(east_m, north_m);
                prop_assert_eq!(map.at(place_m), cells.detection_probability(usual, place_m));
            }
            prop_assert_eq!(map.at(Vector2::repeat(1e6)), usual);
        }
    }
}

//! Which plots may be from which track: boxes around tracks against a grid of plots.

use nalgebra::Vector2;

use crate::bernoulli::Bernoulli;
use crate::cluster::sort_from;
use crate::gaussian::Gaussian;
use crate::grid;
use crate::measure::Plot;

/// Half-width of a gate in standard deviations of the innovation. What falls outside weighs less than 4e-5 of the peak.
const GATE_SD: f64 = 4.5;

/// Side of the grid's cells.
const CELL_M: f64 = 50.0;

/// The plots of a scan, found by place. Plots without a place on the ground (bearings, ranges) are in every gate.
pub(crate) struct PlotIndex {
    /// Cell row, cell column, plot; sorted.
    cells: Vec<(i64, i64, usize)>,
    /// The rows that have plots, each with the place of its first cell.
    rows: Vec<(i64, usize)>,
    places: Vec<Option<(Vector2<f64>, Vector2<f64>)>>,
    everywhere: Vec<usize>,
    /// Largest standard deviation of any plot, east and north.
    widest: Vector2<f64>,
    /// Age of what the plots show.
    age_s: f64,
}

/// The plots in the gate of each track of a scan, one list after the other.
#[derive(Default)]
pub(crate) struct Gates {
    plots: Vec<usize>,
    /// Where each track's plots end.
    ends: Vec<usize>,
}

impl Gates {
    /// Those of one more track.
    pub(crate) fn add(&mut self, track: &Bernoulli, index: &PlotIndex) {
        let start = self.plots.len();
        index.add_gated(track, &mut self.plots);
        sort_from(&mut self.plots, start);
        self.ends.push(self.plots.len());
    }

    /// Plots in all gates.
    pub(crate) fn count(&self) -> usize {
        self.plots.len()
    }

    /// Plots in the gate of the track added at this place, ascending.
    pub(crate) fn of(&self, place: usize) -> &[usize] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.plots[start..self.ends[place]]
    }
}

impl PlotIndex {
    pub(crate) fn new(plots: &[Plot<'_>]) -> Self {
        let places: Vec<_> = plots
            .iter()
            .map(|plot| plot.on_ground().map(|(place, spread)| (place, spread.diagonal().map(libm::sqrt))))
            .collect();
        let mut cells = Vec::with_capacity(plots.len());
        let mut everywhere = Vec::new();
        for (plot, place) in places.iter().enumerate() {
            match place {
                Some((place, _)) => cells.push((cell_of(place.y), cell_of(place.x), plot)),
                None => everywhere.push(plot),
            }
        }
        cells.sort_unstable();
        let mut rows: Vec<(i64, usize)> = cells.iter().enumerate().map(|(place, cell)| (cell.0, place)).collect();
        rows.dedup_by_key(|(row, _)| *row);
        let widest = places.iter().flatten().fold(Vector2::zeros(), |widest: Vector2<f64>, (_, sd)| widest.sup(sd));
        let age_s = plots.first().map_or(0.0, |plot| plot.age_s);
        Self { cells, rows, places, everywhere, widest, age_s }
    }

    /// Adds the plots inside the box around the track, in no particular order and perhaps more than once.
    fn add_gated(&self, track: &Bernoulli, found: &mut Vec<usize>) {
        found.extend_from_slice(&self.everywhere);
        if self.cells.is_empty() {
            return;
        }
        for hypothesis in track.states() {
            let mut low = Vector2::repeat(f64::INFINITY);
            let mut high = Vector2::repeat(f64::NEG_INFINITY);
            for (_, state) in hypothesis.active() {
                let (place, variance) = then(state, self.age_s);
                let half = variance.zip_map(&self.widest, |v, sd| GATE_SD * libm::sqrt(v + sd * sd));
                low = low.inf(&(place - half));
                high = high.sup(&(place + half));
            }
            self.in_rectangle(low, high, found);
        }
    }

    /// Plots on the ground in the square of this half-width, in no particular order.
    pub(crate) fn around(&self, centre: Vector2<f64>, half_width_m: f64, found: &mut Vec<usize>) {
        found.clear();
        self.in_rectangle(centre.add_scalar(-half_width_m), centre.add_scalar(half_width_m), found);
    }

    fn in_rectangle(&self, low: Vector2<f64>, high: Vector2<f64>, found: &mut Vec<usize>) {
        let (west, east) = (cell_of(low.x), cell_of(high.x));
        let (south, north) = (cell_of(low.y), cell_of(high.y));
        let first = self.rows.partition_point(|(row, _)| *row < south);
        for (place, (row, start)) in self.rows.iter().enumerate().skip(first) {
            if *row > north {
                break;
            }
            let end = self.rows.get(place + 1).map_or(self.cells.len(), |(_, next)| *next);
            let cells = &self.cells[*start..end];
            let from = cells.partition_point(|cell| cell.1 < west);
            for (_, _, plot) in cells[from..].iter().take_while(|cell| cell.1 <= east) {
                let inside = self.places[*plot].is_some_and(|(place, _)| {
                    place.x >= low.x && place.y >= low.y && place.x <= high.x && place.y <= high.y
                });
                if inside {
                    found.push(*plot);
                }
            }
        }
    }
}

/// Position and variance per axis `age_s` before the state.
fn then(state: &Gaussian, age_s: f64) -> (Vector2<f64>, Vector2<f64>) {
    let variance = |axis: usize| {
        let p = &state.covariance;
        p[(axis, axis)] - age_s * (2.0 * p[(axis, axis + 2)] - age_s * p[(axis + 2, axis + 2)])
    };
    (state.position() - state.velocity() * age_s, Vector2::new(variance(0), variance(1)))
}

fn cell_of(coordinate_m: f64) -> i64 {
    grid::cell_of(coordinate_m, CELL_M)
}

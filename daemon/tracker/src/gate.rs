//! Which plots may be from which track: boxes around tracks against plots from west to east.

use nalgebra::Vector2;

use crate::bernoulli::Bernoulli;
use crate::cluster::sort_from;
use crate::gaussian::Gaussian;
use crate::measure::Plot;

/// Half-width of a gate in standard deviations of the innovation. What falls outside weighs less than 4e-5 of the peak.
const GATE_SD: f64 = 4.5;

/// The plots of a scan, found by place. Plots without a place on the ground (bearings, ranges) are in every gate.
pub(crate) struct PlotIndex {
    /// Those on the ground, from west to east: a box is so narrow that few others lie north or south of it.
    placed: Vec<(Vector2<f64>, usize)>,
    everywhere: Vec<usize>,
    /// Largest variance of any plot, east and north.
    widest_m2: Vector2<f64>,
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
        let mut placed = Vec::with_capacity(plots.len());
        let mut everywhere = Vec::new();
        let mut widest_m2 = Vector2::zeros();
        for (number, plot) in plots.iter().enumerate() {
            match plot.on_ground() {
                Some((place, spread)) => {
                    widest_m2 = widest_m2.sup(&spread.diagonal());
                    placed.push((place, number));
                }
                None => everywhere.push(number),
            }
        }
        placed.sort_unstable_by(|a, b| a.0.x.total_cmp(&b.0.x).then(a.1.cmp(&b.1)));
        let age_s = plots.first().map_or(0.0, |plot| plot.age_s);
        Self { placed, everywhere, widest_m2, age_s }
    }

    /// Adds the plots inside the box around the track, in no particular order and perhaps more than once.
    fn add_gated(&self, track: &Bernoulli, found: &mut Vec<usize>) {
        found.extend_from_slice(&self.everywhere);
        if self.placed.is_empty() {
            return;
        }
        for hypothesis in track.states() {
            let mut low = Vector2::repeat(f64::INFINITY);
            let mut high = Vector2::repeat(f64::NEG_INFINITY);
            for (_, state) in hypothesis.active() {
                let (place, variance) = then(state, self.age_s);
                let half = (variance + self.widest_m2).map(|variance| GATE_SD * libm::sqrt(variance));
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
        let first = self.placed.partition_point(|(place, _)| place.x < low.x);
        let in_strip = self.placed[first..].iter().take_while(|(place, _)| place.x <= high.x);
        let inside = in_strip.filter(|(place, _)| place.y >= low.y && place.y <= high.y);
        found.extend(inside.map(|(_, plot)| *plot));
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

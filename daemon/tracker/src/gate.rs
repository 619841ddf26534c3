//! Which plots may be from which track: boxes around tracks against plots along the longer side of the ground.

use nalgebra::Vector2;
use smallvec::SmallVec;

use crate::bernoulli::Bernoulli;
use crate::cluster::sort_from;
use crate::gaussian::Gaussian;
use crate::imm::Hypothesis;
use crate::measure::Plot;
use crate::sweep::{Strips, longer_side};

/// Half-width of a gate in standard deviations of the innovation. What falls outside weighs less than 4e-5 of the peak.
const GATE_SD: f64 = 4.5;

/// The plots of a scan, found by place. Plots without a place on the ground (bearings, ranges) are in every gate.
pub(crate) struct PlotIndex {
    /// Those on the ground, in the order of their coordinate on `along`: a box is so narrow that few others lie beside it.
    placed: Vec<(Vector2<f64>, usize)>,
    /// The axis, east or north, on which they are spread farther: along it a border that runs north is no other than
    /// one that runs east.
    along: usize,
    strips: Strips,
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
        let along = longer_side(placed.iter().map(|(place, _)| *place));
        placed.sort_unstable_by(|a, b| a.0[along].total_cmp(&b.0[along]).then(a.1.cmp(&b.1)));
        let age_s = plots.first().map_or(0.0, |plot| plot.age_s);
        let strips = Strips::of(placed.iter().map(|(place, _)| place[along]));
        Self { placed, along, strips, everywhere, widest_m2, age_s }
    }

    /// Adds the plots inside the box around the track, in no particular order and perhaps more than once.
    fn add_gated(&self, track: &Bernoulli, found: &mut Vec<usize>) {
        found.extend_from_slice(&self.everywhere);
        if self.placed.is_empty() {
            return;
        }
        if track.may_be_anywhere() {
            // Far apart: a search for each.
            for hypothesis in track.states() {
                let (low, high) = self.gate_of(hypothesis);
                self.in_rectangle(low, high, found);
            }
            return;
        }
        let gates: SmallVec<[(Vector2<f64>, Vector2<f64>); 4]> =
            track.states().map(|hypothesis| self.gate_of(hypothesis)).collect();
        let around_all = gates.iter().copied().reduce(around_both);
        let Some((low, high)) = around_all else { return };
        let across = 1 - self.along;
        let within = |place: &Vector2<f64>| {
            let holds = |(low, high): &(Vector2<f64>, Vector2<f64>)| {
                place.x >= low.x && place.x <= high.x && place.y >= low.y && place.y <= high.y
            };
            // Most of the strip lies beside all of them.
            place[across] >= low[across] && place[across] <= high[across] && gates.iter().any(holds)
        };
        let in_strip = self.in_strip(low[self.along], high[self.along]);
        found.extend(in_strip.filter(|(place, _)| within(place)).map(|(_, plot)| *plot));
    }

    /// The box around all ways of moving.
    fn gate_of(&self, hypothesis: &Hypothesis) -> (Vector2<f64>, Vector2<f64>) {
        let nowhere = (Vector2::repeat(f64::INFINITY), Vector2::repeat(f64::NEG_INFINITY));
        hypothesis.active().map(|(_, state)| self.gate(state)).fold(nowhere, around_both)
    }

    /// Adds the plots on the ground inside the box around a state, in no particular order.
    pub(crate) fn in_gate(&self, state: &Gaussian, found: &mut Vec<usize>) {
        let (low, high) = self.gate(state);
        self.in_rectangle(low, high, found);
    }

    fn gate(&self, state: &Gaussian) -> (Vector2<f64>, Vector2<f64>) {
        let (place, variance) = then(state, self.age_s);
        let half = (variance + self.widest_m2).map(|variance| GATE_SD * libm::sqrt(variance));
        (place - half, place + half)
    }

    /// Plots on the ground in the square of this half-width, in no particular order.
    pub(crate) fn around(&self, centre: Vector2<f64>, half_width_m: f64, found: &mut Vec<usize>) {
        found.clear();
        self.in_rectangle(centre.add_scalar(-half_width_m), centre.add_scalar(half_width_m), found);
    }

    fn in_rectangle(&self, low: Vector2<f64>, high: Vector2<f64>, found: &mut Vec<usize>) {
        let (along, across) = (self.along, 1 - self.along);
        let in_strip = self.in_strip(low[along], high[along]);
        let inside = in_strip.filter(|(place, _)| place[across] >= low[across] && place[across] <= high[across]);
        found.extend(inside.map(|(_, plot)| *plot));
    }

    /// Plots on the ground between two coordinates on the longer side.
    fn in_strip(&self, low: f64, high: f64) -> impl Iterator<Item = &(Vector2<f64>, usize)> {
        let (start, end) = self.strips.around(low);
        let first = start + self.placed[start..end].partition_point(|(place, _)| place[self.along] < low);
        self.placed[first..].iter().take_while(move |(place, _)| place[self.along] <= high)
    }
}

/// The box around two boxes.
fn around_both(a: (Vector2<f64>, Vector2<f64>), b: (Vector2<f64>, Vector2<f64>)) -> (Vector2<f64>, Vector2<f64>) {
    (a.0.inf(&b.0), a.1.sup(&b.1))
}

/// Position and variance per axis `age_s` before the state.
fn then(state: &Gaussian, age_s: f64) -> (Vector2<f64>, Vector2<f64>) {
    let variance = |axis: usize| {
        let p = &state.covariance;
        p[(axis, axis)] - age_s * (2.0 * p[(axis, axis + 2)] - age_s * p[(axis + 2, axis + 2)])
    };
    (state.position() - state.velocity() * age_s, Vector2::new(variance(0), variance(1)))
}

#[cfg(test)]
mod tests {
    use nalgebra::Matrix2;
    use proptest::prelude::*;

    use super::*;
    use crate::measure::fixture::{plot_of, sensor};
    use crate::{Coverage, Measurement, SensorKind};

    proptest! {
        /// Whichever way the ground is longer.
        #[test]
        fn what_is_found_around_a_place_is_what_lies_there(
            places in prop::collection::vec((-1.0_f64..1.0, -1.0_f64..1.0), 0..40),
            (east_m, north_m) in (10.0_f64..2_000.0, 10.0_f64..2_000.0),
            (centre, half_width_m) in ((-1.0_f64..1.0, -1.0_f64..1.0), 1.0_f64..500.0),
        ) {
            let radar = sensor(SensorKind::Radar, Coverage::Circle { radius_m: 5_000.0 });
            let at = |(east, north): (f64, f64)| Vector2::new(east * east_m, north * north_m);
            let plot = |place: &(f64, f64)| {
                plot_of(Measurement::Position { position_m: at(*place), covariance_m2: Matrix2::identity() }, &radar)
            };
            let plots: Vec<Plot<'_>> = places.iter().map(plot).collect();
            let mut found = Vec::new();
            PlotIndex::new(&plots).around(at(centre), half_width_m, &mut found);
            found.sort_unstable();
            let is_near = |place: &(f64, f64)| (at(*place) - at(centre)).amax() <= half_width_m;
            let there: Vec<usize> = (0..places.len()).filter(|&plot| is_near(&places[plot])).collect();
            prop_assert_eq!(found, there);
        }
    }
}

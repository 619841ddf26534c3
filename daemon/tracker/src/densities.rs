//! How dense each plot in a track's gate is, under each of the track's states: computed once a scan, asked for often.

use crate::bernoulli::Bernoulli;
use crate::gate::Gates;
use crate::prospect::Prospect;
use crate::view::View;

/// The densities of a scan: of each track one for each of its states, its own first and then those under the other joint
/// hypotheses, given that it exists; detection included.
pub(crate) struct Densities {
    values: Vec<f64>,
    /// For each track, by its place among those touched, where its densities start and how many there are for each plot.
    tracks: Vec<(usize, usize)>,
}

impl Densities {
    pub(crate) fn of_scan(
        tracks: &[Bernoulli],
        touched: &[usize],
        prospects: &[Prospect],
        gates: &Gates,
        view: &View<'_>,
    ) -> Self {
        let mut densities =
            Self { values: Vec::with_capacity(gates.count()), tracks: Vec::with_capacity(touched.len()) };
        for (place, (track, prospect)) in touched.iter().zip(prospects).enumerate() {
            let track = &tracks[*track];
            let start = densities.values.len();
            for plot in gates.of(place) {
                densities.values.extend(track.densities(prospect, &view.plots[*plot]));
            }
            densities.tracks.push((start, 1 + track.rival_count()));
        }
        densities
    }

    /// Those of a plot, by its position in the gate of the track at this place.
    pub(crate) fn of(&self, place: usize, gated: usize) -> &[f64] {
        let (start, states) = self.tracks[place];
        &self.values[start + gated * states..][..states]
    }
}

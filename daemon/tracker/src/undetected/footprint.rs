//! The cells that a sensor sees.

use serde::{Deserialize, Serialize};

/// Runs of neighbouring cells, by the first, with the probability for each cell that its middle is inside the coverage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(usize, f32)>", into = "Vec<(usize, f32)>")]
pub(super) struct Footprint(Vec<(usize, Vec<f32>)>);

/// The intensity in neighbouring cells.
pub(super) struct Cells<'a> {
    /// Part of the walkers that nobody has found.
    pub(super) unfound: &'a mut [f32],
    pub(super) walking: &'a [f32],
    pub(super) appeared: &'a mut [f32],
}

/// Cells that are done side by side: a sum over one cell after the other would have to wait for each.
const LANES: usize = 8;

impl Footprint {
    /// The cells, each with the part that is seen.
    pub(super) fn parts(&self) -> impl Iterator<Item = (usize, f32)> {
        self.0.iter().flat_map(|(first, run)| (*first..).zip(run.iter().copied()))
    }

    /// Takes out of all cells what is detected, and gives how many walkers and how many who appeared it was.
    pub(super) fn take(&self, detection: f32, cells: &mut Cells<'_>) -> (f64, f64) {
        let (mut walkers, mut others) = ([0.0; LANES], [0.0; LANES]);
        for (first, run) in &self.0 {
            let Some(mut cells) = cells.part(*first, run.len()) else { continue };
            let in_lanes = run.len() - run.len() % LANES;
            cells.take_in_lanes::<LANES>(detection, run, 0, (&mut walkers, &mut others));
            let rest = (core::array::from_mut(&mut walkers[0]), core::array::from_mut(&mut others[0]));
            cells.take_in_lanes::<1>(detection, run, in_lanes, rest);
        }
        let sum = |lanes: [f32; LANES]| lanes.into_iter().map(f64::from).sum();
        (sum(walkers), sum(others))
    }
}

impl Cells<'_> {
    /// So many cells from the first on, if there are as many.
    fn part(&mut self, first: usize, count: usize) -> Option<Cells<'_>> {
        let cells = first..first + count;
        Some(Cells {
            unfound: self.unfound.get_mut(cells.clone())?,
            walking: self.walking.get(cells.clone())?,
            appeared: self.appeared.get_mut(cells)?,
        })
    }

    /// From this cell on, in groups of `N` as far as they go; adds walkers and others that are found, lane by lane.
    fn take_in_lanes<const N: usize>(
        &mut self,
        detection: f32,
        inside: &[f32],
        from: usize,
        (walkers, others): (&mut [f32; N], &mut [f32; N]),
    ) {
        let (unfound, _) = self.unfound[from..].as_chunks_mut::<N>();
        let (walking, _) = self.walking[from..].as_chunks::<N>();
        let (appeared, _) = self.appeared[from..].as_chunks_mut::<N>();
        let (inside, _) = inside[from..].as_chunks::<N>();
        let cells = unfound.iter_mut().zip(walking).zip(appeared).zip(inside);
        for (((unfound, walking), appeared), inside) in cells {
            let seen = inside.map(|inside| detection * inside);
            let (of_unfound, of_appeared) = (taken(unfound, &seen), taken(appeared, &seen));
            for lane in 0..N {
                walkers[lane] += walking[lane] * of_unfound[lane];
                others[lane] += of_appeared[lane];
            }
        }
    }
}

/// What is seen is taken out.
fn taken<const N: usize>(cells: &mut [f32; N], seen: &[f32; N]) -> [f32; N] {
    let taken = core::array::from_fn(|lane| cells[lane] * seen[lane]);
    cells.iter_mut().zip(&taken).for_each(|(cell, taken)| *cell -= taken);
    taken
}

/// From cells in ascending order, as a snapshot holds them.
impl From<Vec<(usize, f32)>> for Footprint {
    fn from(cells: Vec<(usize, f32)>) -> Self {
        let mut runs: Vec<(usize, Vec<f32>)> = Vec::new();
        for (cell, inside) in cells {
            match runs.last_mut() {
                Some((first, run)) if *first + run.len() == cell => run.push(inside),
                _ => runs.push((cell, vec![inside])),
            }
        }
        Self(runs)
    }
}

impl From<Footprint> for Vec<(usize, f32)> {
    fn from(footprint: Footprint) -> Self {
        footprint.0.into_iter().flat_map(|(first, run)| (first..).zip(run)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn takes_from_the_cells_it_was_made_of(
            inside in prop::collection::vec(prop::option::of(0.01..=1.0_f32), 1..40), detection in 0.0..=1.0_f32,
        ) {
            let seen = inside.iter().enumerate().filter_map(|(cell, inside)| Some((cell, (*inside)?)));
            let cells: Vec<(usize, f32)> = seen.collect();
            let footprint = Footprint::from(cells.clone());
            prop_assert_eq!(&Vec::from(footprint.clone()), &cells);
            let filled = |value: f32| vec![value; inside.len()];
            let (mut unfound, walking, mut appeared) = (filled(1.0), filled(2.0), filled(3.0));
            let mut all =
                Cells { unfound: &mut unfound, walking: &walking, appeared: &mut appeared };
            let found = footprint.take(detection, &mut all);
            let expected: f64 = inside.iter().flatten().map(|inside| f64::from(detection * inside)).sum();
            prop_assert!((found.0 - 2.0 * expected).abs() < 1e-4 && (found.1 - 3.0 * expected).abs() < 1e-4);
            for (cell, inside) in inside.iter().enumerate() {
                let left = 1.0 - detection * inside.unwrap_or(0.0);
                for (intensity, before) in [(&unfound, 1.0), (&appeared, 3.0)] {
                    prop_assert!((intensity[cell] - before * left).abs() < 1e-6);
                }
            }
        }
    }
}

//! The cells that a sensor sees.

use serde::{Deserialize, Serialize};

/// Runs of neighbouring cells, by the first, with the probability for each cell that its middle is inside the coverage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(usize, f64)>", into = "Vec<(usize, f64)>")]
pub(super) struct Footprint(Vec<(usize, Vec<f64>)>);

impl Footprint {
    /// Takes out of an intensity by cells what is detected, and gives how much it was.
    pub(super) fn take(&self, intensity: &mut [f64], detection: f64) -> f64 {
        let mut taken = 0.0;
        for (first, run) in &self.0 {
            for (intensity, inside) in intensity.iter_mut().skip(*first).zip(run) {
                let seen = *intensity * detection * inside;
                taken += seen;
                *intensity -= seen;
            }
        }
        taken
    }

    /// The same of the `part` of an intensity that is left: gives how much of the whole it was.
    pub(super) fn take_of(&self, part: &mut [f64], whole: &[f64], detection: f64) -> f64 {
        let mut taken = 0.0;
        for (first, run) in &self.0 {
            let left = part.iter_mut().skip(*first).zip(whole.iter().skip(*first));
            for ((part, whole), inside) in left.zip(run) {
                let seen = *part * detection * inside;
                taken += whole * seen;
                *part -= seen;
            }
        }
        taken
    }
}

/// From cells in ascending order, as a snapshot holds them.
impl From<Vec<(usize, f64)>> for Footprint {
    fn from(cells: Vec<(usize, f64)>) -> Self {
        let mut runs: Vec<(usize, Vec<f64>)> = Vec::new();
        for (cell, inside) in cells {
            match runs.last_mut() {
                Some((first, run)) if *first + run.len() == cell => run.push(inside),
                _ => runs.push((cell, vec![inside])),
            }
        }
        Self(runs)
    }
}

impl From<Footprint> for Vec<(usize, f64)> {
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
            inside in prop::collection::vec(prop::option::of(0.01..=1.0_f64), 1..40), detection in 0.0..=1.0_f64,
        ) {
            let seen = inside.iter().enumerate().filter_map(|(cell, inside)| Some((cell, (*inside)?)));
            let cells: Vec<(usize, f64)> = seen.collect();
            let footprint = Footprint::from(cells.clone());
            prop_assert_eq!(&Vec::from(footprint.clone()), &cells);
            let (mut part, whole) = (vec![1.0; inside.len()], vec![2.0; inside.len()]);
            let taken = footprint.take_of(&mut part, &whole, detection);
            let mut alone = vec![1.0; inside.len()];
            prop_assert!((taken - 2.0 * footprint.take(&mut alone, detection)).abs() < 1e-9);
            prop_assert_eq!(&alone, &part);
            for (left, inside) in part.iter().zip(&inside) {
                prop_assert!((left - (1.0 - detection * inside.unwrap_or(0.0))).abs() < 1e-12);
            }
        }
    }
}

//! Neighbours on the ground, found by sweeping along the axis on which all are spread farther.

use nalgebra::Vector2;

use crate::grid::{as_f64, whole};

/// The axis, east or north, along which places are spread farther.
pub(crate) fn longer_side(mut places: impl Iterator<Item = Vector2<f64>>) -> usize {
    let Some(first) = places.next() else { return 0 };
    let (low, high) = places.fold((first, first), |(low, high), place| (low.inf(&place), high.sup(&place)));
    let extent = high - low;
    usize::from(extent.y > extent.x)
}

/// Pairs of places nearer to each other than `within_m`, by their numbers.
pub(crate) fn close_pairs(places: &[Vector2<f64>], within_m: f64) -> Vec<(usize, usize)> {
    let along = longer_side(places.iter().copied());
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_unstable_by(|a, b| places[*a][along].total_cmp(&places[*b][along]).then(a.cmp(b)));
    let mut pairs = Vec::new();
    for (rank, here) in order.iter().enumerate() {
        let apart = |there: &usize| places[*there] - places[*here];
        let ahead = order[rank + 1..].iter().take_while(|there| apart(there)[along] < within_m);
        pairs.extend(ahead.filter(|there| apart(there).norm() < within_m).map(|there| (*here, *there)));
    }
    pairs
}

/// As many strips of equal width as there are coordinates: what a search through all of them would find is in one of few.
#[derive(Default)]
pub(crate) struct Strips {
    lowest: f64,
    per_m: f64,
    /// The number of the first coordinate in each strip, and of all at the end.
    firsts: Vec<usize>,
}

impl Strips {
    /// `coordinates`: ascending.
    pub(crate) fn of(coordinates: impl ExactSizeIterator<Item = f64> + DoubleEndedIterator + Clone) -> Self {
        let count = coordinates.len();
        let (Some(lowest), Some(highest)) = (coordinates.clone().next(), coordinates.clone().next_back()) else {
            return Self::default();
        };
        let per_m = as_f64(count) / (highest - lowest).max(1.0);
        let mut strips = Self { lowest, per_m, firsts: Vec::with_capacity(count + 2) };
        for (number, coordinate) in coordinates.enumerate() {
            let strip = strips.strip_at(coordinate);
            while strips.firsts.len() <= strip {
                strips.firsts.push(number);
            }
        }
        strips.firsts.push(count);
        strips
    }

    fn strip_at(&self, coordinate: f64) -> usize {
        whole((coordinate - self.lowest) * self.per_m)
    }

    /// Numbers between which the first coordinate lies that is no less than this.
    pub(crate) fn around(&self, coordinate: f64) -> (usize, usize) {
        let strip = self.strip_at(coordinate);
        let at = |strip: usize| self.firsts.get(strip).or(self.firsts.last()).copied().unwrap_or(0);
        (at(strip), at(strip.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_that_is_no_less_is_in_its_strip(
            mut coordinates in prop::collection::vec(-100.0_f64..100.0, 0..40), asked in -150.0_f64..150.0, flat in any::<bool>(),
        ) {
            if flat {
                coordinates.fill(7.0);
            }
            coordinates.sort_by(f64::total_cmp);
            let (start, end) = Strips::of(coordinates.iter().copied()).around(asked);
            let found = start + coordinates[start..end].partition_point(|coordinate| *coordinate < asked);
            prop_assert_eq!(found, coordinates.partition_point(|coordinate| *coordinate < asked));
        }

        #[test]
        fn all_that_are_close_and_nobody_else(
            places in prop::collection::vec((-1.0_f64..1.0, -1.0_f64..1.0), 0..40),
            (east_m, north_m) in (10.0_f64..500.0, 10.0_f64..500.0),
        ) {
            const WITHIN_M: f64 = 60.0;
            let places: Vec<Vector2<f64>> = places.iter().map(|(x, y)| Vector2::new(x * east_m, y * north_m)).collect();
            let mut found: Vec<(usize, usize)> =
                close_pairs(&places, WITHIN_M).into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
            found.sort_unstable();
            let all = (0..places.len()).flat_map(|a| (a + 1..places.len()).map(move |b| (a, b)));
            let expected: Vec<_> = all.filter(|(a, b)| (places[*b] - places[*a]).norm() < WITHIN_M).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

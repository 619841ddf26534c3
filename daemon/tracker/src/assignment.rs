//! The single best association of a cluster: a sparse assignment by shortest augmenting paths.
//!
//! Each track takes one of its gated plots or none; each plot goes to one track at most. The cost of a pair is
//! `-ln psi`, of a miss zero, so the best assignment maximises the joint posterior. Successive shortest paths with
//! potentials: Jonker and Volgenant, Computing 38, 1987, here on an adjacency list.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::belief::Pair;

/// A plot reached at some distance; the heap gives the nearest first, then the lowest number.
#[derive(Clone, Copy, PartialEq)]
struct Reached {
    distance: f64,
    node: usize,
}

impl Eq for Reached {}

impl PartialOrd for Reached {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Reached {
    fn cmp(&self, other: &Self) -> Ordering {
        other.distance.total_cmp(&self.distance).then(other.node.cmp(&self.node))
    }
}

/// For each track the index of its pair in the best assignment, `None` for a miss. `pairs` are sorted by track.
pub(crate) fn best(tracks: usize, plots: usize, pairs: &[Pair]) -> Vec<Option<usize>> {
    Assignment::new(tracks, plots, pairs).solved()
}

/// Columns are the plots, then one private "missed" column for each track.
struct Assignment<'a> {
    pairs: &'a [Pair],
    plots: usize,
    /// Pairs of each track: `pairs[first[t]..first[t + 1]]`.
    first: Vec<usize>,
    cost: Vec<f64>,
    missed_cost: f64,
    column_potential: Vec<f64>,
    row_of_column: Vec<Option<usize>>,
    pair_of_row: Vec<Option<usize>>,
}

/// What is known of the shortest paths from one row; used again from row to row.
#[derive(Default)]
struct Path {
    distance: Vec<f64>,
    /// For each column the row before it, and that row's pair unless it is the miss.
    came_from: Vec<Option<(usize, Option<usize>)>>,
    settled: Vec<bool>,
    heap: BinaryHeap<Reached>,
}

impl Path {
    fn begin(&mut self, columns: usize) {
        self.heap.clear();
        self.distance.clear();
        self.distance.resize(columns, f64::INFINITY);
        self.came_from.clear();
        self.came_from.resize(columns, None);
        self.settled.clear();
        self.settled.resize(columns, false);
    }

    fn nearest_unsettled(&mut self) -> Option<Reached> {
        while let Some(next) = self.heap.pop() {
            if !self.settled[next.node] {
                return Some(next);
            }
        }
        None
    }
}

impl<'a> Assignment<'a> {
    fn new(tracks: usize, plots: usize, pairs: &'a [Pair]) -> Self {
        let mut first = vec![0; tracks + 1];
        for pair in pairs {
            first[pair.track + 1] += 1;
        }
        for track in 0..tracks {
            first[track + 1] += first[track];
        }
        let raw: Vec<f64> = pairs.iter().map(|pair| -libm::log(pair.weight.max(f64::MIN_POSITIVE))).collect();
        // Dijkstra needs costs that are not negative; adding one constant to every column of every row changes nothing.
        let lift = raw.iter().fold(0.0_f64, |lowest, cost| lowest.min(*cost));
        Self {
            pairs,
            plots,
            first,
            cost: raw.into_iter().map(|cost| cost - lift).collect(),
            missed_cost: -lift,
            column_potential: vec![0.0; plots + tracks],
            row_of_column: vec![None; plots + tracks],
            pair_of_row: vec![None; tracks],
        }
    }

    fn solved(mut self) -> Vec<Option<usize>> {
        let mut path = Path::default();
        for row in 0..self.pair_of_row.len() {
            self.augment(row, &mut path);
        }
        self.pair_of_row
    }

    /// Columns a row can take: column, cost, and the pair unless it is the miss.
    fn options(&self, row: usize) -> impl Iterator<Item = (usize, f64, Option<usize>)> + '_ {
        let own = (self.first[row]..self.first[row + 1]).map(|p| (self.pairs[p].plot, self.cost[p], Some(p)));
        own.chain(std::iter::once((self.plots + row, self.missed_cost, None)))
    }

    /// Gives `start` a column, moving others along the cheapest alternating path.
    fn augment(&mut self, start: usize, path: &mut Path) {
        let columns = self.column_potential.len();
        path.begin(columns);
        let (mut row, mut so_far) = (start, 0.0);
        let (end, length) = loop {
            let row_potential = self.row_potential(row);
            for (column, cost, pair) in self.options(row) {
                let through = so_far + (cost - row_potential - self.column_potential[column]).max(0.0);
                if !path.settled[column] && through < path.distance[column] {
                    path.distance[column] = through;
                    path.came_from[column] = Some((row, pair));
                    path.heap.push(Reached { distance: through, node: column });
                }
            }
            let Some(next) = path.nearest_unsettled() else { return };
            path.settled[next.node] = true;
            match self.row_of_column[next.node] {
                None => break (next.node, next.distance),
                Some(holder) => (row, so_far) = (holder, next.distance),
            }
        };
        for column in 0..columns {
            if path.settled[column] {
                self.column_potential[column] += path.distance[column] - length;
            }
        }
        self.flip(start, end, &path.came_from);
    }

    /// Cheapest reduced option of a row: makes all reduced costs of a row non-negative, and zero on what it holds.
    fn row_potential(&self, row: usize) -> f64 {
        self.options(row).map(|(column, cost, _)| cost - self.column_potential[column]).fold(f64::INFINITY, f64::min)
    }

    fn flip(&mut self, start: usize, end: usize, came_from: &[Option<(usize, Option<usize>)>]) {
        let mut column = end;
        while let Some((row, pair)) = came_from[column] {
            let given_up = self.column_of(row);
            self.row_of_column[column] = Some(row);
            self.pair_of_row[row] = pair;
            if row == start {
                return;
            }
            column = given_up;
        }
    }

    fn column_of(&self, row: usize) -> usize {
        self.pair_of_row[row].map_or(self.plots + row, |pair| self.pairs[pair].plot)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACKS: usize = 4;
    const PLOTS: usize = 4;

    /// Logarithm of the weight of the best association of the tracks from `track` on, by trying all.
    fn exhaustive(pairs: &[Pair], track: usize, taken: &mut Vec<usize>) -> f64 {
        if track == TRACKS {
            return 0.0;
        }
        let mut best = exhaustive(pairs, track + 1, taken);
        for pair in pairs.iter().filter(|pair| pair.track == track) {
            if !taken.contains(&pair.plot) {
                taken.push(pair.plot);
                best = best.max(libm::log(pair.weight) + exhaustive(pairs, track + 1, taken));
                taken.pop();
            }
        }
        best
    }

    proptest! {
        #[test]
        fn no_association_weighs_more(weights in prop::collection::vec(prop::option::of(-6.0..6.0_f64), TRACKS * PLOTS)) {
            let pair = |(index, weight): (usize, Option<f64>)| {
                weight.map(|log| Pair { track: index / PLOTS, plot: index % PLOTS, weight: libm::exp(log) })
            };
            let pairs: Vec<Pair> = weights.into_iter().enumerate().filter_map(pair).collect();
            let chosen = best(TRACKS, PLOTS, &pairs);
            let mut plots: Vec<usize> = chosen.iter().flatten().map(|pair| pairs[*pair].plot).collect();
            let found: f64 = chosen.iter().flatten().map(|pair| libm::log(pairs[*pair].weight)).sum();
            prop_assert!((found - exhaustive(&pairs, 0, &mut Vec::new())).abs() < 1e-9);
            plots.sort_unstable();
            let with_repeats = plots.len();
            plots.dedup();
            prop_assert_eq!(plots.len(), with_repeats, "a plot was given twice");
        }
    }
}

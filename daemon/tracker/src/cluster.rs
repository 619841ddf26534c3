//! Clusters: groups of tracks and plots that no possible association links to the rest.

use crate::belief::Pair;

/// One independent association problem, in the numbers of the scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cluster<'a> {
    /// Tracks, ascending.
    pub(crate) tracks: &'a [usize],
    /// Plots, ascending.
    pub(crate) plots: &'a [usize],
    /// Indices of the pairs, ascending.
    pub(crate) pairs: &'a [usize],
}

/// All clusters of a scan, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clusters {
    tracks: Vec<usize>,
    plots: Vec<usize>,
    pairs: Vec<usize>,
    /// Where each cluster's tracks, plots and pairs end.
    ends: Vec<[usize; 3]>,
}

impl Clusters {
    /// The connected components of the pairs, which are sorted by track, in the order of their first track. Tracks and
    /// plots without a pair are in none.
    pub(crate) fn of(tracks: usize, plots: usize, pairs: &[Pair]) -> Self {
        let mut forest = Forest::new(tracks + plots);
        for pair in pairs {
            forest.join(pair.track, tracks + pair.plot);
        }
        // The root is the cluster's first track.
        let by_root: Vec<(usize, usize)> =
            pairs.iter().enumerate().map(|(index, pair)| (forest.root(pair.track), index)).collect();
        let by_root = in_order(&by_root, tracks);
        let mut clusters = Self::default();
        for members in by_root.chunk_by(|a, b| a.0 == b.0) {
            let first_plot = clusters.plots.len();
            for (_, index) in members {
                let pair = pairs[*index];
                clusters.pairs.push(*index);
                clusters.plots.push(pair.plot);
                if clusters.tracks.last() != Some(&pair.track) {
                    clusters.tracks.push(pair.track);
                }
            }
            sort_from(&mut clusters.plots, first_plot);
            clusters.ends.push([clusters.tracks.len(), clusters.plots.len(), clusters.pairs.len()]);
        }
        clusters
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Cluster<'_>> {
        let starts = std::iter::once([0; 3]).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| Cluster {
            tracks: &self.tracks[start[0]..end[0]],
            plots: &self.plots[start[1]..end[1]],
            pairs: &self.pairs[start[2]..end[2]],
        })
    }
}

/// Pairs of numbers in the order of the first, which is below `bound`, and where that is the same in the order given.
pub(crate) fn in_order(pairs: &[(usize, usize)], bound: usize) -> Vec<(usize, usize)> {
    let mut places = vec![0; bound + 1];
    pairs.iter().for_each(|(first, _)| places[first + 1] += 1);
    for first in 0..bound {
        places[first + 1] += places[first];
    }
    let mut sorted = vec![(0, 0); pairs.len()];
    for pair in pairs {
        sorted[places[pair.0]] = *pair;
        places[pair.0] += 1;
    }
    sorted
}

/// Sorts the numbers from the place `start` on, each of them once.
pub(crate) fn sort_from(numbers: &mut Vec<usize>, start: usize) {
    numbers[start..].sort_unstable();
    let mut kept = start;
    for place in start..numbers.len() {
        if kept == start || numbers[kept - 1] != numbers[place] {
            numbers[kept] = numbers[place];
            kept += 1;
        }
    }
    numbers.truncate(kept);
}

/// Disjoint sets with path halving; the smaller number is the root, so that the result does not depend on order.
pub(crate) struct Forest(Vec<usize>);

impl Forest {
    pub(crate) fn new(nodes: usize) -> Self {
        Self((0..nodes).collect())
    }

    pub(crate) fn root(&mut self, mut node: usize) -> usize {
        while self.0[node] != node {
            self.0[node] = self.0[self.0[node]];
            node = self.0[node];
        }
        node
    }

    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pairs_are_put_in_order(pairs in prop::collection::vec((0_usize..9, 0_usize..9), 0..40)) {
            let mut expected = pairs.clone();
            expected.sort_by_key(|pair| pair.0);
            prop_assert_eq!(in_order(&pairs, 9), expected);
        }
    }
}

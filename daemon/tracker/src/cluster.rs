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
        let mut by_root: Vec<(usize, usize)> =
            pairs.iter().enumerate().map(|(index, pair)| (forest.root(pair.track), index)).collect();
        by_root.sort_unstable();
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

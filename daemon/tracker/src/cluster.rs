//! Clusters: groups of tracks and plots that no possible association links to the rest.

use crate::belief::Pair;

/// One independent association problem, in the numbers of the scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// Tracks, ascending.
    pub(crate) tracks: Vec<usize>,
    /// Plots, ascending.
    pub(crate) plots: Vec<usize>,
    /// Indices of the pairs, ascending.
    pub(crate) pairs: Vec<usize>,
}

/// The connected components of the pairs, in the order of their first track. Tracks and plots without a pair are in none.
pub(crate) fn clusters(tracks: usize, plots: usize, pairs: &[Pair]) -> Vec<Cluster> {
    let mut forest = Forest::new(tracks + plots);
    for pair in pairs {
        forest.join(pair.track, tracks + pair.plot);
    }
    let mut number = vec![usize::MAX; tracks + plots];
    let mut found: Vec<Cluster> = Vec::new();
    for (index, pair) in pairs.iter().enumerate() {
        let root = forest.root(pair.track);
        if number[root] == usize::MAX {
            number[root] = found.len();
            found.push(Cluster::default());
        }
        let cluster = &mut found[number[root]];
        cluster.pairs.push(index);
        cluster.tracks.push(pair.track);
        cluster.plots.push(pair.plot);
    }
    for cluster in &mut found {
        for members in [&mut cluster.tracks, &mut cluster.plots] {
            members.sort_unstable();
            members.dedup();
        }
    }
    found
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

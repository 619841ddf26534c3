//! From possible pairs to what each track and plot makes of the scan: the marginal probabilities, cluster by cluster.
//!
//! Existence follows the marginal probabilities, and so does the state of a track alone. Point objects that contend for
//! plots have joint hypotheses (`joint.rs`). Objects that give several plots have not, since those would take each plot
//! for an object of its own: where these contend the state follows the best joint association, because averaging over
//! exchanged plots draws objects that are close together into one (coalescence).

use smallvec::SmallVec;

use crate::assignment;
use crate::belief::{Marginals, Pair, Propagation};
use crate::cluster::{Cluster, Clusters};

/// What one track makes of the scan.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Verdict {
    /// Probability that no plot is from this track (the object may not exist).
    pub(crate) missed: f64,
    /// Plots with the probability that they are from this track.
    pub(crate) claims: SmallVec<[(usize, f64); 2]>,
    /// The one plot that the state follows in a contended cluster: `Some(None)` for "none of them".
    pub(crate) best: Option<Option<usize>>,
}

/// The result for a whole scan.
pub(crate) struct Association {
    pub(crate) tracks: Vec<Verdict>,
    /// For each plot, the probability that it is from no track.
    pub(crate) unclaimed: Vec<f64>,
}

/// Two tracks contend when both are likely to exist and both claim a plot with at least this probability.
const CONTENDED_SHARE: f64 = 0.05;
const CONTENDER_EXISTENCE: f64 = 0.3;

/// Associates a scan. `existence` is that of each track; `pairs` are sorted by track, then plot; `are_points`: whether an
/// object gives one plot at most.
pub(crate) fn associate(existence: &[f64], plots: usize, pairs: &[Pair], are_points: bool) -> Association {
    let mut result = Association {
        tracks: vec![Verdict { missed: 1.0, ..Verdict::default() }; existence.len()],
        unclaimed: vec![1.0; plots],
    };
    let clusters = Clusters::of(existence.len(), plots, pairs);
    let (mut propagation, mut local) = (Propagation::default(), Vec::new());
    for cluster in clusters.iter() {
        localise(&cluster, pairs, &mut local);
        let marginals = propagation.marginals(cluster.tracks.len(), cluster.plots.len(), &local);
        for (place, track) in cluster.tracks.iter().enumerate() {
            result.tracks[*track].missed = marginals.missed[place];
        }
        for (place, plot) in cluster.plots.iter().enumerate() {
            result.unclaimed[*plot] = marginals.unclaimed[place];
        }
        for (index, share) in cluster.pairs.iter().zip(&marginals.pairs) {
            result.tracks[pairs[*index].track].claims.push((pairs[*index].plot, *share));
        }
        if !are_points && is_contended(&cluster, &local, marginals, existence) {
            let best = assignment::best(cluster.tracks.len(), cluster.plots.len(), &local);
            for (track, pair) in cluster.tracks.iter().zip(best) {
                result.tracks[*track].best = Some(pair.map(|local| pairs[cluster.pairs[local]].plot));
            }
        }
    }
    result
}

/// Writes down the pairs of a cluster in the cluster's own numbers.
fn localise(cluster: &Cluster<'_>, pairs: &[Pair], local: &mut Vec<Pair>) {
    let place = |members: &[usize], member: usize| members.partition_point(|other| *other < member);
    local.clear();
    local.extend(cluster.pairs.iter().map(|index| {
        let pair = pairs[*index];
        Pair { track: place(cluster.tracks, pair.track), plot: place(cluster.plots, pair.plot), weight: pair.weight }
    }));
}

fn is_contended(cluster: &Cluster<'_>, local: &[Pair], marginals: &Marginals, existence: &[f64]) -> bool {
    let mut contenders = vec![0_u32; cluster.plots.len()];
    for (pair, share) in local.iter().zip(&marginals.pairs) {
        if *share >= CONTENDED_SHARE && existence[cluster.tracks[pair.track]] >= CONTENDER_EXISTENCE {
            contenders[pair.plot] += 1;
        }
    }
    contenders.iter().any(|count| *count > 1)
}

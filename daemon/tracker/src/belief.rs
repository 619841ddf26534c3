//! Which plot is from which track, with what probability: loopy belief propagation.
//!
//! Williams and Lau, "Approximate evaluation of marginal association probabilities with belief propagation",
//! IEEE Transactions on Aerospace and Electronic Systems 50(4), 2014. Exact when the graph of tracks and plots has no
//! loop, and always convergent. The weights `psi = r L(z) / ((1 - r + r (1 - pD)) (clutter + birth)(z))` compare
//! "this plot is from this track" with "the track was missed and the plot is new or false".

/// A possible association.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    /// Track, counted within the scan or cluster.
    pub(crate) track: usize,
    /// Plot, counted likewise.
    pub(crate) plot: usize,
    /// The weight `psi` above.
    pub(crate) weight: f64,
}

/// Association probabilities.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Marginals {
    /// For each pair given, the probability that it is true.
    pub(crate) pairs: Vec<f64>,
    /// For each track, the probability that it has no plot.
    pub(crate) missed: Vec<f64>,
    /// For each plot, the probability that it belongs to none of these tracks.
    pub(crate) unclaimed: Vec<f64>,
}

const MOST_ROUNDS: usize = 100;
const CONVERGED: f64 = 1e-5;

/// The messages, and what they come to; used again from one cluster to the next.
#[derive(Debug, Default)]
pub(crate) struct Propagation {
    to_track: Vec<f64>,
    to_plot: Vec<f64>,
    at_track: Vec<f64>,
    at_plot: Vec<f64>,
    marginals: Marginals,
}

impl Propagation {
    /// Marginal association probabilities. `pairs` are sorted by track.
    pub(crate) fn marginals(&mut self, tracks: usize, plots: usize, pairs: &[Pair]) -> &Marginals {
        let Self { to_track, to_plot, at_track, at_plot, marginals } = self;
        for (values, count, start) in [
            (&mut *to_track, pairs.len(), 1.0),
            (to_plot, pairs.len(), 0.0),
            (at_track, tracks, 0.0),
            (at_plot, plots, 0.0),
        ] {
            values.clear();
            values.resize(count, start);
        }
        for _ in 0..MOST_ROUNDS {
            gather(at_track, weighed(pairs, to_track));
            for ((pair, message), sent) in pairs.iter().zip(&*to_track).zip(&mut *to_plot) {
                *sent = pair.weight / (1.0 + (at_track[pair.track] - pair.weight * message).max(0.0));
            }
            gather(at_plot, pairs.iter().zip(&*to_plot).map(|(pair, message)| (pair.plot, *message)));
            let mut change: f64 = 0.0;
            for ((pair, message), sent) in pairs.iter().zip(&mut *to_track).zip(&*to_plot) {
                let fresh = 1.0 / (1.0 + (at_plot[pair.plot] - sent).max(0.0));
                change = change.max((fresh - *message).abs());
                *message = fresh;
            }
            if change < CONVERGED {
                break;
            }
        }
        gather(at_track, weighed(pairs, to_track));
        marginals.pairs.clear();
        marginals.pairs.extend(weighed(pairs, to_track).map(|(track, weight)| weight / (1.0 + at_track[track])));
        for (shares, sums) in [(&mut marginals.missed, at_track), (&mut marginals.unclaimed, at_plot)] {
            shares.clear();
            shares.extend(sums.iter().map(|sum| 1.0 / (1.0 + sum)));
        }
        marginals
    }
}

/// For each pair its track and its weight times the message to it.
fn weighed<'a>(pairs: &'a [Pair], to_track: &'a [f64]) -> impl Iterator<Item = (usize, f64)> + 'a {
    pairs.iter().zip(to_track).map(|(pair, message)| (pair.track, pair.weight * message))
}

fn gather(sums: &mut [f64], terms: impl Iterator<Item = (usize, f64)>) {
    sums.fill(0.0);
    for (place, term) in terms {
        sums[place] += term;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marginals(tracks: usize, plots: usize, pairs: &[Pair]) -> Marginals {
        Propagation::default().marginals(tracks, plots, pairs).clone()
    }

    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-4, "{got}, expected {expected}");
    }

    #[test]
    fn one_track_among_two_plots_is_bayes() {
        let pairs = [Pair { track: 0, plot: 0, weight: 3.0 }, Pair { track: 0, plot: 1, weight: 1.0 }];
        let marginals = marginals(1, 2, &pairs);
        close(marginals.missed[0], 0.2);
        close(marginals.pairs[0], 0.6);
        close(marginals.pairs[1], 0.2);
        close(marginals.unclaimed[0], 0.4);
        close(marginals.unclaimed[1], 0.8);
    }

    #[test]
    fn a_chain_without_loops_is_exact() {
        // Tracks 0 and 1 share plot 1. Joint weights, with what each track takes: nothing 1; (0, -) 2; (1, -) 3; (-, 1) 4; (0, 1) 8.
        let pairs = [
            Pair { track: 0, plot: 0, weight: 2.0 },
            Pair { track: 0, plot: 1, weight: 3.0 },
            Pair { track: 1, plot: 1, weight: 4.0 },
        ];
        let marginals = marginals(2, 2, &pairs);
        let all = 1.0 + 2.0 + 3.0 + 4.0 + 8.0;
        close(marginals.pairs[0], (2.0 + 8.0) / all);
        close(marginals.pairs[1], 3.0 / all);
        close(marginals.pairs[2], (4.0 + 8.0) / all);
        close(marginals.unclaimed[1], (1.0 + 2.0) / all);
    }

    #[test]
    fn two_alike_share_two_alike_plots_evenly() {
        let pairs: Vec<Pair> = (0..4).map(|n| Pair { track: n / 2, plot: n % 2, weight: 5.0 }).collect();
        let marginals = marginals(2, 2, &pairs);
        for share in &marginals.pairs {
            close(*share, marginals.pairs[0]);
        }
        close(marginals.missed[0] + marginals.pairs[0] + marginals.pairs[1], 1.0);
    }
}

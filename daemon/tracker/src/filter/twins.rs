//! Two tracks of one object: where an object turned, or was missed, its next plot may have begun another track, and from then
//! on each plot is either's.
//!
//! That one of them exists speaks against the other, but each keeps an existence of its own: halves that share the plots stay
//! halves. What is believed of the number of objects there is the sum, which is kept up to one: two tracks about whose places nothing
//! is known that differs, and that in all are one object rather than two, become one (the merging of Bernoulli components, as in
//! Williams, IEEE Transactions on Aerospace and Electronic Systems 51(3), 2015, sec. IV, keeping the intensity).

use super::Filter;
use crate::association::Verdict;
use crate::bernoulli::Bernoulli;
use crate::mixture;

/// Twins claim the same plot with at least this probability.
const SHARED_CLAIM: f64 = 0.001;

/// Squared Mahalanobis distance of two states in their mean covariance below which they may be one: that of two independent
/// estimates of one object is so large on average, in four dimensions.
const ALIKE_SQUARED: f64 = 8.0;

/// Twins are one object rather than two.
const MOST_EXISTENCE: f64 = 1.5;

impl Filter {
    /// Merges the twins among the tracks that a scan of positions concerned.
    pub(super) fn merge_twins(&mut self, touched: &[usize], verdicts: &[Verdict]) {
        for (first, second) in self.pairs_with_one_plot(touched, verdicts) {
            let (older, younger) = (&self.tracks[first], &self.tracks[second]);
            let existence = older.existence + younger.existence;
            let are_two = older.existence <= 0.0 || younger.existence <= 0.0 || existence > MOST_EXISTENCE;
            if are_two || !mixture::are_close(&older.moments(), &younger.moments(), ALIKE_SQUARED) {
                continue;
            }
            let younger = std::mem::replace(&mut self.tracks[second].existence, 0.0);
            let hypothesis = self.tracks[second].hypotheses[0].clone();
            let last_seen = self.tracks[second].last_seen;
            self.tracks[first].take_over(younger, &hypothesis, last_seen);
        }
    }

    /// Pairs of tracks that each are in one place, alone, and claim the same plot, the older first.
    fn pairs_with_one_plot(&self, touched: &[usize], verdicts: &[Verdict]) -> Vec<(usize, usize)> {
        let is_placed = |track: &Bernoulli| !track.is_ambiguous() && track.bond.is_none();
        let mut claims: Vec<(usize, usize)> = Vec::new();
        for (track, verdict) in touched.iter().zip(verdicts).filter(|(track, _)| is_placed(&self.tracks[**track])) {
            let shared = verdict.claims.iter().filter(|(_, share)| *share >= SHARED_CLAIM);
            claims.extend(shared.map(|(plot, _)| (*plot, *track)));
        }
        claims.sort_unstable();
        let mut pairs = Vec::new();
        for of_plot in claims.chunk_by(|a, b| a.0 == b.0) {
            for (place, (_, first)) in of_plot.iter().enumerate() {
                pairs.extend(of_plot[place + 1..].iter().map(|(_, second)| (*first, *second)));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

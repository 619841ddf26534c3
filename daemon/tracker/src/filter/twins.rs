//! Two tracks of one object: where an object turned, or was missed, its next plot may have begun another track, and from
//! then on each plot is either's.
//!
//! That one of them exists speaks against the other, but each keeps an existence of its own: halves that share the plots
//! stay halves. What is believed of the number of objects there is the sum. So two tracks of whose places nothing is known
//! that differs, and that in all are one object rather than two, become one with that sum, up to one: their intensity
//! `r p(x)` is kept.

use super::Filter;
use crate::association::Verdict;
use crate::bernoulli::Bernoulli;
use crate::config::TrackerConfig;
use crate::mixture;

/// Twins claim the same plot with at least this probability.
const SHARED_CLAIM: f64 = 0.001;

/// Squared Mahalanobis distance of two states in their mean covariance below which they may be one: that of two independent
/// estimates of one object is so large on average, in four dimensions.
const ALIKE_SQUARED: f64 = 8.0;

/// Twins are one object rather than two.
const MOST_EXISTENCE: f64 = 1.5;

impl Filter {
    /// Merges the twins among the tracks that a scan concerned. An object that gives several plots is no reason to.
    pub(super) fn merge_twins(&mut self, config: &TrackerConfig, touched: &[usize], verdicts: &[Verdict]) {
        if config.object_extent_m > 0.0 {
            return;
        }
        for (first, second) in self.pairs_with_one_plot(touched, verdicts) {
            let (older, younger) = (&self.tracks[first], &self.tracks[second]);
            let existence = older.existence + younger.existence;
            let are_two = older.existence <= 0.0 || younger.existence <= 0.0 || existence > MOST_EXISTENCE;
            if are_two || !mixture::are_close(&older.moments(), &younger.moments(), ALIKE_SQUARED) {
                continue;
            }
            let (before, after) = self.tracks.split_at_mut(second);
            before[first].take_over(&mut after[0]);
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

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};
    use proptest::prelude::*;
    use smallvec::smallvec;

    use super::*;
    use crate::bernoulli::Label;
    use crate::class;
    use crate::config::MODES;
    use crate::filter::Models;
    use crate::gaussian::Gaussian;
    use crate::imm::Hypothesis;
    use crate::measure::fixture::sensor;
    use crate::time::Timestamp;
    use crate::visibility::Visibility;
    use crate::watch::Watched;
    use crate::{Coverage, SensorKind};

    fn at(number: usize, east_m: f64, existence: f64) -> Bernoulli {
        let spread = Matrix2::identity() * 4.0;
        let state = Gaussian::new(Vector2::new(east_m, 0.0), spread, Vector2::zeros(), Matrix2::identity());
        let hypothesis = Hypothesis { weight: 1.0, mode_probability: [0.0, 1.0, 0.0], modes: [state; MODES] };
        let label = Label { time: Timestamp::from_seconds(0), sensor: 0, plot: number };
        let visibility = Visibility::born(&TrackerConfig::default(), 0, label.time);
        Bernoulli::born(label, (existence, existence), vec![hypothesis], class::PRIOR, visibility)
    }

    /// Existence and place of two tracks that claim one plot, after their merging.
    fn merged(apart_m: f64, first: f64, second: f64) -> [(f64, f64); 2] {
        let (config, sensors) =
            (TrackerConfig::default(), [sensor(SensorKind::Radar, Coverage::Circle { radius_m: 1e3 })]);
        let watched = Watched::new(&sensors);
        let mut filter = Filter::new(Models { config: &config, sensors: &sensors, watched: &watched });
        filter.tracks = vec![at(0, 0.0, first), at(1, apart_m, second)];
        let claims = |share: f64| Verdict { missed: 1.0 - share, claims: smallvec![(0, share)], best: None };
        filter.merge_twins(&config, &[0, 1], &[claims(0.5), claims(0.4)]);
        [0, 1].map(|track| (filter.tracks[track].existence, filter.tracks[track].moments().position().x))
    }

    #[test]
    fn halves_of_one_object_become_one_of_the_older_name() {
        let [(older, east_m), (younger, _)] = merged(2.0, 0.3, 0.6);
        assert!((older - 0.9).abs() < 1e-12 && younger <= 0.0, "{older} and {younger}");
        assert!((east_m - 2.0 * 0.6 / 0.9).abs() < 1e-9, "at {east_m} m");
    }

    proptest! {
        #[test]
        fn two_objects_and_those_apart_stay_two(existence in 0.76..1.0_f64, little in 0.01..0.7_f64, apart_m in 9.0..50.0_f64) {
            prop_assert_eq!(merged(1.0, existence, existence).map(|(existence, _)| existence), [existence; 2]);
            prop_assert_eq!(merged(apart_m, little, little).map(|(existence, _)| existence), [little; 2]);
        }
    }
}

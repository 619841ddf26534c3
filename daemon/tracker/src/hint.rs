//! Object numbers of sensors that follow objects themselves: a soft, bounded hint for association.
//!
//! A camera or a radar that tracks tells its objects apart by numbers. They help where two people cross before one
//! sensor, and mislead where it exchanges, reuses or invents them. So a number never decides anything alone. It only
//! weighs the tracks that contend for a plot against each other, by a likelihood ratio within bounds, and that ratio is
//! learned for each sensor from how well its numbers keep to tracks. What a plot says about existence, and whether it
//! begins a track, stays as if it had no number.

use serde::{Deserialize, Serialize};

use crate::association::Verdict;
use crate::belief::Pair;
use crate::bernoulli::Bernoulli;
use crate::sensor_state::SensorState;
use crate::time::Timestamp;
use crate::view::View;

/// The most that a number says for one track against another at one plot.
const LARGEST_RATIO: f64 = 10.0;

/// A number that its track has not taken for so long is forgotten: sensors reuse them.
const REMEMBERED_S: f64 = 10.0;

/// Shares from which a plot counts as the track's: to remember its number, and to judge the sensor's numbers by.
const TAKEN: f64 = 0.5;
const SURELY_TAKEN: f64 = 0.9;

/// Existence from which a track is another object, not a doubt about one.
const LIKELY: f64 = 0.5;

/// Where the learned shares start, and how many observations that is worth.
const SAME_IF_KEPT: f64 = 0.9;
const SAME_BY_CHANCE: f64 = 0.05;
const PRIOR_CHANCES: f64 = 20.0;

/// Observations over which the shares forget: a sensor's firmware may change.
const MEMORY_CHANCES: f64 = 500.0;

/// The numbers that one track has taken last, at most one a sensor, by sensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Taken(Vec<TakenNumber>);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct TakenNumber {
    sensor: usize,
    object: u64,
    time: Timestamp,
}

impl Taken {
    /// That of a track that a plot with this number has begun.
    pub(crate) fn born(sensor: usize, time: Timestamp, object: Option<u64>) -> Self {
        Self(object.map(|object| TakenNumber { sensor, object, time }).into_iter().collect())
    }

    /// The number last taken of this sensor, if it is recent enough to mean anything.
    fn of(&self, sensor: usize, now: Timestamp) -> Option<u64> {
        let place = self.0.binary_search_by_key(&sensor, |taken| taken.sensor).ok()?;
        let taken = self.0[place];
        (now.seconds_since(taken.time).abs() <= REMEMBERED_S).then_some(taken.object)
    }

    pub(crate) fn note(&mut self, sensor: usize, object: u64, time: Timestamp) {
        let taken = TakenNumber { sensor, object, time };
        match self.0.binary_search_by_key(&sensor, |taken| taken.sensor) {
            Ok(place) => self.0[place] = taken,
            Err(place) => self.0.insert(place, taken),
        }
    }
}

/// How far the numbers of one sensor can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reliability {
    /// Of an object seen again: how often it has the same number.
    kept: Share,
    /// Of two different objects: how often they have the same number.
    by_chance: Share,
}

impl Default for Reliability {
    fn default() -> Self {
        Self { kept: Share::starting_at(SAME_IF_KEPT), by_chance: Share::starting_at(SAME_BY_CHANCE) }
    }
}

impl Reliability {
    /// What it says for a track that the plot has the number which the track took last, or another one; never more than
    /// the root of the largest ratio, so that two tracks differ by that ratio at most.
    fn ratio(&self, same: bool) -> f64 {
        let (kept, by_chance) = (self.kept.mean(), self.by_chance.mean());
        let ratio = if same { kept / by_chance } else { (1.0 - kept) / (1.0 - by_chance) };
        let bound = libm::sqrt(LARGEST_RATIO);
        ratio.clamp(1.0 / bound, bound)
    }
}

/// A share that is counted, and forgets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Share {
    hits: f64,
    chances: f64,
}

impl Share {
    const fn starting_at(share: f64) -> Self {
        Self { hits: share * PRIOR_CHANCES, chances: PRIOR_CHANCES }
    }

    /// Strictly between zero and one: half a count is never seen on either side.
    fn mean(self) -> f64 {
        (self.hits + 0.5) / (self.chances + 1.0)
    }

    fn count(&mut self, hit: bool) {
        let keep = MEMORY_CHANCES / (MEMORY_CHANCES + 1.0);
        self.hits = keep * (self.hits + if hit { 1.0 } else { 0.0 });
        self.chances = keep * (self.chances + 1.0);
    }
}

/// What the number of a plot says for an object that has taken these: 1 when there is nothing to compare.
pub(crate) fn ratio(taken: &Taken, view: &View<'_>, plot: usize, reliability: &Reliability) -> f64 {
    let last = taken.of(view.sensor, view.time);
    view.plots[plot].object.zip(last).map_or(1.0, |(number, last)| reliability.ratio(number == last))
}

/// Weighs the pairs of each plot against each other by its number. The best supported keeps its weight: whether the plot
/// is of any track is none of the number's business.
pub(crate) fn weigh(
    pairs: &mut [Pair],
    tracks: &[Bernoulli],
    touched: &[usize],
    view: &View<'_>,
    sensor: &SensorState,
) {
    if !view.has_numbers {
        return;
    }
    let ratio = |pair: &Pair| ratio(&tracks[touched[pair.track]].taken, view, pair.plot, &sensor.numbering);
    let mut best = vec![0.0_f64; view.plots.len()];
    for pair in pairs.iter() {
        best[pair.plot] = best[pair.plot].max(ratio(pair));
    }
    for pair in pairs {
        pair.weight *= ratio(pair) / best[pair.plot];
    }
}

/// Learns how well the sensor's numbers keep to tracks, then lets the tracks remember those they have taken.
pub(crate) fn remember(
    tracks: &mut [Bernoulli],
    touched: &[usize],
    verdicts: &[Verdict],
    view: &View<'_>,
    sensor: &mut SensorState,
) {
    for (track, verdict) in touched.iter().zip(verdicts) {
        let Some((plot, share)) = taken_plot(verdict) else { continue };
        let Some(number) = view.plots[plot].object else { continue };
        if share >= SURELY_TAKEN {
            if let Some(last) = tracks[*track].taken.of(view.sensor, view.time) {
                sensor.numbering.kept.count(last == number);
            }
            let others = touched.iter().filter(|other| *other != track).map(|other| &tracks[*other]);
            if let Some(other) = another_plots(view, plot).or_else(|| another_tracks(others, view)) {
                sensor.numbering.by_chance.count(other == number);
            }
        }
        tracks[*track].taken.note(view.sensor, number, view.time);
    }
}

/// The plot that a track has most likely taken, with its share.
fn taken_plot(verdict: &Verdict) -> Option<(usize, f64)> {
    let claims = || verdict.claims.iter().copied();
    match verdict.best {
        Some(best) => claims().find(|(plot, _)| best == Some(*plot)),
        None => claims().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, share)| *share > TAKEN),
    }
}

/// The number of another plot of the same look.
fn another_plots(view: &View<'_>, plot: usize) -> Option<u64> {
    let next = if plot + 1 < view.plots.len() { plot + 1 } else { plot.checked_sub(1)? };
    view.plots[next].object
}

/// The number of another likely object, where a look tells of one object at a time.
fn another_tracks<'a>(mut others: impl Iterator<Item = &'a Bernoulli>, view: &View<'_>) -> Option<u64> {
    others.find_map(|other| other.taken.of(view.sensor, view.time).filter(|_| other.existence > LIKELY))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_forgotten_with_time_and_kept_by_sensor() {
        let mut taken = Taken::born(3, Timestamp::from_seconds(0), Some(41));
        taken.note(1, 5, Timestamp::from_seconds(2));
        taken.note(1, 6, Timestamp::from_seconds(4));
        let at = |second| Timestamp::from_seconds(second);
        assert_eq!([taken.of(3, at(4)), taken.of(1, at(4)), taken.of(2, at(4))], [Some(41), Some(6), None]);
        assert_eq!([taken.of(3, at(11)), taken.of(1, at(11))], [None, Some(6)]);
    }

    #[test]
    fn numbers_that_keep_to_nothing_lose_their_say() {
        let mut reliability = Reliability::default();
        assert!(reliability.ratio(true) > 3.0 && reliability.ratio(false) < 0.35);
        for draw in 0..2_000_u32 {
            reliability.kept.count(draw % 4 == 0);
            reliability.by_chance.count(draw % 4 == 2);
        }
        assert!((reliability.ratio(true) - 1.0).abs() < 0.05 && (reliability.ratio(false) - 1.0).abs() < 0.05);
    }

    proptest! {
        #[test]
        fn two_tracks_differ_by_the_largest_ratio_at_most(kept in prop::collection::vec(any::<bool>(), 0..2_000), chance: bool) {
            let mut reliability = Reliability::default();
            for hit in kept {
                reliability.kept.count(hit);
                reliability.by_chance.count(chance);
            }
            let apart = libm::log(reliability.ratio(true) / reliability.ratio(false));
            prop_assert!(apart.abs() <= libm::log(LARGEST_RATIO) + 1e-9);
        }
    }
}

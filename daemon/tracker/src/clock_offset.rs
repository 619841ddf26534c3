//! The clock of a sensor against those of the others, from how far its plots lead or trail tracks that several sensors see.
//!
//! A clock that is `b` ahead stamps what was true `b` earlier, so a plot shows the object where it was at `t - b`, as an old
//! plot does. Along a track with velocity `v` the innovation moves by `g = -J v` for each second of `b`, with `J` the
//! measurement's Jacobian by position and `S` the innovation's covariance; one claimed plot is worth the information
//! `gᵀ S⁻¹ g`, and a scalar Kalman filter adds it up. What the clocks have in common shows nowhere: the tracks follow it. So
//! what one gains, it and the sensors that it was compared with give back in equal parts, and their sum stays zero.
//! Sensors that report events are too seldom near a fast and sure track to tell: theirs stay at zero.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::association::Verdict;
use crate::bernoulli::Bernoulli;
use crate::evidence::Evidence;
use crate::sensor::SensorModel;
use crate::sensor_state::SensorState;
use crate::silence::reports_events;
use crate::time::Timestamp;
use crate::track::Contribution;
use crate::view::View;

/// Standard deviation of a clock's offset before anything is known, seconds.
const PRIOR_SD_S: f64 = 0.2;

/// No offset beyond this is believed.
const MOST_S: f64 = 5.0;

/// Time over which an estimate fades: clocks drift, and are set.
const FADES_OVER_S: f64 = 21_600.0;

/// What follows a track this surely is used.
const SURE_EXISTENCE: f64 = 0.95;
const SURE_CLAIM: f64 = 0.9;

/// Slower than this, or less surely moving than so many standard deviations, a track tells no time.
const SLOWEST_MPS: f64 = 0.5;
const MOVING_SD: f64 = 3.0;

/// Squared innovation, normalised and for each dimension, beyond which a plot is an outlier.
const OUTLIER_SQUARED: f64 = 6.0;

/// A sensor that saw the track this lately vouches for where it is.
const VOUCHES_FOR_S: f64 = 5.0;

/// How far a sensor's clock is ahead, as a Gaussian.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClockOffset {
    mean_s: f64,
    variance_s2: f64,
    time: Option<Timestamp>,
}

impl Default for ClockOffset {
    fn default() -> Self {
        Self { mean_s: 0.0, variance_s2: PRIOR_SD_S * PRIOR_SD_S, time: None }
    }
}

/// What a scan says about its sensor's clock, and against which sensors.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) lag: Evidence,
    /// Ascending.
    pub(crate) others: BTreeSet<usize>,
}

impl ClockOffset {
    /// The estimate, seconds ahead.
    pub(crate) fn mean_s(&self) -> f64 {
        self.mean_s
    }

    /// Its standard deviation.
    pub(crate) fn sd_s(&self) -> f64 {
        libm::sqrt(self.variance_s2)
    }

    /// Takes in what one scan says, and gives by how much that moves the estimate. The innovations are those left with the
    /// estimate so far.
    fn learn(&mut self, time: Timestamp, lag: Evidence) -> f64 {
        let pause_s = self.time.map_or(0.0, |last| time.seconds_since(last).max(0.0));
        let kept = libm::exp(-pause_s / FADES_OVER_S);
        let prior = PRIOR_SD_S * PRIOR_SD_S;
        let (mean, variance) = (self.mean_s * kept, prior + (self.variance_s2 - prior) * kept * kept);
        self.time = Some(time);
        self.variance_s2 = variance / (1.0 + variance * lag.information);
        self.mean_s = (mean + self.variance_s2 * lag.score).clamp(-MOST_S, MOST_S);
        self.mean_s - mean
    }

    fn give_back(&mut self, part_s: f64) {
        self.mean_s = (self.mean_s - part_s).clamp(-MOST_S, MOST_S);
    }
}

/// Learns from one scan of a sensor.
pub(crate) fn learn(models: &[SensorModel], sensors: &mut [SensorState], view: &View<'_>, comparison: &Comparison) {
    if comparison.lag.information <= 0.0 {
        return;
    }
    let gain_s = sensors[view.sensor].clock.learn(view.time, comparison.lag);
    let scanning = |sensor: &&usize| !reports_events(&models[**sensor]);
    let part_s = gain_s / comparison.others.iter().filter(scanning).fold(1.0, |count, _| count + 1.0);
    for sensor in comparison.others.iter().filter(scanning).chain([&view.sensor]) {
        sensors[*sensor].clock.give_back(part_s);
    }
}

/// What a scan says about its sensor's clock, before the tracks (by their place in `touched`) are updated with it.
pub(crate) fn compare(tracks: &[Bernoulli], touched: &[usize], view: &View<'_>, verdicts: &[Verdict]) -> Comparison {
    let mut total = Comparison::default();
    if view.is_event {
        return total;
    }
    for (track, verdict) in touched.iter().map(|track| &tracks[*track]).zip(verdicts) {
        let surely = verdict.claims.iter().find(|(_, share)| *share >= SURE_CLAIM);
        let Some((plot, _)) = surely.filter(|_| tells_time(track, view)) else { continue };
        let (lag, squared, dimensions) = view.plots[*plot].lag(&track.moments());
        if squared < OUTLIER_SQUARED * dimensions {
            total.lag += lag.scaled(view.share);
            total.others.extend(vouching(track, view));
        }
    }
    total
}

/// Whether the track moves surely enough, and another sensor says where it is.
fn tells_time(track: &Bernoulli, view: &View<'_>) -> bool {
    if track.existence < SURE_EXISTENCE || track.is_ambiguous() {
        return false;
    }
    if vouching(track, view).next().is_none() {
        return false;
    }
    let state = track.moments();
    let speed = state.velocity().norm();
    let sd = libm::sqrt(0.5 * state.velocity_covariance().trace());
    speed > SLOWEST_MPS && speed > MOVING_SD * sd
}

/// The other sensors that have seen the track lately.
fn vouching<'a>(track: &'a Bernoulli, view: &View<'_>) -> impl Iterator<Item = usize> + 'a {
    let (sensor, time) = (view.sensor, view.time);
    let recent =
        move |record: &&Contribution| record.sensor != sensor && time.seconds_since(record.time).abs() < VOUCHES_FOR_S;
    track.records.as_slice().iter().filter(recent).map(|record| record.sensor)
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};
    use proptest::prelude::*;

    use super::*;
    use crate::detection::Measurement;
    use crate::gaussian::Gaussian;
    use crate::measure::fixture::{plot_of, sensor};
    use crate::sensor::{Coverage, SensorKind};

    /// A plot that trails its track by 0.4 s of walking says that the clock is 0.4 s ahead, if it is believed.
    #[test]
    fn a_trailing_plot_means_a_clock_ahead() {
        let radar = sensor(SensorKind::Radar, Coverage::Circle { radius_m: 500.0 });
        let velocity = Vector2::new(1.5, -0.5);
        let state = Gaussian::new(Vector2::new(100.0, 50.0), Matrix2::identity(), velocity, Matrix2::identity() * 0.01);
        let measurement =
            Measurement::Position { position_m: state.position() - velocity * 0.4, covariance_m2: Matrix2::identity() };
        let (lag, _, _) = plot_of(measurement, &radar).lag(&state);
        assert!((lag.score / lag.information - 0.4).abs() < 1e-9);
    }

    #[test]
    fn a_little_evidence_moves_a_little_and_much_moves_all_the_way() {
        let mut clock = ClockOffset::default();
        for second in 0..1_000 {
            let missing_s = 0.5 - clock.mean_s();
            let information = 0.5;
            clock.learn(Timestamp::from_seconds(second), Evidence { information, score: information * missing_s });
            if second == 1 {
                assert!(clock.mean_s() < 0.03);
            }
        }
        assert!((clock.mean_s() - 0.5).abs() < 0.05, "{}", clock.mean_s());
    }

    proptest! {
        #[test]
        fn the_estimate_is_bounded(lags in prop::collection::vec((0.0..1e6_f64, -1e9..1e9_f64), 1..20)) {
            let mut clock = ClockOffset::default();
            for (second, (information, score)) in (0..).zip(lags) {
                clock.learn(Timestamp::from_seconds(second), Evidence { information, score });
                prop_assert!(clock.mean_s().abs() <= MOST_S);
                prop_assert!(clock.sd_s() > 0.0 && clock.sd_s() <= PRIOR_SD_S);
            }
        }
    }
}

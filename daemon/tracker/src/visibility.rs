//! Whether a sensor sees an object at all: an object in a sensor's coverage may stay hidden from it for a while, behind
//! another object, at an unlucky aspect, in a blind sector of a moving platform.
//!
//! For each track and sensor a two-state Markov chain, visible or hidden, is estimated along with the track. Misses
//! in a row then say "hidden from this sensor" rather than "gone", so that a sensor of short range does not end what
//! only another sees (after Brekke, Hem and Tokle, IEEE Journal of Oceanic Engineering 46(4), 2021).

use serde::{Deserialize, Serialize};

use crate::config::TrackerConfig;
use crate::time::Timestamp;

/// Neither state is ever certain: the chain must find its way back.
const LEAST: f64 = 0.02;

/// Probability that a track is visible to the sensor that has just begun it.
const VISIBLE_AT_BIRTH: f64 = 0.95;

/// A probability that only a detection brings about.
const SEEN: f64 = 0.9;

/// What is known of one sensor's view of one track.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Visible {
    sensor: usize,
    time: Timestamp,
    probability: f64,
}

/// The chains of one track, by sensor; sensors that never had a chance to see it are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Visibility(Vec<Visible>);

impl Visibility {
    /// That of a track that `sensor` has just begun.
    pub(crate) fn born(config: &TrackerConfig, sensor: usize, time: Timestamp) -> Self {
        if config.visibility_dwell_s <= 0.0 {
            return Self::default();
        }
        Self(vec![Visible { sensor, time, probability: VISIBLE_AT_BIRTH }])
    }

    /// Probability that the sensor sees the track at this time. One when objects in coverage are never hidden.
    pub(crate) fn probability(&self, config: &TrackerConfig, sensor: usize, time: Timestamp) -> f64 {
        if config.visibility_dwell_s <= 0.0 {
            return 1.0;
        }
        let known = self.0.binary_search_by_key(&sensor, |visible| visible.sensor);
        known.map_or(config.visible_share, |place| {
            let last = &self.0[place];
            let kept = libm::exp(-time.seconds_since(last.time).max(0.0) / config.visibility_dwell_s);
            config.visible_share + (last.probability - config.visible_share) * kept
        })
    }

    /// Whether one of these sensors sees the track now.
    pub(crate) fn is_seen_by(&self, any_of: impl Fn(usize) -> bool) -> bool {
        self.0.iter().any(|visible| any_of(visible.sensor) && visible.probability > SEEN)
    }

    /// Takes in one scan: the track was visible with probability `prior`, it was missed with probability `missed` if it
    /// exists, and a visible one is missed with probability `missed_if_visible`. `share` below one makes less of it.
    pub(crate) fn learn(&mut self, sensor: usize, time: Timestamp, scan: &Look) {
        let missed_anyway = 1.0 - scan.prior + scan.prior * scan.missed_if_visible;
        let after_miss = scan.prior * scan.missed_if_visible / missed_anyway.max(f64::MIN_POSITIVE);
        let posterior = scan.missed * after_miss + (1.0 - scan.missed);
        let probability = (scan.prior + (posterior - scan.prior) * scan.share).clamp(LEAST, 1.0 - LEAST);
        let visible = Visible { sensor, time, probability };
        match self.0.binary_search_by_key(&sensor, |visible| visible.sensor) {
            Ok(place) => self.0[place] = visible,
            Err(place) => self.0.insert(place, visible),
        }
    }
}

/// One scan's evidence about the visibility of one track.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Probability of being visible, before the scan.
    pub(crate) prior: f64,
    /// Probability that the object, if it exists, has no plot in the scan.
    pub(crate) missed: f64,
    /// Probability that a visible object has no plot.
    pub(crate) missed_if_visible: f64,
    /// Part of an independent look that the scan is worth.
    pub(crate) share: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config() -> TrackerConfig {
        TrackerConfig { visibility_dwell_s: 30.0, visible_share: 0.7, ..TrackerConfig::default() }
    }

    fn look(prior: f64, missed: f64) -> Look {
        Look { prior, missed, missed_if_visible: 0.1, share: 1.0 }
    }

    #[test]
    fn misses_hide_and_one_detection_shows_again() {
        let config = config();
        let mut visibility = Visibility::born(&config, 2, Timestamp::from_seconds(0));
        for second in 1..6 {
            let time = Timestamp::from_seconds(second);
            visibility.learn(2, time, &look(visibility.probability(&config, 2, time), 1.0));
        }
        let time = Timestamp::from_seconds(6);
        assert!(visibility.probability(&config, 2, time) < 0.1);
        visibility.learn(2, time, &look(visibility.probability(&config, 2, time), 0.0));
        assert!(visibility.probability(&config, 2, time) > 0.9);
        assert!((visibility.probability(&config, 1, time) - 0.7).abs() < 1e-12, "another sensor's view is its own");
    }

    #[test]
    fn a_hidden_object_comes_back_with_time() {
        let config = config();
        let mut visibility = Visibility::default();
        visibility.learn(0, Timestamp::from_seconds(0), &look(0.02, 1.0));
        let later = visibility.probability(&config, 0, Timestamp::from_seconds(300));
        assert!((later - config.visible_share).abs() < 1e-3);
    }

    #[test]
    fn without_a_dwell_time_everything_is_visible() {
        let config = TrackerConfig::default();
        let visibility = Visibility::born(&config, 0, Timestamp::from_seconds(0));
        assert!((visibility.probability(&config, 0, Timestamp::from_seconds(9)) - 1.0).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn the_posterior_is_a_probability_and_moves_the_right_way(
            prior in 0.02..0.98_f64, missed in 0.0..=1.0_f64, missed_if_visible in 0.0..=1.0_f64, share in 0.0..=1.0_f64,
        ) {
            let mut visibility = Visibility::default();
            let time = Timestamp::from_seconds(1);
            visibility.learn(0, time, &Look { prior, missed, missed_if_visible, share });
            let posterior = visibility.probability(&config(), 0, time);
            prop_assert!((LEAST..=1.0 - LEAST).contains(&posterior));
            if missed >= 1.0 {
                prop_assert!(posterior <= prior + 1e-12);
            }
            if missed <= 0.0 {
                prop_assert!(posterior >= prior - 1e-12);
            }
        }
    }
}

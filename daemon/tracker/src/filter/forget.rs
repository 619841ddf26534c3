//! Which tracks are kept.

use super::Filter;
use crate::bernoulli::Bernoulli;
use crate::config::TrackerConfig;

impl Filter {
    /// Drops the tracks that a scan has made too unlikely. Of the others it says nothing, so that a sensor far away does not
    /// decide when they end. `touched`: ascending.
    pub(super) fn forget_touched(&mut self, config: &TrackerConfig, touched: &[usize]) {
        let mut touched = touched.iter().peekable();
        let mut place = 0;
        self.tracks.retain(|track| {
            let is_touched = touched.next_if(|touched| **touched == place).is_some();
            place += 1;
            !is_touched || track.existence_of_all() > track.forgotten_below(config)
        });
    }

    /// Drops the least likely tracks beyond the bound.
    pub(super) fn bound(&mut self, config: &TrackerConfig) {
        if self.tracks.len() > config.max_tracks {
            let existence: Vec<f64> = self.tracks.iter().map(Bernoulli::existence_of_all).collect();
            let mut kept = likeliest(&existence, config.max_tracks).into_iter();
            self.tracks.retain(|_| kept.next().unwrap_or(false));
        }
    }
}

/// Which are the `count` greatest. All that is proven is equally likely: of those the first come first, which are the older
/// ones.
fn likeliest(existence: &[f64], count: usize) -> Vec<bool> {
    let mut ranked: Vec<usize> = (0..existence.len()).collect();
    ranked.sort_by(|a, b| existence[*b].total_cmp(&existence[*a]));
    let mut kept = vec![false; existence.len()];
    ranked.into_iter().take(count).for_each(|track| kept[track] = true);
    kept
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};

    use super::*;
    use crate::measure::fixture::sensor;
    use crate::{Coverage, Detection, Measurement, Scan, SensorKind, Timestamp, TrackStatus, Tracker};

    /// Proven tracks are all equally sure: of more than the bound none may push out the others.
    #[test]
    fn a_field_of_more_objects_than_the_bound_keeps_the_bounds_number() {
        let radar = sensor(SensorKind::Radar, Coverage::Circle { radius_m: 5_000.0 });
        let config = TrackerConfig { max_tracks: 10, ..TrackerConfig::default() };
        let mut tracker = Tracker::new(config, vec![radar]).expect("a valid model");
        let plots: Vec<Detection> = (0..30)
            .map(|place| Detection {
                measurement: Measurement::Position {
                    position_m: Vector2::new(-1_500.0 + 100.0 * f64::from(place), 0.0),
                    covariance_m2: Matrix2::identity(),
                },
                class: None,
                confidence: None,
                object: None,
            })
            .collect();
        for second in 0..20 {
            let time = Timestamp::from_seconds(second);
            tracker.step(&Scan { sensor: 0, time, at: None, detections: plots.clone() });
        }
        let tracks = tracker.tracks_at(Timestamp::from_seconds(19));
        assert_eq!(tracks.iter().filter(|track| track.status == TrackStatus::Confirmed).count(), 10);
    }

    #[test]
    fn as_many_are_kept_as_the_bound_says_and_of_equals_the_first() {
        assert_eq!(likeliest(&[0.5, 0.9, 0.9, 0.1, 0.9], 2), [false, true, true, false, false]);
        assert_eq!(likeliest(&[0.5, 0.9, 0.1], 2), [true, true, false]);
        assert_eq!(likeliest(&[0.5; 4], 3), [true, true, true, false]);
    }
}

//! When a track is confirmed, and when it is tentative again.

use smallvec::SmallVec;

use super::{Filter, Models};
use crate::bernoulli::Label;
use crate::fixture::Mooring;

/// What only one plot speaks for rests on the rate of arrivals, which is a guess at first: it must be likelier than this
/// to be confirmed.
const SURE_AT_ONCE: f64 = 0.65;

/// A track this sure has proved to be an object.
const PROVEN_EXISTENCE: f64 = 0.99;

impl Filter {
    /// Tracks become confirmed and tentative again, with a margin between.
    pub(super) fn confirm(&mut self, models: Models<'_>) {
        let config = models.config;
        let mut arrivals: SmallVec<[(Label, f64); 4]> = SmallVec::new();
        for track in &mut self.tracks {
            if track.existence >= PROVEN_EXISTENCE
                && let Some(companionship) = track.companionship.take()
            {
                arrivals.push((track.label, companionship));
            }
            let is_newborn = track.last_seen == track.label.time;
            let sure = if is_newborn { config.confirm_existence.max(SURE_AT_ONCE) } else { config.confirm_existence };
            if track.existence >= sure {
                track.confirmed = true;
            } else if track.existence < track.doubted_below(config) {
                track.confirmed = false;
            }
            if config.fixture_after_s > 0.0 && track.confirmed {
                let (time, state) = (track.time, track.moments());
                let mooring = track.mooring.get_or_insert_with(|| Mooring::new(time, &state));
                mooring.watch(time, &state, config.fixture_after_s);
            }
        }
        for (label, companionship) in arrivals {
            self.note_arrival(models, label, companionship);
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};

    use crate::measure::fixture::sensor;
    use crate::{
        Coverage, Detection, Measurement, Scan, SensorKind, SensorModel, Timestamp, TrackStatus, Tracker, TrackerConfig,
    };

    /// The silence of a footprint has made a track tentative; a camera that looks, and sees nothing, splits it into several
    /// places, for which less is asked of a confirmed track.
    #[test]
    fn who_sees_nothing_confirms_nobody() {
        let scans = |kind: SensorKind, detection_probability: f64| SensorModel {
            scan_period_s: Some(1.0),
            detection_probability,
            ..sensor(kind, Coverage::Circle { radius_m: 500.0 })
        };
        let footprint = sensor(SensorKind::Pir, Coverage::Circle { radius_m: 200.0 });
        let detector = SensorModel { detection_probability: 0.3, ..footprint };
        let sensors = vec![scans(SensorKind::Radar, 0.9), detector, scans(SensorKind::Camera, 0.05)];
        let mut tracker = Tracker::new(TrackerConfig::default(), sensors).expect("valid models");
        let covariance_m2 = Matrix2::identity() * 900.0;
        let measurement = Measurement::Position { position_m: Vector2::new(5.0, 5.0), covariance_m2 };
        let plot = Detection { measurement, class: None, confidence: None, object: None };
        let scan = |sensor: usize, second: i64, detections: Vec<Detection>| Scan {
            sensor,
            time: Timestamp::from_seconds(second),
            at: None,
            detections,
        };
        (1..=10).for_each(|second| tracker.step(&scan(0, second, vec![plot])));
        let is_told = |tracker: &Tracker, second: i64| {
            let tracks = tracker.tracks_at(Timestamp::from_seconds(second));
            tracks.iter().any(|track| track.status == TrackStatus::Confirmed)
        };
        assert!(is_told(&tracker, 10));
        let doubted = (11..60).find(|second| {
            tracker.advance(Timestamp::from_seconds(*second));
            !is_told(&tracker, *second)
        });
        let doubted = doubted.expect("silence speaks against it");
        tracker.step(&scan(2, doubted, Vec::new()));
        assert!(!is_told(&tracker, doubted), "{:?}", tracker.tracks_at(Timestamp::from_seconds(doubted)));
    }
}

//! Who walks where no sensor sees: believed in for a while in a gap between sensors, not beyond all of them.

mod field;

use field::{Noise, position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Coverage, Scan, SensorModel, Timestamp, TrackStatus, Tracker, TrackerConfig};

const RADIUS_M: f64 = 200.0;
const APART_M: f64 = 600.0;

/// Of two round radars with a gap between them: whether who walks north out of the first one's eastern rim into the gap is
/// still believed in so many seconds later.
fn is_believed_after(seconds: u32) -> bool {
    let round = |id: &str, east_m: f64| SensorModel {
        position_m: Vector2::new(east_m, 0.0),
        coverage: Coverage::Circle { radius_m: RADIUS_M },
        ..radar(id, 0.0)
    };
    let mut tracker =
        Tracker::new(TrackerConfig::default(), vec![round("west", 0.0), round("east", APART_M)]).expect("valid models");
    let mut noise = Noise::new(5);
    let mut last = Timestamp::MIN;
    let leaves_at = 50;
    for second in 1..=leaves_at + seconds {
        let place = Vector2::new(196.0, -35.0 + 1.5 * f64::from(second));
        let seen = place.norm() < RADIUS_M;
        let plot = position(place.x + noise.normal(), place.y + noise.normal(), 1.0);
        tracker.step(&scan(second, if seen { vec![plot] } else { Vec::new() }));
        tracker.step(&Scan { sensor: 1, ..scan(second, Vec::new()) });
        last = Timestamp::from_seconds(i64::from(second));
    }
    tracker.tracks_at(last).iter().any(|track| track.status == TrackStatus::Confirmed)
}

#[test]
fn who_walks_into_a_gap_is_still_there() {
    assert!(is_believed_after(60));
}

#[test]
fn who_walks_out_of_the_watched_ground_is_gone() {
    assert!(!is_believed_after(160));
}

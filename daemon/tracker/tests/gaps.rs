//! Who walks where no sensor sees: believed in for a while in a gap between sensors, not beyond all of them.

mod field;

use field::{Noise, confirmed, position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Coverage, Scan, SensorModel, Tracker, TrackerConfig};

const RADIUS_M: f64 = 200.0;
const APART_M: f64 = 600.0;

/// Of two round radars with a gap between them: whether who walks out of the western one, and towards neither, is still
/// believed in twenty seconds after the last plot.
fn is_believed_after_leaving(start: Vector2<f64>, velocity: Vector2<f64>) -> bool {
    let round = |id: &str, east_m: f64| SensorModel {
        position_m: Vector2::new(east_m, 0.0),
        coverage: Coverage::Circle { radius_m: RADIUS_M },
        ..radar(id, 0.0)
    };
    let mut tracker =
        Tracker::new(TrackerConfig::default(), vec![round("west", 0.0), round("east", APART_M)]).expect("valid models");
    let mut noise = Noise::new(5);
    let (mut second, mut unseen) = (0, 0);
    while unseen < 20 {
        second += 1;
        let place = start + velocity * f64::from(second);
        let seen = place.norm() < RADIUS_M;
        unseen += u32::from(!seen);
        let plot = position(place.x + noise.normal(), place.y + noise.normal(), 1.0);
        tracker.step(&scan(second, if seen { vec![plot] } else { Vec::new() }));
        tracker.step(&Scan { sensor: 1, ..scan(second, Vec::new()) });
    }
    !confirmed(&tracker, second).is_empty()
}

#[test]
fn who_walks_into_a_gap_is_still_there() {
    assert!(is_believed_after_leaving(Vector2::new(0.0, 100.0), Vector2::new(1.5, 0.35)));
}

#[test]
fn who_walks_out_of_the_watched_ground_is_gone() {
    assert!(!is_believed_after_leaving(Vector2::new(0.0, 100.0), Vector2::new(-1.5, 0.35)));
}

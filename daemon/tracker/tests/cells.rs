//! A sensor that is not the same everywhere: ground in a shadow.

mod field;

use field::{Noise, confirmed, position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Clutter, SensorModel, Tracker, TrackerConfig};

fn tracker(model: SensorModel) -> Tracker {
    Tracker::new(TrackerConfig::default(), vec![model]).expect("a valid model")
}

/// Two cells deep, for the cells of a radar of this size.
const SHADOW_M: f64 = 62.5;

/// Somebody walks north at 1.2 m/s every 125 s through a strip in which nothing is ever seen. Gives for each whether the
/// track that went in came out again under its number.
fn survivors(walkers: usize) -> Vec<bool> {
    let mut noise = Noise::new(3);
    let mut tracker = tracker(SensorModel { clutter: Clutter::PerScan(2.0), ..radar("radar", 0.0) });
    let mut survived = Vec::new();
    let mut second = 0;
    for _ in 0..walkers {
        let east = 15.0;
        let mut before = None;
        for step in 0..125 {
            second += 1;
            let place = Vector2::new(east, -50.0 + 1.2 * f64::from(step));
            let shadowed = place.y > 0.0 && place.y < SHADOW_M;
            let mut plots = Vec::new();
            if !shadowed && noise.uniform() < 0.9 {
                plots.push(position(place.x + 2.0 * noise.normal(), place.y + 2.0 * noise.normal(), 2.0));
            }
            for _ in 0..2 {
                plots.push(position(4000.0 * (noise.uniform() - 0.5), 4000.0 * (noise.uniform() - 0.5), 2.0));
            }
            tracker.step(&scan(second, plots));
            let tracks = confirmed(&tracker, second);
            let own = tracks.iter().find(|track| (track.position_m - place).norm() < 25.0).map(|track| track.id);
            if step == 40 {
                before = own;
            }
            if step == 115 {
                survived.push(own.is_some() && own == before);
            }
        }
    }
    survived
}

#[test]
fn a_shadow_is_learned_and_no_longer_ends_tracks() {
    let survived = survivors(30);
    let first: usize = survived[..4].iter().map(|survived| usize::from(*survived)).sum();
    assert!(first <= 1, "the shadow is too short to tell: {survived:?}");
    let last: usize = survived[20..].iter().map(|survived| usize::from(*survived)).sum();
    println!("{survived:?}");
    assert!(last >= 8, "{last} of the last ten came through: {survived:?}");
}

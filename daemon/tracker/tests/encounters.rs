//! Encounters: people who walk close together keep their names.

mod field;

use field::{Noise, position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{SensorModel, Timestamp, Tracker, TrackerConfig};

const SD_M: f64 = 4.0;

fn finer_radar() -> SensorModel {
    SensorModel { position_sd_m: SD_M, ..radar("radar", 0.0) }
}

/// The numbers of the confirmed tracks nearest to two places, when there is one within 10 m of each.
fn names(tracker: &Tracker, second: u32, places: [Vector2<f64>; 2]) -> Option<[u64; 2]> {
    let tracks = tracker.tracks_at(Timestamp::from_seconds(i64::from(second)));
    let name = |place: Vector2<f64>| {
        let distance = |track: &&vedette_tracker::Track| (track.position_m - place).norm();
        let nearest = tracks.iter().filter(|track| track.existence > 0.5);
        nearest
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            .filter(|track| distance(track) < 10.0)
            .map(|t| t.id.0)
    };
    Some([name(places[0])?, name(places[1])?])
}

/// Two people cross at an angle so small that they are within 6 m of each other for some 15 s. Whether each kept the
/// name it had.
fn kept_their_names(seed: u64) -> bool {
    let mut noise = Noise::new(seed);
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![finer_radar()]).expect("a valid model");
    let places = |second: u32| {
        let t = f64::from(second) - 60.0;
        [Vector2::new(1.3 * t, 0.4 * t), Vector2::new(1.3 * t, -0.4 * t)]
    };
    let mut before = None;
    for second in 1..=120 {
        let mut plots = Vec::new();
        for place in places(second) {
            let error = Vector2::new(noise.normal(), noise.normal()) * SD_M;
            if noise.uniform() < 0.9 {
                plots.push(position(place.x + error.x, place.y + error.y, SD_M));
            }
        }
        tracker.step(&scan(second, plots));
        if second == 25 {
            before = names(&tracker, second, places(second));
        }
    }
    before.is_some() && before == names(&tracker, 120, places(120))
}

#[test]
fn who_crosses_at_a_small_angle_mostly_keeps_the_name() {
    let kept = (1..=60).filter(|seed| kept_their_names(*seed)).count();
    assert!(kept >= 53, "{kept} of 60 encounters left both with their names");
}

//! Late scans: filtered again at their own time they give what scans in order give.

mod field;

use field::{position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Scan, Timestamp, Track, Tracker, TrackerConfig};

/// Two walkers, seen every second with an error that repeats itself.
fn scans(seconds: u32) -> Vec<Scan> {
    let at = |second: u32| {
        let t = f64::from(second);
        let wobble = 3.0 * libm::sin(t * 2.4);
        vec![position(1.4 * t + wobble, 100.0 - wobble, 5.0), position(-600.0 + wobble, -1.2 * t - wobble, 5.0)]
    };
    (1..=seconds).map(|second| scan(second, at(second))).collect()
}

fn run(order: impl Iterator<Item = Scan>) -> Tracker {
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![radar("radar", 0.0)]).expect("a valid model");
    for scan in order {
        tracker.step(&scan);
    }
    tracker
}

fn places(tracks: &[Track]) -> Vec<(u64, Vector2<f64>)> {
    tracks.iter().filter(|track| track.existence > 0.5).map(|track| (track.id.0, track.position_m)).collect()
}

#[test]
fn a_scan_two_seconds_late_gives_the_same_tracks_as_in_order() {
    let in_order = scans(30);
    let mut late = in_order.clone();
    // The first late scan only wakes the log up; the second is filtered again.
    for place in [5, 20] {
        let scan = late.remove(place);
        late.insert(place + 2, scan);
    }
    let end = Timestamp::from_seconds(30);
    let expected = places(&run(in_order.into_iter()).tracks_at(end));
    let tracker = run(late.into_iter());
    let got = places(&tracker.tracks_at(end));
    assert_eq!(expected.len(), 2);
    assert_eq!(got.len(), 2);
    for ((id, place), (late_id, late_place)) in expected.iter().zip(&got) {
        assert_eq!(id, late_id);
        assert!((place - late_place).norm() < 0.2, "{place} in order, {late_place} with late scans");
    }
    assert_eq!(tracker.late_scans().refiltered, 1);
    assert_eq!(tracker.late_scans().out_of_sequence, 1);
}

#[test]
fn a_scan_beyond_the_lag_changes_nothing() {
    let mut tracker = run(scans(40).into_iter());
    let before = serde_json::to_string(&tracker.tracks_at(Timestamp::from_seconds(40))).unwrap();
    tracker.step(&scans(1)[0]);
    assert_eq!(serde_json::to_string(&tracker.tracks_at(Timestamp::from_seconds(40))).unwrap(), before);
    assert_eq!(tracker.late_scans().too_late, 1);
}

/// A radar whose scans all arrive two seconds late beside one that is in time.
#[test]
fn a_sensor_that_is_always_late_is_filtered_at_its_own_time() {
    let two = vec![radar("in time", 0.0), radar("late", 0.0)];
    let in_order = scans(60);
    let second = |number: usize, sensor: usize| Scan { sensor, ..in_order[number].clone() };
    let run = |lag: usize| {
        let mut tracker = Tracker::new(TrackerConfig::default(), two.clone()).expect("a valid model");
        for number in 0..in_order.len() + lag {
            if number < in_order.len() {
                tracker.step(&second(number, 0));
            }
            if let Some(number) = number.checked_sub(lag) {
                tracker.step(&second(number, 1));
            }
        }
        tracker
    };
    let end = Timestamp::from_seconds(60);
    let expected = places(&run(0).tracks_at(end));
    let tracker = run(2);
    let got = places(&tracker.tracks_at(end));
    assert_eq!(expected.len(), 2);
    assert_eq!(got.len(), 2);
    for ((_, place), (_, late_place)) in expected.iter().zip(&got) {
        assert!((place - late_place).norm() < 0.2, "{place} in order, {late_place} with late scans");
    }
    let late = tracker.late_scans();
    assert!(late.out_of_sequence <= 5, "{late:?}");
    assert_eq!(late.refiltered + late.out_of_sequence, 59, "the last is as old as the present");
}

//! Late scans: filtered again at their own time they give what scans in order give.

mod field;

use field::{Noise, position, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Clutter, Scan, SensorModel, Timestamp, Track, Tracker, TrackerConfig};

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

/// What a late radar's scans say about it is learned as if they came in time: it is wrong ten times a scan where one
/// hundredth was configured, and sees three in four where nine in ten were.
#[test]
fn a_sensor_that_is_always_late_teaches_what_it_is_worth() {
    let poor = SensorModel { clutter: Clutter::PerScan(0.01), ..radar("poor", 0.0) };
    let models = vec![radar("in time", 0.0), poor];
    let learned = |lag_s: u32| {
        let mut noise = Noise::new(7);
        let mut tracker = Tracker::new(TrackerConfig::default(), models.clone()).expect("a valid model");
        let walkers = scans(150);
        let mut looks: Vec<(u32, Scan)> = Vec::new();
        for (second, truth) in (1..).zip(&walkers) {
            let mut seen = truth.detections.clone();
            seen.retain(|_| noise.uniform() < 0.75);
            let anywhere = |noise: &mut Noise| 4_000.0 * noise.uniform() - 2_000.0;
            seen.extend((0..10).map(|_| position(anywhere(&mut noise), anywhere(&mut noise), 5.0)));
            looks.push((2 * second, truth.clone()));
            looks.push((2 * (second + lag_s) + 1, Scan { sensor: 1, detections: seen, ..scan(second, Vec::new()) }));
        }
        looks.sort_by_key(|(arrival, _)| *arrival);
        looks.iter().for_each(|(_, look)| tracker.step(look));
        tracker.sensor_estimates().nth(1).expect("two sensors")
    };
    let (in_time, late) = (learned(0), learned(2));
    assert!(in_time.clutter > 5.0, "{in_time:?}");
    assert!((late.clutter / in_time.clutter - 1.0).abs() < 0.1, "{in_time:?} in time, {late:?} late");
    assert!(in_time.detection_probability < 0.86, "{in_time:?}");
    assert!((late.detection_probability - in_time.detection_probability).abs() < 0.02, "{in_time:?}, {late:?}");
}

/// Of a sensor that is always late and says nothing when it sees nothing, silence is not taken for that too soon.
#[test]
fn a_late_scan_is_not_taken_for_an_absent_one() {
    let quiet = SensorModel { reports_empty_scans: false, detection_probability: 0.98, ..radar("late", 0.0) };
    let blind = SensorModel { detection_probability: 0.05, ..radar("in time", 0.0) };
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![blind, quiet]).expect("a valid model");
    let walkers = scans(60);
    let mut doubted = 0;
    for second in 1..=60_u32 {
        tracker.step(&scan(second, Vec::new()));
        if second > 4 {
            tracker.step(&Scan { sensor: 1, ..walkers[second as usize - 5].clone() });
        }
        let tracks = tracker.tracks_at(Timestamp::from_seconds(i64::from(second)));
        if second > 20 && tracks.iter().filter(|track| track.existence > 0.5).count() < 2 {
            doubted += 1;
        }
    }
    assert_eq!(doubted, 0, "of 40 seconds");
}

/// Two messages of one look, each with somebody new: filtering one's surroundings again leaves the other alone.
#[test]
fn parts_of_one_look_begin_tracks_of_their_own() {
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![radar("radar", 0.0)]).expect("a valid model");
    let part = |second: u32, east_m: f64| scan(second, vec![position(east_m, 1.4 * f64::from(second), 2.0)]);
    for second in 1..=20 {
        if second != 15 && second != 18 {
            tracker.step(&part(second, 0.0));
        }
        tracker.step(&part(second, 1_500.0));
        // The first late scan only wakes the log up; the second is filtered again.
        if second == 16 || second == 20 {
            tracker.step(&part(if second == 16 { 15 } else { 18 }, 0.0));
        }
    }
    assert_eq!(tracker.late_scans().refiltered, 1);
    let tracks = tracker.tracks_at(Timestamp::from_seconds(20));
    assert_eq!(tracks.iter().filter(|track| track.existence > 0.5).count(), 2, "{tracks:?}");
}

/// Two radars at one place, and what a scan that is late by 15 s says when it is applied out of sequence.
/// Tracks `after_s` later, without and with it.
fn late_beside(second: u32, after_s: u32, late: Scan, in_time: impl Fn(u32) -> Scan) -> [Vec<Track>; 2] {
    let mut tracker =
        Tracker::new(TrackerConfig::default(), vec![radar("in time", 0.0), radar("late", 0.0)]).expect("a valid model");
    (1..=second).for_each(|second| tracker.step(&in_time(second)));
    let end = Timestamp::from_seconds(i64::from(second + after_s));
    let follow = |mut tracker: Tracker| {
        (second + 1..=second + after_s).for_each(|second| tracker.step(&in_time(second)));
        tracker.tracks_at(end)
    };
    let without = follow(tracker.clone());
    tracker.step(&Scan { sensor: 1, ..late });
    assert_eq!(tracker.late_scans().out_of_sequence, 1);
    [without, follow(tracker)]
}

/// That a radar did not see somebody before anybody did says nothing against him.
#[test]
fn a_late_scan_says_nothing_against_who_has_come_since() {
    let newcomer = |second: u32| {
        scan(second, if second >= 20 { vec![position(0.0, 1.4 * f64::from(second), 5.0)] } else { Vec::new() })
    };
    let late = scan(7, vec![position(1_500.0, 1_500.0, 5.0)]);
    let [without, with] = late_beside(21, 0, late, newcomer);
    let existence = |tracks: &[Track]| {
        let near = tracks.iter().filter(|track| track.position_m.norm() < 200.0);
        near.map(|track| track.existence).sum::<f64>()
    };
    let (without, with) = (existence(&without), existence(&with));
    assert!(without > 0.0 && with > 0.99 * without, "{with} with the late scan, {without} without");
}

/// Who has left is not brought back by a plot from before he left, and where he was then does not say where he is.
#[test]
fn a_late_plot_does_not_bring_back_who_has_left() {
    // Over the edge of the field in second 30, at 3 m/s.
    let north_m = |second: u32| 2_000.0 - 3.0 * (30.0 - f64::from(second));
    let leaver =
        |second: u32| scan(second, if second < 30 { vec![position(0.0, north_m(second), 5.0)] } else { Vec::new() });
    let late = scan(18, vec![position(0.0, north_m(18), 5.0)]);
    let [without, with] = late_beside(33, 1, late, leaver);
    let existence = |tracks: &[Track]| tracks.iter().map(|track| track.existence).sum::<f64>();
    let (without, with) = (existence(&without), existence(&with));
    assert!(without < 0.5 && with < 1.01 * without, "{with} with the late plot, {without} without");
}

/// Two late scans at once: there is a pass for the first, and the second need not wait for a third.
#[test]
fn what_waits_for_a_pass_is_filtered_with_the_next_scan() {
    let in_order = scans(30);
    let mut late = in_order.clone();
    // The first late scan only wakes the log up: where anybody is, it does not say.
    for (place, behind) in [(1, 2), (18, 7), (18, 7)] {
        let scan = late.remove(place);
        late.insert(place + behind, scan);
    }
    let expected = run(in_order[..28].iter().filter(|scan| scan.time != in_order[1].time).cloned());
    let tracker = run(late[..28].iter().cloned());
    let late = tracker.late_scans();
    assert_eq!((late.refiltered, late.out_of_sequence), (1, 2));
    let end = Timestamp::from_seconds(28);
    let (expected, got) = (places(&expected.tracks_at(end)), places(&tracker.tracks_at(end)));
    assert_eq!((expected.len(), got.len()), (2, 2));
    for ((_, place), (_, late_place)) in expected.iter().zip(&got) {
        assert!((place - late_place).norm() < 0.02, "{place} in order, {late_place} with late scans");
    }
}

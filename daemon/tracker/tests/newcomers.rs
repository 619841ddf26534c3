//! Who is new: for sensors that drive off their field, for footprints wherever they lie, and beside scans that come late.

mod field;

use field::{Noise, confirmed, pir, position, presence, radar, scan};
use nalgebra::Vector2;
use vedette_tracker::{Clutter, Coverage, Detection, Pose, Scan, SensorModel, Timestamp, Tracker, TrackerConfig};

/// A radar on a vehicle that stands five kilometres from where it is configured, or drives there.
fn false_tracks(start_m: f64, speed_mps: f64) -> f64 {
    let model = SensorModel { mobile: true, coverage: Coverage::Circle { radius_m: 500.0 }, ..radar("mobile", 0.0) };
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![model]).expect("a valid model");
    let mut noise = Noise::new(3);
    let mut false_ones = 0.0;
    for second in 1..=200_u32 {
        let east_m = start_m + speed_mps * f64::from(second);
        let pose = Pose { position_m: Vector2::new(east_m, 0.0), heading_rad: None, sd_m: 1.0 };
        let mut plots: Vec<Detection> = Vec::new();
        for walker in 0..4_u32 {
            let north_m = -300.0 + 150.0 * f64::from(walker) + 1.3 * f64::from(second);
            if noise.uniform() < 0.9 {
                plots.push(position(east_m + 2.0 * noise.normal(), north_m + 2.0 * noise.normal(), 5.0));
            }
        }
        for _ in 0..5 {
            let anywhere = |noise: &mut Noise| 900.0 * (noise.uniform() - 0.5);
            plots.push(position(east_m + anywhere(&mut noise), anywhere(&mut noise), 5.0));
        }
        tracker.step(&Scan { at: Some(pose), ..scan(second, plots) });
        if second > 100 {
            false_ones += (confirmed(&tracker, second).len() as f64 - 4.0).max(0.0) / 100.0;
        }
    }
    false_ones
}

#[test]
fn a_mobile_radar_far_from_where_it_was_configured_sees_no_more_than_there_is() {
    let at_home = false_tracks(0.0, 0.0);
    for (start_m, speed_mps) in [(5_000.0, 0.0), (0.0, 10.0)] {
        let away = false_tracks(start_m, speed_mps);
        assert!(away < at_home + 1.0, "{away} a scan from {start_m} m at {speed_mps} m/s, {at_home} at home");
    }
}

/// A detector's second report in a row is somebody, whatever lies how on the grid.
#[test]
fn whether_two_reports_of_a_footprint_are_believed_does_not_depend_on_a_distant_detector() {
    let report = |sensor: usize, second: u32| Scan { sensor, ..scan(second, vec![presence()]) };
    let existence = |distant_m: f64| {
        let in_row = (0..21).map(|number| pir("pir", 40.0 * f64::from(number) - 400.0, 0.0, 1.0));
        let models = in_row.chain([pir("pir", 0.0, -distant_m, 1.0)]).collect();
        let mut tracker = Tracker::new(TrackerConfig::default(), models).expect("valid models");
        for minute in 0..15 {
            tracker.step(&scan(60 * minute, Vec::new()));
        }
        tracker.step(&report(10, 905));
        tracker.step(&report(10, 911));
        let tracks = tracker.tracks_at(Timestamp::from_seconds(911));
        let of_it = tracks.iter().filter(|track| track.contributions.iter().any(|report| report.sensor == 10));
        of_it.map(|track| track.existence).fold(0.0, f64::max)
    };
    let all: Vec<f64> = (0..20).map(|step| existence(120.0 + 9.0 * f64::from(step))).collect();
    assert!(all.iter().all(|existence| *existence > 0.9), "{all:.2?}");
}

/// Somebody who appears while half of the scans come late is found as if they were not there, and keeps one number.
#[test]
fn who_appears_beside_late_scans_is_found_all_the_same() {
    let models = vec![radar("in time", 0.0), radar("late", 0.0)];
    let mut tracker = Tracker::new(TrackerConfig::default(), models).expect("a valid model");
    let mut noise = Noise::new(9);
    let mut looks: Vec<(f64, Scan)> = Vec::new();
    for second in 1..=120_u32 {
        // Each walker comes in some seconds after the one before.
        let walkers = (0..10_u32).filter(|walker| second >= 8 * walker + 2);
        let mut plots: Vec<Detection> = Vec::new();
        for walker in walkers.filter(|_| noise.uniform() < 0.9).collect::<Vec<u32>>() {
            let east_m = -900.0 + 200.0 * f64::from(walker) + 3.0 * noise.normal();
            plots.push(position(east_m, 1.4 * f64::from(second) + 3.0 * noise.normal(), 3.0));
        }
        let sensor = usize::from(second % 2 == 0);
        let arrives_s = f64::from(second) + if sensor == 1 { 5.5 } else { 0.0 };
        looks.push((arrives_s, Scan { sensor, ..scan(second, plots) }));
    }
    looks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut numbers = std::collections::BTreeSet::new();
    let mut unseen = 0;
    for (_, look) in &looks {
        tracker.step(look);
        if look.sensor == 0 {
            let second = u32::try_from(look.time.whole_seconds()).expect("after 1970");
            let tracks = confirmed(&tracker, second);
            numbers.extend(tracks.iter().map(|track| track.id));
            let due = (0..10).filter(|walker| second >= 8 * walker + 10).count();
            unseen += due.saturating_sub(tracks.len());
        }
    }
    assert!(unseen <= 12, "{unseen} walker looks without a track");
    assert!(numbers.len() <= 11, "{numbers:?} for ten walkers");
}

/// Among three hundred false plots a scan on less than a square kilometre every beginning is unlikely, and people are found
/// all the same.
#[test]
fn people_are_found_among_many_false_plots() {
    let field = Coverage::Polygon { points_m: vec![[0.0, 0.0], [2_000.0, 0.0], [2_000.0, 400.0], [0.0, 400.0]] };
    let model = SensorModel {
        coverage: field,
        detection_probability: 0.7,
        clutter: Clutter::PerScan(300.0),
        ..radar("radar", 1_000.0)
    };
    let mut tracker = Tracker::new(TrackerConfig::default(), vec![model]).expect("a valid model");
    let mut noise = Noise::new(5);
    let at = |walker: u32, second: u32| {
        let seconds = f64::from(second);
        Vector2::new(180.0 * f64::from(walker) + 0.3 * seconds, 300.0 - 1.4 * seconds)
    };
    for second in 1..=100_u32 {
        let mut plots: Vec<Detection> = Vec::new();
        // They appear in the middle, after a while.
        if second > 10 {
            for place in (1..=10).map(|walker| at(walker, second - 10)) {
                if noise.uniform() < 0.7 {
                    plots.push(position(place.x + 5.0 * noise.normal(), place.y + 5.0 * noise.normal(), 5.0));
                }
            }
        }
        plots.extend((0..300).map(|_| position(2_000.0 * noise.uniform(), 400.0 * noise.uniform(), 5.0)));
        tracker.step(&scan(second, plots));
    }
    let tracks = confirmed(&tracker, 100);
    let is_found = |walker: &u32| tracks.iter().any(|track| (track.position_m - at(*walker, 90)).norm() < 25.0);
    let found = (1..=10).filter(is_found).count();
    assert!(found >= 8, "{found} of 10 found, with {} tracks", tracks.len());
}

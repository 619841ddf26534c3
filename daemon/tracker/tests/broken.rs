//! Detectors that chatter: what they imagine must not teach the others that they are blind.

mod field;

use field::{Noise, confirmed, pir, position, presence, radar};
use vedette_tracker::{Clutter, Coverage, Scan, SensorModel, Timestamp, Tracker, TrackerConfig};

const DETECTORS: u32 = 15;
const CHATTER_S: core::ops::Range<u32> = 120..720;

/// One of a row, 80 m apart.
fn detector(number: u32) -> SensorModel {
    pir(&format!("pir {number}"), -560.0 + 80.0 * f64::from(number), 60.0, 0.05)
}

/// A radar and the detectors, which may chatter for ten minutes from the second minute on. Two people may walk past then.
fn run(chatters: bool, with_walkers: bool, mut each_second: impl FnMut(u32, &Tracker)) -> Tracker {
    let field =
        Coverage::Polygon { points_m: vec![[-700.0, -100.0], [700.0, -100.0], [700.0, 400.0], [-700.0, 400.0]] };
    let slow = SensorModel {
        coverage: field,
        scan_period_s: Some(2.0),
        clutter: Clutter::PerScan(0.3),
        ..radar("radar", 0.0)
    };
    let sensors: Vec<SensorModel> = std::iter::once(slow).chain((0..DETECTORS).map(detector)).collect();
    let mut tracker = Tracker::new(TrackerConfig::default(), sensors).expect("valid models");
    let mut noise = Noise::new(7);
    for second in 1..=1200_u32 {
        let mut plots = Vec::new();
        if with_walkers && second > 900 {
            let north_m = 300.0 - 1.3 * f64::from(second - 900);
            for east_m in [0.0, 5.0] {
                if noise.uniform() < 0.9 {
                    plots.push(position(east_m + 5.0 * noise.normal(), north_m + 5.0 * noise.normal(), 5.0));
                }
            }
        }
        // Now and then a false plot of the radar where a detector chatters.
        if chatters && CHATTER_S.contains(&second) && second % 50 == 0 {
            let place = detector((second / 50) % DETECTORS).position_m;
            plots.push(position(place.x, place.y, 5.0));
        }
        let time = Timestamp::from_seconds(i64::from(second));
        if second % 2 == 0 {
            tracker.step(&Scan { sensor: 0, time, at: None, detections: plots });
        }
        if chatters && CHATTER_S.contains(&second) {
            for tenth in 0..10 {
                let reporting: Vec<u32> = (0..DETECTORS).filter(|_| noise.uniform() < 0.025).collect();
                for number in reporting {
                    let time = time.plus_seconds(0.02 + 0.1 * f64::from(tenth) + 0.001 * f64::from(number));
                    tracker.step(&Scan { sensor: 1 + number as usize, time, at: None, detections: vec![presence()] });
                }
            }
        }
        each_second(second, &tracker);
    }
    tracker
}

#[test]
fn a_radar_is_not_taken_for_blind_because_detectors_chatter() {
    let mut believed_s = 0;
    let tracker = run(true, false, |second, tracker| {
        if second > 420 {
            believed_s += usize::from(!confirmed(tracker, second).is_empty());
        }
    });
    let radar = tracker.sensor_estimates().next().expect("a radar");
    assert!(radar.detection_probability > 0.8, "{radar:?}");
    assert!(believed_s < 5, "somebody is believed in for {believed_s} s of chatter");
}

/// Seconds in which so many people are believed in, from none to three and more.
fn counts(chatters: bool) -> [u32; 4] {
    let mut counts = [0; 4];
    run(chatters, true, |second, tracker| {
        if second > 920 {
            counts[confirmed(tracker, second).len().min(3)] += 1;
        }
    });
    counts
}

#[test]
fn after_the_chatter_two_people_are_two() {
    let (quiet, chattered) = (counts(false), counts(true));
    assert!(quiet[2] > 200 && chattered[2] + 5 > quiet[2], "{quiet:?} without chatter, {chattered:?} after it");
}

//! Order, waits and lateness.

use proptest::prelude::*;
use vedette_tracker::{Scan, Timestamp};

use super::Aligner;
use crate::config::{EngineConfig, Site};

fn site(max_wait_s: f64) -> Site {
    let text = format!(
        "[site]\nid = \"s\"\norigin = {{ lat = 52.0, lon = 23.6 }}\n[align]\nmax_wait_s = {max_wait_s}\n{}{}{}",
        "[[sensor]]\nid = \"a\"\nkind = \"radar\"\nposition = { east_m = 0.0, north_m = 0.0 }\ncoverage = { shape = \"circle\", radius_m = 9.0 }\n",
        "[[sensor]]\nid = \"b\"\nkind = \"radar\"\nposition = { east_m = 0.0, north_m = 0.0 }\ncoverage = { shape = \"circle\", radius_m = 9.0 }\n",
        "[[sensor]]\nid = \"c\"\nkind = \"pir\"\nposition = { east_m = 0.0, north_m = 0.0 }\n",
    );
    toml::from_str::<EngineConfig>(&text).expect("valid TOML").resolve().expect("valid configuration")
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_seconds(1_772_000_000).plus_micros(millis * 1_000)
}

fn scan(sensor: usize, millis: i64) -> Scan {
    Scan { sensor, time: at(millis), at: None, detections: Vec::new() }
}

/// Released scans as (sensor, late).
fn released(aligner: &mut Aligner, now: i64, site: &Site) -> Vec<(usize, bool)> {
    aligner.release(at(now), site).iter().map(|released| (released.scan.sensor, released.late)).collect()
}

#[test]
fn one_sensor_in_order_never_waits_after_its_first_look() {
    let site = site(0.2);
    let mut aligner = Aligner::new(&site);
    // Of the first nobody knows whether it comes in parts.
    aligner.push(scan(0, 0), at(20), &site);
    assert_eq!(aligner.next_deadline(&site), Some(at(170)));
    assert_eq!(released(&mut aligner, 169, &site), []);
    assert_eq!(released(&mut aligner, 170, &site), [(0, false)]);
    for second in 1..5 {
        aligner.push(scan(0, second * 1_000), at(second * 1_000 + 50), &site);
        assert_eq!(released(&mut aligner, second * 1_000 + 50, &site), [(0, false)]);
        assert_eq!(aligner.next_deadline(&site), None);
    }
}

#[test]
fn a_scan_waits_for_one_that_may_be_earlier_and_goes_with_it() {
    let site = site(0.2);
    let mut aligner = Aligner::new(&site);
    for sensor in [0, 1] {
        aligner.push(scan(sensor, 0), at(100), &site);
    }
    assert_eq!(released(&mut aligner, 250, &site).len(), 2);
    // The other radar's next scan is due at about the same time and takes 100 ms.
    aligner.push(scan(0, 1_000), at(1_050), &site);
    assert_eq!(released(&mut aligner, 1_050, &site), []);
    aligner.push(scan(1, 990), at(1_090), &site);
    assert_eq!(released(&mut aligner, 1_090, &site), [(1, false), (0, false)]);
}

#[test]
fn the_wait_ends_at_the_delay_seen_lately_or_at_the_bound() {
    for (max_wait_s, deadline) in [(0.2, 1_120), (0.08, 1_080)] {
        let site = site(max_wait_s);
        let mut aligner = Aligner::new(&site);
        for sensor in [0, 1] {
            aligner.push(scan(sensor, 0), at(100), &site);
        }
        released(&mut aligner, 250, &site);
        aligner.push(scan(0, 1_000), at(1_050), &site);
        assert_eq!(aligner.next_deadline(&site), Some(at(deadline)));
        assert_eq!(released(&mut aligner, deadline - 1, &site), []);
        assert_eq!(released(&mut aligner, deadline, &site), [(0, false)]);
        aligner.push(scan(1, 990), at(1_300), &site);
        assert_eq!(released(&mut aligner, 1_300, &site), [(1, true)]);
    }
}

#[test]
fn a_clock_that_runs_ahead_waits_no_longer_than_the_bound() {
    let site = site(0.2);
    let mut aligner = Aligner::new(&site);
    aligner.push(scan(2, 0), at(10), &site);
    released(&mut aligner, 10, &site);
    aligner.push(scan(0, 1_900), at(1_000), &site);
    assert_eq!(aligner.next_deadline(&site), Some(at(1_200)));
    assert_eq!(released(&mut aligner, 1_200, &site), [(0, false)]);
}

#[test]
fn parts_of_one_look_become_one_scan() {
    let site = site(0.2);
    let mut aligner = Aligner::new(&site);
    aligner.push(scan(1, 0), at(100), &site);
    released(&mut aligner, 250, &site);
    aligner.push(scan(0, 1_000), at(1_040), &site);
    aligner.push(scan(0, 1_000), at(1_050), &site);
    assert_eq!(released(&mut aligner, 1_300, &site), [(0, false)]);
}

/// A radar with nobody beside it sends each look in three messages; what is due is taken after each of them, as the daemon does.
#[test]
fn the_looks_of_a_lone_radar_wait_for_their_parts() {
    let mut site = site(0.2);
    site.sensors[0].model.scan_period_s = Some(1.0);
    let mut aligner = Aligner::new(&site);
    let mut looks = Vec::new();
    for second in 0..4 {
        for part in 0..3 {
            let now = 1_000 * second + 50 + 4 * part;
            aligner.push(scan(0, 1_000 * second), at(now), &site);
            looks.extend(released(&mut aligner, now, &site).iter().map(|_| (second, now)));
        }
        if let Some(due) = aligner.next_deadline(&site) {
            let released = aligner.release(due, &site);
            looks.extend(released.iter().map(|_| (second, due.seconds_since(at(0)).mul_add(1_000.0, 0.5) as i64)));
        }
    }
    // The first waits for what may come; it teaches that there are parts, so each later one waits 1.5 times 8 ms and 20 ms.
    assert_eq!(looks, [(0, 200), (1, 1_082), (2, 2_082), (3, 3_082)]);
}

proptest! {
    /// (sensor, time, delay), all in milliseconds, handed in by arrival with a tick at each deadline.
    #[test]
    fn all_come_out_once_in_order_and_in_time(
        scans in proptest::collection::vec((0_usize..3, 0_i64..5_000, 1_i64..800), 1..60),
    ) {
        let site = site(0.2);
        let mut aligner = Aligner::new(&site);
        let mut arrivals: Vec<_> = scans.iter().map(|&(sensor, time, delay)| (time + delay, sensor, time)).collect();
        arrivals.sort_unstable();
        let mut out = Vec::new();
        let mut settled = Timestamp::MIN;
        let mut take = |aligner: &mut Aligner, now: Timestamp| {
            for released in aligner.release(now, &site) {
                out.push((released.scan.time, released.scan.sensor, released.late, now));
            }
            assert!(aligner.settled(now, &site) >= settled);
            settled = aligner.settled(now, &site);
        };
        for &(arrival, sensor, time) in &arrivals {
            while let Some(deadline) = aligner.next_deadline(&site).filter(|deadline| *deadline < at(arrival)) {
                let before = aligner.held.len();
                take(&mut aligner, deadline);
                prop_assert!(aligner.held.len() < before, "a deadline at which nothing happens");
            }
            aligner.push(scan(sensor, time), at(arrival), &site);
            take(&mut aligner, at(arrival));
        }
        while let Some(deadline) = aligner.next_deadline(&site) {
            take(&mut aligner, deadline);
        }
        let mut newest = Timestamp::MIN;
        for &(time, _, late, _) in &out {
            prop_assert_eq!(late, time < newest);
            newest = newest.max(time);
        }
        // Parts of one look were merged; nothing else is lost.
        let distinct: std::collections::BTreeSet<_> = arrivals.iter().map(|&(_, sensor, time)| (time, sensor)).collect();
        let given: std::collections::BTreeSet<_> = out.iter().map(|&(time, sensor, ..)| (time, sensor)).collect();
        prop_assert_eq!(given.len(), distinct.len());
        for &(arrival, sensor, time) in &arrivals {
            let released = out.iter().filter(|scan| (scan.0, scan.1) == (at(time), sensor)).map(|scan| scan.3).min();
            prop_assert!(released.expect("released") <= at(arrival + 200));
        }
    }
}

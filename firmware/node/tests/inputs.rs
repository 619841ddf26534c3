//! Detectors on digital inputs, the supply, and the airtime budget.

mod site;

use site::Site;
use vedette_node::Inputs;
use vedette_node::airtime::Budget;
use vedette_node::detector::{Pir, Tamper, Tripwire};
use vedette_wire::payload::{Crossing, EventKind, TamperCause};

#[test]
fn infrared_reports_once_each_rearm_time_while_motion_lasts() {
    let mut pir = Pir::new(5_000);
    let reported: Vec<u64> = (0..20_000)
        .step_by(10)
        .filter_map(|now_ms| pir.read(now_ms, (1_000..13_000).contains(&now_ms)))
        .map(|found| found.began_ms)
        .collect();
    assert_eq!(reported, [1_000, 6_020, 11_020]);
}

#[test]
fn a_bounce_is_no_motion_and_a_stuck_module_falls_silent() {
    let mut pir = Pir::new(5_000);
    assert!((0..1_000).all(|now_ms| pir.read(now_ms, now_ms % 20 < 10).is_none()));
    let count = (1_000..7_200_000).step_by(10).filter(|&now_ms| pir.read(now_ms, true).is_some()).count();
    assert_eq!(count, 180, "900 s of motion, one each 5 s");
    assert!(pir.is_stuck(7_200_000));
}

/// Reports of a tripwire whose beams are interrupted in these spans.
fn crossings(left: core::ops::Range<u64>, right: core::ops::Range<u64>) -> Vec<(EventKind, u64)> {
    let mut tripwire = Tripwire::new();
    let reports =
        (0..10_000).filter_map(|now_ms| tripwire.read(now_ms, left.contains(&now_ms), right.contains(&now_ms)));
    reports.map(|found| (found.kind, found.began_ms)).collect()
}

#[test]
fn two_beams_tell_the_direction_and_one_tells_none() {
    assert_eq!(crossings(100..400, 300..700), [(EventKind::Tripwire(Some(Crossing::In)), 100)]);
    assert_eq!(crossings(300..700, 100..400), [(EventKind::Tripwire(Some(Crossing::Out)), 100)]);
    assert_eq!(crossings(100..400, 0..0), [(EventKind::Tripwire(None), 100)]);
    assert_eq!(crossings(100..200, 100..200), [(EventKind::Tripwire(None), 100)]);
    let apart = [(EventKind::Tripwire(None), 100), (EventKind::Tripwire(None), 5_000)];
    assert_eq!(crossings(100..200, 5_000..5_100), apart);
}

#[test]
fn the_tamper_switch_reports_each_opening() {
    let mut tamper = Tamper::new();
    let openings: Vec<u64> = (0..5_000)
        .filter_map(|now_ms| tamper.read(now_ms, (100..200).contains(&now_ms) || now_ms > 4_000))
        .map(|found| {
            assert_eq!(found.kind, EventKind::Tamper(TamperCause::Opened));
            found.began_ms
        })
        .collect();
    assert_eq!(openings, [100, 4_001]);
    assert!(tamper.is_open());
}

#[test]
fn a_low_supply_is_told_and_a_critical_one_leaves_only_beams_and_tamper() {
    let mut site = Site::<8, 4096>::new(1);
    site.run_for(10_000).unwrap();
    site.board.battery_mv = 3_200;
    site.run_for(2 * 3_600_000).unwrap();
    assert!(site.gateway.telemetry.last().unwrap().flags.low_battery);
    site.board.battery_mv = 2_950;
    site.run_for(120_000).unwrap();
    site.walk_by().unwrap();
    assert_eq!(site.gateway.events.len(), 0);
    site.inputs(Inputs { beam_left: true, ..Inputs::default() }, 3_000).unwrap();
    site.inputs(Inputs::default(), 3_000).unwrap();
    assert_eq!(site.gateway.events.len(), 1);
    site.board.battery_mv = 3_050;
    site.run_for(120_000).unwrap();
    site.walk_by().unwrap();
    assert_eq!(site.gateway.events.len(), 1, "hysteresis");
    site.board.battery_mv = 3_600;
    site.run_for(120_000).unwrap();
    site.walk_by().unwrap();
    assert_eq!(site.gateway.events.len(), 2);
}

#[test]
fn a_spent_budget_tells_when_it_will_do() {
    let mut budget = Budget::new(10, 0);
    assert_eq!(budget.take(0, 36_000_000), Ok(()));
    assert_eq!(budget.used_percent(0), 100);
    assert_eq!(budget.take(0, 100_000), Err(10_000));
    assert_eq!(budget.take(9_999, 100_000), Err(10_000));
    assert_eq!(budget.take(10_000, 100_000), Ok(()));
}

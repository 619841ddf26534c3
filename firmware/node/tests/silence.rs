//! Radio silence for three days, a drifting clock, and a channel that is crowded or spent.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod site;

use site::{START_UNIX_MS, Site};
use vedette_node::Inputs;

/// Eight pages of 4 KiB.
type BigSite = Site<8, 4096>;

const HOUR_MS: u64 = 3_600_000;

/// The time an event began according to its age, against the true one; milliseconds.
fn worst_time_error_ms(site: &BigSite, began_ms: &[u64]) -> u64 {
    let told = site.gateway.events.iter().map(|(number, (event, received_ms))| {
        assert!(!event.age_at_least);
        let told_ms = received_ms - u64::from(event.age_ticks) * 125 / 2;
        told_ms.abs_diff(START_UNIX_MS + began_ms[usize::from(*number)])
    });
    told.max().unwrap()
}

fn silence(drift_ppm: i64, synchronised_for_ms: u64) -> (BigSite, u64) {
    let mut site = BigSite::new(7);
    site.drift_ppm = drift_ppm;
    while site.true_ms < synchronised_for_ms {
        site.run_for(HOUR_MS / 2).unwrap();
        let beacon = site.gateway.beacon(site.unix_ms());
        site.hear(&beacon).unwrap();
    }
    site.link_up = false;
    let mut began_ms = vec![];
    for _ in 0..432 {
        began_ms.push(site.true_ms);
        site.walk_by().unwrap();
        site.run_for(600_000 - 6_500).unwrap();
    }
    assert_eq!(site.node.journal().waiting(), 432);
    site.link_up = true;
    site.run_for(HOUR_MS).unwrap();
    assert_eq!((site.gateway.events.len(), site.gateway.missed), (432, 0));
    let error_ms = worst_time_error_ms(&site, &began_ms);
    (site, error_ms)
}

#[test]
fn three_days_of_silence_are_drained_within_an_hour() {
    let (site, error_ms) = silence(0, HOUR_MS);
    assert!(error_ms <= 130, "{error_ms} ms");
    assert_eq!(site.node.journal().waiting(), 0);
    assert!(site.gateway.telemetry.iter().all(|telemetry| telemetry.airtime_percent <= 100));
}

#[test]
fn measured_drift_is_taken_out_of_ages() {
    let (_, uncorrected) = silence(50, HOUR_MS);
    let (site, corrected) = silence(50, 24 * HOUR_MS);
    assert!((12_000..14_000).contains(&uncorrected), "50 ppm of 3 days is 13 s: {uncorrected} ms");
    assert!(corrected < 3_000, "{corrected} ms");
    assert!((-60..=-40).contains(&site.node.clock().drift_ppm()), "{} ppm", site.node.clock().drift_ppm());
}

#[test]
fn an_event_from_before_a_reset_has_its_true_age_once_the_time_is_known() {
    let mut site = BigSite::new(8);
    site.run_for(10_000).unwrap();
    site.link_up = false;
    let began_ms = START_UNIX_MS + site.true_ms;
    site.walk_by().unwrap();
    site.run_for(HOUR_MS).unwrap();
    site.reset().unwrap();
    site.link_up = true;
    site.run_for(60_000).unwrap();
    let (event, received_ms) = site.gateway.events[&0];
    assert!(!event.age_at_least);
    let told_ms = received_ms - u64::from(event.age_ticks) * 125 / 2;
    assert!(told_ms.abs_diff(began_ms) < 200, "{told_ms} against {began_ms}");
}

#[test]
fn an_event_from_before_a_reset_without_time_has_a_least_age() {
    let mut site = BigSite::new(9);
    site.link_up = false;
    site.walk_by().unwrap();
    site.reset().unwrap();
    site.run_for(5_000).unwrap();
    site.link_up = true;
    site.run_for(600_000).unwrap();
    // The hello is answered with the time, but the event was kept when it was not known.
    let (event, _) = site.gateway.events[&0];
    assert!(event.age_at_least);
    assert!(u64::from(event.age_ticks) >= 5 * 16);
}

#[test]
fn a_storm_stays_within_the_duty_cycle_and_loses_nothing() {
    let mut site = BigSite::new(10);
    site.run_for(10_000).unwrap();
    let lora = site::config().sending.lora;
    let mut airtime_us = 0;
    for _ in 0..500 {
        let before = site.gateway.counters.len();
        site.inputs(Inputs { beam_left: true, ..Inputs::default() }, 500).unwrap();
        site.inputs(Inputs { beam_right: true, ..Inputs::default() }, 500).unwrap();
        site.inputs(Inputs::default(), 500).unwrap();
        airtime_us += (site.gateway.counters.len() - before) as u64 * lora.airtime_us(28);
    }
    let allowed_us = 36_000_000 + site.true_ms * 10;
    assert!(airtime_us <= allowed_us, "{airtime_us} us on the air, {allowed_us} us allowed");
    site.run_for(2 * HOUR_MS).unwrap();
    assert_eq!(site.gateway.events.len(), 500);
}

#[test]
fn a_busy_channel_is_waited_for() {
    let mut site = BigSite::new(11);
    site.board.channel_busy = true;
    site.walk_by().unwrap();
    assert!(site.gateway.counters.is_empty());
    site.board.channel_busy = false;
    site.run_for(10_000).unwrap();
    assert_eq!(site.gateway.events.len(), 1);
}

#[test]
fn the_receiver_is_on_only_after_a_frame() {
    let mut site = BigSite::new(12);
    site.run_for(60_000).unwrap();
    assert!(!site.node.listens(site.true_ms));
    site.link_up = false;
    let sent = site.gateway.counters.len();
    site.inputs(Inputs { pir: true, ..Inputs::default() }, 500).unwrap();
    assert_eq!(site.gateway.counters.len(), sent + 1);
    assert!(site.node.listens(site.true_ms));
    assert!(!site.node.listens(site.true_ms + 2_000));
}

//! A node that somebody carries tells where it is.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod site;

use site::{POSITION_MS, Site};
use vedette_node::Fix;
use vedette_wire::Key;
use vedette_wire::payload::{Call, Position};

const HERE: Fix = Fix { lat_e7: 520_010_000, lon_e7: 236_000_000, sd_dm: 40, at_ms: 0, call: Call::None };

#[test]
fn places_are_told_at_their_interval_with_their_age_and_a_call_for_help() {
    let mut site = Site::<8, 4096>::carried(1, HERE);
    site.run_for(61_000).unwrap();
    let told = site.gateway.positions.clone();
    assert_eq!(told.len(), 4, "at once and every 20 s: {told:?}");
    assert_eq!(
        told[3],
        Position {
            lat_e7: 520_010_000,
            lon_e7: 236_000_000,
            sd_dm: 40,
            age_ticks: told[3].age_ticks,
            call: Call::None
        }
    );
    assert!((60 * 16..=61 * 16).contains(&told[3].age_ticks), "{told:?}");
    site.board.fix = Some(Fix { at_ms: 75_000, sd_dm: 0, call: Call::Help, ..HERE });
    site.run_for(POSITION_MS).unwrap();
    let last = *site.gateway.positions.last().unwrap();
    assert!((last.call, last.sd_dm) == (Call::Help, 1) && last.age_ticks <= 6 * 16, "{last:?}");
    // No fix, no place; nothing waits for it.
    site.board.fix = None;
    let told = site.gateway.positions.len();
    site.run_for(600_000).unwrap();
    assert_eq!(site.gateway.positions.len(), told);
    assert!(!site.gateway.telemetry.is_empty());
}

#[test]
fn a_gateway_that_does_not_know_of_places_is_told_none_until_it_does() {
    let mut site = Site::<8, 4096>::carried(2, HERE);
    site.gateway.version = 1;
    site.run_for(600_000).unwrap();
    assert!(site.gateway.positions.is_empty() && !site.gateway.telemetry.is_empty());
    site.walk_by().unwrap();
    assert_eq!(site.gateway.events.len(), 1);
    // It is updated, and says so with its next acknowledgement.
    site.gateway.version = 2;
    site.walk_by().unwrap();
    site.run_for(60_000).unwrap();
    assert!(site.gateway.positions.len() >= 3, "{:?}", site.gateway.positions);
}

#[test]
fn a_new_key_changes_nothing_of_what_the_gateway_understands() {
    let mut site = Site::<8, 4096>::carried(3, HERE);
    site.run_for(30_000).unwrap();
    let before = site.gateway.positions.len();
    let next = Key::new([9; 16]);
    let order = site.gateway.new_key(1, next);
    assert_eq!(site.hear(&order).unwrap(), None);
    site.gateway.add_key(1, &next);
    site.gateway.use_key(1, &next);
    site.run_for(90_000).unwrap();
    assert!(site.gateway.positions.len() >= before + 3, "{:?}", site.gateway.positions);
}

/// Nobody who moves in the field may starve the telemetry, nor be late for want of it.
#[test]
fn places_leave_room_for_everything_else() {
    let mut site = Site::<8, 4096>::carried(4, HERE);
    site.run_for(3_600_000).unwrap();
    assert!(site.gateway.positions.len() >= 178, "{}", site.gateway.positions.len());
    assert!(site.gateway.telemetry.last().unwrap().airtime_percent < 50);
    site.walk_by().unwrap();
    assert_eq!(site.gateway.events.len(), 1);
}

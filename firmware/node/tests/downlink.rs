//! What a node takes from the air: only what its gateway says to it, now.

mod site;

use proptest::prelude::*;
use site::{KEY, NODE, START_UNIX_MS, Site};
use vedette_node::{Node, Refused};
use vedette_wire::payload::{Acknowledgement, NewKey};
use vedette_wire::{Direction, Key, Payload, Sealer};

type BigSite = Site<8, 4096>;

fn reason(refused: Option<Refused>) -> &'static str {
    refused.map_or("obeyed", |refused| refused.reason())
}

#[test]
fn after_a_reset_only_an_acknowledgement_opens_the_door() {
    let mut site = BigSite::new(1);
    let recorded = [
        site.gateway.time(START_UNIX_MS),
        site.gateway.new_key(1, Key::new([9; 16])),
        site.gateway.beacon(START_UNIX_MS),
    ];
    for frame in &recorded {
        assert_eq!(reason(site.hear(frame).unwrap()), "not_fresh");
    }
    site.run_for(5_000).unwrap();
    assert!(site.node.clock().is_set());
    for frame in &recorded[..2] {
        assert_eq!(reason(site.hear(frame).unwrap()), "repeat", "recorded before the acknowledgement");
    }
    site.reset().unwrap();
    let late = site.gateway.time(START_UNIX_MS + 1);
    site.run_for(5_000).unwrap();
    assert_eq!(reason(site.hear(&late).unwrap()), "repeat");
}

#[test]
fn a_time_for_all_may_correct_but_not_move_the_clock() {
    let mut site = BigSite::new(2);
    site.run_for(5_000).unwrap();
    let hour_off = site.gateway.beacon(site.unix_ms() + 3_600_000);
    assert_eq!(reason(site.hear(&hour_off).unwrap()), "out_of_place");
    let right = site.gateway.beacon(site.unix_ms());
    assert_eq!(reason(site.hear(&right).unwrap()), "obeyed");
    assert_eq!(reason(site.hear(&right).unwrap()), "repeat");
}

#[test]
fn a_forged_or_foreign_acknowledgement_clears_nothing() {
    let mut site = BigSite::new(3);
    site.link_up = false;
    site.walk_by().unwrap();
    let acknowledgement = |counter| Payload::Acknowledgement(Acknowledgement { counter, version: 1 }).encode().unwrap();
    let wrong_key = Sealer::new(&Key::new([1; 16]), Direction::Down, 0, NODE, 0, 10).seal(&acknowledgement(0)).unwrap();
    assert_eq!(reason(site.hear(&wrong_key).unwrap()), "forged");
    let mut right = Sealer::new(&KEY, Direction::Down, 0, NODE, 0, 10);
    let never_sent = right.seal(&acknowledgement(9_999)).unwrap();
    assert_eq!(reason(site.hear(&never_sent).unwrap()), "out_of_place");
    assert_eq!(site.node.journal().waiting(), 1);
}

#[test]
fn a_new_key_takes_over_once_the_gateway_answers_under_it() {
    let new_key = Key::new([9; 16]);
    let mut site = BigSite::new(4);
    site.run_for(5_000).unwrap();
    let order = site.gateway.new_key(1, new_key);
    site.link_up = false;
    assert_eq!(reason(site.hear(&order).unwrap()), "obeyed");
    site.reset().unwrap();
    assert_eq!(site.node.journal().state().epoch, 0, "nobody has answered under the new key");
    site.gateway.add_key(1, &new_key);
    site.gateway.use_key(1, &new_key);
    site.link_up = true;
    site.run_for(1_000).unwrap();
    assert_eq!(site.node.journal().state().epoch, 1);
    site.walk_by().unwrap();
    site.reset().unwrap();
    site.walk_by().unwrap();
    assert_eq!(site.gateway.events.len(), 2);

    let back = Payload::NewKey(NewKey { epoch: 0, key: KEY });
    let back = site.gateway.seal(&back);
    assert_eq!(reason(site.hear(&back).unwrap()), "out_of_place", "epochs only go forward");
}

proptest! {
    #[test]
    fn no_bytes_from_the_air_do_harm(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..50)) {
        let mut site = BigSite::new(5);
        site.run_for(5_000).unwrap();
        let before = *site.node.journal().state();
        for frame in frames {
            site.hear(&frame).unwrap();
        }
        prop_assert_eq!(*site.node.journal().state(), before);
        site.walk_by().unwrap();
        prop_assert_eq!(site.gateway.events.len(), 1);
    }

    #[test]
    fn damaged_orders_are_refused(bit in 0..256_usize, length in 0..40_usize) {
        let mut site = BigSite::new(6);
        site.run_for(5_000).unwrap();
        let order = site.gateway.new_key(1, Key::new([9; 16]));
        let mut flipped = order.clone();
        flipped[bit / 8 % order.len()] ^= 1 << (bit % 8);
        site.hear(&flipped).unwrap();
        prop_assert!(site.hear(&order[..length.min(order.len() - 1)]).unwrap().is_some());
        prop_assert!(site.node.journal().other_key().is_none());
    }
}

#[test]
fn what_is_said_to_another_node_is_no_refusal() {
    let mut site = BigSite::new(8);
    site.run_for(5_000).unwrap();
    let payload = Payload::Acknowledgement(Acknowledgement { counter: 0, version: 1 }).encode().unwrap();
    let other = Sealer::new(&KEY, Direction::Down, 0, NODE + 1, 0, 1).seal(&payload).unwrap();
    assert_eq!(reason(site.hear(&other).unwrap()), "obeyed");
    site.run_for(2 * 3_600_000).unwrap();
    assert_eq!(site.gateway.telemetry.last().unwrap().refused, 0);
}

#[test]
fn of_two_keys_to_come_the_later_counts() {
    let (never_used, used) = (Key::new([8; 16]), Key::new([9; 16]));
    let mut site = BigSite::new(7);
    site.run_for(5_000).unwrap();
    site.link_up = false;
    for (epoch, key) in [(1, never_used), (2, used)] {
        let order = site.gateway.new_key(epoch, key);
        assert_eq!(reason(site.hear(&order).unwrap()), "obeyed");
    }
    site.gateway.add_key(2, &used);
    site.gateway.use_key(2, &used);
    site.link_up = true;
    site.run_for(30_000).unwrap();
    assert_eq!(site.node.journal().state().epoch, 2);
}

#[test]
fn a_node_fits_its_memory() {
    let bytes = size_of::<Node>();
    assert!(bytes <= 8 * 1024, "{bytes} bytes");
}

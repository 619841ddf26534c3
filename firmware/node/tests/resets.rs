//! A reset at any flash operation loses no event that was kept and uses no frame counter twice.

mod site;

use site::{Site, Tear};
use vedette_node::{Inputs, NodeError};

/// Small pages, so that the ring turns often.
type SmallSite = Site<3, 512>;

/// A day in short: events with and without link, a tamper, page turns. Gives the numbers kept so far through `kept`.
fn script(site: &mut SmallSite, kept: &mut u16) -> Result<(), NodeError> {
    let note = |site: &SmallSite, kept: &mut u16| *kept = site.node.journal().state().head;
    site.run_for(10_000)?;
    for round in 0..14 {
        site.link_up = round % 2 == 0;
        for _ in 0..3 {
            site.walk_by()?;
            note(site, kept);
        }
        site.inputs(Inputs { tamper: true, ..Inputs::default() }, 200)?;
        site.inputs(Inputs::default(), 200)?;
        note(site, kept);
    }
    site.link_up = true;
    site.run_for(60_000)
}

#[test]
fn a_reset_at_every_flash_operation_loses_and_repeats_nothing() {
    let mut whole = SmallSite::new(1);
    let (before, mut kept) = (whole.board.operations, 0);
    script(&mut whole, &mut kept).unwrap();
    let operations = whole.board.operations - before;
    assert_eq!(whole.gateway.events.len(), 56);
    assert!(
        whole.board.erasures.iter().all(|&erasures| erasures >= 2),
        "the ring turned once round: {:?}",
        whole.board.erasures
    );

    for tear in [Tear::Before, Tear::Half, Tear::After] {
        for at in 1..=operations {
            let mut site = SmallSite::new(1);
            site.board.fails_at = Some((site.board.operations + at, tear));
            let mut kept = 0;
            let failed = script(&mut site, &mut kept).is_err();
            assert!(failed || at == operations, "operation {at} was not reached");
            site.reset().unwrap();
            site.link_up = true;
            site.run_for(120_000).unwrap();
            let context = format!("{tear:?} operation {at}: {kept} kept, {:?}", site.gateway.events.keys());
            assert!((0..kept).all(|number| site.gateway.events.contains_key(&number)), "{context}");
            assert_eq!((site.gateway.missed, site.node.journal().waiting()), (0, 0), "{context}");
        }
    }
}

#[test]
fn two_failures_in_a_row_are_survived() {
    for at in 1..60 {
        for again in 1..8 {
            let mut site = SmallSite::new(2);
            site.board.fails_at = Some((site.board.operations + at, Tear::Half));
            let mut kept = 0;
            let _ = script(&mut site, &mut kept);
            site.board.fails_at = None;
            let mut second = site.board.reset();
            second.fails_at = Some((again, Tear::Half));
            let journal = vedette_node::Journal::open(&second).unwrap();
            let reset = vedette_wire::payload::ResetCause::PowerOn;
            let _ = vedette_node::Node::start(site::config(), journal, reset, &mut second);
            site.board = second;
            site.reset().unwrap();
            site.link_up = true;
            site.run_for(120_000).unwrap();
            assert!((0..kept).all(|number| site.gateway.events.contains_key(&number)), "{at}, then {again}");
        }
    }
}

#[test]
fn many_resets_use_no_counter_twice_and_wear_all_pages_alike() {
    let mut site = SmallSite::new(3);
    for _ in 0..300 {
        site.walk_by().unwrap();
        site.reset().unwrap();
    }
    site.run_for(60_000).unwrap();
    assert_eq!(site.gateway.events.len(), 300);
    assert_eq!(site.gateway.hellos.last().unwrap().resets, 301);
    let (least, most) = (site.board.erasures.iter().min().unwrap(), site.board.erasures.iter().max().unwrap());
    assert!(most - least <= 1, "{:?}", site.board.erasures);
    let told = site.node.journal().erasures_per_page::<site::FakeBoard<3, 512>>();
    assert!(told.abs_diff(*most - 1) <= 1, "{told} and the format against {most}");
}

#[test]
fn a_full_flash_drops_the_oldest_and_says_how_many() {
    let mut site = SmallSite::new(4);
    site.run_for(10_000).unwrap();
    site.link_up = false;
    for _ in 0..100 {
        site.walk_by().unwrap();
    }
    let waiting = site.node.journal().waiting();
    assert!((20..60).contains(&waiting), "{waiting}");
    assert_eq!(site.node.journal().state().dropped + waiting, 100);
    site.reset().unwrap();
    site.link_up = true;
    site.run_for(1_200_000).unwrap();
    let numbers: Vec<u16> = site.gateway.events.keys().copied().collect();
    // The reset and each acknowledgement are records, too, and may have turned one more page.
    let dropped = site.node.journal().state().dropped;
    assert!(dropped <= 100 - waiting + 20, "{dropped}");
    assert_eq!(numbers, (dropped..100).collect::<Vec<_>>());
    assert_eq!(site.gateway.telemetry.last().unwrap().dropped, dropped);
}

//! When the uplink wants to be woken: never at a time that has come already, or its driver would turn without end.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;
mod gateway;

use common::{alert, start};
use gateway::Gateway;
use vedette_delivery::engine::{Severity, Timestamp};
use vedette_delivery::uplink::{Action, Event, Publication, Receipt};

/// A connected gateway with twelve alerts, one of them twice: the older number is void.
fn connected(rate_limit_bps: Option<u32>) -> (Gateway, Vec<Action>) {
    let mut gateway = Gateway::new(|config| config.rate_limit_bps = rate_limit_bps);
    for n in 0..12 {
        gateway.commit(start(), vec![alert(&format!("alert-{n}"), 1, Severity::High)]);
    }
    gateway.commit(start(), vec![alert("alert-0", 2, Severity::High)]);
    let mut actions = Vec::new();
    for event in
        [Event::Tick, Event::Connected, Event::Subscribed { granted: true }, Event::Subscribed { granted: true }]
    {
        actions.extend(gateway.handle(start(), event));
    }
    (gateway, actions)
}

/// How often the uplink is woken in ten minutes with a broker that answers like this, or not at all.
fn woken(rate_limit_bps: Option<u32>, answer: impl Fn(&Publication) -> Option<Receipt>) -> u32 {
    let (mut gateway, mut actions) = connected(rate_limit_bps);
    let (mut now, end) = (start(), start().plus_seconds(600.0));
    let mut woken = 0;
    while now < end {
        while !actions.is_empty() {
            let published = actions.drain(..).filter_map(|action| match action {
                Action::Publish(publication) => Some(publication),
                _ => None,
            });
            let receipts: Vec<(u64, Receipt)> =
                published.filter(|one| one.reliable).filter_map(|one| Some((one.id, answer(&one)?))).collect();
            for (id, receipt) in receipts {
                actions.extend(gateway.handle(now, Event::Receipt { id, receipt }));
            }
        }
        let next: Timestamp = gateway.uplink.next_deadline().unwrap_or(end);
        assert!(next > now, "{:.3} s: woken for nothing by {:?}", now.seconds_since(start()), gateway.uplink);
        now = next;
        woken += 1;
        actions = gateway.handle(now, Event::Tick);
    }
    woken
}

#[test]
fn nobody_who_listens_keeps_nobody_awake() {
    for rate in [None, Some(2_400)] {
        let turns = woken(rate, |publication| {
            Some(if publication.topic.ends_with("/alert") { Receipt::NoSubscriber } else { Receipt::Taken })
        });
        assert!(turns < 600, "{turns} turns in ten minutes");
    }
}

#[test]
fn a_centre_that_acknowledges_nothing_keeps_nobody_awake() {
    for rate in [None, Some(2_400)] {
        let turns = woken(rate, |_| Some(Receipt::Taken));
        assert!(turns < 600, "{turns} turns in ten minutes");
    }
}

#[test]
fn a_broker_that_answers_nothing_keeps_nobody_awake() {
    for rate in [None, Some(2_400)] {
        let turns = woken(rate, |_| None);
        assert!(turns < 600, "{turns} turns in ten minutes");
    }
}

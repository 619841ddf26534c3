//! Three days offline, then a line of 9,600 bit/s: what is urgent arrives at once, and in the end everything does.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;
mod gateway;

use std::collections::VecDeque;

use common::{alert, start};
use gateway::Gateway;
use vedette_delivery::engine::{Severity, Timestamp};
use vedette_delivery::ledger::{LedgerAction, LedgerEvent, MemoryLedger};
use vedette_delivery::uplink::{Action, Event, Publication, Receipt};
use vedette_delivery::{Envelope, GatewayId, Ledger, LedgerConfig, Limits};

const LINE_BPS: f64 = 9_600.0;
/// One way, seconds.
const LATENCY_S: f64 = 0.3;
/// MQTT, TLS, TCP and IP around topic, payload and properties.
const OVERHEAD_BYTES: usize = 100;

/// One direction of a slow line: messages queue behind each other.
struct Line<T> {
    free_at: Timestamp,
    queue: VecDeque<(Timestamp, T)>,
}

impl<T> Line<T> {
    fn new(now: Timestamp) -> Self {
        Self { free_at: now, queue: VecDeque::new() }
    }

    fn send(&mut self, now: Timestamp, bytes: usize, what: T) {
        let begin = self.free_at.max(now);
        self.free_at = begin.plus_seconds((bytes + OVERHEAD_BYTES) as f64 * 8.0 / LINE_BPS);
        self.queue.push_back((self.free_at.plus_seconds(LATENCY_S), what));
    }

    fn next(&self) -> Option<Timestamp> {
        self.queue.front().map(|(at, _)| *at)
    }

    fn take(&mut self, now: Timestamp) -> Option<T> {
        if self.next()? <= now { self.queue.pop_front().map(|(_, what)| what) } else { None }
    }
}

struct World {
    now: Timestamp,
    gateway: Gateway,
    ledger: Ledger,
    file: MemoryLedger,
    up: Line<Publication>,
    down: Line<Event>,
    /// Bytes sent up, with what is around them.
    sent_bytes: usize,
}

impl World {
    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Publish(publication) => {
                    let bytes = publication.topic.len() + publication.payload.len();
                    self.sent_bytes += bytes + OVERHEAD_BYTES;
                    self.up.send(self.now, bytes, publication);
                }
                Action::Disconnect => panic!("the line is slow, not dead"),
                _ => {}
            }
        }
    }

    fn ledger(&mut self, event: LedgerEvent) {
        let mut actions = Vec::new();
        self.ledger.handle(self.now, &mut self.file, event, &mut actions);
        for action in actions {
            if let LedgerAction::Publish(Publication { topic, payload, properties, .. }) = action {
                let bytes = topic.len() + payload.len();
                self.down.send(self.now, bytes, Event::Message { topic, payload, properties });
            }
        }
    }

    fn step(&mut self, until: Timestamp) {
        let deadlines =
            [self.gateway.uplink.next_deadline(), self.ledger.next_deadline(), self.up.next(), self.down.next()];
        let next = deadlines.into_iter().flatten().min().unwrap_or(until);
        self.now = next.clamp(self.now.plus_micros(100), until);
        while let Some(publication) = self.up.take(self.now) {
            let Publication { id, topic, payload, properties, .. } = publication;
            self.down.send(self.now, 4, Event::Receipt { id, receipt: Receipt::Taken });
            self.ledger(LedgerEvent::Message { topic, payload, retained: false, properties });
        }
        self.ledger(LedgerEvent::Tick);
        while let Some(event) = self.down.take(self.now) {
            let actions = self.gateway.handle(self.now, event);
            self.carry_out(actions);
        }
        let actions = self.gateway.handle(self.now, Event::Tick);
        self.carry_out(actions);
    }

    fn arrived(&self, id: &str) -> bool {
        self.file.entries().iter().any(|entry| Envelope::read(&entry.bytes).is_ok_and(|read| read.alert.id == id))
    }
}

/// 10,000 alerts of three days wait; then the gateway connects.
fn three_days_offline(rate_limit_bps: Option<u32>) -> World {
    let mut gateway = Gateway::new(|config| {
        config.rate_limit_bps = rate_limit_bps;
        config.limits = Limits { max_rows: 20_000, ..Limits::default() };
    });
    let severities = [Severity::Info, Severity::Low, Severity::Medium, Severity::High];
    for n in 0..10_000_u32 {
        let severity = severities[n as usize % severities.len()];
        let now = start().plus_seconds(f64::from(n) * 25.92);
        gateway.commit(now, vec![alert(&format!("alert-{n}"), 1, severity)]);
    }
    assert_eq!(gateway.uplink.outbox().depth(), 10_000);
    let now = start().plus_seconds(72.0 * 3600.0);
    let mut file = MemoryLedger::new();
    let ledger = Ledger::start(LedgerConfig::new(GatewayId::new("centre").unwrap()), now, &mut file).unwrap();
    let mut world = World { now, gateway, ledger, file, up: Line::new(now), down: Line::new(now), sent_bytes: 0 };
    world.ledger(LedgerEvent::Connected);
    world.gateway.handle(now, Event::Tick);
    world
}

/// CONNACK now; subscriptions take one round trip.
fn connack(world: &mut World) {
    let actions = world.gateway.handle(world.now, Event::Connected);
    world.carry_out(actions);
    let now = world.now.plus_seconds(LATENCY_S);
    for _ in 0..2 {
        world.down.send(now, 5, Event::Subscribed { granted: true });
    }
}

fn critical_after(world: &mut World, wait_s: f64) -> f64 {
    let raise_at = world.now.plus_seconds(wait_s);
    while world.now < raise_at {
        world.step(raise_at);
    }
    let id = format!("critical-{wait_s}");
    world.gateway.commit(world.now, vec![alert(&id, 1, Severity::Critical)]);
    let limit = raise_at.plus_seconds(60.0);
    while !world.arrived(&id) && world.now < limit {
        world.step(limit);
    }
    world.now.seconds_since(raise_at)
}

#[test]
fn a_new_critical_alert_overtakes_ten_thousand_that_wait() {
    for rate in [Some(9_600), None] {
        let mut world = three_days_offline(rate);
        connack(&mut world);
        let at_connack_s = critical_after(&mut world, 0.0);
        assert!(at_connack_s < 5.0, "{at_connack_s:.1} s after CONNACK with limit {rate:?}");
        // In the middle of the backlog: with a configured limit nothing queues in the line.
        let in_between_s = critical_after(&mut world, 120.0);
        let limit_s = if rate.is_some() { 5.0 } else { 30.0 };
        assert!(in_between_s < limit_s, "{in_between_s:.1} s in the middle of the backlog with limit {rate:?}");
    }
}

#[test]
fn the_byte_budget_holds_at_2400_bits_a_second_and_what_is_urgent_still_arrives() {
    const RATE_BPS: u32 = 2_400;
    let mut world = three_days_offline(Some(RATE_BPS));
    connack(&mut world);
    let begin = world.now;
    let limit = begin.plus_seconds(600.0);
    while world.now < limit {
        world.step(limit);
    }
    // One second's worth may have been saved, and one message may run into debt.
    let allowed = f64::from(RATE_BPS) / 8.0 * 601.0 + 1200.0;
    let sent = world.sent_bytes as f64;
    assert!((0.95 * allowed..=allowed).contains(&sent), "{sent} bytes in 600 s, allowed are {allowed}");
    let critical_s = critical_after(&mut world, 1.0);
    assert!(critical_s < 8.0, "{critical_s:.1} s behind one message that was being paid for");
}

#[test]
fn the_backlog_leaves_in_order_of_urgency_and_ends() {
    let mut world = three_days_offline(Some(9_600));
    connack(&mut world);
    let begin = world.now;
    let limit = begin.plus_seconds(6.0 * 3600.0);
    while world.gateway.uplink.outbox().depth() > 0 && world.now < limit {
        world.step(limit);
    }
    assert_eq!(world.gateway.uplink.outbox().depth(), 0, "after {:.0} s", world.now.seconds_since(begin));
    // The centre's own alert about what it knows to be missing is not the gateway's.
    let entries = || world.file.entries().iter().filter(|entry| entry.epoch.0 == "e1");
    let arrived: Vec<Severity> = entries().map(|entry| Envelope::read(&entry.bytes).unwrap().alert.severity).collect();
    assert_eq!(arrived.len(), 10_000, "each once");
    assert!(arrived.windows(2).all(|pair| pair[0] >= pair[1]), "the most urgent first");
    let bytes: usize = entries().map(|entry| entry.bytes.len() + 24 + OVERHEAD_BYTES).sum();
    let ideal_s = bytes as f64 * 8.0 / LINE_BPS;
    let took_s = world.now.seconds_since(begin);
    assert!(took_s < 1.15 * ideal_s, "{took_s:.0} s for what fits into {ideal_s:.0} s");
}

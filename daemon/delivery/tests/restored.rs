//! A centre restored from a backup with very many gaps: what it has forgotten comes again, although no acknowledgement
//! has room for all it knows.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;
mod gateway;

use common::{alert, start};
use gateway::Gateway;
use vedette_delivery::engine::{Severity, Timestamp};
use vedette_delivery::ledger::{LedgerAction, LedgerEvent, MemoryLedger};
use vedette_delivery::uplink::{Action, Event, Publication, Receipt};
use vedette_delivery::{GatewayId, Ledger, LedgerConfig, Limits};

/// A line without latency and loss between a gateway and a centre.
struct Pair {
    now: Timestamp,
    gateway: Gateway,
    ledger: Ledger,
    file: MemoryLedger,
    partial: u32,
}

fn ledger(now: Timestamp, file: &mut MemoryLedger) -> Ledger {
    Ledger::start(LedgerConfig::new(GatewayId::new("centre").unwrap()), now, file).unwrap()
}

impl Pair {
    fn new() -> Self {
        let (mut file, now) = (MemoryLedger::new(), start());
        let gateway = Gateway::new(|config| config.limits = Limits { max_rows: 20_000, ..Limits::default() });
        Self { now, gateway, ledger: ledger(now, &mut file), file, partial: 0 }
    }

    fn connect(&mut self) {
        self.take(Event::Closed);
        self.pass(70.0, |_| false);
        self.take(Event::Connected);
        self.take(Event::Subscribed { granted: true });
        self.take(Event::Subscribed { granted: true });
    }

    fn take(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for action in self.gateway.handle(self.now, event) {
                let Action::Publish(Publication { id, topic, payload, properties, .. }) = action else { continue };
                events.insert(0, Event::Receipt { id, receipt: Receipt::Taken });
                events.extend(self.tell(LedgerEvent::Message { topic, payload, retained: false, properties }));
            }
        }
    }

    fn tell(&mut self, event: LedgerEvent) -> Vec<Event> {
        let mut actions = Vec::new();
        self.ledger.handle(self.now, &mut self.file, event, &mut actions);
        let event = |action| match action {
            LedgerAction::Publish(Publication { topic, payload, properties, .. }) => {
                Some(Event::Message { topic, payload, properties })
            }
            LedgerAction::Announce(_) => None,
        };
        let events: Vec<Event> = actions.into_iter().filter_map(event).collect();
        let partial = |event: &&Event| matches!(event, Event::Message { payload, .. } if payload.windows(9).any(|w| w == b"\"partial\""));
        self.partial += u32::try_from(events.iter().filter(partial).count()).unwrap();
        events
    }

    /// Lets time pass until `done`, at most so long.
    fn pass(&mut self, limit_s: f64, done: impl Fn(&Self) -> bool) {
        let until = self.now.plus_seconds(limit_s);
        while self.now < until && !done(self) {
            self.now = self.now.plus_seconds(0.05);
            for event in self.tell(LedgerEvent::Tick) {
                self.take(event);
            }
            self.take(Event::Tick);
        }
    }

    fn entries(&self) -> usize {
        self.file.entries().iter().filter(|entry| entry.epoch.0 == "e1").count()
    }
}

#[test]
fn what_a_centre_with_many_gaps_has_forgotten_comes_again() {
    let mut pair = Pair::new();
    for n in 0..800 {
        let severity = if n % 2 == 0 { Severity::High } else { Severity::Low };
        pair.gateway.commit(pair.now, vec![alert(&format!("a{n}"), 1, severity)]);
    }
    pair.connect();
    pair.pass(600.0, |pair| pair.entries() >= 300);
    let backup = pair.file.clone();
    assert!((300..=400).contains(&pair.entries()), "the urgent half, with a gap after each: {}", pair.entries());
    pair.pass(600.0, |pair| pair.entries() == 800 && pair.gateway.uplink.outbox().depth() == 0);
    assert_eq!((pair.entries(), pair.gateway.uplink.outbox().depth()), (800, 0));

    pair.file = backup;
    pair.ledger = ledger(pair.now, &mut pair.file);
    pair.partial = 0;
    pair.connect();
    pair.pass(3600.0, |pair| pair.entries() == 800 && pair.gateway.uplink.outbox().depth() == 0);
    assert!(pair.partial > 0, "every acknowledgement had room for all");
    assert_eq!((pair.entries(), pair.gateway.uplink.outbox().depth()), (800, 0), "each is back, once");
}

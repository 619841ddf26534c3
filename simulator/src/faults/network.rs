//! The lines between broker and parties: latency, loss, repetition, connections that hang, and what each end makes of it.

use vedette_delivery::Channel;
use vedette_delivery::ledger::LedgerEvent;
use vedette_delivery::uplink::Event;
use vedette_engine::Timestamp;

use super::broker::{Inbound, Packet, Party, Sent};
use super::gateway::Told;
use super::world::{Happening, World};

/// A client library gives a silent connection up after three keep-alives, seconds.
pub(super) const SILENCE_S: f64 = 60.0;
/// A broker gives a silent client up after one and a half keep-alives, seconds.
pub(super) const BROKER_SILENCE_S: f64 = 30.0;

/// One TCP connection: alive until one side knows better; each direction keeps its order.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) alive: bool,
    up: Timestamp,
    down: Timestamp,
}

impl World {
    pub(super) fn hang_up(&mut self, party: Party) {
        if let Some(connection) = self.connection.remove(&party)
            && let Some(line) = self.lines.get_mut(&connection)
            && line.alive
        {
            line.alive = false;
            self.after(0.1, Happening::BrokerMisses(connection));
        }
    }

    pub(super) fn connect(&mut self, party: Party) {
        self.hang_up(party);
        let connection = self.next_connection;
        self.next_connection += 1;
        self.connection.insert(party, connection);
        let cut = self.cut_until.get(&party).is_some_and(|until| self.now < *until);
        self.lines.insert(connection, Line { alive: !cut, up: self.now, down: self.now });
        if cut {
            // The connection attempt runs into its own limit.
            self.after(10.0, Happening::ToParty(party, connection, Inbound::Closed));
        } else {
            self.send_up(party, connection, Packet::Connect);
        }
    }

    fn latency_s(&mut self) -> f64 {
        self.random.uniform(0.01, 0.2)
    }

    pub(super) fn send_up(&mut self, party: Party, connection: u64, packet: Packet) {
        let latency_s = self.latency_s();
        let Some(line) = self.lines.get_mut(&connection).filter(|line| line.alive) else { return };
        line.up = line.up.max(self.now.plus_seconds(latency_s));
        let time = line.up;
        self.at(time, Happening::ToBroker(party, connection, packet));
    }

    pub(super) fn at_broker(&mut self, party: Party, connection: u64, packet: Packet) {
        if !self.lines.get(&connection).is_some_and(|line| line.alive) {
            return;
        }
        if self.broker.down_until.is_some_and(|until| self.now < until) {
            self.close_line(party, connection);
            return;
        }
        self.broker.down_until = None;
        if let Some(until) = self.broker.stalled_until.filter(|until| self.now < *until) {
            self.at(until, Happening::ToBroker(party, connection, packet));
            return;
        }
        let sent = self.broker.take(party, connection, packet);
        self.broker_sends(sent);
    }

    pub(super) fn close_line(&mut self, party: Party, connection: u64) {
        if let Some(line) = self.lines.get_mut(&connection) {
            line.alive = false;
        }
        self.after(0.1, Happening::ToParty(party, connection, Inbound::Closed));
    }

    fn party_of(&self, connection: u64) -> Option<Party> {
        self.connection.iter().find(|(_, current)| **current == connection).map(|(&party, _)| party)
    }

    pub(super) fn broker_sends(&mut self, sent: Sent) {
        for (connection, inbound) in sent {
            let Some(party) = self.party_of(connection) else { continue };
            let latency_s = self.latency_s();
            let Some(line) = self.lines.get_mut(&connection).filter(|line| line.alive) else { continue };
            line.down = line.down.max(self.now.plus_seconds(latency_s));
            let time = line.down;
            if !matches!(inbound, Inbound::Message { .. }) {
                self.at(time, Happening::ToParty(party, connection, inbound));
                continue;
            }
            if self.random.chance(self.plan.duplication) {
                self.oracle.outcome.faults += 1;
                let again = time.plus_seconds(self.random.uniform(0.0, 20.0));
                self.at(again, Happening::ToParty(party, connection, inbound.clone()));
            }
            if self.random.chance(self.plan.loss) {
                self.oracle.outcome.faults += 1;
            } else if self.random.chance(self.plan.reordering) {
                self.oracle.outcome.faults += 1;
                let late = time.plus_seconds(self.random.uniform(0.0, 30.0));
                self.at(late, Happening::ToParty(party, connection, inbound));
            } else {
                self.at(time, Happening::ToParty(party, connection, inbound));
            }
        }
    }

    pub(super) fn at_party(&mut self, party: Party, connection: u64, inbound: Inbound) {
        if self.connection.get(&party) != Some(&connection) {
            return;
        }
        let alive = self.lines.get(&connection).is_some_and(|line| line.alive);
        if !alive && !matches!(inbound, Inbound::Closed) {
            return;
        }
        if matches!(inbound, Inbound::Closed) {
            self.hang_up(party);
        }
        match party {
            Party::Gateway => {
                let event = match inbound {
                    Inbound::Connected => Event::Connected,
                    Inbound::Subscribed => Event::Subscribed { granted: true },
                    Inbound::Receipt { id, receipt } => Event::Receipt { id, receipt },
                    Inbound::Message { topic, payload, properties, .. } => {
                        Event::Message { topic, payload, properties }
                    }
                    Inbound::Closed => Event::Closed,
                };
                self.gateway_turn(Told::Link(event));
            }
            Party::Centre => self.centre_hears(connection, inbound),
        }
    }

    fn centre_hears(&mut self, connection: u64, inbound: Inbound) {
        let Some(process) = &mut self.centre.process else { return };
        match inbound {
            Inbound::Connected => {
                process.granted = 0;
                let filters = Channel::TO_CENTRE.iter().map(|channel| channel.filter()).collect();
                self.send_up(Party::Centre, connection, Packet::Subscribe(filters));
            }
            Inbound::Subscribed => {
                process.granted += 1;
                if process.granted == Channel::TO_CENTRE.len() {
                    self.centre_takes(LedgerEvent::Connected);
                }
            }
            Inbound::Receipt { .. } => {}
            Inbound::Message { topic, payload, retained, properties } => {
                self.centre_takes(LedgerEvent::Message { topic, payload, retained, properties });
            }
            Inbound::Closed => {
                self.centre_takes(LedgerEvent::Closed);
                let pause_s = self.random.uniform(0.5, 5.0);
                self.after(pause_s, Happening::CentreConnects);
            }
        }
    }
}

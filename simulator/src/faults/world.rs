//! Virtual time: what happens when, on which line, and which trouble strikes.

use std::collections::{BTreeMap, BTreeSet};

use vedette_delivery::ledger::LedgerEvent;
use vedette_delivery::uplink::{Action, Event, Report};
use vedette_delivery::{Channel, GatewayId};
use vedette_engine::Timestamp;

use super::broker::{Broker, Inbound, Packet, Party, Sent};
use super::hosts::{CentreHost, Dies, GatewayHost};
use super::oracle::{Oracle, Outcome};
use super::{Family, Plan};
use crate::random::Random;

/// Faults strike for this long, seconds.
const TROUBLED_S: f64 = 3600.0;
/// Then all is calm for at most this long, seconds.
const CALM_S: f64 = 7200.0;
/// A centre restored at the last moment is noticed with the next status message: nothing is settled before, seconds.
const SETTLE_S: f64 = 300.0;
/// A client library gives a silent connection up after three keep-alives, seconds.
const SILENCE_S: f64 = 60.0;
/// A broker gives a silent client up after one and a half keep-alives, seconds.
const BROKER_SILENCE_S: f64 = 30.0;

#[derive(Debug)]
enum Happening {
    Raise,
    Wake(Party, u64),
    Start(Party),
    ToBroker(Party, u64, Packet),
    ToParty(Party, u64, Inbound),
    BrokerMisses(u64),
    CentreConnects,
    Trouble(Trouble),
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    BrokerRestart,
    Partition,
    Stall,
    ClockJump,
    Restore,
}

/// One TCP connection: alive until one side knows better; each direction keeps its order.
#[derive(Debug)]
struct Line {
    alive: bool,
    up: Timestamp,
    down: Timestamp,
}

/// Everything of one seed.
#[derive(Debug)]
pub(super) struct World {
    plan: Plan,
    random: Random,
    now: Timestamp,
    calm_from: Timestamp,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    count: u64,
    broker: Broker,
    lines: BTreeMap<u64, Line>,
    gateway: GatewayHost,
    centre: CentreHost,
    connection: BTreeMap<Party, u64>,
    cut_until: BTreeMap<Party, Timestamp>,
    wakes: BTreeMap<Party, u64>,
    next_connection: u64,
    oracle: Oracle,
}

impl World {
    pub(super) fn new(family: Family, seed: u64) -> Self {
        let mut random = Random::stream(seed, family.name());
        let plan = Plan::new(family, &mut random);
        let id = |name: &str| GatewayId::new(name);
        let (gateway, centre) = match (id("gate"), id("centre")) {
            (Ok(gateway), Ok(centre)) => (gateway, centre),
            (Err(error), _) | (_, Err(error)) => unreachable!("fixed names are valid: {error}"),
        };
        let now = Timestamp::from_seconds(1_772_000_000);
        let mut world = Self {
            plan,
            random,
            now,
            calm_from: now.plus_seconds(TROUBLED_S),
            queue: BTreeMap::new(),
            count: 0,
            broker: Broker::new(gateway.clone()),
            lines: BTreeMap::new(),
            gateway: GatewayHost::new(gateway, seed, &plan),
            centre: CentreHost::new(centre, seed),
            connection: BTreeMap::new(),
            cut_until: BTreeMap::new(),
            wakes: BTreeMap::new(),
            next_connection: 1,
            oracle: Oracle::default(),
        };
        world.after(0.0, Happening::Start(Party::Centre));
        world.after(0.5, Happening::Start(Party::Gateway));
        world.after(1.0, Happening::Raise);
        for trouble in
            [Trouble::BrokerRestart, Trouble::Partition, Trouble::Stall, Trouble::ClockJump, Trouble::Restore]
        {
            world.next_trouble(trouble);
        }
        world
    }

    fn after(&mut self, wait_s: f64, happening: Happening) {
        self.at(self.now.plus_seconds(wait_s.max(0.0)), happening);
    }

    fn at(&mut self, time: Timestamp, happening: Happening) {
        self.count += 1;
        self.queue.insert((time.max(self.now), self.count), happening);
    }

    fn next_trouble(&mut self, trouble: Trouble) {
        let mean_s = match trouble {
            Trouble::BrokerRestart => self.plan.broker_restart_s,
            Trouble::Partition => self.plan.partition_s,
            Trouble::Stall => self.plan.stall_s,
            Trouble::ClockJump => self.plan.clock_jump_s,
            Trouble::Restore => self.plan.restore_s,
        };
        if mean_s > 0.0 {
            let wait_s = self.random.exponential(mean_s);
            self.after(wait_s, Happening::Trouble(trouble));
        }
    }

    pub(super) fn play(mut self) -> Outcome {
        let mut calm = false;
        while let Some(((time, _), happening)) = self.queue.pop_first() {
            self.now = time;
            if !calm && time >= self.calm_from {
                calm = true;
                self.plan = Plan { small_store: self.plan.small_store, ..Plan::default() };
            }
            self.happen(happening);
            let depth = self.gateway.uplink.as_ref().map_or(0, |uplink| uplink.outbox().depth());
            self.oracle.watch(self.now, depth, self.centre.disk.entries().len());
            let settled = time > self.calm_from.plus_seconds(SETTLE_S) && self.settled();
            if calm && (settled || time > self.calm_from.plus_seconds(CALM_S)) {
                break;
            }
        }
        let (epoch, last, left) = match &self.gateway.uplink {
            Some(uplink) => (uplink.outbox().epoch().clone(), uplink.outbox().last_seq(), format!("{uplink:?}")),
            None => (vedette_delivery::Epoch(String::new()), 0, "not running".to_owned()),
        };
        let left: String = left.chars().take(2000).collect();
        self.oracle.judge(&self.centre.disk, &epoch, last, &left)
    }

    /// Nothing waits at the gateway, and the centre has shown all it has.
    fn settled(&self) -> bool {
        let Some(uplink) = &self.gateway.uplink else { return false };
        let outbox = uplink.outbox();
        let shown = self.centre.disk.entries().last().is_none_or(|entry| self.oracle.announced.contains(&entry.n));
        outbox.depth() == 0 && outbox.voids().next().is_none() && shown && self.gateway.retry_at.is_none()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Raise => {
                if self.now < self.calm_from {
                    let pause_s = self.gateway.workload.pause_s();
                    self.after(pause_s, Happening::Raise);
                    if self.gateway.uplink.is_some() {
                        self.gateway.raise(self.now);
                        self.commit();
                    }
                }
            }
            Happening::Wake(party, number) => {
                if self.wakes.get(&party) == Some(&number) {
                    match party {
                        Party::Gateway if self.gateway.retry_at.is_some_and(|at| at <= self.now) => self.commit(),
                        Party::Gateway => self.gateway_takes(Event::Tick),
                        Party::Centre => self.centre_takes(LedgerEvent::Tick),
                    }
                }
            }
            Happening::Start(party) => self.start(party),
            Happening::ToBroker(party, connection, packet) => self.at_broker(party, connection, packet),
            Happening::ToParty(party, connection, inbound) => self.at_party(party, connection, inbound),
            Happening::BrokerMisses(connection) => {
                let sent = self.broker.lost(connection);
                self.broker_sends(sent);
            }
            Happening::CentreConnects => self.connect(Party::Centre),
            Happening::Trouble(trouble) => {
                if self.now < self.calm_from {
                    self.oracle.outcome.faults += 1;
                    self.strike(trouble);
                    self.next_trouble(trouble);
                }
            }
        }
    }

    fn start(&mut self, party: Party) {
        let started = match party {
            Party::Gateway => self.gateway.start(self.now, &self.plan, &mut self.oracle),
            Party::Centre => self.centre.start(self.now, &self.plan, &mut self.oracle),
        };
        if !started {
            self.after(2.0, Happening::Start(party));
        } else if party == Party::Centre {
            self.connect(Party::Centre);
            self.centre_takes(LedgerEvent::Tick);
        } else {
            self.gateway_takes(Event::Tick);
        }
    }

    fn dies(&mut self, party: Party) {
        match party {
            Party::Gateway => self.gateway.die(),
            Party::Centre => self.centre.die(),
        }
        self.hang_up(party);
        let pause_s = self.random.uniform(0.5, 30.0);
        self.after(pause_s, Happening::Start(party));
    }

    fn hang_up(&mut self, party: Party) {
        if let Some(connection) = self.connection.remove(&party)
            && let Some(line) = self.lines.get_mut(&connection)
            && line.alive
        {
            line.alive = false;
            self.after(0.1, Happening::BrokerMisses(connection));
        }
    }

    fn connect(&mut self, party: Party) {
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

    fn send_up(&mut self, party: Party, connection: u64, packet: Packet) {
        let latency_s = self.latency_s();
        let Some(line) = self.lines.get_mut(&connection).filter(|line| line.alive) else { return };
        line.up = line.up.max(self.now.plus_seconds(latency_s));
        let time = line.up;
        self.at(time, Happening::ToBroker(party, connection, packet));
    }

    fn at_broker(&mut self, party: Party, connection: u64, packet: Packet) {
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

    fn close_line(&mut self, party: Party, connection: u64) {
        if let Some(line) = self.lines.get_mut(&connection) {
            line.alive = false;
        }
        self.after(0.1, Happening::ToParty(party, connection, Inbound::Closed));
    }

    fn party_of(&self, connection: u64) -> Option<Party> {
        self.connection.iter().find(|(_, current)| **current == connection).map(|(&party, _)| party)
    }

    fn broker_sends(&mut self, sent: Sent) {
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

    fn at_party(&mut self, party: Party, connection: u64, inbound: Inbound) {
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
                self.gateway_takes(event);
            }
            Party::Centre => self.centre_hears(connection, inbound),
        }
    }

    fn centre_hears(&mut self, connection: u64, inbound: Inbound) {
        if self.centre.ledger.is_none() {
            return;
        }
        match inbound {
            Inbound::Connected => {
                self.centre.granted = 0;
                let filters = Channel::TO_CENTRE.iter().map(|channel| channel.filter()).collect();
                self.send_up(Party::Centre, connection, Packet::Subscribe(filters));
            }
            Inbound::Subscribed => {
                self.centre.granted += 1;
                if self.centre.granted == Channel::TO_CENTRE.len() {
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

    fn commit(&mut self) {
        match self.gateway.commit(self.now, &self.plan, &mut self.oracle) {
            Ok(()) => self.gateway_takes(Event::Tick),
            Err(Dies) => self.dies(Party::Gateway),
        }
    }

    fn gateway_takes(&mut self, event: Event) {
        let (actions, dies) = self.gateway.handle(self.now, event, &self.plan, &mut self.oracle);
        let mut renew = false;
        for action in actions {
            let connection = self.connection.get(&Party::Gateway).copied();
            match (action, connection) {
                (Action::Connect, _) => self.connect(Party::Gateway),
                (Action::Subscribe(filters), Some(connection)) => {
                    self.send_up(Party::Gateway, connection, Packet::Subscribe(filters));
                }
                (Action::Publish(publication), Some(connection)) => {
                    self.send_up(Party::Gateway, connection, Packet::Publish(publication));
                }
                (Action::Disconnect, _) => self.hang_up(Party::Gateway),
                (Action::Report(Report::StoreIsOld), _) => renew = true,
                _ => {}
            }
        }
        if dies.is_some() {
            self.dies(Party::Gateway);
            return;
        }
        if renew {
            self.gateway.renew();
        }
        let deadline = self.gateway.uplink.as_ref().and_then(vedette_delivery::Uplink::next_deadline);
        let wait_s = deadline.map_or(3600.0, |deadline| self.gateway.clock.wait_s(deadline));
        let retry_s = self.gateway.retry_at.map_or(3600.0, |at| at.seconds_since(self.now));
        self.wake(Party::Gateway, wait_s.min(retry_s));
    }

    fn centre_takes(&mut self, event: LedgerEvent) {
        let (publications, dies) = self.centre.handle(self.now, event, &self.plan, &mut self.oracle);
        if let Some(&connection) = self.connection.get(&Party::Centre) {
            for publication in publications {
                self.send_up(Party::Centre, connection, Packet::Publish(publication));
            }
        }
        if dies.is_some() {
            self.dies(Party::Centre);
            return;
        }
        if let Some(deadline) = self.centre.ledger.as_ref().and_then(vedette_delivery::Ledger::next_deadline) {
            let wait_s = self.centre.clock.wait_s(deadline);
            self.wake(Party::Centre, wait_s);
        }
    }

    fn wake(&mut self, party: Party, wait_s: f64) {
        let number = self.wakes.entry(party).or_default();
        *number += 1;
        let number = *number;
        self.after(wait_s.max(0.001), Happening::Wake(party, number));
    }

    fn strike(&mut self, trouble: Trouble) {
        let party = if self.random.chance(0.5) { Party::Gateway } else { Party::Centre };
        match trouble {
            Trouble::BrokerRestart => {
                let until = self.now.plus_seconds(self.random.uniform(0.5, 60.0));
                let lost: BTreeSet<u64> = self.broker.die(until).into_iter().collect();
                let current: Vec<_> = self.connection.iter().map(|(&party, &c)| (party, c)).collect();
                for (party, connection) in current {
                    if lost.contains(&connection) {
                        self.close_line(party, connection);
                    }
                }
            }
            Trouble::Partition => {
                let until = self.now.plus_seconds(self.random.exponential(120.0));
                self.cut_until.insert(party, until);
                if let Some(&connection) = self.connection.get(&party) {
                    if let Some(line) = self.lines.get_mut(&connection) {
                        line.alive = false;
                    }
                    self.after(SILENCE_S, Happening::ToParty(party, connection, Inbound::Closed));
                    self.after(BROKER_SILENCE_S, Happening::BrokerMisses(connection));
                }
            }
            Trouble::Stall => {
                let until = self.now.plus_seconds(self.random.exponential(60.0));
                self.broker.stalled_until = Some(until);
            }
            Trouble::ClockJump => {
                let jump_s = match self.random.below(4) {
                    0 => self.random.uniform(-10.0, 10.0),
                    1 => self.random.uniform(-7200.0, 7200.0),
                    2 => 86_400.0,
                    _ => 1e6,
                };
                let clock = if party == Party::Gateway { &mut self.gateway.clock } else { &mut self.centre.clock };
                clock.offset_s += jump_s;
            }
            Trouble::Restore => match self.centre.backup.take() {
                None => self.centre.backup = Some(self.centre.disk.clone()),
                Some(backup) => {
                    self.centre.disk = backup;
                    self.dies(Party::Centre);
                }
            },
        }
    }
}

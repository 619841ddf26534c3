//! Virtual time: what happens when, to whom.

use std::collections::BTreeMap;

use vedette_delivery::ledger::LedgerEvent;
use vedette_delivery::uplink::Action;
use vedette_delivery::{Epoch, GatewayId, Order, message};
use vedette_engine::config::EngineConfig;
use vedette_engine::{RadioFrame, Timestamp};

use super::Family;
use super::broker::{Broker, Inbound, Packet, Party};
use super::centre::CentreHost;
use super::field::{Deed, Field, NODE_RETRY_S, SCAN_S};
use super::gateway::{GatewayHost, Told};
use super::network::Line;
use super::oracle::{Oracle, Outcome};
use super::plan::Plan;
use super::trouble::Trouble;
use crate::random::Random;

/// Faults strike for this long, seconds.
const TROUBLED_S: f64 = 3600.0;
/// Then all is calm for at most this long, seconds.
const CALM_S: f64 = 7200.0;
/// A centre restored at the last moment is noticed with the next status message: nothing is settled before, seconds.
const SETTLE_S: f64 = 300.0;
/// An order is given up when it was not answered within this time, seconds.
const ORDER_EXPIRES_S: f64 = 900.0;
/// Radio frames are lost this often in each direction, and heard twice this often, in all families.
const RADIO_LOSS: f64 = 0.1;
const RADIO_TWICE: f64 = 0.1;

#[derive(Debug)]
pub(super) enum Happening {
    /// Somebody does something.
    Deed,
    /// The radar turns.
    Scan,
    /// A node sends what it has.
    NodeSends(u32),
    /// A frame of a node reaches the gateway.
    RadioUp(RadioFrame),
    /// The gateway's acknowledgement reaches the node: node and counter.
    RadioDown(u32, u32),
    /// A process wanted to be woken; by number, for only the last wish counts.
    Wake(Party, u64),
    /// A process starts.
    Start(Party),
    ToBroker(Party, u64, Packet),
    ToParty(Party, u64, Inbound),
    /// The broker notices that a connection is gone.
    BrokerMisses(u64),
    CentreConnects,
    Trouble(Trouble),
}

/// Everything of one seed.
#[derive(Debug)]
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) random: Random,
    pub(super) now: Timestamp,
    calm_from: Timestamp,
    queue: BTreeMap<(Timestamp, u64), Happening>,
    count: u64,
    pub(super) broker: Broker,
    pub(super) lines: BTreeMap<u64, Line>,
    field: Field,
    scanning: bool,
    pub(super) gateway: GatewayHost,
    pub(super) centre: CentreHost,
    pub(super) connection: BTreeMap<Party, u64>,
    pub(super) cut_until: BTreeMap<Party, Timestamp>,
    wakes: BTreeMap<Party, u64>,
    pub(super) next_connection: u64,
    pub(super) oracle: Oracle,
}

/// The site's configuration.
fn site() -> EngineConfig {
    match toml::from_str(include_str!("site.toml")) {
        Ok(config) => config,
        Err(error) => unreachable!("the file is part of the program: {error}"),
    }
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
            field: Field::new(seed),
            scanning: false,
            gateway: GatewayHost::new(gateway, site(), seed, &plan),
            centre: CentreHost::new(centre, seed),
            connection: BTreeMap::new(),
            cut_until: BTreeMap::new(),
            wakes: BTreeMap::new(),
            next_connection: 1,
            oracle: Oracle::default(),
        };
        world.after(0.0, Happening::Start(Party::Centre));
        world.after(0.5, Happening::Start(Party::Gateway));
        world.after(1.0, Happening::Deed);
        for trouble in Trouble::ALL {
            world.next_trouble(trouble);
        }
        world
    }

    pub(super) fn after(&mut self, wait_s: f64, happening: Happening) {
        self.at(self.now.plus_seconds(wait_s.max(0.0)), happening);
    }

    pub(super) fn at(&mut self, time: Timestamp, happening: Happening) {
        self.count += 1;
        self.queue.insert((time.max(self.now), self.count), happening);
    }

    pub(super) fn play(mut self) -> Outcome {
        let mut calm = false;
        while let Some(((time, _), happening)) = self.queue.pop_first() {
            self.now = time;
            if !calm && time >= self.calm_from {
                calm = true;
                self.plan = self.plan.calm();
            }
            self.happen(happening);
            let depth = self.gateway.process.as_ref().map_or(0, |process| process.uplink().outbox().depth());
            self.oracle.watch(self.now, depth, self.centre.disk.entries().len());
            let settled = time > self.calm_from.plus_seconds(SETTLE_S) && self.settled();
            if calm && (settled || time > self.calm_from.plus_seconds(CALM_S)) {
                break;
            }
        }
        let (epoch, last, left) = match &self.gateway.process {
            Some(process) => {
                self.oracle.check_radio(process.radio_counts());
                let outbox = process.uplink().outbox();
                (outbox.epoch().clone(), outbox.last_seq(), format!("{:?}", process.uplink()))
            }
            None => (Epoch(String::new()), 0, "not running".to_owned()),
        };
        let left: String = left.chars().take(2000).collect();
        self.oracle.judge_orders(&self.gateway.disk, &self.centre.disk);
        self.oracle.judge(&self.centre.disk, &epoch, last, &left)
    }

    /// Nothing waits at the gateway, every order is answered, and the centre has everything and has shown it. A centre that
    /// was restored and then cut off for long has yet to find out what it has forgotten.
    fn settled(&self) -> bool {
        let (Some(process), Some(centre)) = (&self.gateway.process, &self.centre.process) else { return false };
        let outbox = process.uplink().outbox();
        let complete = centre.has_all(self.broker.gateway(), outbox.epoch(), outbox.last_seq());
        let shown = self.centre.disk.entries().last().is_none_or(|entry| self.oracle.has_seen(entry.n));
        let answered = self.centre.disk.orders().all(|record| record.answer.is_some());
        outbox.depth() == 0 && outbox.voids().next().is_none() && shown && answered && complete && process.is_idle()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Deed if self.now < self.calm_from => self.deed(),
            Happening::Deed => {}
            Happening::Scan => self.scan(),
            Happening::NodeSends(node) => self.node_sends(node),
            Happening::RadioUp(frame) => self.gateway_turn(Told::Radio(frame)),
            Happening::RadioDown(node, counter) => {
                if let Some(node) = self.field.nodes.get_mut(&node) {
                    node.acknowledged(counter);
                }
            }
            Happening::Wake(party, number) => {
                if self.wakes.get(&party) == Some(&number) {
                    match party {
                        Party::Gateway => self.gateway_turn(Told::Time),
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

    fn deed(&mut self) {
        let pause_s = self.field.pause_s();
        self.after(pause_s, Happening::Deed);
        match self.field.deed(self.now) {
            Deed::Walk if self.scanning => {}
            Deed::Walk => {
                self.scanning = true;
                self.after(SCAN_S, Happening::Scan);
            }
            Deed::Seen(nodes) => {
                for number in nodes {
                    if self.field.nodes.get_mut(&number).is_some_and(|node| !std::mem::replace(&mut node.busy, true)) {
                        self.after(0.1, Happening::NodeSends(number));
                    }
                }
            }
            Deed::Test(command) => self.gateway_turn(Told::Command(command)),
            Deed::Order => {
                if self.centre.process.is_some() {
                    let (now, alerts) = self.centre.shown(self.now);
                    let command = self.field.order(now, &alerts);
                    let expires_at = now.plus_seconds(ORDER_EXPIRES_S);
                    let (gateway, order) =
                        (self.broker.gateway().clone(), Order { v: message::VERSION, command, expires_at });
                    self.centre_takes(LedgerEvent::Order { gateway, order });
                }
            }
        }
    }

    fn scan(&mut self) {
        // The radar sets its clock by the gateway's host.
        let stamp = self.now.plus_seconds(self.gateway.system_s);
        if let Some(bytes) = self.field.scan(self.now, stamp) {
            self.gateway_turn(Told::Message(bytes));
        }
        self.scanning = self.field.walked();
        if self.scanning {
            self.after(SCAN_S, Happening::Scan);
        }
    }

    fn node_sends(&mut self, number: u32) {
        let Some(node) = self.field.nodes.get_mut(&number) else { return };
        let Some(frame) = node.frame(self.now) else {
            node.busy = false;
            return;
        };
        if self.random.chance(RADIO_TWICE) {
            self.after(0.5, Happening::RadioUp(frame.clone()));
        }
        if !self.random.chance(RADIO_LOSS) {
            self.after(0.3, Happening::RadioUp(frame));
        }
        let pause_s = NODE_RETRY_S * self.random.uniform(0.8, 1.2);
        self.after(pause_s, Happening::NodeSends(number));
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
            self.gateway_turn(Told::Time);
        }
    }

    pub(super) fn dies(&mut self, party: Party) {
        match party {
            Party::Gateway => self.gateway.process = None,
            Party::Centre => self.centre.process = None,
        }
        self.hang_up(party);
        let pause_s = self.random.uniform(0.5, 30.0);
        self.after(pause_s, Happening::Start(party));
    }

    /// One turn of the gateway's process, and what leaves it.
    pub(super) fn gateway_turn(&mut self, told: Told) {
        if self.gateway.process.is_none() {
            return;
        }
        let (left, result) = self.gateway.turn(self.now, told, &self.plan, &mut self.oracle);
        for (node, counter) in left.acknowledged {
            if !self.random.chance(RADIO_LOSS) {
                self.after(0.3, Happening::RadioDown(node, counter));
            }
        }
        for action in left.actions {
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
                _ => {}
            }
        }
        if result.is_err() {
            self.dies(Party::Gateway);
        } else if let Some(process) = &self.gateway.process {
            let wait_s = process.wait_s(self.now);
            self.wake(Party::Gateway, wait_s);
        }
    }

    pub(super) fn centre_takes(&mut self, event: LedgerEvent) {
        let (publications, result) = self.centre.take(self.now, event, &self.plan, &mut self.oracle);
        if let Some(&connection) = self.connection.get(&Party::Centre) {
            for publication in publications {
                self.send_up(Party::Centre, connection, Packet::Publish(publication));
            }
        }
        if result.is_err() {
            self.dies(Party::Centre);
        } else if let Some(wait_s) = self.centre.process.as_ref().and_then(|process| process.wait_s(self.now)) {
            self.wake(Party::Centre, wait_s);
        }
    }

    fn wake(&mut self, party: Party, wait_s: f64) {
        let number = self.wakes.entry(party).or_default();
        *number += 1;
        let number = *number;
        self.after(wait_s.max(0.001), Happening::Wake(party, number));
    }
}

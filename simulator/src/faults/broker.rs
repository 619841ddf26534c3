//! The broker of the simulation: sessions, subscriptions, retained messages and last wills; no memory over a restart.

use std::collections::{BTreeMap, BTreeSet};

use vedette_delivery::message::{self, Status};
use vedette_delivery::uplink::{Publication, Receipt};
use vedette_delivery::{Channel, GatewayId};
use vedette_engine::Timestamp;

/// Who has a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    Gateway,
    Centre,
}

/// From a party to the broker.
#[derive(Clone, Debug)]
pub(super) enum Packet {
    Connect,
    Subscribe(Vec<String>),
    Publish(Publication),
}

/// From the broker to a party.
#[derive(Clone, Debug)]
pub(super) enum Inbound {
    Connected,
    Subscribed,
    Receipt { id: u64, receipt: Receipt },
    Message { topic: String, payload: Vec<u8>, retained: bool, properties: Vec<(String, String)> },
    Closed,
}

/// What the broker sends: to which connection, what; messages may meet faults on their way, answers do not.
pub(super) type Sent = Vec<(u64, Inbound)>;

#[derive(Debug)]
struct Session {
    party: Party,
    filters: BTreeSet<String>,
}

#[derive(Debug)]
struct Retained {
    payload: Vec<u8>,
    properties: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) struct Broker {
    gateway: GatewayId,
    pub(super) down_until: Option<Timestamp>,
    pub(super) stalled_until: Option<Timestamp>,
    sessions: BTreeMap<u64, Session>,
    retained: BTreeMap<String, Retained>,
}

fn matches(filter: &str, topic: &str) -> bool {
    let mut levels = topic.split('/');
    let same = filter.split('/').all(|level| levels.next().is_some_and(|other| level == "+" || level == other));
    same && levels.next().is_none()
}

impl Broker {
    pub(super) const fn new(gateway: GatewayId) -> Self {
        Self { gateway, down_until: None, stalled_until: None, sessions: BTreeMap::new(), retained: BTreeMap::new() }
    }

    /// The only gateway it knows.
    pub(super) const fn gateway(&self) -> &GatewayId {
        &self.gateway
    }

    /// Everything it had is gone; the connections that existed are returned.
    pub(super) fn die(&mut self, until: Timestamp) -> Vec<u64> {
        self.down_until = Some(until);
        self.stalled_until = None;
        self.retained.clear();
        std::mem::take(&mut self.sessions).into_keys().collect()
    }

    /// The broker notices that a connection is gone: a gateway's last will is published.
    pub(super) fn lost(&mut self, connection: u64) -> Sent {
        match self.sessions.remove(&connection) {
            Some(Session { party: Party::Gateway, .. }) => self.route(Publication {
                id: 0,
                topic: Channel::Status.topic(&self.gateway),
                payload: message::write(&Status::offline()),
                reliable: false,
                retain: true,
                properties: Vec::new(),
            }),
            _ => Sent::new(),
        }
    }

    pub(super) fn take(&mut self, party: Party, connection: u64, packet: Packet) -> Sent {
        if matches!(packet, Packet::Connect) {
            // The same client id: the older connection ends.
            let older: Vec<u64> = self.sessions.iter().filter(|(_, s)| s.party == party).map(|(&c, _)| c).collect();
            let mut sent = Sent::new();
            for connection in older {
                sent.extend(self.lost(connection));
                sent.push((connection, Inbound::Closed));
            }
            self.sessions.insert(connection, Session { party, filters: BTreeSet::new() });
            sent.push((connection, Inbound::Connected));
            return sent;
        }
        let Some(session) = self.sessions.get_mut(&connection) else { return Sent::new() };
        match packet {
            Packet::Connect => Sent::new(),
            Packet::Subscribe(filters) => {
                let mut sent: Sent = filters.iter().map(|_| (connection, Inbound::Subscribed)).collect();
                for (topic, kept) in &self.retained {
                    if filters.iter().any(|filter| matches(filter, topic)) {
                        let Retained { payload, properties } = kept;
                        let (payload, properties) = (payload.clone(), properties.clone());
                        let topic = topic.clone();
                        sent.push((connection, Inbound::Message { topic, payload, retained: true, properties }));
                    }
                }
                session.filters.extend(filters);
                sent
            }
            Packet::Publish(publication) => {
                let (id, reliable) = (publication.id, publication.reliable);
                let mut sent = self.route(publication);
                if reliable {
                    let receipt = if sent.is_empty() { Receipt::NoSubscriber } else { Receipt::Taken };
                    sent.insert(0, (connection, Inbound::Receipt { id, receipt }));
                }
                sent
            }
        }
    }

    fn route(&mut self, publication: Publication) -> Sent {
        let Publication { topic, payload, properties, retain, .. } = publication;
        if retain {
            self.retained.insert(topic.clone(), Retained { payload: payload.clone(), properties: properties.clone() });
        }
        let subscribed = |session: &Session| session.filters.iter().any(|filter| matches(filter, &topic));
        let receivers: Vec<u64> = self.sessions.iter().filter(|(_, s)| subscribed(s)).map(|(&c, _)| c).collect();
        let message = |connection| {
            let (topic, payload, properties) = (topic.clone(), payload.clone(), properties.clone());
            (connection, Inbound::Message { topic, payload, retained: false, properties })
        };
        receivers.into_iter().map(message).collect()
    }
}

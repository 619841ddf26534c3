//! The centre's ledger: takes in what gateways send, commits it, and only then acknowledges.
//!
//! Sans-IO, in the style of [`crate::Uplink`]. Messages are collected for a few milliseconds and committed together;
//! after the commit each gateway gets one acknowledgement, and people get the new alerts.
//!
//! - Receiving is idempotent on gateway, epoch, number and content. The same number with another content is no
//!   repetition but another alert (a gateway whose store was set back): it is kept as well, and reported.
//! - A failed commit is simply forgotten: nothing was acknowledged, so the gateways send it again.
//! - Entries are announced after their commit, at least once: what the driver has not called [`Ledger::told`] about is
//!   announced again after a restart.
//! - The centre raises alerts of its own, in the same ledger: a gateway is silent, numbers are missing for too long, a
//!   gateway came back with a new store and left numbers behind.

mod commit;
mod config;
mod events;
mod memory;
mod own;
mod record;
mod store;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use vedette_engine::{Alert, Timestamp};

use crate::audit::AuditEntry;
use crate::message::{Answer, Envelope, Status, Void};
use crate::store::StoreError;
use crate::topic::{self, Channel, GatewayId};
use crate::uplink::Publication;
use crate::{Epoch, Keyring, Ranges, Verdict, VoidReason};

pub use config::LedgerConfig;
pub use events::{Announcement, LedgerAction, LedgerEvent};
pub use memory::MemoryLedger;
pub use store::{
    Digest, Entry, GatewayRecord, LedgerChanges, LedgerRestart, LedgerStore, OrderRecord, VoidEntry, digest,
};

/// Greatest number of messages in one commit, and of messages that wait for one.
const MAX_GROUP: usize = 512;
/// Greatest number of gateways and of epochs of one gateway; more are refused.
const MAX_GATEWAYS: usize = 4096;
const MAX_EPOCHS: usize = 256;

/// A message that waits for the next commit.
#[derive(Clone, Debug)]
enum Incoming {
    Alert { epoch: Epoch, seq: u64, bytes: Vec<u8>, verdict: Verdict },
    Void(Void),
    Status { status: Status, retained: bool },
    Answer(Answer),
}

#[derive(Clone, Debug)]
struct Gateway {
    record: GatewayRecord,
    settled: BTreeMap<Epoch, Ranges>,
    /// How far the last partial acknowledgement of an epoch was complete.
    told_to: BTreeMap<Epoch, u64>,
    /// Since when numbers are missing.
    missing_since: Option<Timestamp>,
    /// The newest status: its store, and when the gateway made it.
    status_of: Option<(Epoch, Timestamp)>,
}

#[derive(Clone, Debug)]
struct OpenOrder {
    record: OrderRecord,
    sent_at: Option<Timestamp>,
}

/// The ledger of one centre.
#[derive(Debug)]
pub struct Ledger {
    config: LedgerConfig,
    gateways: BTreeMap<GatewayId, Gateway>,
    orders: BTreeMap<(GatewayId, String), OpenOrder>,
    incoming: Vec<(GatewayId, Incoming)>,
    group_at: Option<Timestamp>,
    next_n: u64,
    announced: u64,
    /// What people were told of, by the driver's word: only this may be stored as announced.
    told: u64,
    announced_stored: u64,
    connected_at: Option<Timestamp>,
    /// Since when there has been no connection.
    deaf_since: Option<Timestamp>,
    /// Why there is no connection.
    unreachable: Option<String>,
    /// Why the broker's connection is worth nothing.
    unheard: Option<String>,
    /// The ends of the certificates' validity, by name.
    certificates: BTreeMap<String, Timestamp>,
    /// The centre's own alerts by key, as long as their condition lasts.
    own: BTreeMap<String, Alert>,
    audit_last: Option<AuditEntry>,
    watch_at: Timestamp,
    erase_at: Timestamp,
    must_restart: bool,
    store_retry_at: Option<Timestamp>,
    next_id: u64,
    refused: u64,
}

impl Ledger {
    /// Reads the store; entries that were perhaps never announced are announced again by the first `handle`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn start<S: LedgerStore>(config: LedgerConfig, now: Timestamp, store: &mut S) -> Result<Self, StoreError> {
        let mut ledger = Self {
            config,
            gateways: BTreeMap::new(),
            orders: BTreeMap::new(),
            incoming: Vec::new(),
            group_at: None,
            next_n: 1,
            announced: 0,
            told: 0,
            announced_stored: 0,
            connected_at: None,
            deaf_since: Some(now),
            unreachable: None,
            unheard: None,
            certificates: BTreeMap::new(),
            own: BTreeMap::new(),
            audit_last: None,
            watch_at: now,
            erase_at: now,
            must_restart: true,
            store_retry_at: None,
            next_id: 1,
            refused: 0,
        };
        let restart = store.restart()?;
        // Announced by the first call of `handle`, which reads the store once more.
        ledger.load(&restart);
        ledger.must_restart = !restart.unannounced.is_empty();
        Ok(ledger)
    }

    fn load(&mut self, restart: &LedgerRestart) {
        self.next_n = restart.next_n;
        self.announced_stored = restart.unannounced.first().map_or(restart.next_n - 1, |entry| entry.n - 1);
        self.announced = self.announced.max(self.announced_stored);
        let missing: BTreeMap<_, _> = self.gateways.iter().map(|(id, g)| (id.clone(), g.missing_since)).collect();
        self.gateways.clear();
        for record in &restart.gateways {
            let missing_since = missing.get(&record.gateway).copied().flatten();
            let gateway = Gateway { missing_since, ..Gateway::of(record.clone()) };
            self.gateways.insert(record.gateway.clone(), gateway);
        }
        for (id, epoch, ranges) in &restart.settled {
            let gateway = self.gateways.entry(id.clone()).or_insert_with(|| Gateway::new(id.clone(), Timestamp::MIN));
            gateway.settled.insert(epoch.clone(), ranges.clone());
        }
        self.orders.clear();
        for record in &restart.orders {
            let key = (record.gateway.clone(), record.order.command.id.clone());
            self.orders.insert(key, OpenOrder { record: record.clone(), sent_at: None });
        }
        self.audit_last.clone_from(&restart.audit_last);
        self.load_own(restart);
        self.must_restart = false;
    }

    /// Takes in one event at `now` and appends what is to be done.
    pub fn handle<S: LedgerStore>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        event: LedgerEvent,
        actions: &mut Vec<LedgerAction>,
    ) {
        match event {
            LedgerEvent::Tick => {}
            LedgerEvent::Connected => (self.connected_at, self.unheard) = (Some(now), None),
            LedgerEvent::Unheard { reason } => self.unheard = Some(reason),
            LedgerEvent::Unreachable { reason } => self.unreachable = Some(reason),
            LedgerEvent::Certificate { name, expires_at } => {
                // One file, one certificate: a renewed one takes the place of the old one.
                self.certificates.insert(name, expires_at);
            }
            LedgerEvent::Damaged { detail } => self.damaged(now, store, detail, actions),
            LedgerEvent::Audit { by, act, detail } => self.audit(now, store, by, act, detail, actions),
            LedgerEvent::Closed => self.connected_at = None,
            LedgerEvent::Message { topic, payload, retained, properties } => {
                if let Err(reason) = self.receive(now, &topic, payload, retained, &properties, actions) {
                    self.refused += 1;
                    actions.push(LedgerAction::Announce(Announcement::Refused { topic, reason }));
                }
            }
            LedgerEvent::Order { gateway, order } => self.order(now, store, gateway, order, actions),
        }
        let due = self.group_at.is_some_and(|at| now >= at) || self.incoming.len() >= MAX_GROUP;
        if due || self.must_restart {
            self.commit_group(now, store, actions);
        }
        if now >= self.watch_at {
            self.watch(now, store, actions);
        }
        self.repeat_orders(now, actions);
    }

    /// When [`LedgerEvent::Tick`] is wanted, if nothing else comes before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let repeat = self.connected_at.and_then(|_| {
            let again = |order: &OpenOrder| {
                order.sent_at.map_or(Timestamp::MIN, |at| at.plus_seconds(self.config.order_repeat_s))
            };
            self.orders.values().map(again).min()
        });
        [self.group_at, Some(self.watch_at), repeat, self.store_retry_at].into_iter().flatten().min()
    }

    /// People were told of all entries up to line `n`; the next start will not tell them again.
    pub fn told(&mut self, n: u64) {
        self.told = self.told.max(n.min(self.announced));
    }

    /// Stores what people were told of since the last commit, for a clean end.
    ///
    /// # Errors
    /// When it could not be written; the next start then tells some entries again.
    pub fn finish<S: LedgerStore>(&mut self, store: &mut S) -> Result<(), StoreError> {
        if self.must_restart || self.told <= self.announced_stored {
            return Ok(());
        }
        store.commit(&LedgerChanges { announced: Some(self.told), ..LedgerChanges::default() })?;
        self.announced_stored = self.told;
        Ok(())
    }

    /// How many messages were not accepted.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// The gateways known.
    pub fn gateways(&self) -> impl Iterator<Item = &GatewayRecord> {
        self.gateways.values().map(|gateway| &gateway.record)
    }

    /// Whether an order is known and not answered yet.
    #[must_use]
    pub fn is_open(&self, gateway: &GatewayId, id: &str) -> bool {
        self.orders.contains_key(&(gateway.clone(), id.to_owned()))
    }

    /// Numbers received or void of one gateway and epoch.
    #[must_use]
    pub fn settled(&self, gateway: &GatewayId, epoch: &Epoch) -> Option<&Ranges> {
        self.gateways.get(gateway)?.settled.get(epoch)
    }

    fn receive(
        &mut self,
        now: Timestamp,
        topic: &str,
        payload: Vec<u8>,
        retained: bool,
        properties: &[(String, String)],
        actions: &mut Vec<LedgerAction>,
    ) -> Result<(), String> {
        let (gateway, channel) = topic::parse(topic).map_err(|error| error.to_string())?;
        if gateway == self.config.centre {
            return Err("this name is the centre's own".to_owned());
        }
        let verdict = self.config.keys.get(&gateway).map_or(
            if properties.is_empty() { Verdict::Unsigned } else { Keyring::new().check(topic, &payload, properties) },
            |keys| keys.check_owner(topic, &payload, properties),
        );
        let signed_channel = matches!(channel, Channel::Alert | Channel::Void | Channel::Answer);
        if signed_channel && self.config.require_signed && !verdict.proven() {
            return Err(verdict.to_string());
        }
        let incoming = match channel {
            Channel::Alert => {
                let head = crate::EnvelopeHead::read(&payload).map_err(|error| error.to_string())?;
                Incoming::Alert { epoch: head.epoch, seq: head.seq, bytes: payload, verdict }
            }
            Channel::Void => Incoming::Void(Void::read(&payload).map_err(|error| error.to_string())?),
            Channel::Status => {
                let status = Status::read(&payload).map_err(|error| error.to_string())?;
                // That a gateway is gone its broker says, which has no key; who lies about it only makes people look.
                if status.online && self.config.require_signed && !verdict.proven() {
                    return Err(verdict.to_string());
                }
                Incoming::Status { status, retained }
            }
            Channel::Answer => Incoming::Answer(Answer::read(&payload).map_err(|error| error.to_string())?),
            Channel::Tracks => {
                actions.push(LedgerAction::Announce(Announcement::Tracks { gateway, bytes: payload }));
                return Ok(());
            }
            Channel::Ack | Channel::Command => return Err("not for a centre".to_owned()),
        };
        self.incoming.push((gateway, incoming));
        self.group_at.get_or_insert(now.plus_seconds(self.config.group_s));
        Ok(())
    }

    fn publish(&mut self, channel: Channel, gateway: &GatewayId, payload: Vec<u8>, actions: &mut Vec<LedgerAction>) {
        let topic = channel.topic(gateway);
        let signer = self.config.signer.as_ref().filter(|_| matches!(channel, Channel::Command | Channel::Ack));
        let properties = signer.map(|signer| signer.properties(&topic, &payload)).unwrap_or_default();
        let id = self.next_id;
        self.next_id += 1;
        let publication = Publication { id, topic, payload, reliable: true, retain: false, properties };
        actions.push(LedgerAction::Publish(publication));
    }

    fn announce(&mut self, entry: Entry, actions: &mut Vec<LedgerAction>) {
        if entry.n > self.announced {
            self.announced = entry.n;
            let alert = Envelope::read(&entry.bytes).ok().map(|envelope| Box::new(envelope.alert));
            actions.push(LedgerAction::Announce(Announcement::Alert { entry, alert }));
        }
    }
}

impl Gateway {
    fn new(gateway: GatewayId, now: Timestamp) -> Self {
        let record = GatewayRecord {
            gateway,
            epoch: None,
            last: 0,
            heard_at: now,
            online: false,
            silent: None,
            gap: None,
            audit: None,
        };
        Self::of(record)
    }

    const fn of(record: GatewayRecord) -> Self {
        Self { record, settled: BTreeMap::new(), told_to: BTreeMap::new(), missing_since: None, status_of: None }
    }

    /// Whether a status is newer than the last one of its store: an old one sent again says nothing of today.
    fn is_news(&mut self, status: &Status) -> bool {
        let (Some(epoch), Some(at)) = (&status.epoch, status.at) else { return true };
        let is_old = self.status_of.as_ref().is_some_and(|(of, last)| of == epoch && at <= *last);
        if !is_old {
            self.status_of = Some((epoch.clone(), at));
        }
        !is_old
    }

    /// Numbers the gateway has given in its newest epoch and the centre has not.
    fn missing(&self) -> Ranges {
        let settled = self.record.epoch.as_ref().and_then(|epoch| self.settled.get(epoch));
        settled.cloned().unwrap_or_default().missing(1, self.record.last)
    }
}

/// Gateways and epochs a group touched: each gets one acknowledgement.
type Touched = BTreeMap<(GatewayId, Epoch), Ranges>;
/// Gateways whose record changed.
type Changed = BTreeSet<GatewayId>;
/// Whether people must hear of a void: the centre will not have these alerts, or no longer has them.
const fn is_loss(why: VoidReason) -> bool {
    !matches!(why, VoidReason::Folded)
}

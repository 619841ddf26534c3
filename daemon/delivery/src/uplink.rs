//! The uplink: drives the outbox over one MQTT connection after another until the centre has acknowledged everything.
//!
//! Sans-IO: the driver owns connection, store and clock. It hands every [`Event`] to [`Uplink::handle`], carries out the
//! returned [`Action`]s in order, and hands in [`Event::Tick`] at [`Uplink::next_deadline`].
//!
//! - Each connection is new, with a clean start; nothing is remembered of the one before but what is in the outbox.
//! - A receipt of the broker (PUBACK) proves that the connection lives, and nothing else.
//! - At most a window of rows is on its way. The window begins small, opens as acknowledgements advance, and closes when
//!   they are late; critical alerts have a few places of their own beside it.
//! - Rows go out again when acknowledgements do not advance for the retry time (which then doubles), or when rows sent
//!   after them were acknowledged twice over.

mod events;
mod pace;
mod send;
mod settle;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vedette_engine::{Severity, Timestamp};

use crate::message::Answer;
use crate::outbox::{CommitError, Committed, Limits, Outbox, Sealed};
use crate::store::{Batch, Restart, Store, StoreError};
use crate::topic::{Channel, GatewayId};
use crate::{Epoch, Keyring, Ranges, Signer};
pub use events::{Action, Event, Publication, Receipt, Report};
pub use pace::Backoff;
use pace::{Budget, Pace};

/// Settings of an uplink.
#[derive(Clone, Debug)]
pub struct UplinkConfig {
    /// This gateway.
    pub gateway: GatewayId,
    /// Greatest number of alerts on their way. The MQTT client must allow [`UplinkConfig::in_flight`] publications.
    pub window: usize,
    /// Greatest rate towards the centre, bit/s.
    pub rate_limit_bps: Option<u32>,
    /// Time without progress after which alerts are sent again, seconds; doubles up to `retry_max_s`.
    pub retry_min_s: f64,
    /// See `retry_min_s`.
    pub retry_max_s: f64,
    /// Time without an answer of the broker after which a connection is given up, seconds: three keep-alives.
    pub stall_s: f64,
    /// Time given to a connection until its subscriptions are granted, seconds.
    pub connect_s: f64,
    /// First waiting time between connections, seconds; doubles up to `backoff_max_s`.
    pub backoff_min_s: f64,
    /// See `backoff_min_s`.
    pub backoff_max_s: f64,
    /// Time between status messages on a quiet line, seconds.
    pub status_every_s: f64,
    /// Least time between pictures, seconds.
    pub tracks_every_s: f64,
    /// Seed of the jitter; different for every gateway and start.
    pub seed: u64,
    /// Bounds of the outbox.
    pub limits: Limits,
    /// Signs what this gateway sends.
    pub signer: Option<Signer>,
    /// Keys whose orders are obeyed; when empty, orders need no signature.
    pub orders: Keyring,
}

impl UplinkConfig {
    /// Defaults for a gateway.
    #[must_use]
    pub fn new(gateway: GatewayId) -> Self {
        Self {
            gateway,
            window: 64,
            rate_limit_bps: None,
            retry_min_s: 10.0,
            retry_max_s: 120.0,
            stall_s: 60.0,
            connect_s: 30.0,
            backoff_min_s: 1.0,
            backoff_max_s: 60.0,
            status_every_s: 60.0,
            tracks_every_s: 5.0,
            seed: 0,
            limits: Limits::default(),
            signer: None,
            orders: Keyring::new(),
        }
    }

    /// Greatest number of publications without a receipt: the window, places for critical alerts, and other messages.
    #[must_use]
    pub const fn in_flight(&self) -> usize {
        self.window + CRITICAL_PLACES + OTHER_PLACES
    }
}

/// Places beside the window that only critical alerts may take.
const CRITICAL_PLACES: usize = 8;
/// Places for status, voids and answers.
const OTHER_PLACES: usize = 8;
/// Greatest number of answers that wait; an order whose answer is lost is repeated and answered again.
const MAX_ANSWERS: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down { until: Timestamp },
    Connecting { until: Timestamp },
    Subscribing { until: Timestamp, answers: usize },
    Up,
}

/// What a publication without a receipt carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cargo {
    Row(u64),
    Other(Channel),
}

#[derive(Clone, Debug)]
struct Flight {
    priority: Severity,
    place: u64,
    sent_at: Timestamp,
    /// Order of sending on this connection.
    order: u64,
    /// The broker has answered.
    taken: bool,
    /// Acknowledgements that covered rows sent later.
    passed: u8,
    /// To be sent again.
    due: bool,
}

/// The uplink of one gateway.
#[derive(Debug)]
pub struct Uplink {
    config: UplinkConfig,
    outbox: Outbox,
    link: Link,
    budget: Budget,
    pace: Pace,
    backoff: Backoff,
    flights: BTreeMap<u64, Flight>,
    /// Publications without a receipt, in the order they were sent.
    unanswered: BTreeMap<u64, (Cargo, Timestamp)>,
    next_id: u64,
    /// Refusals of a row, and connections that broke with it.
    refusals: BTreeMap<u64, u8>,
    strikes: BTreeMap<u64, u8>,
    isolated: BTreeSet<u64>,
    receipts_on_link: u64,
    answers: VecDeque<Answer>,
    tracks: Option<Vec<u8>>,
    tracks_at: Timestamp,
    status_at: Option<Timestamp>,
    void_at: Option<Timestamp>,
    flush_at: Option<Timestamp>,
    suspected: Option<(Ranges, Timestamp)>,
    store_retry_at: Option<Timestamp>,
    centre_up: Option<bool>,
    /// Since when alerts have been on their way on this connection without any being acknowledged.
    owed_since: Option<Timestamp>,
    /// That was for too long, and none has been acknowledged since: other answers do not count.
    owes: bool,
    no_subscriber: bool,
    pause_until: Option<Timestamp>,
}

impl Uplink {
    /// Reads the store; the caller gets what it held for the engine.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn start<S: Store>(config: UplinkConfig, now: Timestamp, store: &mut S) -> Result<(Self, Restart), StoreError> {
        let (outbox, restart) = Outbox::start(config.limits, store)?;
        let uplink = Self {
            outbox,
            link: Link::Down { until: now },
            budget: Budget::new(config.rate_limit_bps),
            pace: Pace::new(config.window, config.retry_min_s, config.retry_max_s),
            backoff: Backoff::new(config.backoff_min_s, config.backoff_max_s, config.seed),
            flights: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            next_id: 1,
            refusals: BTreeMap::new(),
            strikes: BTreeMap::new(),
            isolated: BTreeSet::new(),
            receipts_on_link: 0,
            answers: VecDeque::new(),
            tracks: None,
            tracks_at: Timestamp::MIN,
            status_at: None,
            void_at: None,
            flush_at: None,
            suspected: None,
            store_retry_at: None,
            centre_up: None,
            owed_since: None,
            owes: false,
            no_subscriber: false,
            pause_until: None,
            config,
        };
        Ok((uplink, restart))
    }

    /// The outbox, to ask about.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The row that should leave next; one with which connections broke several times is not among the others.
    #[must_use]
    pub fn best(&self) -> Option<&crate::store::RowHead> {
        self.outbox.best_except(&self.isolated)
    }

    /// Whether the centre acknowledges: its answers arrive, and alerts on their way do not stay without one.
    #[must_use]
    pub fn centre_up(&self) -> bool {
        self.centre_up == Some(true)
    }

    /// Gives a batch its number; see [`Outbox::seal`].
    #[must_use]
    pub fn seal(&mut self, batch: Batch) -> Sealed {
        self.outbox.seal(batch)
    }

    /// Commits a sealed batch; the next [`Uplink::handle`] sends what it brought. See [`Outbox::commit`].
    ///
    /// # Errors
    /// When the store did not do it; the same batch may be tried again.
    pub fn commit<S: Store>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        sealed: &Sealed,
    ) -> Result<Committed, CommitError> {
        let committed = self.outbox.commit(now, store, sealed);
        self.drop_stale_flights();
        committed
    }

    /// Begins a new epoch after [`Report::StoreIsOld`].
    ///
    /// # Errors
    /// When the store cannot do it.
    pub fn renew<S: Store>(&mut self, store: &mut S, epoch: Epoch) -> Result<(), StoreError> {
        self.flights.clear();
        self.isolated.clear();
        self.refusals.clear();
        self.strikes.clear();
        self.suspected = None;
        self.status_at = None;
        self.outbox.renew(store, epoch)
    }

    /// Takes in one event at `now` and appends what is to be done.
    pub fn handle<S: Store>(&mut self, now: Timestamp, store: &mut S, event: Event, actions: &mut Vec<Action>) {
        match event {
            Event::Tick => {}
            Event::Connected => self.connected(now, actions),
            Event::Subscribed { granted } => self.subscribed(now, granted, actions),
            Event::Receipt { id, receipt } => self.receipt(now, store, id, receipt, actions),
            Event::Message { topic, payload, properties } => self.message(now, &topic, &payload, &properties, actions),
            Event::Closed => self.closed(now, actions),
            Event::Tracks(tracks) => self.tracks = Some(tracks),
            Event::Answer(answer) => {
                if self.answers.len() == MAX_ANSWERS {
                    self.answers.pop_front();
                }
                self.answers.push_back(answer);
            }
        }
        self.watch_link(now, actions);
        self.watch_centre(now, actions);
        self.watch_store(now, store, actions);
        self.retry(now);
        self.send(now, store, actions);
    }

    /// When [`Event::Tick`] is wanted, if nothing else comes before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let link = match self.link {
            Link::Down { until } | Link::Connecting { until } | Link::Subscribing { until, .. } => Some(until),
            Link::Up => self.next_on_link(),
        };
        let suspected = self.suspected.as_ref().map(|&(_, due)| due);
        let flush = match (self.store_retry_at, self.flush_at) {
            (Some(retry), _) => Some(retry),
            (None, flush) => flush,
        };
        let suspected = match self.store_retry_at {
            Some(retry) => suspected.map(|due| due.max(retry)),
            None => suspected,
        };
        [link, flush, suspected].into_iter().flatten().min()
    }

    fn connected(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        self.clear_link();
        self.link = Link::Subscribing { until: now.plus_seconds(self.config.connect_s), answers: 0 };
        let filters = Channel::TO_GATEWAY.iter().map(|channel| channel.topic(&self.config.gateway)).collect();
        actions.push(Action::Subscribe(filters));
    }

    fn subscribed(&mut self, now: Timestamp, granted: bool, actions: &mut Vec<Action>) {
        let Link::Subscribing { until, answers } = self.link else { return };
        if !granted {
            let filters: Vec<_> =
                Channel::TO_GATEWAY.iter().map(|channel| channel.topic(&self.config.gateway)).collect();
            actions.push(Action::Report(Report::NotAuthorised { topic: filters.join(" ") }));
        }
        let answers = answers + 1;
        self.link = if answers < Channel::TO_GATEWAY.len() {
            Link::Subscribing { until, answers }
        } else {
            self.pace.reset(now);
            Link::Up
        };
    }

    fn closed(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if self.receipts_on_link > 0
            && let Some((Cargo::Row(seq), _)) = self.unanswered.values().next().copied()
        {
            self.strike(seq, actions);
        }
        self.clear_link();
        self.link = Link::Down { until: now.plus_seconds(self.backoff.wait_s()) };
        self.set_centre(false, actions);
    }

    /// The connection breaks with the same row again and again: it must not keep the others from leaving.
    fn strike(&mut self, seq: u64, actions: &mut Vec<Action>) {
        let strikes = self.strikes.entry(seq).or_default();
        *strikes = strikes.saturating_add(1);
        if *strikes >= 3 && self.isolated.insert(seq) {
            actions.push(Action::Report(Report::Isolated { seq }));
        }
    }

    fn clear_link(&mut self) {
        for &seq in self.flights.keys() {
            self.outbox.give_back(seq);
        }
        self.flights.clear();
        self.unanswered.clear();
        self.receipts_on_link = 0;
        self.status_at = None;
        self.void_at = None;
        self.no_subscriber = false;
        self.pause_until = None;
        self.owed_since = None;
    }

    fn set_centre(&mut self, up: bool, actions: &mut Vec<Action>) {
        if self.centre_up != Some(up) {
            self.centre_up = Some(up);
            actions.push(Action::Report(Report::Centre { up }));
        }
    }

    fn watch_link(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        match self.link {
            Link::Down { until } if now >= until => {
                self.link = Link::Connecting { until: now.plus_seconds(self.config.connect_s) };
                actions.push(Action::Connect);
            }
            Link::Connecting { until } | Link::Subscribing { until, .. } if now >= until => self.give_up(now, actions),
            Link::Up if self.stalled_at().is_some_and(|at| now >= at) => self.give_up(now, actions),
            _ => {}
        }
    }

    /// A centre that answers and acknowledges nothing is as good as gone: its disk is full, or it refuses what we sign.
    fn watch_centre(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if self.overdue_at().is_some_and(|at| now >= at) {
            self.owes = true;
            actions.push(Action::Report(Report::Unacknowledged { waiting: self.outbox.depth() }));
            self.set_centre(false, actions);
        }
    }

    fn overdue_at(&self) -> Option<Timestamp> {
        let since = self.owed_since.filter(|_| !self.owes && self.link == Link::Up)?;
        Some(since.plus_seconds(self.config.stall_s))
    }

    fn give_up(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        actions.push(Action::Report(Report::Stalled));
        actions.push(Action::Disconnect);
        self.closed(now, actions);
    }

    fn stalled_at(&self) -> Option<Timestamp> {
        let &(_, since) = self.unanswered.values().next()?;
        Some(since.plus_seconds(self.config.stall_s))
    }
}

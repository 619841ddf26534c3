//! What comes in: receipts of the broker, acknowledgements and orders of the centre; and the store's share of them.

use vedette_engine::Timestamp;

use super::{Action, Cargo, Link, Receipt, Report, Uplink};
use crate::message::{Ack, Order};
use crate::outbox::Settled;
use crate::store::Store;
use crate::topic::{self, Channel};

/// Refusals after which an alert is given up.
const MAX_REFUSALS: u8 = 3;
/// Time between attempts while nobody listens or nothing is allowed, seconds.
const PAUSE_S: f64 = 10.0;
/// Settled rows are marked in the store at the latest after this time, seconds.
const FLUSH_S: f64 = 1.0;
/// Time for a newer acknowledgement to overtake one that seems to have forgotten something, seconds.
const SUSPICION_S: f64 = 5.0;
/// Time between attempts to use a store that failed, seconds.
const STORE_RETRY_S: f64 = 2.0;

impl Uplink {
    pub(super) fn receipt<S: Store>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        id: u64,
        receipt: Receipt,
        actions: &mut Vec<Action>,
    ) {
        let Some((cargo, _)) = self.unanswered.remove(&id) else { return };
        self.receipts_on_link += 1;
        if let Cargo::Row(seq) = cargo {
            self.strikes.remove(&seq);
            if let Some(flight) = self.flights.get_mut(&seq) {
                flight.taken = true;
            }
        }
        let channel = match cargo {
            Cargo::Row(_) => Channel::Alert,
            Cargo::Other(channel) => channel,
        };
        let topic = || channel.topic(&self.config.gateway);
        match receipt {
            Receipt::Taken => {}
            // Nobody listens: what is on its way is sent again when the centre shows itself, or one at a time.
            Receipt::NoSubscriber => {
                if channel == Channel::Alert {
                    self.pause_until = Some(now.plus_seconds(PAUSE_S));
                    if !self.no_subscriber {
                        self.no_subscriber = true;
                        actions.push(Action::Report(Report::NoSubscriber { topic: topic() }));
                        self.set_centre(false, actions);
                    }
                }
            }
            Receipt::NotAuthorised => {
                self.pause_until = Some(now.plus_seconds(PAUSE_S));
                actions.push(Action::Report(Report::NotAuthorised { topic: topic() }));
            }
            Receipt::Refused { code } => {
                if let Cargo::Row(seq) = cargo {
                    self.refused(now, store, seq, code, actions);
                }
            }
        }
    }

    fn refused<S: Store>(&mut self, now: Timestamp, store: &mut S, seq: u64, code: u8, actions: &mut Vec<Action>) {
        let refusals = self.refusals.entry(seq).or_default();
        *refusals = refusals.saturating_add(1);
        if *refusals < MAX_REFUSALS {
            if let Some(flight) = self.flights.get_mut(&seq) {
                flight.due = true;
            }
            return;
        }
        match self.outbox.quarantine(store, seq) {
            Ok(()) => {
                self.refusals.remove(&seq);
                self.drop_stale_flights();
                self.void_at = None;
                actions.push(Action::Report(Report::Quarantined { seq, code }));
            }
            Err(error) => self.store_failed(now, error, actions),
        }
    }

    pub(super) fn message(
        &mut self,
        now: Timestamp,
        topic: &str,
        payload: &[u8],
        properties: &[(String, String)],
        actions: &mut Vec<Action>,
    ) {
        let refused = |reason: String| Action::Report(Report::Refused { topic: topic.to_owned(), reason });
        let orders = &self.config.orders;
        let verdict = (!orders.is_empty()).then(|| orders.check_owner(topic, payload, properties));
        let unproven = verdict.filter(|verdict| !verdict.proven());
        match topic::parse(topic) {
            Ok((gateway, Channel::Ack | Channel::Command))
                if gateway == self.config.gateway
                    && let Some(verdict) = &unproven =>
            {
                actions.push(refused(verdict.to_string()));
            }
            Ok((gateway, Channel::Ack)) if gateway == self.config.gateway => match Ack::read(payload) {
                Ok(ack) => self.acknowledged(now, &ack, actions),
                Err(error) => actions.push(refused(error.to_string())),
            },
            Ok((gateway, Channel::Command)) if gateway == self.config.gateway => match Order::read(payload) {
                Ok(order) => actions.push(Action::Order(order.into_command())),
                Err(error) => actions.push(refused(error.to_string())),
            },
            Ok(_) => actions.push(refused("not for this gateway".to_owned())),
            Err(error) => actions.push(refused(error.to_string())),
        }
    }

    fn acknowledged(&mut self, now: Timestamp, ack: &Ack, actions: &mut Vec<Action>) {
        let Some(settled) = self.outbox.acknowledge(ack) else { return };
        if settled.unknown {
            actions.push(Action::Report(Report::StoreIsOld));
            return;
        }
        if settled.advanced() || self.outbox.depth() == 0 {
            self.owes = false;
        }
        if !self.owes {
            self.set_centre(true, actions);
        }
        if self.no_subscriber {
            self.listens_again();
        }
        self.pause_until = None;
        self.backoff.reset();
        if let Some((suspected, due)) = self.suspected.take() {
            let mut left = suspected;
            left.subtract(&ack.covered());
            self.suspected = (!left.is_empty()).then_some((left, due));
        }
        if settled.advanced() {
            self.advanced(now, &settled);
        }
        if !settled.forgotten.is_empty() && self.suspected.is_none() {
            // The centre answers a status message with a complete acknowledgement.
            self.status_at = None;
            self.suspected = Some((settled.forgotten, now.plus_seconds(SUSPICION_S)));
        }
    }

    /// The centre is back behind a broker that had nobody to give the rows to: they were lost there.
    fn listens_again(&mut self) {
        self.no_subscriber = false;
        for flight in self.flights.values_mut().filter(|flight| flight.taken) {
            flight.due = true;
        }
        self.void_at = None;
    }

    fn advanced(&mut self, now: Timestamp, settled: &Settled) {
        let (mut slowest_s, mut newest, mut count) = (0.0_f64, None, 0);
        for seq in settled.rows.numbers() {
            self.isolated.remove(&seq);
            self.refusals.remove(&seq);
            self.strikes.remove(&seq);
            if let Some(flight) = self.flights.remove(&seq) {
                slowest_s = slowest_s.max(now.seconds_since(flight.sent_at));
                newest = newest.max(Some(flight.order));
                count += 1;
            }
        }
        self.pace.advanced(now, count, slowest_s);
        self.owed_since = if self.flights.is_empty() { None } else { Some(now) };
        for flight in self.flights.values_mut().filter(|flight| Some(flight.order) < newest && flight.taken) {
            flight.passed = flight.passed.saturating_add(1);
            if flight.passed >= 2 {
                flight.due = true;
            }
        }
        self.flush_at.get_or_insert(now.plus_seconds(FLUSH_S));
    }

    /// Rows that were folded away, dropped or settled while on their way.
    pub(super) fn drop_stale_flights(&mut self) {
        let outbox = &self.outbox;
        self.flights.retain(|&seq, _| outbox.holds(seq));
        self.isolated.retain(|&seq| outbox.holds(seq));
        if self.flights.is_empty() {
            self.owed_since = None;
        }
    }

    pub(super) fn store_failed(&mut self, now: Timestamp, error: crate::StoreError, actions: &mut Vec<Action>) {
        self.store_retry_at = Some(now.plus_seconds(STORE_RETRY_S));
        actions.push(Action::Report(Report::Store(error)));
    }

    pub(super) fn store_resting(&self, now: Timestamp) -> bool {
        self.store_retry_at.is_some_and(|at| now < at)
    }

    /// Marks what is settled, and brings back what the centre has forgotten.
    pub(super) fn watch_store<S: Store>(&mut self, now: Timestamp, store: &mut S, actions: &mut Vec<Action>) {
        if self.store_resting(now) {
            return;
        }
        self.store_retry_at = None;
        if self.flush_at.is_some_and(|at| now >= at) {
            match self.outbox.flush(now, store) {
                Ok(()) => self.flush_at = None,
                Err(error) => self.store_failed(now, error, actions),
            }
            self.drop_stale_flights();
        }
        if let Some((forgotten, due)) = self.suspected.take() {
            if now < due || self.link != Link::Up || self.store_resting(now) {
                self.suspected = (self.link == Link::Up).then_some((forgotten, due));
                return;
            }
            match self.outbox.reclaim(now, store, &forgotten) {
                Ok(()) => {
                    self.void_at = None;
                    actions.push(Action::Report(Report::Forgotten { numbers: forgotten.count() }));
                }
                Err(error) => {
                    self.store_failed(now, error, actions);
                    self.suspected = Some((forgotten, due));
                }
            }
        }
    }

    /// A graceful end: what is settled is marked, so that the next start need not send it again.
    ///
    /// # Errors
    /// When the store cannot write it; nothing is lost by that.
    pub fn finish<S: Store>(&mut self, now: Timestamp, store: &mut S) -> Result<(), crate::StoreError> {
        self.outbox.flush(now, store)
    }
}

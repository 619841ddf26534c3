//! The outbox: which alerts wait for the centre's acknowledgement, in which order, and what one commit must write.
//!
//! An alert gets its number when it is committed and leaves only when an acknowledgement of the centre covers that
//! number. Of every number `1..next`, the outbox knows whether it waits, is void, or is settled; nothing else exists.
//!
//! - A newer revision takes the place of an older one of the same alert that was never sent; the older number becomes
//!   void (*folded*).
//! - Over its quota the outbox drops waiting alerts, lowest priority first, oldest first; their numbers become void
//!   (*dropped*), and the caller is told how many, because the dropping must itself become an alert. Alerts of kind
//!   `DataLoss` have room of their own.
//! - Acknowledged rows stay in the store for a time, for a centre that was restored from a backup: an acknowledgement
//!   that no longer covers them brings them back.

mod commit;
mod settle;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use vedette_engine::{Severity, Timestamp};

use crate::audit::AuditEntry;
use crate::message;
use crate::store::{Batch, Changes, Restart, RowHead, Store, StoreError};
use crate::{Epoch, Ranges, VoidReason};

pub use settle::Settled;

/// Bounds of the outbox.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Greatest number of waiting alerts.
    pub max_rows: u64,
    /// Greatest size of all envelopes, waiting or acknowledged, bytes.
    pub max_bytes: u64,
    /// Part of `max_bytes` for alerts that tell of dropped data.
    pub reserved_bytes: u64,
    /// How long acknowledged rows stay, seconds.
    pub keep_acked_s: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_rows: 50_000, max_bytes: 48 << 20, reserved_bytes: 64 << 10, keep_acked_s: 86_400.0 }
    }
}

/// A batch with its number: committing it twice has the effect of once.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    number: u64,
    batch: Batch,
}

impl Sealed {
    /// What it holds.
    #[must_use]
    pub const fn batch(&self) -> &Batch {
        &self.batch
    }
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Alerts that now wait for the centre.
    pub alerts: u64,
    /// Revisions a newer one took the place of before they were sent.
    pub folded: u64,
    /// Alerts dropped for want of room that the caller was not yet told of, also by an earlier process: the engine is
    /// to hear of them (`Fact::OutboxDropped`). Told again after a crash, until an alert of kind `DataLoss` is committed.
    pub dropped: u64,
}

/// Why a batch is not committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The store did not do it; the same sealed batch may be tried again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Batches are committed in the order they were sealed.
    #[error("batch {got} out of order, expected batch {expected}")]
    Order {
        /// Its number.
        got: u64,
        /// The number that is due.
        expected: u64,
    },
}

/// What became of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for an acknowledgement.
    Waiting,
    /// It will never come, and the centre has not acknowledged that yet.
    Void,
    /// The centre has acknowledged it.
    Settled,
    /// No alert has it yet.
    Unused,
}

#[derive(Clone, Debug)]
struct Waiting {
    head: RowHead,
    /// It left at least once since the start: it is not folded any more.
    sent: bool,
}

type Place = (Reverse<Severity>, u64, u64);

fn place(head: &RowHead) -> Place {
    (Reverse(head.priority), head.place, head.seq)
}

/// The index of a gateway's outbox; the alerts themselves are in the [`Store`].
#[derive(Debug)]
pub struct Outbox {
    limits: Limits,
    epoch: Epoch,
    next_seq: u64,
    last_batch: u64,
    last_sealed: u64,
    waiting: BTreeMap<u64, Waiting>,
    /// Rows that wait and are not in flight, best first.
    queue: BTreeSet<Place>,
    in_flight: BTreeSet<u64>,
    /// Newest row of each alert, among those never sent.
    unsent: BTreeMap<String, u64>,
    void: BTreeMap<VoidReason, Ranges>,
    /// Settled since the last transaction, not yet marked in the store.
    unmarked: Ranges,
    waiting_bytes: u64,
    acked_bytes: u64,
    dropped: u64,
    /// Of how many dropped alerts the caller was told.
    told: u64,
    audit_head: Option<AuditEntry>,
    must_restart: bool,
}

impl Outbox {
    /// Reads the store and makes the index; the caller gets the rest of what the store held, for the engine.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn start<S: Store>(limits: Limits, store: &mut S) -> Result<(Self, Restart), StoreError> {
        let restart = store.restart()?;
        let mut outbox = Self {
            limits,
            epoch: restart.epoch.clone(),
            next_seq: restart.next_seq,
            last_batch: restart.last_batch,
            last_sealed: restart.last_batch,
            waiting: BTreeMap::new(),
            queue: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            unsent: BTreeMap::new(),
            void: BTreeMap::new(),
            unmarked: Ranges::new(),
            waiting_bytes: 0,
            acked_bytes: 0,
            dropped: 0,
            told: restart.reported,
            audit_head: None,
            must_restart: false,
        };
        outbox.load(&restart);
        Ok((outbox, restart))
    }

    /// Takes over what the store holds, keeping what only memory knows: which rows were sent, and which are settled.
    fn load(&mut self, restart: &Restart) {
        let sent: BTreeSet<u64> = self.waiting.iter().filter(|(_, row)| row.sent).map(|(&seq, _)| seq).collect();
        let settled = std::mem::take(&mut self.unmarked);
        if self.epoch != restart.epoch {
            self.in_flight.clear();
            self.told = restart.reported;
        }
        self.epoch = restart.epoch.clone();
        self.next_seq = restart.next_seq;
        self.last_batch = restart.last_batch;
        self.audit_head = restart.audit_head.clone();
        self.acked_bytes = restart.acked_bytes;
        self.dropped = restart.dropped;
        self.waiting.clear();
        self.queue.clear();
        self.unsent.clear();
        self.waiting_bytes = 0;
        self.void = restart.void.iter().cloned().collect();
        let flying = std::mem::take(&mut self.in_flight);
        for head in &restart.waiting {
            let (seq, was_sent) = (head.seq, sent.contains(&head.seq));
            self.admit(head.clone(), was_sent);
            if flying.contains(&seq) {
                self.take(seq);
            }
        }
        self.settle(&settled);
        self.must_restart = false;
    }

    /// Takes over what the store really holds, after an operation whose outcome is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn ready<S: Store>(&mut self, store: &mut S) -> Result<(), StoreError> {
        if self.must_restart {
            let restart = store.restart()?;
            self.load(&restart);
        }
        Ok(())
    }

    fn admit(&mut self, head: RowHead, sent: bool) {
        self.waiting_bytes += u64::from(head.length);
        self.queue.insert(place(&head));
        if !sent && self.unsent.get(&head.alert).is_none_or(|&other| other < head.seq) {
            self.unsent.insert(head.alert.clone(), head.seq);
        }
        self.waiting.insert(head.seq, Waiting { head, sent });
    }

    fn forget(&mut self, seq: u64) -> Option<RowHead> {
        let Waiting { head, .. } = self.waiting.remove(&seq)?;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(u64::from(head.length));
        self.queue.remove(&place(&head));
        self.in_flight.remove(&seq);
        if self.unsent.get(&head.alert) == Some(&seq) {
            self.unsent.remove(&head.alert);
        }
        Some(head)
    }

    /// Gives a batch its number. Sealed batches are committed in this order; one that failed is tried again before the
    /// next.
    #[must_use]
    pub fn seal(&mut self, batch: Batch) -> Sealed {
        self.last_sealed += 1;
        Sealed { number: self.last_sealed, batch }
    }

    /// The row that should leave next, and its head.
    #[must_use]
    pub fn best(&self) -> Option<&RowHead> {
        let &(_, _, seq) = self.queue.first()?;
        self.waiting.get(&seq).map(|row| &row.head)
    }

    /// The row that should leave next, apart from some.
    #[must_use]
    pub fn best_except(&self, without: &BTreeSet<u64>) -> Option<&RowHead> {
        let &(_, _, seq) = self.queue.iter().find(|(_, _, seq)| !without.contains(seq))?;
        self.waiting.get(&seq).map(|row| &row.head)
    }

    /// Marks a row as on its way: not offered again until it is given back.
    pub fn take(&mut self, seq: u64) {
        if let Some(row) = self.waiting.get_mut(&seq) {
            row.sent = true;
            self.queue.remove(&place(&row.head));
            self.in_flight.insert(seq);
            if self.unsent.get(&row.head.alert) == Some(&seq) {
                self.unsent.remove(&row.head.alert);
            }
        }
    }

    /// The connection is gone: the row is offered again.
    pub fn give_back(&mut self, seq: u64) {
        if let Some(row) = self.waiting.get(&seq) {
            self.queue.insert(place(&row.head));
            self.in_flight.remove(&seq);
        }
    }

    /// The exact bytes of a waiting row.
    ///
    /// # Errors
    /// When the store cannot be read, or the row is no message any more: the centre would refuse it again and again.
    pub fn bytes<S: Store>(&mut self, store: &mut S, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = self.row(store, seq)?;
        if let Some(Err(reason)) = bytes.as_deref().map(|bytes| message::check_row(bytes, &self.epoch, seq)) {
            let (path, what) = ("outbox".to_owned(), "waiting alert");
            return Err(StoreError::Damaged { path, what, reason });
        }
        Ok(bytes)
    }

    fn row<S: Store>(&mut self, store: &mut S, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.ready(store)?;
        store.read(seq).inspect_err(|_| self.must_restart = true)
    }

    /// A row no broker takes: it is dropped, and reported like any dropped alert.
    ///
    /// # Errors
    /// When the store cannot write it.
    pub fn quarantine<S: Store>(&mut self, store: &mut S, seq: u64) -> Result<(), StoreError> {
        self.ready(store)?;
        let only: Ranges = [seq].into_iter().collect();
        let changes =
            Changes { remove: only.clone(), void: vec![(VoidReason::Dropped, only.clone())], ..Changes::default() };
        self.apply(store, &changes)?;
        self.forget(seq);
        self.void.entry(VoidReason::Dropped).or_default().extend(&only);
        self.dropped += 1;
        self.told += 1;
        Ok(())
    }

    fn untold(&mut self) -> u64 {
        let untold = self.dropped.saturating_sub(self.told);
        self.told = self.dropped;
        untold
    }

    fn apply<S: Store>(&mut self, store: &mut S, changes: &Changes) -> Result<(), StoreError> {
        store.commit(changes).inspect_err(|_| self.must_restart = true)
    }

    /// The epoch.
    #[must_use]
    pub const fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The greatest number given so far.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.next_seq.saturating_sub(1)
    }

    /// How many alerts wait.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// How many bytes of envelopes wait.
    #[must_use]
    pub const fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes
    }

    /// How many alerts were dropped in this epoch.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Numbers the centre must be told will never come, by reason.
    pub fn voids(&self) -> impl Iterator<Item = (VoidReason, &Ranges)> {
        self.void.iter().filter(|(_, ranges)| !ranges.is_empty()).map(|(&why, ranges)| (why, ranges))
    }

    /// What became of a number.
    #[must_use]
    pub fn standing(&self, seq: u64) -> Standing {
        if seq == 0 || seq >= self.next_seq {
            Standing::Unused
        } else if self.waiting.contains_key(&seq) {
            Standing::Waiting
        } else if self.void.values().any(|ranges| ranges.contains(seq)) {
            Standing::Void
        } else {
            Standing::Settled
        }
    }

    /// Whether an alert with this number waits.
    #[must_use]
    pub fn holds(&self, seq: u64) -> bool {
        self.waiting.contains_key(&seq)
    }

    /// The waiting rows, by number.
    pub fn waiting(&self) -> impl Iterator<Item = &RowHead> {
        self.waiting.values().map(|row| &row.head)
    }

    /// Whether something is settled that the store does not know yet.
    #[must_use]
    pub fn needs_flush(&self) -> bool {
        !self.unmarked.is_empty()
    }

    /// The last line of the audit log.
    #[must_use]
    pub const fn audit_head(&self) -> Option<&AuditEntry> {
        self.audit_head.as_ref()
    }

    fn keep_from(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(-self.limits.keep_acked_s)
    }
}

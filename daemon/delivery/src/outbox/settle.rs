//! Acknowledgements: which rows leave, which come back, and when the store is told.

use vedette_engine::Timestamp;

use super::Outbox;
use crate::store::{Changes, Store, StoreError};
use crate::{Ack, Ranges, VoidReason};

/// What an acknowledgement says about the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Rows that left the outbox by it.
    pub rows: Ranges,
    /// Void numbers it covers for the first time.
    pub voids: Ranges,
    /// Numbers acknowledged earlier that it does not cover: the centre may have lost them.
    pub forgotten: Ranges,
    /// It covers numbers that were never given: this store is older than what the centre has seen.
    pub unknown: bool,
}

impl Settled {
    /// Whether anything new was acknowledged.
    #[must_use]
    pub fn advanced(&self) -> bool {
        !self.rows.is_empty() || !self.voids.is_empty()
    }
}

impl Outbox {
    /// Takes in an acknowledgement; `None` when it is for another epoch. The store is told with the next commit, or by
    /// [`Self::flush`]: losing that mark in a crash costs a repetition, nothing else.
    pub fn acknowledge(&mut self, ack: &Ack) -> Option<Settled> {
        if ack.epoch != self.epoch {
            return None;
        }
        let covered = ack.covered();
        if covered.last().is_some_and(|last| last >= self.next_seq) {
            return Some(Settled { unknown: true, ..Settled::default() });
        }
        let mut settled = self.settle(&covered);
        if let Some((first, last)) = ack.span() {
            let mut forgotten = covered.missing(first.max(1), last.min(self.last_seq()));
            for ranges in self.void.values() {
                forgotten.subtract(ranges);
            }
            for &seq in self.waiting.keys() {
                forgotten.remove_range(seq, seq);
            }
            settled.forgotten = forgotten;
        }
        Some(settled)
    }

    pub(super) fn settle(&mut self, covered: &Ranges) -> Settled {
        let mut settled = Settled::default();
        for (first, last) in covered.iter() {
            settled.rows.extend(&self.waiting.range(first..=last).map(|(&seq, _)| seq).collect());
        }
        for seq in settled.rows.numbers() {
            if let Some(head) = self.forget(seq) {
                self.acked_bytes += u64::from(head.length);
            }
        }
        for ranges in self.void.values_mut() {
            let mut left = ranges.clone();
            left.subtract(covered);
            let mut gone = std::mem::replace(ranges, left.clone());
            gone.subtract(&left);
            settled.voids.extend(&gone);
        }
        self.unmarked.extend(&settled.rows);
        self.unmarked.extend(&settled.voids);
        settled
    }

    /// Tells the store what is settled, and lets it erase what was settled long ago.
    ///
    /// # Errors
    /// When the store cannot write it; nothing is lost by that.
    pub fn flush<S: Store>(&mut self, now: Timestamp, store: &mut S) -> Result<(), StoreError> {
        self.ready(store)?;
        if !self.needs_flush() {
            return Ok(());
        }
        let changes = Changes {
            acked: (!self.unmarked.is_empty()).then(|| (now, self.unmarked.clone())),
            erase_acked_before: Some(self.keep_from(now)),
            ..Changes::default()
        };
        self.apply(store, &changes)?;
        self.unmarked = Ranges::new();
        Ok(())
    }

    /// Brings back numbers the centre has forgotten: rows that are still kept wait again, the others become void
    /// (*erased*).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reclaim<S: Store>(&mut self, now: Timestamp, store: &mut S, forgotten: &Ranges) -> Result<(), StoreError> {
        self.flush(now, store)?;
        let mut heads = Vec::new();
        for (first, last) in forgotten.iter() {
            heads.extend(store.heads(first, last, usize::MAX).inspect_err(|_| self.must_restart = true)?);
        }
        let mut lost = forgotten.clone();
        let mut kept = Ranges::new();
        for head in heads.iter().filter(|head| !self.waiting.contains_key(&head.seq)) {
            lost.remove_range(head.seq, head.seq);
            kept.insert(head.seq);
        }
        let void: Vec<_> =
            [(VoidReason::Erased, lost.clone())].into_iter().filter(|(_, ranges)| !ranges.is_empty()).collect();
        self.apply(store, &Changes { unacked: kept.clone(), void, ..Changes::default() })?;
        self.void.entry(VoidReason::Erased).or_default().extend(&lost);
        for head in heads {
            if kept.contains(head.seq) {
                self.acked_bytes = self.acked_bytes.saturating_sub(u64::from(head.length));
                self.admit(head, true);
            }
        }
        Ok(())
    }
}

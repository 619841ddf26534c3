//! Stores in memory: what a gateway works with while it has no usable file, and, with injectable faults, tests and
//! simulation.

use std::collections::{BTreeMap, VecDeque};

use vedette_engine::Timestamp;

use crate::audit::AuditEntry;
use crate::store::{Changes, EngineState, OutboxRow, Restart, RowHead, Store, StoreError, Window};
use crate::{Epoch, Ranges, VoidReason};

/// What happens to one operation of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is wrong.
    None,
    /// Nothing was written, and an error is returned.
    Before,
    /// All was written, and an error is returned: the caller cannot know.
    After,
    /// There is no room, whatever the quota says.
    Full,
}

/// Decides, operation by operation, what goes wrong.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    queue: VecDeque<Fault>,
    struck: u64,
    /// An operation failed, and there was no restart since.
    broken: bool,
}

impl Faults {
    /// The next operations meet these faults, one each; those after them meet none.
    pub fn push(&mut self, fault: Fault) {
        self.queue.push_back(fault);
    }

    /// One operation: it meets the next fault. After a failure all do, until a restart.
    pub(crate) fn strike(&mut self, what: &'static str) -> Result<(), StoreError> {
        let path = || "memory".to_owned();
        if self.broken {
            let reason = "used after an error without restart".to_owned();
            return Err(StoreError::Failed { path: path(), what, reason });
        }
        let fault = self.queue.pop_front().unwrap_or(Fault::None);
        self.struck += u64::from(fault != Fault::None);
        let reason = "injected".to_owned();
        match fault {
            Fault::None => Ok(()),
            Fault::Before | Fault::After => {
                self.broken = true;
                Err(StoreError::Failed { path: path(), what, reason })
            }
            Fault::Full => Err(StoreError::Full { path: path(), what, reason }),
        }
    }

    /// A restart, which is an operation itself.
    pub(crate) fn restart(&mut self) -> Result<(), StoreError> {
        self.broken = false;
        self.strike("restart")
    }

    /// Whether the next operation is done although it will be said to have failed.
    pub(crate) fn is_after(&self) -> bool {
        !self.broken && self.queue.front() == Some(&Fault::After)
    }

    /// How many operations met a fault since the last call.
    pub fn take_struck(&mut self) -> u64 {
        std::mem::take(&mut self.struck)
    }

    /// Forgets what was planned.
    pub fn clear(&mut self) {
        self.queue.clear();
    }
}

/// Lines of the audit log that are kept; the oldest go first.
pub const MAX_AUDIT: usize = 10_000;

/// A gateway's store in memory. It survives the [`crate::Uplink`] that uses it, as a file survives a process.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    epoch: Epoch,
    last_batch: u64,
    next_seq: u64,
    windows: BTreeMap<u32, Window>,
    engine: EngineState,
    rows: BTreeMap<u64, (OutboxRow, Option<Timestamp>)>,
    void: BTreeMap<VoidReason, Ranges>,
    dropped: u64,
    reported: u64,
    audit: Vec<AuditEntry>,
    /// What goes wrong.
    pub faults: Faults,
    /// How many commits were made durable.
    pub commits: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            last_batch: 0,
            next_seq: 1,
            windows: BTreeMap::new(),
            engine: EngineState::default(),
            rows: BTreeMap::new(),
            void: BTreeMap::new(),
            dropped: 0,
            reported: 0,
            audit: Vec::new(),
            faults: Faults::default(),
            commits: 0,
        }
    }

    /// The audit log's newest lines, [`MAX_AUDIT`] at most.
    #[must_use]
    pub fn audit(&self) -> &[AuditEntry] {
        &self.audit
    }

    /// How many rows it holds, acknowledged or not.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    fn write(&mut self, changes: &Changes) {
        if let Some(epoch) = &changes.epoch {
            self.epoch = epoch.clone();
            self.next_seq = 1;
            self.rows.clear();
            self.void.clear();
            self.dropped = 0;
            self.reported = 0;
        }
        self.last_batch = changes.batch.unwrap_or(self.last_batch);
        for window in &changes.windows {
            self.windows.insert(window.node, window.clone());
        }
        let engine = &mut self.engine;
        engine.journal.extend(changes.journal.iter().cloned());
        if let Some(snapshot) = &changes.snapshot {
            engine.snapshot = Some(snapshot.clone());
            engine.journal.clear();
        }
        if let Some(config) = &changes.config {
            engine.config = Some(config.clone());
        }
        self.audit.extend(changes.audit.iter().cloned());
        let excess = self.audit.len().saturating_sub(MAX_AUDIT);
        self.audit.drain(..excess);
        for row in &changes.insert {
            self.rows.insert(row.head.seq, (row.clone(), None));
            self.next_seq = self.next_seq.max(row.head.seq + 1);
        }
        for seq in changes.remove.numbers() {
            self.rows.remove(&seq);
        }
        for (why, ranges) in &changes.void {
            self.void.entry(*why).or_default().extend(ranges);
            if let Some(last) = ranges.last() {
                self.next_seq = self.next_seq.max(last + 1);
            }
            if *why == VoidReason::Dropped {
                self.dropped += ranges.count();
            }
        }
        if let Some((at, acked)) = &changes.acked {
            for (first, last) in acked.iter() {
                for (_, mark) in self.rows.range_mut(first..=last).map(|(_, row)| row) {
                    mark.get_or_insert(*at);
                }
            }
            for ranges in self.void.values_mut() {
                ranges.subtract(acked);
            }
        }
        for (first, last) in changes.unacked.iter() {
            for (_, mark) in self.rows.range_mut(first..=last).map(|(_, row)| row) {
                *mark = None;
            }
        }
        self.reported = changes.reported.unwrap_or(self.reported);
        if let Some(before) = changes.erase_acked_before {
            self.rows.retain(|_, (_, mark)| mark.is_none_or(|at| at >= before));
        }
        self.commits += 1;
    }
}

impl Store for MemoryStore {
    fn restart(&mut self) -> Result<Restart, StoreError> {
        self.faults.restart()?;
        let acked = self.rows.values().filter(|(_, mark)| mark.is_some());
        Ok(Restart {
            epoch: self.epoch.clone(),
            last_batch: self.last_batch,
            next_seq: self.next_seq,
            windows: self.windows.values().cloned().collect(),
            engine: self.engine.clone(),
            waiting: self.rows.values().filter(|(_, mark)| mark.is_none()).map(|(row, _)| row.head.clone()).collect(),
            void: self.void.iter().map(|(&why, ranges)| (why, ranges.clone())).collect(),
            acked_bytes: acked.map(|(row, _)| u64::from(row.head.length)).sum(),
            dropped: self.dropped,
            reported: self.reported,
            audit_head: self.audit.last().cloned(),
        })
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        if self.faults.is_after() {
            self.write(changes);
        }
        self.faults.strike("commit")?;
        self.write(changes);
        Ok(())
    }

    fn read(&mut self, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.faults.strike("read")?;
        Ok(self.rows.get(&seq).map(|(row, _)| row.bytes.clone()))
    }

    fn heads(&mut self, first: u64, last: u64, limit: usize) -> Result<Vec<RowHead>, StoreError> {
        self.faults.strike("heads")?;
        Ok(self.rows.range(first..=last).take(limit).map(|(_, (row, _))| row.head.clone()).collect())
    }
}

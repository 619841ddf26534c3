//! The store the keeper works on: the file, or memory while the file cannot be used.
//!
//! The daemon never stops tracking for want of a disk. Without a usable file it works on a store in memory, with an epoch
//! of its own: alerts still reach the centre, but nothing is durable, so no radio frame is acknowledged. The file is
//! tried again and again; once it opens, the engine's task takes in what the file knew (replay windows above all) and
//! hands over its whole state, and that is committed together with everything memory still holds. A damaged file is put
//! aside and kept; what can be read of it goes into the new one.

mod parts;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use vedette_delivery::audit::AuditEntry;
use vedette_delivery::memory::MemoryStore;
use vedette_delivery::store::{Changes, Restart, RowHead};
use vedette_delivery::{Batch, CommitError, Committed, Envelope, Epoch, Store, StoreError};
use vedette_delivery::{Uplink, UplinkConfig, Window};
use vedette_engine::{AuditRecord, Fact, Timestamp};

use crate::status::StoreReport;
use crate::store::{Salvage, SqliteStore};

/// Time between two attempts to get back to the file.
const TRY_EVERY: Duration = Duration::from_secs(5);
/// Bounds of an outbox in memory.
const MEMORY_ALERTS: u64 = 5_000;
const MEMORY_BYTES: u64 = 4 << 20;
/// How long acknowledged alerts stay in memory, seconds.
const MEMORY_KEEP_S: f64 = 600.0;
/// A file that is left again so soon after the return is tried less often.
const HELD_FOR: Duration = Duration::from_secs(60);
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(600);
/// Part of the outbox's room that audit lines of a time without a file may fill, and their usual size.
const AUDIT_SHARE: u64 = 8;
const AUDIT_LINE_BYTES: u64 = 256;

/// What a file that can be used again knows and the engine does not.
#[derive(Debug)]
pub(super) struct Recovered {
    /// Radio states of nodes.
    pub(super) windows: Vec<Window>,
    /// What the file says of an earlier process, unless this process has read it.
    pub(super) earlier: Option<Restart>,
}

/// The file is in use again.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) uplink: Uplink,
    /// What is committed already.
    pub(super) committed: Committed,
    /// What is to be committed next, in this order; the last has the engine's state. Empty when all is committed.
    pub(super) rest: Vec<Batch>,
}

/// The store at work.
#[derive(Debug)]
pub(super) struct Shelf {
    file: SqliteStore,
    path: PathBuf,
    config: UplinkConfig,
    memory: Option<Memory>,
    /// What was read from a damaged file and is in no new one yet.
    owed: Batch,
    /// The audit log of a file that was taken away, for the next one.
    log: Vec<AuditEntry>,
    /// What became of the file, for the engine to tell.
    fault: Option<String>,
    /// When it was last gone back to.
    returned: Option<Instant>,
    /// The file was found to be damaged, perhaps where opening it does not show: it is to be put aside.
    damage: Option<StoreError>,
}

/// The store in memory, and why it is in use.
#[derive(Debug)]
struct Memory {
    store: MemoryStore,
    why: String,
    try_at: Instant,
    /// This process has never read the file.
    unread: bool,
}

impl Shelf {
    /// Opens the file, or goes on without it.
    ///
    /// # Errors
    /// When another process works on the file, or not even memory can be used, for want of random bytes.
    pub(super) fn open(
        mut file: SqliteStore,
        path: PathBuf,
        config: UplinkConfig,
        now: Timestamp,
    ) -> Result<(Self, Uplink, Restart), StoreError> {
        make_folder(&path);
        file.lock()?;
        let (memory, owed, log) = (None, Batch::default(), Vec::new());
        let mut shelf = Self { file, path, config, memory, owed, log, fault: None, returned: None, damage: None };
        let (uplink, restart) = match shelf.open_file(now) {
            Ok(opened) => opened,
            Err(error) => shelf.take_refuge(&error, true, now)?,
        };
        Ok((shelf, uplink, restart))
    }

    /// What is to be committed first.
    pub(super) fn take_owed(&mut self) -> Batch {
        std::mem::take(&mut self.owed)
    }

    /// What became of the file since the last time this was asked: alerts that waited in it may be lost.
    pub(super) fn take_fault(&mut self) -> Option<Fact> {
        let error = self.fault.take()?;
        Some(Fact::StorageFault { what: "store".to_owned(), error })
    }

    /// Why the file cannot be used, when it cannot.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.memory.as_ref().map(|memory| memory.why.as_str())
    }

    /// How it is.
    pub(super) fn report(&self) -> StoreReport {
        let trouble = self.trouble().map(str::to_owned);
        StoreReport {
            durable: trouble.is_none(),
            trouble,
            bytes: self.file.file_bytes(),
            reserve_spent: self.file.is_reserve_spent(),
        }
    }

    fn open_file(&mut self, now: Timestamp) -> Result<(Uplink, Restart), StoreError> {
        make_folder(&self.path);
        let log = std::mem::take(&mut self.log);
        if !log.is_empty() {
            self.file.restart()?;
            if let Err(error) = self.file.adopt_audit(&log) {
                tracing::error!("the audit log begins anew: {error}");
            }
        }
        let started = match self.damage.take() {
            Some(damage) => Err(damage),
            None => Uplink::start(self.config.clone(), now, &mut self.file),
        };
        let damage = match started {
            Err(error @ StoreError::Damaged { .. }) => error,
            other => return other,
        };
        let salvage = self.file.salvage();
        let aside = self.file.set_aside().inspect_err(|_| self.damage = Some(damage.clone()))?;
        tracing::error!("the store is damaged and was put aside as {}: {damage}", aside.display());
        // A new file; its audit log goes on where the old one can be proven.
        self.file.restart()?;
        let lines = self.file.adopt_audit(&salvage.audit)?;
        let (uplink, mut restart) = Uplink::start(self.config.clone(), now, &mut self.file)?;
        self.owe(&salvage);
        let (alerts, states) = (self.owed.alerts.len(), salvage.windows.len());
        let read = format!("{alerts} waiting alerts, {states} radio states and {lines} audit lines read from it");
        self.fault =
            Some(format!("damaged and begun anew; waiting alerts read from it: {alerts}, any others are lost"));
        let detail = format!("{damage}; kept as {}; {read}", aside.display());
        self.owed.audit.push(AuditRecord { at: now, by: "gateway".into(), act: "store_set_aside".into(), detail });
        (restart.windows, restart.engine) = (salvage.windows, salvage.engine);
        Ok((uplink, restart))
    }

    /// What was read from a file that is no more belongs into the next one.
    fn owe(&mut self, salvage: &Salvage) {
        let envelopes = salvage.envelopes.iter().filter_map(|bytes| Envelope::read(bytes).ok());
        self.owed.alerts = envelopes.map(|envelope| envelope.alert).collect();
        self.owed.windows.clone_from(&salvage.windows);
    }

    /// Goes on in memory.
    pub(super) fn take_refuge(
        &mut self,
        error: &StoreError,
        unread: bool,
        now: Timestamp,
    ) -> Result<(Uplink, Restart), StoreError> {
        tracing::error!("going on in memory, radio frames are not acknowledged: {error}");
        if let Some(salvage) = self.file.take_orphan() {
            self.owe(&salvage);
            self.log = salvage.audit;
            let alerts = self.owed.alerts.len();
            self.fault =
                Some(format!("taken away while in use; waiting alerts read from it: {alerts}, any others are lost"));
        } else {
            self.note_damage(error);
        }
        let epoch = crate::random::hex().map_err(|random| StoreError::Failed {
            path: "memory".to_owned(),
            what: "a new epoch",
            reason: random.to_string(),
        })?;
        let mut store = MemoryStore::new(Epoch(epoch));
        let mut config = self.config.clone();
        config.limits.max_rows = MEMORY_ALERTS;
        config.limits.max_bytes = MEMORY_BYTES;
        config.limits.keep_acked_s = MEMORY_KEEP_S;
        let started = Uplink::start(config, now, &mut store)?;
        let held = self.returned.is_none_or(|at| at.elapsed() >= HELD_FOR);
        let try_at = Instant::now() + if held { TRY_EVERY } else { TRY_AGAIN_AFTER };
        self.memory = Some(Memory { store, why: error.to_string(), try_at, unread });
        Ok(started)
    }

    fn note_damage(&mut self, error: &StoreError) {
        if matches!(error, StoreError::Damaged { .. }) {
            self.damage = Some(error.clone());
        }
    }

    /// When the file is to be tried again.
    pub(super) fn try_at(&self) -> Option<Instant> {
        self.memory.as_ref().map(|memory| memory.try_at)
    }

    /// Tries the file, when it is time; what it knows, when it can be used again.
    pub(super) fn try_file(&mut self, now: Timestamp) -> Option<Recovered> {
        let memory = self.memory.as_mut().filter(|memory| memory.try_at <= Instant::now())?;
        memory.try_at = Instant::now() + TRY_EVERY;
        let unread = memory.unread;
        match self.open_file(now) {
            Ok((_, restart)) => {
                let windows = restart.windows.clone();
                Some(Recovered { windows, earlier: unread.then_some(restart) })
            }
            Err(error) => {
                if let Some(memory) = &mut self.memory {
                    memory.why = error.to_string();
                }
                None
            }
        }
    }

    /// Goes back to the file with `batch`, which holds the engine's whole state, and with what memory still holds: as much
    /// as one transaction of a small file takes is committed, and the file is at work from then on. After an error memory
    /// stays in use.
    ///
    /// # Errors
    /// When the file still cannot be used.
    pub(super) fn go_back(
        &mut self,
        now: Timestamp,
        uplink: &mut Uplink,
        batch: &Batch,
    ) -> Result<Returned, CommitError> {
        let Some(memory) = &mut self.memory else {
            let reason = "the file is in use already".to_owned();
            return Err(StoreError::Failed { path: self.path.display().to_string(), what: "return", reason }.into());
        };
        let mut whole = self.owed.clone();
        uplink.finish(now, &mut memory.store)?;
        for head in memory.store.restart()?.waiting {
            let bytes = memory.store.read(head.seq)?.unwrap_or_default();
            whole.alerts.extend(Envelope::read(&bytes).ok().map(|envelope| envelope.alert));
        }
        let written = memory.store.audit();
        let forgotten = written.first().map_or(0, |entry| entry.n.saturating_sub(1));
        let records = written.iter().filter_map(|entry| serde_json::from_slice::<AuditRecord>(&entry.record).ok());
        whole.audit.extend(records);
        whole.audit.extend(batch.audit.iter().cloned());
        let most = self.config.limits.max_bytes / AUDIT_SHARE / AUDIT_LINE_BYTES;
        parts::shorten(&mut whole.audit, forgotten, usize::try_from(most).unwrap_or(usize::MAX), now);
        whole.alerts.extend(batch.alerts.iter().cloned());
        let mut parts = parts::parts(Batch { alerts: whole.alerts, audit: whole.audit, ..batch.clone() });
        let (mut uplink, _) = Uplink::start(self.config.clone(), now, &mut self.file)?;
        let first = uplink.seal(parts.remove(0));
        let committed = uplink.commit(now, &mut self.file, &first).inspect_err(|error| {
            if let CommitError::Store(error) = error {
                self.note_damage(error);
            }
        })?;
        (self.memory, self.owed, self.returned) = (None, Batch::default(), Some(Instant::now()));
        tracing::info!("the store can be used again");
        Ok(Returned { uplink, committed, rest: parts })
    }

    /// An uplink with other settings on the same store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn change_uplink(&mut self, config: UplinkConfig, now: Timestamp) -> Result<Uplink, StoreError> {
        let (uplink, _) = Uplink::start(config.clone(), now, self)?;
        self.config = config;
        Ok(uplink)
    }

    /// Alerts that are in memory alone.
    pub(super) fn at_risk(&self, uplink: &Uplink) -> u64 {
        let in_memory = if self.memory.is_some() { uplink.outbox().depth() } else { 0 };
        in_memory + self.owed.alerts.len() as u64
    }
}

fn make_folder(file: &Path) {
    if let Some(folder) = file.parent() {
        // Opening tells why a folder that cannot be made cannot be used.
        let _ = std::fs::create_dir_all(folder);
    }
}

impl Store for Shelf {
    fn restart(&mut self) -> Result<Restart, StoreError> {
        match &mut self.memory {
            Some(memory) => memory.store.restart(),
            None => self.file.restart(),
        }
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        match &mut self.memory {
            Some(memory) => memory.store.commit(changes),
            None => self.file.commit(changes),
        }
    }

    fn read(&mut self, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        match &mut self.memory {
            Some(memory) => memory.store.read(seq),
            None => self.file.read(seq),
        }
    }

    fn heads(&mut self, first: u64, last: u64, limit: usize) -> Result<Vec<RowHead>, StoreError> {
        match &mut self.memory {
            Some(memory) => memory.store.heads(first, last, limit),
            None => self.file.heads(first, last, limit),
        }
    }
}

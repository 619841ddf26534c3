//! The gateway's store: one SQLite file that survives kills, power cuts and full disks.
//!
//! ```text
//! meta      key -> value            epoch, last_batch, next_seq, dropped, reported, engine_config
//! window    node -> state           replay window of each radio node
//! snapshot  (one row) bytes         the engine as of the last snapshot ..
//! journal   n -> now, input, whole  .. and what it was told since, in order
//! outbox    seq -> priority, place, alert, rev, reserved, bytes, acked_at
//!                                   acked_at NULL: waits for the centre; else kept for a time, then deleted
//! void      first -> last, why      numbers that will never come and are not acknowledged; disjoint ranges
//! audit     n -> record, hash       chain of hashes, appended to and never changed
//! ```
//!
//! - Write-ahead log with `synchronous=FULL`: a commit that returned survives a power cut.
//! - `user_version` is the schema's version; `schema` migrates older files forward, each step in one transaction.
//! - The file is bounded by `max_page_count`, the log by `journal_size_limit`; freed pages are given back step by step.
//! - Beside the file lies a reserve of plain bytes. When the disk is full it is deleted, so that the transaction which
//!   makes room, and the alert that tells of it, can still be written; it is laid down again when there is room.
//! - After any failure but a full disk the handle is given up: [`Store::restart`] opens the file anew. A failed sync
//!   leaves the page cache in doubt, and trying again on the same handle would hide it.

mod private;
mod reserve;
mod schema;
mod tables;
mod transaction;

#[cfg(test)]
mod tests;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reserve::Reserve;
use rusqlite::{Connection, ErrorCode, OpenFlags};
pub use vedette_delivery::audit::hexadecimal;
pub use vedette_delivery::audit::{Anchor, AuditEntry, Verifier as AuditVerifier};
use vedette_delivery::store::{Changes, EngineState, Restart, RowHead, Store, StoreError, Window};
use vedette_delivery::{Batch, CommitError, Limits, Outbox};
use vedette_engine::{AuditRecord, Timestamp};

/// Bounds of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// Greatest size of the file, bytes.
    pub max_file_bytes: u64,
    /// Size the write-ahead log shrinks to after a checkpoint, bytes.
    pub log_bytes: u64,
    /// Size of the reserve, bytes; 0 for none.
    pub reserve_bytes: u64,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self { max_file_bytes: 128 << 20, log_bytes: 4 << 20, reserve_bytes: 1 << 20 }
    }
}

/// What was read from a damaged file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvage {
    /// Radio states of nodes.
    pub windows: Vec<Window>,
    /// Envelopes that the centre had not acknowledged.
    pub envelopes: Vec<Vec<u8>>,
    /// The engine.
    pub engine: EngineState,
    /// The audit log from its first line, as far as each line follows from the one before.
    pub audit: Vec<AuditEntry>,
}

const PAGE_BYTES: u64 = 4096;
/// Commits between two attempts to lay down the reserve again, and between two steps of giving back freed pages.
const UPKEEP_EVERY: u64 = 64;
/// Time between two emptyings of the write-ahead log.
const EMPTY_LOG_EVERY: Duration = Duration::from_secs(86_400);
/// A process that is about to end lets go of the store within this time.
const LOCK_PATIENCE: Duration = Duration::from_millis(300);
/// Freed pages given back in one step.
const VACUUM_PAGES: i64 = 64;

/// A gateway's store in a SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    limits: StoreLimits,
    connection: Option<Connection>,
    commits: u64,
    /// Held while this process works on the store.
    lock: Option<fs::File>,
    /// Which file was opened: another one may be put in its place.
    inode: Option<u64>,
    /// What was read from a file that was taken away while it was in use.
    orphan: Option<Salvage>,
    reserve: Reserve,
    /// When the write-ahead log was last emptied.
    emptied_at: Instant,
}

impl SqliteStore {
    /// Names the file; [`Store::restart`] opens it, and makes it if it is not there.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, limits: StoreLimits) -> Self {
        let path = path.into();
        let reserve = Reserve::new(beside_dash(&path, "reserve"), limits.reserve_bytes);
        Self {
            path,
            limits,
            connection: None,
            commits: 0,
            lock: None,
            inode: None,
            orphan: None,
            reserve,
            emptied_at: Instant::now(),
        }
    }

    /// Takes the store for this process; a store whose folder cannot be written is nobody's.
    ///
    /// # Errors
    /// When another process works on it.
    pub fn lock(&mut self) -> Result<(), StoreError> {
        let path = beside_dash(&self.path, "lock");
        let Ok(file) = fs::File::options().create(true).append(true).open(path) else { return Ok(()) };
        let until = Instant::now() + LOCK_PATIENCE;
        let mut locked = file.try_lock();
        while matches!(locked, Err(fs::TryLockError::WouldBlock)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
            locked = file.try_lock();
        }
        match locked {
            Err(fs::TryLockError::WouldBlock) => {
                Err(self.failed("locking", "another process works on this store".to_owned()))
            }
            Ok(()) | Err(fs::TryLockError::Error(_)) => {
                self.lock = Some(file);
                Ok(())
            }
        }
    }

    /// What a file held that was taken away, or replaced, while it was in use; once.
    pub fn take_orphan(&mut self) -> Option<Salvage> {
        self.orphan.take()
    }

    /// Whether the disk was full and the reserve is spent.
    #[must_use]
    pub fn is_reserve_spent(&self) -> bool {
        self.reserve.is_spent()
    }

    /// What is written to a file that nobody finds again is lost.
    fn check_place(&mut self) -> Result<(), StoreError> {
        let Some(connection) = &self.connection else { return Ok(()) };
        if self.inode.is_none() || inode(&self.path) == self.inode {
            return Ok(());
        }
        self.orphan = Some(tables::salvage(connection));
        self.connection = None;
        let reason = "it was taken away or replaced while in use".to_owned();
        Err(StoreError::Damaged { path: self.path.display().to_string(), what: "file", reason })
    }

    /// Size of the file and its write-ahead log, bytes; 0 when there is none.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        let length = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
        length(&self.path) + length(&beside_dash(&self.path, "wal"))
    }

    /// What can still be read of a damaged file, each row by itself.
    #[must_use]
    pub fn salvage(&self) -> Salvage {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        Connection::open_with_flags(&self.path, flags)
            .map_or_else(|_| Salvage::default(), |file| tables::salvage(&file))
    }

    /// Puts a damaged file aside, so that the next [`Store::restart`] begins a new one with a new epoch.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn set_aside(&mut self) -> Result<PathBuf, StoreError> {
        self.connection = None;
        let aside = |n: u32| beside(&self.path, &format!("damaged-{n}"));
        let target = (1..).map(aside).find(|path| !path.exists()).unwrap_or_else(|| aside(0));
        let failed = |error: std::io::Error| self.failed("setting aside", error.to_string());
        fs::rename(&self.path, &target).map_err(failed)?;
        for part in ["wal", "shm"] {
            let from = beside_dash(&self.path, part);
            if from.exists() {
                fs::rename(&from, beside_dash(&target, part)).map_err(failed)?;
            }
        }
        Ok(target)
    }

    /// Takes over the audit log of a file that was put aside, into one that has none: it goes on behind its last line.
    /// Gives the number of lines.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn adopt_audit(&mut self, log: &[AuditEntry]) -> Result<usize, StoreError> {
        self.with("taking over the audit log", |connection| {
            let transaction = connection.transaction()?;
            log.iter().try_for_each(|entry| transaction::append_audit(&transaction, entry))?;
            transaction.commit()
        })?;
        Ok(log.len())
    }

    fn open(&self) -> Result<Connection, StoreError> {
        let failed = |error: rusqlite::Error| self.error("opening", &error);
        private::make(&self.path);
        let mut connection = Connection::open(&self.path).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(2)).map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(32);
        // Before the first table, or they have no effect on a new file.
        connection.pragma_update(None, "page_size", tables::integer(PAGE_BYTES)).map_err(failed)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failed)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        // Overwrites what is deleted where that costs no write; for alerts, `transaction` overwrites it in any case.
        connection.pragma_update(None, "secure_delete", "FAST").map_err(failed)?;
        connection.pragma_update(None, "journal_size_limit", tables::integer(self.limits.log_bytes)).map_err(failed)?;
        let pages = (self.limits.max_file_bytes / PAGE_BYTES).max(64);
        connection.pragma_update(None, "max_page_count", tables::integer(pages)).map_err(failed)?;
        schema::migrate(&mut connection, &self.path.display().to_string())?;
        Ok(connection)
    }

    /// Runs `work` on the open handle; gives the handle up on any failure but a full disk.
    fn with<T>(
        &mut self,
        what: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let Some(connection) = &mut self.connection else {
            return Err(self.failed(what, "the handle was given up after an error; restart opens it anew".to_owned()));
        };
        let result = work(connection);
        result.map_err(|error| {
            let error = self.error(what, &error);
            if matches!(error, StoreError::Full { .. }) {
                self.reserve.spend();
            } else {
                self.connection = None;
            }
            error
        })
    }

    fn failed(&self, what: &'static str, reason: String) -> StoreError {
        StoreError::Failed { path: self.path.display().to_string(), what, reason }
    }

    fn error(&self, what: &'static str, error: &rusqlite::Error) -> StoreError {
        let path = self.path.display().to_string();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { path, what, reason },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { path, what, reason },
            _ => StoreError::Failed { path, what, reason },
        }
    }

    fn upkeep(&mut self) {
        self.commits += 1;
        self.reserve.lay_again();
        if !self.commits.is_multiple_of(UPKEEP_EVERY) {
            return;
        }
        self.reserve.lay();
        let stepped = self.with("giving back freed pages", |connection| {
            let free: i64 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
            if free > VACUUM_PAGES {
                connection.execute_batch(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
            }
            Ok(())
        });
        // What was overwritten in the file may still stand in its log.
        let emptied = if self.emptied_at.elapsed() >= EMPTY_LOG_EVERY {
            self.emptied_at = Instant::now();
            self.checkpoint()
        } else {
            Ok(())
        };
        if let Err(error) = stepped.and(emptied) {
            tracing::warn!(%error, "store upkeep failed");
        }
    }

    /// Copies all of the write-ahead log into the file and empties it, as before a copy of the file is taken.
    ///
    /// # Errors
    /// When writing fails.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.with("checkpoint", |connection| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
    }
}

impl Store for SqliteStore {
    fn restart(&mut self) -> Result<Restart, StoreError> {
        self.connection = None;
        let connection = self.open()?;
        self.reserve.lay();
        self.inode = inode(&self.path);
        let connection = self.connection.insert(connection);
        let read = tables::read_all(connection);
        read.map_err(|error| match error {
            tables::ReadError::Sqlite(error) => {
                self.connection = None;
                self.error("reading", &error)
            }
            tables::ReadError::Damaged { what, reason } => {
                self.connection = None;
                StoreError::Damaged { path: self.path.display().to_string(), what, reason }
            }
        })
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.check_place()?;
        self.with("commit", |connection| transaction::commit(connection, changes))?;
        self.upkeep();
        Ok(())
    }

    fn read(&mut self, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.with("reading a row", |connection| tables::bytes(connection, seq))
    }

    fn heads(&mut self, first: u64, last: u64, limit: usize) -> Result<Vec<RowHead>, StoreError> {
        self.with("reading rows", |connection| tables::heads(connection, first, last, limit))
    }
}

/// The lines of a store's audit log after line `after`, also while a daemon runs on it.
///
/// # Errors
/// When it cannot be read.
pub fn read_audit(path: &Path, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
    let store = SqliteStore::new(path, StoreLimits::default());
    let read = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        tables::audit(&connection, after, limit)
    };
    read().map_err(|error| store.error("reading the audit log", &error))
}

/// Adds lines to the audit log of a store that no daemon works on.
///
/// # Errors
/// When they cannot be written, or a daemon works on it.
pub fn append_audit(path: &Path, at: Timestamp, audit: Vec<AuditRecord>) -> Result<(), CommitError> {
    let mut store = SqliteStore::new(path, StoreLimits::default());
    store.lock()?;
    // Nothing is dropped by this.
    let limits = Limits { max_rows: u64::MAX, max_bytes: u64::MAX, ..Limits::default() };
    let (mut outbox, _) = Outbox::start(limits, &mut store)?;
    let sealed = outbox.seal(Batch { audit, ..Batch::default() });
    outbox.commit(at, &mut store, &sealed).map(drop)
}

/// How many alerts the centre has acknowledged before a time, and their size.
///
/// # Errors
/// When the store cannot be read.
pub fn acknowledged_before(path: &Path, before: Timestamp) -> Result<(u64, u64), StoreError> {
    let store = SqliteStore::new(path, StoreLimits::default());
    let read = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        tables::acknowledged_before(&connection, before)
    };
    read().map_err(|error| store.error("reading the outbox", &error))
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|found| found.ino())
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

fn beside_dash(path: &Path, part: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-");
    name.push(part);
    PathBuf::from(name)
}

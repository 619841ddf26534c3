//! The ledger's file: SQLite, each commit one transaction.
//!
//! ```text
//! meta      key -> value                       announced: the last line people were told of
//! entry     n -> gateway, epoch, seq, received_at, verdict, digest, bytes
//!                                              bytes NULL: erased; the number stays settled
//! void      gateway, epoch, first -> last, why
//! gateway   gateway -> record (JSON)
//! command   gateway, id -> record (JSON), open
//! audit     n -> record, hash                  chain of hashes, appended to and never changed
//! ```
//!
//! Write-ahead log with `synchronous=FULL`: what was acknowledged survives a power cut. After any failure the handle is
//! given up, and [`LedgerStore::restart`] opens the file anew. A damaged file is put aside and kept; what can be read of
//! it goes into a new one. What is erased is overwritten, in the file and in its log.

mod audit;
mod orders;
mod salvage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use vedette_delivery::audit::AuditEntry;
use vedette_delivery::engine::Timestamp;
use vedette_delivery::ledger::{Digest, Entry, LedgerChanges, LedgerRestart, LedgerStore, VoidEntry};
use vedette_delivery::store::StoreError;
use vedette_delivery::{Epoch, GatewayId, Ranges, VoidReason};

/// Step `n` leads from version `n` to `n + 1`; steps are never changed, only appended.
const STEPS: &[&str] = &[
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
     INSERT INTO meta VALUES ('announced', 0);
     CREATE TABLE entry (
         n INTEGER PRIMARY KEY, gateway TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
         received_at INTEGER NOT NULL, verdict TEXT NOT NULL, digest BLOB NOT NULL, bytes BLOB);
     CREATE INDEX entry_number ON entry (gateway, epoch, seq);
     CREATE INDEX entry_kept ON entry (received_at) WHERE bytes IS NOT NULL;
     CREATE TABLE void (
         gateway TEXT NOT NULL, epoch TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, why TEXT NOT NULL,
         PRIMARY KEY (gateway, epoch, first)) WITHOUT ROWID;
     CREATE TABLE gateway (gateway TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
     CREATE TABLE command (
         gateway TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, open INTEGER NOT NULL,
         PRIMARY KEY (gateway, id)) WITHOUT ROWID;",
    "CREATE TABLE audit (n INTEGER PRIMARY KEY, record BLOB NOT NULL, hash BLOB NOT NULL);",
];

/// Files of this version may hold what was erased from them in pages that were freed.
const FORGOT_ONLY: i64 = 1;

/// A centre's ledger in a SQLite file.
#[derive(Debug)]
pub struct SqliteLedger {
    path: PathBuf,
    connection: Option<Connection>,
    /// SQLite's count of what other connections have changed, when orders were last looked for.
    seen: Option<i64>,
    /// What was damaged, until somebody asks.
    damage: Option<String>,
    /// The log may still hold what was erased.
    is_log_stale: bool,
}

impl SqliteLedger {
    /// Names the file; [`LedgerStore::restart`] opens it, and makes it if it is not there.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), connection: None, seen: None, damage: None, is_log_stale: false }
    }

    /// Entries from line `first` on, at most `limit`, read from the file while a centre may be running on it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn entries(path: &Path, first: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let ledger = Self::new(path);
        let read = || -> rusqlite::Result<Vec<Entry>> {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            connection
                .prepare(&format!("{ENTRY} WHERE bytes IS NOT NULL AND n >= ?1 ORDER BY n LIMIT ?2"))?
                .query_map([integer(first), i64::try_from(limit).unwrap_or(i64::MAX)], entry)?
                .collect()
        };
        read().map_err(|error| ledger.error("reading entries", &error))
    }

    fn open(&self) -> Result<Connection, StoreError> {
        let open = || -> rusqlite::Result<(Connection, i64)> {
            self.make_private();
            let mut connection = Connection::open(&self.path)?;
            connection.busy_timeout(std::time::Duration::from_secs(2))?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
            // What is erased is overwritten and not only forgotten.
            connection.pragma_update(None, "secure_delete", true)?;
            let got: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            let steps = usize::try_from(got).ok().and_then(|from| STEPS.get(from..)).unwrap_or_default();
            for (step, version) in steps.iter().zip(got + 1..) {
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                transaction.execute_batch(step)?;
                transaction.pragma_update(None, "user_version", version)?;
                transaction.commit()?;
            }
            if got == FORGOT_ONLY {
                connection.execute_batch("VACUUM")?;
            }
            Ok((connection, got))
        };
        let (connection, got) = open().map_err(|error| self.error("opening", &error))?;
        let expected = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
        if !(0..=expected).contains(&got) {
            return Err(StoreError::Version { path: self.path.display().to_string(), got, expected });
        }
        Ok(connection)
    }

    /// The file is for its owner alone: it holds every alert, and whoever may write it may order.
    fn make_private(&self) {
        let mut options = std::fs::OpenOptions::new();
        // One that cannot be made is told by the opening that follows.
        drop(options.create_new(true).write(true).mode(0o600).open(&self.path));
        for part in ["", "-wal", "-shm"] {
            let path = salvage::with_ending(&self.path, part);
            let Some(found) = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file) else { continue };
            let (mode, path_told) = (found.permissions().mode() & 0o777, path.display());
            // A group is given access on purpose; everybody never is.
            if mode & 0o007 == 0 {
                continue;
            }
            match std::fs::set_permissions(&path, Permissions::from_mode(0o600)) {
                Ok(()) => tracing::warn!("{path_told}: mode {mode:03o}: others could read it; now it is 600"),
                Err(error) => tracing::warn!("{path_told}: mode {mode:03o}: others can read it; not changed: {error}"),
            }
        }
    }

    /// What was damaged since the last call, and what became of it.
    pub(crate) fn take_damage(&mut self) -> Option<String> {
        self.damage.take()
    }

    /// Empties the write-ahead log after an erasure; a reader in its way is waited for until the next commit.
    fn clean_log(&mut self) -> Result<(), StoreError> {
        if self.is_log_stale {
            self.is_log_stale = self.with("emptying the log", |connection| {
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))
            })?;
        }
        Ok(())
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

    fn read(&mut self) -> Result<LedgerRestart, StoreError> {
        self.connection = Some(self.open()?);
        self.with("reading", |connection| read_all(connection))
    }

    fn with<T>(
        &mut self,
        what: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let Some(connection) = &mut self.connection else {
            let reason = "the handle was given up after an error; restart opens it anew".to_owned();
            return Err(StoreError::Failed { path: self.path.display().to_string(), what, reason });
        };
        work(connection).map_err(|error| {
            self.connection = None;
            self.error(what, &error)
        })
    }
}

impl LedgerStore for SqliteLedger {
    fn restart(&mut self) -> Result<LedgerRestart, StoreError> {
        self.connection = None;
        match self.read() {
            Err(damage @ StoreError::Damaged { .. }) => {
                self.begin_anew(&damage)?;
                self.read()
            }
            other => other,
        }
    }

    fn commit(&mut self, changes: &LedgerChanges) -> Result<(), StoreError> {
        self.with("commit", |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            write(&transaction, changes)?;
            transaction.commit()
        })?;
        self.is_log_stale |= changes.erase_before.is_some();
        self.clean_log()
    }

    fn received_before(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.with("counting", |connection| {
            let count = "SELECT count(*) FROM entry WHERE bytes IS NOT NULL AND received_at < ?1";
            connection.query_row(count, [before.as_micros()], |row| unsigned(row, 0))
        })
    }

    fn digest(&mut self, gateway: &GatewayId, epoch: &Epoch, seq: u64) -> Result<Option<Digest>, StoreError> {
        self.with("reading a digest", |connection| {
            connection
                .prepare_cached(
                    "SELECT digest FROM entry WHERE gateway = ?1 AND epoch = ?2 AND seq = ?3 AND bytes IS NOT NULL
                     ORDER BY n DESC LIMIT 1",
                )?
                .query_row(params![gateway.as_str(), epoch.0, integer(seq)], |row| row.get(0))
                .optional()
        })
    }
}

fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| wrong(column, error))
}

fn wrong(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

fn gateway(row: &Row<'_>, column: usize) -> rusqlite::Result<GatewayId> {
    GatewayId::new(row.get::<_, String>(column)?).map_err(|error| wrong(column, error))
}

const fn reason_name(why: VoidReason) -> &'static str {
    match why {
        VoidReason::Folded => "folded",
        VoidReason::Dropped => "dropped",
        VoidReason::Erased => "erased",
        VoidReason::Unknown => "unknown",
    }
}

fn text<T: serde::Serialize>(value: &T) -> String {
    String::from_utf8(vedette_delivery::message::write(value)).unwrap_or_default()
}

fn write(transaction: &Transaction<'_>, changes: &LedgerChanges) -> rusqlite::Result<()> {
    for entry in &changes.entries {
        transaction.prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
            integer(entry.n),
            entry.gateway.as_str(),
            entry.epoch.0,
            integer(entry.seq),
            entry.received_at.as_micros(),
            text(&entry.verdict),
            entry.digest,
            entry.bytes
        ])?;
    }
    for VoidEntry { gateway, epoch, why, ranges } in &changes.voids {
        for (first, last) in ranges.iter() {
            // A shorter range told again takes nothing back.
            let insert = "INSERT INTO void VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET last = excluded.last, why = excluded.why WHERE excluded.last > last";
            transaction.prepare_cached(insert)?.execute(params![
                gateway.as_str(),
                epoch.0,
                integer(first),
                integer(last),
                reason_name(*why)
            ])?;
        }
    }
    for record in &changes.gateways {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO gateway VALUES (?1, ?2)")?
            .execute(params![record.gateway.as_str(), text(record)])?;
    }
    for record in &changes.orders {
        transaction.prepare_cached("INSERT OR REPLACE INTO command VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            record.gateway.as_str(),
            record.order.command.id,
            text(record),
            record.answer.is_none()
        ])?;
    }
    for AuditEntry { n, record, hash } in &changes.audit {
        let insert = "INSERT INTO audit VALUES (?1, ?2, ?3)";
        transaction.prepare_cached(insert)?.execute(params![integer(*n), record, hash])?;
    }
    if let Some(announced) = changes.announced {
        transaction
            .prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'announced'")?
            .execute([integer(announced)])?;
    }
    if let Some(before) = changes.erase_before {
        transaction
            .prepare_cached("UPDATE entry SET bytes = NULL WHERE bytes IS NOT NULL AND received_at < ?1")?
            .execute([before.as_micros()])?;
    }
    Ok(())
}

const ENTRY: &str = "SELECT n, gateway, epoch, seq, received_at, verdict, digest, bytes FROM entry";

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        n: unsigned(row, 0)?,
        gateway: gateway(row, 1)?,
        epoch: Epoch(row.get(2)?),
        seq: unsigned(row, 3)?,
        received_at: Timestamp::from_micros(row.get(4)?),
        verdict: json(row, 5)?,
        digest: row.get(6)?,
        bytes: row.get(7)?,
    })
}

fn read_all(connection: &Connection) -> rusqlite::Result<LedgerRestart> {
    let mut settled: BTreeMap<(GatewayId, Epoch), Ranges> = BTreeMap::new();
    for sql in ["SELECT gateway, epoch, seq, seq FROM entry", "SELECT gateway, epoch, first, last FROM void"] {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = (gateway(row, 0)?, Epoch(row.get(1)?));
            settled.entry(key).or_default().insert_range(unsigned(row, 2)?, unsigned(row, 3)?);
        }
    }
    let last: Option<i64> = connection.query_row("SELECT max(n) FROM entry", [], |row| row.get(0))?;
    Ok(LedgerRestart {
        next_n: u64::try_from(last.unwrap_or(0)).unwrap_or(0) + 1,
        settled: settled.into_iter().map(|((gateway, epoch), ranges)| (gateway, epoch, ranges)).collect(),
        gateways: connection
            .prepare("SELECT record FROM gateway ORDER BY gateway")?
            .query_map([], |row| json(row, 0))?
            .collect::<rusqlite::Result<_>>()?,
        unannounced: connection
            .prepare(&format!(
                "{ENTRY} WHERE n > (SELECT value FROM meta WHERE key = 'announced') AND bytes IS NOT NULL ORDER BY n"
            ))?
            .query_map([], entry)?
            .collect::<rusqlite::Result<_>>()?,
        orders: connection
            .prepare("SELECT record FROM command WHERE open ORDER BY gateway, id")?
            .query_map([], |row| json(row, 0))?
            .collect::<rusqlite::Result<_>>()?,
        own: connection
            .prepare(&format!("{ENTRY} WHERE epoch = 'centre' AND bytes IS NOT NULL ORDER BY n"))?
            .query_map([], entry)?
            .collect::<rusqlite::Result<_>>()?,
        audit_last: audit::last(connection)?,
    })
}

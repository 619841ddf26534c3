//! The centre's audit log in the ledger's file, for whoever reads or checks it while a centre may be running.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use vedette_delivery::audit::AuditEntry;
use vedette_delivery::store::StoreError;

use super::{SqliteLedger, integer, unsigned};

impl SqliteLedger {
    /// The lines of the audit log after line `after`, at most `limit`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn audit(path: &Path, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let read = || -> rusqlite::Result<Vec<AuditEntry>> {
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?
                .prepare("SELECT n, record, hash FROM audit WHERE n > ?1 ORDER BY n LIMIT ?2")?
                .query_map([integer(after), i64::try_from(limit).unwrap_or(i64::MAX)], line)?
                .collect()
        };
        read().map_err(|error| Self::new(path).error("reading the audit log", &error))
    }
}

impl SqliteLedger {
    /// The detail of the newest line with this act.
    pub(crate) fn newest_audit(&mut self, act: &str) -> Result<Option<String>, StoreError> {
        let newest = "SELECT json_extract(CAST(record AS TEXT), '$.detail') FROM audit
             WHERE json_extract(CAST(record AS TEXT), '$.act') = ?1 ORDER BY n DESC LIMIT 1";
        self.with("reading the audit log", |connection| {
            connection.query_row(newest, [act], |row| row.get(0)).optional()
        })
    }
}

pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<AuditEntry>> {
    connection.query_row("SELECT n, record, hash FROM audit ORDER BY n DESC LIMIT 1", [], line).optional()
}

pub(super) fn line(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry { n: unsigned(row, 0)?, record: row.get(1)?, hash: row.get(2)? })
}

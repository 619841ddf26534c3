//! Reading the tables back, and the words and numbers they use.

use rusqlite::{Connection, OptionalExtension, Row};
use vedette_delivery::audit::{AuditEntry, Verifier};
use vedette_delivery::store::{EngineState, JournalEntry, Restart, RowHead, Window};
use vedette_delivery::{Epoch, Ranges, VoidReason};
use vedette_engine::{Severity, Timestamp};

use super::Salvage;

/// Why the tables could not be read.
pub(super) enum ReadError {
    Sqlite(rusqlite::Error),
    Damaged { what: &'static str, reason: String },
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// SQLite's integers are signed; numbers of this program stay far below that limit.
pub(super) fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(super) const fn severity_rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

const fn severity(rank: i64) -> Severity {
    match rank {
        i64::MIN..=0 => Severity::Info,
        1 => Severity::Low,
        2 => Severity::Medium,
        3 => Severity::High,
        _ => Severity::Critical,
    }
}

pub(super) const fn reason_name(why: VoidReason) -> &'static str {
    match why {
        VoidReason::Folded => "folded",
        VoidReason::Dropped => "dropped",
        VoidReason::Erased => "erased",
        VoidReason::Unknown => "unknown",
    }
}

fn reason(name: &str) -> VoidReason {
    match name {
        "folded" => VoidReason::Folded,
        "dropped" => VoidReason::Dropped,
        "erased" => VoidReason::Erased,
        _ => VoidReason::Unknown,
    }
}

fn head(row: &Row<'_>) -> rusqlite::Result<RowHead> {
    Ok(RowHead {
        seq: unsigned(row, 0)?,
        priority: severity(row.get(1)?),
        place: unsigned(row, 2)?,
        alert: row.get(3)?,
        rev: row.get(4)?,
        reserved: row.get(5)?,
        length: row.get(6)?,
    })
}

const HEAD: &str = "SELECT seq, priority, place, alert, rev, reserved, length(bytes) FROM outbox";

pub(super) fn heads(connection: &Connection, first: u64, last: u64, limit: usize) -> rusqlite::Result<Vec<RowHead>> {
    connection
        .prepare_cached(&format!("{HEAD} WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq LIMIT ?3"))?
        .query_map([integer(first), integer(last), i64::try_from(limit).unwrap_or(i64::MAX)], head)?
        .collect()
}

pub(super) fn bytes(connection: &Connection, seq: u64) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT bytes FROM outbox WHERE seq = ?1")?
        .query_row([integer(seq)], |row| row.get(0))
        .optional()
}

pub(super) fn audit(connection: &Connection, after: u64, limit: usize) -> rusqlite::Result<Vec<AuditEntry>> {
    connection
        .prepare_cached("SELECT n, record, hash FROM audit WHERE n > ?1 ORDER BY n LIMIT ?2")?
        .query_map([integer(after), i64::try_from(limit).unwrap_or(i64::MAX)], audit_entry)?
        .collect()
}

pub(super) fn acknowledged_before(connection: &Connection, before: Timestamp) -> rusqlite::Result<(u64, u64)> {
    connection.query_row(
        "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM outbox WHERE acked_at < ?1",
        [before.as_micros()],
        |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)),
    )
}

fn audit_entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry { n: unsigned(row, 0)?, record: row.get(1)?, hash: row.get(2)? })
}

fn meta<T>(
    connection: &Connection,
    key: &'static str,
    column: impl FnOnce(&Row<'_>, usize) -> rusqlite::Result<T>,
) -> Result<T, ReadError> {
    let value = connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| column(row, 0))
        .optional()?;
    value.ok_or_else(|| ReadError::Damaged { what: "meta", reason: format!("{key} is missing") })
}

const CONFIG: &str = "SELECT value FROM meta WHERE key = 'engine_config'";
const SNAPSHOT: &str = "SELECT bytes FROM snapshot";
/// Numbers that are looked up in a damaged file, counted from the last.
const MAX_LOOKED_UP: i64 = 200_000;
const JOURNAL: &str = "SELECT now, input, whole FROM journal ORDER BY n";

fn journal_entry(row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    Ok(JournalEntry { now: Timestamp::from_micros(row.get(0)?), input: row.get(1)?, whole: row.get(2)? })
}

/// What can be read of a damaged file: each table as far as it goes.
pub(super) fn salvage(connection: &Connection) -> Salvage {
    let window = |row: &Row<'_>| Ok(Window { node: row.get(0)?, state: row.get(1)? });
    Salvage {
        windows: readable(connection, "SELECT node, state FROM window", window),
        engine: EngineState {
            config: readable(connection, CONFIG, |row| row.get(0)).pop(),
            snapshot: readable(connection, SNAPSHOT, |row| row.get(0)).pop(),
            journal: readable(connection, JOURNAL, journal_entry),
        },
        envelopes: envelopes(connection),
        audit: proven(readable(connection, "SELECT n, record, hash FROM audit ORDER BY n", audit_entry)),
    }
}

/// The waiting alerts, each looked up by its number: a page that cannot be read costs those that lie on it, and no others.
fn envelopes(connection: &Connection) -> Vec<Vec<u8>> {
    let number = |sql: &str| readable(connection, sql, |row| row.get::<_, i64>(0)).pop();
    let last = [number("SELECT max(seq) FROM outbox"), number("SELECT value - 1 FROM meta WHERE key = 'next_seq'")];
    let last = last.into_iter().flatten().max().unwrap_or(0);
    let first = number("SELECT min(seq) FROM outbox").unwrap_or(1).max(last - MAX_LOOKED_UP);
    let by_number = connection.prepare("SELECT bytes FROM outbox WHERE seq = ?1 AND acked_at IS NULL");
    let Ok(mut statement) = by_number else { return Vec::new() };
    (first..=last).filter_map(|seq| statement.query_row([seq], |row| row.get(0)).ok()).collect()
}

/// The lines that follow one from the other, from the first.
fn proven(mut log: Vec<AuditEntry>) -> Vec<AuditEntry> {
    let mut verifier = Verifier::new();
    let good = log.iter().take_while(|entry| verifier.check(entry).is_ok()).count();
    log.truncate(good);
    log
}

fn readable<T>(connection: &Connection, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let Ok(mut statement) = connection.prepare(sql) else { return Vec::new() };
    let Ok(mut rows) = statement.query([]) else { return Vec::new() };
    let mut found = Vec::new();
    while let Ok(Some(row)) = rows.next() {
        found.extend(read(row));
    }
    found
}

/// All of a store.
pub(super) fn read_all(connection: &Connection) -> Result<Restart, ReadError> {
    let all = |sql: &str| connection.prepare(sql);
    let windows = all("SELECT node, state FROM window ORDER BY node")?
        .query_map([], |row| Ok(Window { node: row.get(0)?, state: row.get(1)? }))?
        .collect::<rusqlite::Result<_>>()?;
    let engine = EngineState {
        config: all(CONFIG)?.query_row([], |row| row.get(0)).optional()?,
        snapshot: all(SNAPSHOT)?.query_row([], |row| row.get(0)).optional()?,
        journal: all(JOURNAL)?.query_map([], journal_entry)?.collect::<rusqlite::Result<_>>()?,
    };
    let waiting = all(&format!("{HEAD} WHERE acked_at IS NULL ORDER BY seq"))?
        .query_map([], head)?
        .collect::<rusqlite::Result<_>>()?;
    let acked_bytes = all("SELECT coalesce(sum(length(bytes)), 0) FROM outbox WHERE acked_at IS NOT NULL")?
        .query_row([], |row| unsigned(row, 0))?;
    let audit_head =
        all("SELECT n, record, hash FROM audit ORDER BY n DESC LIMIT 1")?.query_row([], audit_entry).optional()?;
    Ok(Restart {
        epoch: Epoch(meta(connection, "epoch", |row, column| row.get(column))?),
        last_batch: meta(connection, "last_batch", unsigned)?,
        next_seq: meta(connection, "next_seq", unsigned)?,
        windows,
        engine,
        waiting,
        void: voids(connection)?,
        acked_bytes,
        dropped: meta(connection, "dropped", unsigned)?,
        reported: meta(connection, "reported", unsigned)?,
        audit_head,
    })
}

fn voids(connection: &Connection) -> Result<Vec<(VoidReason, Ranges)>, ReadError> {
    let mut by_reason: std::collections::BTreeMap<VoidReason, Ranges> = std::collections::BTreeMap::new();
    let mut statement = connection.prepare("SELECT first, last, why FROM void ORDER BY first")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (first, last, why) = (unsigned(row, 0)?, unsigned(row, 1)?, row.get::<_, String>(2)?);
        by_reason.entry(reason(&why)).or_default().insert_range(first, last);
    }
    Ok(by_reason.into_iter().collect())
}

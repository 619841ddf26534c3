//! The tables by schema version, and the steps from one version to the next.

use rusqlite::Connection;
use vedette_delivery::store::StoreError;

/// Step `n` leads from version `n` to `n + 1`; version 0 is an empty file. Steps are never changed, only appended.
const STEPS: &[&str] = &[
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
     INSERT INTO meta VALUES ('epoch', lower(hex(randomblob(8)))), ('last_batch', 0), ('next_seq', 1);
     CREATE TABLE window (node INTEGER PRIMARY KEY, state BLOB NOT NULL);
     CREATE TABLE snapshot (one INTEGER PRIMARY KEY CHECK (one = 1), bytes BLOB NOT NULL);
     CREATE TABLE journal (n INTEGER PRIMARY KEY, now INTEGER NOT NULL, input BLOB NOT NULL);
     CREATE TABLE outbox (
         seq INTEGER PRIMARY KEY, priority INTEGER NOT NULL, place INTEGER NOT NULL, alert TEXT NOT NULL,
         rev INTEGER NOT NULL, bytes BLOB NOT NULL, acked_at INTEGER);
     CREATE INDEX outbox_acked ON outbox (acked_at) WHERE acked_at IS NOT NULL;
     CREATE TABLE void (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, why TEXT NOT NULL);",
    // Alerts of dropped data have room of their own; the audit log is chained.
    "ALTER TABLE outbox ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0;
     INSERT INTO meta VALUES ('dropped', 0);
     CREATE TABLE audit (n INTEGER PRIMARY KEY, record BLOB NOT NULL, hash BLOB NOT NULL);",
    // Dropped alerts are told of until an alert about them is committed.
    "INSERT INTO meta VALUES ('reported', 0);",
    // Not only radio inputs are journalled; the engine's configuration is beside its snapshot.
    "ALTER TABLE journal ADD COLUMN whole INTEGER NOT NULL DEFAULT 0;",
];

/// The version this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Brings a file to [`VERSION`], each step in one transaction.
pub(super) fn migrate(connection: &mut Connection, path: &str) -> Result<(), StoreError> {
    migrate_to(connection, path, VERSION)
}

pub(super) fn migrate_to(connection: &mut Connection, path: &str, target: i64) -> Result<(), StoreError> {
    let failed = |error: &rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::Damaged { path: path.to_owned(), what: "schema", reason: error.to_string() }
        }
        _ => StoreError::Failed { path: path.to_owned(), what: "migration", reason: error.to_string() },
    };
    let got: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|error| failed(&error))?;
    let steps = usize::try_from(got).ok().and_then(|from| STEPS.get(from..));
    let Some(steps) = steps else {
        return Err(StoreError::Version { path: path.to_owned(), got, expected: VERSION });
    };
    for (step, version) in steps.iter().zip(got + 1..=target) {
        let run = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()
        };
        run(connection).map_err(|error| failed(&error))?;
    }
    Ok(())
}

//! One commit as one SQLite transaction.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use vedette_delivery::audit::AuditEntry;
use vedette_delivery::store::Changes;
use vedette_delivery::{Ranges, VoidReason};

use super::tables::{integer, reason_name, severity_rank};

pub(super) fn commit(connection: &mut Connection, changes: &Changes) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(epoch) = &changes.epoch {
        transaction.execute_batch("DELETE FROM outbox; DELETE FROM void")?;
        set(&transaction, "epoch", &epoch.0)?;
        set(&transaction, "next_seq", &1)?;
        set(&transaction, "dropped", &0)?;
        set(&transaction, "reported", &0)?;
    }
    if let Some(reported) = changes.reported {
        set(&transaction, "reported", &integer(reported))?;
    }
    if let Some(batch) = changes.batch {
        set(&transaction, "last_batch", &integer(batch))?;
    }
    // Contents that have had their time are to be gone from the disk; the journal, which turns over all the time, is not worth
    // the flash that would cost.
    transaction.pragma_update(None, "secure_delete", "ON")?;
    // What goes makes room for what comes.
    write_marks(&transaction, changes)?;
    delete_rows(&transaction, changes)?;
    transaction.pragma_update(None, "secure_delete", "FAST")?;
    write_engine_state(&transaction, changes)?;
    write_rows(&transaction, changes)?;
    write_voids(&transaction, changes)?;
    transaction.commit()
}

fn set(transaction: &Transaction<'_>, key: &str, value: &dyn rusqlite::ToSql) -> rusqlite::Result<()> {
    transaction.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?.execute(params![key, value])?;
    Ok(())
}

fn write_engine_state(transaction: &Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
    for window in &changes.windows {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO window VALUES (?1, ?2)")?
            .execute(params![window.node, window.state])?;
    }
    if let Some(snapshot) = &changes.snapshot {
        transaction.prepare_cached("INSERT OR REPLACE INTO snapshot VALUES (1, ?1)")?.execute([snapshot])?;
        transaction.prepare_cached("DELETE FROM journal")?.execute([])?;
    } else {
        for entry in &changes.journal {
            transaction
                .prepare_cached("INSERT INTO journal (now, input, whole) VALUES (?1, ?2, ?3)")?
                .execute(params![entry.now.as_micros(), entry.input, entry.whole])?;
        }
    }
    if let Some(config) = &changes.config {
        set(transaction, "engine_config", config)?;
    }
    changes.audit.iter().try_for_each(|entry| append_audit(transaction, entry))
}

pub(super) fn append_audit(transaction: &Transaction<'_>, entry: &AuditEntry) -> rusqlite::Result<()> {
    let row = params![integer(entry.n), entry.record, entry.hash];
    transaction.prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3)")?.execute(row).map(drop)
}

fn delete_rows(transaction: &Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
    for (first, last) in changes.remove.iter() {
        transaction
            .prepare_cached("DELETE FROM outbox WHERE seq BETWEEN ?1 AND ?2")?
            .execute([integer(first), integer(last)])?;
    }
    Ok(())
}

fn write_rows(transaction: &Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
    for row in &changes.insert {
        let head = &row.head;
        transaction
            .prepare_cached(
                "INSERT INTO outbox (seq, priority, place, alert, rev, reserved, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                integer(head.seq),
                severity_rank(head.priority),
                integer(head.place),
                head.alert,
                head.rev,
                head.reserved,
                row.bytes
            ])?;
    }
    let used = changes.insert.iter().map(|row| row.head.seq);
    let last = used.chain(changes.void.iter().filter_map(|(_, ranges)| ranges.last())).max();
    if let Some(last) = last {
        transaction
            .prepare_cached("UPDATE meta SET value = max(value, ?1) WHERE key = 'next_seq'")?
            .execute([integer(last.saturating_add(1))])?;
    }
    Ok(())
}

fn write_voids(transaction: &Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
    for (why, ranges) in &changes.void {
        for (first, last) in ranges.iter() {
            add_void(transaction, *why, first, last)?;
        }
        if *why == VoidReason::Dropped {
            transaction
                .prepare_cached("UPDATE meta SET value = value + ?1 WHERE key = 'dropped'")?
                .execute([integer(ranges.count())])?;
        }
    }
    Ok(())
}

/// Adds a range, merged with its neighbours of the same reason, so that a long time offline leaves few rows.
fn add_void(transaction: &Transaction<'_>, why: VoidReason, first: u64, last: u64) -> rusqlite::Result<()> {
    let why = reason_name(why);
    let left: Option<(i64, i64)> = transaction
        .prepare_cached("SELECT first, last FROM void WHERE first <= ?1 ORDER BY first DESC LIMIT 1")?
        .query_row([integer(first)], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
        .optional()?
        .filter(|&(_, end)| end.saturating_add(1) >= integer(first));
    let mut merged = Ranges::new();
    merged.insert_range(first, last);
    let mut absorb = |from: i64, to: i64| -> rusqlite::Result<()> {
        let same: Option<String> = transaction
            .prepare_cached("SELECT why FROM void WHERE first = ?1")?
            .query_row([from], |row| row.get(0))
            .optional()?;
        if same.as_deref() == Some(why) {
            transaction.prepare_cached("DELETE FROM void WHERE first = ?1")?.execute([from])?;
            merged.insert_range(u64::try_from(from).unwrap_or(0), u64::try_from(to).unwrap_or(0));
        }
        Ok(())
    };
    if let Some((from, to)) = left {
        absorb(from, to)?;
    }
    let right: Vec<(i64, i64)> = transaction
        .prepare_cached("SELECT first, last FROM void WHERE first BETWEEN ?1 AND ?2")?
        .query_map([integer(first), integer(last.saturating_add(1))], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (from, to) in right {
        absorb(from, to)?;
    }
    for (first, last) in merged.iter() {
        transaction.prepare_cached("INSERT OR REPLACE INTO void VALUES (?1, ?2, ?3)")?.execute(params![
            integer(first),
            integer(last),
            why
        ])?;
    }
    Ok(())
}

fn remove_void(transaction: &Transaction<'_>, first: u64, last: u64) -> rusqlite::Result<()> {
    let overlapping: Vec<(i64, i64, String)> = transaction
        .prepare_cached(
            "SELECT first, last, why FROM void
             WHERE first >= coalesce((SELECT max(first) FROM void WHERE first <= ?1), 0)
               AND first <= ?2 AND last >= ?1",
        )?
        .query_map([integer(first), integer(last)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (from, to, why) in overlapping {
        transaction.prepare_cached("DELETE FROM void WHERE first = ?1")?.execute([from])?;
        let insert = |from: i64, to: i64| -> rusqlite::Result<()> {
            if from <= to {
                transaction.prepare_cached("INSERT INTO void VALUES (?1, ?2, ?3)")?.execute(params![from, to, why])?;
            }
            Ok(())
        };
        insert(from, integer(first) - 1)?;
        insert(integer(last) + 1, to)?;
    }
    Ok(())
}

fn write_marks(transaction: &Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
    if let Some((at, acked)) = &changes.acked {
        for (first, last) in acked.iter() {
            transaction
                .prepare_cached("UPDATE outbox SET acked_at = ?3 WHERE seq BETWEEN ?1 AND ?2 AND acked_at IS NULL")?
                .execute(params![integer(first), integer(last), at.as_micros()])?;
            remove_void(transaction, first, last)?;
        }
    }
    for (first, last) in changes.unacked.iter() {
        transaction
            .prepare_cached("UPDATE outbox SET acked_at = NULL WHERE seq BETWEEN ?1 AND ?2")?
            .execute([integer(first), integer(last)])?;
    }
    if let Some(before) = changes.erase_acked_before {
        transaction.prepare_cached("DELETE FROM outbox WHERE acked_at < ?1")?.execute([before.as_micros()])?;
    }
    Ok(())
}

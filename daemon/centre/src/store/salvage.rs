//! A damaged ledger: it is put aside and kept, and a new one begins with what can be read of it.
//!
//! What cannot be read is not settled any more, so gateways send it again as long as they keep what was acknowledged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row, TransactionBehavior};
use vedette_delivery::audit::{AuditEntry, Verifier};
use vedette_delivery::ledger::{Entry, GatewayRecord, LedgerChanges, OrderRecord, VoidEntry};
use vedette_delivery::store::StoreError;
use vedette_delivery::{Epoch, Ranges, VoidReason};

use super::{ENTRY, SqliteLedger, audit, entry, gateway, json, reason_name, unsigned, write};

/// Where it cannot be read how far people were told, what came in this time before the newest entry is told again, seconds.
const TELL_AGAIN_S: f64 = 86_400.0;

impl SqliteLedger {
    /// Puts the file aside and begins a new one with what can be read.
    pub(super) fn begin_anew(&mut self, damage: &StoreError) -> Result<(), StoreError> {
        self.connection = None;
        let salvage = read(&self.path);
        let kept = self.set_aside()?;
        self.connection = Some(self.open()?);
        let (entries, orders) = (salvage.entries.len(), salvage.orders.len());
        self.with("writing what was read", |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            write(&transaction, &salvage)?;
            transaction.commit()
        })?;
        let kept = kept.display();
        self.damage = Some(format!("{damage}; kept as {kept}; {entries} alerts and {orders} orders read from it"));
        Ok(())
    }

    /// Deletes damaged files that were put aside longer ago than this: they hold what is to be erased. What became of each.
    pub(crate) fn delete_damaged(&self, keep: Duration) -> Vec<String> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else { return Vec::new() };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let prefix = format!("{}.damaged-", name.to_string_lossy());
        // A folder that cannot be read holds no ledger either, which is told elsewhere.
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let is_old = |file: &std::fs::DirEntry| {
            let age = file.metadata().and_then(|found| found.modified()).map(|at| at.elapsed().unwrap_or_default());
            file.file_name().to_string_lossy().starts_with(&prefix) && age.is_ok_and(|age| age > keep)
        };
        let delete = |file: std::fs::DirEntry| match std::fs::remove_file(file.path()) {
            Ok(()) => format!("{} deleted", file.path().display()),
            Err(error) => format!("{} could not be deleted: {error}", file.path().display()),
        };
        files.filter(is_old).map(delete).collect()
    }

    fn set_aside(&self) -> Result<PathBuf, StoreError> {
        let path = self.path.display().to_string();
        let failed = |error: std::io::Error| StoreError::Failed {
            path: path.clone(),
            what: "setting aside",
            reason: error.to_string(),
        };
        let aside = |n: u32| with_ending(&self.path, &format!(".damaged-{n}"));
        let target = (1..=u32::MAX).map(aside).find(|path| !path.exists()).unwrap_or_else(|| aside(0));
        std::fs::rename(&self.path, &target).map_err(failed)?;
        for part in ["-wal", "-shm"] {
            let from = with_ending(&self.path, part);
            if from.exists() {
                std::fs::rename(&from, with_ending(&target, part)).map_err(failed)?;
            }
        }
        Ok(target)
    }
}

pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Everything that can still be read, each table by itself up to its first fault.
fn read(path: &Path) -> LedgerChanges {
    let Ok(file) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
        return LedgerChanges::default();
    };
    let mut entries: Vec<Entry> = readable(&file, &format!("{ENTRY} WHERE bytes IS NOT NULL ORDER BY n"), entry);
    entries.dedup_by_key(|entry| entry.n);
    let told = readable(&file, "SELECT value FROM meta WHERE key = 'announced'", |row| unsigned(row, 0));
    let announced = told.first().copied().or_else(|| {
        let from = entries.last()?.received_at.plus_seconds(-TELL_AGAIN_S);
        entries.iter().take_while(|entry| entry.received_at < from).last().map(|entry| entry.n)
    });
    let gateways: Vec<GatewayRecord> = readable(&file, "SELECT record FROM gateway", |row| json(row, 0));
    let orders: Vec<OrderRecord> = readable(&file, "SELECT record FROM command", |row| json(row, 0));
    let mut verifier = Verifier::new();
    let audit: Vec<AuditEntry> = readable(&file, "SELECT n, record, hash FROM audit ORDER BY n", audit::line);
    let audit = audit.into_iter().take_while(|line| verifier.check(line).is_ok()).collect();
    let voids = voids(&file);
    LedgerChanges { entries, voids, gateways, orders, audit, announced, ..LedgerChanges::default() }
}

/// Numbers that will not come: those told so, and those whose contents were erased.
fn voids(file: &Connection) -> Vec<VoidEntry> {
    let erased = "SELECT gateway, epoch, seq, seq, 'erased' FROM entry WHERE bytes IS NULL";
    let mut voids: Vec<VoidEntry> = Vec::new();
    for sql in ["SELECT gateway, epoch, first, last, why FROM void", erased] {
        voids.extend(readable(file, sql, |row| {
            let mut ranges = Ranges::new();
            ranges.insert_range(unsigned(row, 2)?, unsigned(row, 3)?);
            let why = reason(&row.get::<_, String>(4)?);
            Ok(VoidEntry { gateway: gateway(row, 0)?, epoch: Epoch(row.get(1)?), why, ranges })
        }));
    }
    voids
}

fn reason(name: &str) -> VoidReason {
    let reasons = [VoidReason::Folded, VoidReason::Dropped, VoidReason::Erased];
    reasons.into_iter().find(|why| reason_name(*why) == name).unwrap_or(VoidReason::Unknown)
}

fn readable<T>(file: &Connection, sql: &str, read: impl Fn(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let Ok(mut statement) = file.prepare(sql) else { return Vec::new() };
    let Ok(mut rows) = statement.query([]) else { return Vec::new() };
    let mut found = Vec::new();
    while let Ok(Some(row)) = rows.next() {
        found.extend(read(row));
    }
    found
}

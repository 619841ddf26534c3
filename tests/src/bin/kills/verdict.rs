//! Compares the ledger with the gateway's answers and with the gateway's own numbers.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use rusqlite::{Connection, OpenFlags};
use vedette_centre::SqliteLedger;
use vedette_delivery::{Envelope, Ranges};

use crate::feeder::Promise;
use crate::processes::Site;

/// What was found.
pub(crate) struct Verdict {
    /// Alerts that were promised and are not in the ledger.
    pub(crate) lost: Vec<String>,
    /// Alerts of which an entry is there more than once.
    pub(crate) double: Vec<String>,
    /// Numbers the gateway gave and the centre knows nothing of.
    pub(crate) unreported: u64,
    /// Alerts of the gateway in the ledger.
    pub(crate) entries: usize,
}

impl Verdict {
    pub(crate) fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.double.is_empty() && self.unreported == 0
    }

    pub(crate) fn reach(site: &Site, promised: &[Promise]) -> anyhow::Result<Self> {
        let open = |path| Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let store = open(&site.store).context("store")?;
        let meta = |key: &str| store.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0));
        let epoch: String = meta("epoch").context("epoch")?;
        let next: i64 = store
            .query_row("SELECT value FROM meta WHERE key = 'next_seq'", [], |row| row.get(0))
            .context("next number")?;
        let entries = SqliteLedger::entries(&site.ledger, 1, usize::MAX)?;
        let (mut alerts, mut settled) = (BTreeSet::new(), Ranges::new());
        let mut times: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.epoch.0 == epoch) {
            ensure!(entry.verdict.proven(), "number {} is not signed: {:?}", entry.seq, entry.verdict);
            settled.insert(entry.seq);
            let alert = Envelope::read(&entry.bytes).context("an entry's envelope")?.alert.id;
            times.entry(entry.seq).or_default().push(alert.clone());
            alerts.insert(alert);
        }
        let ledger = open(&site.ledger).context("ledger")?;
        let mut voids = ledger.prepare("SELECT first, last FROM void WHERE epoch = ?1")?;
        let mut rows = voids.query([&epoch])?;
        while let Some(row) = rows.next()? {
            settled.insert_range(u64::try_from(row.get::<_, i64>(0)?)?, u64::try_from(row.get::<_, i64>(1)?)?);
        }
        let promised = promised.iter().map(|promise| &promise.alert);
        let lost = promised.filter(|alert| !alerts.contains(*alert)).cloned().collect();
        let double = times.values().filter(|alerts| alerts.len() > 1).flatten().cloned().collect();
        let unreported = settled.missing(1, u64::try_from(next)?.saturating_sub(1)).count();
        Ok(Self { lost, double, unreported, entries: times.len() })
    }
}

//! A ledger in memory with injectable faults.

use std::collections::BTreeMap;

use vedette_engine::Timestamp;

use super::own::OWN_EPOCH;
use super::store::{Digest, Entry, GatewayRecord, LedgerChanges, LedgerRestart, LedgerStore, OrderRecord, VoidEntry};
use crate::audit::AuditEntry;
use crate::memory::Faults;
use crate::store::StoreError;
use crate::{Epoch, GatewayId, Ranges};

/// A centre's ledger in memory. It survives the [`super::Ledger`] that uses it, as a file survives a process.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger {
    entries: Vec<Entry>,
    voids: Vec<VoidEntry>,
    gateways: BTreeMap<GatewayId, GatewayRecord>,
    orders: BTreeMap<(GatewayId, String), OrderRecord>,
    audit: Vec<AuditEntry>,
    announced: u64,
    /// What goes wrong.
    pub faults: Faults,
}

impl MemoryLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All entries, in the order they were committed.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All voids, in the order they were committed.
    #[must_use]
    pub fn voids(&self) -> &[VoidEntry] {
        &self.voids
    }

    /// All orders.
    pub fn orders(&self) -> impl Iterator<Item = &OrderRecord> {
        self.orders.values()
    }

    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> &[AuditEntry] {
        &self.audit
    }

    fn write(&mut self, changes: &LedgerChanges) {
        self.entries.extend(changes.entries.iter().cloned());
        self.voids.extend(changes.voids.iter().cloned());
        for record in &changes.gateways {
            self.gateways.insert(record.gateway.clone(), record.clone());
        }
        for record in &changes.orders {
            self.orders.insert((record.gateway.clone(), record.order.command.id.clone()), record.clone());
        }
        self.audit.extend(changes.audit.iter().cloned());
        self.announced = changes.announced.unwrap_or(self.announced);
        if let Some(before) = changes.erase_before {
            for entry in self.entries.iter_mut().filter(|entry| entry.received_at < before) {
                entry.bytes.clear();
            }
        }
    }
}

impl LedgerStore for MemoryLedger {
    fn restart(&mut self) -> Result<LedgerRestart, StoreError> {
        self.faults.restart()?;
        let mut settled: BTreeMap<(GatewayId, Epoch), Ranges> = BTreeMap::new();
        for entry in &self.entries {
            settled.entry((entry.gateway.clone(), entry.epoch.clone())).or_default().insert(entry.seq);
        }
        for void in &self.voids {
            settled.entry((void.gateway.clone(), void.epoch.clone())).or_default().extend(&void.ranges);
        }
        let unannounced = |entry: &&Entry| entry.n > self.announced && !entry.bytes.is_empty();
        let own = |entry: &&Entry| entry.epoch.0 == OWN_EPOCH && !entry.bytes.is_empty();
        Ok(LedgerRestart {
            next_n: self.entries.last().map_or(1, |entry| entry.n + 1),
            settled: settled.into_iter().map(|((gateway, epoch), ranges)| (gateway, epoch, ranges)).collect(),
            gateways: self.gateways.values().cloned().collect(),
            unannounced: self.entries.iter().filter(unannounced).cloned().collect(),
            orders: self.orders.values().filter(|record| record.answer.is_none()).cloned().collect(),
            own: self.entries.iter().filter(own).cloned().collect(),
            audit_last: self.audit.last().cloned(),
        })
    }

    fn commit(&mut self, changes: &LedgerChanges) -> Result<(), StoreError> {
        if self.faults.is_after() {
            self.write(changes);
        }
        self.faults.strike("commit")?;
        self.write(changes);
        Ok(())
    }

    fn digest(&mut self, gateway: &GatewayId, epoch: &Epoch, seq: u64) -> Result<Option<Digest>, StoreError> {
        self.faults.strike("digest")?;
        let same = |entry: &&Entry| entry.gateway == *gateway && entry.epoch == *epoch && entry.seq == seq;
        let mut kept = self.entries.iter().rev().filter(|entry| !entry.bytes.is_empty());
        Ok(kept.find(same).map(|entry| entry.digest))
    }

    fn received_before(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.faults.strike("received before")?;
        let old = self.entries.iter().filter(|entry| !entry.bytes.is_empty() && entry.received_at < before);
        Ok(old.count() as u64)
    }
}

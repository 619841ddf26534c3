//! What a centre's ledger must keep: few operations, each one transaction.

use serde::{Deserialize, Serialize};
use vedette_engine::Timestamp;

use crate::audit::{Anchor, AuditEntry, sha256};
use crate::message::{Answer, Order};
use crate::store::StoreError;
use crate::{Epoch, GatewayId, Ranges, Verdict, VoidReason};

/// Keeps a centre's ledger over crashes and power cuts. Two implementations: SQLite in the centre, and
/// [`super::MemoryLedger`] with injectable faults.
pub trait LedgerStore {
    /// Everything needed to go on; opens the file anew after an error, like [`crate::Store::restart`].
    ///
    /// # Errors
    /// When the ledger cannot be opened or read.
    fn restart(&mut self) -> Result<LedgerRestart, StoreError>;

    /// Makes all changes durable, or none.
    ///
    /// # Errors
    /// When they could not be written; it is unknown which of them were.
    fn commit(&mut self, changes: &LedgerChanges) -> Result<(), StoreError>;

    /// Digest of the newest entry with this number that is not erased.
    ///
    /// # Errors
    /// When it cannot be read.
    fn digest(&mut self, gateway: &GatewayId, epoch: &Epoch, seq: u64) -> Result<Option<Digest>, StoreError>;

    /// How many entries with contents were received before this time.
    ///
    /// # Errors
    /// When it cannot be read.
    fn received_before(&mut self, before: Timestamp) -> Result<u64, StoreError>;
}

/// First 8 bytes of the SHA-256 of an envelope: tells a repetition from another alert with the same number.
pub type Digest = [u8; 8];

/// Digest of an envelope.
#[must_use]
pub fn digest(bytes: &[u8]) -> Digest {
    let hash = sha256(bytes);
    let mut digest = [0; 8];
    digest.copy_from_slice(&hash[..8]);
    digest
}

/// One received alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its line in the ledger, counts up from 1.
    pub n: u64,
    /// Who sent it; the centre itself for its own alerts.
    pub gateway: GatewayId,
    /// The sender's outbox.
    pub epoch: Epoch,
    /// Its number there.
    pub seq: u64,
    /// When it came, by the centre's clock.
    pub received_at: Timestamp,
    /// What its signature proved.
    pub verdict: Verdict,
    /// Digest of `bytes`.
    pub digest: Digest,
    /// The exact bytes of the envelope.
    pub bytes: Vec<u8>,
}

/// Numbers that will never come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidEntry {
    /// Whose.
    pub gateway: GatewayId,
    /// Of which outbox.
    pub epoch: Epoch,
    /// Why.
    pub why: VoidReason,
    /// Which.
    pub ranges: Ranges,
}

/// What the centre knows of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayRecord {
    /// Its name.
    pub gateway: GatewayId,
    /// Its newest epoch.
    pub epoch: Option<Epoch>,
    /// The greatest number it is known to have given in that epoch.
    pub last: u64,
    /// When it was last heard.
    pub heard_at: Timestamp,
    /// Whether it says it is connected.
    pub online: bool,
    /// The centre's open alert that it is silent, and that alert's revision.
    pub silent: Option<(String, u32)>,
    /// The centre's open alert that numbers are missing, and that alert's revision.
    pub gap: Option<(String, u32)>,
    /// The last line of its audit log, as its newest status told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Anchor>,
}

/// An order to a gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// To whom.
    pub gateway: GatewayId,
    /// What.
    pub order: Order,
    /// What became of it; `done` is false with an empty answer when it expired.
    pub answer: Option<Answer>,
}

/// The changes of one transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LedgerChanges {
    /// Alerts to append.
    pub entries: Vec<Entry>,
    /// Voids to record.
    pub voids: Vec<VoidEntry>,
    /// Gateways to replace.
    pub gateways: Vec<GatewayRecord>,
    /// Orders to insert, or to replace by gateway and id.
    pub orders: Vec<OrderRecord>,
    /// All lines up to this one were announced.
    pub announced: Option<u64>,
    /// Lines of the audit log to append.
    pub audit: Vec<AuditEntry>,
    /// Contents of entries received before this time are erased; their numbers stay settled.
    pub erase_before: Option<Timestamp>,
}

impl LedgerChanges {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything needed to go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LedgerRestart {
    /// The line the next entry gets.
    pub next_n: u64,
    /// Numbers that are received or void, by gateway and epoch.
    pub settled: Vec<(GatewayId, Epoch, Ranges)>,
    /// The gateways.
    pub gateways: Vec<GatewayRecord>,
    /// Entries not known to have been announced.
    pub unannounced: Vec<Entry>,
    /// Orders without an answer.
    pub orders: Vec<OrderRecord>,
    /// Entries with contents in the epoch of the centre's own alerts, in the order they were made.
    pub own: Vec<Entry>,
    /// The last line of the audit log.
    pub audit_last: Option<AuditEntry>,
}

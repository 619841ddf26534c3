//! What a gateway's store must do: few operations, each one transaction.
//!
//! Two implementations: SQLite in the gateway, and [`crate::memory::MemoryStore`] for a gateway without a usable file, for
//! tests and for simulation. A store knows nothing about priorities or acknowledgement rules; [`crate::Outbox`] decides, the store
//! remembers.

use vedette_engine::{Alert, AuditRecord, Severity, Timestamp};

use crate::audit::AuditEntry;
use crate::ledger::digest;
use crate::{Epoch, Ranges, VoidReason};

/// Keeps a gateway's state over crashes and power cuts.
pub trait Store {
    /// Everything needed to go on, read at the start and after any error. An implementation whose last operation failed
    /// gives up its handle and opens the file anew here: after a failed write or sync its cache cannot be trusted.
    ///
    /// # Errors
    /// When the store cannot be opened or read.
    fn restart(&mut self) -> Result<Restart, StoreError>;

    /// Makes all changes durable, or none. After an error it is unknown which, until [`Self::restart`] tells by
    /// [`Restart::last_batch`].
    ///
    /// # Errors
    /// [`StoreError::Full`] when there was no room and nothing was changed; otherwise the write failed.
    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError>;

    /// The exact bytes of the outbox row `seq`, if it is there, acknowledged or not.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&mut self, seq: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Heads of the rows within `first..=last`, acknowledged or not, in order, at most `limit`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn heads(&mut self, first: u64, last: u64, limit: usize) -> Result<Vec<RowHead>, StoreError>;
}

/// Why a store did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room; nothing was changed.
    #[error("{path}: no room for {what}: {reason}")]
    Full {
        /// The file.
        path: String,
        /// What was to be written.
        what: &'static str,
        /// The limit that was met, or the system's message.
        reason: String,
    },
    /// Reading, writing or syncing failed.
    #[error("{path}: {what} failed: {reason}")]
    Failed {
        /// The file.
        path: String,
        /// What was being done.
        what: &'static str,
        /// The system's message.
        reason: String,
    },
    /// The file is of a later version of this program.
    #[error("{path}: schema version {got}, this program reads up to {expected}")]
    Version {
        /// The file.
        path: String,
        /// What it says.
        got: i64,
        /// The newest version this program reads.
        expected: i64,
    },
    /// Something in the file contradicts something else.
    #[error("{path}: {what} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: String,
        /// Which part.
        what: &'static str,
        /// What was found.
        reason: String,
    },
}

/// What came out of one group of inputs and must become durable together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// State of replay windows that changed, one for each node; the newest replaces the older.
    pub windows: Vec<Window>,
    /// What the engine was told, in the order it was handled: see [`crate::Trail`].
    pub journal: Vec<JournalEntry>,
    /// A new snapshot of the engine, taken after all of `journal`: older journal entries are no longer needed.
    pub snapshot: Option<Vec<u8>>,
    /// The configuration the engine had at this snapshot, unless it is the one at the snapshot before.
    pub config: Option<Vec<u8>>,
    /// Alerts, in the order they were raised.
    pub alerts: Vec<Alert>,
    /// Lines for the audit log.
    pub audit: Vec<AuditRecord>,
}

impl Batch {
    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
            && self.journal.is_empty()
            && self.snapshot.is_none()
            && self.config.is_none()
            && self.alerts.is_empty()
            && self.audit.is_empty()
    }
}

/// A node's replay window, in whatever form the radio layer keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The node.
    pub node: u32,
    /// The state.
    pub state: Vec<u8>,
}

/// One input of the engine with the time it was handled at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// The engine's time.
    pub now: Timestamp,
    /// The input: [`vedette_engine::Input::to_bytes`].
    pub input: Vec<u8>,
    /// Nothing the engine was told between this entry and the one before it, or the snapshot, is missing. What it said to
    /// entries that are whole without a break was committed with them.
    pub whole: bool,
}

/// The engine as a store holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineState {
    /// The configuration it had at the snapshot; none in stores of earlier versions.
    pub config: Option<Vec<u8>>,
    /// Its last snapshot.
    pub snapshot: Option<Vec<u8>>,
    /// What it was told since, as far as it was committed.
    pub journal: Vec<JournalEntry>,
}

/// One alert in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// What is kept in memory of it.
    pub head: RowHead,
    /// The exact bytes of its envelope.
    pub bytes: Vec<u8>,
}

/// What the outbox keeps in memory of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowHead {
    /// Its number within the epoch.
    pub seq: u64,
    /// How urgent it is: its severity, or that of a folded earlier revision if greater.
    pub priority: Severity,
    /// Its place among rows of one priority: the number of the oldest revision it took the place of.
    pub place: u64,
    /// The alert.
    pub alert: String,
    /// Its revision.
    pub rev: u32,
    /// Tells of dropped data: never dropped itself, and may use the reserved room.
    pub reserved: bool,
    /// Length of the envelope, bytes.
    pub length: u32,
}

/// The changes of one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Number of the batch these changes carry, if any: becomes [`Restart::last_batch`].
    pub batch: Option<u64>,
    /// Replay windows to replace.
    pub windows: Vec<Window>,
    /// Journal entries to append.
    pub journal: Vec<JournalEntry>,
    /// Snapshot to replace the last one; empties the journal, including the entries of this transaction.
    pub snapshot: Option<Vec<u8>>,
    /// The engine's configuration, to replace the last one.
    pub config: Option<Vec<u8>>,
    /// Lines to append to the audit log.
    pub audit: Vec<AuditEntry>,
    /// Rows to add to the outbox.
    pub insert: Vec<OutboxRow>,
    /// Rows to delete, waiting or acknowledged.
    pub remove: Ranges,
    /// Numbers to mark void, by reason.
    pub void: Vec<(VoidReason, Ranges)>,
    /// Rows and voids to mark acknowledged at the given time.
    pub acked: Option<(Timestamp, Ranges)>,
    /// Rows and voids the centre no longer knows: to be sent again.
    pub unacked: Ranges,
    /// How many dropped alerts an alert of kind `DataLoss` has told of by now.
    pub reported: Option<u64>,
    /// Rows and voids acknowledged before this time are deleted.
    pub erase_acked_before: Option<Timestamp>,
    /// Begin this epoch: every row that stays in the outbox is inserted anew, and everything of the old one goes.
    pub epoch: Option<Epoch>,
}

impl Changes {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything needed to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Restart {
    /// The store's epoch; a new store drew a new one.
    pub epoch: Epoch,
    /// The last batch that was committed; 0 in a new store.
    pub last_batch: u64,
    /// The number the next alert gets.
    pub next_seq: u64,
    /// Replay windows.
    pub windows: Vec<Window>,
    /// The engine.
    pub engine: EngineState,
    /// Rows that are not acknowledged.
    pub waiting: Vec<RowHead>,
    /// Voids that are not acknowledged.
    pub void: Vec<(VoidReason, Ranges)>,
    /// How many bytes of envelopes the acknowledged rows hold.
    pub acked_bytes: u64,
    /// How many alerts were dropped in this epoch.
    pub dropped: u64,
    /// Of how many of these an alert has told.
    pub reported: u64,
    /// Last line of the audit log, if it has any.
    pub audit_head: Option<AuditEntry>,
}

impl Restart {
    /// The first ordinal of an engine that begins anew on this store. An engine that lost its snapshot, or its whole store,
    /// does not know which ordinals it has used: it goes on somewhere else among all there are.
    #[must_use]
    pub fn first_ordinal(&self) -> u64 {
        let digest = digest(format!("{} {}", self.epoch, self.next_seq).as_bytes());
        // Room to count on.
        u64::from_be_bytes(digest) >> 1
    }
}

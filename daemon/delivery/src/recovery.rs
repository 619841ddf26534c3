//! A restart: the engine as the last snapshot has it, and the radio inputs since.

use vedette_engine::config::EngineConfig;
use vedette_engine::{AuditRecord, Engine, EngineError, Input, Snapshot, Timestamp};

use crate::Work;
use crate::store::JournalEntry;

/// An engine as it was, and what is still to be committed from bringing it there.
#[derive(Debug)]
pub struct Recovered {
    /// The engine.
    pub engine: Engine,
    /// Its time.
    pub now: Timestamp,
    /// Alerts and audit records of the journal. A batch with alerts always brings a snapshot, so none of these alerts was
    /// committed before. Its releases are empty: a node that missed an acknowledgement repeats its frame.
    pub work: Work,
    /// What could not be brought back, for the log.
    pub faults: Vec<RecoveryFault>,
}

/// Something a store held that is of no use any more. Alerts are in the outbox in any case, and tracks come again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryFault {
    /// The snapshot is of another version or another set of sensors, or damaged.
    #[error("the tracks of before are lost: {0}")]
    Snapshot(EngineError),
    /// An entry of the journal is not an input.
    #[error("a journal entry of {length} bytes cannot be read: {error}")]
    Entry {
        /// Its length.
        length: usize,
        /// What is wrong with it.
        error: serde_json::Error,
    },
}

/// The bytes to keep of an engine: its time (i64 microseconds, little-endian), then its own snapshot.
///
/// # Errors
/// When the snapshot cannot be written.
pub fn snapshot(engine: &Engine, now: Timestamp) -> Result<Vec<u8>, EngineError> {
    let mut bytes = now.as_micros().to_le_bytes().to_vec();
    bytes.extend(engine.snapshot().to_bytes()?);
    Ok(bytes)
}

/// The engine to go on with. A snapshot that does not fit is given up, loudly.
///
/// # Errors
/// When the configuration contradicts itself.
pub fn recover(
    config: &EngineConfig,
    snapshot: Option<&[u8]>,
    journal: &[JournalEntry],
) -> Result<Recovered, EngineError> {
    let (mut work, mut faults) = (Work::default(), Vec::new());
    let (mut engine, mut now) = match snapshot.map(|bytes| from_snapshot(config, bytes)) {
        Some(Ok(restored)) => restored,
        Some(Err(error)) => {
            let at = journal.last().map_or(Timestamp::MIN, |entry| entry.now);
            let (by, act) = ("gateway".to_owned(), "snapshot_given_up".to_owned());
            work.batch.audit.push(AuditRecord { at, by, act, detail: error.to_string() });
            faults.push(RecoveryFault::Snapshot(error));
            (Engine::new(config)?, Timestamp::MIN)
        }
        None => (Engine::new(config)?, Timestamp::MIN),
    };
    let mut out = Vec::new();
    for entry in journal {
        match serde_json::from_slice::<Input>(&entry.input) {
            Ok(input) => engine.handle(entry.now, input, &mut out),
            Err(error) => faults.push(RecoveryFault::Entry { length: entry.input.len(), error }),
        }
        now = now.max(entry.now);
    }
    for output in out {
        work.take(output);
    }
    work.releases.clear();
    Ok(Recovered { engine, now, work, faults })
}

fn from_snapshot(config: &EngineConfig, bytes: &[u8]) -> Result<(Engine, Timestamp), EngineError> {
    let short = || EngineError::SnapshotDamaged { error: format!("{} bytes", bytes.len()) };
    let (now, engine) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let engine = Engine::restore(config, Snapshot::from_bytes(engine)?)?;
    Ok((engine, Timestamp::from_micros(i64::from_le_bytes(*now))))
}

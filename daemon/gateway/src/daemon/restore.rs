//! A restart: the engine as the last snapshot has it, and the radio inputs since.

use vedette_delivery::JournalEntry;
use vedette_engine::config::EngineConfig;
use vedette_engine::{Alert, AuditRecord, Durable, Engine, EngineError, Input, Output, Snapshot, Timestamp};

/// An engine as it was, and what is still to be committed from bringing it there.
#[derive(Debug)]
pub(super) struct Restored {
    /// The engine.
    pub(super) engine: Engine,
    /// Its time.
    pub(super) now: Timestamp,
    /// Alerts that the journal raised. A batch with alerts always brings a snapshot, so none of these was committed before.
    pub(super) alerts: Vec<Alert>,
    /// Audit records to commit.
    pub(super) audit: Vec<AuditRecord>,
}

/// The bytes to keep of an engine: its time (i64 microseconds, little-endian), then its own snapshot.
///
/// # Errors
/// When the snapshot cannot be written.
pub(super) fn snapshot(engine: &Engine, now: Timestamp) -> Result<Vec<u8>, EngineError> {
    let mut bytes = now.as_micros().to_le_bytes().to_vec();
    bytes.extend(engine.snapshot().to_bytes()?);
    Ok(bytes)
}

/// The engine to go on with. A snapshot that does not fit (another version, another set of sensors) is given up, loudly: the
/// alerts are in the outbox in any case, and tracks come again.
///
/// # Errors
/// When the configuration contradicts itself.
pub(super) fn restore(
    config: &EngineConfig,
    snapshot: Option<&[u8]>,
    journal: &[JournalEntry],
) -> Result<Restored, EngineError> {
    let mut audit = Vec::new();
    let (mut engine, mut now) = match snapshot.map(|bytes| from_snapshot(config, bytes)) {
        Some(Ok(restored)) => restored,
        Some(Err(error)) => {
            tracing::error!("the tracks of before are lost: {error}");
            let at = journal.last().map_or(Timestamp::MIN, |entry| entry.now);
            audit.push(AuditRecord {
                at,
                by: "gateway".into(),
                act: "snapshot_given_up".into(),
                detail: error.to_string(),
            });
            (Engine::new(config)?, Timestamp::MIN)
        }
        None => (Engine::new(config)?, Timestamp::MIN),
    };
    let mut out = Vec::new();
    for entry in journal {
        match serde_json::from_slice::<Input>(&entry.input) {
            Ok(input) => engine.handle(entry.now, input, &mut out),
            Err(error) => tracing::error!("a journal entry cannot be read: {error}"),
        }
        now = now.max(entry.now);
    }
    let mut alerts = Vec::new();
    for output in out {
        match output {
            Output::Durable(Durable::Alert(alert)) => alerts.push(*alert),
            Output::Durable(Durable::Audit(record)) => audit.push(record),
            // Acknowledgements: a node that missed one repeats its frame. Tracks: newer ones follow.
            Output::Transmit(_) | Output::Volatile(_) => {}
        }
    }
    Ok(Restored { engine, now, alerts, audit })
}

fn from_snapshot(config: &EngineConfig, bytes: &[u8]) -> Result<(Engine, Timestamp), EngineError> {
    let short = || EngineError::SnapshotDamaged { error: format!("{} bytes", bytes.len()) };
    let (now, engine) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let engine = Engine::restore(config, Snapshot::from_bytes(engine)?)?;
    Ok((engine, Timestamp::from_micros(i64::from_le_bytes(*now))))
}

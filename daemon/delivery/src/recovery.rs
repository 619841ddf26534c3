//! A restart: the engine as the last snapshot has it, and what it was told since.

use vedette_engine::config::EngineConfig;
use vedette_engine::{AuditRecord, Engine, EngineError, Input, Snapshot, Timestamp};

use crate::store::{EngineState, Restart};
use crate::{Trail, Work};

/// An engine as it was, and what is still to be committed from bringing it there.
#[derive(Debug)]
pub struct Recovered {
    /// The engine.
    pub engine: Engine,
    /// Its time.
    pub now: Timestamp,
    /// Where its journal goes on.
    pub trail: Trail,
    /// Alerts and audit records that no commit holds: of radio inputs behind a gap in the journal, and of a configuration
    /// that changed while nothing ran. Its releases are empty: a node that missed an acknowledgement repeats its frame.
    pub work: Work,
    /// What could not be brought back, for the log.
    pub faults: Vec<RecoveryFault>,
}

/// Something a store held that is of no use any more. Alerts are in the outbox in any case, and tracks come again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryFault {
    /// The snapshot is of another version, of an exercise, or damaged.
    #[error("the tracks of before are lost: {0}")]
    Snapshot(EngineError),
    /// An entry of the journal is not an input.
    #[error("journal: {0}")]
    Entry(EngineError),
    /// The configuration at the snapshot cannot be read any more.
    #[error("the configuration of before: {0}")]
    Config(serde_json::Error),
}

/// The bytes to keep of an engine: its time (i64 microseconds, little-endian), then its own snapshot.
pub(crate) fn snapshot(engine: &Engine, now: Timestamp) -> Result<Vec<u8>, EngineError> {
    let mut bytes = now.as_micros().to_le_bytes().to_vec();
    bytes.extend(engine.snapshot_bytes()?);
    Ok(bytes)
}

pub(crate) fn config_bytes(config: &EngineConfig) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(config).map_err(|error| EngineError::InputWrite { error: error.to_string() })
}

/// The engine to go on with. A snapshot that does not fit is given up, loudly. A journal is replayed with the configuration
/// it was written under; only then the engine is told of another one.
///
/// # Errors
/// When the configuration contradicts itself.
pub fn recover(config: &EngineConfig, restart: &Restart) -> Result<Recovered, EngineError> {
    let anew = Engine::new(config)?.with_ordinals_from(restart.first_ordinal());
    let EngineState { config: stored, snapshot, journal } = &restart.engine;
    let (mut faults, mut journal) = (Vec::new(), journal.as_slice());
    let stored = stored.as_deref().map(serde_json::from_slice::<EngineConfig>).transpose();
    let stored = stored.unwrap_or_else(|error| {
        faults.push(RecoveryFault::Config(error));
        None
    });
    let has_config = stored.is_some();
    let before = stored.filter(|stored| stored.site.exercise == config.site.exercise).unwrap_or_else(|| config.clone());
    let mut work = Work::default();
    let (mut engine, mut now, mut whole) = match snapshot.as_deref().map(|bytes| from_snapshot(&before, bytes)) {
        Some(Ok((engine, now))) => (engine, now, true),
        Some(Err(error)) => {
            let at = journal.last().map_or(Timestamp::MIN, |entry| entry.now);
            if matches!(error, EngineError::SnapshotMode { .. }) {
                // What was an exercise must not become actual.
                journal = &[];
            }
            let (by, act) = ("gateway".to_owned(), "snapshot_given_up".to_owned());
            work.batch.audit.push(AuditRecord { at, by, act, detail: error.to_string() });
            faults.push(RecoveryFault::Snapshot(error));
            (anew, Timestamp::MIN, false)
        }
        None => (anew, Timestamp::MIN, false),
    };
    let restored = whole;
    let (mut out, mut bytes) = (Vec::new(), 0);
    for entry in journal {
        whole &= entry.whole;
        bytes += entry.input.len();
        now = now.max(entry.now);
        match Input::from_bytes(&entry.input) {
            Ok(input) => engine.handle(entry.now, input, &mut out),
            Err(error) => {
                faults.push(RecoveryFault::Entry(error));
                whole = false;
            }
        }
        if whole {
            // Committed with the entry.
            out.clear();
        }
        out.drain(..).for_each(|output| work.take(output));
    }
    let mut trail = if whole && has_config { Trail::behind(bytes) } else { Trail::new(config) };
    if restored && before != *config {
        let input = Input::Reconfigure(Box::new(config.clone()));
        trail.told(now, &input)?;
        engine.handle(now, input, &mut out);
        out.drain(..).for_each(|output| work.take(output));
    }
    work.releases.clear();
    Ok(Recovered { engine, now, trail, work, faults })
}

fn from_snapshot(config: &EngineConfig, bytes: &[u8]) -> Result<(Engine, Timestamp), EngineError> {
    let short = || EngineError::SnapshotDamaged { error: format!("{} bytes", bytes.len()) };
    let (now, engine) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let engine = Engine::restore(config, Snapshot::from_bytes(engine)?)?;
    Ok((engine, Timestamp::from_micros(i64::from_le_bytes(*now))))
}

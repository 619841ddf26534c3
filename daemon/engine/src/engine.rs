//! The engine: one driver contract for the live daemon, replay and simulation.

use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, Track};

use crate::config::EngineConfig;
use crate::{Input, Output};

/// All tracks at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// The time the tracks are predicted to.
    pub at: Timestamp,
    /// The engine's time when the picture was made.
    pub now: Timestamp,
    /// The tracks, in the order of their numbers.
    pub tracks: Vec<Track>,
}

/// All the engine remembers, versioned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Version of the layout.
    pub version: u32,
}

/// Why an engine could not be made or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The snapshot is of another layout.
    #[error("snapshot version {got}, expected {expected}")]
    SnapshotVersion {
        /// What it says.
        got: u32,
        /// What this program reads.
        expected: u32,
    },
}

/// A gateway's mind: everything between a received frame and an alert.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    now: Timestamp,
}

impl Engine {
    /// An engine that has seen nothing.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
        Ok(Self { config, now: Timestamp::MIN })
    }

    /// Takes in one thing at the time `now` (never earlier than before; an earlier one counts as the last) and appends
    /// what follows from it.
    pub fn handle(&mut self, now: Timestamp, _input: Input, _out: &mut Vec<Output>) {
        self.now = self.now.max(now);
    }

    /// When the engine wants a [`Input::Tick`] if nothing else comes before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    /// The tracks predicted to `at`. Asking never changes a later answer.
    #[must_use]
    pub fn picture(&self, at: Timestamp) -> Picture {
        let _ = &self.config;
        Picture { at, now: self.now, tracks: Vec::new() }
    }

    /// All the engine remembers.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { version: 1 }
    }

    /// An engine that goes on where the snapshot was taken.
    ///
    /// # Errors
    /// When the snapshot is of another version or does not fit the configuration.
    pub fn restore(config: EngineConfig, snapshot: &Snapshot) -> Result<Self, EngineError> {
        let expected = 1;
        if snapshot.version != expected {
            return Err(EngineError::SnapshotVersion { got: snapshot.version, expected });
        }
        Self::new(config)
    }
}

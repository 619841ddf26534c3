//! What the engine said since the last commit: collected here, committed together, and only then let go.

use vedette_engine::{Durable, Engine, EngineError, Input, Output, Timestamp, Transmit};

use crate::recovery;
use crate::store::{Batch, JournalEntry, Window};

/// What is committed together, and what waits for that.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// For the store.
    pub batch: Batch,
    /// Released once it is durable.
    pub releases: Vec<Transmit>,
}

impl Work {
    /// Whether there is nothing to commit and nothing that waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.releases.is_empty()
    }

    /// Writes a radio input down that the engine is about to handle at `now`, with the state of its node's windows after
    /// it. The journal holds exactly what the engine is told, at its time.
    ///
    /// # Errors
    /// When the input cannot be written.
    pub fn radio(&mut self, now: Timestamp, input: &Input, window: Window) -> Result<(), serde_json::Error> {
        let input = serde_json::to_vec(input);
        self.replace_window(window);
        self.batch.journal.push(JournalEntry { now, input: input? });
        Ok(())
    }

    /// Replaces the state of a node's windows.
    pub fn replace_window(&mut self, window: Window) {
        self.batch.windows.retain(|other| other.node != window.node);
        self.batch.windows.push(window);
    }

    /// Takes in what the engine said.
    pub fn take(&mut self, output: Output) {
        match output {
            Output::Durable(Durable::Alert(alert)) => self.batch.alerts.push(*alert),
            Output::Durable(Durable::Audit(record)) => self.batch.audit.push(record),
            Output::Transmit(transmit) => self.releases.push(transmit),
            Output::Volatile(_) => {}
        }
    }

    /// Whether it must bring a snapshot along: after a restart the engine has to know what it has said, and which orders
    /// it has carried out.
    #[must_use]
    pub fn wants_snapshot(&self) -> bool {
        !self.batch.alerts.is_empty() || !self.batch.audit.is_empty()
    }

    /// Adds the engine as it is now, after everything that was collected; older journal entries are then not needed.
    ///
    /// # Errors
    /// When the snapshot cannot be written; the journal goes on.
    pub fn attach_snapshot(&mut self, engine: &Engine, now: Timestamp) -> Result<(), EngineError> {
        self.batch.snapshot = Some(recovery::snapshot(engine, now)?);
        Ok(())
    }
}

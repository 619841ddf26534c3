//! What the engine said since the last commit: collected here, committed together, and only then let go.

use vedette_engine::{Durable, Output, Transmit};

use crate::store::{Batch, Window};

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
}

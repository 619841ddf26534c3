//! The engine's way since its last snapshot: what a commit must bring along so that a restart gets the engine back.
//!
//! After a restart the engine has to know what it has said, and which orders it has carried out. A commit with alerts
//! therefore brings every input since the last snapshot that no commit holds yet; replayed, they lead to where the engine
//! was. When they have grown beyond what a snapshot takes, they are given up, and the next alert brings a snapshot
//! instead. Radio inputs are always kept: their nodes are told that they are safe.

use vedette_engine::config::EngineConfig;
use vedette_engine::{Engine, EngineError, Input, Timestamp};

use crate::recovery;
use crate::store::JournalEntry;
use crate::work::Work;

/// Least size that a journal may grow to before a snapshot takes its place, bytes.
const MIN_BYTES: usize = 64 << 10;
/// What an entry takes in a store beside its input, about, bytes.
const ENTRY_BYTES: usize = 16;

/// What the engine was told since its last snapshot, as far as no commit holds it.
#[derive(Debug)]
pub struct Trail {
    /// Entries, and whether they are of radio.
    unwritten: Vec<(JournalEntry, bool)>,
    /// Bytes of all entries since the snapshot, whether a commit holds them or not.
    bytes: usize,
    max_bytes: usize,
    /// Nothing the engine was told since the snapshot is missing.
    whole: bool,
    /// The engine's configuration, unless the store has it.
    config: Option<Box<EngineConfig>>,
}

impl Trail {
    /// A trail behind an engine of which the store holds nothing usable: the first alert brings a snapshot.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        let config = Some(Box::new(config.clone()));
        Self { unwritten: Vec::new(), bytes: 0, max_bytes: MIN_BYTES, whole: false, config }
    }

    /// A trail that goes on where a store's snapshot and its journal of so many bytes end.
    pub(crate) const fn behind(bytes: usize) -> Self {
        Self { unwritten: Vec::new(), bytes, max_bytes: MIN_BYTES, whole: true, config: None }
    }

    /// The store is to get all anew: whatever it holds is of another engine.
    pub fn begin_anew(&mut self, config: &EngineConfig) {
        *self = Self::new(config);
    }

    /// Writes down an input that the engine is about to handle at `now`.
    ///
    /// # Errors
    /// When the input cannot be written.
    pub fn told(&mut self, now: Timestamp, input: &Input) -> Result<(), EngineError> {
        if let Input::Reconfigure(config) = input {
            // What came before was handled with the former one.
            self.break_off();
            self.config = Some(config.clone());
        }
        if !self.whole && !input.is_radio() {
            return Ok(());
        }
        let entry = JournalEntry { now, input: input.to_bytes()?, whole: self.whole };
        self.bytes += entry.input.len() + ENTRY_BYTES;
        self.unwritten.push((entry, input.is_radio()));
        if self.whole && self.bytes > self.max_bytes {
            self.break_off();
        }
        Ok(())
    }

    /// From here on only radio inputs are kept.
    fn break_off(&mut self) {
        self.whole = false;
        self.unwritten.retain(|(_, radio)| *radio);
        for (entry, _) in &mut self.unwritten {
            entry.whole = false;
        }
    }

    /// Inputs that no commit holds yet.
    #[must_use]
    pub const fn unwritten(&self) -> usize {
        self.unwritten.len()
    }

    /// Completes what is about to be committed: with a snapshot when that is `due` or nothing less will do, else with
    /// the inputs that led to it. Whether it got a snapshot.
    ///
    /// # Errors
    /// When the snapshot cannot be written; the work then has the inputs.
    pub fn complete(
        &mut self,
        work: &mut Work,
        engine: &Engine,
        now: Timestamp,
        due: bool,
    ) -> Result<bool, EngineError> {
        let said = !work.batch.alerts.is_empty() || !work.batch.audit.is_empty();
        if due || (said && !self.whole) {
            let written = self.snapshot(engine, now).map(|(config, snapshot)| {
                (work.batch.config, work.batch.snapshot) = (config, Some(snapshot));
            });
            if written.is_err() {
                self.write(work);
            }
            return written.map(|()| true);
        }
        let acknowledges = !work.batch.windows.is_empty();
        if said || acknowledges {
            self.write(work);
        }
        Ok(false)
    }

    fn write(&mut self, work: &mut Work) {
        work.batch.journal.extend(self.unwritten.drain(..).map(|(entry, _)| entry));
    }

    fn snapshot(&mut self, engine: &Engine, now: Timestamp) -> Result<(Option<Vec<u8>>, Vec<u8>), EngineError> {
        let config = self.config.as_deref().map(recovery::config_bytes).transpose()?;
        let snapshot = recovery::snapshot(engine, now)?;
        *self = Self { max_bytes: snapshot.len().max(MIN_BYTES), ..Self::behind(0) };
        Ok((config, snapshot))
    }
}

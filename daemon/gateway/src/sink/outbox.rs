//! A sink's own place in the outbox: alerts in the order they were committed, each at least once.
//!
//! The cursor is a small file beside the store, replaced as a whole after the sink has let go of an alert. It may be lost
//! with a power cut; then alerts come again, and the receivers know them by their names. Alerts that were folded into a
//! newer revision before the sink came to them, or are older than what the store keeps, are passed over.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};
use vedette_engine::Alert;

/// Rows read at once.
const BATCH: usize = 64;

/// An alert with its number.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Counts up within an epoch.
    pub seq: u64,
    /// The revision.
    pub alert: Alert,
}

/// What the store has behind a cursor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The life of the store; a new one numbers from 1.
    pub epoch: String,
    /// The rows, in order.
    pub rows: Vec<Row>,
    /// All numbers up to this have been looked at.
    pub upto: u64,
    /// The store is another one than before: what was read of the old one is void.
    pub anew: bool,
}

/// A question to the thread that owns the store.
#[derive(Debug)]
pub struct Query {
    /// Rows after this number.
    pub after: u64,
    /// At most so many.
    pub limit: usize,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<Rows, String>>,
}

/// How questions get to that thread; false when it has ended.
pub type Ask = Arc<dyn Fn(Query) -> bool + Send + Sync>;

/// Where sinks read; each opens an [`Outbox`] of its own.
#[derive(Clone)]
pub struct Reader {
    ask: Ask,
    newest: watch::Receiver<u64>,
    folder: PathBuf,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("newest", &*self.newest.borrow()).finish_non_exhaustive()
    }
}

impl Reader {
    /// A reader that asks with `ask`, is woken by `newest` and keeps cursors in `folder`.
    #[must_use]
    pub fn new(ask: Ask, newest: watch::Receiver<u64>, folder: &Path) -> Self {
        Self { ask, newest, folder: folder.to_path_buf() }
    }

    /// The outbox as the sink `name` left it.
    #[must_use]
    pub fn open(&self, name: &str) -> Outbox {
        let file = self.folder.join(format!("sink-{name}.cursor"));
        let cursor = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let cursor: Cursor = cursor.unwrap_or_default();
        Outbox { reader: self.clone(), file, saved: cursor.clone(), cursor }
    }
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// The store did not answer with rows.
    #[error("store: {0}")]
    Store(String),
    /// The daemon is stopping.
    #[error("the store's thread has ended")]
    Ended,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cursor {
    epoch: String,
    seq: u64,
}

/// One sink's place in the outbox.
#[derive(Debug)]
pub struct Outbox {
    reader: Reader,
    file: PathBuf,
    cursor: Cursor,
    /// As the file has it.
    saved: Cursor,
}

impl Outbox {
    /// Alerts behind the cursor, at most 64; [`Self::done`] moves the cursor behind them.
    ///
    /// # Errors
    /// When the store cannot be read, or the daemon is stopping.
    pub async fn read(&mut self) -> Result<Rows, OutboxError> {
        self.read_behind(self.cursor.seq).await
    }

    /// As [`Self::read`], behind `after`: for who moves the cursor later than it reads.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_behind(&mut self, after: u64) -> Result<Rows, OutboxError> {
        self.reader.newest.mark_unchanged();
        let rows = self.ask(after).await?;
        if rows.epoch == self.cursor.epoch {
            return Ok(rows);
        }
        // Another store, or the first time: its numbers begin anew.
        self.cursor = Cursor { epoch: rows.epoch, seq: 0 };
        Ok(Rows { anew: true, ..self.ask(0).await? })
    }

    /// Where the cursor stands.
    #[must_use]
    pub fn upto(&self) -> u64 {
        self.cursor.seq
    }

    async fn ask(&self, after: u64) -> Result<Rows, OutboxError> {
        let (answer, answered) = oneshot::channel();
        if !(self.reader.ask)(Query { after, limit: BATCH, answer }) {
            return Err(OutboxError::Ended);
        }
        answered.await.map_err(|_| OutboxError::Ended)?.map_err(OutboxError::Store)
    }

    /// All up to `seq` need not come again; written by the next [`Self::save`].
    pub fn done(&mut self, seq: u64) {
        self.cursor.seq = self.cursor.seq.max(seq);
    }

    /// Writes the cursor, if it has moved. Once for a batch: a slow disk must not hold up a sink for each alert.
    pub async fn save(&mut self) {
        if self.saved == self.cursor {
            return;
        }
        match self.write().await {
            Ok(()) => self.saved = self.cursor.clone(),
            Err(error) => tracing::warn!("{}: {error}; alerts will come again after a restart", self.file.display()),
        }
    }

    async fn write(&self) -> std::io::Result<()> {
        let fresh = self.file.with_extension("new");
        tokio::fs::write(&fresh, serde_json::to_vec(&self.cursor)?).await?;
        tokio::fs::rename(&fresh, &self.file).await
    }

    /// Waits until there may be something to read. Safe to cancel.
    pub async fn changed(&mut self) {
        self.changed_behind(self.cursor.seq).await;
    }

    /// As [`Self::changed`], behind `after`.
    pub async fn changed_behind(&mut self, after: u64) {
        if *self.reader.newest.borrow_and_update() > after {
            return;
        }
        if self.reader.newest.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests;

//! Plain bytes beside the store, deleted when the disk is full so that the last transactions can still be written.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Time until a reserve that was spent is laid down again.
const LAY_AGAIN: Duration = Duration::from_secs(10);

/// The reserve of one store.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    /// When it, being spent, may be laid down again.
    lay_at: Option<Instant>,
}

impl Reserve {
    /// So many bytes in this file; none at all with 0.
    pub(super) const fn new(path: PathBuf, bytes: u64) -> Self {
        Self { path, bytes, lay_at: None }
    }

    pub(super) const fn is_spent(&self) -> bool {
        self.lay_at.is_some()
    }

    pub(super) fn spend(&mut self) {
        self.lay_at = Some(Instant::now() + LAY_AGAIN);
        // When it is not there, it has been spent already.
        if fs::remove_file(&self.path).is_ok() {
            tracing::error!("the disk is full: the store's reserve is spent");
        }
    }

    /// Lays it down if it is missing; a disk without room for it leaves it missing.
    pub(super) fn lay(&mut self) {
        let there = fs::metadata(&self.path).is_ok_and(|found| found.len() == self.bytes);
        if self.bytes == 0 || there {
            return;
        }
        let bytes = vec![0x5a; usize::try_from(self.bytes).unwrap_or(0)];
        let laid = fs::File::create(&self.path).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        if laid.is_err() {
            self.spend();
        } else if self.lay_at.take().is_some() {
            tracing::info!("the store has its reserve again");
        }
    }

    /// Lays it down again when it was spent some time ago.
    pub(super) fn lay_again(&mut self) {
        if self.lay_at.is_some_and(|at| at <= Instant::now()) {
            self.lay();
        }
    }
}

//! Works become durable here, in order; a file that stays unusable is left for memory, and gone back to.

use std::time::{Duration, Instant};

use vedette_delivery::{Batch, CommitError, Committed, StoreError, Uplink, Window, Work};
use vedette_engine::{Fact, Transmit};

use super::super::shelf::Returned;
use super::{Backlog, Keeper, Note, Unwritten};

/// Time between attempts to commit what the store refused.
const RETRY: Duration = Duration::from_secs(1);
/// Time that commits may fail before the keeper goes on in memory.
const PATIENCE: Duration = Duration::from_secs(30);

impl Backlog {
    pub(super) fn push(&mut self, uplink: &mut Uplink, batch: Batch, releases: Option<Vec<Transmit>>) {
        self.works.push_back(Unwritten { sealed: uplink.seal(batch), releases });
    }

    /// Another outbox counts batches anew.
    pub(super) fn seal_anew(&mut self, uplink: &mut Uplink) {
        for work in &mut self.works {
            work.sealed = uplink.seal(work.sealed.batch().clone());
        }
    }

    /// Alerts that are committed nowhere.
    fn alerts(&self) -> u64 {
        self.works.iter().map(|work| work.sealed.batch().alerts.len() as u64).sum()
    }
}

impl Keeper {
    /// Commits the oldest works in order; at the first failure the rest waits.
    pub(super) fn commit(&mut self, backlog: &mut Backlog) {
        if backlog.retry_at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        backlog.retry_at = None;
        while let Some(work) = backlog.works.front() {
            match self.uplink.commit(self.clock.now(), &mut self.store, &work.sealed) {
                Ok(committed) => {
                    if let Some(work) = backlog.works.pop_front() {
                        self.tell_committed(work.releases, &work.sealed.batch().windows, committed, backlog);
                    }
                }
                Err(error) => {
                    self.commit_failed(backlog, &error);
                    return;
                }
            }
        }
        if backlog.failing_since.take().is_some() {
            tracing::info!("commits work again");
        }
    }

    fn tell_committed(
        &self,
        releases: Option<Vec<Transmit>>,
        windows: &[Window],
        committed: Committed,
        backlog: &Backlog,
    ) {
        // Who is told that something is durable finds it in the status.
        self.note_figures(backlog);
        if let Some(mut releases) = releases {
            let durable = self.store.trouble().is_none();
            if !durable {
                // Its node keeps the frame and sends it again, until it can be acknowledged.
                releases.retain(|release| !matches!(release, Transmit::RadioAck { .. }));
            }
            let windows = if durable { windows.to_vec() } else { Vec::new() };
            self.tell(Note::Committed { durable, releases, windows });
        }
        if committed.dropped > 0 {
            self.tell(Note::Fact(Fact::OutboxDropped { count: committed.dropped }));
        }
    }

    /// Tracking goes on, acknowledgements are held; a file that stays unusable is left for memory.
    fn commit_failed(&mut self, backlog: &mut Backlog, error: &CommitError) {
        if backlog.failing_since.is_none() {
            tracing::error!("commit failed; tracking goes on, acknowledgements are held: {error}");
            self.tell_storage_fault(error);
        }
        let since = *backlog.failing_since.get_or_insert_with(Instant::now);
        backlog.retry_at = Some(Instant::now() + RETRY);
        let CommitError::Store(error) = error else { return };
        let hopeless = matches!(error, StoreError::Damaged { .. }) || since.elapsed() >= PATIENCE;
        if self.store.trouble().is_none() && hopeless {
            self.leave(error, backlog);
        }
    }

    /// Goes on in memory.
    pub(super) fn leave(&mut self, error: &StoreError, backlog: &mut Backlog) {
        match self.store.take_refuge(error, false, self.clock.now()) {
            Ok((uplink, _)) => {
                self.replace_uplink(uplink);
                backlog.seal_anew(&mut self.uplink);
                backlog.retry_at = None;
                self.tell(Note::Fact(Fact::StoreState { usable: false, error: error.to_string() }));
            }
            Err(error) => tracing::error!("{error}"),
        }
    }

    /// The file takes what memory held before anything that came later.
    pub(super) fn go_back(&mut self, work: Work, backlog: &mut Backlog) {
        let Returned { uplink, committed, mut rest } =
            match self.store.go_back(self.clock.now(), &mut self.uplink, &work.batch) {
                Ok(returned) => returned,
                Err(error) => {
                    tracing::warn!("the store cannot be used yet: {error}");
                    return backlog.push(&mut self.uplink, work.batch, Some(work.releases));
                }
            };
        self.replace_uplink(uplink);
        let later = std::mem::take(&mut backlog.works);
        let last = rest.pop();
        for part in rest {
            backlog.push(&mut self.uplink, part, None);
        }
        let mut releases = Some(work.releases);
        if let Some(last) = last {
            backlog.push(&mut self.uplink, last, releases.take());
        }
        for Unwritten { sealed, releases } in later {
            backlog.push(&mut self.uplink, sealed.batch().clone(), releases);
        }
        self.tell_committed(releases, &work.batch.windows, committed, backlog);
        self.tell(Note::Fact(Fact::StoreState { usable: true, error: String::new() }));
    }

    fn tell_storage_fault(&self, error: &CommitError) {
        self.tell(Note::Fact(Fact::StorageFault { what: "store".to_owned(), error: error.to_string() }));
    }

    /// Writes what can be written and says goodbye; how many alerts are lost.
    pub(super) fn stop(mut self, backlog: &mut Backlog) -> u64 {
        backlog.retry_at = None;
        self.commit(backlog);
        // A centre that has them already may have said so just now.
        let lost = self.store.at_risk(&self.uplink) + backlog.alerts();
        if lost > 0 {
            let why = self.store.trouble().unwrap_or("the last commits failed");
            tracing::error!("alerts lost, for they were in memory only: {lost} ({why})");
        }
        if let Err(error) = self.uplink.finish(self.clock.now(), &mut self.store) {
            tracing::warn!("the last acknowledgements were not written; the centre will be asked again: {error}");
        }
        if let Some(transport) = &mut self.transport {
            transport.close();
        }
        lost
    }
}

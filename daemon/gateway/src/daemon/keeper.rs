//! The thread that owns the store: commits what the engine said, then lets go of what depends on it; drives the uplink.
//!
//! Disk writes block, so they have a thread of their own and the engine never waits for them. A commit that fails is tried
//! again for as long as it takes; until then acknowledgements are held and the engine goes on tracking.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use vedette_delivery::message::Envelope;
use vedette_delivery::uplink::{Action, Event, Report, Uplink};
use vedette_delivery::{CommitError, Epoch, Sealed, Store, StoreError, Window, Work};
use vedette_engine::{Command, Fact, Transmit};

use super::transport::Transport;
use crate::clock::SharedClock;
use crate::sink::outbox::{Query, Row, Rows};
use crate::status::OutboxFigures;

/// Time between attempts to commit what the store refused.
const RETRY: Duration = Duration::from_secs(1);
/// Longest time without a sign of life of this thread.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// What the keeper is told.
#[derive(Debug)]
pub(super) enum Job {
    /// Commit, then give back the releases.
    Commit(Box<Work>),
    /// Something happened on the connection with this number.
    Link {
        /// Number of the connection.
        connection: u64,
        /// What happened.
        event: vedette_mqtt::Event,
    },
    /// For the uplink alone.
    Uplink(Event),
    /// A sink reads on.
    Read(Query),
    /// Commit what is there, say goodbye, end.
    Stop,
}

/// What the keeper tells the engine's task.
#[derive(Debug)]
pub(super) enum Note {
    /// A work is durable.
    Committed {
        /// What may leave now.
        releases: Vec<Transmit>,
        /// Radio states that are durable now.
        windows: Vec<Window>,
    },
    /// Something the engine should know.
    Fact(Fact),
    /// An order of the centre.
    Order(Command),
}

/// Store, uplink and the connection to the centre's broker.
pub(super) struct Keeper<S> {
    pub(super) store: S,
    pub(super) uplink: Uplink,
    pub(super) transport: Option<Transport>,
    pub(super) clock: Arc<SharedClock>,
    pub(super) jobs: Receiver<Job>,
    pub(super) notes: UnboundedSender<Note>,
    pub(super) figures: Arc<OutboxFigures>,
    pub(super) heartbeat: Arc<AtomicU64>,
    /// The greatest number committed, for the sinks.
    pub(super) newest: watch::Sender<u64>,
}

/// Works not yet durable, oldest first.
#[derive(Default)]
struct Backlog {
    works: VecDeque<(Sealed, Vec<Transmit>)>,
    retry_at: Option<Instant>,
}

impl<S: Store> Keeper<S> {
    /// Works until it is told to stop or the engine's task is gone.
    pub(super) fn run(mut self) {
        let mut backlog = Backlog::default();
        let mut actions = Vec::new();
        loop {
            let stop = match self.jobs.recv_timeout(self.patience(&backlog)) {
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => true,
                Ok(job) => {
                    self.take(job, &mut backlog, &mut actions);
                    while let Ok(job) = self.jobs.try_recv() {
                        if matches!(job, Job::Stop) {
                            return self.stop(&mut backlog);
                        }
                        self.take(job, &mut backlog, &mut actions);
                    }
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
            };
            if stop {
                return self.stop(&mut backlog);
            }
            self.commit(&mut backlog);
            self.drive(Event::Tick, &mut actions);
            self.heartbeat.fetch_add(1, Ordering::Relaxed);
            // Numbers are given before the commit: only without a backlog is the last one readable.
            if backlog.works.is_empty() {
                self.wake_sinks();
            }
            self.figures.set(self.uplink.outbox(), self.uplink.centre_up(), backlog.works.len());
        }
    }

    fn patience(&self, backlog: &Backlog) -> Duration {
        let retry = backlog.retry_at.map(|at| at.saturating_duration_since(Instant::now()));
        let deadline = self.transport.as_ref().and_then(|_| self.uplink.next_deadline()).map(|at| self.clock.until(at));
        [retry, deadline, Some(HEARTBEAT)].into_iter().flatten().min().unwrap_or(HEARTBEAT)
    }

    fn take(&mut self, job: Job, backlog: &mut Backlog, actions: &mut Vec<Action>) {
        match job {
            Job::Commit(work) => backlog.works.push_back((self.uplink.seal(work.batch), work.releases)),
            Job::Link { connection, event } => {
                let event = self.transport.as_mut().and_then(|transport| transport.translate(connection, event));
                if let Some(event) = event {
                    self.drive(event, actions);
                }
            }
            Job::Uplink(event) => self.drive(event, actions),
            Job::Read(query) => {
                let rows = self.rows(query.after, query.limit);
                // A sink whose connection broke meanwhile asks again.
                let _ = query.answer.send(rows.map_err(|error| error.to_string()));
            }
            Job::Stop => {}
        }
    }

    fn wake_sinks(&self) {
        let last = self.uplink.outbox().last_seq();
        self.newest.send_if_modified(|newest| std::mem::replace(newest, last) != last);
    }

    /// What a sink has not seen yet. An alert this program is too old to read is passed over.
    fn rows(&mut self, after: u64, limit: usize) -> Result<Rows, StoreError> {
        let last = *self.newest.borrow();
        let heads = self.store.heads(after.saturating_add(1), last, limit)?;
        let upto = if heads.len() < limit { last } else { heads.last().map_or(last, |head| head.seq) };
        let mut rows = Vec::with_capacity(heads.len());
        for head in heads {
            let Some(bytes) = self.store.read(head.seq)? else { continue };
            match serde_json::from_slice::<Envelope>(&bytes) {
                Ok(envelope) => rows.push(Row { seq: head.seq, alert: envelope.alert }),
                Err(error) => tracing::warn!(seq = head.seq, "an alert cannot be read: {error}"),
            }
        }
        Ok(Rows { epoch: self.uplink.outbox().epoch().to_string(), rows, upto, anew: false })
    }

    /// Commits the oldest works in order; at the first failure the rest waits.
    fn commit(&mut self, backlog: &mut Backlog) {
        if backlog.retry_at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        let failed_before = backlog.retry_at.take().is_some();
        while let Some((sealed, releases)) = backlog.works.front_mut() {
            match self.uplink.commit(self.clock.now(), &mut self.store, sealed) {
                Ok(committed) => {
                    let (releases, windows) = (std::mem::take(releases), sealed.batch().windows.clone());
                    backlog.works.pop_front();
                    self.tell(Note::Committed { releases, windows });
                    if committed.dropped > 0 {
                        self.tell(Note::Fact(Fact::OutboxDropped { count: committed.dropped }));
                    }
                }
                Err(error) => {
                    if !failed_before {
                        tracing::error!("commit failed; tracking goes on, acknowledgements are held: {error}");
                        self.tell_storage_fault(&error);
                    }
                    backlog.retry_at = Some(Instant::now() + RETRY);
                    return;
                }
            }
        }
        if failed_before {
            tracing::info!("commits work again");
        }
    }

    fn tell_storage_fault(&self, error: &CommitError) {
        self.tell(Note::Fact(Fact::StorageFault { what: "store".to_owned(), error: error.to_string() }));
    }

    fn drive(&mut self, event: Event, actions: &mut Vec<Action>) {
        if self.transport.is_none() {
            return;
        }
        self.uplink.handle(self.clock.now(), &mut self.store, event, actions);
        let mut closed = false;
        for action in actions.drain(..) {
            match action {
                Action::Report(report) => match note(&report) {
                    Some(note) => {
                        // The engine's task is gone only when the daemon ends.
                        let _ = self.notes.send(note);
                    }
                    None if report == Report::StoreIsOld => renew(&mut self.uplink, &mut self.store),
                    None => {}
                },
                Action::Order(order) => {
                    let _ = self.notes.send(Note::Order(order.command));
                }
                other => closed |= self.transport.as_mut().is_some_and(|transport| !transport.carry_out(other)),
            }
        }
        if closed {
            self.uplink.handle(self.clock.now(), &mut self.store, Event::Closed, actions);
            // What follows from a connection that could not be made comes with the next turn.
            actions.retain(|action| !matches!(action, Action::Connect | Action::Publish(_) | Action::Subscribe(_)));
        }
    }

    fn stop(mut self, backlog: &mut Backlog) {
        backlog.retry_at = None;
        self.commit(backlog);
        if !backlog.works.is_empty() {
            tracing::error!(batches = backlog.works.len(), "stopped with outputs that could not be committed");
        }
        if let Err(error) = self.uplink.finish(self.clock.now(), &mut self.store) {
            tracing::warn!("the last acknowledgements were not written; the centre will be asked again: {error}");
        }
        if let Some(transport) = &mut self.transport {
            transport.close();
        }
    }

    fn tell(&self, note: Note) {
        // The engine's task is gone only when the daemon ends.
        let _ = self.notes.send(note);
    }
}

/// What a report means for the engine; those that mean nothing to it are logged.
fn note(report: &Report) -> Option<Note> {
    let fact = match report {
        Report::Centre { up } => {
            tracing::info!(up, "centre");
            Fact::UplinkState { up: *up }
        }
        Report::Quarantined { seq, code } => {
            tracing::error!(seq, code, "the broker refuses this alert for good");
            Fact::OutboxDropped { count: 1 }
        }
        Report::Store(error) => {
            tracing::error!("store: {error}");
            Fact::StorageFault { what: "outbox".to_owned(), error: error.to_string() }
        }
        other => {
            tracing::warn!("uplink: {other:?}");
            return None;
        }
    };
    Some(Note::Fact(fact))
}

/// The centre knows numbers this store never gave: the store is an old copy, and numbers must not be given twice.
fn renew<S: Store>(uplink: &mut Uplink, store: &mut S) {
    let renewed = crate::random::hex().map_err(|error| error.to_string());
    let renewed = renewed.and_then(|epoch| uplink.renew(store, Epoch(epoch)).map_err(|error| error.to_string()));
    match renewed {
        Ok(()) => tracing::warn!("the store is an old copy: a new epoch begins"),
        Err(error) => tracing::error!("the store is an old copy, and no new epoch could be begun: {error}"),
    }
}

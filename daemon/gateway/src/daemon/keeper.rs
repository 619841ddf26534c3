//! The thread that owns the store: commits what the engine said, then lets go of what depends on it; drives the uplink.
//!
//! Disk writes block, so they have a thread of their own and the engine never waits for them. A commit that fails is tried
//! again for as long as it takes; until then acknowledgements are held and the engine goes on tracking.

mod commit;
mod report;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use vedette_delivery::message::Envelope;
use vedette_delivery::uplink::{Action, Event, Report, Uplink};
use vedette_delivery::{Sealed, Store, StoreError, UplinkConfig, Window, Work};
use vedette_engine::{AuditRecord, Command, Fact, Transmit};

use super::core::CoreChange;
use super::shelf::{Recovered, Shelf};
use super::transport::{Terminal, Transport};
use crate::clock::SharedClock;
use crate::config::CentreSink;
use crate::progress::Beat;
use crate::sink::outbox::{Query, Row, Rows};
use crate::status::OutboxFigures;

/// Longest time without a sign of life of this thread.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// What the keeper is told.
#[derive(Debug)]
pub(super) enum Job {
    /// Commit, then give back the releases.
    Commit(Box<Work>),
    /// The engine's whole state, with which to go back to the file: the answer to [`Note::Recovered`].
    Return(Box<Work>),
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
    /// Another way to the centre.
    Sink(Box<SinkChange>),
    /// Commit what is there, say goodbye, end.
    Stop,
}

/// The way to the centre as a new configuration has it.
#[derive(Debug)]
pub(super) struct SinkChange {
    pub(super) uplink: UplinkConfig,
    pub(super) sink: Option<CentreSink>,
}

/// What the keeper and the reloader tell the engine's task.
#[derive(Debug)]
pub(super) enum Note {
    /// A work is committed.
    Committed {
        /// Whether to the file: what is in memory only must not be taken for safe.
        durable: bool,
        /// What may leave now.
        releases: Vec<Transmit>,
        /// Radio states that are durable now.
        windows: Vec<Window>,
    },
    /// The file can be used again; [`Job::Return`] is wanted.
    Recovered(Box<Recovered>),
    /// Something the engine should know.
    Fact(Fact),
    /// An order of the centre.
    Order(Command),
    /// Another configuration of the engine's task.
    Reconfigure(Box<CoreChange>),
    /// For the audit log.
    Audit(AuditRecord),
}

/// Store, uplink and the connection to the centre's broker.
pub(super) struct Keeper {
    pub(super) store: Shelf,
    pub(super) uplink: Uplink,
    pub(super) transport: Option<Transport>,
    pub(super) to_transport: Terminal,
    pub(super) clock: Arc<SharedClock>,
    pub(super) jobs: Receiver<Job>,
    pub(super) notes: UnboundedSender<Note>,
    pub(super) figures: Arc<OutboxFigures>,
    /// The greatest number committed, for the sinks.
    pub(super) newest: watch::Sender<u64>,
    pub(super) committing: Beat,
    pub(super) sending: Beat,
    /// The file gave up something that is damaged: it is to be left.
    pub(super) damage: Option<StoreError>,
}

/// What is to be committed.
struct Unwritten {
    sealed: Sealed,
    /// What waits for it; none where the engine's task does not wait at all.
    releases: Option<Vec<Transmit>>,
}

/// Works not yet durable, oldest first.
#[derive(Default)]
struct Backlog {
    works: VecDeque<Unwritten>,
    retry_at: Option<Instant>,
    failing_since: Option<Instant>,
}

impl Keeper {
    /// Works until it is told to stop or the engine's task is gone; how many alerts are lost with it, being nowhere but in
    /// memory.
    pub(super) fn run(mut self) -> u64 {
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
            if let Some(recovered) = self.store.try_file(self.clock.now()) {
                self.tell(Note::Recovered(Box::new(recovered)));
            }
            if let Some(fault) = self.store.take_fault() {
                self.tell(Note::Fact(fault));
            }
            self.committing.beat();
            self.watch_certificates(&mut actions);
            self.drive(Event::Tick, &mut actions);
            if let Some(error) = self.damage.take() {
                self.leave(&error, &mut backlog);
            }
            // Numbers are given before the commit: only without a backlog is the last one readable.
            if backlog.works.is_empty() {
                self.wake_sinks();
            }
            self.sending.beat();
            self.note_figures(&backlog);
        }
    }

    fn note_figures(&self, backlog: &Backlog) {
        let has_centre = self.transport.is_some();
        let failing_s = backlog.failing_since.map(|since| since.elapsed().as_secs_f64());
        let commits = (backlog.works.len(), failing_s);
        self.figures.set(&self.uplink, &self.store.report(), commits, has_centre, self.clock.now());
    }

    fn patience(&self, backlog: &Backlog) -> Duration {
        let retry = backlog.retry_at.map(|at| at.saturating_duration_since(Instant::now()));
        let deadline = self.transport.as_ref().and_then(|_| self.uplink.next_deadline()).map(|at| self.clock.until(at));
        let file = self.store.try_at().map(|at| at.saturating_duration_since(Instant::now()));
        [retry, deadline, file, Some(HEARTBEAT)].into_iter().flatten().min().unwrap_or(HEARTBEAT)
    }

    fn take(&mut self, job: Job, backlog: &mut Backlog, actions: &mut Vec<Action>) {
        match job {
            Job::Commit(work) => backlog.push(&mut self.uplink, work.batch, Some(work.releases)),
            Job::Return(work) => {
                // In the order of the engine's doing: what came before is in memory first.
                self.commit(backlog);
                self.go_back(*work, backlog);
            }
            Job::Link { connection, event } => {
                let event = self.transport.as_mut().and_then(|transport| transport.translate(connection, event));
                if let Some(event) = event {
                    self.drive(event, actions);
                }
            }
            Job::Uplink(event) => self.drive(event, actions),
            Job::Read(query) => {
                let rows = self.rows(query.after, query.limit);
                if let Err(error) = &rows {
                    self.note_damage(error.clone());
                }
                // A sink whose connection broke meanwhile asks again.
                let _ = query.answer.send(rows.map_err(|error| error.to_string()));
            }
            Job::Sink(change) => self.change_sink(*change, backlog),
            Job::Stop => {}
        }
    }

    /// A row that cannot be read would be tried for ever, and all behind it would wait.
    fn note_damage(&mut self, error: StoreError) {
        if matches!(error, StoreError::Damaged { .. }) && self.store.trouble().is_none() {
            self.damage = Some(error);
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

    /// A certificate that was renewed is shown to the broker at once, not when the old one has failed.
    fn watch_certificates(&mut self, actions: &mut Vec<Action>) {
        if let Some(transport) = &mut self.transport
            && transport.renewed()
        {
            tracing::info!("certificates were renewed; connecting to the centre anew");
            transport.carry_out(Action::Disconnect);
            self.drive(Event::Closed, actions);
        }
    }

    fn change_sink(&mut self, SinkChange { uplink, sink }: SinkChange, backlog: &mut Backlog) {
        let now = self.clock.now();
        // Acknowledged and not yet marked as such: otherwise sent again.
        let finished = self.uplink.finish(now, &mut self.store);
        match finished.and_then(|()| self.store.change_uplink(uplink.clone(), now)) {
            Ok(started) => {
                if let Some(transport) = &mut self.transport {
                    transport.close();
                }
                self.transport = sink.map(|sink| self.to_transport.open(&uplink, sink.broker));
                self.uplink = started;
                backlog.seal_anew(&mut self.uplink);
            }
            Err(error) => tracing::error!("the way to the centre stays as it was: {error}"),
        }
    }

    /// Another outbox has other numbers: the connection of the former one ends.
    fn replace_uplink(&mut self, uplink: Uplink) {
        self.uplink = uplink;
        if let Some(transport) = &mut self.transport {
            transport.carry_out(Action::Disconnect);
        }
    }

    fn drive(&mut self, event: Event, actions: &mut Vec<Action>) {
        if self.transport.is_none() {
            return;
        }
        self.uplink.handle(self.clock.now(), &mut self.store, event, actions);
        let mut closed = false;
        for action in actions.drain(..) {
            match action {
                Action::Report(Report::Store(error)) => {
                    self.tell(report::store_fault(&error));
                    self.note_damage(error);
                }
                Action::Report(report) => match report::note(&report) {
                    Some(note) => {
                        // The engine's task is gone only when the daemon ends.
                        let _ = self.notes.send(note);
                    }
                    None if report == Report::StoreIsOld => report::renew(&mut self.uplink, &mut self.store),
                    None => {}
                },
                Action::Order(command) => {
                    let _ = self.notes.send(Note::Order(command));
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

    fn tell(&self, note: Note) {
        // The engine's task is gone only when the daemon ends.
        let _ = self.notes.send(note);
    }
}

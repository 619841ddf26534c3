//! The engine's task: takes inputs in one order, ticks the engine at its deadlines, and collects what must be committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use vedette_delivery::message::{self, Tracks};
use vedette_delivery::uplink::Event;
use vedette_delivery::{Answer as OrderAnswer, Window, Work, recovery};
use vedette_engine::config::EngineConfig;
use vedette_engine::{
    Act, AuditRecord, Command, Durable, Engine, Fact, Input, Output, Timestamp, TrackStatus, Transmit,
};

use super::certificates::Certificates;
use super::keeper::{Job, Note};
use super::shelf::Recovered;
use super::socket::Asked;
use super::sources::Downlinks;
use crate::http::Observation;
use crate::intake::Taken;
use crate::progress::Beat;
use crate::radio::{Nodes, Sealed};
use crate::record::Recorder;
use crate::retention::Rules;
use crate::sink::View;
use crate::source::Surroundings;
use crate::status::{Answer, CostReport, OutboxFigures, Report, Request, SourceReport};

/// Most frames handled before everything else gets its turn.
const BURST: usize = 256;
/// Commits on their way to the disk; what follows is collected meanwhile.
const MAX_COMMITS: usize = 4;
/// Radio inputs that may wait for a commit; then radio is held back, and its nodes keep their frames.
const MAX_JOURNAL: usize = 10_000;
/// Alerts that may wait for a commit; then the least severe, oldest first, are dropped and counted.
const MAX_ALERTS: usize = 10_000;

/// Time between two looks for what has had its time, and until the first after a start.
const RETAIN_EVERY: Duration = Duration::from_secs(3600);
const RETAIN_FIRST: Duration = Duration::from_secs(300);

/// Settings of the engine's task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Time in which outputs are collected into one commit.
    pub(super) commit_interval: Duration,
    /// Time between two snapshots when nothing else asks for one.
    pub(super) snapshot_interval: Duration,
    /// Time between two pictures for the centre; none without.
    pub(super) tracks_interval: Option<Duration>,
}

/// What a new configuration changes of it.
#[derive(Debug)]
pub(super) struct CoreChange {
    pub(super) engine: EngineConfig,
    pub(super) pace: Pace,
    pub(super) retention: Rules,
    pub(super) certificates: Certificates,
}

/// Everything the engine's task works with.
pub(super) struct Core {
    pub(super) engine: Engine,
    pub(super) surroundings: Surroundings,
    pub(super) nodes: Arc<Nodes>,
    pub(super) downlinks: Arc<Downlinks>,
    pub(super) jobs: Sender<Job>,
    pub(super) notes: mpsc::UnboundedReceiver<Note>,
    pub(super) asked: mpsc::Receiver<Asked>,
    pub(super) observers: mpsc::Receiver<oneshot::Sender<Box<Observation>>>,
    pub(super) outbox: Arc<OutboxFigures>,
    pub(super) config: EngineConfig,
    pub(super) recorder: Option<Recorder>,
    pub(super) views: watch::Sender<Option<Arc<View>>>,
    pub(super) pace: Pace,
    pub(super) work: Work,
    pub(super) state: State,
    pub(super) fusion: Beat,
    pub(super) retention: Rules,
    pub(super) certificates: Certificates,
}

/// What the task itself remembers.
pub(super) struct State {
    started: Instant,
    out: Vec<Output>,
    taken: Vec<Taken>,
    commits: usize,
    commit_at: Option<Instant>,
    snapshot_at: Instant,
    /// Inputs were handled since the last snapshot.
    changed: bool,
    dropped_alerts: u64,
    recording_failed: bool,
    tracks_at: Option<Instant>,
    /// Answers to give once the engine's answer is durable, by command id.
    waiting: BTreeMap<String, oneshot::Sender<Answer>>,
    commands: u64,
    /// When what has had its time is deleted next.
    retain_at: Instant,
    cost: CostReport,
}

impl State {
    /// With `owed`, the first commit brings a snapshot: the store knows nothing of the engine yet.
    pub(super) fn new(pace: &Pace, owed: bool) -> Self {
        let started = Instant::now();
        let snapshot_in = if owed { Duration::ZERO } else { pace.snapshot_interval };
        Self {
            started,
            out: Vec::new(),
            taken: Vec::new(),
            commits: 0,
            commit_at: None,
            snapshot_at: started + snapshot_in,
            changed: owed,
            dropped_alerts: 0,
            recording_failed: false,
            tracks_at: None,
            waiting: BTreeMap::new(),
            commands: 0,
            retain_at: started + RETAIN_FIRST,
            cost: CostReport::default(),
        }
    }
}

impl State {
    fn count_cost(&mut self, scans: u64, took: Duration) {
        if scans > self.cost.scans {
            self.cost.scans = scans;
            self.cost.scan_s += took.as_secs_f64();
            self.cost.longest_scan_s = self.cost.longest_scan_s.max(took.as_secs_f64());
        }
    }
}

impl Core {
    /// Works until `stop`, then commits what is there.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>, mut beat: impl FnMut()) {
        tokio::pin!(stop);
        let Surroundings { intake, links, .. } = self.surroundings.clone();
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // What the journal brought back.
        self.plan_commit();
        loop {
            let deadline = self.engine.next_deadline().map(|at| Instant::now() + self.surroundings.clock.until(at));
            let with_radio = self.work.batch.journal.len() < MAX_JOURNAL;
            let commit_due = self.commit_due();
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(note) = self.notes.recv() => self.take_note(note),
                () = sleep_until(commit_due) => self.commit(),
                () = sleep_until(deadline) => self.handle(Input::Tick),
                _ = second.tick() => {
                    self.fusion.beat();
                    self.every_second();
                    beat();
                }
                () = links.changed() => self.take_facts(),
                Some((request, tell)) = self.asked.recv() => self.take_request(request, tell),
                Some(tell) = self.observers.recv() => drop(tell.send(Box::new(self.observe()))),
                () = intake.arrival(with_radio) => self.take_burst(with_radio),
            }
        }
        self.stop().await;
    }

    fn take_burst(&mut self, with_radio: bool) {
        let mut taken = std::mem::take(&mut self.state.taken);
        self.surroundings.intake.take(BURST, with_radio, &mut taken);
        for taken in taken.drain(..) {
            self.take(taken);
        }
        self.state.taken = taken;
    }

    fn take(&mut self, taken: Taken) {
        match taken {
            Taken::Input(input) => self.handle(input),
            Taken::Radio { input, node, window } => {
                let now = self.surroundings.clock.now();
                if let Err(error) = self.work.radio(now, &input, Window { node, state: window }) {
                    tracing::error!("a radio input cannot be journalled: {error}");
                }
                self.handle_at(now, input);
            }
            Taken::Repeat { source, node, counter } => {
                self.release(Transmit::RadioAck { source, node, counter });
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let now = self.surroundings.clock.now();
        self.handle_at(now, input);
    }

    fn handle_at(&mut self, now: Timestamp, input: Input) {
        self.record(now, &input);
        let mut out = std::mem::take(&mut self.state.out);
        let begun = Instant::now();
        self.engine.handle(now, input, &mut out);
        self.state.count_cost(self.engine.counters().get("scans"), begun.elapsed());
        self.state.changed = true;
        for output in out.drain(..) {
            if let Output::Durable(Durable::Alert(alert)) = &output {
                tracing::info!(id = alert.id, rev = alert.rev, severity = ?alert.severity, "alert: {}", alert.text);
                if let Some(recorder) = &mut self.recorder {
                    recorder.alert(now, alert);
                }
            }
            self.work.take(output);
        }
        self.state.out = out;
        self.keep_alert_bound();
        self.plan_commit();
    }

    fn record(&mut self, now: Timestamp, input: &Input) {
        if let Some(recorder) = &mut self.recorder
            && !recorder.tell(&self.engine, &self.config, now, input)
        {
            // Told with the next facts: this input is not handled yet.
            self.state.recording_failed = true;
        }
    }

    /// Holds something back until all before it is committed.
    fn release(&mut self, transmit: Transmit) {
        self.work.releases.push(transmit);
        self.plan_commit();
    }

    fn plan_commit(&mut self) {
        if self.state.commit_at.is_none() && !self.work.is_empty() {
            self.state.commit_at = Some(Instant::now() + self.pace.commit_interval);
        }
    }

    fn commit_due(&self) -> Option<Instant> {
        self.state.commit_at.filter(|_| self.state.commits < MAX_COMMITS)
    }

    /// Sends what was collected to the disk, with a snapshot when it wants one or one is due.
    fn commit(&mut self) {
        self.state.commit_at = None;
        let mut work = std::mem::take(&mut self.work);
        if work.wants_snapshot() || (self.state.changed && Instant::now() >= self.state.snapshot_at) {
            match work.attach_snapshot(&self.engine, self.surroundings.clock.now()) {
                Ok(()) => self.state.changed = false,
                Err(error) => tracing::error!("{error}"),
            }
            self.state.snapshot_at = Instant::now() + self.pace.snapshot_interval;
        }
        if work.is_empty() {
            return;
        }
        self.state.commits += 1;
        self.send(Job::Commit(Box::new(work)));
    }

    fn keep_alert_bound(&mut self) {
        while self.work.batch.alerts.len() > MAX_ALERTS {
            let alerts = &mut self.work.batch.alerts;
            let least =
                alerts.iter().enumerate().min_by_key(|(index, alert)| (alert.severity, *index)).map(|(index, _)| index);
            let Some(least) = least else { return };
            alerts.remove(least);
            self.state.dropped_alerts += 1;
        }
    }

    fn take_note(&mut self, note: Note) {
        match note {
            Note::Committed { durable, releases, windows } => {
                self.state.commits = self.state.commits.saturating_sub(1);
                for window in &windows {
                    self.nodes.committed(window.node, &window.state);
                }
                for transmit in releases {
                    self.transmit(transmit, durable);
                }
            }
            Note::Recovered(recovered) => self.give_state(&recovered),
            Note::Fact(fact) => self.handle(Input::Fact(fact)),
            Note::Order(command) => self.handle(Input::Command(command)),
            Note::Reconfigure(change) => {
                let CoreChange { engine, pace, retention, certificates } = *change;
                (self.pace, self.retention, self.certificates) = (pace, retention, certificates);
                if engine != self.config {
                    self.handle(Input::Reconfigure(Box::new(engine.clone())));
                    self.config = engine;
                }
            }
            Note::Audit(record) => {
                self.work.batch.audit.push(record);
                self.plan_commit();
            }
        }
    }

    /// The file can be used again: takes in what it knew, and hands over the whole state to be committed there.
    fn give_state(&mut self, recovered: &Recovered) {
        let windows = recovered.windows.iter().map(|window| (window.node, window.state.as_slice()));
        if let Err(error) = self.nodes.absorb(windows) {
            tracing::error!("{error}");
        }
        let mut work = std::mem::take(&mut self.work);
        self.state.commit_at = None;
        if let Some((snapshot, journal)) = &recovered.engine {
            // An acknowledged radio frame of the earlier process may have led to an alert that was never committed.
            match recovery::recover(&self.config, snapshot.as_deref(), journal) {
                Ok(earlier) => {
                    work.batch.alerts.extend(earlier.work.batch.alerts);
                    work.batch.audit.extend(earlier.work.batch.audit);
                }
                Err(error) => tracing::error!("{error}"),
            }
        }
        let states = self.nodes.states().into_iter();
        work.batch.windows = states.map(|(node, state)| Window { node, state }).collect();
        work.batch.journal.clear();
        if let Err(error) = work.attach_snapshot(&self.engine, self.surroundings.clock.now()) {
            tracing::error!("{error}");
        }
        self.state.commits += 1;
        self.send(Job::Return(Box::new(work)));
    }

    fn transmit(&mut self, transmit: Transmit, durable: bool) {
        match transmit {
            Transmit::RadioAck { source, node, counter } => match self.nodes.acknowledge(node, counter) {
                Ok(Sealed::Send(frame)) => {
                    if !self.downlinks.send(&source, frame) {
                        tracing::debug!(source, node, counter, "acknowledgement not sent; the node will repeat");
                    }
                }
                Ok(Sealed::Reserve(state)) => {
                    self.work.replace_window(Window { node, state });
                    self.release(Transmit::RadioAck { source, node, counter });
                }
                Err(error) => self.surroundings.rejects.count(&source, "acknowledgement", &error),
            },
            Transmit::CommandAnswer { id, done, detail } => {
                if let Some(tell) = self.state.waiting.remove(&id) {
                    let memory = if durable { "" } else { "; in memory only, for the store cannot be used" };
                    let _ = tell.send(Answer::Done { done: done && durable, detail: format!("{detail}{memory}") });
                } else {
                    let answer = OrderAnswer { v: message::VERSION, id, done, detail };
                    self.send(Job::Uplink(Event::Answer(answer)));
                }
            }
        }
    }

    fn every_second(&mut self) {
        if let Some(input) = self.surroundings.clock.compare() {
            tracing::info!("the clock moves: {input:?}");
            self.handle(input);
        }
        self.take_facts();
        for fact in self.surroundings.rejects.end_period() {
            self.handle(Input::Fact(fact));
        }
        for (source, count) in self.surroundings.intake.take_drops() {
            tracing::error!(source, count, "frames dropped: the engine cannot keep up");
            self.handle(Input::Fact(Fact::FramesDropped { source, count }));
        }
        let count = std::mem::take(&mut self.state.dropped_alerts);
        if count > 0 {
            self.handle(Input::Fact(Fact::OutboxDropped { count }));
        }
        if std::mem::take(&mut self.state.recording_failed) {
            let (what, error) = ("recording".to_owned(), "given up for a while; the log says why".to_owned());
            self.handle(Input::Fact(Fact::StorageFault { what, error }));
        }
        self.record_picture();
        self.show();
        self.keep_house();
        self.state.waiting.retain(|_, tell| !tell.is_closed());
        if self.state.changed && Instant::now() >= self.state.snapshot_at && self.state.commits == 0 {
            self.commit();
        }
        self.send_tracks();
    }

    fn send_tracks(&mut self) {
        let Some(interval) = self.pace.tracks_interval else { return };
        if self.state.tracks_at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        self.state.tracks_at = Some(Instant::now() + interval);
        let mut picture = self.engine.picture(self.surroundings.clock.now());
        picture.tracks.retain(|track| track.status == TrackStatus::Confirmed);
        let tracks = Tracks { v: message::VERSION, at: picture.at, tracks: picture.tracks };
        self.send(Job::Uplink(Event::Tracks(message::write(&tracks))));
    }

    /// Gives the sinks the newest picture; who has not taken the last one never will.
    fn show(&self) {
        if self.views.receiver_count() > 0 {
            let view = View::new(&self.engine, self.surroundings.clock.now());
            self.views.send_replace(Some(Arc::new(view)));
        }
    }

    fn record_picture(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        let now = self.surroundings.clock.now();
        recorder.picture(now, &self.engine.picture(now), &self.engine.site().frame);
    }

    fn take_facts(&mut self) {
        for fact in self.surroundings.links.take_facts() {
            self.handle(Input::Fact(fact));
        }
    }

    fn take_request(&mut self, request: Request, tell: oneshot::Sender<Answer>) {
        match request {
            Request::Status => {
                // The other side may have gone.
                let _ = tell.send(Answer::Status(Box::new(self.report())));
            }
            Request::Act { act, by } => self.order(act, by, tell),
            Request::TestAlert { severity, by } => self.order(Act::TestAlert { severity }, by, tell),
            Request::Retention { by } => {
                let answer = match self.delete_what_is_due(&by) {
                    Ok(lines) if lines.is_empty() => {
                        Answer::Done { done: true, detail: "nothing has had its time".to_owned() }
                    }
                    Ok(lines) => Answer::Done { done: true, detail: lines.join("\n") },
                    Err(error) => Answer::Refused { reason: error.to_string() },
                };
                let _ = tell.send(answer);
            }
        }
    }

    /// Deletes what has had its time, into the audit log; what became of each, for people.
    fn delete_what_is_due(&mut self, by: &str) -> std::io::Result<Vec<String>> {
        let at = self.surroundings.clock.now();
        let records = self.retention.delete(std::time::SystemTime::now(), at, by)?;
        let lines = records.iter().map(|record| format!("{} {}", record.act, record.detail)).collect();
        self.work.batch.audit.extend(records);
        self.plan_commit();
        Ok(lines)
    }

    fn keep_house(&mut self) {
        for fact in self.certificates.facts() {
            self.handle(Input::Fact(fact));
        }
        if self.state.retain_at <= Instant::now() {
            self.state.retain_at = Instant::now() + RETAIN_EVERY;
            if let Err(error) = self.delete_what_is_due("retention") {
                tracing::warn!("retention: {error}");
            }
        }
        let deleted = self.recorder.as_ref().map(Recorder::take_deleted).unwrap_or_default();
        for path in deleted {
            let (at, by, act) = (self.surroundings.clock.now(), "quota".to_owned(), "deleted".to_owned());
            self.work.batch.audit.push(AuditRecord { at, by, act, detail: format!("recordings {path}") });
            self.plan_commit();
        }
    }

    /// Carries out a local order; its answer is given once it is durable.
    fn order(&mut self, act: Act, by: String, tell: oneshot::Sender<Answer>) {
        self.state.commands += 1;
        let id = format!("local-{}-{}", self.surroundings.clock.now().as_micros(), self.state.commands);
        self.state.waiting.insert(id.clone(), tell);
        self.handle(Input::Command(Command { id, by, act }));
    }

    fn observe(&self) -> Observation {
        let now = self.surroundings.clock.now();
        let track_count = self.engine.picture(now).tracks.len();
        Observation { report: self.report(), view: View::new(&self.engine, now), track_count }
    }

    fn report(&self) -> Report {
        let mut sources: BTreeMap<String, SourceReport> = BTreeMap::new();
        for lane in self.surroundings.intake.figures() {
            let source = sources.entry(lane.source).or_default();
            (source.accepted, source.dropped, source.waiting) = (lane.accepted, lane.dropped, lane.waiting);
        }
        for (name, link) in self.surroundings.links.figures() {
            let source = sources.entry(name).or_default();
            (source.up, source.ups, source.trouble) = (link.up, link.ups, link.trouble);
        }
        for (name, rejected) in self.surroundings.rejects.totals() {
            let rejected = rejected.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect();
            sources.entry(name).or_default().rejected = rejected;
        }
        let (outbox, store) = self.outbox.get();
        let progress = &self.surroundings.progress;
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            site: self.engine.site().id.clone(),
            up_s: self.state.started.elapsed().as_secs_f64(),
            sources,
            engine: self.engine.status(),
            outbox,
            store,
            nodes: self.nodes.count(),
            gnss: self.surroundings.gnss.newest(),
            cost: self.state.cost,
            progress_s: progress.ages().into_iter().map(|(stage, age)| (stage, age.as_secs_f64())).collect(),
            stalled: progress.stalled(),
        }
    }

    /// Takes in what the sources have handed over, and commits it with a last snapshot.
    async fn stop(mut self) {
        let patience = Instant::now() + Duration::from_millis(300);
        while Instant::now() < patience {
            self.take_burst(true);
            if self.surroundings.intake.figures().iter().all(|lane| lane.waiting == 0) {
                break;
            }
        }
        self.state.snapshot_at = Instant::now();
        self.commit();
        let patience = Duration::from_millis(1200);
        let committed = tokio::time::timeout(patience, async {
            while self.state.commits > 0 {
                let Some(note) = self.notes.recv().await else { return };
                if let note @ Note::Committed { .. } = note {
                    self.take_note(note);
                }
            }
        });
        if committed.await.is_err() {
            tracing::error!("stopping although the last commit is not through");
        }
        self.send(Job::Stop);
    }

    fn send(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::error!("the store's thread has ended");
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

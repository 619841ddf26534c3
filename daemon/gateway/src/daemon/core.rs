//! The engine's task: takes inputs in one order, ticks the engine at its deadlines, and collects what must be committed.

mod commit;
mod housekeeping;
mod requests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use vedette_delivery::{Trail, Window, Work};
use vedette_engine::config::EngineConfig;
use vedette_engine::{Durable, Engine, Input, Output, Timestamp, Transmit};

use super::certificates::Certificates;
use super::keeper::{Job, Note};
use super::socket::Asked;
use super::sources::Downlinks;
use crate::http::Observation;
use crate::intake::Taken;
use crate::progress::Beat;
use crate::radio::Nodes;
use crate::record::Recorder;
use crate::retention::Rules;
use crate::sink::View;
use crate::source::{Links, Surroundings};
use crate::status::{Answer, CostReport, OutboxFigures};

/// Most frames handled before everything else gets its turn.
const BURST: usize = 256;
/// Radio inputs that may wait for a commit; then radio is held back, and its nodes keep their frames.
const MAX_JOURNAL: usize = 10_000;

/// Time from a start to the first look for what has had its time.
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
    /// What takes the recorder's place, when it is another.
    pub(super) recorder: Option<Option<Recorder>>,
}

/// Everything the engine's task works with.
pub(super) struct Core {
    pub(super) engine: Engine,
    pub(super) surroundings: Surroundings,
    /// Whether the connections of the sinks are there.
    pub(super) sinks: Arc<Links>,
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
    pub(super) trail: Trail,
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
    /// Why the recording has just been given up for a while.
    recording_fault: Option<String>,
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
            recording_fault: None,
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
        let sinks = Arc::clone(&self.sinks);
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // What the journal brought back.
        self.plan_commit();
        loop {
            let deadline = self.engine.next_deadline().map(|at| Instant::now() + self.surroundings.clock.until(at));
            let with_radio = self.trail.unwritten() < MAX_JOURNAL;
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
                () = sinks.changed() => self.take_facts(),
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
                self.work.replace_window(Window { node, state: window });
                self.handle(input);
            }
            Taken::Repeat { source, node, counter } => {
                self.release(Transmit::RadioAck { source, node, counter });
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let now = self.surroundings.clock.now();
        self.record(now, &input);
        if let Err(error) = self.trail.told(now, &input) {
            tracing::error!("an input cannot be journalled: {error}");
        }
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
            && let Err(why) = recorder.tell(&self.engine, &self.config, now, input)
        {
            // Told with the next facts: this input is not handled yet.
            self.state.recording_fault = Some(why);
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
                let CoreChange { engine, pace, retention, certificates, recorder } = *change;
                if let Some(recorder) = recorder {
                    self.audit_deleted_recordings();
                    self.recorder = recorder;
                }
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

    fn take_facts(&mut self) {
        for fact in self.surroundings.links.take_facts().into_iter().chain(self.sinks.take_facts()) {
            self.handle(Input::Fact(fact));
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

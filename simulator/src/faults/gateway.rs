//! The gateway: its store, and a process around the shipped engine, outbox and uplink that can die wherever the daemon awaits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vedette_delivery::memory::{Fault, MemoryStore};
use vedette_delivery::uplink::{Action, Event, Report};
use vedette_delivery::{
    Answer, Epoch, GatewayId, Limits, Sealed, Uplink, UplinkConfig, Window, Work, message, recovery,
};
use vedette_engine::config::EngineConfig;
use vedette_engine::{
    Command, Engine, Fact, Frame, FrameContent, Input, PictureRate, RadioFrame, Severity, Timestamp, Transmit,
};
use vedette_wire::{ReplayWindow, Standing};

use super::Dies;
use super::clock::HostClock;
use super::oracle::Oracle;
use super::plan::Plan;
use crate::random::Random;

/// Outputs are collected for this long before a commit, seconds.
const COMMIT_S: f64 = 0.03;
/// Time between snapshots when nothing else asks for one, seconds.
const SNAPSHOT_S: f64 = 60.0;
/// Time between attempts to commit what the store refused, seconds.
const RETRY_S: f64 = 1.0;
/// Commits on their way to the disk; what follows is collected meanwhile.
const MAX_COMMITS: usize = 4;
/// A turn without news is that much less likely to be the last than one with.
const IDLE: f64 = 0.01;

/// What the process is told in one turn.
#[derive(Debug)]
pub(super) enum Told {
    /// Nothing but the time.
    Time,
    /// A radio frame, opened.
    Radio(RadioFrame),
    /// A message of the radar.
    Message(Vec<u8>),
    /// An order, already authenticated.
    Command(Command),
    /// Something happened on the connection to the broker.
    Link(Event),
    /// A new configuration.
    Configuration(Box<EngineConfig>),
    /// It is to end in order.
    Stop,
}

/// What leaves the process in one turn.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// For the connection to the broker.
    pub(super) actions: Vec<Action>,
    /// Radio frames to acknowledge: node and counter.
    pub(super) acknowledged: Vec<(u32, u32)>,
}

/// Store, host and process.
#[derive(Debug)]
pub(super) struct GatewayHost {
    pub(super) disk: MemoryStore,
    /// What the system's clock is off by, seconds.
    pub(super) system_s: f64,
    pub(super) process: Option<Process>,
    engine_config: EngineConfig,
    uplink_config: UplinkConfig,
    random: Random,
    starts: u64,
}

/// What a process can touch, and what can strike it.
struct Around<'a> {
    truth: Timestamp,
    system_s: f64,
    disk: &'a mut MemoryStore,
    random: &'a mut Random,
    plan: &'a Plan,
    oracle: &'a mut Oracle,
}

impl Around<'_> {
    /// A place where the daemon awaits something: here it can die.
    fn awaits(&mut self, likelihood: f64) -> Result<(), Dies> {
        if self.random.chance(self.plan.gateway_death * likelihood) {
            self.oracle.outcome.faults += 1;
            return Err(Dies);
        }
        Ok(())
    }

    /// Decides what goes wrong with the next operations of the store.
    fn plan_fault(&mut self) {
        let faults = &mut self.disk.faults;
        faults.clear();
        if self.random.chance(self.plan.gateway_disk) {
            for _ in 0..self.random.below(4) {
                faults.push(Fault::None);
            }
            faults.push(if self.random.chance(0.5) { Fault::Before } else { Fault::After });
        } else if self.random.chance(self.plan.gateway_full) {
            for _ in 0..1 + self.random.below(5) {
                faults.push(Fault::Full);
            }
        }
    }

    fn end_faults(&mut self) {
        self.oracle.outcome.faults += self.disk.faults.take_struck();
        self.disk.faults.clear();
    }
}

/// The process, as long as it lives.
#[derive(Debug)]
pub(super) struct Process {
    engine: Engine,
    uplink: Uplink,
    clock: HostClock,
    windows: BTreeMap<u32, ReplayWindow>,
    work: Work,
    works: VecDeque<(Sealed, Vec<Transmit>)>,
    commit_at: Option<Timestamp>,
    snapshot_at: Timestamp,
    retry_at: Option<Timestamp>,
    renewals: u64,
}

impl Process {
    /// The outbox and what drives it.
    pub(super) const fn uplink(&self) -> &Uplink {
        &self.uplink
    }

    /// Whether everything it said is committed.
    pub(super) fn is_idle(&self) -> bool {
        self.work.is_empty() && self.works.is_empty()
    }

    /// Radio frames the engine has handled, and events it knows to be missing.
    pub(super) fn radio_counts(&self) -> (u64, u64) {
        let counters = self.engine.counters();
        (counters.get("frames{codec=\"wire\"}"), counters.get("node_events_missed"))
    }

    /// Time until it wants to be woken, seconds.
    pub(super) fn wait_s(&self, truth: Timestamp) -> f64 {
        let deadlines = [self.engine.next_deadline(), self.uplink.next_deadline()].into_iter().flatten();
        let own = [self.commit_at.filter(|_| self.works.len() < MAX_COMMITS), self.retry_at].into_iter().flatten();
        let own = own.map(|at| at.seconds_since(truth));
        deadlines.map(|deadline| self.clock.wait_s(truth, deadline)).chain(own).fold(SNAPSHOT_S, f64::min)
    }

    fn turn(&mut self, around: &mut Around<'_>, told: Told, left: &mut Left) -> Result<(), Dies> {
        let likelihood = if matches!(told, Told::Time) { IDLE } else { 1.0 };
        let stops = matches!(told, Told::Stop);
        let now = self.clock.read(around.truth);
        around.awaits(likelihood)?;
        match told {
            Told::Time | Told::Stop => {}
            Told::Radio(frame) => self.radio(now, frame, around),
            Told::Message(bytes) => {
                let codec = "native".to_owned();
                let content = FrameContent::Message { codec, topic: None, retained: false, bytes };
                self.handle(around, Input::Frame(Frame { source: "radar".to_owned(), received: now, content }));
            }
            Told::Command(command) => self.handle(around, Input::Command(command)),
            Told::Configuration(config) => self.handle(around, Input::Reconfigure(config)),
            Told::Link(event) => self.drive(around, event, left)?,
        }
        around.awaits(likelihood)?;
        if let Some(input) = self.clock.compare(around.truth, around.system_s) {
            self.handle(around, input);
        }
        let now = self.clock.read(around.truth);
        if self.engine.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.handle(around, Input::Tick);
        }
        self.collect(around, stops);
        let committed = self.commit(around, left)?;
        if committed || self.uplink.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.drive(around, Event::Tick, left)?;
        }
        if stops {
            // What is not marked is sent once more.
            let _ = self.uplink.finish(now, around.disk);
            return Err(Dies);
        }
        Ok(())
    }

    fn radio(&mut self, now: Timestamp, frame: RadioFrame, around: &mut Around<'_>) {
        let (node, counter, source) = (frame.node, frame.counter, "radio".to_owned());
        let window = self.windows.entry(node).or_default();
        match window.standing(counter) {
            Standing::TooOld { .. } => {}
            Standing::Repeat => {
                self.work.releases.push(Transmit::RadioAck { source, node, counter });
                self.plan_commit(around);
            }
            Standing::Fresh => {
                window.accept(counter);
                let window = Window { node, state: window.to_bytes().to_vec() };
                let input = Input::Frame(Frame { source, received: now, content: FrameContent::Radio(frame) });
                if let Err(error) = self.work.radio(now, &input, window) {
                    around.oracle.finding(format!("a radio input cannot be written: {error}"));
                }
                around.oracle.heard(node, counter);
                self.handle(around, input);
            }
        }
    }

    fn handle(&mut self, around: &Around<'_>, input: Input) {
        let now = self.clock.read(around.truth);
        let mut out = Vec::new();
        self.engine.handle(now, input, &mut out);
        for output in out {
            self.work.take(output);
        }
        self.plan_commit(around);
    }

    fn plan_commit(&mut self, around: &Around<'_>) {
        if self.commit_at.is_none() && !self.work.is_empty() {
            self.commit_at = Some(around.truth.plus_seconds(COMMIT_S));
        }
    }

    /// Closes what was collected, with a snapshot when it wants one or one is due.
    fn collect(&mut self, around: &mut Around<'_>, stops: bool) {
        let truth = around.truth;
        let snapshot_due = stops || truth >= self.snapshot_at;
        let due = self.commit_at.is_some_and(|at| truth >= at) && self.works.len() < MAX_COMMITS;
        if !due && !snapshot_due {
            return;
        }
        self.commit_at = None;
        let mut work = std::mem::take(&mut self.work);
        if work.wants_snapshot() || snapshot_due {
            if let Err(error) = work.attach_snapshot(&self.engine, self.clock.read(truth)) {
                around.oracle.finding(error.to_string());
            }
            self.snapshot_at = truth.plus_seconds(SNAPSHOT_S);
        }
        if !work.is_empty() {
            self.works.push_back((self.uplink.seal(work.batch), work.releases));
        }
    }

    /// Commits what is collected, in order, and only then lets go of what depends on it.
    fn commit(&mut self, around: &mut Around<'_>, left: &mut Left) -> Result<bool, Dies> {
        if self.retry_at.is_some_and(|at| around.truth < at) {
            return Ok(false);
        }
        let failed_before = self.retry_at.take().is_some();
        let mut committed_any = false;
        while let Some((sealed, releases)) = self.works.front() {
            let dies = around.awaits(1.0);
            around.plan_fault();
            if dies.is_err() {
                // In the middle of the transaction: it is there, or it is not.
                around.disk.faults.clear();
                around.disk.faults.push(if around.random.chance(0.5) { Fault::Before } else { Fault::After });
            }
            let now = self.clock.read(around.truth);
            let result = self.uplink.commit(now, around.disk, sealed);
            around.end_faults();
            if dies.is_err() {
                around.oracle.died_with(&sealed.batch().alerts);
            }
            dies?;
            let committed = match result {
                Ok(committed) => committed,
                Err(error) => {
                    self.retry_at = Some(around.truth.plus_seconds(RETRY_S));
                    if !failed_before && !committed_any {
                        let (what, error) = ("store".to_owned(), error.to_string());
                        self.handle(around, Input::Fact(Fact::StorageFault { what, error }));
                    }
                    return Ok(committed_any);
                }
            };
            committed_any = true;
            around.oracle.commit(&sealed.batch().alerts, self.uplink.outbox(), committed.dropped > 0);
            around.oracle.durable(releases);
            let releases = self.works.pop_front().map(|(_, releases)| releases).unwrap_or_default();
            if committed.dropped > 0 {
                self.handle(around, Input::Fact(Fact::OutboxDropped { count: committed.dropped }));
            }
            around.awaits(1.0)?;
            self.release(around, releases, left)?;
        }
        Ok(committed_any)
    }

    fn release(&mut self, around: &mut Around<'_>, releases: Vec<Transmit>, left: &mut Left) -> Result<(), Dies> {
        for release in releases {
            match release {
                Transmit::RadioAck { node, counter, .. } => left.acknowledged.push((node, counter)),
                Transmit::CommandAnswer { id, done, detail } if id.starts_with("centre") => {
                    let answer = Answer { v: message::VERSION, id, done, detail };
                    self.drive(around, Event::Answer(answer), left)?;
                }
                Transmit::CommandAnswer { .. } => {}
            }
        }
        Ok(())
    }

    /// Hands one event to the uplink; the process may die with some of the actions undone.
    fn drive(&mut self, around: &mut Around<'_>, event: Event, left: &mut Left) -> Result<(), Dies> {
        let now = self.clock.read(around.truth);
        around.plan_fault();
        let rows: BTreeMap<u64, Severity> = self.uplink.outbox().unsent().map(|row| (row.seq, row.priority)).collect();
        let mut actions = Vec::new();
        self.uplink.handle(now, around.disk, event, &mut actions);
        around.end_faults();
        self.check_order(&rows, around.oracle);
        if actions.is_empty() {
            return Ok(());
        }
        let dies = around.awaits(1.0);
        if dies.is_err() {
            actions.truncate(around.random.below(actions.len() + 1));
        }
        for action in actions {
            match action {
                Action::Report(report) => self.reported(around, &report),
                Action::Order(order) => self.handle(around, Input::Command(order.command)),
                other => left.actions.push(other),
            }
        }
        dies
    }

    fn check_order(&self, rows: &BTreeMap<u64, Severity>, oracle: &mut Oracle) {
        let outbox = self.uplink.outbox();
        let unsent: BTreeSet<u64> = outbox.unsent().map(|row| row.seq).collect();
        let left = rows.iter().filter(|(seq, _)| !unsent.contains(seq) && outbox.holds(**seq));
        let left: Vec<Severity> = left.map(|(_, severity)| *severity).collect();
        oracle.order(&left, self.uplink.best().map(|row| row.priority));
    }

    fn reported(&mut self, around: &mut Around<'_>, report: &Report) {
        let fact = match report {
            Report::Centre { up } => Fact::UplinkState { up: *up },
            Report::Quarantined { .. } => Fact::OutboxDropped { count: 1 },
            Report::Store(error) => Fact::StorageFault { what: "outbox".to_owned(), error: error.to_string() },
            Report::StoreIsOld => {
                self.renewals += 1;
                let epoch = Epoch(format!("{}-{}", self.uplink.outbox().epoch(), self.renewals));
                // A store that fails now will be found old again by the next acknowledgement.
                let _ = self.uplink.renew(around.disk, epoch);
                return;
            }
            _ => return,
        };
        self.handle(around, Input::Fact(fact));
    }
}

impl GatewayHost {
    pub(super) fn new(gateway: GatewayId, config: EngineConfig, seed: u64, plan: &Plan) -> Self {
        let mut uplink_config = UplinkConfig::new(gateway);
        if plan.small_store {
            let limits = uplink_config.limits;
            uplink_config.limits = Limits { max_rows: 24, max_bytes: 24 << 10, reserved_bytes: 4 << 10, ..limits };
        }
        Self {
            disk: MemoryStore::new(Epoch(format!("epoch-{seed}"))),
            system_s: 0.0,
            process: None,
            engine_config: config,
            uplink_config,
            random: Random::stream(seed, "gateway"),
            starts: 0,
        }
    }

    /// Starts the process; false when its store cannot be read now.
    pub(super) fn start(&mut self, truth: Timestamp, plan: &Plan, oracle: &mut Oracle) -> bool {
        self.starts += 1;
        self.uplink_config.seed = self.starts;
        let (disk, random) = (&mut self.disk, &mut self.random);
        let mut around = Around { truth, system_s: self.system_s, disk, random, plan, oracle };
        around.plan_fault();
        let now = truth.plus_seconds(self.system_s);
        let started = Uplink::start(self.uplink_config.clone(), now, around.disk);
        around.end_faults();
        let Ok((uplink, restart)) = started else { return false };
        let recovered = recovery::recover(&self.engine_config, restart.snapshot.as_deref(), &restart.journal);
        let recovered = match recovered {
            Ok(recovered) => recovered,
            Err(error) => {
                oracle.finding(error.to_string());
                return false;
            }
        };
        for fault in &recovered.faults {
            oracle.finding(fault.to_string());
        }
        let window = |window: &Window| {
            let stored = window.state.as_slice().try_into().ok().and_then(|bytes| ReplayWindow::from_bytes(bytes).ok());
            (window.node, stored.unwrap_or_default())
        };
        let process = Process {
            engine: recovered.engine.with_pictures(PictureRate::OnRequest),
            uplink,
            clock: HostClock::new(truth, self.system_s, recovered.now),
            windows: restart.windows.iter().map(window).collect(),
            commit_at: (!recovered.work.is_empty()).then_some(truth),
            work: recovered.work,
            works: VecDeque::new(),
            snapshot_at: truth.plus_seconds(SNAPSHOT_S),
            retry_at: None,
            renewals: self.starts << 16,
        };
        oracle.restarted(&process.windows, process.radio_counts());
        oracle.reread(process.uplink.outbox());
        self.process = Some(process);
        true
    }

    /// The configuration file has changed: the process is to read it, and so will the next.
    pub(super) fn new_configuration(&mut self) -> Told {
        let rules = &mut self.engine_config.rules;
        rules.update_interval_s = if rules.update_interval_s > 25.0 { 20.0 } else { 30.0 };
        Told::Configuration(Box::new(self.engine_config.clone()))
    }

    /// One turn of the process; it may be its last.
    pub(super) fn turn(
        &mut self,
        truth: Timestamp,
        told: Told,
        plan: &Plan,
        oracle: &mut Oracle,
    ) -> (Left, Result<(), Dies>) {
        let mut left = Left::default();
        let Some(process) = &mut self.process else { return (left, Ok(())) };
        let (disk, random) = (&mut self.disk, &mut self.random);
        let mut around = Around { truth, system_s: self.system_s, disk, random, plan, oracle };
        let result = process.turn(&mut around, told, &mut left);
        (left, result)
    }
}

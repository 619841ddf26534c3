//! The gateway's process around the shipped engine, outbox and uplink: what the daemon's tasks do, in one turn after another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vedette_delivery::memory::Fault;
use vedette_delivery::store::RowHead;
use vedette_delivery::uplink::{Action, Event, Report};
use vedette_delivery::{Answer, Channel, EnvelopeHead, Epoch, Sealed, Trail, Uplink, Window, Work, message, topic};
use vedette_engine::{Engine, Fact, Frame, FrameContent, Input, RadioFrame, Timestamp, Transmit};
use vedette_wire::{ReplayWindow, Standing};

use super::super::Dies;
use super::super::clock::HostClock;
use super::super::oracle::Oracle;
use super::{Around, Left, SNAPSHOT_S, Told};

/// Outputs are collected for this long before a commit, seconds.
const COMMIT_S: f64 = 0.03;
/// Time between attempts to commit what the store refused, seconds.
const RETRY_S: f64 = 1.0;
/// Commits on their way to the disk; what follows is collected meanwhile.
const MAX_COMMITS: usize = 4;
/// A turn without news is that much less likely to be the last than one with.
const IDLE: f64 = 0.01;

/// The process, as long as it lives.
#[derive(Debug)]
pub(in crate::faults) struct Process {
    pub(super) engine: Engine,
    pub(super) uplink: Uplink,
    pub(super) clock: HostClock,
    pub(super) windows: BTreeMap<u32, ReplayWindow>,
    pub(super) work: Work,
    pub(super) trail: Trail,
    pub(super) works: VecDeque<(Sealed, Vec<Transmit>)>,
    pub(super) commit_at: Option<Timestamp>,
    pub(super) snapshot_at: Timestamp,
    pub(super) retry_at: Option<Timestamp>,
    pub(super) renewals: u64,
    /// The alerts that have left, by their numbers.
    pub(super) left: BTreeSet<(Epoch, u64)>,
}

impl Process {
    /// The outbox and what drives it.
    pub(in crate::faults) const fn uplink(&self) -> &Uplink {
        &self.uplink
    }

    /// Whether everything it said is committed.
    pub(in crate::faults) fn is_idle(&self) -> bool {
        self.work.is_empty() && self.works.is_empty()
    }

    /// Radio frames the engine has handled, and events it knows to be missing.
    pub(in crate::faults) fn radio_counts(&self) -> (u64, u64) {
        let counters = self.engine.counters();
        (counters.get("frames{codec=\"wire\"}"), counters.get("node_events_missed"))
    }

    /// Time until it wants to be woken, seconds.
    pub(in crate::faults) fn wait_s(&self, truth: Timestamp) -> f64 {
        let deadlines = [self.engine.next_deadline(), self.uplink.next_deadline()].into_iter().flatten();
        let own = [self.commit_at.filter(|_| self.works.len() < MAX_COMMITS), self.retry_at].into_iter().flatten();
        let own = own.map(|at| at.seconds_since(truth));
        deadlines.map(|deadline| self.clock.wait_s(truth, deadline)).chain(own).fold(SNAPSHOT_S, f64::min)
    }

    pub(super) fn turn(&mut self, around: &mut Around<'_>, told: Told, left: &mut Left) -> Result<(), Dies> {
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
                self.work.replace_window(Window { node, state: window.to_bytes().to_vec() });
                let input = Input::Frame(Frame { source, received: now, content: FrameContent::Radio(frame) });
                around.oracle.heard(node, counter);
                self.handle(around, input);
            }
        }
    }

    fn handle(&mut self, around: &mut Around<'_>, input: Input) {
        let now = self.clock.read(around.truth);
        if let Err(error) = self.trail.told(now, &input) {
            around.oracle.finding(error.to_string());
        }
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

    /// Closes what was collected.
    fn collect(&mut self, around: &mut Around<'_>, stops: bool) {
        let truth = around.truth;
        let snapshot_due = stops || truth >= self.snapshot_at;
        let due = self.commit_at.is_some_and(|at| truth >= at) && self.works.len() < MAX_COMMITS;
        if !due && !snapshot_due {
            return;
        }
        self.commit_at = None;
        let mut work = std::mem::take(&mut self.work);
        match self.trail.complete(&mut work, &self.engine, self.clock.read(truth), snapshot_due) {
            Ok(false) => {}
            Ok(true) => self.snapshot_at = truth.plus_seconds(SNAPSHOT_S),
            Err(error) => around.oracle.finding(error.to_string()),
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
        let mut actions = Vec::new();
        self.uplink.handle(now, around.disk, event, &mut actions);
        around.end_faults();
        self.check_order(&actions, around.oracle);
        if self.uplink.next_deadline().is_some_and(|deadline| deadline <= now) {
            around.oracle.busy(&self.uplink);
        }
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
                Action::Order(command) => self.handle(around, Input::Command(command)),
                other => left.actions.push(other),
            }
        }
        dies
    }

    fn check_order(&mut self, actions: &[Action], oracle: &mut Oracle) {
        let head = |action: &Action| match action {
            Action::Publish(publication) if matches!(topic::parse(&publication.topic), Ok((_, Channel::Alert))) => {
                EnvelopeHead::read(&publication.payload).ok()
            }
            _ => None,
        };
        let mut is_first = |head: &EnvelopeHead| self.left.insert((head.epoch.clone(), head.seq));
        let fresh: BTreeSet<u64> = actions.iter().filter_map(head).filter(&mut is_first).map(|head| head.seq).collect();
        if !fresh.is_empty() {
            let rows = self.uplink.outbox().waiting().filter(|row| fresh.contains(&row.seq));
            let rows: Vec<RowHead> = rows.cloned().collect();
            oracle.left(&rows, self.uplink.best().map(|row| row.priority));
        }
    }

    fn reported(&mut self, around: &mut Around<'_>, report: &Report) {
        let fact = match report {
            Report::Centre { up } => Fact::UplinkState { up: *up },
            Report::Quarantined { code, .. } => Fact::AlertRefused { code: *code },
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

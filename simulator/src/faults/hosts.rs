//! The two processes: what the real daemons do around `vedette-delivery`, and how they die.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vedette_delivery::ledger::{Announcement, LedgerAction, LedgerEvent, MemoryLedger};
use vedette_delivery::memory::{Fault, MemoryStore};
use vedette_delivery::store::Restart;
use vedette_delivery::uplink::{Action, Event};
use vedette_delivery::{
    Batch, Epoch, GatewayId, JournalEntry, Ledger, LedgerConfig, Limits, Sealed, Uplink, UplinkConfig, Window,
};
use vedette_engine::{Alert, Severity, Timestamp};

use super::Plan;
use super::oracle::Oracle;
use super::workload::Workload;
use crate::random::Random;

/// A process's clock, as the daemons keep it: the boot clock plus an offset. When the system's clock jumps ahead, it
/// follows at once; when that jumps back, it runs one tenth slower until it is caught up.
#[derive(Debug)]
pub(super) struct HostClock {
    /// What the system's clock is off by.
    pub(super) offset_s: f64,
    shown: Timestamp,
    read_at: Timestamp,
}

impl HostClock {
    const fn new() -> Self {
        Self { offset_s: 0.0, shown: Timestamp::MIN, read_at: Timestamp::MIN }
    }

    pub(super) fn read(&mut self, truth: Timestamp) -> Timestamp {
        let system = truth.plus_seconds(self.offset_s);
        if self.shown == Timestamp::MIN {
            self.shown = system;
        }
        let elapsed_s = if self.read_at == Timestamp::MIN { 0.0 } else { truth.seconds_since(self.read_at) };
        let boot = self.shown.plus_seconds(elapsed_s);
        self.shown = system.max(boot.plus_seconds(system.seconds_since(boot).clamp(-elapsed_s / 10.0, 0.0)));
        self.read_at = truth;
        self.shown
    }

    /// Time until the clock shows `wanted`, seconds.
    pub(super) fn wait_s(&self, wanted: Timestamp) -> f64 {
        wanted.seconds_since(self.shown)
    }
}

/// A batch on its way to the disk, with the radio events that wait for it.
#[derive(Debug)]
struct Held {
    sealed: Sealed,
    radio: u64,
}

/// The gateway: store and process.
#[derive(Debug)]
pub(super) struct GatewayHost {
    pub(super) disk: MemoryStore,
    pub(super) uplink: Option<Uplink>,
    pub(super) clock: HostClock,
    pub(super) workload: Workload,
    held: VecDeque<Held>,
    config: UplinkConfig,
    random: Random,
    /// Number of the last radio event.
    radio: u64,
    /// The process's memory of radio events: what a snapshot holds.
    seen: BTreeSet<u64>,
    since_snapshot: u32,
    starts: u64,
    untold: u64,
    pub(super) retry_at: Option<Timestamp>,
    epochs: u64,
}

/// The process is to die now.
#[derive(Debug)]
pub(super) struct Dies;

impl GatewayHost {
    pub(super) fn new(gateway: GatewayId, seed: u64, plan: &Plan) -> Self {
        let mut config = UplinkConfig::new(gateway);
        if plan.small_store {
            config.limits = Limits { max_rows: 24, max_bytes: 24 << 10, reserved_bytes: 2 << 10, ..config.limits };
        }
        Self {
            disk: MemoryStore::new(Epoch(format!("epoch-{seed}"))),
            uplink: None,
            clock: HostClock::new(),
            workload: Workload::new(seed),
            held: VecDeque::new(),
            config,
            random: Random::stream(seed, "gateway"),
            radio: 0,
            seen: BTreeSet::new(),
            since_snapshot: 0,
            starts: 0,
            untold: 0,
            retry_at: None,
            epochs: 0,
        }
    }

    fn disk_fault(&mut self, plan: &Plan, oracle: &mut Oracle) {
        self.disk.faults.clear();
        if self.random.chance(plan.gateway_disk) {
            oracle.outcome.faults += 1;
            self.disk.faults.push(if self.random.chance(0.5) { Fault::Before } else { Fault::After });
        } else if self.random.chance(plan.gateway_full) {
            oracle.outcome.faults += 1;
            for _ in 0..1 + self.random.below(5) {
                self.disk.faults.push(Fault::Full);
            }
        }
    }

    /// Starts the process; false when its store cannot be read now.
    pub(super) fn start(&mut self, truth: Timestamp, plan: &Plan, oracle: &mut Oracle) -> bool {
        self.disk_fault(plan, oracle);
        self.starts += 1;
        self.config.seed = self.starts;
        let now = self.clock.read(truth);
        let Ok((uplink, restart)) = Uplink::start(self.config.clone(), now, &mut self.disk) else { return false };
        self.seen = recovered(&restart);
        oracle.restarted(&self.seen);
        self.uplink = Some(uplink);
        true
    }

    pub(super) fn die(&mut self) {
        self.uplink = None;
        self.held.clear();
        self.seen.clear();
        self.untold = 0;
        self.retry_at = None;
    }

    /// A radio event that raised alerts: journal, window and alerts in one batch.
    pub(super) fn raise(&mut self, truth: Timestamp) {
        let now = self.clock.read(truth);
        let mut alerts = self.workload.group(now);
        self.radio += 1;
        let radio = self.radio;
        self.seen.insert(radio);
        if self.untold > 0 {
            alerts.push(self.workload.data_loss(now, self.untold));
            self.untold = 0;
        }
        self.since_snapshot += 1;
        let snapshot = (self.since_snapshot >= 20).then(|| {
            self.since_snapshot = 0;
            self.seen.iter().flat_map(|n| n.to_be_bytes()).collect()
        });
        let batch = Batch {
            windows: vec![Window { node: 1, state: radio.to_be_bytes().to_vec() }],
            journal: vec![JournalEntry { now, input: radio.to_be_bytes().to_vec() }],
            snapshot,
            alerts,
            audit: Vec::new(),
        };
        if let Some(uplink) = &mut self.uplink {
            let sealed = uplink.seal(batch);
            self.held.push_back(Held { sealed, radio });
        }
    }

    /// Commits what is held, in order; only then are radio events acknowledged to their nodes.
    pub(super) fn commit(&mut self, truth: Timestamp, plan: &Plan, oracle: &mut Oracle) -> Result<(), Dies> {
        let now = self.clock.read(truth);
        self.retry_at = None;
        while let Some(held) = self.held.front() {
            let dies = self.random.chance(plan.gateway_death);
            let sealed = held.sealed.clone();
            if dies {
                oracle.outcome.faults += 1;
                self.disk.faults.push(if self.random.chance(0.5) { Fault::Before } else { Fault::After });
            } else {
                self.disk_fault(plan, oracle);
            }
            let Some(uplink) = &mut self.uplink else { return Ok(()) };
            let result = uplink.commit(now, &mut self.disk, &sealed);
            self.disk.faults.clear();
            if dies {
                return Err(Dies);
            }
            let Ok(committed) = result else {
                self.retry_at = Some(truth.plus_seconds(1.0));
                return Ok(());
            };
            let alerts: &[Alert] = &sealed.batch().alerts;
            oracle.commit(alerts, uplink.outbox(), committed.dropped > 0);
            self.untold += committed.dropped;
            if let Some(held) = self.held.pop_front() {
                oracle.acked_radio.insert(held.radio);
            }
        }
        if self.untold > 0 {
            let alert = self.workload.data_loss(now, self.untold);
            self.untold = 0;
            if let Some(uplink) = &mut self.uplink {
                let sealed = uplink.seal(Batch { alerts: vec![alert], ..Batch::default() });
                self.held.push_back(Held { sealed, radio: 0 });
                self.retry_at = Some(truth.plus_seconds(0.1));
            }
        }
        Ok(())
    }

    /// Hands one event to the uplink; the process may die with some of the actions undone.
    pub(super) fn handle(
        &mut self,
        truth: Timestamp,
        event: Event,
        plan: &Plan,
        oracle: &mut Oracle,
    ) -> (Vec<Action>, Option<Dies>) {
        let now = self.clock.read(truth);
        self.disk_fault(plan, oracle);
        let Some(uplink) = &mut self.uplink else { return (Vec::new(), None) };
        let rows: BTreeMap<u64, Severity> = uplink.outbox().unsent().map(|row| (row.seq, row.priority)).collect();
        let mut actions = Vec::new();
        uplink.handle(now, &mut self.disk, event, &mut actions);
        self.disk.faults.clear();
        let left: BTreeSet<u64> = uplink.outbox().unsent().map(|row| row.seq).collect();
        let sent: Vec<Severity> = rows
            .iter()
            .filter(|(seq, _)| !left.contains(seq) && uplink.outbox().holds(**seq))
            .map(|(_, severity)| *severity)
            .collect();
        oracle.order(&sent, uplink.best().map(|row| row.priority));
        if self.random.chance(plan.gateway_death) {
            oracle.outcome.faults += 1;
            actions.truncate(self.random.below(actions.len() + 1));
            return (actions, Some(Dies));
        }
        (actions, None)
    }

    /// The centre knows numbers this store never gave.
    pub(super) fn renew(&mut self) {
        self.epochs += 1;
        let epoch = Epoch(format!("{}-{}", self.disk_epoch(), self.epochs));
        if let Some(uplink) = &mut self.uplink {
            // A store that fails now will be found old again by the next acknowledgement.
            let _ = uplink.renew(&mut self.disk, epoch);
        }
    }

    fn disk_epoch(&self) -> String {
        self.uplink.as_ref().map(|uplink| uplink.outbox().epoch().to_string()).unwrap_or_default()
    }
}

/// The radio events a restart brings back: those of the snapshot, and the journal since.
fn recovered(restart: &Restart) -> BTreeSet<u64> {
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).unwrap_or_default();
    let snapshot = restart.snapshot.iter().flat_map(|bytes| bytes.chunks(8).map(number));
    let mut seen: BTreeSet<u64> = snapshot.chain(restart.journal.iter().map(|entry| number(&entry.input))).collect();
    seen.insert(0);
    seen
}

/// The centre: ledger file and process.
#[derive(Debug)]
pub(super) struct CentreHost {
    pub(super) disk: MemoryLedger,
    pub(super) backup: Option<MemoryLedger>,
    pub(super) ledger: Option<Ledger>,
    pub(super) clock: HostClock,
    config: LedgerConfig,
    random: Random,
    pub(super) granted: usize,
}

impl CentreHost {
    pub(super) fn new(centre: GatewayId, seed: u64) -> Self {
        let mut config = LedgerConfig::new(centre);
        // Longer than all jumps of a clock together: erasure by age is no loss, and not what is examined here.
        config.keep_s = 1e9;
        Self {
            disk: MemoryLedger::new(),
            backup: None,
            ledger: None,
            clock: HostClock::new(),
            config,
            random: Random::stream(seed, "centre"),
            granted: 0,
        }
    }

    fn disk_fault(&mut self, probability: f64, oracle: &mut Oracle) {
        self.disk.faults.clear();
        if self.random.chance(probability) {
            oracle.outcome.faults += 1;
            let fault = match self.random.below(3) {
                0 => Fault::Before,
                1 => Fault::After,
                _ => Fault::Full,
            };
            self.disk.faults.push(fault);
        }
    }

    pub(super) fn start(&mut self, truth: Timestamp, plan: &Plan, oracle: &mut Oracle) -> bool {
        self.disk_fault(plan.centre_disk, oracle);
        let now = self.clock.read(truth);
        self.ledger = Ledger::start(self.config.clone(), now, &mut self.disk).ok();
        self.ledger.is_some()
    }

    pub(super) fn die(&mut self) {
        self.ledger = None;
        self.granted = 0;
    }

    /// Hands one event to the ledger; the process may die in the middle of a commit, or with some actions undone.
    pub(super) fn handle(
        &mut self,
        truth: Timestamp,
        event: LedgerEvent,
        plan: &Plan,
        oracle: &mut Oracle,
    ) -> (Vec<vedette_delivery::uplink::Publication>, Option<Dies>) {
        let now = self.clock.read(truth);
        let dies = self.random.chance(plan.centre_death);
        self.disk_fault(if dies { 0.7 } else { plan.centre_disk }, oracle);
        let Some(ledger) = &mut self.ledger else { return (Vec::new(), None) };
        let mut actions = Vec::new();
        ledger.handle(now, &mut self.disk, event, &mut actions);
        self.disk.faults.clear();
        if dies {
            oracle.outcome.faults += 1;
            actions.truncate(self.random.below(actions.len() + 1));
        }
        let mut publications = Vec::new();
        for action in actions {
            match action {
                LedgerAction::Publish(publication) => publications.push(publication),
                LedgerAction::Announce(Announcement::Alert { entry, .. }) => drop(oracle.announced.insert(entry.n)),
                LedgerAction::Announce(_) => {}
            }
        }
        (publications, dies.then_some(Dies))
    }
}

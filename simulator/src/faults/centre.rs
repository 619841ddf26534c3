//! The centre: its ledger file, and a process around the shipped ledger that can die at any step.

use vedette_delivery::ledger::{Announcement, LedgerAction, LedgerEvent, MemoryLedger};
use vedette_delivery::memory::Fault;
use vedette_delivery::uplink::Publication;
use vedette_delivery::{Envelope, Epoch, GatewayId, Ledger, LedgerConfig};
use vedette_engine::Timestamp;

use super::Dies;
use super::clock::HostClock;
use super::oracle::Oracle;
use super::plan::Plan;
use crate::random::Random;

/// Alerts an operator still has in front of him.
const SHOWN: usize = 20;

/// File, host and process.
#[derive(Debug)]
pub(super) struct CentreHost {
    pub(super) disk: MemoryLedger,
    pub(super) backup: Option<MemoryLedger>,
    /// What the system's clock is off by, seconds.
    pub(super) system_s: f64,
    pub(super) process: Option<CentreProcess>,
    config: LedgerConfig,
    random: Random,
}

/// The process, as long as it lives.
#[derive(Debug)]
pub(super) struct CentreProcess {
    ledger: Ledger,
    clock: HostClock,
    /// Subscriptions granted on this connection.
    pub(super) granted: usize,
}

impl CentreProcess {
    /// Whether it has all numbers of an epoch up to this one, or knows that they will never come.
    pub(super) fn has_all(&self, gateway: &GatewayId, epoch: &Epoch, last: u64) -> bool {
        let missing = self.ledger.settled(gateway, epoch).map(|settled| settled.missing(1, last).is_empty());
        missing.unwrap_or(last == 0)
    }

    /// Time until it wants to be woken, seconds.
    pub(super) fn wait_s(&self, truth: Timestamp) -> Option<f64> {
        self.ledger.next_deadline().map(|deadline| self.clock.wait_s(truth, deadline))
    }
}

impl CentreHost {
    pub(super) fn new(centre: GatewayId, seed: u64) -> Self {
        let mut config = LedgerConfig::new(centre);
        // Longer than all jumps of a clock together: erasure by age is no loss, and not what is examined here.
        config.keep_s = 1e9;
        Self {
            disk: MemoryLedger::new(),
            backup: None,
            system_s: 0.0,
            process: None,
            config,
            random: Random::stream(seed, "centre"),
        }
    }

    fn plan_fault(&mut self, probability: f64) {
        self.disk.faults.clear();
        if self.random.chance(probability) {
            for _ in 0..self.random.below(3) {
                self.disk.faults.push(Fault::None);
            }
            self.disk.faults.push(match self.random.below(3) {
                0 => Fault::Before,
                1 => Fault::After,
                _ => Fault::Full,
            });
        }
    }

    /// Starts the process; false when its ledger cannot be read now.
    pub(super) fn start(&mut self, truth: Timestamp, plan: &Plan, oracle: &mut Oracle) -> bool {
        self.plan_fault(plan.centre_disk);
        let mut clock = HostClock::new(truth, self.system_s, Timestamp::MIN);
        let ledger = Ledger::start(self.config.clone(), clock.read(truth), &mut self.disk).ok();
        oracle.outcome.faults += self.disk.faults.take_struck();
        self.process = ledger.map(|ledger| CentreProcess { ledger, clock, granted: 0 });
        self.process.is_some()
    }

    /// What an operator sees, and the clock on his wall.
    pub(super) fn shown(&self, truth: Timestamp) -> (Timestamp, Vec<String>) {
        let entries = self.disk.entries().iter().rev().take(SHOWN);
        let ids = entries.filter_map(|entry| Envelope::read(&entry.bytes).ok()).map(|envelope| envelope.alert.id);
        (truth.plus_seconds(self.system_s), ids.collect())
    }

    /// Hands one event to the ledger; the process may die in the middle of a commit, or with some actions undone.
    pub(super) fn take(
        &mut self,
        truth: Timestamp,
        event: LedgerEvent,
        plan: &Plan,
        oracle: &mut Oracle,
    ) -> (Vec<Publication>, Result<(), Dies>) {
        let dies = self.random.chance(plan.centre_death);
        self.plan_fault(if dies { 0.7 } else { plan.centre_disk });
        let Some(process) = &mut self.process else { return (Vec::new(), Ok(())) };
        process.clock.compare(truth, self.system_s);
        let now = process.clock.read(truth);
        let mut actions = Vec::new();
        process.ledger.handle(now, &mut self.disk, event, &mut actions);
        oracle.outcome.faults += self.disk.faults.take_struck();
        self.disk.faults.clear();
        if dies {
            oracle.outcome.faults += 1;
            actions.truncate(self.random.below(actions.len() + 1));
        }
        let mut publications = Vec::new();
        for action in actions {
            match action {
                LedgerAction::Publish(publication) => publications.push(publication),
                LedgerAction::Announce(Announcement::Alert { entry, .. }) => {
                    oracle.announced(entry.n);
                    process.ledger.told(entry.n);
                }
                LedgerAction::Announce(_) => {}
            }
        }
        (publications, if dies { Err(Dies) } else { Ok(()) })
    }
}

//! The gateway: its store, and a process around the shipped engine, outbox and uplink that can die wherever the daemon awaits.

mod process;

use std::collections::{BTreeSet, VecDeque};

use vedette_delivery::memory::{Fault, MemoryStore};
use vedette_delivery::uplink::{Action, Event};
use vedette_delivery::{Epoch, GatewayId, Limits, Uplink, UplinkConfig, Window, recovery};
use vedette_engine::config::EngineConfig;
use vedette_engine::{Command, PictureRate, RadioFrame, Timestamp};
use vedette_wire::ReplayWindow;

use super::Dies;
use super::clock::HostClock;
use super::oracle::Oracle;
use super::plan::Plan;
use crate::random::Random;
use process::Process;

/// Time between snapshots when nothing else asks for one, seconds.
const SNAPSHOT_S: f64 = 60.0;

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
        let recovered = recovery::recover(&self.engine_config, &restart);
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
            trail: recovered.trail,
            works: VecDeque::new(),
            snapshot_at: truth.plus_seconds(SNAPSHOT_S),
            retry_at: None,
            renewals: self.starts << 16,
            left: BTreeSet::new(),
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

//! One scenario, one seed, through the engine in virtual time, as a gateway would drive it.

use std::collections::{BTreeMap, BTreeSet};

use vedette_engine::config::{ConfigFault, EngineConfig};
use vedette_engine::time::format_rfc3339;
use vedette_engine::{
    Alert, Durable, Engine, EngineError, Evidence, Fact, Frame, FrameContent, Input, Learned, Output, PictureRate,
    RadioFrame, Snapshot, Timestamp, Transmit, Verdict, Volatile,
};
use vedette_wire::SealError;
use vedette_wire::payload::PayloadError;

use super::security::{self, Channel};
use crate::radio::{Arrival, Net, NetCounts, NodeOptions};
use crate::random::Random;
use crate::report::Report;
use crate::scenario::{Fault, Scenario};
use crate::truth::Truth;
use crate::write::{write_config, write_line};
use crate::{channel, radio_events, sensing};

/// After the last report the engine is given this long to close what is open; any longer, and it would miss the sensors.
pub(super) const AFTERMATH_S: f64 = 45.0;

/// A gateway without alerts takes a snapshot this often; one with alerts takes it with them.
const SNAPSHOT_EVERY_S: f64 = 60.0;

/// Nothing is due.
const LATER: Timestamp = Timestamp::from_micros(i64::MAX);

/// What a run of the engine brought.
#[derive(Debug)]
pub struct Run {
    /// What really happened.
    pub truth: Truth,
    /// Every revision of every alert, with the time it was written.
    pub alerts: Vec<(Timestamp, Alert)>,
    /// What bore each revision out, by alert and revision; only of an inspected run.
    pub evidence: BTreeMap<(String, u32), Evidence>,
    /// For each walker the moment a sensor first noticed it, seconds of the scenario.
    pub first_noticed_s: BTreeMap<usize, f64>,
    /// Reports with something in them: what an operator would see without fusion.
    pub triggers: usize,
    /// The radio net.
    pub radio: NetCounts,
    /// Radio frames refused, by reason, and repeats that were only acknowledged.
    pub refused: BTreeMap<&'static str, u64>,
    /// Times the gateway lost its power and went on from what it had committed.
    pub restarts: usize,
    /// The engine, for its site and counters.
    pub engine: Engine,
}

impl Run {
    /// For each alert the first revision that asks for attention: the one that wakes somebody.
    pub fn asking(&self) -> impl Iterator<Item = &(Timestamp, Alert)> {
        let mut seen = BTreeSet::new();
        self.alerts.iter().filter(move |(_, alert)| alert.asks_attention() && seen.insert(&alert.id))
    }
}

/// Why a scenario cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriveError {
    /// The scenario's configuration is not one the gateway takes.
    #[error("scenario {scenario}: {message}")]
    Configuration {
        /// The scenario.
        scenario: String,
        /// What the reader says.
        message: String,
    },
    /// The engine refuses it.
    #[error("scenario {scenario}: {error}")]
    Engine {
        /// The scenario.
        scenario: String,
        /// Why.
        error: EngineError,
    },
    /// A payload cannot be encoded.
    #[error("radio payload: {0}")]
    Payload(#[from] PayloadError),
    /// A frame cannot be sealed.
    #[error("radio frame: {0}")]
    Seal(#[from] SealError),
    /// A report cannot be written.
    #[error("report: {0}")]
    Report(#[from] std::io::Error),
}

/// Plays the scenario for the seed into an engine.
///
/// # Errors
/// When the engine refuses the scenario's configuration.
pub fn drive(scenario: &Scenario, seed: u64) -> Result<Run, DriveError> {
    drive_observed(scenario, seed, &mut |_, _, _| {})
}

/// [`drive`], keeping the evidence behind every alert.
///
/// # Errors
/// When the engine refuses the scenario's configuration.
pub fn drive_inspected(scenario: &Scenario, seed: u64) -> Result<Run, DriveError> {
    drive_taught(scenario, seed, Learned::default())
}

/// [`drive_inspected`] with a gateway that operators have taught before.
///
/// # Errors
/// When the engine refuses the scenario's configuration.
pub fn drive_taught(scenario: &Scenario, seed: u64, learned: Learned) -> Result<Run, DriveError> {
    run(scenario, seed, Start { inspected: true, learned }, &mut |_, _, _| {})
}

/// Called with the engine, the time and the input that it is about to be told.
pub type Observer<'a> = dyn FnMut(&Engine, Timestamp, &Input) + 'a;

/// [`drive`], telling `observer` everything that the engine is about to be told.
///
/// # Errors
/// When the engine refuses the scenario's configuration.
pub fn drive_observed(scenario: &Scenario, seed: u64, observer: &mut Observer<'_>) -> Result<Run, DriveError> {
    run(scenario, seed, Start::default(), observer)
}

/// How the engine begins.
#[derive(Default)]
struct Start {
    inspected: bool,
    learned: Learned,
}

fn run(scenario: &Scenario, seed: u64, start: Start, observer: &mut Observer<'_>) -> Result<Run, DriveError> {
    let layout = &scenario.layout;
    let truth = Truth::of(scenario, seed);
    let mut sightings = sensing::sense(layout, &truth, seed);
    let mut first_noticed_s: BTreeMap<usize, f64> = BTreeMap::new();
    for sighting in sightings.iter().flatten() {
        for walker in sighting.causes.iter().flatten() {
            let first = first_noticed_s.entry(*walker).or_insert(f64::INFINITY);
            *first = first.min(sighting.elapsed_s);
        }
    }
    let triggers = sightings.iter().flatten().filter(|sighting| !sighting.plots.is_empty()).count();
    let mut gateway = Gateway::start(scenario, seed, start, observer)?;
    radio_events(layout, &truth, &mut sightings, &mut gateway.net);
    gateway.positions = own_positions(scenario, &truth);
    let reports = channel::deliver(scenario, sightings, seed);
    gateway.run(scenario, &reports)?;
    Ok(Run {
        truth,
        alerts: gateway.alerts,
        evidence: gateway.evidence,
        first_noticed_s,
        triggers,
        radio: gateway.net.counts(),
        refused: gateway.refused,
        restarts: gateway.restarts,
        engine: gateway.engine,
    })
}

/// The configuration of the scenario's gateway.
///
/// # Errors
/// When it is not one the engine takes.
pub fn engine_config(scenario: &Scenario) -> Result<EngineConfig, DriveError> {
    let mut text = Vec::new();
    write_config(&scenario.layout, &mut text)?;
    toml::from_str(&String::from_utf8_lossy(&text))
        .map_err(|error| DriveError::Configuration { scenario: scenario.name.clone(), message: error.to_string() })
}

/// The engine and what a gateway does around it.
struct Gateway<'a, 'b> {
    engine: Engine,
    observer: &'a mut Observer<'b>,
    net: Net,
    begins: Timestamp,
    alerts: Vec<(Timestamp, Alert)>,
    evidence: BTreeMap<(String, u32), Evidence>,
    channel: Channel,
    refused: BTreeMap<&'static str, u64>,
    /// Messages with positions of own units, the next one last.
    positions: Vec<(Timestamp, Vec<u8>)>,
    config: EngineConfig,
    /// What would survive a power cut now: the last snapshot, and the radio inputs committed since.
    committed: (Snapshot, Vec<(Timestamp, Input)>),
    committed_at: Timestamp,
    power_lost_s: Vec<f64>,
    restarts: usize,
}

impl<'a, 'b> Gateway<'a, 'b> {
    fn start(scenario: &Scenario, seed: u64, start: Start, observer: &'a mut Observer<'b>) -> Result<Self, DriveError> {
        let layout = &scenario.layout;
        let config = engine_config(scenario)?;
        let engine = Engine::new(&config).map_err(|error| match error {
            EngineError::Config(faults) => DriveError::Configuration {
                scenario: scenario.name.clone(),
                message: faults.iter().map(ConfigFault::to_string).collect::<Vec<_>>().join("; "),
            },
            error => DriveError::Engine { scenario: scenario.name.clone(), error },
        })?;
        let nodes: Vec<u32> = layout.sensors.iter().filter_map(|sensor| sensor.node).collect();
        let mut net = Net::new(&nodes, &NodeOptions::default().in_weather(&layout.weather), &scenario.air, seed);
        net.jam(&scenario.radio.outages_s);
        for sensor in &layout.sensors {
            if let (Some(node), Some(fault)) = (sensor.node, sensor.fault.filter(Fault::is_final_silence)) {
                net.kill(node, fault.from_s);
            }
        }
        let engine = engine.with_pictures(PictureRate::OnRequest);
        let engine = if start.inspected { engine.inspected() } else { engine };
        let engine = engine.taught(start.learned);
        let mut power_lost_s = scenario.power_lost_s.clone();
        power_lost_s.sort_by(|a, b| b.total_cmp(a));
        Ok(Self {
            committed: (engine.snapshot(), Vec::new()),
            committed_at: layout.begins,
            engine,
            observer,
            net,
            begins: layout.begins,
            alerts: Vec::new(),
            evidence: BTreeMap::new(),
            channel: Channel::new(&nodes, &scenario.attacks, seed),
            refused: BTreeMap::new(),
            positions: Vec::new(),
            config,
            power_lost_s,
            restarts: 0,
        })
    }

    fn run(&mut self, scenario: &Scenario, reports: &[Report]) -> Result<(), DriveError> {
        let ends = self.begins.plus_seconds(scenario.layout.duration_s + AFTERMATH_S);
        let mut reports = reports.iter().peekable();
        self.handle(self.begins, Input::Tick);
        loop {
            let report = reports.peek().map_or(LATER, |report| report.received);
            let radio = self.begins.plus_seconds(self.net.next_deadline_s().min(1e12));
            let tick = self.engine.next_deadline().unwrap_or(LATER);
            let own = self.positions.last().map_or(LATER, |(received, _)| *received);
            let attack = self.begins.plus_seconds(self.channel.next_attack_s().min(1e12));
            let now = report.min(radio).min(tick).min(own).min(attack);
            if now > ends {
                return Ok(());
            }
            if self.power_lost_s.last().is_some_and(|&lost_s| self.begins.plus_seconds(lost_s) <= now) {
                self.power_lost_s.pop();
                self.restart(scenario)?;
            } else if tick <= now {
                self.handle(tick, Input::Tick);
            } else if report <= now {
                if let Some(report) = reports.next() {
                    self.message(&scenario.layout.sensors[report.sensor].id, report)?;
                }
            } else if own <= now {
                if let Some((received, bytes)) = self.positions.pop() {
                    self.bytes("own_position", received, bytes);
                }
            } else if attack <= now {
                if let Some((node, verdict)) = self.channel.attack()? {
                    self.judge(node, attack, &verdict);
                }
            } else {
                let mut arrivals = Vec::new();
                self.net.advance(self.net.next_deadline_s(), &mut arrivals)?;
                arrivals.iter().try_for_each(|arrival| self.radio(arrival))?;
            }
        }
    }

    fn message(&mut self, sensor: &str, report: &Report) -> Result<(), DriveError> {
        let mut bytes = Vec::new();
        write_line(sensor, report, &mut bytes)?;
        self.bytes("native", report.received, bytes);
        Ok(())
    }

    fn bytes(&mut self, codec: &str, received: Timestamp, bytes: Vec<u8>) {
        let content = FrameContent::Message { codec: codec.to_owned(), topic: None, retained: false, bytes };
        self.handle(received, Input::Frame(Frame { source: "broker".to_owned(), received, content }));
    }

    fn radio(&mut self, arrival: &Arrival) -> Result<(), DriveError> {
        let received = self.begins.plus_seconds(arrival.at_s);
        let verdict = self.channel.receive(arrival)?;
        let security::Verdict::Fresh(opened) = verdict else {
            self.judge(arrival.node, received, &verdict);
            if matches!(verdict, security::Verdict::Repeat) {
                self.net.acknowledge(arrival.at_s, arrival.node, arrival.counter);
            }
            return Ok(());
        };
        let content = FrameContent::Radio(RadioFrame {
            node: arrival.node,
            counter: arrival.counter,
            exercise: false,
            payload: opened.payload.to_vec(),
            rssi_dbm: arrival.rssi_dbm,
            snr_qdb: arrival.snr_qdb,
        });
        let input = Input::Frame(Frame { source: "radio".to_owned(), received, content });
        self.committed.1.push((received, input.clone()));
        self.handle(received, input);
        Ok(())
    }

    /// Counts what was not taken in, and tells the engine of it.
    fn judge(&mut self, node: u32, now: Timestamp, verdict: &security::Verdict) {
        match verdict {
            security::Verdict::Fresh(_) => {}
            security::Verdict::Repeat => *self.refused.entry("repeat").or_default() += 1,
            security::Verdict::Refused(reason) => {
                *self.refused.entry(reason).or_default() += 1;
                let (source, reason) = (format!("radio node {node}"), (*reason).to_owned());
                self.handle(now, Input::Fact(Fact::FramesRejected { source, reason, count: 1 }));
            }
        }
    }

    /// The power goes and comes back: what was committed is there, what was only in memory is not.
    fn restart(&mut self, scenario: &Scenario) -> Result<(), DriveError> {
        let refused = |error| DriveError::Engine { scenario: scenario.name.clone(), error };
        let (snapshot, journal) = &self.committed;
        let engine = Engine::restore(&self.config, snapshot.clone()).map_err(refused)?;
        self.engine = engine.with_pictures(PictureRate::OnRequest);
        // What the journal led to was committed with it, and was sent.
        let mut out = Vec::new();
        for (now, input) in journal {
            self.engine.handle(*now, input.clone(), &mut out);
        }
        self.restarts += 1;
        Ok(())
    }

    fn handle(&mut self, now: Timestamp, input: Input) {
        let mut out = Vec::new();
        (self.observer)(&self.engine, now, &input);
        self.engine.handle(now, input, &mut out);
        let alerted = out.iter().any(|output| matches!(output, Output::Durable(_)));
        let due = alerted || now.seconds_since(self.committed_at) >= SNAPSHOT_EVERY_S;
        if due && !self.power_lost_s.is_empty() {
            self.committed = (self.engine.snapshot(), Vec::new());
            self.committed_at = now;
        }
        self.keep_evidence(&out);
        for output in out {
            match output {
                Output::Durable(Durable::Alert(alert)) => self.alerts.push((now, *alert)),
                Output::Transmit(Transmit::RadioAck { node, counter, .. }) => {
                    self.net.acknowledge(now.seconds_since(self.begins), node, counter);
                }
                _ => {}
            }
        }
    }
}

impl Gateway<'_, '_> {
    /// Puts the evidence of what was judged to the revisions that came of it.
    fn keep_evidence(&mut self, out: &[Output]) {
        for output in out {
            let Output::Volatile(Volatile::Judged(judgement)) = output else { continue };
            let (Some(id), Some(evidence)) = (&judgement.alert, judgement.evidence) else { continue };
            if !matches!(judgement.verdict, Verdict::Raised | Verdict::Carried) {
                continue;
            }
            let revision = out.iter().find_map(|output| match output {
                Output::Durable(Durable::Alert(alert)) if alert.id == *id => Some(alert.rev),
                _ => None,
            });
            if let Some(revision) = revision {
                self.evidence.insert((id.clone(), revision), evidence);
            }
        }
    }
}

/// What the radios of own units report, the last first: by a network that takes a fifth of a second, with the error of a
/// handheld receiver in the open (3 m for each axis; GPS Standard Positioning Service Performance Standard, 2020).
fn own_positions(scenario: &Scenario, truth: &Truth) -> Vec<(Timestamp, Vec<u8>)> {
    const DELAY_S: f64 = 0.2;
    const SD_M: f64 = 3.0;
    let mut messages = Vec::new();
    for (unit, walker, every_s) in &truth.units {
        let Some(walker) = truth.walkers.get(*walker) else { continue };
        let mut random = Random::stream(walker.id as u64, "own positions");
        let (from_s, to_s) = walker.life_s();
        let mut elapsed_s = from_s;
        while elapsed_s <= to_s {
            if let Some([east_m, north_m]) = walker.at(elapsed_s) {
                let time = scenario.layout.begins.plus_seconds(elapsed_s);
                let (east_m, north_m) = (east_m + random.normal() * SD_M, north_m + random.normal() * SD_M);
                let t = format_rfc3339(time);
                let text = format!(
                    r#"{{"v":1,"unit":{unit:?},"t":"{t}","east_m":{east_m:.1},"north_m":{north_m:.1},"sd_m":{SD_M}}}"#
                );
                messages.push((time.plus_seconds(DELAY_S), text.into_bytes()));
            }
            elapsed_s += every_s;
        }
    }
    messages.sort_by_key(|message| std::cmp::Reverse(message.0));
    messages
}

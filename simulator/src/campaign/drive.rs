//! One scenario, one seed, through the engine in virtual time, as a gateway would drive it.

use std::collections::BTreeMap;

use vedette_engine::config::{ConfigFault, EngineConfig};
use vedette_engine::{
    Alert, Durable, Engine, EngineError, Frame, FrameContent, Input, Output, PictureRate, RadioFrame, Timestamp,
    Transmit,
};
use vedette_wire::payload::PayloadError;

use crate::radio::{Arrival, Net, NetCounts, NodeOptions};
use crate::report::Report;
use crate::scenario::{Fault, Scenario};
use crate::truth::Truth;
use crate::write::{write_config, write_line};
use crate::{channel, radio_events, sensing};

/// After the last report the engine is given this long to close what is open.
const AFTERMATH_S: f64 = 60.0;

/// Nothing is due.
const LATER: Timestamp = Timestamp::from_micros(i64::MAX);

/// What a run of the engine brought.
#[derive(Debug)]
pub struct Run {
    /// What really happened.
    pub truth: Truth,
    /// Every revision of every alert, with the time it was written.
    pub alerts: Vec<(Timestamp, Alert)>,
    /// For each walker the moment a sensor first noticed it, seconds of the scenario.
    pub first_noticed_s: BTreeMap<usize, f64>,
    /// Reports with something in them: what an operator would see without fusion.
    pub triggers: usize,
    /// The radio net.
    pub radio: NetCounts,
    /// The engine, for its site and counters.
    pub engine: Engine,
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

/// Called with the engine, the time and the input that it is about to be told.
pub type Observer<'a> = dyn FnMut(&Engine, Timestamp, &Input) + 'a;

/// [`drive`], telling `observer` everything that the engine is about to be told.
///
/// # Errors
/// When the engine refuses the scenario's configuration.
pub fn drive_observed(scenario: &Scenario, seed: u64, observer: &mut Observer<'_>) -> Result<Run, DriveError> {
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
    let mut gateway = Gateway::start(scenario, seed, observer)?;
    radio_events(layout, &truth, &mut sightings, &mut gateway.net);
    let reports = channel::deliver(scenario, sightings, seed);
    gateway.run(scenario, &reports)?;
    Ok(Run {
        truth,
        alerts: gateway.alerts,
        first_noticed_s,
        triggers,
        radio: gateway.net.counts(),
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
}

impl<'a, 'b> Gateway<'a, 'b> {
    fn start(scenario: &Scenario, seed: u64, observer: &'a mut Observer<'b>) -> Result<Self, DriveError> {
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
        let mut net = Net::new(&nodes, &NodeOptions::default(), &scenario.air, seed);
        net.jam(&scenario.radio.outages_s);
        for sensor in &layout.sensors {
            if let (Some(node), Some(fault)) = (sensor.node, sensor.fault.filter(Fault::is_final_silence)) {
                net.kill(node, fault.from_s);
            }
        }
        let engine = engine.with_pictures(PictureRate::OnRequest);
        Ok(Self { engine, observer, net, begins: layout.begins, alerts: Vec::new() })
    }

    fn run(&mut self, scenario: &Scenario, reports: &[Report]) -> Result<(), DriveError> {
        let ends = self.begins.plus_seconds(scenario.layout.duration_s + AFTERMATH_S);
        let mut reports = reports.iter().peekable();
        self.handle(self.begins, Input::Tick);
        loop {
            let report = reports.peek().map_or(LATER, |report| report.received);
            let radio = self.begins.plus_seconds(self.net.next_deadline_s().min(1e12));
            let tick = self.engine.next_deadline().unwrap_or(LATER);
            let now = report.min(radio).min(tick);
            if now > ends {
                return Ok(());
            }
            if tick <= now {
                self.handle(tick, Input::Tick);
            } else if report <= now {
                if let Some(report) = reports.next() {
                    self.message(&scenario.layout.sensors[report.sensor].id, report)?;
                }
            } else {
                let mut arrivals = Vec::new();
                self.net.advance(self.net.next_deadline_s(), &mut arrivals)?;
                arrivals.iter().for_each(|arrival| self.radio(arrival));
            }
        }
    }

    fn message(&mut self, sensor: &str, report: &Report) -> Result<(), DriveError> {
        let mut bytes = Vec::new();
        write_line(sensor, report, &mut bytes)?;
        let content = FrameContent::Message { codec: "native".to_owned(), topic: None, retained: false, bytes };
        let frame = Frame { source: "broker".to_owned(), received: report.received, content };
        self.handle(report.received, Input::Frame(frame));
        Ok(())
    }

    fn radio(&mut self, arrival: &Arrival) {
        let received = self.begins.plus_seconds(arrival.at_s);
        let content = FrameContent::Radio(RadioFrame {
            node: arrival.node,
            counter: arrival.counter,
            payload: arrival.payload.to_vec(),
            rssi_dbm: arrival.rssi_dbm,
            snr_qdb: arrival.snr_qdb,
        });
        self.handle(received, Input::Frame(Frame { source: "radio".to_owned(), received, content }));
    }

    fn handle(&mut self, now: Timestamp, input: Input) {
        let mut out = Vec::new();
        (self.observer)(&self.engine, now, &input);
        self.engine.handle(now, input, &mut out);
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

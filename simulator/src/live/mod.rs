//! A scenario in real time against a gateway: radio frames through a pseudo terminal, native messages through a broker.

mod concentrator;
mod line;
mod player;
mod publisher;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use vedette_engine::Timestamp;
use vedette_wire::SealError;
use vedette_wire::payload::PayloadError;

pub use concentrator::node_key;
pub use line::Line;
pub use player::{PlayOptions, PlaySummary, play};
pub use publisher::{BrokerAddress, BrokerError};

use crate::radio::{Arrival, Net, NetCounts, NodeOptions};
use crate::report::Report;
use crate::scenario::Scenario;
use crate::truth::{Crossing, Truth};
use crate::write::write_line;
use crate::{channel, radio_events, sensing};
use concentrator::Concentrator;
use publisher::Publisher;

/// Where the simulated sensors send to.
#[derive(Debug)]
pub struct LiveOptions {
    /// The gateway's site id, for topics.
    pub gateway: String,
    /// The broker for sensors without a radio node; without one their reports go nowhere.
    pub broker: Option<BrokerAddress>,
    /// The pseudo terminal for radio nodes; without one they are switched off.
    pub line: Option<Line>,
    /// Hears what really happens while it happens; when the channel is full, events are left out.
    pub events: Option<mpsc::Sender<LiveEvent>>,
}

/// Something that really happens.
#[derive(Clone, Debug, PartialEq)]
pub enum LiveEvent {
    /// The scenario has begun.
    Started {
        /// Zero of the scenario's seconds.
        at: Timestamp,
        /// Crossings that will happen.
        crossings: usize,
    },
    /// Somebody crosses a border line.
    Crossing {
        /// When.
        at: Timestamp,
        /// Who, where and which way.
        crossing: Crossing,
    },
}

/// What a live run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveSummary {
    /// Crossings that happened.
    pub crossings: usize,
    /// Native messages published.
    pub published: usize,
    /// The radio net.
    pub radio: NetCounts,
    /// Downward frames that a node refused.
    pub refused: usize,
}

/// Why a live run ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The pseudo terminal failed.
    #[error("pseudo terminal: {0}")]
    Line(#[from] std::io::Error),
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// A node's payload cannot be encoded.
    #[error("radio payload: {0}")]
    Payload(#[from] PayloadError),
    /// A frame cannot be sealed.
    #[error("radio frame: {0}")]
    Seal(#[from] SealError),
    /// A recorded line is not a native detection.
    #[error("{path}:{line}: expected {expected}")]
    Log {
        /// The file.
        path: std::path::PathBuf,
        /// The line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
}

/// The system's time.
fn wall_clock() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

/// Plays the scenario from now on until it ends or `stop` resolves.
///
/// # Errors
/// When the pseudo terminal or the broker cannot be used.
pub async fn run(
    scenario: &Scenario,
    seed: u64,
    options: LiveOptions,
    stop: impl Future<Output = ()>,
) -> Result<LiveSummary, LiveError> {
    let begins = wall_clock();
    let mut live = Live::prepare(scenario, seed, options, begins).await?;
    tokio::pin!(stop);
    let ends_s = scenario.layout.duration_s;
    loop {
        let next_s = live.next_s().min(ends_s);
        let wake = live.started + Duration::from_secs_f64(next_s.max(0.0));
        tokio::select! {
            () = &mut stop => break,
            () = sleep_until(wake) => {
                live.advance(live.elapsed_s()).await?;
                if next_s >= ends_s {
                    break;
                }
            }
            heard = Concentrator::hear(&mut live.concentrator) => live.heard(&heard?).await?,
        }
    }
    live.summary.radio = live.net.counts();
    if let Some(publisher) = live.publisher {
        publisher.close().await;
    }
    Ok(live.summary)
}

/// A run in progress.
struct Live {
    started: Instant,
    begins: Timestamp,
    gateway: String,
    sensors: Vec<String>,
    reports: std::iter::Peekable<std::vec::IntoIter<Report>>,
    crossings: std::iter::Peekable<std::vec::IntoIter<Crossing>>,
    net: Net,
    concentrator: Option<Concentrator>,
    publisher: Option<Publisher>,
    events: Option<mpsc::Sender<LiveEvent>>,
    summary: LiveSummary,
}

impl Live {
    async fn prepare(
        scenario: &Scenario,
        seed: u64,
        options: LiveOptions,
        begins: Timestamp,
    ) -> Result<Self, LiveError> {
        let mut scenario = scenario.clone();
        scenario.layout.begins = begins;
        let truth = Truth::of(&scenario, seed);
        let mut sightings = sensing::sense(&scenario.layout, &truth, seed);
        let nodes: Vec<u32> = scenario.layout.sensors.iter().filter_map(|sensor| sensor.node).collect();
        let options_of_nodes = NodeOptions::starting_at(begins).in_weather(&scenario.layout.weather);
        let mut net = Net::new(&nodes, &options_of_nodes, &scenario.air, seed);
        net.jam(&scenario.radio.outages_s);
        if options.line.is_some() {
            radio_events(&scenario.layout, &truth, &mut sightings, &mut net);
        }
        let reports = channel::deliver(&scenario, sightings, seed);
        let publisher = match &options.broker {
            Some(address) => Some(Publisher::connect(address, "vedette-sim").await?),
            None => None,
        };
        let concentrator = match options.line {
            Some(line) => Some(Concentrator::start(line, &nodes, seed).await?),
            None => None,
        };
        let live = Self {
            started: Instant::now(),
            begins,
            gateway: options.gateway,
            sensors: scenario.layout.sensors.iter().map(|sensor| sensor.id.clone()).collect(),
            reports: reports.into_iter().peekable(),
            crossings: truth.crossings.into_iter().peekable(),
            net,
            concentrator,
            publisher,
            events: options.events,
            summary: LiveSummary::default(),
        };
        live.tell(LiveEvent::Started { at: begins, crossings: live.crossings.len() });
        Ok(live)
    }

    fn elapsed_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    fn tell(&self, event: LiveEvent) {
        if let Some(events) = &self.events {
            // A listener that does not keep up misses events; the simulation goes on in real time.
            let _ = events.try_send(event);
        }
    }

    fn next_s(&mut self) -> f64 {
        let begins = self.begins;
        let report = self.reports.peek().map_or(f64::INFINITY, |report| report.received.seconds_since(begins));
        let crossing = self.crossings.peek().map_or(f64::INFINITY, |crossing| crossing.elapsed_s);
        let radio = if self.concentrator.is_some() { self.net.next_deadline_s() } else { f64::INFINITY };
        report.min(crossing).min(radio)
    }

    async fn advance(&mut self, now_s: f64) -> Result<(), LiveError> {
        let now = self.begins.plus_seconds(now_s);
        while let Some(report) = self.reports.next_if(|report| report.received <= now) {
            let Some(publisher) = &mut self.publisher else { continue };
            let sensor = &self.sensors[report.sensor];
            let mut payload = Vec::new();
            write_line(sensor, &report, &mut payload)?;
            publisher.publish(format!("vedette/v1/{}/sensor/{sensor}/detections", self.gateway), payload).await?;
            self.summary.published += 1;
        }
        while let Some(crossing) = self.crossings.next_if(|crossing| crossing.elapsed_s <= now_s) {
            self.summary.crossings += 1;
            self.tell(LiveEvent::Crossing { at: self.begins.plus_seconds(crossing.elapsed_s), crossing });
        }
        if let Some(concentrator) = &mut self.concentrator {
            let mut arrivals: Vec<Arrival> = Vec::new();
            self.net.advance(now_s, &mut arrivals)?;
            for arrival in &arrivals {
                concentrator.pass_on(arrival).await?;
            }
        }
        Ok(())
    }

    /// Bytes came down the line.
    async fn heard(&mut self, bytes: &[u8]) -> Result<(), LiveError> {
        let now_s = self.elapsed_s();
        let Some(concentrator) = &mut self.concentrator else { return Ok(()) };
        let answers = concentrator.take(bytes).await?;
        self.summary.refused += answers.refused;
        for (node, counter) in answers.acknowledged {
            self.net.acknowledge(now_s, node, counter);
        }
        Ok(())
    }
}

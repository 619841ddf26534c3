//! What happens at the site: people who walk there, a radar that sees them, radio nodes with their detectors.

use std::collections::{BTreeMap, VecDeque};

use vedette_engine::time::format_rfc3339;
use vedette_engine::{Act, CloseReason, Command, RadioFrame, Severity, Timestamp};
use vedette_wire::payload::{Crossing, Event, EventKind, Events, Payload, TamperCause};

use crate::random::Random;

/// Time between two scans of the radar, seconds.
pub(super) const SCAN_S: f64 = 4.0;
/// Time after which a node sends events again that were not acknowledged, seconds.
pub(super) const NODE_RETRY_S: f64 = 5.0;
/// Most events a node puts into one frame.
const EVENTS_IN_FRAME: usize = 4;
/// Chance that the radar sees somebody, and its standard deviation.
const DETECTION: f64 = 0.9;
const RADAR_SD_M: f64 = 5.0;
/// Length of a walk, half of it on either side of the border.
const WALK_M: f64 = 280.0;

/// Somebody who walks straight across the border.
#[derive(Debug)]
struct Walker {
    since: Timestamp,
    east_m: f64,
    speed_mps: f64,
}

/// A radio node: keeps its events until they are acknowledged.
#[derive(Debug)]
pub(super) struct Node {
    number: u32,
    counter: u32,
    /// Number of the first event that waits.
    first: u64,
    waiting: VecDeque<(EventKind, Timestamp)>,
    /// Frames sent, with the number after their last event.
    sent: BTreeMap<u32, u64>,
    /// It is going to send.
    pub(super) busy: bool,
}

impl Node {
    fn new(number: u32) -> Self {
        Self { number, counter: 0, first: 0, waiting: VecDeque::new(), sent: BTreeMap::new(), busy: false }
    }

    /// A new frame with the oldest events and their ages as they are now; none when nothing waits.
    pub(super) fn frame(&mut self, truth: Timestamp) -> Option<RadioFrame> {
        if self.waiting.is_empty() {
            return None;
        }
        let event = |&(kind, at): &(EventKind, Timestamp)| {
            let ticks = (truth.seconds_since(at) * 16.0).max(0.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hours at most")]
            let age_ticks = ticks as u32;
            Event { kind, age_ticks, age_at_least: false, strength_half_db: 12, duration_ticks: 8 }
        };
        let events: Vec<Event> = self.waiting.iter().take(EVENTS_IN_FRAME).map(event).collect();
        let end = self.first + events.len() as u64;
        let first = u16::try_from(self.first % 65_536).unwrap_or(0);
        let payload = Payload::Events(Events { first, events: events.into_iter().collect() }).encode().ok()?;
        self.counter += 1;
        self.sent.insert(self.counter, end);
        let (node, counter, payload) = (self.number, self.counter, payload.to_vec());
        Some(RadioFrame { node, counter, exercise: false, payload, rssi_dbm: -90, snr_qdb: 20 })
    }

    /// The gateway has what was in the frame with this counter.
    pub(super) fn acknowledged(&mut self, counter: u32) {
        if let Some(end) = self.sent.remove(&counter) {
            while self.first < end && self.waiting.pop_front().is_some() {
                self.first += 1;
            }
            self.sent.retain(|_, other| *other > end);
        }
    }
}

/// What somebody does, or what happens to a sensor.
#[derive(Debug)]
pub(super) enum Deed {
    /// Somebody walks in front of the radar.
    Walk,
    /// The detectors of these nodes see something.
    Seen(Vec<u32>),
    /// Somebody at the gateway orders a test alert.
    Test(Command),
    /// Somebody at the centre orders something about an alert, or a test alert.
    Order,
}

/// The site.
#[derive(Debug)]
pub(super) struct Field {
    random: Random,
    walkers: Vec<Walker>,
    pub(super) nodes: BTreeMap<u32, Node>,
    commands: u64,
}

const SEVERITIES: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

impl Field {
    pub(super) fn new(seed: u64) -> Self {
        let nodes = [1, 2].map(|number| (number, Node::new(number))).into();
        Self { random: Random::stream(seed, "field"), walkers: Vec::new(), nodes, commands: 0 }
    }

    /// Time to the next deed, seconds: now and then several at once.
    pub(super) fn pause_s(&mut self) -> f64 {
        let mean_s = if self.random.chance(0.3) { 0.5 } else { 25.0 };
        self.random.exponential(mean_s)
    }

    /// The next deed.
    pub(super) fn deed(&mut self, truth: Timestamp) -> Deed {
        match self.random.below(20) {
            0..2 => {
                let (east_m, speed_mps) = (self.random.uniform(-80.0, 80.0), self.random.uniform(1.2, 2.5));
                self.walkers.push(Walker { since: truth, east_m, speed_mps });
                Deed::Walk
            }
            2..5 => {
                let way = if self.random.chance(0.5) { Crossing::In } else { Crossing::Out };
                self.see(1, EventKind::Tripwire(Some(way)), truth);
                self.see(2, EventKind::Pir, truth);
                Deed::Seen(vec![1, 2])
            }
            5..7 => {
                self.see(2, EventKind::Pir, truth);
                Deed::Seen(vec![2])
            }
            7 => {
                let cause = if self.random.chance(0.5) { TamperCause::Opened } else { TamperCause::Moved };
                self.see(1, EventKind::Tamper(cause), truth);
                Deed::Seen(vec![1])
            }
            8..14 => Deed::Test(self.test("local")),
            _ => Deed::Order,
        }
    }

    fn see(&mut self, node: u32, kind: EventKind, truth: Timestamp) {
        if let Some(node) = self.nodes.get_mut(&node) {
            node.waiting.push_back((kind, truth));
        }
    }

    fn command(&mut self, by: &str, act: Act) -> Command {
        self.commands += 1;
        // A name of its own for each order: the audit log then tells how often it was carried out.
        let id = format!("{by}-{}", self.commands);
        Command { by: id.clone(), id, expires_at: None, act }
    }

    fn test(&mut self, by: &str) -> Command {
        let severity = SEVERITIES[self.random.below(SEVERITIES.len())];
        self.command(by, Act::TestAlert { severity })
    }

    /// What an operator orders who sees these alerts.
    pub(super) fn order(&mut self, now: Timestamp, alerts: &[String]) -> Command {
        if alerts.is_empty() || self.random.chance(0.3) {
            return self.test("centre");
        }
        let alert = alerts[self.random.below(alerts.len())].clone();
        let act = match self.random.below(5) {
            0 => Act::Acknowledge { alert },
            1 => Act::Assign { alert, to: "patrol 2".to_owned() },
            2 => Act::Shelve { alert, until: now.plus_seconds(60.0) },
            3 => Act::Comment { alert, text: "seen on camera".to_owned() },
            _ => Act::Close { alert, reason: CloseReason::Cleared },
        };
        self.command("centre", act)
    }

    /// Whether anybody walks in front of the radar.
    pub(super) fn walked(&self) -> bool {
        !self.walkers.is_empty()
    }

    /// One scan of the radar, whose clock shows `stamp`; none when it sees nothing.
    pub(super) fn scan(&mut self, truth: Timestamp, stamp: Timestamp) -> Option<Vec<u8>> {
        let mut plots = Vec::new();
        for walker in &self.walkers {
            let north_m = walker.speed_mps * truth.seconds_since(walker.since) - WALK_M / 2.0;
            let (east_m, north_m) =
                (walker.east_m + RADAR_SD_M * self.random.normal(), north_m + RADAR_SD_M * self.random.normal());
            if self.random.chance(DETECTION) {
                plots.push(format!(r#"{{"kind":"position","east_m":{east_m:.2},"north_m":{north_m:.2}}}"#));
            }
        }
        self.walkers.retain(|walker| walker.speed_mps * truth.seconds_since(walker.since) < WALK_M);
        let (stamp, plots) = (format_rfc3339(stamp), (!plots.is_empty()).then(|| plots.join(","))?);
        Some(format!(r#"{{"v":1,"sensor":"radar-1","t":"{stamp}","plots":[{plots}]}}"#).into_bytes())
    }
}

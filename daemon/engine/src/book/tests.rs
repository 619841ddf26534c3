//! Hand-made tracks and health over time, and the alerts that come of them, as an operator reads them.

mod health;
mod help;
mod jamming;
mod lessons;
mod life;
mod orders;
mod own;
mod own_wires;
mod parties;
mod release;
mod texts;
mod verdicts;
mod wires;
mod zones;

use std::collections::BTreeMap;

use nalgebra::{Matrix2, Vector2};
use vedette_tracker::{
    ClassProbabilities, Contribution, Detection, Direction, Measurement, Scan, Timestamp, Track, TrackId, TrackStatus,
};

use super::Book;
use crate::calls::Calls;
use crate::config::{EngineConfig, Site};
use crate::input::{Act, Command};
use crate::inspect::Notes;
use crate::output::Transmit;
use crate::rules::{Link, Loss, Rules, SINK, Situation, StoreLost, Tamper, UPLINK};
use crate::status::{Counters, SensorStatus};
use crate::units::{OwnReport, Units};
use crate::weather::WeatherNow;
use crate::{Alert, AlertKind, AlertState, CloseReason, Durable, EVIDENCE_TERMS, Output, Severity};

const SITE: &str = r#"
[site]
id = "post-4"
origin = { lat = 52.0, lon = 23.6 }
timezone = "Europe/Warsaw"

[[sensor]]
id = "radar-7"
kind = "radar"
position = { east_m = 0.0, north_m = -200.0 }
coverage = { shape = "circle", radius_m = 900.0 }

[[sensor]]
id = "pir-3"
kind = "pir"
node = 17
position = { east_m = 0.0, north_m = 10.0 }

[[sensor]]
id = "cam-2"
kind = "camera"
position = { east_m = 50.0, north_m = -50.0 }
coverage = { shape = "sector", range_m = 400.0, heading_deg = 0.0, width_deg = 60.0 }

[[sensor]]
id = "trip-1"
kind = "tripwire"
coverage = { shape = "line", from_m = [-20.0, 0.0], to_m = [20.0, 0.0] }
false_alarms_per_hour = 0.1

[[zone]]
name = "Bug line"
kind = "border"
line_m = [[-500.0, 0.0], [500.0, 0.0]]

[[zone]]
name = "depot"
kind = "alert"
points_m = [[200.0, -300.0], [300.0, -300.0], [300.0, -200.0], [200.0, -200.0]]

[[zone]]
name = "ford"
kind = "humanitarian"
points_m = [[-300.0, 100.0], [-200.0, 100.0], [-200.0, 200.0], [-300.0, 200.0]]

[[zone]]
name = "lane"
kind = "ignore"
points_m = [[250.0, -350.0], [350.0, -350.0], [350.0, -100.0], [250.0, -100.0]]

[[zone]]
name = "field"
kind = "work"
points_m = [[200.0, -320.0], [240.0, -320.0], [240.0, -190.0], [200.0, -190.0]]
schedule = [{ days = ["mon"], from = "08:00", to = "16:00" }]

[[zone]]
name = "lake"
kind = "water"
points_m = [[-300.0, -300.0], [-200.0, -300.0], [-200.0, -200.0], [-300.0, -200.0]]

[[unit]]
id = "patrol-3"
"#;

/// Rules and book on a stage where the tracks are what the test says.
struct Stage {
    site: Site,
    rules: Rules,
    book: Book,
    counters: Counters,
    sensors: Vec<SensorStatus>,
    links: BTreeMap<String, Link>,
    losses: BTreeMap<String, Loss>,
    store_lost: Option<StoreLost>,
    certificates: BTreeMap<String, Timestamp>,
    units: Units,
    calls: Calls,
    started: Timestamp,
    woke: Timestamp,
    weather: Option<WeatherNow>,
}

/// 2026-03-01 is a Sunday; 01:14 UTC is 02:14 at the site.
fn at(second: f64) -> Timestamp {
    crate::time::parse_rfc3339("2026-03-01T01:14:00Z").expect("a time").plus_seconds(second)
}

impl Stage {
    fn new() -> Self {
        Self::of(SITE)
    }

    fn of(toml: &str) -> Self {
        let config: EngineConfig = toml::from_str(toml).expect("valid TOML");
        let site = config.resolve().expect("valid configuration");
        let heard = |id: &str| SensorStatus { id: id.into(), last_heard: Some(at(0.0)), ..SensorStatus::default() };
        let sensors = site.sensors.iter().map(|sensor| heard(&sensor.model.id)).collect();
        let (links, losses) = (BTreeMap::new(), BTreeMap::new());
        Self {
            site,
            rules: Rules::default(),
            book: Book::default(),
            counters: Counters::default(),
            sensors,
            links,
            losses,
            store_lost: None,
            certificates: BTreeMap::new(),
            units: Units::default(),
            calls: Calls::default(),
            started: at(0.0),
            woke: at(0.0),
            weather: None,
        }
    }

    fn step(&mut self, now: Timestamp, tracks: &[Track]) -> Vec<Alert> {
        let explained = self.units.explain(tracks, now, &self.site);
        let situation = Situation {
            now,
            started: self.started,
            woke: self.woke,
            site: &self.site,
            tracks,
            sensors: &self.sensors,
            links: &self.links,
            losses: &self.losses,
            store_lost: self.store_lost.as_ref(),
            certificates: &self.certificates,
            units: &self.units,
            calls: &self.calls,
            weather: self.weather,
            explained: &explained,
        };
        let findings = self.rules.assess(&situation, &mut Notes::default());
        let mut out = Vec::new();
        self.book.reconcile(&situation, findings, &mut self.counters, &mut Notes::default(), &mut out);
        alerts(out)
    }

    /// A second at a time, all sensors heard; `track` tells where the walker is.
    fn run(&mut self, from: u32, to: u32, track: impl Fn(f64) -> Option<Track>) -> Vec<Alert> {
        let mut all = Vec::new();
        for second in from..to {
            let second = f64::from(second);
            for sensor in &mut self.sensors {
                sensor.last_heard = Some(at(second));
            }
            let tracks: Vec<Track> = track(second).into_iter().collect();
            all.extend(self.step(at(second), &tracks));
        }
        all
    }

    /// A step in which all sensors are well.
    fn run_once(&mut self, second: f64, tracks: &[Track]) -> Vec<Alert> {
        for sensor in &mut self.sensors {
            sensor.last_heard = Some(at(second));
        }
        self.step(at(second), tracks)
    }

    fn command(&mut self, id: &str, now: Timestamp, act: Act) -> Vec<Output> {
        self.order(&Command { id: id.into(), by: "anna".into(), expires_at: None, act }, now)
    }

    fn order(&mut self, command: &Command, now: Timestamp) -> Vec<Output> {
        let mut out = Vec::new();
        self.book.take_command(command, now, &self.site, &mut self.counters, &mut out);
        out
    }
}

fn alerts(out: Vec<Output>) -> Vec<Alert> {
    let alert = |output| match output {
        Output::Durable(Durable::Alert(alert)) => Some(*alert),
        _ => None,
    };
    out.into_iter().filter_map(alert).collect()
}

fn contribution(sensor: usize, second: f64, log_likelihood: f64) -> Contribution {
    Contribution {
        sensor,
        time: at(second),
        detections: 5.0,
        innovation: Default::default(),
        innovation_covariance: Default::default(),
        test_ratio: 1.0,
        log_likelihood,
    }
}

fn track(number: u64, now: f64, position_m: [f64; 2], velocity_mps: [f64; 2]) -> Track {
    Track {
        id: TrackId(number),
        status: TrackStatus::Confirmed,
        coasting: false,
        first_seen: at(0.0),
        last_seen: at(now),
        position_m: Vector2::from(position_m),
        position_covariance_m2: Matrix2::new(9.0, 2.0, 2.0, 4.0),
        localised: true,
        velocity_mps: Vector2::from(velocity_mps),
        velocity_covariance_m2ps2: Matrix2::identity() * 0.01,
        existence: 0.99,
        class: ClassProbabilities { person: 0.9, animal: 0.08, vehicle: 0.02 },
        count: (1, 1),
        contributions: vec![contribution(1, now, 4.0), contribution(0, now, 12.0)],
        silent: vec![2],
    }
}

/// Walks south over the line at 1.4 m/s, on it after 40 s.
fn walker(second: f64) -> Option<Track> {
    Some(track(17, second, [30.0, 56.0 - 1.4 * second], [0.1, -1.4]))
}

/// One line for each revision: what a reader of the list sees.
fn lines(alerts: &[Alert]) -> String {
    let line = |alert: &Alert| {
        let state = serde_json::to_string(&alert.state).expect("JSON");
        format!("{:?} {:?} rev {} {state}\n    {}\n", alert.severity, alert.kind, alert.rev, alert.text)
    };
    alerts.iter().map(line).collect()
}

/// A report of a triggered detector.
fn report(stage: &mut Stage, sensor: usize, second: f64, measurement: Measurement) {
    let detections = vec![Detection { measurement, class: None, confidence: None, object: None }];
    stage.rules.observe(&Scan { sensor, time: at(second), at: None, detections }, &stage.site);
}

/// Runs with several tracks at a time; `change` sets what the sensors say before each look.
fn watch(
    stage: &mut Stage,
    seconds: impl IntoIterator<Item = f64>,
    tracks: impl Fn(f64) -> Vec<Track>,
    change: impl Fn(f64, &mut SensorStatus),
) -> Vec<Alert> {
    let mut all = Vec::new();
    for second in seconds {
        for sensor in &mut stage.sensors {
            sensor.last_heard = Some(at(second));
            change(second, sensor);
        }
        all.extend(stage.step(at(second), &tracks(second)));
    }
    all
}

fn seconds(from: u32, to: u32) -> impl Iterator<Item = f64> {
    (from..to).map(f64::from)
}

fn heard(_: f64, _: &mut SensorStatus) {}

/// The alerts of one kind.
fn of_kind(alerts: &[Alert], kind: AlertKind) -> Vec<Alert> {
    alerts.iter().filter(|alert| alert.kind == kind).cloned().collect()
}

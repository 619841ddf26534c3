//! A scenario: the site and its sensors, who walks there, and what the channels do to the reports.
//!
//! The file is TOML, one scenario a file. Everything is checked once, on reading; an error names the file, the line,
//! what was expected and what was found.

mod check;
mod drawn;
mod error;
mod sensor;
mod typed;

use serde::{Deserialize, Serialize};
use vedette_engine::{AlertKind, Timestamp};

pub use error::ScenarioError;
pub use sensor::{ClockStep, Clutter, Coverage, Fault, FaultKind, Measures, Sensor, SensorKind};

use crate::geometry::Point;
use crate::radio::AirOptions;

/// 2026-03-01T00:00:00Z: zero of every truth file's time column.
pub const EPOCH: Timestamp = Timestamp::from_seconds(1_772_323_200);

/// A checked scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Short name, also the file's.
    pub name: String,
    /// What happens, in a sentence.
    pub summary: String,
    /// The time, the site and its sensors.
    pub layout: Layout,
    /// Who moves about.
    pub agents: Vec<Agent>,
    /// Who else comes by, at random.
    pub traffic: Vec<Traffic>,
    /// What an adversary sends by radio.
    pub attacks: Vec<Attack>,
    /// When the gateway loses its power, seconds of the scenario.
    pub power_lost_s: Vec<f64>,
    /// What a good gateway makes of it.
    pub expect: Expectation,
    /// The low-power radio's channel.
    pub radio: Channel,
    /// The radio's modulation and rules.
    pub air: AirOptions,
    /// The network's channel.
    pub broker: Channel,
}

/// When and where: what is known before anyone moves.
#[derive(Clone, Debug)]
pub struct Layout {
    /// When it begins.
    pub begins: Timestamp,
    /// How long it lasts.
    pub duration_s: f64,
    /// The gateway's site.
    pub site: Site,
    /// Zones and lines, written into the gateway's configuration.
    pub zones: Vec<Zone>,
    /// The sensors.
    pub sensors: Vec<Sensor>,
    /// Own units whose positions are reported.
    pub units: Vec<OwnUnit>,
    /// The weather at points of time, straight lines between; none: calm and clear.
    pub weather: Vec<Weather>,
    /// Patches of forest: they block sight.
    pub forests: Vec<Vec<Point>>,
    /// Rivers: they slow who wades, and their noise hides footsteps.
    pub rivers: Vec<River>,
    /// Roads: vehicles drive along them.
    pub roads: Vec<Road>,
}

/// An own unit, as its gateway knows it.
#[derive(Clone, Debug)]
pub struct OwnUnit {
    /// Its name.
    pub id: String,
    /// How many they are.
    pub people: usize,
}

/// A river.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct River {
    /// Its middle.
    pub line_m: Vec<Point>,
    /// From bank to bank.
    pub width_m: f64,
}

/// A road that vehicles drive along from end to end, in either direction.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Road {
    /// Its middle.
    pub line_m: Vec<Point>,
    /// Mean number of vehicles in an hour.
    pub vehicles_per_hour: f64,
    /// Range of speeds.
    pub speed_mps: [f64; 2],
}

/// Frames that an adversary sends by radio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttackKind {
    /// Made without the node's key: a crossing that never was.
    Forged,
    /// The node's own last frame, taken from the air and sent again.
    Replayed,
}

/// A burst of an adversary's frames in the name of one node.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// What they are.
    pub kind: AttackKind,
    /// When the first is sent.
    pub at_s: f64,
    /// In whose name.
    pub node: u32,
    /// How many, one a second.
    pub count: u32,
}

impl Scenario {
    /// Whether the weather is calm throughout: no more than a light breeze (Beaufort 2, to 3.3 m/s), no rain, no mist (visibility of
    /// 1 km and more, WMO), and as few small animals as on a calm night. Who is about and what fails has no part in it.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        let calm = |weather: &Weather| {
            let still = weather.wind_mps <= 3.3 && weather.rain_mmph <= 0.0;
            still && weather.visibility_m >= 1_000.0 && weather.wildlife <= 1.0
        };
        self.layout.weather.iter().all(calm)
    }
}

/// The weather at one time.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    /// Seconds after the beginning.
    pub at_s: f64,
    /// Mean wind, metres a second.
    #[serde(default)]
    pub wind_mps: f64,
    /// Rain, millimetres an hour.
    #[serde(default)]
    pub rain_mmph: f64,
    /// Meteorological visibility.
    #[serde(default = "clear")]
    pub visibility_m: f64,
    /// Air temperature, degrees Celsius.
    #[serde(default)]
    pub temperature_c: f64,
    /// Light on the ground, lux: 10,000 and more by day, about 400 at sunset, 3.4 at the end of civil dusk, 0.1 under a
    /// full moon (RCA Electro-Optics Handbook, 1974, section 6).
    #[serde(default = "daylight")]
    pub light_lux: f64,
    /// Small animals, birds and the sun's first warmth: times the calm night's rate of false alarms of PIR detectors.
    #[serde(default = "one")]
    pub wildlife: f64,
}

fn clear() -> f64 {
    20_000.0
}

fn daylight() -> f64 {
    10_000.0
}

fn one() -> f64 {
    1.0
}

/// Parties of one kind that come by at random, from somewhere on one segment to somewhere on another.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// What they are.
    pub kind: AgentKind,
    /// Mean number of parties in an hour.
    pub per_hour: f64,
    /// Least and greatest size of a party.
    pub count: [usize; 2],
    /// Range of speeds.
    pub speed_mps: [f64; 2],
    /// Where they come from.
    pub from_m: [Point; 2],
    /// Where they go.
    pub to_m: [Point; 2],
    /// Standard deviation of the slow sideways wander about the way.
    #[serde(default)]
    pub wander_m: f64,
}

/// What a good gateway makes of a scenario; checked by a test with seed 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expectation {
    /// Crossings of people and vehicles, at least.
    pub crossings_at_least: usize,
    /// Share of them that is reported, at least.
    pub found_at_least: f64,
    /// Alerts about movement that no crossing stands behind, at most.
    pub nuisance_at_most: usize,
    /// Alerts about a sensor's health, at least.
    pub health_alerts_at_least: usize,
    /// Possible needs of help that are flagged, at least.
    pub humanitarian_at_least: usize,
    /// Radio frames that are not taken in, at least.
    pub refused_at_least: u64,
    /// Times the gateway starts again.
    pub restarts: usize,
    /// Kinds of alerts that are raised.
    pub raises: Vec<AlertKind>,
    /// Kinds of alerts that are not.
    pub never: Vec<AlertKind>,
}

impl Default for Expectation {
    fn default() -> Self {
        Self {
            crossings_at_least: 0,
            found_at_least: 0.0,
            nuisance_at_most: usize::MAX,
            health_alerts_at_least: 0,
            humanitarian_at_least: 0,
            refused_at_least: 0,
            restarts: 0,
            raises: Vec::new(),
            never: Vec::new(),
        }
    }
}

/// The site frame and its name.
#[derive(Clone, Debug)]
pub struct Site {
    /// Gateway's name.
    pub id: String,
    /// Latitude of the origin, degrees.
    pub lat: f64,
    /// Longitude of the origin, degrees.
    pub lon: f64,
    /// IANA time zone.
    pub timezone: Option<String>,
}

/// A zone or a line of the gateway's configuration.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Name.
    pub name: String,
    /// Kind, as the gateway knows it; lines of kind "border" make the truth's crossings.
    pub kind: String,
    /// Which crossings of a border matter, as the gateway spells it; none: both.
    pub direction: Option<String>,
    /// Its shape.
    pub shape: ZoneShape,
}

/// Shape of a zone.
#[derive(Clone, Debug)]
pub enum ZoneShape {
    /// A chain of points; "in" is from its left to its right.
    Line(Vec<Point>),
    /// A polygon.
    Polygon(Vec<Point>),
}

/// What kind of thing moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentKind {
    /// A person on foot whose crossing is to be found.
    Person,
    /// A car or van.
    Vehicle,
    /// A roe deer.
    Deer,
    /// A wild boar.
    Boar,
    /// The own patrol.
    Patrol,
    /// A farmer at work.
    Farmer,
}

/// A party that moves along a route.
#[derive(Clone, Debug)]
pub struct Agent {
    /// What they are.
    pub kind: AgentKind,
    /// How many; they follow each other.
    pub count: usize,
    /// Distance between them.
    pub spacing_m: f64,
    /// Start, drawn from this range of seconds after the scenario's beginning.
    pub start_s: [f64; 2],
    /// Speed, drawn from this range.
    pub speed_mps: [f64; 2],
    /// The way.
    pub route_m: Vec<Point>,
    /// Standard deviation by which each seed moves the way's points.
    pub route_sd_m: f64,
    /// Standard deviation of the slow sideways wander about the way.
    pub wander_m: f64,
    /// The own unit that they are; its first member carries the radio that tells its position.
    pub unit: Option<String>,
    /// Time between two of its reported positions.
    pub position_every_s: f64,
}

/// What happens to a report between sensor and gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Probability that a report never arrives.
    pub loss: f64,
    /// Range of delays, uniform.
    pub delay_s: [f64; 2],
    /// Standard deviation of the sensors' clock offsets.
    pub clock_offset_sd_s: f64,
    /// Standard deviation of the sensors' clock drifts.
    pub clock_drift_sd_ppm: f64,
    /// Probability that a report arrives twice.
    pub duplicated: f64,
    /// Probability that a report arrives with a damaged byte.
    pub corrupted: f64,
    /// Spans in which nothing gets through; it arrives afterwards.
    pub outages_s: Vec<[f64; 2]>,
}

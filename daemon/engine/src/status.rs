//! What the engine counts and lists about its own work, for `status` and metrics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vedette_tracker::{SensorEstimate, Timestamp};

use crate::Alert;
use crate::budget::{Load, SensorWorth, Worth};
use crate::codec::Fault;
use crate::pace::Pace;
use crate::refusals::Refusals;
use crate::rules::Tamper;
use crate::weather::WeatherNow;

/// Counters by name, some with one label: `frames{codec="native"}`. The names are stable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counters(BTreeMap<String, u64>);

impl Counters {
    /// Adds to a counter.
    pub(crate) fn add(&mut self, name: &str, count: u64) {
        if count == 0 {
            return;
        }
        match self.0.get_mut(name) {
            Some(value) => *value = value.saturating_add(count),
            None => {
                self.0.insert(name.to_owned(), count);
            }
        }
    }

    /// Adds to a counter with a label; the label's values must be few.
    pub(crate) fn add_labelled(&mut self, name: &str, label: &str, value: &str, count: u64) {
        self.add(&format!("{name}{{{label}=\"{value}\"}}"), count);
    }

    /// The value of a counter, 0 when it never counted.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// All counters that ever counted, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

/// A sensor that sends but is not configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownSensor {
    /// Its name, or the number of its node, as it sends it.
    pub id: String,
    /// The codec that read it.
    pub codec: String,
    /// Messages since the start.
    pub messages: u64,
    /// The last of them.
    pub last_heard: Timestamp,
}

impl UnknownSensor {
    /// The lines of a configuration that would admit it, with what only a person can know left to be filled in.
    #[must_use]
    pub fn configuration(&self) -> String {
        let name = self.id.escape_default();
        if let Some(node) = self.id.strip_prefix("node ").filter(|_| self.codec == "wire") {
            return format!(
                "[[sensor]]\nid = \"node-{node}\"\nkind = \"pir\"        # or \"seismic\", \"tripwire\"\nnode = {node}\n{PLACE}\n"
            );
        }
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let id: String = self.id.chars().take(64).map(allowed).collect();
        let id = if id.trim_matches('-').is_empty() { "unnamed" } else { id.trim_matches('-') };
        let aliases = if id == self.id { String::new() } else { format!("aliases = [\"{name}\"]\n") };
        let kind = match self.codec.as_str() {
            "onvif" | "axis" | "frigate" => "kind = \"camera\"\n",
            "kraken" | "kraken_csv" => "kind = \"rf\"\n",
            "chirpstack" => {
                "kind = \"pir\"        # or another\nuplink = { detection = \"motion\" }        # the field that means a detection\n"
            }
            "sapient" | "native" => "kind = \"radar\"        # or another\n",
            _ => "kind = \"pir\"        # or another\n",
        };
        let coverage = match self.codec.as_str() {
            "onvif" | "axis" => CAMERA,
            "frigate" => FRIGATE,
            "sapient" | "native" => "coverage = { shape = \"circle\", radius_m = 1000.0 }\n",
            _ => "",
        };
        format!("[[sensor]]\nid = \"{id}\"\n{kind}{aliases}{PLACE}\n{coverage}")
    }
}

const PLACE: &str = "position = { east_m = 0.0, north_m = 0.0 }        # where it stands";
const CAMERA: &str = "coverage = { shape = \"sector\", range_m = 200.0, heading_deg = 0.0, width_deg = 60.0 }        # its field of view\n";
const FRIGATE: &str = "coverage = { shape = \"sector\", range_m = 200.0, heading_deg = 0.0, width_deg = 60.0 }        # its field of view\n\
     camera = { image_px = [1280, 720] }        # of the stream that Frigate detects in\n";

/// What is known of a configured sensor's health.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SensorStatus {
    /// Its name.
    pub id: String,
    /// When it was last heard.
    pub last_heard: Option<Timestamp>,
    /// Messages used since the start.
    pub messages: u64,
    /// Plots used since the start.
    pub plots: u64,
    /// Battery voltage, where it tells.
    pub battery_mv: Option<u16>,
    /// The node says that its battery is low.
    pub battery_low: bool,
    /// Last tamper report: what, when it was reported, when it happened.
    pub(crate) tamper: Option<(Tamper, Timestamp, Timestamp)>,
    /// Its reports that were refused for their time since the last one that was used.
    #[serde(default)]
    pub(crate) refusals: Option<Refusals>,
    /// When its node last told its state, as nodes do at regular times.
    #[serde(default)]
    pub(crate) told_at: Option<Timestamp>,
    /// Whether it says, too, when it sees nothing, by the format of its last report; none before it has been heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tells_of_quiet: Option<bool>,
    /// How often it reports.
    pub(crate) pace: Pace,
    /// Temperature, where it tells.
    pub temperature_c: Option<f64>,
    /// What the tracker has learned of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<SensorEstimate>,
}

/// Everything `status` shows of an engine. Reading it changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The engine's time.
    pub now: Timestamp,
    /// Counters since the start.
    pub counters: Counters,
    /// The configured sensors, in their order.
    pub sensors: Vec<SensorStatus>,
    /// Sensors that send but are not configured.
    pub unknown_sensors: Vec<UnknownSensor>,
    /// The newest faults in messages, oldest first, with the codec that found them.
    pub recent_faults: Vec<(Timestamp, String, Fault)>,
    /// Standard deviation of the gateway's clock in seconds, when it was told.
    pub clock_sd_s: Option<f64>,
    /// Alerts that are open.
    pub open_alerts: usize,
    /// Open alerts that operators shelved.
    #[serde(default)]
    pub shelved: Vec<Shelved>,
    /// How the alerts of the last day were spread, as one operator has them.
    #[serde(default)]
    pub load: Load,
    /// What operators closed alerts as.
    #[serde(default)]
    pub worth: Worth,
    /// Alerts that asked for attention and that nobody has closed with a judgement.
    #[serde(default)]
    pub unjudged: u64,
    /// The sensors behind alerts that were worth nothing, the worst first, with what would help the worst of them.
    #[serde(default)]
    pub nuisance: Vec<SensorWorth>,
    /// The weather, while a station is heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weather: Option<WeatherNow>,
    /// Tracks confirmed now.
    pub confirmed_tracks: usize,
}

/// A shelved alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelved {
    /// The alert.
    pub id: String,
    /// When it shows again.
    pub until: Option<Timestamp>,
    /// What it says.
    pub text: String,
}

impl Shelved {
    pub(crate) fn of(alert: &Alert) -> Self {
        Self { id: alert.id.clone(), until: alert.shelved_until, text: alert.text.clone() }
    }
}

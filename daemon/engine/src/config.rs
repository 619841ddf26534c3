//! The part of the configuration the engine works with, as typed in TOML; the gateway adds sources, sinks and store.
//!
//! Two steps: these structs hold what was typed (unknown keys are errors), and are converted once into what is meant.

use serde::{Deserialize, Serialize};

/// Site, sensors, zones, tracker and rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineConfig {
    /// The site.
    pub site: Site,
    /// The sensors.
    #[serde(default)]
    pub sensor: Vec<Sensor>,
    /// Zones and lines.
    #[serde(default)]
    pub zone: Vec<Zone>,
    /// Filter settings.
    #[serde(default)]
    pub tracker: vedette_tracker::TrackerConfig,
}

/// The place a gateway stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Name of the gateway: MQTT client id and topic level.
    pub id: String,
    /// Origin of the site frame.
    pub origin: LatLon,
    /// IANA time zone for schedules and texts.
    #[serde(default)]
    pub timezone: Option<String>,
}

/// WGS 84 degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatLon {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lon: f64,
}

/// One sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    /// Name.
    pub id: String,
}

/// One zone or line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Name.
    pub name: String,
}

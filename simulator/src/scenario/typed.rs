//! A scenario file as typed: unknown keys are errors, nothing is checked beyond types yet.

use serde::Deserialize;
use toml::Spanned;

use crate::geometry::Point;
use crate::scenario::{AgentKind, SensorKind};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) scenario: Spanned<Header>,
    pub(super) site: Spanned<Site>,
    #[serde(default)]
    pub(super) channel: Channels,
    #[serde(default)]
    pub(super) weather: Vec<Spanned<super::Weather>>,
    #[serde(default)]
    pub(super) forest: Vec<Spanned<Forest>>,
    #[serde(default)]
    pub(super) river: Vec<Spanned<super::River>>,
    #[serde(default)]
    pub(super) road: Vec<Spanned<super::Road>>,
    #[serde(default)]
    pub(super) attack: Vec<Spanned<super::Attack>>,
    #[serde(default)]
    pub(super) traffic: Vec<Spanned<super::Traffic>>,
    #[serde(default)]
    pub(super) expect: super::Expectation,
    #[serde(default)]
    pub(super) zone: Vec<Spanned<Zone>>,
    #[serde(default)]
    pub(super) sensor: Vec<Spanned<Sensor>>,
    #[serde(default)]
    pub(super) agent: Vec<Spanned<Agent>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) begins: Option<jiff::Timestamp>,
    pub(super) duration_s: f64,
    #[serde(default)]
    pub(super) power_lost_s: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    pub(super) id: String,
    pub(super) origin: LatLon,
    pub(super) timezone: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatLon {
    pub(super) lat: f64,
    pub(super) lon: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Channels {
    pub(super) radio: Option<Spanned<Channel>>,
    pub(super) broker: Option<Spanned<Channel>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Channel {
    pub(super) loss: f64,
    pub(super) delay_s: [f64; 2],
    pub(super) clock_offset_sd_s: f64,
    pub(super) clock_drift_sd_ppm: f64,
    pub(super) duplicated: f64,
    pub(super) corrupted: f64,
    pub(super) outages_s: Vec<[f64; 2]>,
    pub(super) spreading_factor: u8,
    pub(super) channels: usize,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            loss: 0.0,
            delay_s: [0.05, 0.05],
            clock_offset_sd_s: 0.0,
            clock_drift_sd_ppm: 0.0,
            duplicated: 0.0,
            corrupted: 0.0,
            outages_s: Vec::new(),
            spreading_factor: 7,
            channels: 3,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forest {
    pub(super) points_m: Vec<Point>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Zone {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) line_m: Option<Vec<Point>>,
    pub(super) points_m: Option<Vec<Point>>,
    pub(super) direction: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sensor {
    pub(super) id: String,
    pub(super) kind: SensorKind,
    pub(super) node: Option<u32>,
    pub(super) row: Option<Row>,
    pub(super) position_m: Option<Point>,
    pub(super) coverage: Coverage,
    pub(super) measures: Option<super::Measures>,
    pub(super) scan_period_s: Option<f64>,
    pub(super) reports_empty_scans: Option<bool>,
    pub(super) detection_probability: Option<f64>,
    pub(super) clutter_per_scan: Option<f64>,
    pub(super) false_alarms_per_hour: Option<f64>,
    pub(super) rearm_s: Option<f64>,
    pub(super) position_sd_m: Option<f64>,
    pub(super) range_sd_m: Option<f64>,
    pub(super) azimuth_sd_deg: Option<f64>,
    pub(super) silent_after_s: Option<f64>,
    #[serde(default)]
    pub(super) classifies: bool,
    #[serde(default = "yes")]
    pub(super) sees_in_dark: bool,
    pub(super) fault: Option<super::Fault>,
    pub(super) clock_step: Option<super::ClockStep>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) count: usize,
    pub(super) step_m: Point,
    #[serde(default)]
    pub(super) scatter_m: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase", tag = "shape")]
pub(super) enum Coverage {
    Circle {
        radius_m: f64,
    },
    Sector {
        range_m: f64,
        #[serde(default)]
        min_range_m: f64,
        heading_deg: f64,
        width_deg: f64,
    },
    Polygon {
        points_m: Vec<Point>,
    },
    Line {
        from_m: Point,
        to_m: Point,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agent {
    pub(super) kind: AgentKind,
    #[serde(default = "one")]
    pub(super) count: usize,
    #[serde(default)]
    pub(super) spacing_m: f64,
    pub(super) start_s: [f64; 2],
    pub(super) speed_mps: [f64; 2],
    pub(super) route_m: Vec<Point>,
    #[serde(default)]
    pub(super) route_sd_m: f64,
    #[serde(default)]
    pub(super) wander_m: f64,
    pub(super) unit: Option<String>,
    #[serde(default = "ten")]
    pub(super) position_every_s: f64,
}

fn one() -> usize {
    1
}

fn ten() -> f64 {
    10.0
}

fn yes() -> bool {
    true
}

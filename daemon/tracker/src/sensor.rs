//! What the tracker knows of a sensor: where it stands, what it covers, how well and how often it sees.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

/// The physical kind of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SensorKind {
    /// Scanning radar (or lidar): positions, or range and bearing.
    Radar,
    /// Camera: bearings, or positions when its ground plane is calibrated.
    Camera,
    /// Passive infrared detector: presence inside a small footprint.
    Pir,
    /// Geophone: presence inside a footprint, with a strength.
    Seismic,
    /// Beam, wire or fence segment: crossings of a line.
    Tripwire,
    /// Radio direction finder or signal-strength receiver.
    Rf,
    /// Microphone array: bearings or presence.
    Acoustic,
}

/// The ground a sensor observes, in metres of the site frame.
///
/// Circles and sectors are relative to the sensor's position (or to where a mobile sensor stood).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "shape")]
pub enum Coverage {
    /// A disc around the sensor.
    Circle {
        /// Radius of the disc.
        radius_m: f64,
    },
    /// A ring sector around the sensor.
    Sector {
        /// Outer radius.
        range_m: f64,
        /// Inner radius.
        min_range_m: f64,
        /// Direction of the middle, clockwise from north.
        heading_rad: f64,
        /// Full opening angle.
        width_rad: f64,
    },
    /// A simple polygon in the site frame.
    Polygon {
        /// Corners in order, each `[east, north]`.
        points_m: Vec<[f64; 2]>,
    },
    /// A segment in the site frame; "in" is from its left to its right, seen from `from_m` towards `to_m`.
    Line {
        /// Start of the segment.
        from_m: [f64; 2],
        /// End of the segment.
        to_m: [f64; 2],
    },
}

/// How often a sensor reports what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clutter {
    /// Expected number of false plots in one scan, uniform over the coverage.
    PerScan(f64),
    /// Expected number of false reports in one hour.
    PerHour(f64),
}

/// One sensor as the tracker models it. Where a value was not configured, the kind's default stands here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorModel {
    /// The configured name.
    pub id: String,
    /// Its physical kind.
    pub kind: SensorKind,
    /// Where it stands (site frame, metres); the reference point of a line is its middle.
    pub position_m: Vector2<f64>,
    /// What it observes.
    pub coverage: Coverage,
    /// Whether it moves: its scans then carry a [`crate::Pose`].
    pub mobile: bool,
    /// Time between two scans, for sensors that scan.
    pub scan_period_s: Option<f64>,
    /// Whether a scan that saw nothing is reported too; otherwise silence after the scan's time means "saw nothing".
    pub reports_empty_scans: bool,
    /// Probability of detection: per scan; for PIR and seismic per second inside; for a tripwire per crossing.
    pub detection_probability: f64,
    /// False reports.
    pub clutter: Clutter,
    /// After a report, the time in which the sensor cannot report again.
    pub rearm_s: f64,
    /// Standard deviation of a position, per axis.
    pub position_sd_m: f64,
    /// Standard deviation of a range.
    pub range_sd_m: f64,
    /// Standard deviation of a bearing.
    pub azimuth_sd_rad: f64,
    /// Standard deviation of a range rate.
    pub range_rate_sd_mps: f64,
    /// Usual time from measurement to arrival at the gateway.
    pub latency_s: f64,
    /// How old what a plot shows is at the time it is stamped with: a rotation and the processing of a radar.
    pub plot_age_s: f64,
    /// Time in which the errors of this sensor stay alike: scans nearer than this repeat each other rather than add.
    /// Zero for independent errors.
    pub error_correlation_s: f64,
    /// Whether its plots may begin tracks; otherwise they only serve tracks that others began.
    pub initiates: bool,
}

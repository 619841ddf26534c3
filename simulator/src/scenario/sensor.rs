//! What stands on the ground: kinds of sensors, what each covers and reports of nothing, and its defects.

use serde::{Deserialize, Serialize};

use crate::geometry::Point;

/// The physical kind of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SensorKind {
    /// Scanning radar.
    Radar,
    /// Camera with a detector.
    Camera,
    /// Passive infrared detector.
    Pir,
    /// Geophone.
    Seismic,
    /// Beam, wire or fence segment.
    Tripwire,
}

impl SensorKind {
    /// As the configuration spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Radar => "radar",
            Self::Camera => "camera",
            Self::Pir => "pir",
            Self::Seismic => "seismic",
            Self::Tripwire => "tripwire",
        }
    }
}

/// What the plots of a scanning sensor say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measures {
    /// East and north.
    Position,
    /// Range and azimuth.
    RangeBearing,
    /// Azimuth alone.
    Bearing,
}

/// The ground a sensor observes.
#[derive(Clone, Debug, PartialEq)]
pub enum Coverage {
    /// A disc around the sensor.
    Circle {
        /// Radius.
        radius_m: f64,
    },
    /// A ring sector around the sensor.
    Sector {
        /// Outer radius.
        range_m: f64,
        /// Inner radius.
        min_range_m: f64,
        /// Direction of the middle.
        heading_deg: f64,
        /// Full opening angle.
        width_deg: f64,
    },
    /// A polygon in the site frame.
    Polygon {
        /// Corners.
        points_m: Vec<Point>,
    },
    /// A segment in the site frame.
    Line {
        /// Start.
        from_m: Point,
        /// End.
        to_m: Point,
    },
}

/// How often a sensor reports what is not there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clutter {
    /// Mean of false plots in a scan, uniform over the coverage.
    PerScan(f64),
    /// Mean of false reports in an hour.
    PerHour(f64),
}

/// One sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensor {
    /// Name.
    pub id: String,
    /// Physical kind.
    pub kind: SensorKind,
    /// Radio node it is part of; none: it speaks to the broker.
    pub node: Option<u32>,
    /// Where it stands; the middle of a line.
    pub position_m: Point,
    /// What it observes.
    pub coverage: Coverage,
    /// What its plots say, if it scans.
    pub measures: Measures,
    /// Time between scans, if it scans.
    pub scan_period_s: Option<f64>,
    /// Whether a scan that saw nothing is reported.
    pub reports_empty_scans: bool,
    /// Per scan; PIR and seismic: per second inside; tripwire: per crossing.
    pub detection_probability: f64,
    /// False reports.
    pub clutter: Clutter,
    /// After a report, the time it cannot report again.
    pub rearm_s: f64,
    /// Standard deviation of a position, per axis.
    pub position_sd_m: f64,
    /// Standard deviation of a range.
    pub range_sd_m: f64,
    /// Standard deviation of a bearing.
    pub azimuth_sd_deg: f64,
    /// Silence after which the gateway may wonder; none: its default.
    pub silent_after_s: Option<f64>,
    /// Whether its plots say what the object may be.
    pub classifies: bool,
    /// Whether a camera sees by the objects' own warmth, or needs light.
    pub sees_in_dark: bool,
    /// What is wrong with it, and when.
    pub fault: Option<Fault>,
    /// A jump of its clock.
    pub clock_step: Option<ClockStep>,
}

impl Sensor {
    /// One that is known by what it is, what it observes and what it reports of nothing; the rest as usual, its name and place to come.
    pub(crate) fn plain(kind: SensorKind, coverage: Coverage, clutter: Clutter) -> Self {
        Self {
            id: String::new(),
            kind,
            node: None,
            position_m: [0.0; 2],
            coverage,
            measures: Measures::Bearing,
            scan_period_s: None,
            reports_empty_scans: false,
            detection_probability: 0.9,
            clutter,
            rearm_s: 0.0,
            position_sd_m: 5.0,
            range_sd_m: 5.0,
            azimuth_sd_deg: 0.4,
            silent_after_s: None,
            classifies: false,
            sees_in_dark: true,
            fault: None,
            clock_step: None,
        }
    }
}

/// A defect of a sensor during a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// From this second on.
    pub from_s: f64,
    /// Until this second; for ever when absent.
    #[serde(default = "for_ever")]
    pub to_s: f64,
}

impl Fault {
    /// The sensor never speaks again: its battery is empty or it is gone.
    #[must_use]
    pub fn is_final_silence(&self) -> bool {
        self.kind == FaultKind::Dead && self.to_s.is_infinite()
    }
}

fn for_ever() -> f64 {
    f64::INFINITY
}

/// What can be wrong with a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultKind {
    /// It says nothing at all.
    Dead,
    /// It says the same again and again: its detector hangs.
    Stuck,
    /// It fires at random, every few seconds: a loose contact, water in the housing.
    Chattering,
}

/// A jump of a sensor's clock.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    /// When.
    pub at_s: f64,
    /// By how much.
    pub by_s: f64,
}

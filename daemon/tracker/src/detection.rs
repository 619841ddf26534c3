//! What sensors say: one scan of one sensor, its detections in the site frame.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Probabilities of what an object is; they sum to one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassProbabilities {
    /// A person or a group on foot.
    pub person: f64,
    /// An animal.
    pub animal: f64,
    /// A vehicle.
    pub vehicle: f64,
}

/// Which way a line was crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the left to the right of the line, seen from its start towards its end.
    In,
    /// From the right to the left.
    Out,
}

/// Where a mobile sensor stood at the time of its scan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Position in the site frame.
    pub position_m: Vector2<f64>,
    /// Heading clockwise from north, when known.
    pub heading_rad: Option<f64>,
    /// Standard deviation of the position per axis.
    pub sd_m: f64,
}

/// What was measured, with standard deviations already resolved (the plot's own, else the sensor's).
/// Angles are clockwise from north, in (-pi, pi].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Measurement {
    /// A position.
    Position {
        /// East and north, metres.
        position_m: Vector2<f64>,
        /// Covariance, m²; symmetric positive definite.
        covariance_m2: Matrix2<f64>,
    },
    /// Range and bearing from the sensor.
    RangeBearing {
        /// Distance.
        range_m: f64,
        /// Its standard deviation.
        range_sd_m: f64,
        /// Direction.
        azimuth_rad: f64,
        /// Its standard deviation.
        azimuth_sd_rad: f64,
        /// Radial speed and its standard deviation, positive when moving away.
        range_rate_mps: Option<(f64, f64)>,
    },
    /// A direction from the sensor.
    Bearing {
        /// Direction.
        azimuth_rad: f64,
        /// Its standard deviation.
        azimuth_sd_rad: f64,
    },
    /// A distance from the sensor.
    Range {
        /// Distance.
        range_m: f64,
        /// Its standard deviation.
        range_sd_m: f64,
    },
    /// Something inside the sensor's coverage.
    Presence {
        /// Signal strength in the sensor's own units, when it reports one.
        strength: Option<f64>,
    },
    /// Something crossed the sensor's line.
    Crossing {
        /// Which way, when the sensor can tell.
        direction: Option<Direction>,
    },
}

/// One report of one object (or of none: clutter).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// What was measured.
    pub measurement: Measurement,
    /// What the sensor thinks it is.
    pub class: Option<ClassProbabilities>,
    /// The sensor's own confidence that it is real, 0 to 1.
    pub confidence: Option<f64>,
    /// A number for the object, from a sensor that follows objects itself: a hint, see `hint.rs`. Sensors exchange and
    /// reuse these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<u64>,
}

/// Everything one sensor reported for one moment; an empty list means it looked and saw nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    /// Index of the sensor in the tracker's list.
    pub sensor: usize,
    /// Time of the measurement, corrected to the gateway's clock as far as known.
    pub time: Timestamp,
    /// Where a mobile sensor stood.
    pub at: Option<Pose>,
    /// The detections, in the sensor's order; the order carries no meaning.
    pub detections: Vec<Detection>,
}

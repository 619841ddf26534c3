//! What the tracker believes: tracks, and what each sensor contributed to them.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};
use tinyvec::ArrayVec;

use crate::{ClassProbabilities, Timestamp};

/// A track's number, counted up from 1 and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackId(pub u64);

/// How sure the tracker is that a track is an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrackStatus {
    /// Maybe an object.
    Tentative,
    /// An object, reported.
    Confirmed,
}

/// What one sensor's recent report did to a track: the record behind `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// Index of the sensor.
    pub sensor: usize,
    /// Time of its last associated detection.
    pub time: Timestamp,
    /// Number of detections associated (in expectation).
    pub detections: f64,
    /// Innovation of the last one, in the measurement's units (one to three components).
    pub innovation: ArrayVec<[f64; 3]>,
    /// Its covariance, row by row.
    pub innovation_covariance: ArrayVec<[f64; 9]>,
    /// Normalised innovation squared.
    pub test_ratio: f64,
    /// Sum of this sensor's log-likelihood ratios for the track existing.
    pub log_likelihood: f64,
}

/// One object as the tracker sees it at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Its number.
    pub id: TrackId,
    /// Tentative or confirmed.
    pub status: TrackStatus,
    /// No detection was associated for longer than its sensors' usual interval.
    pub coasting: bool,
    /// Time of the first associated detection.
    pub first_seen: Timestamp,
    /// Time of the last associated detection.
    pub last_seen: Timestamp,
    /// Position in the site frame.
    pub position_m: Vector2<f64>,
    /// Its covariance.
    pub position_covariance_m2: Matrix2<f64>,
    /// Whether the position is certain enough to be given as a point; otherwise it is a zone.
    pub localised: bool,
    /// Velocity, east and north.
    pub velocity_mps: Vector2<f64>,
    /// Its covariance.
    pub velocity_covariance_m2ps2: Matrix2<f64>,
    /// Probability that the object exists.
    pub existence: f64,
    /// What it is.
    pub class: ClassProbabilities,
    /// How many objects move together here: a 95 % range, low and high.
    pub count: (u32, u32),
    /// What each sensor contributed, by sensor index.
    pub contributions: Vec<Contribution>,
    /// Sensors whose coverage holds the track with high probability and that stayed silent, by index.
    pub silent: Vec<usize>,
}

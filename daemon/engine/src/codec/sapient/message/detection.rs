//! What a node sees.

use super::{Location, RangeBearing, Timestamp};

/// What a node sees.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DetectionReport {
    /// A ULID.
    #[prost(string, optional, tag = "1")]
    pub report_id: Option<String>,
    /// The object, a ULID.
    #[prost(string, optional, tag = "2")]
    pub object_id: Option<String>,
    /// For one that ends: `"lost"`.
    #[prost(string, optional, tag = "4")]
    pub state: Option<String>,
    /// Where, as seen from the node ..
    #[prost(message, optional, tag = "5")]
    pub range_bearing: Option<RangeBearing>,
    /// .. or on the globe.
    #[prost(message, optional, tag = "6")]
    pub location: Option<Location>,
    /// Probability that it is real.
    #[prost(float, optional, tag = "7")]
    pub detection_confidence: Option<f32>,
    /// Whatever else is known of the track.
    #[prost(message, repeated, tag = "8")]
    pub track_info: Vec<TrackObjectInfo>,
    /// Whatever else is known of the object.
    #[prost(message, repeated, tag = "10")]
    pub object_info: Vec<TrackObjectInfo>,
    /// What it is.
    #[prost(message, repeated, tag = "11")]
    pub classification: Vec<Classification>,
    /// What it was made from.
    #[prost(message, repeated, tag = "15")]
    pub associated_detection: Vec<AssociatedDetection>,
    /// How fast it moves.
    #[prost(message, optional, tag = "19")]
    pub enu_velocity: Option<EnuVelocity>,
}

/// One more thing about an object.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TrackObjectInfo {
    /// What.
    #[prost(string, optional, tag = "1")]
    pub r#type: Option<String>,
    /// How much.
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

/// What an object is.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Classification {
    /// The class.
    #[prost(string, optional, tag = "1")]
    pub r#type: Option<String>,
    /// Its probability.
    #[prost(float, optional, tag = "2")]
    pub confidence: Option<f32>,
}

/// A detection that others are made from.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AssociatedDetection {
    /// When.
    #[prost(message, optional, tag = "1")]
    pub timestamp: Option<Timestamp>,
    /// Whose.
    #[prost(string, optional, tag = "2")]
    pub node_id: Option<String>,
    /// Of which object.
    #[prost(string, optional, tag = "3")]
    pub object_id: Option<String>,
    /// See [`association_relation`].
    #[prost(int32, optional, tag = "4")]
    pub association_type: Option<i32>,
}

/// How detections belong together.
pub mod association_relation {
    /// The other is what this was made from.
    pub const CHILD: i32 = 3;
}

/// How fast an object moves, metres a second.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct EnuVelocity {
    /// Eastwards.
    #[prost(double, optional, tag = "1")]
    pub east_rate: Option<f64>,
    /// Northwards.
    #[prost(double, optional, tag = "2")]
    pub north_rate: Option<f64>,
    /// Standard deviation eastwards.
    #[prost(double, optional, tag = "4")]
    pub east_rate_error: Option<f64>,
    /// Standard deviation northwards.
    #[prost(double, optional, tag = "5")]
    pub north_rate_error: Option<f64>,
}

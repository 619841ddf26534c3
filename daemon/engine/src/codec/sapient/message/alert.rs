//! What people should look at, and what becomes of it.

use super::{AssociatedDetection, Location, RangeBearing};

/// What people should look at.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Alert {
    /// A ULID.
    #[prost(string, optional, tag = "1")]
    pub alert_id: Option<String>,
    /// See [`alert_type`].
    #[prost(int32, optional, tag = "2")]
    pub alert_type: Option<i32>,
    /// See [`alert_status`].
    #[prost(int32, optional, tag = "3")]
    pub status: Option<i32>,
    /// For people.
    #[prost(string, optional, tag = "4")]
    pub description: Option<String>,
    /// Where, as seen from the node ..
    #[prost(message, optional, tag = "5")]
    pub range_bearing: Option<RangeBearing>,
    /// .. or on the globe.
    #[prost(message, optional, tag = "6")]
    pub location: Option<Location>,
    /// The zone.
    #[prost(string, optional, tag = "7")]
    pub region_id: Option<String>,
    /// How soon a person must act, see [`alert_priority`].
    #[prost(int32, optional, tag = "8")]
    pub priority: Option<i32>,
    /// Probability that it is real.
    #[prost(float, optional, tag = "10")]
    pub confidence: Option<f32>,
    /// What it is about.
    #[prost(message, repeated, tag = "12")]
    pub associated_detection: Vec<AssociatedDetection>,
    /// Anything else.
    #[prost(string, optional, tag = "13")]
    pub additional_information: Option<String>,
}

/// Kinds of alerts.
pub mod alert_type {
    /// For the record.
    pub const INFORMATION: i32 = 1;
    /// To be looked at.
    pub const WARNING: i32 = 2;
    /// To be acted on.
    pub const CRITICAL: i32 = 3;
    /// Something does not work.
    pub const ERROR: i32 = 4;
}

/// States of alerts.
pub mod alert_status {
    /// Open.
    pub const ACTIVE: i32 = 1;
    /// Seen.
    pub const ACKNOWLEDGE: i32 = 2;
    /// Over.
    pub const CLEAR: i32 = 5;
}

/// How soon a person must act.
pub mod alert_priority {
    /// Today.
    pub const LOW: i32 = 1;
    /// Within the hour.
    pub const MEDIUM: i32 = 2;
    /// Now.
    pub const HIGH: i32 = 3;
}

/// An alert was seen.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AlertAck {
    /// Which.
    #[prost(string, optional, tag = "1")]
    pub alert_id: Option<String>,
    /// Why it is refused.
    #[prost(string, repeated, tag = "4")]
    pub reason: Vec<String>,
    /// See [`alert_ack_status`].
    #[prost(int32, optional, tag = "5")]
    pub alert_ack_status: Option<i32>,
}

/// What becomes of an alert.
pub mod alert_ack_status {
    /// Taken.
    pub const ACCEPTED: i32 = 1;
    /// Refused.
    pub const REJECTED: i32 = 2;
}

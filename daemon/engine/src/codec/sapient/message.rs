//! The messages of SAPIENT (BSI Flex 335 version 2) that are used, by field number; unknown fields are skipped.
//!
//! Nothing about effectors is here: it is neither sent nor acted on.

mod alert;
mod detection;
mod place;
mod registration;
mod status;
mod task;

pub use alert::{Alert, AlertAck, alert_ack_status, alert_priority, alert_status, alert_type};
pub use detection::{
    AssociatedDetection, Classification, DetectionReport, EnuVelocity, TrackObjectInfo, association_relation,
};
pub use place::{Location, RangeBearing, bearing_datum, coordinate_system, location_datum, range_bearing_units};
pub use registration::{
    Capability, ClassDefinition, ConfigurationData, DetectionClassDefinition, DetectionDefinition, Duration,
    EnuVelocityUnits, LocationType, ModeDefinition, NodeDefinition, Registration, RegistrationAck, ReportDefinition,
    StatusDefinition, VelocityType, confidence_definition, mode_type, node_type, report_category, speed_units,
    time_units, tracking_type,
};
pub use status::{Power, StatusReport, info, system};
pub use task::{RegionDefinition, Task, TaskAck, TaskDefinition, region_type, task_status};

/// One message; on TCP its length goes before it as four little-endian bytes.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SapientMessage {
    /// When it was sent.
    #[prost(message, optional, tag = "1")]
    pub timestamp: Option<Timestamp>,
    /// The sender, a lower-case UUID.
    #[prost(string, optional, tag = "2")]
    pub node_id: Option<String>,
    /// The receiver, where it is for one.
    #[prost(string, optional, tag = "3")]
    pub destination_id: Option<String>,
    /// What it says.
    #[prost(oneof = "Content", tags = "4, 5, 6, 7, 8, 9, 10, 11, 12")]
    pub content: Option<Content>,
}

/// What a message says.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Content {
    /// A node introduces itself.
    #[prost(message, tag = "4")]
    Registration(Registration),
    /// It is accepted, or not.
    #[prost(message, tag = "5")]
    RegistrationAck(RegistrationAck),
    /// How a node is.
    #[prost(message, tag = "6")]
    StatusReport(StatusReport),
    /// What a node sees.
    #[prost(message, tag = "7")]
    DetectionReport(DetectionReport),
    /// A node is asked to do something.
    #[prost(message, tag = "8")]
    Task(Task),
    /// Whether it will.
    #[prost(message, tag = "9")]
    TaskAck(TaskAck),
    /// What people should look at.
    #[prost(message, tag = "10")]
    Alert(Alert),
    /// It was seen.
    #[prost(message, tag = "11")]
    AlertAck(AlertAck),
    /// What was wrong with a message.
    #[prost(message, tag = "12")]
    Error(Error),
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Timestamp {
    /// Seconds since 1970.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// And nanoseconds.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// What was wrong with a message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Error {
    /// One line for each violation.
    #[prost(string, repeated, tag = "3")]
    pub error_message: Vec<String>,
}

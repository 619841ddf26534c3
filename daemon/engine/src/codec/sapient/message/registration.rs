//! How a node introduces itself, and whether it is accepted.

use super::TaskDefinition;

/// A node introduces itself.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Registration {
    /// What it is.
    #[prost(message, repeated, tag = "1")]
    pub node_definition: Vec<NodeDefinition>,
    /// Version of the interface.
    #[prost(string, optional, tag = "2")]
    pub icd_version: Option<String>,
    /// Its name.
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    /// The same, shorter.
    #[prost(string, optional, tag = "4")]
    pub short_name: Option<String>,
    /// What it can do.
    #[prost(message, repeated, tag = "5")]
    pub capabilities: Vec<Capability>,
    /// What it says about itself, and how often.
    #[prost(message, optional, tag = "6")]
    pub status_definition: Option<StatusDefinition>,
    /// How it works.
    #[prost(message, repeated, tag = "7")]
    pub mode_definition: Vec<ModeDefinition>,
    /// Who made it.
    #[prost(message, repeated, tag = "10")]
    pub config_data: Vec<ConfigurationData>,
}

/// What a node is.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NodeDefinition {
    /// See [`node_type`].
    #[prost(int32, optional, tag = "1")]
    pub node_type: Option<i32>,
}

/// Kinds of nodes.
pub mod node_type {
    /// Fuses what others see.
    pub const FUSION_NODE: i32 = 20;
}

/// One thing a node can do.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Capability {
    /// Of which sort.
    #[prost(string, optional, tag = "1")]
    pub category: Option<String>,
    /// What.
    #[prost(string, optional, tag = "2")]
    pub r#type: Option<String>,
}

/// What a node says about itself.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StatusDefinition {
    /// How often.
    #[prost(message, optional, tag = "1")]
    pub status_interval: Option<Duration>,
    /// In which coordinates.
    #[prost(message, optional, tag = "2")]
    pub location_definition: Option<LocationType>,
}

/// A time span.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Duration {
    /// See [`time_units`].
    #[prost(int32, optional, tag = "1")]
    pub units: Option<i32>,
    /// How many.
    #[prost(float, optional, tag = "3")]
    pub value: Option<f32>,
}

/// Units of time.
pub mod time_units {
    /// Seconds.
    pub const SECONDS: i32 = 4;
}

/// Which coordinates are meant.
#[derive(Clone, PartialEq, prost::Message)]
pub struct LocationType {
    /// See [`coordinate_system`](super::coordinate_system).
    #[prost(int32, optional, tag = "1")]
    pub location_units: Option<i32>,
    /// See [`location_datum`](super::location_datum).
    #[prost(int32, optional, tag = "3")]
    pub location_datum: Option<i32>,
}

/// How a node works.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ModeDefinition {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub mode_name: Option<String>,
    /// See [`mode_type`].
    #[prost(int32, optional, tag = "2")]
    pub mode_type: Option<i32>,
    /// For people.
    #[prost(string, optional, tag = "3")]
    pub mode_description: Option<String>,
    /// Time until it works.
    #[prost(message, optional, tag = "4")]
    pub settle_time: Option<Duration>,
    /// How late a report may be.
    #[prost(message, optional, tag = "5")]
    pub maximum_latency: Option<Duration>,
    /// Whether it tracks, see [`tracking_type`].
    #[prost(int32, optional, tag = "7")]
    pub tracking_type: Option<i32>,
    /// What it reports.
    #[prost(message, repeated, tag = "10")]
    pub detection_definition: Vec<DetectionDefinition>,
    /// What it can be asked for.
    #[prost(message, optional, tag = "11")]
    pub task: Option<TaskDefinition>,
}

/// Kinds of modes.
pub mod mode_type {
    /// It never changes.
    pub const PERMANENT: i32 = 1;
}

/// Kinds of tracking.
pub mod tracking_type {
    /// Whole tracks.
    pub const TRACK: i32 = 3;
}

/// What a mode reports.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DetectionDefinition {
    /// In which coordinates.
    #[prost(message, optional, tag = "1")]
    pub location_type: Option<LocationType>,
    /// What else is told of each.
    #[prost(message, repeated, tag = "3")]
    pub detection_report: Vec<ReportDefinition>,
    /// As which classes.
    #[prost(message, repeated, tag = "4")]
    pub detection_class_definition: Vec<DetectionClassDefinition>,
    /// In which units velocities are.
    #[prost(message, optional, tag = "6")]
    pub velocity_type: Option<VelocityType>,
}

/// One more field of a detection report (`Registration.DetectionReport`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct ReportDefinition {
    /// Of which part, see [`report_category`].
    #[prost(int32, optional, tag = "1")]
    pub category: Option<i32>,
    /// Its name.
    #[prost(string, optional, tag = "2")]
    pub r#type: Option<String>,
    /// Its units, or the values it takes.
    #[prost(string, optional, tag = "3")]
    pub units: Option<String>,
}

/// Parts of a detection report.
pub mod report_category {
    /// What is known of the object.
    pub const OBJECT: i32 = 3;
}

/// Units of velocities.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct VelocityType {
    /// East and north.
    #[prost(message, optional, tag = "4")]
    pub enu_velocity_units: Option<EnuVelocityUnits>,
    /// See [`location_datum`](super::location_datum).
    #[prost(int32, optional, tag = "6")]
    pub location_datum: Option<i32>,
}

/// Units of a velocity by axis.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct EnuVelocityUnits {
    /// See [`speed_units`].
    #[prost(int32, optional, tag = "1")]
    pub east_north_rate_units: Option<i32>,
}

/// Units of speed.
pub mod speed_units {
    /// Metres a second.
    pub const METRES_A_SECOND: i32 = 1;
}

/// Classes a node tells apart.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DetectionClassDefinition {
    /// Whether one or several are told with their probabilities, see [`confidence_definition`].
    #[prost(int32, optional, tag = "1")]
    pub confidence_definition: Option<i32>,
    /// The classes.
    #[prost(message, repeated, tag = "3")]
    pub class_definition: Vec<ClassDefinition>,
}

/// How classes are told.
pub mod confidence_definition {
    /// Several, each with its probability.
    pub const MULTI_CLASS: i32 = 2;
}

/// One class.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ClassDefinition {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub r#type: Option<String>,
}

/// Who made a node.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ConfigurationData {
    /// Who.
    #[prost(string, tag = "1")]
    pub manufacturer: String,
    /// What.
    #[prost(string, tag = "2")]
    pub model: String,
    /// Version of the software.
    #[prost(string, optional, tag = "5")]
    pub software_version: Option<String>,
}

/// Whether a node is accepted.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RegistrationAck {
    /// Whether it is.
    #[prost(bool, optional, tag = "1")]
    pub acceptance: Option<bool>,
    /// Why not.
    #[prost(string, repeated, tag = "3")]
    pub ack_response_reason: Vec<String>,
}

//! The messages of SAPIENT (BSI Flex 335 version 2) that are used, by field number; unknown fields are skipped.
//!
//! Nothing about effectors is here: it is neither sent nor acted on.

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
    #[prost(oneof = "Content", tags = "4, 5, 6, 7, 10, 11, 12")]
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
    /// See [`coordinate_system`].
    #[prost(int32, optional, tag = "1")]
    pub location_units: Option<i32>,
    /// See [`location_datum`].
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
    /// As which classes.
    #[prost(message, repeated, tag = "4")]
    pub detection_class_definition: Vec<DetectionClassDefinition>,
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

/// How a node is.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StatusReport {
    /// A ULID.
    #[prost(string, optional, tag = "1")]
    pub report_id: Option<String>,
    /// See [`system`].
    #[prost(int32, optional, tag = "2")]
    pub system: Option<i32>,
    /// Whether it says something new, see [`info`].
    #[prost(int32, optional, tag = "3")]
    pub info: Option<i32>,
    /// Name of the mode.
    #[prost(string, optional, tag = "5")]
    pub mode: Option<String>,
    /// Its power.
    #[prost(message, optional, tag = "6")]
    pub power: Option<Power>,
    /// Where it is.
    #[prost(message, optional, tag = "7")]
    pub node_location: Option<Location>,
}

/// States of a node.
pub mod system {
    /// It works.
    pub const OK: i32 = 1;
    /// It goes.
    pub const GOODBYE: i32 = 5;
}

/// Whether a status is new.
pub mod info {
    /// It is.
    pub const NEW: i32 = 1;
    /// It is as before.
    pub const UNCHANGED: i32 = 2;
}

/// A node's power.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Power {
    /// Percent.
    #[prost(int32, optional, tag = "3")]
    pub level: Option<i32>,
    /// 2 is a fault.
    #[prost(int32, optional, tag = "5")]
    pub status: Option<i32>,
}

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

/// A place on the globe; the errors are in the units of the coordinates.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Location {
    /// Longitude, or east.
    #[prost(double, optional, tag = "1")]
    pub x: Option<f64>,
    /// Latitude, or north.
    #[prost(double, optional, tag = "2")]
    pub y: Option<f64>,
    /// Height, metres.
    #[prost(double, optional, tag = "3")]
    pub z: Option<f64>,
    /// Standard deviation of `x`.
    #[prost(double, optional, tag = "4")]
    pub x_error: Option<f64>,
    /// Standard deviation of `y`.
    #[prost(double, optional, tag = "5")]
    pub y_error: Option<f64>,
    /// See [`coordinate_system`].
    #[prost(int32, optional, tag = "7")]
    pub coordinate_system: Option<i32>,
    /// See [`location_datum`].
    #[prost(int32, optional, tag = "8")]
    pub datum: Option<i32>,
    /// Number and band, for the grid: `34U`.
    #[prost(string, optional, tag = "9")]
    pub utm_zone: Option<String>,
}

/// Coordinates of places.
pub mod coordinate_system {
    /// Longitude and latitude in degrees.
    pub const DEGREES: i32 = 1;
    /// The same in radians.
    pub const RADIANS: i32 = 2;
    /// East and north of the universal transverse Mercator grid.
    pub const UTM: i32 = 5;
}

/// What heights count from; the horizontal datum is WGS 84 with both.
pub mod location_datum {
    /// The ellipsoid.
    pub const ELLIPSOID: i32 = 1;
    /// The geoid.
    pub const GEOID: i32 = 2;
}

/// A place as seen from a node.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct RangeBearing {
    /// Above the horizon.
    #[prost(double, optional, tag = "1")]
    pub elevation: Option<f64>,
    /// Clockwise from the datum's north.
    #[prost(double, optional, tag = "2")]
    pub azimuth: Option<f64>,
    /// Slant range.
    #[prost(double, optional, tag = "3")]
    pub range: Option<f64>,
    /// Standard deviation of the azimuth.
    #[prost(double, optional, tag = "5")]
    pub azimuth_error: Option<f64>,
    /// Standard deviation of the range.
    #[prost(double, optional, tag = "6")]
    pub range_error: Option<f64>,
    /// See [`range_bearing_units`].
    #[prost(int32, optional, tag = "7")]
    pub coordinate_system: Option<i32>,
    /// See [`bearing_datum`].
    #[prost(int32, optional, tag = "8")]
    pub datum: Option<i32>,
}

/// Units of ranges and bearings.
pub mod range_bearing_units {
    /// Degrees and metres.
    pub const DEGREES_M: i32 = 1;
    /// Radians and metres.
    pub const RADIANS_M: i32 = 2;
    /// Degrees and kilometres.
    pub const DEGREES_KM: i32 = 3;
    /// Radians and kilometres.
    pub const RADIANS_KM: i32 = 4;
}

/// What bearings count from.
pub mod bearing_datum {
    /// True north.
    pub const TRUE: i32 = 1;
    /// Magnetic north.
    pub const MAGNETIC: i32 = 2;
    /// North of the universal transverse Mercator grid.
    pub const GRID: i32 = 3;
    /// The front of the node's platform.
    pub const PLATFORM: i32 = 4;
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

/// What was wrong with a message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Error {
    /// One line for each violation.
    #[prost(string, repeated, tag = "3")]
    pub error_message: Vec<String>,
}

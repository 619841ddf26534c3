//! How a node is.

use super::Location;

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

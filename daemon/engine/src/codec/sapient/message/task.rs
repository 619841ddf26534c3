//! What nodes are asked to do.

use super::LocationType;

/// What a mode can be asked for.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TaskDefinition {
    /// How many tasks at once.
    #[prost(int32, optional, tag = "1")]
    pub concurrent_tasks: Option<i32>,
    /// In which regions.
    #[prost(message, optional, tag = "2")]
    pub region_definition: Option<RegionDefinition>,
}

/// Regions of tasks.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RegionDefinition {
    /// See [`region_type`].
    #[prost(int32, repeated, tag = "1")]
    pub region_type: Vec<i32>,
    /// In which coordinates.
    #[prost(message, repeated, tag = "3")]
    pub region_area: Vec<LocationType>,
}

/// Kinds of regions.
pub mod region_type {
    /// One that matters.
    pub const AREA_OF_INTEREST: i32 = 1;
}

/// A node is asked to do something.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Task {
    /// A ULID.
    #[prost(string, optional, tag = "1")]
    pub task_id: Option<String>,
}

/// Whether it will.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TaskAck {
    /// Which task.
    #[prost(string, optional, tag = "1")]
    pub task_id: Option<String>,
    /// See [`task_status`].
    #[prost(int32, optional, tag = "2")]
    pub task_status: Option<i32>,
    /// Why not.
    #[prost(string, repeated, tag = "5")]
    pub reason: Vec<String>,
}

/// What becomes of a task.
pub mod task_status {
    /// It is refused.
    pub const REJECTED: i32 = 2;
}

//! The few protobuf fields of the mesh that are used, by number; unknown ones are skipped by the decoder.

/// What a gateway node publishes at a broker (`msh/../e/..`).
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ServiceEnvelope {
    #[prost(message, optional, tag = "1")]
    pub(super) packet: Option<MeshPacket>,
}

/// What a node says over its serial line.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FromRadio {
    #[prost(message, optional, tag = "2")]
    pub(super) packet: Option<MeshPacket>,
    /// Everything it had to tell about itself has been told.
    #[prost(uint32, optional, tag = "7")]
    pub(super) config_complete_id: Option<u32>,
    /// It has just started, and forgotten who listens.
    #[prost(bool, tag = "8")]
    pub(super) rebooted: bool,
}

/// One packet of the mesh.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MeshPacket {
    #[prost(fixed32, tag = "1")]
    pub(super) from: u32,
    #[prost(message, optional, tag = "4")]
    pub(super) decoded: Option<Data>,
    /// Only whether it is there: without the channel's key nothing can be said about it.
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(super) encrypted: Option<Vec<u8>>,
    #[prost(fixed32, tag = "6")]
    pub(super) id: u32,
    #[prost(fixed32, tag = "7")]
    pub(super) rx_time: u32,
    /// On its way it went through a broker of the mesh.
    #[prost(bool, tag = "14")]
    pub(super) via_mqtt: bool,
}

/// What a packet carries.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Data {
    #[prost(int32, tag = "1")]
    pub(super) portnum: i32,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) payload: Vec<u8>,
    /// The sensor, where another node sent the packet for it.
    #[prost(fixed32, tag = "5")]
    pub(super) source: u32,
}

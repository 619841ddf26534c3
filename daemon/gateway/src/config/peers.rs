//! The tables of other systems: who is told, and who is listened to beside brokers and radio concentrators.

mod check;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vedette_engine::Severity;

use super::connection::Tls;
use super::tables::{Sinks, Sources};

pub(super) use check::faults;

/// Another system reached over TCP, or TLS over it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Transport security.
    #[serde(default)]
    pub tls: Option<Tls>,
}

/// A receiver of Cursor on Target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CotSink {
    /// Name in logs and in the status.
    pub name: String,
    /// A server; usually port 8087, or 8089 with TLS.
    #[serde(default)]
    pub to: Option<Peer>,
    /// Or everybody in a multicast group, as `239.2.3.1:6969`.
    #[serde(default)]
    pub multicast: Option<SocketAddr>,
    /// Routers that a multicast event may pass.
    #[serde(default = "one")]
    pub multicast_hops: u32,
    /// Time between two positions of a track.
    #[serde(default = "default_tracks_interval_s")]
    pub tracks_interval_s: f64,
    /// Time between two events of each sensor.
    #[serde(default = "default_sensors_interval_s")]
    pub sensors_interval_s: f64,
    /// A track's position is stale after this time.
    #[serde(default = "default_stale_s")]
    pub stale_s: f64,
    /// Alerts of this severity and above are sent.
    #[serde(default = "low")]
    pub alerts_from: Severity,
    /// Real alerts about somebody of this severity and above are emergencies.
    #[serde(default = "high")]
    pub emergency_from: Severity,
}

/// Patrols and others who say where they are in Cursor on Target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CotSource {
    /// Name in logs, counters and facts.
    pub name: String,
    /// A server that hands on what others send ..
    #[serde(default)]
    pub from: Option<Peer>,
    /// .. or a multicast group, as `239.2.3.1:6969`.
    #[serde(default)]
    pub multicast: Option<SocketAddr>,
    /// The `uid`s that are believed. Without it everybody whom a server over TLS with certificates on both sides lets in
    /// is; any other way must name them.
    #[serde(default)]
    pub trust: Option<Vec<String>>,
    /// Frames that may wait for the engine.
    #[serde(default = "super::tables::default_queue_frames")]
    pub queue_frames: usize,
}

/// A Meshtastic node on a serial line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshtasticSource {
    /// Name in logs, counters and facts.
    pub name: String,
    /// Path of the device; best under `/dev/serial/by-id/`.
    pub device: PathBuf,
    /// Line speed.
    #[serde(default = "super::radio::default_baud")]
    pub baud: u32,
    /// Time between two signs of life to the node, which stops sending after 15 minutes without one.
    #[serde(default = "default_heartbeat_s")]
    pub heartbeat_s: f64,
    /// Frames that may wait for the engine.
    #[serde(default = "super::tables::default_queue_frames")]
    pub queue_frames: usize,
}

/// A GNSS receiver on a serial line (NMEA 0183), or behind gpsd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GnssSource {
    /// Name in logs and in the status.
    pub name: String,
    /// Path of the device; best under `/dev/serial/by-id/`.
    #[serde(default)]
    pub device: Option<PathBuf>,
    /// Line speed.
    #[serde(default = "default_gnss_baud")]
    pub baud: u32,
    /// Or a gpsd, usually `{ host = "127.0.0.1", port = 2947 }`.
    #[serde(default)]
    pub gpsd: Option<Peer>,
    /// Whether its time sets the gateway's clock while the system's own is not set.
    #[serde(default = "yes")]
    pub sets_clock: bool,
    /// The own unit whose place this is, for a gateway that moves.
    #[serde(default)]
    pub unit: Option<String>,
}

/// A file that grows line by line, each line a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSource {
    /// Name in logs, counters and facts.
    pub name: String,
    /// Path; the file may be replaced or cut while it is followed.
    pub path: PathBuf,
    /// How lines are decoded.
    pub codec: String,
    /// Frames that may wait for the engine.
    #[serde(default = "super::tables::default_queue_frames")]
    pub queue_frames: usize,
}

/// Messages that others post over HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSource {
    /// Name in logs, counters and facts.
    pub name: String,
    /// Address to listen at, as `127.0.0.1:8042`.
    pub listen: SocketAddr,
    /// How posted messages are decoded.
    pub codec: String,
    /// Frames that may wait for the engine.
    #[serde(default = "super::tables::default_queue_frames")]
    pub queue_frames: usize,
}

/// Sensor nodes behind a SAPIENT middleware.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SapientSource {
    /// Name in logs, counters and facts.
    pub name: String,
    /// The middleware.
    pub from: Peer,
    /// This gateway's id there, a lower-case version 4 UUID.
    pub node_id: String,
    /// Time between two reports of the gateway's own state.
    #[serde(default = "default_status_interval_s")]
    pub status_interval_s: f64,
    /// Frames that may wait for the engine.
    #[serde(default = "super::tables::default_queue_frames")]
    pub queue_frames: usize,
}

/// A receiver of tracks and alerts behind a SAPIENT middleware.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SapientSink {
    /// Name in logs and in the status.
    pub name: String,
    /// The middleware.
    pub to: Peer,
    /// This gateway's id there, a lower-case version 4 UUID; not that of a source at the same middleware.
    pub node_id: String,
    /// Time between two reports of a track.
    #[serde(default = "default_tracks_interval_s")]
    pub tracks_interval_s: f64,
    /// Time between two reports of the gateway's own state.
    #[serde(default = "default_status_interval_s")]
    pub status_interval_s: f64,
    /// Alerts of this severity and above are sent.
    #[serde(default = "low")]
    pub alerts_from: Severity,
    /// Whether an acknowledgement that comes back counts as an operator's; the link proves nobody's identity.
    #[serde(default)]
    pub may_acknowledge: bool,
}

fn one() -> u32 {
    1
}
fn default_tracks_interval_s() -> f64 {
    1.0
}
fn default_sensors_interval_s() -> f64 {
    60.0
}
fn default_stale_s() -> f64 {
    15.0
}
fn default_heartbeat_s() -> f64 {
    120.0
}
fn default_status_interval_s() -> f64 {
    5.0
}
fn default_gnss_baud() -> u32 {
    9_600
}
fn yes() -> bool {
    true
}
fn low() -> Severity {
    Severity::Low
}
fn high() -> Severity {
    Severity::High
}

/// Every name of these tables with its key.
pub(super) fn names<'a>(source: &'a Sources, sink: &'a Sinks) -> Vec<(String, &'a String)> {
    let mut names = Vec::new();
    let mut add = |kind: &str, all: Vec<&'a String>| {
        names.extend(all.into_iter().enumerate().map(|(index, name)| (format!("{kind}.{index}.name"), name)));
    };
    add("source.cot", source.cot.iter().map(|table| &table.name).collect());
    add("source.meshtastic", source.meshtastic.iter().map(|table| &table.name).collect());
    add("source.gnss", source.gnss.iter().map(|table| &table.name).collect());
    add("source.file", source.file.iter().map(|table| &table.name).collect());
    add("source.http", source.http.iter().map(|table| &table.name).collect());
    add("source.sapient", source.sapient.iter().map(|table| &table.name).collect());
    add("sink.cot", sink.cot.iter().map(|table| &table.name).collect());
    add("sink.sapient", sink.sapient.iter().map(|table| &table.name).collect());
    names
}

pub(super) fn peers<'a>(source: &'a Sources, sink: &'a Sinks) -> Vec<(String, &'a Peer)> {
    let indexed = |kind: &str, index: usize, key: &str| format!("{kind}.{index}.{key}");
    let mut peers = Vec::new();
    for (index, table) in source.cot.iter().enumerate() {
        peers.extend(table.from.iter().map(|peer| (indexed("source.cot", index, "from"), peer)));
    }
    for (index, table) in source.gnss.iter().enumerate() {
        peers.extend(table.gpsd.iter().map(|peer| (indexed("source.gnss", index, "gpsd"), peer)));
    }
    for (index, table) in source.sapient.iter().enumerate() {
        peers.push((indexed("source.sapient", index, "from"), &table.from));
    }
    for (index, table) in sink.cot.iter().enumerate() {
        peers.extend(table.to.iter().map(|peer| (indexed("sink.cot", index, "to"), peer)));
    }
    for (index, table) in sink.sapient.iter().enumerate() {
        peers.push((indexed("sink.sapient", index, "to"), &table.to));
    }
    peers
}

/// Makes relative paths start at the configuration's folder.
pub(super) fn resolve(source: &mut Sources, sink: &mut Sinks, folder: &Path) {
    for file in &mut source.file {
        file.path = folder.join(&file.path);
    }
    let sources = source.cot.iter_mut().filter_map(|table| table.from.as_mut());
    let gpsds = source.gnss.iter_mut().filter_map(|table| table.gpsd.as_mut());
    let nodes = source.sapient.iter_mut().map(|table| &mut table.from);
    let sinks = sink.cot.iter_mut().filter_map(|table| table.to.as_mut());
    let receivers = sink.sapient.iter_mut().map(|table| &mut table.to);
    for tls in sources.chain(gpsds).chain(nodes).chain(sinks).chain(receivers).filter_map(|peer| peer.tls.as_mut()) {
        tls.resolve(folder);
    }
}

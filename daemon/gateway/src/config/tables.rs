//! The tables of the configuration file as typed; the engine's tables beside the gateway's own.

mod check;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vedette_engine::config::{
    AlignTable, EngineConfig, RulesTable, SensorTable, SiteTable, TrackerConfig, UnitTable, WeatherTable, ZoneTable,
};

use super::Config;
use super::connection::MqttConnection;
use super::peers::{
    self, CotSink, CotSource, FileSource, GnssSource, HttpSource, MeshtasticSource, SapientSink, SapientSource,
};
use super::radio::{Radio, SerialSource};

pub(super) use check::fault;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    site: SiteTable,
    #[serde(default)]
    sensor: Vec<SensorTable>,
    #[serde(default)]
    zone: Vec<ZoneTable>,
    #[serde(default)]
    weather: Option<WeatherTable>,
    #[serde(default)]
    unit: Vec<UnitTable>,
    #[serde(default)]
    tracker: TrackerConfig,
    #[serde(default)]
    align: AlignTable,
    #[serde(default)]
    rules: RulesTable,
    #[serde(default)]
    radio: Option<Radio>,
    #[serde(default)]
    source: Sources,
    #[serde(default)]
    sink: Sinks,
    #[serde(default)]
    store: Store,
    #[serde(default)]
    record: Option<Record>,
    #[serde(default)]
    uplink: Uplink,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    metrics: Option<Metrics>,
    #[serde(default)]
    retention: Retention,
}

/// Where frames come from: one table per instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Serial lines to radio concentrators.
    #[serde(default)]
    pub serial: Vec<SerialSource>,
    /// Subscriptions at brokers.
    #[serde(default)]
    pub mqtt: Vec<MqttSource>,
    /// Meshtastic nodes on serial lines.
    #[serde(default)]
    pub meshtastic: Vec<MeshtasticSource>,
    /// GNSS receivers.
    #[serde(default)]
    pub gnss: Vec<GnssSource>,
    /// Files that grow line by line.
    #[serde(default)]
    pub file: Vec<FileSource>,
    /// Messages posted over HTTP.
    #[serde(default)]
    pub http: Vec<HttpSource>,
    /// Own units that say where they are in Cursor on Target.
    #[serde(default)]
    pub cot: Vec<CotSource>,
    /// Sensor nodes behind a SAPIENT middleware.
    #[serde(default)]
    pub sapient: Vec<SapientSource>,
}

impl Sources {
    /// The formats in which sensors may be heard over them, each once.
    fn formats(&self) -> Vec<String> {
        let by_name = self.mqtt.iter().map(|source| &source.codec);
        let by_name = by_name.chain(self.file.iter().map(|source| &source.codec));
        let by_name = by_name.chain(self.http.iter().map(|source| &source.codec)).cloned();
        let of_nodes = self.sapient.first().map(|_| "sapient".to_owned());
        by_name.chain(of_nodes).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// A subscription at a broker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttSource {
    /// Name in logs, counters and facts.
    pub name: String,
    /// The broker and how to reach it.
    pub broker: MqttConnection,
    /// Topic filters; without them `vedette/v1/{site}/sensor/+/detections`.
    #[serde(default)]
    pub topics: Vec<String>,
    /// How messages are decoded.
    #[serde(default = "default_codec")]
    pub codec: String,
    /// Frames that may wait for the engine.
    #[serde(default = "default_queue_frames")]
    pub queue_frames: usize,
}

/// Where alerts go: one table per instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sinks {
    /// The coordination centre; at most one.
    #[serde(default)]
    pub centre: Vec<CentreSink>,
    /// Receivers of Cursor on Target.
    #[serde(default)]
    pub cot: Vec<CotSink>,
    /// Receivers of SAPIENT.
    #[serde(default)]
    pub sapient: Vec<SapientSink>,
}

/// The coordination centre, reached through a broker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CentreSink {
    /// The broker and how to reach it.
    pub broker: MqttConnection,
    /// Signs what this gateway says.
    #[serde(default)]
    pub signing: Option<Signing>,
    /// Keys whose orders are obeyed and whose acknowledgements are believed; without any, neither needs a signature.
    #[serde(default)]
    pub order_key: Vec<OrderKey>,
}

/// The key this gateway signs with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// The key's name, as the centre knows it.
    pub kid: String,
    /// File with its 32 secret bytes, as `vedette keys signing` makes it.
    pub key_file: PathBuf,
}

/// A public key of somebody who may give orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderKey {
    /// The key's name.
    pub kid: String,
    /// The Ed25519 public key, base64.
    pub public_key: String,
}

/// Journal and outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Database file.
    pub file: PathBuf,
    /// Largest size of the database; the lowest priority goes first when it is reached, which is an alert itself.
    pub max_size_mib: u32,
    /// Time in which outputs are collected into one commit.
    pub commit_interval_ms: u64,
    /// Time between two snapshots of the engine; the journal is kept back to the last one.
    pub snapshot_interval_s: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            file: PathBuf::from("/var/lib/vedette/store.sqlite"),
            max_size_mib: 256,
            commit_interval_ms: 30,
            snapshot_interval_s: 60,
        }
    }
}

/// Recording of everything the engine is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Folder of the recordings.
    pub dir: PathBuf,
    /// A file that has reached this size is closed and the next one begun.
    #[serde(default = "default_rotate_mib")]
    pub rotate_mib: u64,
    /// A file of this age is closed and the next one begun.
    #[serde(default = "default_rotate_s")]
    pub rotate_s: u64,
    /// Size of all recordings; the oldest go first.
    #[serde(default = "default_quota_mib")]
    pub quota_mib: u64,
    /// A killed process loses at most this much.
    #[serde(default = "default_flush_s")]
    pub flush_s: u64,
}

/// The way to the centre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Uplink {
    /// Alerts on their way and not yet acknowledged by the centre.
    pub window: u32,
    /// Greatest rate towards the centre; none without.
    pub rate_limit_bps: Option<u32>,
    /// An alert the centre has not acknowledged is sent again after this time without progress.
    pub retry_s: f64,
    /// Time between two pictures of the tracks sent to the centre; 0 sends none.
    pub tracks_interval_s: f64,
    /// Time between two reports of the gateway's own state.
    pub status_interval_s: f64,
}

impl Default for Uplink {
    fn default() -> Self {
        Self { window: 64, rate_limit_bps: None, retry_s: 5.0, tracks_interval_s: 1.0, status_interval_s: 30.0 }
    }
}

/// The local status socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Status {
    /// Path of the Unix socket; whoever may open it may ask, so its folder's permissions decide.
    pub socket: PathBuf,
}

impl Default for Status {
    fn default() -> Self {
        Self { socket: PathBuf::from("/run/vedette/vedette.sock") }
    }
}

/// What is kept for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Recordings; also bounded by `record.quota_mib`.
    pub recordings_days: f64,
    /// Damaged stores that were put aside.
    pub damaged_days: f64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { recordings_days: 30.0, damaged_days: 90.0 }
    }
}

/// The local HTTP endpoint for monitoring: `/metrics` and `/healthz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Address and port; whoever reaches it may read.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 9464))
}

pub(super) fn default_queue_frames() -> usize {
    4096
}
fn default_codec() -> String {
    "native".to_owned()
}
fn default_rotate_mib() -> u64 {
    64
}
fn default_rotate_s() -> u64 {
    3600
}
fn default_quota_mib() -> u64 {
    1024
}
fn default_flush_s() -> u64 {
    5
}

impl File {
    /// The engine's tables.
    pub(super) fn engine(&self) -> EngineConfig {
        let Self { site, sensor, zone, unit, weather, tracker, align, rules, source, .. } = self.clone();
        EngineConfig { site, sensor, zone, unit, weather, tracker, align, rules, formats: source.formats() }
    }

    /// The configuration that is meant: paths from `folder`, defaults that depend on other keys filled in.
    pub(super) fn into_config(self, path: PathBuf, engine: EngineConfig, folder: &Path) -> Config {
        let Self {
            mut radio, mut source, mut sink, mut store, mut record, uplink, mut status, metrics, retention, ..
        } = self;
        let site = &engine.site.id;
        if let Some(radio) = &mut radio {
            radio.keys_dir = folder.join(&radio.keys_dir);
        }
        for mqtt in &mut source.mqtt {
            if mqtt.topics.is_empty() {
                mqtt.topics = vec![format!("vedette/v1/{site}/sensor/+/detections")];
            }
            mqtt.broker.client_id.get_or_insert_with(|| format!("{site}-{}", mqtt.name));
            mqtt.broker.resolve(folder);
        }
        for centre in &mut sink.centre {
            centre.broker.client_id.get_or_insert_with(|| site.clone());
            centre.broker.resolve(folder);
            if let Some(signing) = &mut centre.signing {
                signing.key_file = folder.join(&signing.key_file);
            }
        }
        peers::resolve(&mut source, &mut sink, folder);
        if let Some(record) = &mut record {
            record.dir = folder.join(&record.dir);
        }
        store.file = folder.join(&store.file);
        status.socket = folder.join(&status.socket);
        Config { path, engine, radio, source, sink, store, record, uplink, status, retention, metrics }
    }
}

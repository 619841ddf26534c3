//! The tables of the configuration file as typed; the engine's tables beside the gateway's own.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vedette_delivery::GatewayId;
use vedette_engine::config::{
    AlignTable, ConfigFault, EngineConfig, RulesTable, SensorTable, SiteTable, TrackerConfig, UnitTable, ZoneTable,
};

use vedette_wire::link::Configure;

use super::Config;
use super::peers::{
    self, CotSink, CotSource, FileSource, GnssSource, HttpSource, MeshtasticSource, SapientSink, SapientSource,
};

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

/// A radio concentrator on a serial line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialSource {
    /// Name in logs, counters and facts.
    pub name: String,
    /// Path of the device; best under `/dev/serial/by-id/`, where it keeps its name when it is plugged in again.
    pub device: PathBuf,
    /// Line speed.
    #[serde(default = "default_baud")]
    pub baud: u32,
    /// Frames that may wait for the engine.
    #[serde(default = "default_queue_frames")]
    pub queue_frames: usize,
}

/// What all concentrators of a site share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Radio {
    /// Folder with one key file for each node, as `vedette keys new` makes them.
    pub keys_dir: PathBuf,
    /// Carrier.
    #[serde(default = "Radio::frequency_khz")]
    pub frequency_khz: u32,
    /// LoRa spreading factor.
    #[serde(default = "Radio::spreading_factor")]
    pub spreading_factor: u8,
    /// Bandwidth.
    #[serde(default = "Radio::bandwidth_khz")]
    pub bandwidth_khz: u16,
    /// Transmit power.
    #[serde(default = "Radio::power_dbm")]
    pub power_dbm: i8,
    /// Greatest share of an hour that a concentrator may be on the air.
    #[serde(default = "Radio::duty_permille")]
    pub duty_permille: u16,
    /// Time between two status messages of a concentrator.
    #[serde(default = "Radio::status_interval_s")]
    pub status_interval_s: u16,
}

impl Radio {
    const fn frequency_khz() -> u32 {
        Configure::DEFAULT.frequency_khz
    }

    const fn spreading_factor() -> u8 {
        Configure::DEFAULT.spreading_factor
    }

    const fn bandwidth_khz() -> u16 {
        Configure::DEFAULT.bandwidth_khz
    }

    const fn power_dbm() -> i8 {
        Configure::DEFAULT.power_dbm
    }

    const fn duty_permille() -> u16 {
        Configure::DEFAULT.duty_permille
    }

    const fn status_interval_s() -> u16 {
        Configure::DEFAULT.status_period_s
    }

    /// As a concentrator is told.
    #[must_use]
    pub const fn settings(&self) -> Configure {
        Configure {
            frequency_khz: self.frequency_khz,
            spreading_factor: self.spreading_factor,
            bandwidth_khz: self.bandwidth_khz,
            power_dbm: self.power_dbm,
            duty_permille: self.duty_permille,
            status_period_s: self.status_interval_s,
        }
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

/// A broker and how to reach it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttConnection {
    /// Host name or address.
    pub host: String,
    /// Port; without it 8883 with `tls` and 1883 otherwise.
    #[serde(default)]
    pub port: Option<u16>,
    /// Client id; without it the site's id, followed by the source's name for a source.
    #[serde(default)]
    pub client_id: Option<String>,
    /// User name, for brokers that want one.
    #[serde(default)]
    pub username: Option<String>,
    /// File whose content is the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Transport security.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Time between signs of life; a connection that is silent for three of them is dropped.
    #[serde(default = "default_keep_alive_s")]
    pub keep_alive_s: u16,
    /// Largest packet taken or sent.
    #[serde(default = "default_max_packet_bytes")]
    pub max_packet_bytes: u32,
}

/// Certificates for a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the authorities trusted to name the broker.
    pub ca_file: PathBuf,
    /// PEM file with this gateway's certificate.
    #[serde(default)]
    pub cert_file: Option<PathBuf>,
    /// PEM file with the certificate's key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
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
    /// Keys whose orders are obeyed; without any, orders need no signature.
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

pub(super) fn default_baud() -> u32 {
    115_200
}
pub(super) fn default_queue_frames() -> usize {
    4096
}
fn default_codec() -> String {
    "native".to_owned()
}
fn default_keep_alive_s() -> u16 {
    10
}
fn default_max_packet_bytes() -> u32 {
    262_144
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
        let Self { site, sensor, zone, unit, tracker, align, rules, .. } = self.clone();
        EngineConfig { site, sensor, zone, unit, tracker, align, rules }
    }

    /// What the gateway's own tables say that cannot be.
    pub(super) fn faults(&self) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        if let Err(error) = GatewayId::new(self.site.id.as_str()) {
            faults.push(fault("site.id", "1 to 64 letters, digits, `-`, `_` or `.`", error.to_string(), None));
        }
        self.check_names(&mut faults);
        self.check_connections(&mut faults);
        self.check_bounds(&mut faults);
        peers::faults(&self.source, &self.sink, &mut faults);
        faults
    }

    fn check_names(&self, faults: &mut Vec<ConfigFault>) {
        let serial = self.source.serial.iter().enumerate().map(|(index, source)| ("serial", index, &source.name));
        let mqtt = self.source.mqtt.iter().enumerate().map(|(index, source)| ("mqtt", index, &source.name));
        let mut seen = std::collections::BTreeSet::new();
        let named = |(kind, index, name)| (format!("source.{kind}.{index}.name"), name);
        for (key, name) in serial.chain(mqtt).map(named).chain(peers::names(&self.source, &self.sink)) {
            let usable = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            if !usable {
                faults.push(fault(&key, "letters, digits, `-`, `_` and `.`", format!("\"{name}\""), None));
            }
            if !seen.insert(name) {
                let fix = Some("give each source a name of its own".to_owned());
                faults.push(fault(&key, "a name no other source has", format!("a second source \"{name}\""), fix));
            }
        }
        if !self.source.serial.is_empty() && self.radio.is_none() {
            let fix = Some("add [radio] with keys_dir = \"..\"; `vedette keys new` fills it".to_owned());
            faults.push(fault("source.serial.0", "a [radio] table with the keys of the nodes", "none".to_owned(), fix));
        }
        if self.sink.centre.len() > 1 {
            let fix = Some("remove all but one [[sink.centre]]".to_owned());
            faults.push(fault("sink.centre.1", "one centre", format!("{} centres", self.sink.centre.len()), fix));
        }
    }

    fn check_connections(&self, faults: &mut Vec<ConfigFault>) {
        let sources =
            self.source.mqtt.iter().enumerate().map(|(i, source)| (format!("source.mqtt.{i}.broker"), &source.broker));
        let sinks =
            self.sink.centre.iter().enumerate().map(|(i, sink)| (format!("sink.centre.{i}.broker"), &sink.broker));
        for (key, broker) in sources.chain(sinks) {
            if broker.host.is_empty() || broker.host.contains(['/', ' ']) {
                let fix = Some("write the host alone, without `mqtt://` or a path".to_owned());
                faults.push(fault(
                    &format!("{key}.host"),
                    "a host name or address",
                    format!("\"{}\"", broker.host),
                    fix,
                ));
            }
            if !(1..=3600).contains(&broker.keep_alive_s) {
                faults.push(fault(&format!("{key}.keep_alive_s"), "1 to 3600", broker.keep_alive_s.to_string(), None));
            }
            if !(1024..=268_435_455).contains(&broker.max_packet_bytes) {
                let got = broker.max_packet_bytes.to_string();
                faults.push(fault(&format!("{key}.max_packet_bytes"), "1024 to 268435455", got, None));
            }
            if let Some(Tls { cert_file, key_file, .. }) = &broker.tls
                && cert_file.is_some() != key_file.is_some()
            {
                let fix = Some("give both, or neither".to_owned());
                faults.push(fault(
                    &format!("{key}.tls"),
                    "`cert_file` together with `key_file`",
                    "only one of them".to_owned(),
                    fix,
                ));
            }
        }
    }

    fn check_bounds(&self, faults: &mut Vec<ConfigFault>) {
        let mut within = |key: &str, got: f64, low: f64, high: f64| {
            if !(low..=high).contains(&got) {
                faults.push(fault(key, &format!("{low} to {high}"), got.to_string(), None));
            }
        };
        let (store, uplink) = (&self.store, &self.uplink);
        within("retention.recordings_days", self.retention.recordings_days, 0.0, 3650.0);
        within("retention.damaged_days", self.retention.damaged_days, 0.0, 3650.0);
        if let Some(radio) = &self.radio {
            let mut known = |key: &str, got: i64, (low, high): (i64, i64)| {
                within(&format!("radio.{key}"), got as f64, low as f64, high as f64);
            };
            known("frequency_khz", radio.frequency_khz.into(), ends(&Configure::FREQUENCY_KHZ));
            known("spreading_factor", radio.spreading_factor.into(), ends(&Configure::SPREADING_FACTOR));
            known("power_dbm", radio.power_dbm.into(), ends(&Configure::POWER_DBM));
            known("duty_permille", radio.duty_permille.into(), ends(&Configure::DUTY_PERMILLE));
            known("status_interval_s", radio.status_interval_s.into(), ends(&Configure::STATUS_PERIOD_S));
        }
        within("store.max_size_mib", f64::from(store.max_size_mib), 4.0, 65_536.0);
        #[expect(clippy::cast_precision_loss, reason = "only compared with bounds far below 2^53")]
        {
            within("store.commit_interval_ms", store.commit_interval_ms as f64, 1.0, 1000.0);
            within("store.snapshot_interval_s", store.snapshot_interval_s as f64, 1.0, 86_400.0);
            for (index, source) in self.source.serial.iter().enumerate() {
                within(&format!("source.serial.{index}.queue_frames"), source.queue_frames as f64, 1.0, 1e6);
                within(&format!("source.serial.{index}.baud"), f64::from(source.baud), 300.0, 4e6);
            }
            for (index, source) in self.source.mqtt.iter().enumerate() {
                within(&format!("source.mqtt.{index}.queue_frames"), source.queue_frames as f64, 1.0, 1e6);
            }
            if let Some(record) = &self.record {
                within("record.rotate_mib", record.rotate_mib as f64, 1.0, 65_536.0);
                within("record.rotate_s", record.rotate_s as f64, 10.0, 604_800.0);
                within("record.quota_mib", record.quota_mib as f64, 1.0, 1e9);
                within("record.flush_s", record.flush_s as f64, 1.0, 3600.0);
            }
        }
        within("uplink.window", f64::from(uplink.window), 1.0, 1024.0);
        if let Some(rate) = uplink.rate_limit_bps {
            within("uplink.rate_limit_bps", f64::from(rate), 1200.0, 1e9);
        }
        within("uplink.retry_s", uplink.retry_s, 0.1, 3600.0);
        within("uplink.tracks_interval_s", uplink.tracks_interval_s, 0.0, 3600.0);
        within("uplink.status_interval_s", uplink.status_interval_s, 1.0, 3600.0);
        if let Some(radio) = &self.radio
            && !Configure::BANDWIDTH_KHZ.contains(&radio.bandwidth_khz)
        {
            faults.push(fault("radio.bandwidth_khz", "125, 250 or 500", radio.bandwidth_khz.to_string(), None));
        }
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

impl MqttConnection {
    /// The port, with the usual one where none is given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.tls.is_some() { 8883 } else { 1883 })
    }

    fn resolve(&mut self, folder: &Path) {
        if let Some(file) = &mut self.password_file {
            *file = folder.join(&file);
        }
        if let Some(tls) = &mut self.tls {
            tls.resolve(folder);
        }
    }
}

impl Tls {
    pub(super) fn resolve(&mut self, folder: &Path) {
        let Self { ca_file, cert_file, key_file } = self;
        for file in [Some(ca_file), cert_file.as_mut(), key_file.as_mut()].into_iter().flatten() {
            *file = folder.join(&file);
        }
    }
}

fn ends<T: Copy + Into<i64>>(range: &RangeInclusive<T>) -> (i64, i64) {
    ((*range.start()).into(), (*range.end()).into())
}

pub(super) fn fault(key: &str, expected: &str, got: String, fix: Option<String>) -> ConfigFault {
    ConfigFault { path: key.split('.').map(str::to_owned).collect(), expected: expected.to_owned(), got, fix }
}

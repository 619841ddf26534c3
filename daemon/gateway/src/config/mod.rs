//! The gateway's configuration: read from TOML, checked once, and reported with line, expectation and fix when wrong.
//!
//! The engine's tables (`site`, `sensor`, `zone`, ..) stand in the same file as the gateway's own; after [`Config::load`]
//! nothing is checked again.

mod connection;
mod peers;
mod problem;
mod radio;
mod spans;
mod tables;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vedette_engine::config::EngineConfig;

pub use connection::{MqttConnection, Tls};
pub use peers::{
    CotSink, CotSource, FileSource, GnssSource, HttpSource, MeshtasticSource, Peer, SapientSink, SapientSource,
};
pub use problem::{ConfigError, Problem};
pub use radio::{Radio, SerialSource};
pub use tables::{
    CentreSink, File, Metrics, MqttSource, OrderKey, Record, Retention, Signing, Sinks, Sources, Status, Store, Uplink,
};

/// A checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where it was read from; relative paths in it start at this file's folder.
    pub path: PathBuf,
    /// The engine's part.
    pub engine: EngineConfig,
    /// Keys of the radio nodes.
    pub radio: Option<Radio>,
    /// Where frames come from.
    pub source: Sources,
    /// Where alerts go.
    pub sink: Sinks,
    /// Journal and outbox.
    pub store: Store,
    /// Recording, when wanted.
    pub record: Option<Record>,
    /// The way to the centre.
    pub uplink: Uplink,
    /// The local status socket.
    pub status: Status,
    /// What is kept for how long.
    pub retention: Retention,
    /// The HTTP endpoint, when wanted.
    pub metrics: Option<Metrics>,
}

impl Config {
    /// What a running daemon does not change: it takes effect at the next start. A change of the first two is refused.
    pub const AT_THE_START: [&str; 5] =
        ["site.id", "site.exercise", "store.file", "store.max_size_mib", "status.socket"];

    /// Those of [`Self::AT_THE_START`] that differ and are not refused.
    pub(crate) fn not_before_a_start(&self, running: &Self) -> impl Iterator<Item = &'static str> {
        let same = [
            ("store.file", self.store.file == running.store.file),
            ("store.max_size_mib", self.store.max_size_mib == running.store.max_size_mib),
            ("status.socket", self.status == running.status),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key)
    }

    /// Other systems that are reached over TCP.
    pub(crate) fn peers(&self) -> Vec<&Peer> {
        peers::peers(&self.source, &self.sink).into_iter().map(|(_, peer)| peer).collect()
    }

    /// What is allowed and seldom meant, for people.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let unsigned = self.sink.centre.iter().any(|centre| centre.order_key.is_empty());
        let orders = "orders and acknowledgements of the centre need no signature: whoever may write to this gateway's \
                      topics is believed; name the centre's keys in [[sink.centre.order_key]]";
        unsigned.then(|| orders.to_owned()).into_iter().collect()
    }

    /// Files of connections that cannot be read on this machine, and why. A daemon runs without them, and without those
    /// connections.
    #[must_use]
    pub fn unreadable_files(&self) -> Vec<String> {
        let brokers = self.source.mqtt.iter().map(|source| &source.broker);
        let brokers: Vec<_> = brokers.chain(self.sink.centre.iter().map(|sink| &sink.broker)).collect();
        let tables = brokers.iter().filter_map(|broker| broker.tls.as_ref());
        let tables = tables.chain(self.peers().into_iter().filter_map(|peer| peer.tls.as_ref()));
        let passwords = brokers.iter().filter_map(|broker| broker.password_file.as_ref());
        let files: BTreeSet<&PathBuf> = tables.flat_map(Tls::files).chain(passwords).collect();
        let told = |file: &PathBuf| Some(format!("{}: {}", file.display(), std::fs::read(file).err()?));
        files.into_iter().filter_map(told).collect()
    }

    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, has an unknown key, lacks a needed one or contradicts itself.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_path_buf(), error: error.to_string() })?;
        Self::parse(path, &text)
    }

    /// Checks `text`, which stands in the file at `path`.
    ///
    /// # Errors
    /// As [`Config::load`], reading aside.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text)
            .map_err(|error| ConfigError::Wrong { problems: vec![problem::from_toml(path, text, &error)] })?;
        let mut faults = file.faults();
        let told: Vec<Vec<String>> = faults.iter().map(|fault| fault.path.clone()).collect();
        let engine = file.engine();
        let more = engine.faults();
        // What both look at is told once.
        faults.extend(more.into_iter().filter(|fault| !told.contains(&fault.path)));
        if !faults.is_empty() {
            let problems = faults.iter().map(|fault| problem::from_fault(path, text, fault)).collect();
            return Err(ConfigError::Wrong { problems });
        }
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        Ok(file.into_config(path.to_path_buf(), engine, &folder))
    }
}

#[cfg(test)]
mod tests;

//! Brokers and how to reach them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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

fn default_keep_alive_s() -> u16 {
    10
}
fn default_max_packet_bytes() -> u32 {
    262_144
}

impl MqttConnection {
    /// The port, with the usual one where none is given.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.tls.is_some() { 8883 } else { 1883 })
    }

    pub(super) fn resolve(&mut self, folder: &Path) {
        if let Some(file) = &mut self.password_file {
            *file = folder.join(&file);
        }
        if let Some(tls) = &mut self.tls {
            tls.resolve(folder);
        }
    }
}

impl Tls {
    /// Its files.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [Some(&self.ca_file), self.cert_file.as_ref(), self.key_file.as_ref()].into_iter().flatten()
    }

    pub(super) fn resolve(&mut self, folder: &Path) {
        let Self { ca_file, cert_file, key_file } = self;
        for file in [Some(ca_file), cert_file.as_mut(), key_file.as_mut()].into_iter().flatten() {
            *file = folder.join(&file);
        }
    }
}

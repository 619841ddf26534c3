//! The centre's configuration (TOML), as typed and as meant.

mod bounds;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use vedette_delivery::audit::{hexadecimal, sha256};
use vedette_delivery::certificate::{Certificate, CertificateError, check_authorities};
use vedette_delivery::topic::TopicError;
use vedette_delivery::words::printable;
use vedette_delivery::{GatewayId, KeyError, Keyring, LedgerConfig, Signer};

/// All of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// SHA-256 of the file's text, in hexadecimal.
    #[serde(skip)]
    pub digest: String,
    /// The centre itself.
    pub centre: CentreConfig,
    /// The broker.
    pub broker: BrokerConfig,
    /// The ledger's file.
    pub ledger: LedgerFile,
    /// Signatures.
    #[serde(default)]
    pub signing: SigningConfig,
    /// Public keys of the gateways.
    #[serde(default)]
    pub gateway: Vec<GatewayKey>,
}

/// The centre itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CentreConfig {
    /// Its name: MQTT client id, and sender of its own alerts.
    pub id: String,
    /// A gateway not heard for this long is silent, seconds; also the time the centre itself may be cut off untold.
    #[serde(default = "silence_s", deserialize_with = "bounds::wait_s")]
    pub silence_s: f64,
    /// Alerts known to exist and missing for this long are reported, seconds.
    #[serde(default = "gap_s", deserialize_with = "bounds::wait_s")]
    pub gap_s: f64,
}

const fn silence_s() -> f64 {
    180.0
}

const fn gap_s() -> f64 {
    600.0
}

/// The broker.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    #[serde(deserialize_with = "bounds::port")]
    pub port: u16,
    /// User name, where the broker wants one.
    #[serde(default)]
    pub user: Option<String>,
    /// File with the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Certificates of the authorities the broker's certificate may come from (PEM); with it, TLS is used.
    #[serde(default)]
    pub authority_file: Option<PathBuf>,
    /// This centre's certificate chain (PEM).
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// This centre's private key (PEM).
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Keep-alive, seconds; silence of three of them ends the connection.
    #[serde(default = "keep_alive_s", deserialize_with = "bounds::keep_alive_s")]
    pub keep_alive_s: u16,
}

const fn keep_alive_s() -> u16 {
    20
}

/// The ledger's file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerFile {
    /// Where it is.
    pub path: PathBuf,
    /// Contents of alerts are erased after this time, days.
    #[serde(default = "keep_days", deserialize_with = "bounds::keep_days")]
    pub keep_days: f64,
}

const fn keep_days() -> f64 {
    90.0
}

/// Signatures.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningConfig {
    /// Refuse what is not proven by a key listed under `[[gateway]]`.
    #[serde(default)]
    pub required: bool,
    /// Name of the key that signs orders.
    #[serde(default)]
    pub kid: Option<String>,
    /// File with its 32 secret bytes.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

/// A public key of a gateway.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayKey {
    /// The gateway.
    pub id: String,
    /// The key's name.
    pub kid: String,
    /// The key, base64.
    pub public_key: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file could not be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's message.
        error: std::io::Error,
    },
    /// The file is not what was expected; the message names line and column.
    #[error("{}: {error}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What and where.
        error: Box<toml::de::Error>,
    },
    /// A name is not allowed.
    #[error(transparent)]
    Name(#[from] TopicError),
    /// A public key is wrong.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A secret key has the wrong length.
    #[error("{}: {got} bytes, expected the 32 bytes of an Ed25519 key", path.display())]
    KeyLength {
        /// The file.
        path: PathBuf,
        /// What it has.
        got: usize,
    },
    /// A certificate is none.
    #[error("{}: {error}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What was expected.
        error: CertificateError,
    },
    /// Whoever may read a secret key may speak in the centre's name.
    #[error("{}: mode {mode:03o}: others can read this secret key; expected 600 (chmod 600)", path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Settings that belong together.
    #[error("{0}")]
    Together(&'static str),
    /// A running centre keeps its name.
    #[error("centre.id: {got:?}, expected {expected:?}: a running centre keeps its name")]
    Renamed {
        /// The other name.
        got: String,
        /// Its name.
        expected: String,
    },
}

impl ConfigError {
    /// The error on one line: where, and what.
    pub(crate) fn on_one_line(&self) -> String {
        let text = self.to_string();
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        match (lines.next(), lines.next_back()) {
            (Some(first), Some(last)) => printable(&format!("{first}: {last}")),
            (first, _) => printable(first.unwrap_or_default()),
        }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// When it cannot be read or has something unexpected in it.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File { path: path.to_owned(), error })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|error| ConfigError::Form { path: path.to_owned(), error: Box::new(error) })?;
        config.digest = hexadecimal(&sha256(text.as_bytes()));
        Ok(config)
    }

    /// Checks all that can be checked without connecting: names, keys, certificates and the modes of secret files.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.ledger_settings()?;
        self.broker_options()?;
        self.check_keys()?;
        if let Some((path, mode)) = self.exposed_secrets().into_iter().next() {
            return Err(ConfigError::Readable { path, mode });
        }
        if let Some(path) = &self.broker.certificate_file {
            let read = Certificate::read(&read_file(path)?);
            read.map_err(|error| ConfigError::Certificate { path: path.clone(), error })?;
        }
        Ok(())
    }

    /// Whether anybody could be heard.
    ///
    /// # Errors
    /// When signatures are required and nobody has a key.
    pub(crate) const fn check_keys(&self) -> Result<(), ConfigError> {
        if self.signing.required && self.gateway.is_empty() {
            return Err(ConfigError::Together(
                "signing.required with no [[gateway]] table: every alert would be refused; give each gateway's public key",
            ));
        }
        Ok(())
    }

    /// Files with secrets that everybody on this machine can read, with their permission bits.
    #[must_use]
    pub fn exposed_secrets(&self) -> Vec<(PathBuf, u32)> {
        let files = [&self.signing.key_file, &self.broker.key_file, &self.broker.password_file];
        let mode_of = |path: &PathBuf| {
            // One that cannot be read is told where it is used.
            let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
            (mode & 0o007 != 0).then(|| (path.clone(), mode))
        };
        files.into_iter().flatten().filter_map(mode_of).collect()
    }

    /// The ledger's settings as meant.
    ///
    /// # Errors
    /// When a name or a key is wrong.
    pub fn ledger_settings(&self) -> Result<LedgerConfig, ConfigError> {
        let mut settings = LedgerConfig::new(GatewayId::new(self.centre.id.clone())?);
        settings.silence_s = self.centre.silence_s;
        settings.gap_s = self.centre.gap_s;
        settings.keep_s = self.ledger.keep_days * 86_400.0;
        settings.require_signed = self.signing.required;
        settings.signer = self.signer()?;
        let mut keys: BTreeMap<GatewayId, Keyring> = BTreeMap::new();
        for key in &self.gateway {
            keys.entry(GatewayId::new(key.id.clone())?).or_default().add(key.kid.clone(), &key.public_key)?;
        }
        settings.keys = keys;
        Ok(settings)
    }

    fn signer(&self) -> Result<Option<Signer>, ConfigError> {
        match (&self.signing.kid, &self.signing.key_file) {
            (None, None) => Ok(None),
            (Some(kid), Some(path)) => {
                let bytes = read_file(path)?;
                let got = bytes.len();
                let secret: [u8; 32] =
                    bytes.try_into().map_err(|_| ConfigError::KeyLength { path: path.clone(), got })?;
                Ok(Some(Signer::new(kid.clone(), &secret)))
            }
            _ => Err(ConfigError::Together("signing.kid and signing.key_file are needed together")),
        }
    }

    /// How to reach the broker.
    ///
    /// # Errors
    /// When a file with a secret or a certificate cannot be read.
    pub fn broker_options(&self) -> Result<vedette_mqtt::Options, ConfigError> {
        let broker = &self.broker;
        let mut options = vedette_mqtt::Options::new(broker.host.clone(), broker.port, self.centre.id.clone());
        options.keep_alive = std::time::Duration::from_secs(u64::from(broker.keep_alive_s.max(1)));
        if let Some(user) = &broker.user {
            let password = match &broker.password_file {
                Some(path) => String::from_utf8_lossy(&read_file(path)?).trim_end().to_owned(),
                None => String::new(),
            };
            options.credentials = Some((user.clone(), password));
        }
        let identity = match (&broker.certificate_file, &broker.key_file) {
            (Some(certificate), Some(key)) => Some((read_file(certificate)?, read_file(key)?)),
            (None, None) => None,
            _ => return Err(ConfigError::Together("broker.certificate_file and broker.key_file are needed together")),
        };
        options.tls = match &broker.authority_file {
            Some(path) => {
                let authority_pem = read_file(path)?;
                // The TLS library would not say which file holds no certificate.
                check_authorities(&authority_pem)
                    .map_err(|error| ConfigError::Certificate { path: path.clone(), error })?;
                Some(vedette_mqtt::Tls { authority_pem, identity_pem: identity })
            }
            None if identity.is_some() => {
                return Err(ConfigError::Together("broker.certificate_file needs broker.authority_file"));
            }
            None => None,
        };
        Ok(options)
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path).map_err(|error| ConfigError::File { path: path.to_owned(), error })
}

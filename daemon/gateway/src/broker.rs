//! From a configured broker to connection options: reads password and certificates anew for each connection.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use vedette_mqtt::{LastWill, Options, Tls};

use crate::config::MqttConnection;

/// A secret or certificate that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct SecretError {
    path: PathBuf,
    error: std::io::Error,
}

/// The options of one connection.
///
/// # Errors
/// When a file with a secret or a certificate cannot be read.
pub fn options(broker: &MqttConnection, last_will: Option<LastWill>) -> Result<Options, SecretError> {
    let client_id = broker.client_id.clone().unwrap_or_default();
    let mut options = Options::new(broker.host.clone(), broker.port(), client_id);
    options.keep_alive = Duration::from_secs(broker.keep_alive_s.into());
    options.max_packet_bytes = broker.max_packet_bytes;
    options.last_will = last_will;
    if let Some(username) = &broker.username {
        let password = broker.password_file.as_deref().map(read_line).transpose()?.unwrap_or_default();
        options.credentials = Some((username.clone(), password));
    }
    if let Some(tls) = &broker.tls {
        let identity_pem = match (&tls.cert_file, &tls.key_file) {
            (Some(cert), Some(key)) => Some((read(cert)?, read(key)?)),
            _ => None,
        };
        options.tls = Some(Tls { authority_pem: read(&tls.ca_file)?, identity_pem });
    }
    Ok(options)
}

/// Watches the files of a connection's certificates.
#[derive(Debug)]
pub struct Renewal {
    files: Vec<PathBuf>,
    known: Stamp,
    /// A change that may not be finished: several files are replaced one after the other.
    changing: Option<Stamp>,
    look_at: Option<Instant>,
}

/// When each file was written and how long it is, for those that are there.
type Stamp = Vec<Option<(SystemTime, u64)>>;

/// Time between two looks; a change counts when it was the same at two.
const LOOK_EVERY: Duration = Duration::from_secs(10);

impl Renewal {
    /// The files as they are now are known.
    #[must_use]
    pub fn new(broker: &MqttConnection) -> Self {
        let files = broker.tls.iter().flat_map(|tls| {
            [Some(&tls.ca_file), tls.cert_file.as_ref(), tls.key_file.as_ref()].into_iter().flatten().cloned()
        });
        let files: Vec<PathBuf> = files.collect();
        Self { known: stamp(&files), files, changing: None, look_at: None }
    }

    /// Looks at the files, when it is time; whether they were replaced, once.
    pub fn seen(&mut self, now: Instant) -> bool {
        if self.files.is_empty() || self.look_at.is_some_and(|at| now < at) {
            return false;
        }
        self.look_at = Some(now + LOOK_EVERY);
        let stamp = stamp(&self.files);
        if stamp == self.known || stamp.iter().any(Option::is_none) {
            self.changing = None;
            return false;
        }
        if self.changing.as_ref() != Some(&stamp) {
            self.changing = Some(stamp);
            return false;
        }
        (self.known, self.changing) = (stamp, None);
        true
    }

    /// Waits until the files are replaced. Safe to cancel.
    pub async fn happens(&mut self) {
        while !self.seen(Instant::now()) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

fn stamp(files: &[PathBuf]) -> Stamp {
    let one = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(one).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, SecretError> {
    std::fs::read(path).map_err(|error| SecretError { path: path.to_path_buf(), error })
}

fn read_line(path: &Path) -> Result<String, SecretError> {
    let text = std::fs::read_to_string(path).map_err(|error| SecretError { path: path.to_path_buf(), error })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Tls;

    #[test]
    fn a_renewal_counts_once_when_all_files_have_settled() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for name in ["ca.pem", "cert.pem", "key.pem"] {
            std::fs::write(file(name), "old").unwrap();
        }
        let tls = Tls { ca_file: file("ca.pem"), cert_file: Some(file("cert.pem")), key_file: Some(file("key.pem")) };
        let text = "host = \"localhost\"";
        let mut broker: MqttConnection = toml::from_str(text).unwrap();
        assert!(Renewal::new(&broker).files.is_empty());
        broker.tls = Some(tls);
        let mut renewal = Renewal::new(&broker);
        let start = Instant::now();
        let mut seen = |looks: u32| renewal.seen(start + LOOK_EVERY * looks);
        assert!(!seen(0));
        std::fs::write(file("cert.pem"), "newer").unwrap();
        assert!(!seen(1), "its key is not there yet");
        std::fs::write(file("key.pem"), "newest").unwrap();
        assert!(!seen(2), "just written");
        assert!(seen(3));
        assert!(!seen(4), "once");
        std::fs::remove_file(file("key.pem")).unwrap();
        assert!(!seen(5) && !seen(6), "a file that is gone is no renewal");
    }
}

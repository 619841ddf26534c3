//! From a configured broker to connection options: reads password and certificates anew for each connection.

use std::io::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vedette_delivery::certificate::check_authorities;
use vedette_mqtt::{LastWill, Options, Renewal, Tls};

use crate::config::MqttConnection;

/// A secret or certificate that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct SecretError {
    path: PathBuf,
    error: Error,
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
        options.tls = Some(Tls { authority_pem: read_authorities(&tls.ca_file)?, identity_pem });
    }
    Ok(options)
}

/// Watches the files of a connection's certificates, which are known as they are now.
#[must_use]
pub fn renewal(broker: &MqttConnection) -> Renewal {
    let files = broker.tls.iter().flat_map(|tls| [Some(&tls.ca_file), tls.cert_file.as_ref(), tls.key_file.as_ref()]);
    Renewal::new(files.flatten().cloned().collect())
}

fn read(path: &Path) -> Result<Vec<u8>, SecretError> {
    std::fs::read(path).map_err(|error| SecretError { path: path.to_path_buf(), error })
}

/// The TLS library would not say which file holds no certificate.
fn read_authorities(path: &Path) -> Result<Vec<u8>, SecretError> {
    let pem = read(path)?;
    check_authorities(&pem).map_err(|error| SecretError { path: path.to_path_buf(), error: Error::other(error) })?;
    Ok(pem)
}

fn read_line(path: &Path) -> Result<String, SecretError> {
    let text = std::fs::read_to_string(path).map_err(|error| SecretError { path: path.to_path_buf(), error })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_of_authorities_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "no certificate").unwrap();
        let broker = format!("host = \"h\"\ntls = {{ ca_file = {file:?} }}\n");
        let broker: MqttConnection = toml::from_str(&broker).unwrap();
        let error = options(&broker, None).unwrap_err().to_string();
        assert!(error.ends_with("ca.pem: expected a PEM certificate: no BEGIN line"), "{error}");
        std::fs::write(&file, crate::certificate::EXAMPLE).unwrap();
        assert!(options(&broker, None).is_ok());
    }
}

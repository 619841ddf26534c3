//! The keys of signatures: the one this gateway signs with, and those whose orders it obeys.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use vedette_delivery::{KeyError, Keyring, Signer};

use crate::config::{OrderKey, Signing};

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// Its file cannot be read or made.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's message.
        error: std::io::Error,
    },
    /// Its file is no key.
    #[error("{}: {got} bytes, expected the 32 bytes of an Ed25519 key", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// What it has.
        got: usize,
    },
    /// A public key is wrong.
    #[error(transparent)]
    Public(#[from] KeyError),
}

/// Makes a secret key in a new file that only its owner can read; returns its public half for the other side.
///
/// # Errors
/// When the file is there already or cannot be written.
pub fn create(path: &Path) -> Result<String, SigningError> {
    let failed = |error| SigningError::File { path: path.to_path_buf(), error };
    let secret = crate::random::bytes::<32>().map_err(failed)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(&secret).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(Signer::new(String::new(), &secret).public())
}

/// The signer a configuration names.
///
/// # Errors
/// When the key's file cannot be read or is no key.
pub fn signer(signing: &Signing) -> Result<Signer, SigningError> {
    let path = signing.key_file.clone();
    let exposed = std::fs::metadata(&path).map(|found| found.permissions().mode() & 0o777);
    if let Ok(mode) = exposed
        && mode & 0o007 != 0
    {
        tracing::warn!("{}: mode {mode:03o}: others can read this secret; expected 600", path.display());
    }
    let bytes = std::fs::read(&path).map_err(|error| SigningError::File { path: path.clone(), error })?;
    let got = bytes.len();
    let secret: [u8; 32] = bytes.try_into().map_err(|_| SigningError::Length { path, got })?;
    Ok(Signer::new(signing.kid.clone(), &secret))
}

/// The keys whose orders are obeyed.
///
/// # Errors
/// When one is no public key.
pub fn keyring(keys: &[OrderKey]) -> Result<Keyring, SigningError> {
    let mut ring = Keyring::new();
    for key in keys {
        ring.add(key.kid.clone(), &key.public_key)?;
    }
    Ok(ring)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_signs_what_its_public_half_proves() {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("gate-1.key");
        let public_key = create(&key_file).unwrap();
        assert!(create(&key_file).is_err(), "a key is never overwritten");
        let signer = signer(&Signing { kid: "gate-1".to_owned(), key_file: key_file.clone() }).unwrap();
        let ring = keyring(&[OrderKey { kid: "gate-1".to_owned(), public_key }]).unwrap();
        assert!(ring.check("topic", b"order", &signer.properties("topic", b"order")).proven());
        assert!(!ring.check("topic", b"other", &signer.properties("topic", b"order")).proven());
        std::fs::write(&key_file, [1, 2, 3]).unwrap();
        let error = super::signer(&Signing { kid: "gate-1".to_owned(), key_file }).unwrap_err();
        assert!(error.to_string().ends_with("3 bytes, expected the 32 bytes of an Ed25519 key"), "{error}");
    }
}

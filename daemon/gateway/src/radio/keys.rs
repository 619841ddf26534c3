//! Node keys in files: a folder with one TOML file for each node, readable by its owner alone.
//!
//! A node has up to three keys at once, told apart by their epoch: the one in use, the one before, the one to come.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use vedette_wire::{Key, KeyError, MAX_EPOCHS};

use crate::config::Radio;
use crate::random;

/// The keys of one node, oldest epoch first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeKeys {
    /// The node.
    pub node: u32,
    /// The node is simulated or takes part in an exercise: what it says is never actual.
    pub exercise: bool,
    /// Epoch and key.
    pub keys: Vec<(u8, Key)>,
}

/// Why a key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewKey {
    /// A node of the field has none yet.
    Actual,
    /// A node of an exercise has none yet.
    Exercise,
    /// The node gets its next one, of the same kind.
    Rotated,
}

/// The keys of all nodes.
pub type KeyRing = BTreeMap<u32, NodeKeys>;

/// Keys that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The system refused.
    #[error("{}: {error}", path.display())]
    System {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// Not a key file.
    #[error("{}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, without the secret.
        reason: String,
    },
    /// A key is not 32 hexadecimal digits.
    #[error("{}: key of epoch {epoch}: {error}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// The key's epoch.
        epoch: u8,
        /// What is wrong, without the secret.
        error: KeyError,
    },
    /// Two files for one node.
    #[error("{}: node {node} has another key file already", path.display())]
    Twice {
        /// The second file.
        path: PathBuf,
        /// The node.
        node: u32,
    },
    /// A key of an exercise at a gateway that is meant, or the other way round.
    #[error("{}: node {node}: expected a key {}, got one {}", path.display(), told(*expected), told(!*expected))]
    Mode {
        /// The folder.
        path: PathBuf,
        /// The node.
        node: u32,
        /// Whether the gateway is one of an exercise.
        expected: bool,
    },
}

const fn told(exercise: bool) -> &'static str {
    if exercise { "of an exercise (`exercise = true` in its file)" } else { "of an actual node" }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    node: u32,
    #[serde(default)]
    exercise: bool,
    key: Vec<KeyTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyTable {
    epoch: u8,
    secret: String,
}

impl NodeKeys {
    /// Reads one key file.
    ///
    /// # Errors
    /// When it cannot be read or is not a key file.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let text =
            fs::read_to_string(path).map_err(|error| KeyFileError::System { path: path.to_path_buf(), error })?;
        // The reader's own message would quote the line, which may hold the secret.
        let FileTable { node, exercise, key } = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let reason = format!("line {line}: expected `node = NUMBER` and [[key]] tables of `epoch` and `secret`");
            KeyFileError::Format { path: path.to_path_buf(), reason }
        })?;
        if key.is_empty() || key.len() > MAX_EPOCHS {
            let reason = format!("expected 1 to {MAX_EPOCHS} [[key]] tables, got {}", key.len());
            return Err(KeyFileError::Format { path: path.to_path_buf(), reason });
        }
        let mut keys = Vec::with_capacity(key.len());
        for KeyTable { epoch, secret } in key {
            let key = Key::from_hex(&secret).map_err(|error| KeyFileError::Secret {
                path: path.to_path_buf(),
                epoch,
                error,
            })?;
            if keys.iter().any(|&(other, _)| other == epoch) {
                let reason = format!("key epoch {epoch} stands there twice");
                return Err(KeyFileError::Format { path: path.to_path_buf(), reason });
            }
            keys.push((epoch, key));
        }
        keys.sort_by_key(|&(epoch, _)| epoch);
        Ok(Self { node, exercise, keys })
    }

    /// Makes a new key for `node` in `dir`: a new file, or rotated one more epoch in its present file, whose oldest key
    /// goes when there would be too many. Returns the file and the new epoch.
    ///
    /// # Errors
    /// When the file cannot be written; when there is one and the key should be the first, or none and it should not.
    pub fn create(dir: &Path, node: u32, new: NewKey) -> Result<(PathBuf, u8), KeyFileError> {
        let path = dir.join(format!("node-{node}.toml"));
        let failed = |error| KeyFileError::System { path: path.clone(), error };
        let rotate = new == NewKey::Rotated;
        let (mut keys, exercise) = if rotate {
            let present = Self::read(&path)?;
            (present.keys, present.exercise)
        } else {
            (Vec::new(), new == NewKey::Exercise)
        };
        let epoch = keys.last().map_or(0, |&(epoch, _)| epoch.wrapping_add(1));
        if keys.len() == MAX_EPOCHS {
            keys.remove(0);
        }
        keys.push((epoch, Key::new(random::bytes().map_err(failed)?)));
        let mut text =
            format!("# Radio keys of node {node}: who has this file can speak for the node.\nnode = {node}\n");
        if exercise {
            text.push_str("exercise = true\n");
        }
        for (epoch, key) in &keys {
            let secret = key.expose().iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let _ = write!(text, "\n[[key]]\nepoch = {epoch}\nsecret = \"{secret}\"\n");
        }
        let written = if rotate { dir.join(format!(".node-{node}.new")) } else { path.clone() };
        if rotate {
            let _ = fs::remove_file(&written);
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&written).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        if rotate {
            fs::rename(&written, &path).map_err(failed)?;
        }
        Ok((path, epoch))
    }
}

/// Reads every `*.toml` file of a folder.
///
/// # Errors
/// When the folder or one of its files cannot be read, or two files are about one node.
pub fn read_ring(dir: &Path) -> Result<KeyRing, KeyFileError> {
    let failed = |error| KeyFileError::System { path: dir.to_path_buf(), error };
    let mut ring = KeyRing::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let keys = NodeKeys::read(&path)?;
        let node = keys.node;
        if ring.insert(node, keys).is_some() {
            return Err(KeyFileError::Twice { path, node });
        }
    }
    Ok(ring)
}

/// The keys that a gateway uses: all of its folder, which must all be of its own kind, so that nothing of an exercise is
/// ever taken for actual or the other way round.
///
/// # Errors
/// When they cannot be read, or one is of the other kind.
pub fn ring_of(radio: Option<&Radio>, exercise: bool) -> Result<KeyRing, KeyFileError> {
    let Some(radio) = radio else { return Ok(KeyRing::new()) };
    let ring = read_ring(&radio.keys_dir)?;
    match ring.values().find(|keys| keys.exercise != exercise) {
        Some(keys) => Err(KeyFileError::Mode { path: radio.keys_dir.clone(), node: keys.node, expected: exercise }),
        None => Ok(ring),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn new_keys_are_read_back_and_readable_by_their_owner_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let (path, epoch) = NodeKeys::create(dir.path(), 7, NewKey::Actual).expect("a new file");
        assert_eq!((epoch, fs::metadata(&path).expect("there").permissions().mode() & 0o777), (0, 0o600));
        assert!(NodeKeys::create(dir.path(), 7, NewKey::Actual).is_err(), "a key is never overwritten");
        for expected in 1..=3 {
            let (_, epoch) = NodeKeys::create(dir.path(), 7, NewKey::Rotated).expect("rotated");
            assert_eq!(epoch, expected);
        }
        let ring = read_ring(dir.path()).expect("readable");
        let epochs: Vec<u8> = ring[&7].keys.iter().map(|&(epoch, _)| epoch).collect();
        assert_eq!(epochs, [1, 2, 3]);
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_wrong_file_is_told_without_its_secret() {
        let dir = tempfile::tempdir().expect("a folder");
        let secret = "00112233445566778899aabbccddeeff";
        for text in [
            format!("node = 7\n[[key]]\nepoch = 0\nsecret = \"{secret}"),
            format!("node = 7\n[[key]]\nepoch = 0\nsecret = \"{secret}0\""),
            format!("node = 7\n[[key]]\nepoch = 0\nsecret = \"{secret}\"\n[[key]]\nepoch = 0\nsecret = \"{secret}\""),
            "node = 7\nkey = []".to_owned(),
        ] {
            let path = dir.path().join("node-7.toml");
            fs::write(&path, &text).expect("written");
            let message = read_ring(dir.path()).expect_err("wrong").to_string();
            assert!(!message.contains(&secret[4..]), "{message}");
        }
    }

    #[test]
    fn keys_of_an_exercise_and_actual_ones_never_mix() {
        let dir = tempfile::tempdir().expect("a folder");
        let text = format!("keys_dir = \"{}\"", dir.path().display());
        let radio: Radio = toml::from_str(&text).expect("a table");
        NodeKeys::create(dir.path(), 7, NewKey::Exercise).expect("a new file");
        NodeKeys::create(dir.path(), 7, NewKey::Rotated).expect("rotated");
        let ring = ring_of(Some(&radio), true).expect("of its kind");
        assert!(ring[&7].exercise && ring[&7].keys.len() == 2, "a rotated key stays one of an exercise");
        let refused = ring_of(Some(&radio), false).expect_err("an actual gateway").to_string();
        assert!(
            refused.ends_with(
                "node 7: expected a key of an actual node, got one of an exercise (`exercise = true` in its file)"
            ),
            "{refused}"
        );
        NodeKeys::create(dir.path(), 8, NewKey::Actual).expect("a new file");
        let refused = ring_of(Some(&radio), true).expect_err("one of each").to_string();
        assert!(refused.contains("node 8: expected a key of an exercise"), "{refused}");
    }
}

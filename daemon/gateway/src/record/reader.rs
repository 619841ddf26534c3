//! Reading a recording back, also one whose writer was killed.

use std::io::Read;
use std::path::{Path, PathBuf};

use vedette_engine::config::EngineConfig;
use vedette_engine::{Input, Snapshot, Timestamp};

use super::messages::{Entry, Messages};
use super::topic;
use crate::replay::Told;

/// Name of the metadata record that says what a recording is.
pub(super) const METADATA: &str = "vedette";

/// A recording that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system could not read or write it.
    #[error("{}: {error}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// It could not be written.
    #[error("{}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: mcap::McapError,
    },
    /// It is no MCAP file or no recording of a gateway, or damaged before its first input.
    #[error("{}: expected a recording of a gateway, {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        what: String,
    },
}

/// A recording, ready to give out its inputs.
#[derive(Debug)]
pub struct Recording<R> {
    /// The engine's configuration at the beginning.
    pub config: EngineConfig,
    /// Version of the program that recorded it.
    pub version: String,
    /// The engine before the first input.
    pub snapshot: Snapshot,
    /// What it was told.
    pub inputs: Inputs<R>,
}

/// The inputs of a recording, in order, read as they are asked for.
#[derive(Debug)]
pub struct Inputs<R> {
    path: PathBuf,
    messages: Messages<R>,
    given: u64,
    /// Number of the last message; a recording counts all of its messages without a gap.
    sequence: u32,
    gap: Option<String>,
}

impl<R: Read> Recording<R> {
    /// Reads up to the first input of the file at `path`, whose content is `source`.
    ///
    /// # Errors
    /// When it is not a recording, or cannot be read so far.
    pub fn open(path: &Path, source: R) -> Result<Self, ReadError> {
        let content = |what: String| ReadError::Content { path: path.to_path_buf(), what };
        let mut messages = Messages::new(source);
        let (mut config, mut version) = (None, String::new());
        while let Some(entry) = messages.next() {
            match entry {
                Entry::Metadata(metadata) if metadata.name == METADATA => {
                    let mut values = metadata.metadata;
                    let text = values.remove("config").ok_or_else(|| content("found no configuration".to_owned()))?;
                    let read = serde_json::from_str(&text);
                    config = Some(read.map_err(|error| content(format!("configuration: {error}")))?);
                    version = values.remove("version").unwrap_or_default();
                }
                Entry::Message(message) if message.channel.topic == topic::SNAPSHOT => {
                    let config = config.ok_or_else(|| content("found no configuration".to_owned()))?;
                    let snapshot = Snapshot::from_bytes(&message.data).map_err(|error| content(error.to_string()))?;
                    let (path, sequence) = (path.to_path_buf(), message.sequence);
                    let inputs = Inputs { path, messages, given: 0, sequence, gap: None };
                    return Ok(Self { config, version, snapshot, inputs });
                }
                Entry::Metadata(_) | Entry::Message(_) => {}
            }
        }
        let why = messages.torn().map_or_else(String::new, |torn| format!(": {torn}"));
        Err(content(format!("found no snapshot{why}")))
    }
}

impl<R: Read> Inputs<R> {
    /// Why the rest could not be read, when the file ends early, as after a kill; known at the end.
    #[must_use]
    pub fn torn(&self) -> Option<&str> {
        self.gap.as_deref().or_else(|| self.messages.torn())
    }
}

impl<R: Read> Iterator for Inputs<R> {
    type Item = Result<Told, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.gap.is_some() {
                return None;
            }
            let Entry::Message(message) = self.messages.next()? else { continue };
            let expected = self.sequence.wrapping_add(1);
            if message.sequence != expected {
                // An engine that misses something comes to other conclusions from then on.
                self.gap = Some(format!("messages {expected} to {} are missing", message.sequence.wrapping_sub(1)));
                return None;
            }
            self.sequence = expected;
            if message.channel.topic != topic::INPUT {
                continue;
            }
            self.given += 1;
            let read: Result<(Timestamp, Input), _> = rmp_serde::from_slice(&message.data);
            return Some(match read {
                Ok((now, input)) => Ok(Told { now, input }),
                Err(error) => {
                    let what = format!("input {}: {error}", self.given);
                    Err(ReadError::Content { path: self.path.clone(), what })
                }
            });
        }
    }
}

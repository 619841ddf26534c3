//! Reading a recording back, also one whose writer was killed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use mcap::read::Options;
use mcap::records::Record;
use vedette_engine::config::EngineConfig;
use vedette_engine::{Input, Snapshot, Timestamp};

use super::topic;
use crate::replay::Told;

/// A recording that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system could not read it.
    #[error("{}: {error}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// It is no MCAP file, or damaged before its end.
    #[error("{}: {error}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: mcap::McapError,
    },
    /// It is an MCAP file and no recording of a gateway.
    #[error("{}: expected a recording of a gateway, {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        what: String,
    },
}

/// A whole recording in memory.
#[derive(Debug)]
pub struct Recording {
    /// The engine's configuration at the beginning.
    pub config: EngineConfig,
    /// The engine before the first input.
    pub snapshot: Snapshot,
    /// What it was told.
    pub inputs: Vec<Told>,
    /// Why the rest could not be read, when the file ends early, as after a kill.
    pub torn: Option<String>,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is not a recording, or cannot be read up to its first input.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
        read.map_err(|error| ReadError::System { path: path.to_path_buf(), error })?;
        let content = |what: String| ReadError::Content { path: path.to_path_buf(), what };
        let config = config(&bytes).map_err(content)?;
        let stream = mcap::MessageStream::new_with_options(&bytes, Options::IgnoreEndMagic.into());
        let stream = stream.map_err(|error| ReadError::Format { path: path.to_path_buf(), error })?;
        let (mut snapshot, mut inputs, mut torn) = (None, Vec::new(), None);
        for message in stream {
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    torn = Some(error.to_string());
                    break;
                }
            };
            match message.channel.topic.as_str() {
                topic::SNAPSHOT => {
                    let read = Snapshot::from_bytes(&message.data).map_err(|error| content(error.to_string()))?;
                    snapshot = Some(read);
                }
                topic::INPUT => {
                    let read: Result<(Timestamp, Input), _> = rmp_serde::from_slice(&message.data);
                    let (now, input) = read.map_err(|error| content(format!("input {}: {error}", inputs.len() + 1)))?;
                    inputs.push(Told { now, input });
                }
                _ => {}
            }
        }
        let snapshot = snapshot.ok_or_else(|| content("found no snapshot".to_owned()))?;
        Ok(Self { config, snapshot, inputs, torn })
    }
}

/// The configuration in the metadata, which stands before the first message.
fn config(bytes: &[u8]) -> Result<EngineConfig, String> {
    let reader = mcap::read::LinearReader::new_with_options(bytes, Options::IgnoreEndMagic.into());
    for record in reader.map_err(|error| error.to_string())? {
        if let Record::Metadata(metadata) = record.map_err(|error| error.to_string())?
            && metadata.name == "vedette"
        {
            let config = metadata.metadata.get("config").ok_or("found no configuration")?;
            return serde_json::from_str(config).map_err(|error| format!("configuration: {error}"));
        }
    }
    Err("found no configuration".to_owned())
}

//! One MCAP file, and the folder's quota.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use mcap::records::{MessageHeader, Metadata};
use mcap::{McapResult, WriteOptions};
use vedette_engine::geo::SiteFrame;
use vedette_engine::time::format_rfc3339;
use vedette_engine::{Alert, Input, Picture, Timestamp};

use super::{schema, topic, viewer};

/// Version of the layout: topics, their encodings and the keys of the metadata.
const FORMAT: &str = "1";
/// A channel's schema number when it has none.
const NO_SCHEMA: u16 = 0;

/// A recording that is being written.
pub struct RecordingFile {
    path: PathBuf,
    writer: mcap::Writer<BufWriter<File>>,
    /// The same file, to bring what was written to the disk itself.
    disk: File,
    channels: BTreeMap<&'static str, u16>,
    sequence: u32,
    bytes: u64,
}

impl std::fmt::Debug for RecordingFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordingFile").field("path", &self.path).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl RecordingFile {
    /// Begins a file in `dir`, named by site and time; `snapshot` is the engine before the first input, `config` its
    /// configuration as JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(dir: &Path, site: &str, now: Timestamp, snapshot: &[u8], config: String) -> McapResult<Self> {
        fs::create_dir_all(dir)?;
        let time: String = format_rfc3339(now).chars().filter(char::is_ascii_alphanumeric).collect();
        let name =
            |n: u32| dir.join(if n == 0 { format!("{site}-{time}.mcap") } else { format!("{site}-{time}-{n}.mcap") });
        let path = (0..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0));
        let file = File::options().write(true).create_new(true).open(&path)?;
        let disk = file.try_clone()?;
        let options = WriteOptions::new().profile("").library(format!("vedette {}", env!("CARGO_PKG_VERSION")));
        let mut writer = options.chunk_size(Some(512 << 10)).create(BufWriter::new(file))?;
        let channels = channels(&mut writer)?;
        let about = [
            ("format", FORMAT.to_owned()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("site", site.to_owned()),
            ("config", config),
        ];
        let metadata = about.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        writer.write_metadata(&Metadata { name: "vedette".to_owned(), metadata })?;
        let mut file = Self { path, writer, disk, channels, sequence: 0, bytes: 0 };
        file.write(topic::SNAPSHOT, now, snapshot)?;
        Ok(file)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends what the engine is about to be told.
    ///
    /// # Errors
    /// When it cannot be written; the file is of no use then beyond what was flushed.
    pub fn input(&mut self, now: Timestamp, input: &Input) -> McapResult<()> {
        let data = encoded(now, input).map_err(std::io::Error::other)?;
        self.write(topic::INPUT, now, &data)
    }

    /// Appends an alert, and where it is for viewers.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn alert(&mut self, now: Timestamp, alert: &Alert) -> McapResult<()> {
        viewer::alert(alert).into_iter().try_for_each(|(topic, data)| self.write(topic, now, &data))
    }

    /// Appends the tracks for viewers.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn picture(&mut self, now: Timestamp, picture: &Picture, frame: &SiteFrame) -> McapResult<()> {
        viewer::picture(picture, frame).into_iter().try_for_each(|(topic, data)| self.write(topic, now, &data))
    }

    pub(super) fn write(&mut self, topic: &'static str, now: Timestamp, data: &[u8]) -> McapResult<()> {
        let Some(&channel_id) = self.channels.get(topic) else { return Ok(()) };
        let log_time = u64::try_from(now.as_micros()).unwrap_or(0).saturating_mul(1000);
        self.sequence = self.sequence.wrapping_add(1);
        let header = MessageHeader { channel_id, sequence: self.sequence, log_time, publish_time: log_time };
        self.writer.write_to_known_channel(&header, data)?;
        // Compression makes the file smaller than this; the bound is an upper one.
        self.bytes += data.len() as u64 + 31;
        Ok(())
    }

    /// Closes the chunk and brings it to the disk, so that a kill or a power cut takes only what comes after.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> McapResult<()> {
        self.writer.flush()?;
        Ok(self.disk.sync_data()?)
    }

    /// Closes the file with its index and footer.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> McapResult<()> {
        self.writer.finish().map(drop)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// An input as recordings hold it.
pub(super) fn encoded(now: Timestamp, input: &Input) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    rmp_serde::to_vec_named(&(now, input))
}

/// The channels of every recording, each with the schema that tools know it by.
fn channels(writer: &mut mcap::Writer<BufWriter<File>>) -> McapResult<BTreeMap<&'static str, u16>> {
    let mut schemas = BTreeMap::new();
    for schema in [schema::GEO_JSON, schema::LOCATION_FIX, schema::ALERT] {
        schemas.insert(schema.name, writer.add_schema(schema.name, "jsonschema", schema.text.as_bytes())?);
    }
    let mut channels = BTreeMap::new();
    for (topic, encoding, schema) in [
        (topic::SNAPSHOT, "msgpack", None),
        (topic::INPUT, "msgpack", None),
        (topic::ALERT, "json", Some(schema::ALERT)),
        (topic::ALERT_MAP, "json", Some(schema::GEO_JSON)),
        (topic::ALERT_FIX, "json", Some(schema::LOCATION_FIX)),
        (topic::TRACK_MAP, "json", Some(schema::GEO_JSON)),
        (topic::TRACK_FIX, "json", Some(schema::LOCATION_FIX)),
    ] {
        let schema = schema.and_then(|schema| schemas.get(schema.name).copied()).unwrap_or(NO_SCHEMA);
        channels.insert(topic, writer.add_channel(schema, topic, encoding, &BTreeMap::new())?);
    }
    Ok(channels)
}

/// Deletes the oldest recordings until the rest is within the quota; which.
pub(super) fn enforce_quota(dir: &Path, quota_bytes: u64) -> std::io::Result<Vec<String>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut files: Vec<(std::time::SystemTime, PathBuf, u64)> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "mcap") {
            let metadata = entry.metadata()?;
            files.push((metadata.modified()?, entry.path(), metadata.len()));
        }
    }
    files.sort();
    let mut total: u64 = files.iter().map(|(_, _, bytes)| bytes).sum();
    let mut deleted = Vec::new();
    for (_, path, bytes) in files {
        if total <= quota_bytes {
            break;
        }
        fs::remove_file(&path)?;
        tracing::info!("recording {} is deleted: the quota is reached", path.display());
        deleted.push(format!("{}, {bytes} bytes", path.display()));
        total -= bytes;
    }
    Ok(deleted)
}

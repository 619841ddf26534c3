//! One MCAP file, and the folder's quota.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use mcap::records::{MessageHeader, Metadata};
use mcap::{McapResult, WriteOptions};
use vedette_engine::Timestamp;
use vedette_engine::time::format_rfc3339;

use super::topic;

/// What viewers know `/track` by; the schema is Foxglove's, of which only the one field is used.
const GEO_JSON_SCHEMA: &str =
    r#"{"title":"foxglove.GeoJSON","type":"object","properties":{"geojson":{"type":"string"}}}"#;

/// A recording that is being written.
pub(super) struct RecordingFile {
    writer: mcap::Writer<BufWriter<File>>,
    channels: BTreeMap<&'static str, u16>,
    sequence: u32,
    bytes: u64,
}

impl RecordingFile {
    /// Begins a file named by site and time.
    pub(super) fn create(dir: &Path, site: &str, now: Timestamp, snapshot: &[u8], config: String) -> McapResult<Self> {
        fs::create_dir_all(dir)?;
        let time: String = format_rfc3339(now).chars().filter(char::is_ascii_alphanumeric).collect();
        let name =
            |n: u32| dir.join(if n == 0 { format!("{site}-{time}.mcap") } else { format!("{site}-{time}-{n}.mcap") });
        let path = (0..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0));
        let file = BufWriter::new(File::options().write(true).create_new(true).open(path)?);
        let options = WriteOptions::new().profile("").library(format!("vedette {}", env!("CARGO_PKG_VERSION")));
        let mut writer = options.chunk_size(Some(512 << 10)).create(file)?;
        let none = BTreeMap::new();
        let geo_json = writer.add_schema("foxglove.GeoJSON", "jsonschema", GEO_JSON_SCHEMA.as_bytes())?;
        let mut channels = BTreeMap::new();
        for (topic, encoding, schema) in [
            (topic::SNAPSHOT, "msgpack", 0),
            (topic::INPUT, "msgpack", 0),
            (topic::ALERT, "json", writer.add_schema("vedette.Alert", "jsonschema", b"{\"type\":\"object\"}")?),
            (topic::TRACK, "json", geo_json),
        ] {
            channels.insert(topic, writer.add_channel(schema, topic, encoding, &none)?);
        }
        let about = [("version", env!("CARGO_PKG_VERSION").to_owned()), ("site", site.to_owned()), ("config", config)];
        let metadata = about.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        writer.write_metadata(&Metadata { name: "vedette".to_owned(), metadata })?;
        let mut file = Self { writer, channels, sequence: 0, bytes: 0 };
        file.write(topic::SNAPSHOT, now, snapshot)?;
        Ok(file)
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

    /// Closes the chunk, so that a killed process loses only what comes after.
    pub(super) fn flush(&mut self) -> McapResult<()> {
        self.writer.flush()
    }

    pub(super) fn finish(mut self) -> McapResult<()> {
        self.writer.finish().map(drop)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Deletes the oldest recordings until the rest is within the quota.
pub(super) fn enforce_quota(dir: &Path, quota_bytes: u64) -> std::io::Result<()> {
    if !dir.exists() {
        return Ok(());
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
    for (_, path, bytes) in files {
        if total <= quota_bytes {
            break;
        }
        fs::remove_file(&path)?;
        tracing::info!("recording {} is deleted: the quota is reached", path.display());
        total -= bytes;
    }
    Ok(())
}

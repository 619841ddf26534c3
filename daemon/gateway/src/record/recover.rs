//! From a torn recording to a whole one: everything that can be read, under a new index and footer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use mcap::records::MessageHeader;
use mcap::{McapError, WriteOptions};

use super::messages::{Entry, Messages};
use super::reader::ReadError;

/// What became of a torn file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Messages in the new file.
    pub messages: u64,
    /// Why the rest could not be read; none when the file was whole.
    pub torn: Option<String>,
}

/// Copies what can be read of `from` into a new file `to`, which must not exist. Channels, schemas, metadata, times and the
/// order of the messages stay as they were.
///
/// # Errors
/// When a file cannot be opened or written, or nothing can be read.
pub fn recover(from: &Path, to: &Path) -> Result<Recovered, ReadError> {
    let system = |path: &Path| {
        let path = path.to_path_buf();
        move |error| ReadError::System { path, error }
    };
    let source = File::open(from).map_err(system(from))?;
    let mut messages = Messages::new(BufReader::with_capacity(1 << 16, source));
    // Nothing is made of a file that holds nothing.
    let Some(first) = messages.next() else {
        let what = messages.torn().map_or_else(|| "found nothing".to_owned(), |torn| format!("found nothing: {torn}"));
        return Err(ReadError::Content { path: from.to_path_buf(), what });
    };
    let file = File::options().write(true).create_new(true).open(to).map_err(system(to))?;
    let disk = file.try_clone().map_err(system(to))?;
    let count = copy(first, &mut messages, file).map_err(|error| ReadError::Write { path: to.to_path_buf(), error })?;
    disk.sync_all().map_err(system(to))?;
    Ok(Recovered { messages: count, torn: messages.torn().map(str::to_owned) })
}

fn copy(first: Entry, messages: &mut Messages<BufReader<File>>, file: File) -> Result<u64, McapError> {
    let options = WriteOptions::new().profile("").library(format!("vedette {}", env!("CARGO_PKG_VERSION")));
    let mut writer = options.create(BufWriter::new(file))?;
    let mut channels = BTreeMap::new();
    let (mut next, mut count) = (Some(first), 0);
    while let Some(entry) = next {
        match entry {
            Entry::Metadata(metadata) => writer.write_metadata(&metadata)?,
            Entry::Message(message) => {
                let channel = &message.channel;
                let channel_id = if let Some(&id) = channels.get(&channel.id) {
                    id
                } else {
                    let schema = match messages.schema(channel) {
                        Some(schema) => writer.add_schema(&schema.name, &schema.encoding, &schema.data)?,
                        None => 0,
                    };
                    let id =
                        writer.add_channel(schema, &channel.topic, &channel.message_encoding, &channel.metadata)?;
                    channels.insert(channel.id, id);
                    id
                };
                let header = MessageHeader {
                    channel_id,
                    sequence: message.sequence,
                    log_time: message.log_time_ns,
                    publish_time: message.publish_time_ns,
                };
                writer.write_to_known_channel(&header, &message.data)?;
                count += 1;
            }
        }
        next = messages.next();
    }
    writer.finish()?;
    Ok(count)
}

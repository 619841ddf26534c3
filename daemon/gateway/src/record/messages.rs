//! The messages of an MCAP file, in the order they were written, as far as it can be read.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::sync::Arc;

use mcap::records::{Channel, Metadata, Record};
use mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};

/// Longest record or chunk taken; what claims to be longer is damage. A snapshot is the longest of ours, a few MiB.
const MAX_RECORD_BYTES: usize = 256 << 20;

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its channel.
    pub channel: Arc<Channel>,
    /// Time of its recording, nanoseconds since 1970.
    pub log_time_ns: u64,
    /// Time of its publication, nanoseconds since 1970.
    pub publish_time_ns: u64,
    /// Its place among all messages, as the writer counted.
    pub sequence: u32,
    /// Its content, in the channel's encoding.
    pub data: Vec<u8>,
}

/// What a file holds, one after the other.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Named values about the file.
    Metadata(Metadata),
    /// A message.
    Message(Message),
}

/// A schema: its name, its encoding and its text.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    pub(super) name: String,
    pub(super) encoding: String,
    pub(super) data: Vec<u8>,
}

/// Reads a file from beginning to end. A chunk is checked as a whole before its first message is given out, so a torn or
/// damaged one gives none.
pub struct Messages<R> {
    source: R,
    reader: LinearReader,
    schemas: BTreeMap<u16, Schema>,
    channels: BTreeMap<u16, Arc<Channel>>,
    ended: bool,
    has_footer: bool,
    torn: Option<String>,
}

impl<R> std::fmt::Debug for Messages<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages").field("channels", &self.channels).field("torn", &self.torn).finish_non_exhaustive()
    }
}

impl<R: Read> Messages<R> {
    /// Reads from `source`, which should be buffered.
    pub fn new(source: R) -> Self {
        let options = LinearReaderOptions::default()
            .with_prevalidate_chunk_crcs(true)
            .with_validate_data_section_crc(true)
            .with_record_length_limit(MAX_RECORD_BYTES)
            .with_skip_end_magic(true);
        Self {
            source,
            reader: LinearReader::new_with_options(options),
            schemas: BTreeMap::new(),
            channels: BTreeMap::new(),
            ended: false,
            has_footer: false,
            torn: None,
        }
    }

    /// Why the file cannot be read to its end, once all messages before that have been given out: it was cut, its writer was
    /// killed, or it is damaged.
    #[must_use]
    pub fn torn(&self) -> Option<&str> {
        self.torn.as_deref()
    }

    /// The channels met so far, by number.
    pub(super) fn channels(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.channels.values()
    }

    /// The schema of a channel.
    pub(super) fn schema(&self, channel: &Channel) -> Option<&Schema> {
        self.schemas.get(&channel.schema_id)
    }

    /// The next record as an entry, nothing when it is none of ours to give, or the end.
    fn step(&mut self) -> Result<Option<Entry>, String> {
        let event = match self.reader.next_event() {
            None => {
                self.ended = true;
                return if self.has_footer { Ok(None) } else { Err("it ends without a footer".to_owned()) };
            }
            Some(event) => event.map_err(|error| error.to_string())?,
        };
        match event {
            LinearReadEvent::ReadRequest(need) => {
                let read = loop {
                    match self.source.read(self.reader.insert(need)) {
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        read => break read.map_err(|error| error.to_string())?,
                    }
                };
                self.reader.notify_read(read);
                Ok(None)
            }
            LinearReadEvent::Record { opcode, data } => {
                let record = mcap::parse_record(opcode, data).map_err(|error| error.to_string())?;
                Ok(match record {
                    Record::Schema { header, data } => {
                        let schema = Schema { name: header.name, encoding: header.encoding, data: data.into_owned() };
                        self.schemas.insert(header.id, schema);
                        None
                    }
                    Record::Channel(channel) => {
                        self.channels.entry(channel.id).or_insert_with(|| Arc::new(channel));
                        None
                    }
                    Record::Message { header, data } => {
                        let channel = self.channels.get(&header.channel_id);
                        let channel =
                            channel.ok_or_else(|| format!("message of unknown channel {}", header.channel_id))?;
                        Some(Entry::Message(Message {
                            channel: Arc::clone(channel),
                            log_time_ns: header.log_time,
                            publish_time_ns: header.publish_time,
                            sequence: header.sequence,
                            data: data.into_owned(),
                        }))
                    }
                    Record::Metadata(metadata) => Some(Entry::Metadata(metadata)),
                    Record::Footer(_) => {
                        self.has_footer = true;
                        None
                    }
                    _ => None,
                })
            }
        }
    }
}

impl<R: Read> Iterator for Messages<R> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        while !self.ended {
            match self.step() {
                Ok(Some(entry)) => return Some(entry),
                Ok(None) => {}
                Err(error) => {
                    self.ended = true;
                    self.torn = Some(error);
                }
            }
        }
        None
    }
}

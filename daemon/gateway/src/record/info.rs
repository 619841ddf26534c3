//! What a recording holds: the answer to "can this file tell me anything about last night?".

use std::collections::BTreeMap;
use std::io::Read;

use vedette_engine::Timestamp;

use super::messages::{Entry, Messages};
use super::reader::METADATA;

/// A summary of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Info {
    /// Layout of the recording; none when the file is no recording of a gateway.
    pub format: Option<String>,
    /// Version of the program that recorded it.
    pub version: Option<String>,
    /// The gateway's site.
    pub site: Option<String>,
    /// Time of the first message.
    pub first: Option<Timestamp>,
    /// Time of the last message.
    pub last: Option<Timestamp>,
    /// Topics by name.
    pub topics: BTreeMap<String, Topic>,
    /// Why the rest cannot be read, if the file ends early.
    pub torn: Option<String>,
}

/// What one topic holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Topic {
    /// Encoding of its messages.
    pub encoding: String,
    /// Name of its schema, or nothing.
    pub schema: String,
    /// Messages.
    pub messages: u64,
    /// Their bytes before compression.
    pub bytes: u64,
}

impl Info {
    /// Reads all of `source`.
    pub fn of(source: impl Read) -> Self {
        let mut messages = Messages::new(source);
        let mut info = Self::default();
        for entry in messages.by_ref() {
            match entry {
                Entry::Metadata(mut metadata) if metadata.name == METADATA => {
                    info.format = metadata.metadata.remove("format");
                    info.version = metadata.metadata.remove("version");
                    info.site = metadata.metadata.remove("site");
                }
                Entry::Metadata(_) => {}
                Entry::Message(message) => {
                    let at = timestamp(message.log_time_ns);
                    info.first = Some(info.first.map_or(at, |first| first.min(at)));
                    info.last = Some(info.last.map_or(at, |last| last.max(at)));
                    let topic = info.topics.entry(message.channel.topic.clone()).or_default();
                    topic.messages += 1;
                    topic.bytes += message.data.len() as u64;
                }
            }
        }
        for channel in messages.channels() {
            let topic = info.topics.entry(channel.topic.clone()).or_default();
            topic.encoding.clone_from(&channel.message_encoding);
            topic.schema = messages.schema(channel).map_or_else(String::new, |schema| schema.name.clone());
        }
        info.torn = messages.torn().map(str::to_owned);
        info
    }
}

/// A recording's time in the engine's resolution.
pub(super) fn timestamp(ns: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(ns / 1000).unwrap_or(i64::MAX))
}

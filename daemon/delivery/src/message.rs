//! The messages between gateway and centre (JSON): each knows how it is written and how much of it must be readable.
//!
//! Growth: fields are only added, unknown ones are ignored, an unknown word of a closed list reads as `Unknown`. An
//! alert that a centre is too old to understand still has an [`EnvelopeHead`], so it is stored and acknowledged.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use vedette_engine::{Alert, Command, Timestamp, Track};

use crate::Ranges;
use crate::audit::Anchor;

/// Version written into every message.
pub const VERSION: u32 = 1;

/// The life of one store: a new store (or one restored from a backup) begins a new epoch, and numbers alerts from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub String);

impl std::fmt::Display for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// `alert`: one revision of an alert with the number its outbox gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`VERSION`].
    pub v: u32,
    /// The outbox.
    pub epoch: Epoch,
    /// Counts up from 1 within the epoch.
    pub seq: u64,
    /// The alert.
    pub alert: Alert,
}

/// The part of an [`Envelope`] that every version has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvelopeHead {
    /// Version of the sender.
    pub v: u32,
    /// The outbox.
    pub epoch: Epoch,
    /// Its number.
    pub seq: u64,
}

/// `void`: sequence numbers that will never come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// [`VERSION`].
    pub v: u32,
    /// The outbox.
    pub epoch: Epoch,
    /// Which.
    pub ranges: Ranges,
    /// Why.
    pub why: VoidReason,
}

/// Why a sequence number will never come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VoidReason {
    /// A newer revision of the same alert took its place before it was sent: nothing is lost.
    Folded,
    /// The store was full, or no broker would take the message: lost, and reported.
    Dropped,
    /// It was delivered and acknowledged more than the retention time ago and is no longer kept.
    Erased,
    /// A reason this program does not know.
    #[serde(other)]
    Unknown,
}

/// `ack`: what the centre has committed of one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// [`VERSION`].
    pub v: u32,
    /// The outbox.
    pub epoch: Epoch,
    /// All of `1..=upto`, received or void.
    pub upto: u64,
    /// Those after `upto`.
    #[serde(default)]
    pub ranges: Ranges,
    /// There are too many ranges for one message: those given are settled, and of the others nothing is said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// When partial: of the numbers from the first to the last of these it says everything. The span moves on with each
    /// acknowledgement and comes round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<(u64, u64)>,
}

impl Ack {
    /// Greatest number of ranges in a complete message, and of ranges around what has just come in a partial one: 1 kB.
    pub const MAX_RANGES: usize = 64;
    /// Greatest number of ranges in the span that a partial message is complete about.
    const SPAN_RANGES: usize = 16;

    /// The acknowledgement for `settled`. With too many ranges, those around `recent` are given, and those of a span that
    /// begins at `from`, or at the first gap when nothing is settled from there on.
    #[must_use]
    pub fn new(epoch: Epoch, settled: &Ranges, recent: &Ranges, from: u64) -> Self {
        let upto = settled.upto();
        let above = settled.above_upto();
        if above.range_count() <= Self::MAX_RANGES {
            return Self { v: VERSION, epoch, upto, ranges: above, partial: false, about: None };
        }
        let mut ranges = Ranges::new();
        for (first, last) in above.around(recent).iter().take(Self::MAX_RANGES) {
            ranges.insert_range(first, last);
        }
        let begins = if above.last().is_some_and(|last| from <= last) { from.max(upto + 1) } else { upto + 1 };
        let mut after = above.iter().filter(|&(_, last)| last >= begins);
        for (first, last) in after.by_ref().take(Self::SPAN_RANGES) {
            ranges.insert_range(first, last);
        }
        let ends = after.next().map_or(u64::MAX, |(first, _)| first - 1);
        Self { v: VERSION, epoch, upto, ranges, partial: true, about: Some((begins, ends)) }
    }

    /// The numbers that it says everything about, `1..=upto` aside: what it does not cover of these is not settled.
    #[must_use]
    pub fn span(&self) -> Option<(u64, u64)> {
        if self.partial { self.about } else { Some((1, u64::MAX)) }
    }

    /// All numbers it covers.
    #[must_use]
    pub fn covered(&self) -> Ranges {
        let mut covered = self.ranges.clone();
        covered.insert_range(1, self.upto);
        covered
    }
}

/// `status`, retained; the last will is one with `online` false.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// [`VERSION`].
    pub v: u32,
    /// Whether the gateway is connected.
    pub online: bool,
    /// Its outbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The greatest number given so far: the centre knows how many it has not seen.
    #[serde(default)]
    pub last: u64,
    /// How many alerts wait.
    #[serde(default)]
    pub waiting: u64,
    /// How many alerts were dropped since the epoch began.
    #[serde(default)]
    pub dropped: u64,
    /// The gateway's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The last line of the gateway's audit log: the centre keeps a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Anchor>,
}

impl Status {
    /// The last will.
    #[must_use]
    pub const fn offline() -> Self {
        Self { v: VERSION, online: false, epoch: None, last: 0, waiting: 0, dropped: 0, at: None, audit: None }
    }
}

/// `tracks`: the newest picture, for a map; never queued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracks {
    /// [`VERSION`].
    pub v: u32,
    /// The time the tracks are predicted to.
    pub at: Timestamp,
    /// The tracks, in the site frame.
    pub tracks: Vec<Track>,
}

/// `command`: an order of the centre, repeated until answered or expired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// [`VERSION`].
    pub v: u32,
    /// What is to be done.
    pub command: Command,
    /// Not to be carried out after this.
    pub expires_at: Timestamp,
}

impl Order {
    /// What the engine gets: an order that comes too late for its clock is answered too, or the centre would wait.
    #[must_use]
    pub fn into_command(self) -> Command {
        crate::words::printable_command(Command { expires_at: Some(self.expires_at), ..self.command })
    }
}

/// `answer`: what became of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// [`VERSION`].
    pub v: u32,
    /// The order's id.
    pub id: String,
    /// Whether it was carried out.
    pub done: bool,
    /// What happened, for people.
    #[serde(default)]
    pub detail: String,
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Not JSON of the expected form.
    #[error("{what} message of {length} bytes: {error}")]
    Form {
        /// Which message was expected.
        what: &'static str,
        /// Its length.
        length: usize,
        /// What is wrong and where.
        error: serde_json::Error,
    },
    /// Longer than any message may be.
    #[error("{what} message of {length} bytes, expected at most {MAX_BYTES}")]
    TooLong {
        /// Which message was expected.
        what: &'static str,
        /// Its length.
        length: usize,
    },
    /// Sequence numbers start with 1.
    #[error("{what} message with sequence number 0, expected 1 or more")]
    SequenceZero {
        /// Which message was expected.
        what: &'static str,
    },
}

/// Greatest length of any message, bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// Whether these bytes can be the envelope with this number, whatever it says; else what is wrong with them.
pub(crate) fn check_row(bytes: &[u8], epoch: &Epoch, seq: u64) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("number {seq}: {error}"))?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| format!("number {seq}: {error}"))?;
    match EnvelopeHead::read(bytes) {
        Ok(head) if head.seq != seq || head.epoch != *epoch => {
            Err(format!("number {seq} of epoch {epoch:?}: it says number {} of epoch {:?}", head.seq, head.epoch))
        }
        // Another program's form may be one that this one does not know.
        _ => Ok(()),
    }
}

/// Writes a message; the bytes are what is signed and what is kept.
#[must_use]
pub fn write<T: Serialize>(message: &T) -> Vec<u8> {
    // Writing these types into memory cannot fail: string keys only, and no fallible `Serialize` among them.
    serde_json::to_vec(message).unwrap_or_default()
}

fn read<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, MessageError> {
    let length = bytes.len();
    if length > MAX_BYTES {
        return Err(MessageError::TooLong { what, length });
    }
    serde_json::from_slice(bytes).map_err(|error| MessageError::Form { what, length, error })
}

impl EnvelopeHead {
    /// Reads what every version of an envelope has.
    ///
    /// # Errors
    /// When it is no envelope of any version.
    pub fn read(bytes: &[u8]) -> Result<Self, MessageError> {
        let head: Self = read("alert", bytes)?;
        if head.seq == 0 {
            return Err(MessageError::SequenceZero { what: "alert" });
        }
        Ok(head)
    }
}

macro_rules! readable {
    ($($message:ty: $what:literal),+) => {
        $(impl $message {
            /// Reads it.
            ///
            /// # Errors
            /// When the bytes are too many or not of this form.
            pub fn read(bytes: &[u8]) -> Result<Self, MessageError> {
                read($what, bytes)
            }
        })+
    };
}

readable!(Envelope: "alert", Void: "void", Ack: "ack", Status: "status", Tracks: "tracks", Order: "command", Answer: "answer");

//! Everything that can reach the engine; the recorder writes exactly these, with the time they were handled at.

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use crate::EngineError;
use crate::config::EngineConfig;

/// One thing the engine is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Bytes from a source.
    Frame(Frame),
    /// Time has come to the engine's deadline.
    Tick,
    /// An order of the centre or of the local operator, already authenticated.
    Command(Command),
    /// Something the gateway noticed about itself.
    Fact(Fact),
    /// The gateway's clock moved against the boot clock.
    Clock {
        /// New offset of UTC against the boot clock, microseconds.
        offset_micros: i64,
        /// Standard deviation of that offset, seconds.
        sd_s: f64,
    },
    /// A new configuration takes effect.
    Reconfigure(Box<EngineConfig>),
}

impl Input {
    /// MessagePack, for a journal.
    ///
    /// # Errors
    /// When the encoder fails, which needs more memory than there is.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EngineError> {
        rmp_serde::to_vec_named(self).map_err(|error| EngineError::InputWrite { error: error.to_string() })
    }

    /// Reads what [`Self::to_bytes`] wrote, or an earlier version of it in JSON.
    ///
    /// # Errors
    /// When it is neither.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        let damaged = |error: String| EngineError::InputDamaged { length: bytes.len(), error };
        match bytes.first() {
            Some(b'{' | b'"') => serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string())),
            _ => rmp_serde::from_slice(bytes).map_err(|error| damaged(error.to_string())),
        }
    }

    /// Whether it is a radio frame, which is acknowledged to its node.
    #[must_use]
    pub const fn is_radio(&self) -> bool {
        matches!(self, Self::Frame(Frame { content: FrameContent::Radio(_), .. }))
    }
}

/// One message of a source, framing removed and, for radio, opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// Name of the source, as configured.
    pub source: String,
    /// Gateway's time of reception. In a log that is replayed: the log's own.
    pub received: Timestamp,
    /// What came.
    pub content: FrameContent,
}

/// The content of a frame by the way it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameContent {
    /// A message of a broker or a line of a stream, to be decoded by the named codec.
    Message {
        /// Name of the codec.
        codec: String,
        /// Topic, where the source has topics.
        topic: Option<String>,
        /// The broker had it in store: a state, not an event.
        retained: bool,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A radio frame whose seal and counter were checked.
    Radio(RadioFrame),
}

/// An opened radio frame with what the concentrator measured about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RadioFrame {
    /// The node, as authenticated.
    pub node: u32,
    /// Its frame counter.
    pub counter: u32,
    /// The node is one of an exercise, by the key that sealed the frame.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exercise: bool,
    /// The opened payload, `vedette_wire` encoded.
    pub payload: Vec<u8>,
    /// Received signal strength.
    pub rssi_dbm: i16,
    /// Signal to noise ratio in quarter decibels.
    pub snr_qdb: i16,
}

/// An authenticated order; answered with the same id, whatever the outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Chosen by the sender, echoed in the answer; a repeat of a handled id is answered again and not carried out again.
    pub id: String,
    /// Who gave it.
    pub by: String,
    /// Not to be carried out after this time by the gateway's clock; without it, whenever it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What is to be done.
    pub act: Act,
}

/// Characters of an operator's words that alerts and audit logs carry.
pub const MAX_WORDS: usize = 200;
/// An alert can be shelved for so long at most: what nobody wants to hear of for longer is to be closed.
pub const MAX_SHELVED_S: f64 = 7.0 * 86_400.0;

/// What a command asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
#[non_exhaustive]
pub enum Act {
    /// Raise an end-to-end alert with mode "test".
    TestAlert {
        /// Its severity.
        severity: crate::Severity,
    },
    /// An operator has seen the alert.
    Acknowledge {
        /// The alert.
        alert: String,
    },
    /// Somebody works on the alert.
    Assign {
        /// The alert.
        alert: String,
        /// Who.
        to: String,
    },
    /// An operator does not want to hear of the alert until later; it goes on underneath.
    Shelve {
        /// The alert.
        alert: String,
        /// When it shows again.
        until: Timestamp,
    },
    /// An operator wants to hear of a shelved alert again.
    Unshelve {
        /// The alert.
        alert: String,
    },
    /// An operator does not accept that a rule holds the alert back or makes it less severe, or that it is told with others only.
    Release {
        /// The alert.
        alert: String,
        /// Of an alert about many: the member to be told of alone, by name or key; all of them when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<String>,
    },
    /// An operator's remark, for the audit log.
    Comment {
        /// The alert.
        alert: String,
        /// The remark.
        text: String,
    },
    /// An operator says how far source and content are to be trusted.
    Grade {
        /// The alert.
        alert: String,
        /// The grade.
        grade: crate::Grade,
    },
    /// An operator closes the alert.
    Close {
        /// The alert.
        alert: String,
        /// Why; mandatory.
        reason: crate::CloseReason,
    },
}

impl Act {
    /// The alert it is about; a test is about none.
    #[must_use]
    pub fn alert(&self) -> Option<&str> {
        match self {
            Self::TestAlert { .. } => None,
            Self::Acknowledge { alert }
            | Self::Assign { alert, .. }
            | Self::Shelve { alert, .. }
            | Self::Unshelve { alert }
            | Self::Release { alert, .. }
            | Self::Comment { alert, .. }
            | Self::Grade { alert, .. }
            | Self::Close { alert, .. } => Some(alert),
        }
    }

    /// Its name in counters and audit logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TestAlert { .. } => "test_alert",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Assign { .. } => "assign",
            Self::Shelve { .. } => "shelve",
            Self::Unshelve { .. } => "unshelve",
            Self::Release { .. } => "release",
            Self::Comment { .. } => "comment",
            Self::Grade { .. } => "grade",
            Self::Close { .. } => "close",
        }
    }
}

/// Something the gateway noticed about itself; may raise an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
#[non_exhaustive]
pub enum Fact {
    /// A queue of a source overflowed and frames were dropped.
    FramesDropped {
        /// The source.
        source: String,
        /// How many, since the last such fact.
        count: u64,
    },
    /// Frames were refused before the engine (framing, seal, replay window).
    FramesRejected {
        /// The source.
        source: String,
        /// Why, in one word.
        reason: String,
        /// How many, since the last such fact.
        count: u64,
    },
    /// A source's device or connection came or went.
    SourceLink {
        /// The source.
        source: String,
        /// Whether it is there now.
        up: bool,
    },
    /// A sink's connection came or went.
    SinkLink {
        /// The sink.
        sink: String,
        /// Whether it is there now.
        up: bool,
    },
    /// The way to the centre came or went.
    UplinkState {
        /// Whether acknowledgements of the centre arrive.
        up: bool,
    },
    /// The outbox had to drop alerts of low priority.
    OutboxDropped {
        /// How many, since the last such fact.
        count: u64,
    },
    /// The centre's broker refused an alert for good; it was dropped.
    AlertRefused {
        /// The broker's reason code.
        code: u8,
    },
    /// A commit, a recording or another write failed.
    StorageFault {
        /// What was written.
        what: String,
        /// The system's message.
        error: String,
    },
    /// The durable store came or went; without it everything is kept in memory only.
    StoreState {
        /// Whether it can be used now.
        usable: bool,
        /// Why it cannot; empty when it can.
        error: String,
    },
    /// A process began to drive the engine. One before it may have raised alerts, and shown them, that nothing kept: what
    /// is raised from now on has other ids.
    Started {
        /// Drawn anew for each process.
        nonce: u64,
    },
    /// The certificates of this gateway are these; what was told of others holds no longer.
    Certificates {
        /// Their names.
        names: Vec<String>,
    },
    /// How long a certificate of this gateway is valid, told when it is read.
    Certificate {
        /// Which: the file's name.
        name: String,
        /// The end of its validity.
        expires_at: Timestamp,
    },
}

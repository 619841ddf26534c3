//! Everything that can leave the engine, by what must happen to it.

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use crate::{Alert, Judgement, Picture, Seen};

/// One thing the engine says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Must be committed before anything that follows from it is done.
    Durable(Durable),
    /// To be sent once everything durable before it is committed.
    Transmit(Transmit),
    /// The newest counts, never queued.
    Volatile(Volatile),
}

/// What the store keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durable {
    /// A revision of an alert, for the centre.
    Alert(Box<Alert>),
    /// A line of the audit log.
    Audit(AuditRecord),
}

/// What an operator or a configuration change did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What, in one word.
    pub act: String,
    /// To what, and how it ended.
    pub detail: String,
}

/// What leaves towards nodes and the centre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transmit {
    /// The radio frame is safe: its node may forget it.
    RadioAck {
        /// The source it came by.
        source: String,
        /// The node.
        node: u32,
        /// The counter.
        counter: u32,
    },
    /// The answer to a command.
    CommandAnswer {
        /// The command's id.
        id: String,
        /// Whether it was carried out.
        done: bool,
        /// What happened, for people.
        detail: String,
    },
}

/// What may be lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatile {
    /// Tracks after a processed scan time.
    Tracks(Picture),
    /// A scan that the tracker took; only while inspected.
    Seen(Box<Seen>),
    /// What became of a rule's finding; only while inspected.
    Judged(Box<Judgement>),
}

//! What a running daemon tells about itself over its local socket.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use vedette_delivery::Outbox;

/// A request, one JSON object on one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// How is it?
    Status,
    /// Do something about an alert, as an operator would.
    Act {
        /// What.
        act: vedette_engine::Act,
        /// Who wants it.
        by: String,
    },
    /// Raise an alert that tests the whole way to the centre.
    TestAlert {
        /// Its severity.
        severity: vedette_engine::Severity,
        /// Who wants it.
        by: String,
    },
}

/// The answer, one JSON object on one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// How it is.
    Status(Box<Report>),
    /// What became of an order, once that is durable.
    Done {
        /// Whether it was carried out.
        done: bool,
        /// What happened, for people.
        detail: String,
    },
    /// The request was not understood.
    Refused {
        /// Why.
        reason: String,
    },
}

/// How the daemon is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the program.
    pub version: String,
    /// The site.
    pub site: String,
    /// Time since the start.
    pub up_s: f64,
    /// Sources by name.
    pub sources: BTreeMap<String, SourceReport>,
    /// The engine's own figures.
    pub engine: vedette_engine::Status,
    /// Journal, outbox and the way to the centre.
    pub outbox: OutboxReport,
    /// Radio nodes with keys.
    pub nodes: usize,
    /// What a GNSS receiver said last, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gnss: Option<crate::source::gnss::Heard>,
}

/// How a source is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Whether its device or connection is there.
    pub up: bool,
    /// How often it came up since the start.
    pub ups: u64,
    /// Why it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Frames taken since the start.
    pub accepted: u64,
    /// Frames dropped because the engine could not keep up.
    pub dropped: u64,
    /// Frames waiting for the engine.
    pub waiting: usize,
    /// Frames refused, by reason.
    pub rejected: BTreeMap<String, u64>,
}

/// How the outbox is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxReport {
    /// Whether acknowledgements of the centre arrive.
    pub centre_up: bool,
    /// Alerts that wait for the centre's acknowledgement.
    pub waiting: u64,
    /// Their size.
    pub waiting_bytes: u64,
    /// The greatest number given so far.
    pub last_seq: u64,
    /// Alerts dropped for want of room.
    pub dropped: u64,
    /// Batches that could not be committed yet.
    pub uncommitted: usize,
}

/// The outbox's figures, written by the thread that owns it.
#[derive(Debug, Default)]
pub struct OutboxFigures(Mutex<OutboxReport>);

impl OutboxFigures {
    /// Replaces the figures.
    pub fn set(&self, outbox: &Outbox, centre_up: bool, uncommitted: usize) {
        let report = OutboxReport {
            centre_up,
            waiting: outbox.depth(),
            waiting_bytes: outbox.waiting_bytes(),
            last_seq: outbox.last_seq(),
            dropped: outbox.dropped(),
            uncommitted,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }

    /// The figures as they are.
    #[must_use]
    pub fn get(&self) -> OutboxReport {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

//! What a running daemon tells about itself over its local socket.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use vedette_delivery::{Epoch, Uplink};
use vedette_engine::Timestamp;

use crate::source::LinkFigures;

/// Commits that fail for so long are a trouble.
const COMMITS_FAIL_S: f64 = 5.0;
/// Times kept of when alerts began to wait.
const MAX_MARKS: usize = 4096;

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
    /// Somebody took records out of the system: that belongs in the audit log.
    Exported {
        /// Which, and where to.
        what: String,
        /// Who.
        by: String,
    },
    /// Delete what has had its time.
    Retention {
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
    /// Sinks by name, beside the way to the centre.
    #[serde(default)]
    pub sinks: BTreeMap<String, LinkFigures>,
    /// The engine's own figures.
    pub engine: vedette_engine::Status,
    /// Journal, outbox and the way to the centre.
    pub outbox: OutboxReport,
    /// The store itself.
    pub store: StoreReport,
    /// Why nothing is recorded at present, where something should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_trouble: Option<String>,
    /// Radio nodes with keys.
    pub nodes: usize,
    /// What a GNSS receiver said last, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gnss: Option<crate::source::gnss::Heard>,
    /// What tracking costs.
    pub cost: CostReport,
    /// Time since the last sign of life, by stage.
    pub progress_s: BTreeMap<String, f64>,
    /// The stages without one for too long.
    pub stalled: Vec<String>,
}

impl Report {
    /// Why the daemon does not do all of its work; empty when it does.
    #[must_use]
    pub fn troubles(&self) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        let mut tell = |key: String, text: String| troubles.push(Trouble { key, text });
        for stage in &self.stalled {
            tell(format!("stage {stage}"), format!("no progress of {stage}"));
        }
        if let Some(trouble) = &self.store.trouble {
            tell("store".to_owned(), format!("no usable store: {trouble}"));
        }
        if self.store.reserve_spent {
            tell("reserve".to_owned(), "the disk is full: the store's reserve is spent".to_owned());
        }
        if let Some(trouble) = &self.recording_trouble {
            tell("recording".to_owned(), format!("nothing is recorded: {trouble}"));
        }
        let OutboxReport { uncommitted, commits_fail_s, waiting, has_centre, centre_up, .. } = self.outbox;
        if let Some(since_s) = commits_fail_s.filter(|since_s| *since_s >= COMMITS_FAIL_S) {
            tell("commit".to_owned(), format!("commits have failed for {since_s:.0} s; {uncommitted} batches wait"));
        }
        if has_centre && !centre_up && waiting > 0 {
            tell("uplink".to_owned(), format!("{waiting} alerts wait and the centre does not acknowledge"));
        }
        for (name, source) in self.sources.iter().filter(|(_, source)| !source.up) {
            let trouble = source.trouble.as_deref().unwrap_or("not there yet");
            tell(format!("source {name}"), format!("source {name} is down: {trouble}"));
        }
        for (name, sink) in self.sinks.iter().filter(|(_, sink)| !sink.up) {
            let trouble = sink.trouble.as_deref().unwrap_or("not there yet");
            tell(format!("sink {name}"), format!("sink {name} is down: {trouble}"));
        }
        troubles
    }
}

/// Something that keeps the daemon from doing all of its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What it is about; the same for as long as it lasts.
    pub key: String,
    /// What is wrong, for people.
    pub text: String,
}

/// What tracking costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CostReport {
    /// Scans taken since the start.
    pub scans: u64,
    /// Time the engine spent on inputs that brought scans.
    pub scan_s: f64,
    /// The longest of those times.
    pub longest_scan_s: f64,
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OutboxReport {
    /// Whether there is a way to a centre in the configuration.
    #[serde(default)]
    pub has_centre: bool,
    /// Whether the centre acknowledges.
    pub centre_up: bool,
    /// Alerts that wait for the centre's acknowledgement.
    pub waiting: u64,
    /// Their size.
    pub waiting_bytes: u64,
    /// The greatest number given so far.
    pub last_seq: u64,
    /// Alerts dropped for want of room.
    pub dropped: u64,
    /// Batches that are not committed yet.
    pub uncommitted: usize,
    /// For how long commits have failed, when they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits_fail_s: Option<f64>,
    /// How long the longest waiting alert has waited, as far back as this process has run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_s: Option<f64>,
}

/// How the store is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreReport {
    /// Whether what is committed survives a crash; without a usable file all is in memory.
    pub durable: bool,
    /// Why the file cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Size of the file.
    pub bytes: u64,
    /// The disk was full, and the room kept for the last alerts is used.
    #[serde(default)]
    pub reserve_spent: bool,
}

/// Figures of outbox and store, written by the thread that owns them.
#[derive(Debug, Default)]
pub struct OutboxFigures(Mutex<Figures>);

#[derive(Debug, Default)]
struct Figures {
    outbox: OutboxReport,
    store: StoreReport,
    /// By the oldest waiting number and its epoch: since when it has been waiting.
    waiting_since: BTreeMap<(Epoch, u64), Timestamp>,
}

impl OutboxFigures {
    /// Replaces the figures. `uncommitted`: batches, and for how long commits have failed; `has_centre`: whether there is
    /// a way to a centre at all.
    pub fn set(
        &self,
        uplink: &Uplink,
        store: &StoreReport,
        (uncommitted, commits_fail_s): (usize, Option<f64>),
        has_centre: bool,
        now: Timestamp,
    ) {
        let outbox = uplink.outbox();
        let mut figures = self.lock();
        let oldest = outbox.waiting().next().map(|head| head.seq);
        figures.note_numbers(outbox.epoch(), outbox.last_seq(), oldest, now);
        figures.outbox = OutboxReport {
            has_centre,
            centre_up: uplink.centre_up(),
            waiting: outbox.depth(),
            waiting_bytes: outbox.waiting_bytes(),
            last_seq: outbox.last_seq(),
            dropped: outbox.dropped(),
            uncommitted,
            commits_fail_s,
            oldest_s: figures.waiting_since.values().next().map(|since| now.seconds_since(*since)),
        };
        figures.store = store.clone();
    }

    /// The figures as they are.
    #[must_use]
    pub fn get(&self) -> (OutboxReport, StoreReport) {
        let figures = self.lock();
        (figures.outbox.clone(), figures.store.clone())
    }

    /// No code panics with the lock held.
    fn lock(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Figures {
    /// Keeps when numbers were given, a second apart at least, from the oldest waiting one on.
    fn note_numbers(&mut self, epoch: &Epoch, last: u64, oldest: Option<u64>, now: Timestamp) {
        let Some(oldest) = oldest else { return self.waiting_since.clear() };
        self.waiting_since.retain(|(of, upto), _| of == epoch && *upto >= oldest);
        let newest = self.waiting_since.last_key_value();
        if newest.is_none_or(|((_, upto), since)| *upto < last && now.seconds_since(*since) >= 1.0)
            && self.waiting_since.len() < MAX_MARKS
        {
            self.waiting_since.insert((epoch.clone(), last), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_waiting_alert_is_as_old_as_the_time_since_its_number_was_given() {
        let (mut figures, epoch) = (Figures::default(), Epoch("e".to_owned()));
        let at = Timestamp::from_seconds;
        let mut oldest = |last, oldest, second| {
            figures.note_numbers(&epoch, last, oldest, at(second));
            figures.waiting_since.values().next().map(|since| at(second).seconds_since(*since))
        };
        assert_eq!(oldest(0, None, 0), None);
        assert_eq!(oldest(3, Some(1), 10), Some(0.0));
        assert_eq!(oldest(5, Some(1), 20), Some(10.0));
        assert_eq!(oldest(5, Some(4), 30), Some(10.0), "the first three are acknowledged");
        assert_eq!(oldest(5, None, 40), None);
        assert_eq!(oldest(6, Some(6), 50), Some(0.0));
    }
}

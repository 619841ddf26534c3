//! Announcements as lines: text for people, JSON for programs.

use std::io::Write;

use serde_json::{Value, json};
use vedette_delivery::engine::{Alert, AlertState, Mode, Severity, Timestamp};
use vedette_delivery::ledger::{Announcement, Entry};
use vedette_delivery::words::printable;
use vedette_delivery::{Verdict, VoidReason};

/// What lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text {
        /// With terminal colours.
        colour: bool,
    },
    /// One JSON object a line.
    Json,
}

/// Writes announcements as lines.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    form: Form,
}

impl Printer {
    /// A printer of that form.
    #[must_use]
    pub const fn new(form: Form) -> Self {
        Self { form }
    }

    /// Writes one announcement; pictures have no line of text.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn write(&self, announcement: &Announcement, out: &mut impl Write) -> std::io::Result<()> {
        match self.form {
            Form::Json => match as_json(announcement) {
                Some(value) => writeln!(out, "{value}"),
                None => Ok(()),
            },
            Form::Text { colour } => match as_text(announcement, colour) {
                Some(line) => writeln!(out, "{line}"),
                None => Ok(()),
            },
        }
    }
}

fn time(at: Timestamp) -> String {
    let shown = jiff::Timestamp::from_microsecond(at.as_micros());
    shown.map_or_else(|_| format!("{} us", at.as_micros()), |time| format!("{time:.3}"))
}

fn as_json(announcement: &Announcement) -> Option<Value> {
    Some(match announcement {
        Announcement::Alert { entry, .. } => {
            let envelope: Value = serde_json::from_slice(&entry.bytes).ok()?;
            json!({"type": "alert", "n": entry.n, "gateway": entry.gateway, "epoch": entry.epoch, "seq": entry.seq,
                   "received": time(entry.received_at), "signature": entry.verdict, "alert": envelope["alert"]})
        }
        Announcement::Void(void) => json!({"type": "void", "gateway": void.gateway, "epoch": void.epoch,
                   "why": void.why, "ranges": void.ranges}),
        Announcement::Gateway { gateway, status } => json!({"type": "gateway", "gateway": gateway, "status": status}),
        Announcement::Tracks { gateway, bytes } => {
            let tracks: Value = serde_json::from_slice(bytes).ok()?;
            json!({"type": "tracks", "gateway": gateway, "tracks": tracks})
        }
        Announcement::Answer { gateway, answer } => json!({"type": "answer", "gateway": gateway, "answer": answer}),
        Announcement::Refused { topic, reason } => json!({"type": "refused", "topic": topic, "reason": reason}),
        Announcement::Store(error) => json!({"type": "store", "error": error.to_string()}),
        _ => return None,
    })
}

fn as_text(announcement: &Announcement, colour: bool) -> Option<String> {
    Some(match announcement {
        Announcement::Alert { entry, alert: Some(alert) } => alert_line(entry, alert, colour),
        Announcement::Alert { entry, alert: None } => format!(
            "{} {} alert {} of a newer version of the protocol; it is in the ledger, line {}",
            time(entry.received_at),
            entry.gateway,
            entry.seq,
            entry.n
        ),
        Announcement::Void(void) => {
            let why = match void.why {
                VoidReason::Folded => "newer ones say the same",
                VoidReason::Dropped => "the gateway had no room for them",
                VoidReason::Erased => "they have been erased",
                VoidReason::Unknown => "the gateway gives a reason that this program does not know",
            };
            format!("{} {} alerts will never come: {why}", void.gateway, void.ranges.count())
        }
        Announcement::Gateway { gateway, status } if status.online => {
            format!("{gateway} online, {} alerts waiting", status.waiting)
        }
        Announcement::Gateway { gateway, .. } => format!("{gateway} offline"),
        Announcement::Answer { gateway, answer } => {
            let outcome = if answer.done { "done" } else { "not done" };
            format!("{gateway} order {} {outcome}: {}", printable(&answer.id), printable(&answer.detail))
        }
        Announcement::Refused { topic, reason } => format!("{} refused: {}", printable(topic), printable(reason)),
        Announcement::Store(error) => format!("the ledger failed; nothing is acknowledged: {error}"),
        _ => return None,
    })
}

/// The alert's own text already says what, where, how sure and why.
fn alert_line(entry: &Entry, alert: &Alert, colour: bool) -> String {
    let severity = format!("{:?}", alert.severity).to_uppercase();
    let severity =
        if colour { format!("{}{severity:8}\x1b[0m", shade(alert.severity)) } else { format!("{severity:8}") };
    let mode = match alert.mode {
        Mode::Actual => "",
        Mode::Exercise => "EXERCISE ",
        Mode::Test => "TEST ",
    };
    let state = match alert.state {
        AlertState::Raised => String::new(),
        AlertState::Closed { reason } => format!(" [closed: {reason:?}]").to_lowercase(),
        state => format!(" [{state:?}]").to_lowercase(),
    };
    let proof = match &entry.verdict {
        Verdict::Forged { .. } => " FORGED SIGNATURE",
        Verdict::UnknownKey { .. } => " unknown key",
        Verdict::SignatureMissing => " NOT SIGNED",
        Verdict::Signed { .. } | Verdict::Unsigned => "",
    };
    let text = printable(&alert.text);
    format!("{} {} {severity} {mode}{text}{state}{proof}", time(entry.received_at), entry.gateway)
}

const fn shade(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "\x1b[1;41m",
        Severity::High => "\x1b[1;31m",
        Severity::Medium => "\x1b[33m",
        Severity::Low => "\x1b[36m",
        Severity::Info => "\x1b[2m",
    }
}

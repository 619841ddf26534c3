//! The centre's own alerts: raised once for a condition, graver when it gets worse, closed when it is over; and what
//! operators do to them, which no gateway could answer.

use vedette_engine::{
    Act, Alert, AlertKind, AlertState, CloseReason, Headline, MAX_WORDS, Severity, Timestamp, time::format_rfc3339,
};

use super::store::{Entry, LedgerRestart};
use super::{Ledger, digest};
use crate::audit::hexadecimal;
use crate::message::{self, Answer, Envelope, Order};
use crate::words::printable_command;
use crate::{Epoch, Verdict};

/// How long the centre's own alerts are kept, seconds.
const OWN_KEEP_S: f64 = 30.0 * 86_400.0;
/// The epoch of the centre's own alerts.
pub(super) const OWN_EPOCH: &str = "centre";
/// Keys of alerts about something that has happened and does not last.
const EVENTS: [&str; 3] = ["left-behind/", "audit/", "damaged/"];

/// Something the centre must tell of.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// One condition, one key; while its alert is open no second one is raised.
    pub(super) key: String,
    pub(super) kind: AlertKind,
    pub(super) severity: Severity,
    pub(super) text: String,
}

impl Ledger {
    /// The alert about a condition: when there was none, or a milder one.
    pub(super) fn raise_own(&mut self, now: Timestamp, condition: Condition) -> Option<Alert> {
        let Condition { key, kind, severity, text } = condition;
        let known = self.own.get(&key).cloned();
        let alert = match known {
            Some(alert) if alert.state.is_over() || alert.severity >= severity => return None,
            Some(alert) => Alert { rev: alert.rev + 1, severity, last_seen: now, text, ..alert },
            None => {
                let id = hexadecimal(&digest(format!("{key}/{}", now.as_micros()).as_bytes()));
                let dedup_key = key.clone();
                let headline = Headline { id, dedup_key, kind, severity, first_seen: now, last_seen: now, text };
                let keep_until = now.plus_seconds(OWN_KEEP_S);
                Alert { expires_at: keep_until, erase_at: keep_until, ..Alert::raised(headline) }
            }
        };
        self.own.insert(key, alert.clone());
        Some(alert)
    }

    /// The end of the alert about a condition that is over, unless an operator has ended it before.
    pub(super) fn clear_own(&mut self, now: Timestamp, key: &str, text: String) -> Option<Alert> {
        let alert = self.own.remove(key).filter(|alert| !alert.state.is_over())?;
        let state = AlertState::Closed { reason: CloseReason::Cleared };
        Some(Alert { rev: alert.rev + 1, severity: Severity::Info, state, last_seen: now, text, ..alert })
    }

    /// Enters an alert of the centre's own.
    pub(super) fn own_entry(&mut self, now: Timestamp, alert: Alert) -> Entry {
        let n = self.next_n;
        self.next_n += 1;
        let epoch = Epoch(OWN_EPOCH.to_owned());
        let bytes = message::write(&Envelope { v: message::VERSION, epoch: epoch.clone(), seq: n, alert });
        let verdict = Verdict::Unsigned;
        let gateway = self.config.centre.clone();
        Entry { n, gateway, epoch, seq: n, received_at: now, verdict, digest: digest(&bytes), bytes }
    }

    /// The own alerts of a store: the newest revision by key, without those whose condition was over.
    pub(super) fn load_own(&mut self, restart: &LedgerRestart) {
        self.own.clear();
        for entry in restart.own.iter().filter(|entry| entry.gateway == self.config.centre) {
            let Ok(Envelope { alert, .. }) = Envelope::read(&entry.bytes) else { continue };
            if (alert.state == AlertState::Closed { reason: CloseReason::Cleared }) {
                self.own.remove(&alert.dedup_key);
            } else {
                self.own.insert(alert.dedup_key.clone(), alert);
            }
        }
    }

    /// Forgets what has happened long ago.
    pub(super) fn forget_own(&mut self, now: Timestamp) {
        let is_event = |key: &str| EVENTS.iter().any(|event| key.starts_with(event));
        self.own.retain(|key, alert| !is_event(key) || alert.expires_at > now);
    }

    /// Carries out an order to the centre itself: the revision it makes, and its answer.
    pub(super) fn carry_out(&mut self, now: Timestamp, order: &Order) -> (Option<Alert>, Answer) {
        let id = order.command.id.clone();
        let result = if order.expires_at < now {
            Err(format!("it expired at {}", format_rfc3339(order.expires_at)))
        } else {
            self.act_on_own(now, &printable_command(order.command.clone()).act)
        };
        let (revision, done, detail) = match result {
            Ok((revision, detail)) => (revision, true, detail),
            Err(refusal) => (None, false, refusal),
        };
        (revision, Answer { v: message::VERSION, id, done, detail })
    }

    fn act_on_own(&mut self, now: Timestamp, act: &Act) -> Result<(Option<Alert>, String), String> {
        let Some(id) = act.alert() else { return Err("a centre tests no way: order it of a gateway".to_owned()) };
        let alert = self.own_by_id(id, act)?;
        let detail = alert.take_act(act, now)?;
        if matches!(act, Act::Comment { .. }) {
            return Ok((None, detail));
        }
        alert.rev += 1;
        Ok((Some(alert.clone()), detail))
    }

    /// The open alert, or, for a reason in the place of a wrong one, the one that an operator closed.
    fn own_by_id(&mut self, id: &str, act: &Act) -> Result<&mut Alert, String> {
        let wanted = |alert: &&mut Alert| match alert.state {
            AlertState::Closed { reason } => reason.is_of_an_operator() && matches!(act, Act::Close { .. }),
            state => !state.is_over(),
        };
        let alert = self.own.values_mut().find(|alert| alert.id == id && wanted(alert));
        alert.ok_or_else(|| format!("no open alert {}", shortened(id)))
    }
}

/// What somebody typed, at a length that an audit line and an alert can carry, and on one line.
pub(super) fn shortened(text: &str) -> String {
    on_one_line(text, MAX_WORDS)
}

/// A sentence with such words in it, whole with any that an operator may write.
pub(super) fn sentence(text: &str) -> String {
    on_one_line(text, 2 * MAX_WORDS)
}

fn on_one_line(text: &str, most: usize) -> String {
    crate::words::printable(text).chars().take(most).collect()
}

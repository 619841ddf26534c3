//! What operators do to alerts, and the answers they get.

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use super::release::Desk;
use super::verdicts::Claims;
use super::{Book, Entry, alert_id, emit};
use crate::config::Site;
use crate::input::{Act, Command, MAX_SHELVED_S, MAX_WORDS};
use crate::output::Transmit;
use crate::rules::Lasting;
use crate::status::Counters;
use crate::{Alert, AlertKind, AlertState, AuditRecord, Durable, Headline, Mode, Output, Severity};

/// Answers kept for repeated commands: a centre repeats what it has sent lately.
const MAX_ANSWERED: usize = 256;
/// Refused orders written to the audit log in this time; of more only their number is.
const MAX_REFUSALS: u32 = 50;
const REFUSALS_OVER_S: f64 = 3600.0;
/// Tests that may be open at once, beside the alerts about something; the oldest goes first.
const MAX_TESTS: usize = 16;
/// So far a centre's clock may be ahead of ours without its longest shelving being refused.
const CLOCKS_APART_S: f64 = 60.0;
/// A test alert is over after this time.
const TEST_EXPIRES_S: f64 = 600.0;

/// A command that was handled, with its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    done: bool,
    detail: String,
}

/// Refused orders, most of which a flood of them leaves unwritten.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Refusals {
    since: Timestamp,
    written: u32,
    unwritten: u64,
}

impl Answered {
    fn of(command: &Command, done: bool, detail: String) -> Self {
        Self { id: command.id.clone(), expires_at: command.expires_at, done, detail }
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at < now)
    }
}

impl Alert {
    /// Does what an operator wants of this alert; what was done, for people. A comment is only told.
    ///
    /// # Errors
    /// Why it is not done.
    pub fn take_act(&mut self, act: &Act, now: Timestamp) -> Result<String, String> {
        let done = match act {
            Act::TestAlert { .. } => return Err("a test is about no alert".to_owned()),
            Act::Comment { text, .. } => return Ok(format!("alert {}: {}", self.id, shortened(text))),
            Act::Shelve { .. } if self.humanitarian.is_some() => {
                return Err(format!("alert {} is a possible need of help and cannot be shelved", self.id));
            }
            Act::Shelve { until, .. } if *until <= now => {
                return Err("the time to shelve until has passed".to_owned());
            }
            Act::Shelve { until, .. } if until.seconds_since(now) > MAX_SHELVED_S + CLOCKS_APART_S => {
                let [latest, got] = [now.plus_seconds(MAX_SHELVED_S), *until].map(crate::time::format_rfc3339);
                return Err(format!("expected a time to shelve until of {latest} at the latest, got {got}"));
            }
            Act::Shelve { until, .. } => {
                self.shelved_until = Some(*until);
                format!("shelved until {}", crate::time::format_rfc3339(*until))
            }
            Act::Unshelve { .. } if !self.is_shelved(now) => {
                return Err(format!("alert {} is not shelved", self.id));
            }
            Act::Unshelve { .. } => {
                self.shelved_until = None;
                "unshelved".to_owned()
            }
            Act::Release { .. } => self.release()?,
            Act::Acknowledge { .. } => {
                // Who works on it has seen it: that somebody does says more.
                self.state = if self.assigned_to.is_some() { AlertState::Assigned } else { AlertState::Acknowledged };
                "acknowledged".to_owned()
            }
            Act::Assign { to, .. } => {
                (self.state, self.assigned_to) = (AlertState::Assigned, Some(shortened(to)));
                format!("assigned to {}", shortened(to))
            }
            Act::Grade { grade, .. } => {
                self.grade = Some(*grade);
                format!("graded {grade}")
            }
            Act::Close { reason, .. } => {
                let before = std::mem::replace(&mut self.state, AlertState::Closed { reason: *reason });
                let instead = match before {
                    AlertState::Closed { reason: before } => format!(" instead of {}", before.name()),
                    _ => String::new(),
                };
                format!("closed as {}{instead}", reason.name())
            }
        };
        Ok(format!("alert {} {done}", self.id))
    }
}

impl Entry {
    pub(super) fn is_test(&self) -> bool {
        self.alert.kind == AlertKind::Test
    }
}

impl Book {
    /// Carries out a command, answers and audits it; a repeated one is only answered again.
    pub(crate) fn take_command(
        &mut self,
        command: &Command,
        now: Timestamp,
        site: &Site,
        counters: &mut Counters,
        out: &mut Vec<Output>,
    ) {
        let known = self.answered.iter().find(|answered| answered.id == command.id);
        let (done, detail) = if let Some(answered) = known {
            counters.add("commands_repeated", 1);
            (answered.done, answered.detail.clone())
        } else {
            let result = match command.expires_at.filter(|&at| at < now) {
                Some(at) => {
                    let [at, now] = [at, now].map(crate::time::format_rfc3339);
                    Err(format!("it expired at {at}; by the clock of {} it is {now}", site.id))
                }
                None => self.carry_out(&command.act, now, site, counters, out),
            };
            let (done, detail) = match result {
                Ok(detail) => (true, detail),
                Err(refusal) => (false, refusal),
            };
            counters.add_labelled("commands", "act", command.act.name(), 1);
            self.audit(command, done, &detail, now, out);
            self.remember(Answered::of(command, done, detail.clone()), now);
            (done, detail)
        };
        out.push(Output::Transmit(Transmit::CommandAnswer { id: command.id.clone(), done, detail }));
    }

    /// Every act is written. Of refusals only some are: whoever may send orders could fill the disk with them.
    fn audit(&mut self, command: &Command, done: bool, detail: &str, now: Timestamp, out: &mut Vec<Output>) {
        let mut write = |by: &str, act: &str, detail: String| {
            let (by, act) = (shortened(by), act.to_owned());
            out.push(Output::Durable(Durable::Audit(AuditRecord { at: now, by, act, detail })));
        };
        if done {
            return write(&command.by, command.act.name(), detail.to_owned());
        }
        if now.seconds_since(self.refusals.since) >= REFUSALS_OVER_S {
            let unwritten =
                std::mem::replace(&mut self.refusals, Refusals { since: now, ..Refusals::default() }).unwritten;
            if unwritten > 0 {
                write("gateway", "refusals", format!("{unwritten} more orders were refused before"));
            }
        }
        if self.refusals.written < MAX_REFUSALS {
            self.refusals.written += 1;
            write(&command.by, command.act.name(), format!("refused: {detail}"));
        } else {
            self.refusals.unwritten += 1;
        }
    }

    /// Where there is no more room, one that has expired goes first: forgetting it cannot have it carried out again.
    fn remember(&mut self, answered: Answered, now: Timestamp) {
        if self.answered.len() == MAX_ANSWERED {
            let oldest = self.answered.iter().position(|known| known.is_expired(now)).unwrap_or(0);
            self.answered.remove(oldest);
        }
        self.answered.push_back(answered);
    }

    /// What was done, or why not.
    fn carry_out(
        &mut self,
        act: &Act,
        now: Timestamp,
        site: &Site,
        counters: &mut Counters,
        out: &mut Vec<Output>,
    ) -> Result<String, String> {
        if let Act::TestAlert { severity } = act {
            self.make_room_for_test(now, out);
            return Ok(self.raise_test(*severity, now, site, out));
        }
        let id = act.alert().unwrap_or_default();
        if let Act::Close { reason, .. } = act
            && let Some(noted) = self.judge_ended(id, *reason, now, site).or_else(|| self.correct(act, now, site, out))
        {
            return Ok(noted);
        }
        if let Act::Release { member, .. } = act {
            return self.release(id, member.as_deref(), Desk { now, site, counters, out });
        }
        let claim = self.claim_of_open(id);
        let entry = self.entry(id)?;
        let detail = entry.alert.take_act(act, now)?;
        if matches!(act, Act::Acknowledge { .. }) {
            entry.acknowledged_at = Some(now);
        }
        if !matches!(act, Act::Comment { .. }) {
            emit(entry, now, out);
        }
        if let (Act::Close { reason, .. }, Some(claim)) = (act, claim) {
            let claimed = entry.claimed.take();
            self.count_verdict(Claims { id: id.to_owned(), claim, claimed }, *reason, now, site);
        }
        Ok(detail)
    }

    pub(super) fn entry(&mut self, id: &str) -> Result<&mut Entry, String> {
        let entry = self.open.values_mut().find(|entry| entry.alert.id == id && !entry.is_over());
        entry.ok_or_else(|| format!("no open alert {}", shortened(id)))
    }

    /// A test is possible at any time, most of all when much is open; it takes no alert's place, and no test another's for long.
    fn make_room_for_test(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let tests = || self.open.iter().filter(|(_, entry)| entry.is_test());
        if tests().count() < MAX_TESTS {
            return;
        }
        let oldest = tests().min_by_key(|(_, entry)| entry.raised_at).map(|(key, _)| key.clone());
        let oldest = oldest.and_then(|key| self.open.remove(&key));
        if let Some(mut entry) = oldest.filter(|entry| !entry.is_over()) {
            entry.alert.state = AlertState::Expired;
            emit(&mut entry, now, out);
        }
    }

    fn raise_test(&mut self, severity: Severity, now: Timestamp, site: &Site, out: &mut Vec<Output>) -> String {
        let key = format!("test/{}", self.raised);
        let id = alert_id(&site.id, "test", &key, self.raised);
        self.raised += 1;
        let text = format!("Test of the way from {} to the centre. Nothing has happened.", site.id);
        let alert = Alert::raised(Headline {
            id: id.clone(),
            dedup_key: key.clone(),
            kind: AlertKind::Test,
            severity,
            first_seen: now,
            last_seen: now,
            text,
        });
        let alert = Alert {
            mode: Mode::Test,
            expires_at: now.plus_seconds(TEST_EXPIRES_S),
            erase_at: now.plus_seconds(site.rules.erase_after_days * 86_400.0),
            ..alert
        };
        out.push(Output::Durable(Durable::Alert(Box::new(alert.clone()))));
        // It expires like an event that was last seen just before now.
        let found_at = now.plus_seconds(TEST_EXPIRES_S - site.rules.expire_after_s);
        self.open.insert(key, Entry { found_at, ..Entry::of(alert, Lasting::Event, now) });
        format!("test alert {id} raised")
    }
}

/// What somebody typed, at a length that an audit line and an alert can carry.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(MAX_WORDS).collect()
}

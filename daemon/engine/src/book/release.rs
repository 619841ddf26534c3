//! What operators do not accept as explained away, held back or told with others: it stands on its own again.

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use super::acts::shortened;
use super::members::{self, Listed, Members};
use super::{Book, Entry, alert_id, draft, emit, text};
use crate::config::Site;
use crate::status::Counters;
use crate::{Alert, AlertState, CloseReason, Durable, Output};

/// Storms that are over and whose members can still be released, and for how long.
const ENDED_STORMS: usize = 4;
const ENDED_STORM_S: f64 = 1_800.0;
/// The rule that raises what was released from a storm, in ids and counters.
const RULE: &str = "release";

/// Where an order is carried out.
pub(super) struct Desk<'a> {
    pub(super) now: Timestamp,
    pub(super) site: &'a Site,
    pub(super) counters: &'a mut Counters,
    pub(super) out: &'a mut Vec<Output>,
}

/// A storm that is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct EndedStorm {
    id: String,
    at: Timestamp,
    members: Members,
}

impl Alert {
    /// Undoes what a rule made less of it; what that was, for people.
    pub(super) fn release(&mut self) -> Result<String, String> {
        let (suppressed, lowered_by) = (self.suppressed.take(), self.lowered_by.take());
        let by = suppressed.map(|suppression| suppression.rule).or(lowered_by);
        let by = by.ok_or_else(|| format!("no rule holds alert {} back", self.id))?;
        if self.state == AlertState::Acknowledged {
            self.state = AlertState::Updated;
        }
        self.text.push(' ');
        self.text.push_str(text::RELEASED);
        Ok(format!("released from {by}"))
    }
}

impl Entry {
    /// It asks for attention as it would if no rule had made it less.
    fn stand_alone(&mut self) {
        self.released = true;
        self.alert.severity = self.alert.severity.max(self.full_severity.unwrap_or(self.alert.severity));
        self.alert = draft::fit(self.alert.clone());
    }
}

impl Book {
    /// Releases an alert from the rule that makes it less, or members of a storm from that.
    pub(super) fn release(&mut self, id: &str, member: Option<&str>, mut desk: Desk<'_>) -> Result<String, String> {
        let not_there = |listed: String| match listed.as_str() {
            "" => format!("alert {id} tells of no members"),
            _ => format!("alert {id} tells of no {}; it lists {listed}", shortened(member.unwrap_or_default())),
        };
        if let Some(storm) = self.ended_storms.iter_mut().find(|storm| storm.id == id) {
            let members = storm.members.take(member).map_err(not_there)?;
            return self.raise_members(id, members, &mut desk);
        }
        let entry = self.entry(id)?;
        if entry.members.is_empty() && member.is_none() {
            let asked = entry.alert.asks_attention();
            let by = entry.alert.release()?;
            entry.stand_alone();
            let asks = entry.alert.asks_attention() && !asked;
            emit(entry, desk.now, desk.out);
            if asks {
                self.count_attention(desk.now);
            }
            return Ok(format!("alert {id} {by}"));
        }
        let members = entry.members.take(member).map_err(not_there)?;
        entry.members.show(&mut entry.alert);
        if entry.members.is_empty() {
            entry.released = true;
            entry.alert.state = AlertState::Closed { reason: CloseReason::Cleared };
            entry.alert.text = text::dissolved(&entry.alert, desk.now, desk.site);
            entry.alert = draft::fit(entry.alert.clone());
        }
        emit(entry, desk.now, desk.out);
        self.raise_members(id, members, &mut desk)
    }

    /// Raises an alert about each that has none.
    fn raise_members(&mut self, id: &str, members: Vec<Listed>, desk: &mut Desk<'_>) -> Result<String, String> {
        if members.is_empty() {
            return Err(format!("alert {id} tells of no members"));
        }
        let names = members::names(&members);
        for Listed { member, mut entry } in members {
            if let Some(own) = self.open.get_mut(&member.key) {
                // It had an alert of its own already, which is not to be counted with others again.
                own.released = true;
                continue;
            }
            if !self.make_room(entry.alert.severity, desk) {
                desk.counters.add("alerts_not_raised_for_want_of_room", 1);
                continue;
            }
            entry.alert.id = alert_id(&desk.site.id, RULE, &member.key, self.raised);
            self.raised += 1;
            desk.counters.add_labelled("alerts", "rule", RULE, 1);
            (entry.alert.suppressed, entry.alert.lowered_by) = (None, None);
            entry.alert.text = format!("{} {}", entry.alert.text, text::RELEASED);
            entry.stand_alone();
            // What it says is as old as its joining the storm: it may be told anew at the next look.
            (entry.found_at, entry.raised_at) = (desk.now, desk.now);
            if entry.alert.asks_attention() {
                self.count_attention(desk.now);
            }
            desk.out.push(Output::Durable(Durable::Alert(Box::new(entry.alert.clone()))));
            self.open.insert(member.key, entry);
        }
        Ok(format!("alert {id}: released {names}"))
    }

    /// Keeps the members of storms that are over for a while: somebody may read of them late.
    pub(super) fn keep_ended_storms(&mut self, ended: Vec<(String, Members)>, now: Timestamp) {
        self.ended_storms.retain(|storm| now.seconds_since(storm.at) < ENDED_STORM_S);
        for (id, members) in ended {
            if self.ended_storms.len() == ENDED_STORMS {
                self.ended_storms.pop_front();
            }
            self.ended_storms.push_back(EndedStorm { id, at: now, members });
        }
    }
}

//! The life of alerts: raised, updated, closed, expired; one cause, one open alert.
//!
//! Rules say every moment what is the case; the book turns that into few messages. An alert is raised when a finding
//! says so, gets a new revision when something about it changed that a reader would act on (at once when it became
//! more severe, else at a bounded rate), and ends when its finding is gone for long enough. What an operator closed
//! stays silent until the cause has gone and come again.

mod acts;
mod company;
mod draft;
mod entry;
mod learned;
mod members;
mod release;
mod storm;
pub(crate) mod text;
mod verdicts;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vedette_tracker::Timestamp;

use crate::budget::Worth;
use crate::inspect::{Notes, Verdict};
use crate::rules::{Certainty, Finding, Lasting, Situation, Subject};
use crate::status::Counters;
use crate::{Alert, AlertState, CloseReason, Durable, Mode, Output, Severity};
use acts::Answered;
use entry::Entry;
use learned::Claimed;
pub use learned::Learned;
pub(crate) use learned::Lesson;
use release::Desk;

/// A possible need of help is told again in this interval until somebody has acknowledged it.
const HELP_REPEAT_S: f64 = 300.0;
/// Below this existence a track that ends its alert was never there.
const RETRACTED_BELOW: f64 = 0.5;

/// All alerts that are not over, and what is needed to number the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Book {
    /// By dedup key.
    open: BTreeMap<String, Entry>,
    /// Key of a later track's findings to the key of the alert that they continue.
    continued: BTreeMap<String, String>,
    /// The ordinal of the next alert.
    raised: u64,
    answered: VecDeque<Answered>,
    #[serde(default)]
    refusals: acts::Refusals,
    /// When alerts that ask for attention were raised, the last day.
    #[serde(default)]
    attention: VecDeque<Timestamp>,
    /// What operators closed alerts as.
    #[serde(default)]
    worth: Worth,
    #[serde(default)]
    verdicts: verdicts::Verdicts,
    #[serde(default)]
    ended_storms: VecDeque<release::EndedStorm>,
    /// And what that says of the next.
    #[serde(default)]
    learned: Learned,
}

impl Book {
    pub(crate) const fn begin_ordinals(&mut self, first: u64) {
        self.raised = first;
    }

    /// Goes on with ordinals that nobody has used, by a number that nobody has drawn.
    pub(crate) fn renew_ordinals(&mut self, nonce: u64) {
        let hash = Sha256::new().chain_update(self.raised.to_be_bytes()).chain_update(nonce.to_be_bytes()).finalize();
        let first = hash.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte));
        // Room to count on.
        self.raised = first >> 1;
    }

    /// Number of open alerts.
    pub(crate) fn open_count(&self) -> usize {
        self.open.values().filter(|entry| !entry.is_over()).count()
    }

    /// The open alerts as last emitted, by dedup key.
    pub(crate) fn open_alerts(&self) -> impl Iterator<Item = &Alert> {
        self.open.values().filter(|entry| !entry.is_over()).map(|entry| &entry.alert)
    }

    /// The alerts that operators shelved, as last emitted.
    pub(crate) fn shelved(&self, now: Timestamp) -> impl Iterator<Item = &Alert> {
        self.open_alerts().filter(move |alert| alert.is_shelved(now))
    }

    /// Sets the open alerts against what is the case now.
    pub(crate) fn reconcile(
        &mut self,
        situation: &Situation<'_>,
        findings: Vec<Finding>,
        counters: &mut Counters,
        notes: &mut Notes,
        out: &mut Vec<Output>,
    ) {
        let now = situation.now;
        let mut causes = self.one_for_each_cause(situation, findings, notes);
        for finding in &mut causes {
            if self.open.get(&finding.key).is_some_and(|entry| entry.released && !entry.is_over()) {
                finding.release();
            }
        }
        let told = |key: &str| self.open.get(key).map_or_else(storm::Told::default, Entry::told);
        let (causes, folded) = storm::fold(situation, causes, told, notes);
        counters.add("findings_folded_into_storms", folded);
        for mut finding in causes {
            if self.open.get(&finding.key).is_some_and(|entry| entry.is_over() && comes_true(&entry.alert, &finding)) {
                self.open.remove(&finding.key);
            }
            let claims = Claimed::of(&finding, situation.site);
            finding.lesson = claims.as_ref().map_or_else(Lesson::default, |claims| self.learned.of(claims, now));
            let verdict = match self.open.get_mut(&finding.key) {
                Some(entry) if entry.is_over() => {
                    entry.found_at = now;
                    Verdict::Answered
                }
                Some(entry) => {
                    let asked = entry.alert.asks_attention();
                    update(entry, &finding, situation, out);
                    if !asked && entry.alert.asks_attention() {
                        entry.claimed = claims.filter(|_| entry.alert.mode == Mode::Actual);
                        self.count_attention(now);
                    }
                    Verdict::Carried
                }
                None if finding.certainty == Certainty::Holds => match &finding.explained {
                    Some(by) => Verdict::Explained { by: by.clone() },
                    None => Verdict::Doubted,
                },
                None => {
                    let raised = self.raise(&finding, claims, situation, counters, out);
                    if raised { Verdict::Raised } else { Verdict::NoRoom }
                }
            };
            let alert = self.open.get(&finding.key).map(|entry| entry.alert.id.as_str());
            notes.note(&finding, now, alert, verdict);
        }
        self.end(situation, counters, out);
    }

    /// The most severe finding of each cause, under the key of the alert that it continues.
    fn one_for_each_cause(
        &mut self,
        situation: &Situation<'_>,
        mut findings: Vec<Finding>,
        notes: &mut Notes,
    ) -> Vec<Finding> {
        let mut strongest = BTreeMap::<String, Finding>::new();
        for finding in &findings {
            self.continue_lost(finding, situation);
        }
        self.join_parties(&mut findings);
        for mut finding in findings {
            if let Some(key) = self.continued.get(&finding.key) {
                finding.key.clone_from(key);
            }
            // Of equals the one that the alert was about before, so that it does not jump from head to head.
            let told_of = self.open.get(&finding.key).and_then(|entry| entry.track);
            let weight = |finding: &Finding| {
                let same = matches!(&finding.subject, Subject::Track(track) if Some(track.track) == told_of);
                (finding.certainty, finding.severity, finding.kind, same)
            };
            let (weaker, by) = match strongest.get(&finding.key) {
                Some(other) if weight(other) > weight(&finding) => (Some(finding), other.rule),
                _ => {
                    let rule = finding.rule;
                    (strongest.insert(finding.key.clone(), finding), rule)
                }
            };
            if let Some(weaker) = weaker {
                let alert = self.open.get(&weaker.key).map(|entry| entry.alert.id.as_str());
                notes.note(&weaker, situation.now, alert, Verdict::Outranked { by: by.to_owned() });
            }
        }
        strongest.into_values().collect()
    }

    /// Raises an alert; false when there is no room for it.
    fn raise(
        &mut self,
        finding: &Finding,
        claims: Option<Claimed>,
        situation: &Situation<'_>,
        counters: &mut Counters,
        out: &mut Vec<Output>,
    ) -> bool {
        let mut desk = Desk { now: situation.now, site: situation.site, counters, out };
        if !self.make_room(finding.severity, &mut desk) {
            counters.add("alerts_not_raised_for_want_of_room", 1);
            return false;
        }
        let id = alert_id(&situation.site.id, finding.rule, &finding.key, self.raised);
        self.raised += 1;
        counters.add_labelled("alerts", "rule", finding.rule, 1);
        counters.add("alerts_explained_by_own_units", u64::from(finding.explained.is_some()));
        let alert = draft::alert(finding, id, situation);
        counters.add("alerts_too_unsure_to_ask", u64::from(alert.is_held_as_unsure()));
        let mut entry = Entry::new(alert, finding, situation.now);
        entry.members.join(finding, situation);
        entry.members.show(&mut entry.alert);
        draft::fit_first_message(&mut entry.alert);
        if entry.alert.asks_attention() {
            entry.claimed = claims.filter(|_| entry.alert.mode == Mode::Actual);
            self.count_attention(situation.now);
        }
        out.push(Output::Durable(Durable::Alert(Box::new(entry.alert.clone()))));
        self.open.insert(finding.key.clone(), entry);
        true
    }

    /// Room for one more alert beside tests: in a full book a less severe one goes, the oldest of the least severe first.
    fn make_room(&mut self, severity: Severity, desk: &mut Desk<'_>) -> bool {
        let real = || self.open.iter().filter(|(_, entry)| !entry.is_test());
        if real().count() < desk.site.rules.max_open_alerts {
            return true;
        }
        let least = real().filter(|(_, entry)| !entry.needs_help());
        let least = least.min_by_key(|(_, entry)| (!entry.is_over(), entry.alert.severity, entry.alert.first_seen));
        let Some((key, entry)) = least.map(|(key, entry)| (key.clone(), entry)) else { return false };
        if !entry.is_over() && entry.alert.severity >= severity {
            return false;
        }
        desk.counters.add("alerts_displaced", 1);
        if let Some(mut entry) = self.open.remove(&key)
            && !entry.is_over()
        {
            entry.alert.state = AlertState::Expired;
            self.verdicts.await_of(&entry, desk.now, desk.site);
            emit(&mut entry, desk.now, desk.out);
        }
        true
    }

    /// Ends what is over, and repeats a call for help that nobody has answered.
    fn end(&mut self, situation: &Situation<'_>, counters: &mut Counters, out: &mut Vec<Output>) {
        let (now, rules, verdicts) = (situation.now, &situation.site.rules, &mut self.verdicts);
        let mut ended_storms = Vec::new();
        self.open.retain(|_, entry| {
            if let Some(track) = entry.track.and_then(|id| situation.tracks.iter().find(|track| track.id == id)) {
                entry.existence = track.existence;
            }
            let gone_s = now.seconds_since(entry.found_at);
            if entry.is_over() {
                return gone_s < rules.clear_after_s;
            }
            if entry.needs_help() {
                if entry.is_unanswered() && now.seconds_since(entry.emitted_at) >= HELP_REPEAT_S {
                    entry.alert.state = AlertState::Updated;
                    emit(entry, now, out);
                }
                return true;
            }
            let over = match entry.lasting {
                Lasting::State => gone_s >= rules.clear_after_s,
                Lasting::Event => gone_s >= rules.expire_after_s,
            };
            if over {
                let retracted = entry.track.is_some() && !entry.witnessed && entry.existence < RETRACTED_BELOW;
                entry.alert.state = match entry.lasting {
                    _ if retracted => AlertState::Closed { reason: CloseReason::Retracted },
                    Lasting::State => AlertState::Closed { reason: CloseReason::Cleared },
                    Lasting::Event => AlertState::Expired,
                };
                let end = if retracted {
                    "retracted"
                } else if entry.lasting == Lasting::State {
                    "cleared"
                } else {
                    "expired"
                };
                counters.add_labelled("alerts_ended", "how", end, 1);
                entry.alert.text = text::over(&entry.alert, now, situation.site);
                entry.alert = draft::fit(entry.alert.clone());
                verdicts.await_of(entry, now, situation.site);
                emit(entry, now, out);
                if !entry.members.is_empty() {
                    ended_storms.push((entry.alert.id.clone(), std::mem::take(&mut entry.members)));
                }
            }
            !over
        });
        self.keep_ended_storms(ended_storms, now);
        let open = &self.open;
        self.continued.retain(|_, key| open.contains_key(key));
    }
}

/// Whether what an alert said might happen has happened, or somebody whom it is about needs help: what an operator said of the alert
/// was not said of that.
fn comes_true(before: &Alert, finding: &Finding) -> bool {
    let happened = before.kind.is_ahead() && finding.kind.is_about_somebody() && !finding.kind.is_ahead();
    let calls = before.humanitarian.is_none() && finding.help.is_some();
    finding.certainty == Certainty::Raises && (happened || calls)
}

/// Takes a finding into its open alert; emits a revision when a reader would want to know.
fn update(entry: &mut Entry, finding: &Finding, situation: &Situation<'_>, out: &mut Vec<Output>) {
    let now = situation.now;
    // An event does not become less by what its track does next: no approach after a crossing.
    let weaker = entry.lasting == Lasting::Event && finding.lasting == Lasting::State;
    let mut next = draft::revision(&entry.alert, finding, situation);
    entry.members.join(finding, situation);
    entry.members.show(&mut next);
    let lasts_since = entry.lasts_since(finding, now);
    if let Some(acknowledged_at) = lasts_since {
        next.state = AlertState::Updated;
        next.text.push_str(&text::lasts(acknowledged_at, situation.site));
        next = draft::fit(next);
    }
    if comes_true(&entry.alert, finding) && next.asks_attention() {
        next.shelved_until = None;
        if next.state == AlertState::Acknowledged {
            next.state = AlertState::Updated;
        }
    }
    if weaker && entry.alert.severity >= next.severity {
        if let Subject::Track(track) = &finding.subject {
            entry.position_m = Some(track.position_m);
        }
        entry.seen_at = entry.seen_at.max(finding.last_seen);
        return;
    }
    entry.follow(finding, now);
    let urgent = next.severity > entry.alert.severity
        || next.kind != entry.alert.kind
        || next.humanitarian.is_some() != entry.alert.humanitarian.is_some()
        || lasts_since.is_some()
        // A call that nobody answers is repeated as things are now.
        || (entry.needs_help() && entry.is_unanswered() && now.seconds_since(entry.emitted_at) >= HELP_REPEAT_S);
    let may = now.seconds_since(entry.emitted_at) >= situation.site.rules.update_interval_s;
    let shelved = entry.alert.is_shelved(now);
    if urgent || (may && !shelved && draft::differs(&entry.alert, &next)) {
        entry.alert = next;
        emit(entry, now, out);
    }
}

fn emit(entry: &mut Entry, now: Timestamp, out: &mut Vec<Output>) {
    entry.alert.rev += 1;
    entry.emitted_at = now;
    out.push(Output::Durable(Durable::Alert(Box::new(entry.alert.clone()))));
}

/// Half of SHA-256 over the parts, each with its length: the same alert gets the same id on every replay.
fn alert_id(site: &str, rule: &str, key: &str, ordinal: u64) -> String {
    let mut hash = Sha256::new();
    for part in [site.as_bytes(), rule.as_bytes(), key.as_bytes(), &ordinal.to_be_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;

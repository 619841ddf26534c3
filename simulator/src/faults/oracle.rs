//! What must be true in the end: every committed alert in the ledger once, every gap reported, nothing out of order.

use std::collections::{BTreeMap, BTreeSet};

use vedette_delivery::ledger::MemoryLedger;
use vedette_delivery::memory::MemoryStore;
use vedette_delivery::store::RowHead;
use vedette_delivery::{Envelope, Epoch, Outbox, Ranges, Uplink, VoidReason};
use vedette_engine::{Alert, AlertKind, AuditRecord, Severity, Timestamp, Transmit};
use vedette_wire::{ReplayWindow, Standing};

/// What one seed came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Alert revisions whose commit returned.
    pub alerts: u64,
    /// Troubles that struck: deaths, cuts, failed operations, lost messages.
    pub faults: u64,
    /// Alerts whose newest committed revision is neither in the ledger nor reported as dropped, and orders that were said
    /// to be carried out and were not.
    pub lost: u64,
    /// Revisions that are in the ledger more than once, and orders that were carried out more than once.
    pub double: u64,
    /// Numbers the centre knows nothing of, dropped alerts nobody told of, entries nobody was shown, orders without answer.
    pub unreported: u64,
    /// Alerts dropped, and reported as such.
    pub dropped: u64,
    /// Times a less urgent alert left while a more urgent one was waiting.
    pub disorder: u64,
    /// Radio frames that were acknowledged to their node and then forgotten, or handled twice.
    pub radio_lost: u64,
    /// Times a process wanted to be woken and had nothing to do.
    pub busy: u64,
    /// Longest time in which alerts waited and none arrived, seconds.
    pub longest_silence_s: f64,
    /// What is wrong, for people; empty when nothing is.
    pub findings: Vec<String>,
}

/// Knows what was committed.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// Committed revisions by alert.
    committed: BTreeMap<String, u32>,
    revisions: u64,
    /// Which revision has which number.
    numbers: BTreeMap<u64, (String, u32)>,
    /// Numbers of alerts that told of losses.
    told_by: Ranges,
    /// Newest revisions that were dropped by the commit that brought them.
    dropped_at_once: BTreeMap<String, u32>,
    /// Alerts of a commit in whose middle the process died: it is there, or it is not.
    uncertain: Vec<(String, u32)>,
    announced: BTreeSet<u64>,
    /// Radio frames, by node and counter, that the engine handled and no commit is known to hold.
    pending: BTreeSet<(u32, u32)>,
    /// Those that the store holds.
    durable: BTreeSet<(u32, u32)>,
    /// Alerts dropped so far, as the outbox counts them.
    dropped: u64,
    pub(super) outcome: Outcome,
    waiting_since: Option<Timestamp>,
    entries: usize,
}

impl Oracle {
    /// The commit of these alerts returned; some were perhaps dropped for want of room.
    pub(super) fn commit(&mut self, alerts: &[Alert], outbox: &Outbox, dropped: bool) {
        for alert in alerts {
            let newest = self.committed.entry(alert.id.clone()).or_default();
            *newest = (*newest).max(alert.rev);
            self.revisions += 1;
        }
        self.dropped = outbox.dropped();
        for alert in alerts.iter().filter(|alert| self.committed.get(&alert.id) == Some(&alert.rev)) {
            let row = outbox.waiting().find(|row| row.alert == alert.id && row.rev == alert.rev);
            if let Some(row) = row.filter(|_| alert.kind == AlertKind::DataLoss) {
                self.told_by.insert(row.seq);
            }
            match row {
                Some(row) => drop(self.numbers.insert(row.seq, (alert.id.clone(), alert.rev))),
                None if dropped => drop(self.dropped_at_once.insert(alert.id.clone(), alert.rev)),
                None => {}
            }
        }
    }

    /// The process died in the middle of the commit of these alerts.
    pub(super) fn died_with(&mut self, alerts: &[Alert]) {
        self.uncertain = alerts.iter().map(|alert| (alert.id.clone(), alert.rev)).collect();
    }

    /// A new process has read the store: which alerts of the last commit are there after all, or were dropped by it.
    pub(super) fn reread(&mut self, outbox: &Outbox) {
        for row in outbox.waiting() {
            self.numbers.insert(row.seq, (row.alert.clone(), row.rev));
        }
        let waits = |id: &str, rev: u32| outbox.waiting().any(|row| row.alert == id && row.rev == rev);
        for (id, rev) in std::mem::take(&mut self.uncertain) {
            if outbox.dropped() > self.dropped && !waits(&id, rev) {
                self.dropped_at_once.insert(id, rev);
            }
        }
        self.dropped = outbox.dropped();
    }

    /// After these rows left for the first time, nothing more urgent than any of them may still wait.
    pub(super) fn left(&mut self, rows: &[RowHead], waiting: Option<Severity>) {
        for row in rows {
            // Of a commit that failed and was there all the same nobody has told the numbers yet.
            self.numbers.insert(row.seq, (row.alert.clone(), row.rev));
        }
        if rows.iter().any(|row| waiting.is_some_and(|waiting| waiting > row.priority)) {
            let sent: Vec<Severity> = rows.iter().map(|row| row.priority).collect();
            self.outcome.disorder += 1;
            self.outcome.findings.push(format!("{sent:?} left while {waiting:?} waited"));
        }
    }

    /// The uplink wants to be woken at once although there is nothing to do: a driver would turn for ever.
    pub(super) fn busy(&mut self, uplink: &Uplink) {
        self.outcome.busy += 1;
        if self.outcome.busy == 1 {
            let state: String = format!("{uplink:?}").chars().take(2000).collect();
            self.outcome.findings.push(format!("woken for nothing: {state}"));
        }
    }

    pub(super) fn finding(&mut self, finding: String) {
        self.outcome.findings.push(finding);
    }

    /// People at the centre were shown this entry.
    pub(super) fn announced(&mut self, n: u64) {
        self.announced.insert(n);
    }

    pub(super) fn has_seen(&self, n: u64) -> bool {
        self.announced.contains(&n)
    }

    /// The engine is handed a radio frame it never had.
    pub(super) fn heard(&mut self, node: u32, counter: u32) {
        self.pending.insert((node, counter));
    }

    /// The commit of what these wait for returned.
    pub(super) fn durable(&mut self, releases: &[Transmit]) {
        for release in releases {
            if let Transmit::RadioAck { node, counter, .. } = release {
                self.pending.remove(&(*node, *counter));
                self.durable.insert((*node, *counter));
            }
        }
    }

    /// A new process has read the store: its windows say which frames the store holds after all, and its engine must have
    /// handled exactly those that were ever durable, each once.
    pub(super) fn restarted(&mut self, windows: &BTreeMap<u32, ReplayWindow>, radio_counts: (u64, u64)) {
        let stored = |node: u32, counter: u32| {
            windows.get(&node).is_some_and(|window| window.standing(counter) == Standing::Repeat)
        };
        for (node, counter) in std::mem::take(&mut self.pending) {
            if stored(node, counter) {
                self.durable.insert((node, counter));
            }
        }
        self.check_radio(radio_counts);
    }

    /// Compares what the engine handled with what is durable, or about to be.
    pub(super) fn check_radio(&mut self, (handled, missed): (u64, u64)) {
        let expected = (self.durable.len() + self.pending.len()) as u64;
        if handled != expected || missed > 0 {
            let finding = format!("the engine knows {handled} of {expected} radio frames and misses {missed} events");
            self.outcome.findings.push(finding);
            self.outcome.radio_lost += handled.abs_diff(expected) + missed;
        }
    }

    /// Orders: each carried out at most once, just as the answer says, and each answered or expired.
    pub(super) fn judge_orders(&mut self, store: &MemoryStore, ledger: &MemoryLedger) {
        // How often each was handled, and whether it was carried out.
        let mut handled: BTreeMap<String, (u64, bool)> = BTreeMap::new();
        for entry in store.audit() {
            if let Ok(record) = serde_json::from_slice::<AuditRecord>(&entry.record)
                && !record.by.starts_with("gateway")
            {
                let (times, done) = handled.entry(record.by).or_default();
                *times += 1;
                *done |= !record.detail.starts_with("refused: ");
            }
        }
        if let Some((by, (times, _))) = handled.iter().find(|(_, (times, _))| *times > 1) {
            self.outcome.findings.push(format!("order {by} was handled {times} times"));
        }
        self.outcome.double += handled.values().filter(|(times, _)| *times > 1).count() as u64;
        for record in ledger.orders() {
            let id = &record.order.command.id;
            match &record.answer {
                None => {
                    self.outcome.unreported += 1;
                    self.outcome.findings.push(format!("order {id} was never answered"));
                }
                Some(answer) if answer.done && !handled.get(id).is_some_and(|(_, done)| *done) => {
                    self.outcome.lost += 1;
                    self.outcome.findings.push(format!("order {id} is said to be done and was not"));
                }
                Some(_) => {}
            }
        }
    }

    /// Watches the time in which alerts wait and none arrive.
    pub(super) fn watch(&mut self, now: Timestamp, depth: u64, entries: usize) {
        let moved = entries != self.entries;
        self.entries = entries;
        if depth == 0 || moved {
            self.waiting_since = None;
        }
        if depth > 0 {
            let since = *self.waiting_since.get_or_insert(now);
            self.outcome.longest_silence_s = self.outcome.longest_silence_s.max(now.seconds_since(since));
        }
    }

    /// The verdict, once all is calm. `last` are the numbers the gateway gave.
    pub(super) fn judge(mut self, ledger: &MemoryLedger, epoch: &Epoch, last: u64, left: &str) -> Outcome {
        let mut by_revision: BTreeMap<(String, u32), u32> = BTreeMap::new();
        let (mut settled, mut told) = (Ranges::new(), false);
        for entry in ledger.entries().iter().filter(|entry| entry.epoch == *epoch) {
            settled.insert(entry.seq);
            if let Ok(envelope) = Envelope::read(&entry.bytes) {
                told |= envelope.alert.kind == AlertKind::DataLoss;
                *by_revision.entry((envelope.alert.id, envelope.alert.rev)).or_default() += 1;
            }
        }
        let (mut dropped, mut erased) = (Ranges::new(), Ranges::new());
        for void in ledger.voids() {
            settled.extend(&void.ranges);
            match void.why {
                VoidReason::Dropped => dropped.extend(&void.ranges),
                // Delivered to the centre before its backup was restored, and no longer kept by the gateway: reported.
                VoidReason::Erased => erased.extend(&void.ranges),
                VoidReason::Folded | VoidReason::Unknown => {}
            }
        }
        let newest: BTreeMap<&str, u32> = by_revision.keys().map(|(id, rev)| (id.as_str(), *rev)).collect();
        // Who restored an old copy of the ledger was told before.
        told |= self.told_by.numbers().any(|seq| erased.contains(seq));
        // A revision that was dropped had taken the place of those before it.
        let mut excused = self.dropped_at_once.clone();
        erased.extend(&dropped);
        for (id, rev) in erased.numbers().filter_map(|seq| self.numbers.get(&seq)) {
            let newest = excused.entry(id.clone()).or_default();
            *newest = (*newest).max(*rev);
        }
        let absent: Vec<(String, u32)> = self
            .committed
            .iter()
            .filter(|(id, rev)| newest.get(id.as_str()).is_none_or(|have| have < rev))
            .map(|(id, rev)| (id.clone(), *rev))
            .filter(|(id, rev)| excused.get(id).is_none_or(|dropped| dropped < rev))
            .collect();
        self.outcome.dropped = dropped.count();
        self.outcome.lost += absent.len() as u64;
        self.outcome.double += by_revision.values().filter(|&&count| count > 1).count() as u64;
        let missing = settled.missing(1, last);
        let unseen = ledger.entries().iter().filter(|entry| !self.announced.contains(&entry.n)).count() as u64;
        let untold = u64::from(!dropped.is_empty() && !told);
        self.outcome.unreported += missing.count() + unseen + untold;
        self.outcome.alerts = self.revisions;
        if self.outcome.lost > 0 {
            self.outcome.findings.push(format!("lost: {absent:?}; gateway: {left}"));
        }
        if self.outcome.unreported > 0 {
            let missing: Vec<_> = missing.iter().collect();
            self.outcome
                .findings
                .push(format!("numbers missing: {missing:?}; entries not shown: {unseen}; drops not told: {untold}"));
        }
        if self.outcome.double > 0 {
            let double = by_revision.iter().find(|(_, count)| **count > 1);
            self.outcome.findings.push(format!("double: {double:?}"));
        }
        self.outcome
    }
}

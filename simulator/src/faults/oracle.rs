//! What must be true in the end: every committed alert in the ledger once, every gap reported, nothing out of order.

use std::collections::{BTreeMap, BTreeSet};

use vedette_delivery::ledger::MemoryLedger;
use vedette_delivery::{Envelope, Epoch, Outbox, Ranges, VoidReason};
use vedette_engine::{Alert, AlertKind, Severity, Timestamp};

/// What one seed came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Alert revisions whose commit returned.
    pub alerts: u64,
    /// Troubles that struck: deaths, cuts, failed operations, lost messages.
    pub faults: u64,
    /// Alerts whose newest committed revision is neither in the ledger nor reported as dropped.
    pub lost: u64,
    /// Revisions that are in the ledger more than once.
    pub double: u64,
    /// Numbers the centre knows nothing of, dropped alerts nobody told of, and entries nobody was shown.
    pub unreported: u64,
    /// Alerts dropped, and reported as such.
    pub dropped: u64,
    /// Times a less urgent alert left while a more urgent one was waiting.
    pub disorder: u64,
    /// Radio events that were acknowledged to their node and then forgotten.
    pub radio_lost: u64,
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
    /// Revisions that were dropped by the commit that brought them.
    dropped_at_once: BTreeSet<(String, u32)>,
    pub(super) announced: BTreeSet<u64>,
    pub(super) acked_radio: BTreeSet<u64>,
    pub(super) outcome: Outcome,
    waiting_since: Option<Timestamp>,
    entries: usize,
}

impl Oracle {
    /// The commit of these alerts returned; some were perhaps dropped for want of room.
    pub(super) fn commit(&mut self, alerts: &[Alert], outbox: &Outbox, dropped: bool) {
        for alert in alerts.iter().filter(|alert| alert.kind != AlertKind::DataLoss) {
            let newest = self.committed.entry(alert.id.clone()).or_default();
            *newest = (*newest).max(alert.rev);
            self.revisions += 1;
        }
        for alert in alerts.iter().filter(|alert| self.committed.get(&alert.id) == Some(&alert.rev)) {
            match outbox.waiting().find(|row| row.alert == alert.id && row.rev == alert.rev) {
                Some(row) => drop(self.numbers.insert(row.seq, (alert.id.clone(), alert.rev))),
                None if dropped => drop(self.dropped_at_once.insert((alert.id.clone(), alert.rev))),
                None => {}
            }
        }
    }

    /// After the alerts of `sent` left for the first time, nothing more urgent than any of them may still wait.
    pub(super) fn order(&mut self, sent: &[Severity], waiting: Option<Severity>) {
        if sent.iter().any(|&sent| waiting.is_some_and(|waiting| waiting > sent)) {
            self.outcome.disorder += 1;
            self.outcome.findings.push(format!("{sent:?} left while {waiting:?} waited"));
        }
    }

    pub(super) fn restarted(&mut self, recovered: &BTreeSet<u64>) {
        let forgotten = self.acked_radio.difference(recovered).count() as u64;
        if forgotten > 0 {
            self.outcome.findings.push(format!("{forgotten} acknowledged radio events are not in the journal"));
            self.outcome.radio_lost += forgotten;
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
        let mut settled = Ranges::new();
        for entry in ledger.entries().iter().filter(|entry| entry.epoch == *epoch) {
            settled.insert(entry.seq);
            if let Ok(envelope) = Envelope::read(&entry.bytes) {
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
        let mut excused = self.dropped_at_once.clone();
        erased.extend(&dropped);
        excused.extend(erased.numbers().filter_map(|seq| self.numbers.get(&seq).cloned()));
        let absent: Vec<(String, u32)> = self
            .committed
            .iter()
            .filter(|(id, rev)| newest.get(id.as_str()).is_none_or(|have| have < rev))
            .map(|(id, rev)| (id.clone(), *rev))
            .filter(|revision| !excused.contains(revision))
            .collect();
        self.outcome.dropped = dropped.count();
        self.outcome.lost = absent.len() as u64;
        self.outcome.double = by_revision.values().filter(|&&count| count > 1).count() as u64;
        let missing = settled.missing(1, last);
        let unseen = ledger.entries().iter().filter(|entry| !self.announced.contains(&entry.n)).count() as u64;
        let untold = u64::from(!dropped.is_empty() && !newest.contains_key("data-loss"));
        self.outcome.unreported = missing.count() + unseen + untold;
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

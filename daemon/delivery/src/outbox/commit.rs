//! One commit: numbers for new alerts, folding, quota, and the transaction they make together.

use std::collections::BTreeMap;

use vedette_engine::{Alert, AlertKind, Severity, Timestamp};

use super::{CommitError, Committed, Outbox, Sealed};
use crate::message::{self, Envelope};
use crate::store::{Changes, OutboxRow, RowHead, Store, StoreError};
use crate::{Epoch, Ranges, VoidReason, audit};

/// What a commit will change in the outbox.
#[derive(Debug, Default)]
struct Plan {
    insert: BTreeMap<u64, OutboxRow>,
    folded: Ranges,
    dropped: Ranges,
    erase_all_acked: bool,
    next_seq: u64,
}

/// The newest revision of an alert within a batch.
struct Newest<'a> {
    alert: &'a Alert,
    priority: Severity,
}

impl Outbox {
    /// Commits a batch; doing it again after an error, or after success, has the effect of once.
    ///
    /// # Errors
    /// When the store did not do it (nothing that follows from the batch may leave yet), or another batch is due.
    pub fn commit<S: Store>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        sealed: &Sealed,
    ) -> Result<Committed, CommitError> {
        self.ready(store)?;
        if sealed.number <= self.last_batch {
            return Ok(Committed { dropped: self.untold(), ..Committed::default() });
        }
        let expected = self.last_batch + 1;
        if sealed.number != expected {
            return Err(CommitError::Order { got: sealed.number, expected });
        }
        let mut squeeze = 0;
        loop {
            let plan = self.plan(&sealed.batch.alerts, squeeze);
            let changes = self.changes(now, sealed, &plan);
            match store.commit(&changes) {
                Ok(()) => return Ok(self.adopt(sealed, plan, &changes)),
                // A store that has no room although the quota is kept shares a full disk: give way, lowest first.
                Err(StoreError::Full { .. }) if squeeze < 3 => squeeze += 1,
                Err(error) => {
                    self.must_restart = true;
                    return Err(error.into());
                }
            }
        }
    }

    fn plan(&self, alerts: &[Alert], squeeze: u32) -> Plan {
        let mut plan = Plan { next_seq: self.next_seq, erase_all_acked: squeeze > 0, ..Plan::default() };
        for Newest { alert, priority } in newest_revisions(alerts) {
            let seq = plan.next_seq;
            let mut head = RowHead {
                seq,
                priority,
                place: seq,
                alert: alert.id.clone(),
                rev: alert.rev,
                reserved: alert.kind == AlertKind::DataLoss,
                length: 0,
            };
            let unsent = self.unsent.get(&alert.id).and_then(|seq| self.waiting.get(seq));
            if let Some(older) = unsent.filter(|older| older.head.rev < alert.rev) {
                plan.folded.insert(older.head.seq);
                head.priority = head.priority.max(older.head.priority);
                head.place = older.head.place;
            }
            let bytes = envelope(&self.epoch, seq, alert);
            head.length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            plan.insert.insert(seq, OutboxRow { head, bytes });
            plan.next_seq += 1;
        }
        self.keep_quota(&mut plan, squeeze);
        plan
    }

    /// Drops until rows and bytes fit: acknowledged rows first, then the lowest priority, oldest first.
    fn keep_quota(&self, plan: &mut Plan, squeeze: u32) {
        let limits = &self.limits;
        let length = |row: &OutboxRow| u64::from(row.head.length);
        let folded_bytes: u64 =
            plan.folded.numbers().filter_map(|seq| self.waiting.get(&seq)).map(|row| u64::from(row.head.length)).sum();
        let mut bytes = self.waiting_bytes - folded_bytes + plan.insert.values().map(length).sum::<u64>();
        let mut rows = self.depth() - plan.folded.count() + plan.insert.len() as u64;
        let open_bytes = limits.max_bytes.saturating_sub(limits.reserved_bytes);
        if bytes + self.acked_bytes > open_bytes {
            plan.erase_all_acked = true;
        }
        // With the quota kept and still no room, each attempt gives up an eighth of what waits.
        let squeeze = u64::from(squeeze);
        let max_bytes = open_bytes.min(if squeeze > 1 { bytes - bytes / 8 * (squeeze - 1) } else { u64::MAX });
        if bytes <= max_bytes && rows <= limits.max_rows {
            return;
        }
        let standing = self.waiting.values().map(|row| &row.head);
        let mut victims: Vec<_> = standing
            .chain(plan.insert.values().map(|row| &row.head))
            .filter(|head| !head.reserved && !plan.folded.contains(head.seq))
            .map(|head| (head.priority, head.place, head.seq, u64::from(head.length)))
            .collect();
        victims.sort_unstable();
        for (_, _, seq, length) in victims {
            if bytes <= max_bytes && rows <= limits.max_rows {
                break;
            }
            bytes -= length;
            rows -= 1;
            plan.dropped.insert(seq);
            plan.insert.remove(&seq);
        }
    }

    fn changes(&self, now: Timestamp, sealed: &Sealed, plan: &Plan) -> Changes {
        let batch = &sealed.batch;
        let mut audit: Vec<audit::AuditEntry> = Vec::with_capacity(batch.audit.len());
        for record in &batch.audit {
            audit.push(audit::append(audit.last().or(self.audit_head.as_ref()), record));
        }
        let mut remove = plan.folded.clone();
        remove.extend(&plan.dropped);
        let void = [(VoidReason::Folded, &plan.folded), (VoidReason::Dropped, &plan.dropped)];
        Changes {
            batch: Some(sealed.number),
            windows: batch.windows.clone(),
            journal: batch.journal.clone(),
            snapshot: batch.snapshot.clone(),
            config: batch.config.clone(),
            audit,
            insert: plan.insert.values().cloned().collect(),
            remove,
            void: void.into_iter().filter(|(_, r)| !r.is_empty()).map(|(why, r)| (why, r.clone())).collect(),
            acked: (!self.unmarked.is_empty()).then(|| (now, self.unmarked.clone())),
            unacked: Ranges::new(),
            reported: batch.alerts.iter().any(|alert| alert.kind == AlertKind::DataLoss).then_some(self.told),
            erase_acked_before: Some(if plan.erase_all_acked { now.plus_micros(1) } else { self.keep_from(now) }),
            epoch: None,
        }
    }

    fn adopt(&mut self, sealed: &Sealed, plan: Plan, changes: &Changes) -> Committed {
        let (alerts, folded) = (plan.insert.len() as u64, plan.folded.count());
        for seq in changes.remove.numbers() {
            self.forget(seq);
        }
        for (why, ranges) in &changes.void {
            self.void.entry(*why).or_default().extend(ranges);
        }
        self.dropped += plan.dropped.count();
        self.next_seq = plan.next_seq;
        self.last_batch = sealed.number;
        if let Some(entry) = changes.audit.last() {
            self.audit_head = Some(entry.clone());
        }
        if plan.erase_all_acked {
            self.acked_bytes = 0;
        }
        for row in plan.insert.into_values() {
            self.admit(row.head, false);
        }
        self.unmarked = Ranges::new();
        Committed { alerts, folded, dropped: self.untold() }
    }

    /// Begins a new epoch: the centre knows numbers this store never gave, so the store is older than it should be.
    /// All waiting alerts are numbered anew.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn renew<S: Store>(&mut self, store: &mut S, epoch: Epoch) -> Result<(), StoreError> {
        self.ready(store)?;
        let mut rows: Vec<RowHead> = self.waiting().cloned().collect();
        rows.sort_by_key(super::place);
        let mut insert = Vec::with_capacity(rows.len());
        for head in rows {
            let Some(bytes) = self.row(store, head.seq)? else { continue };
            let Ok(old) = Envelope::read(&bytes) else { continue };
            let seq = insert.len() as u64 + 1;
            let bytes = envelope(&epoch, seq, &old.alert);
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            insert.push(OutboxRow { head: RowHead { seq, place: seq, length, ..head }, bytes });
        }
        let changes = Changes { insert, epoch: Some(epoch), ..Changes::default() };
        self.apply(store, &changes)?;
        self.unmarked = Ranges::new();
        let restart = store.restart().inspect_err(|_| self.must_restart = true)?;
        self.waiting.clear();
        self.load(&restart);
        Ok(())
    }
}

/// The last revision of each alert of a batch, in the order in which the alerts first appear.
fn newest_revisions(alerts: &[Alert]) -> Vec<Newest<'_>> {
    let mut newest: Vec<Newest<'_>> = Vec::with_capacity(alerts.len());
    let mut index: BTreeMap<&str, usize> = BTreeMap::new();
    for alert in alerts {
        let known = index.get(alert.id.as_str()).and_then(|&at| newest.get_mut(at));
        let Some(known) = known else {
            index.insert(&alert.id, newest.len());
            newest.push(Newest { alert, priority: alert.severity });
            continue;
        };
        known.priority = known.priority.max(alert.severity);
        if alert.rev >= known.alert.rev {
            known.alert = alert;
        }
    }
    newest
}

/// Greatest length of the first message of a critical alert, bytes.
pub(crate) const CRITICAL_BYTES: usize = 1024;

/// The envelope's bytes. A critical alert is made to fit [`CRITICAL_BYTES`] by leaving out details, least needed first:
/// silent sensors, the weakest contributors, class, count, the end of the text.
fn envelope(epoch: &Epoch, seq: u64, alert: &Alert) -> Vec<u8> {
    let write = |alert: &Alert| {
        message::write(&Envelope { v: message::VERSION, epoch: epoch.clone(), seq, alert: alert.clone() })
    };
    let full = write(alert);
    if full.len() <= CRITICAL_BYTES || alert.severity < Severity::Critical || alert.rev > 1 {
        return full;
    }
    let mut short = alert.clone();
    short.contributors.retain(|contributor| contributor.share.is_some());
    let mut bytes = write(&short);
    while bytes.len() > CRITICAL_BYTES && short.contributors.pop().is_some() {
        bytes = write(&short);
    }
    if bytes.len() > CRITICAL_BYTES {
        short.class = None;
        short.count = None;
        bytes = write(&short);
    }
    while bytes.len() > CRITICAL_BYTES && short.text.pop().is_some() {
        bytes = write(&short);
    }
    bytes
}

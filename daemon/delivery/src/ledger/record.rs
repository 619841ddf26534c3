//! The centre's audit log: orders with their givers and answers, erasures, changes of its configuration.

use vedette_engine::{Act, Alert, AlertKind, AuditRecord, Severity, Timestamp};

use super::own::{Condition, sentence, shortened};
use super::store::{LedgerChanges, LedgerStore};
use super::{Ledger, LedgerAction};
use crate::GatewayId;
use crate::audit::{self, Anchor, AuditEntry};
use crate::message::{Answer, Order};

impl Ledger {
    /// The next line of the log; it counts once it is committed.
    pub(super) fn audit_line(&mut self, record: &AuditRecord) -> AuditEntry {
        let line = audit::append(self.audit_last.as_ref(), record);
        self.audit_last = Some(line.clone());
        line
    }

    pub(super) fn audit_order(&mut self, now: Timestamp, to: &GatewayId, order: &Order) -> AuditEntry {
        let command = &order.command;
        let what = match &command.act {
            Act::TestAlert { severity } => format!("a test alert of severity {severity:?}").to_lowercase(),
            Act::Acknowledge { alert } | Act::Shelve { alert, .. } | Act::Unshelve { alert } => {
                format!("alert {alert}")
            }
            Act::Release { alert, member: None } => format!("alert {alert}"),
            Act::Release { alert, member: Some(member) } => format!("alert {alert}, {member}"),
            Act::Assign { alert, to } => format!("alert {alert}, to {to}"),
            Act::Comment { alert, text } => format!("alert {alert}: {text}"),
            Act::Grade { alert, grade } => format!("alert {alert}, {grade}"),
            Act::Close { alert, reason } => format!("alert {alert}, {}", format!("{reason:?}").to_lowercase()),
            _ => "?".to_owned(),
        };
        let act = command.act.name().to_owned();
        let (id, what) = (shortened(&command.id), sentence(&what));
        self.audit_line(&AuditRecord {
            at: now,
            by: shortened(&command.by),
            act,
            detail: format!("{what}; order {id} to {to}"),
        })
    }

    pub(super) fn audit_answer(&mut self, now: Timestamp, gateway: &GatewayId, answer: &Answer) -> AuditEntry {
        let outcome = if answer.done { "done" } else { "not done" };
        let detail = format!("order {} {outcome}: {}", shortened(&answer.id), sentence(&answer.detail));
        self.audit_line(&AuditRecord { at: now, by: gateway.to_string(), act: "answer".to_owned(), detail })
    }

    pub(super) fn audit<S: LedgerStore>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        by: String,
        act: String,
        detail: String,
        actions: &mut Vec<LedgerAction>,
    ) {
        self.reread(now, store, actions);
        let line = self.audit_line(&AuditRecord { at: now, by, act, detail });
        let changes = LedgerChanges { audit: vec![line], ..LedgerChanges::default() };
        if let Err(error) = self.commit_changes(store, changes, actions) {
            self.store_failed(now, error, actions);
        }
    }

    /// Keeps the newest line of a gateway's audit log; an alert when it cannot follow from the one kept so far.
    pub(super) fn compare_audit(
        &mut self,
        now: Timestamp,
        id: &GatewayId,
        told: Anchor,
        retained: bool,
    ) -> Option<Alert> {
        let kept = &mut self.gateways.get_mut(id)?.record.audit;
        if retained && kept.is_some_and(|kept| told.n <= kept.n) {
            // What a broker had in store may be old.
            return None;
        }
        let known = kept.replace(told)?;
        let wrong = if told.n < known.n {
            format!("ends with line {}, but line {} was written", told.n, known.n)
        } else if told.n == known.n && told.hash != known.hash {
            format!("was rewritten: line {} is another one", told.n)
        } else {
            return None;
        };
        let text = format!("the audit log of gateway {id} {wrong}. It was tampered with, or its store was replaced.");
        let key = format!("audit/{id}/{}", now.as_micros());
        self.raise_own(now, Condition { key, kind: AlertKind::DataLoss, severity: Severity::High, text })
    }

    /// Tells that the ledger's file was damaged.
    pub(super) fn damaged<S: LedgerStore>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        detail: String,
        actions: &mut Vec<LedgerAction>,
    ) {
        self.reread(now, store, actions);
        let centre = self.config.centre.to_string();
        let text = format!("the ledger of {centre} was damaged: {detail}. Gateways send again what they still have.");
        let key = format!("damaged/{}", now.as_micros());
        let (kind, severity) = (AlertKind::StorageFault, Severity::High);
        let alert = self.raise_own(now, Condition { key, kind, severity, text });
        let entries = alert.map(|alert| self.own_entry(now, alert)).into_iter().collect();
        let audit =
            vec![self.audit_line(&AuditRecord { at: now, by: centre, act: "ledger_set_aside".to_owned(), detail })];
        let changes = LedgerChanges { entries, audit, ..LedgerChanges::default() };
        if let Err(error) = self.commit_changes(store, changes, actions) {
            self.store_failed(now, error, actions);
        }
    }

    /// Reads the store anew, when it must be: what is appended next goes on from what is there.
    pub(super) fn reread<S: LedgerStore>(&mut self, now: Timestamp, store: &mut S, actions: &mut Vec<LedgerAction>) {
        if self.must_restart {
            self.commit_group(now, store, actions);
        }
    }
}

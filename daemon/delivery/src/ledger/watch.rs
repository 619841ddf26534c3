//! What the centre notices by itself: silent gateways, numbers that stay missing, orders without an answer; erasure.

use vedette_engine::{Alert, AlertKind, AlertState, CloseReason, Headline, Severity, Timestamp};

use super::store::{LedgerChanges, LedgerStore, OrderRecord};
use super::{Announcement, Changed, Ledger, LedgerAction, digest};
use crate::audit::hexadecimal;
use crate::message::{self, Answer};
use crate::topic::Channel;
use crate::{Epoch, GatewayId};

/// Time between two looks at all gateways, seconds.
const WATCH_S: f64 = 1.0;
/// Time between two erasures, seconds.
const ERASE_S: f64 = 3600.0;
/// How long the centre's own alerts are kept, seconds.
const OWN_KEEP_S: f64 = 30.0 * 86_400.0;

/// An alert of the centre's own.
pub(super) struct Own {
    id: String,
    rev: u32,
    dedup_key: String,
    kind: AlertKind,
    severity: Severity,
    state: AlertState,
    text: String,
}

impl Own {
    fn raised(
        gateway: &GatewayId,
        what: &str,
        since: Timestamp,
        kind: AlertKind,
        severity: Severity,
        text: String,
    ) -> Self {
        let dedup_key = format!("{what}/{gateway}");
        let id = hexadecimal(&digest(format!("{dedup_key}/{}", since.as_micros()).as_bytes()));
        Self { id, rev: 1, dedup_key, kind, severity, state: AlertState::Raised, text }
    }

    fn cleared(gateway: &GatewayId, what: &str, open: (String, u32), kind: AlertKind, text: String) -> Self {
        Self {
            id: open.0,
            rev: open.1 + 1,
            dedup_key: format!("{what}/{gateway}"),
            kind,
            severity: Severity::Info,
            state: AlertState::Closed { reason: CloseReason::Cleared },
            text,
        }
    }

    pub(super) fn left_behind(gateway: &GatewayId, old: &Epoch, text: String) -> Self {
        let dedup_key = format!("left-behind/{gateway}/{old}");
        let id = hexadecimal(&digest(dedup_key.as_bytes()));
        let (kind, severity) = (AlertKind::DataLoss, Severity::High);
        Self { id, rev: 1, dedup_key, kind, severity, state: AlertState::Raised, text }
    }

    pub(super) fn alert(self, now: Timestamp) -> Alert {
        let Self { id, rev, dedup_key, kind, severity, state, text } = self;
        let headline = Headline { id, dedup_key, kind, severity, first_seen: now, last_seen: now, text };
        let keep_until = now.plus_seconds(OWN_KEEP_S);
        Alert { rev, state, expires_at: keep_until, erase_at: keep_until, ..Alert::raised(headline) }
    }
}

impl Ledger {
    pub(super) fn watch<S: LedgerStore>(&mut self, now: Timestamp, store: &mut S, actions: &mut Vec<LedgerAction>) {
        self.watch_at = now.plus_seconds(WATCH_S);
        if self.must_restart {
            return;
        }
        let before: Vec<_> = self.gateways.values().map(|gateway| gateway.record.clone()).collect();
        let next_n = self.next_n;
        let mut owns = Vec::new();
        for id in self.gateways.keys().cloned().collect::<Vec<_>>() {
            owns.extend(self.watch_silence(now, &id));
            owns.extend(self.watch_gap(now, &id));
        }
        let entries = owns.into_iter().map(|own| self.own_alert(now, own)).collect();
        let mut changes = LedgerChanges { entries, ..LedgerChanges::default() };
        let changed: Changed = before
            .iter()
            .filter(|old| self.gateways.get(&old.gateway).is_some_and(|new| new.record != **old))
            .map(|old| old.gateway.clone())
            .collect();
        changes.gateways = self.records(&changed);
        changes.orders = self.expire_orders(now, actions);
        if now >= self.erase_at {
            changes.erase_before = Some(now.plus_seconds(-self.config.keep_s));
        }
        let erased = changes.erase_before.is_some();
        match self.commit_changes(store, changes, actions) {
            Ok(()) if erased => self.erase_at = now.plus_seconds(ERASE_S),
            Ok(()) => {}
            Err(error) => {
                self.next_n = next_n;
                self.store_failed(now, error, actions);
            }
        }
    }

    fn watch_silence(&mut self, now: Timestamp, id: &GatewayId) -> Option<Own> {
        let limit_s = self.config.silence_s;
        // Only while the centre itself has been listening for that long can it tell silence from its own deafness.
        let listening = self.connected_at.is_some_and(|at| now.seconds_since(at) >= limit_s);
        let record = &mut self.gateways.get_mut(id)?.record;
        if record.gateway == self.config.centre {
            return None;
        }
        let silent_s = now.seconds_since(record.heard_at);
        if silent_s < limit_s {
            let open = record.silent.take()?;
            let text = format!("gateway {id} is heard again");
            return Some(Own::cleared(id, "silent", open, AlertKind::LinkLost, text));
        }
        if record.silent.is_some() || !listening {
            return None;
        }
        let text = format!("gateway {id} is silent for {silent_s:.0} s; nothing is known of its area");
        let own = Own::raised(id, "silent", now, AlertKind::LinkLost, Severity::High, text);
        record.silent = Some((own.id.clone(), own.rev));
        Some(own)
    }

    fn watch_gap(&mut self, now: Timestamp, id: &GatewayId) -> Option<Own> {
        let missing = self.missing_of(id);
        let limit_s = self.config.gap_s;
        let gateway = self.gateways.get_mut(id)?;
        if missing.is_empty() {
            gateway.missing_since = None;
            let open = gateway.record.gap.take()?;
            let text = format!("all alerts of gateway {id} have come");
            return Some(Own::cleared(id, "gap", open, AlertKind::DataLoss, text));
        }
        let since = *gateway.missing_since.get_or_insert(now);
        let late_s = now.seconds_since(since);
        if late_s < limit_s || gateway.record.gap.is_some() {
            return None;
        }
        let text = format!("{} alerts of gateway {id} have not come, some for {late_s:.0} s", missing.count());
        let own = Own::raised(id, "gap", now, AlertKind::DataLoss, Severity::Medium, text);
        gateway.record.gap = Some((own.id.clone(), own.rev));
        Some(own)
    }

    fn expire_orders(&mut self, now: Timestamp, actions: &mut Vec<LedgerAction>) -> Vec<OrderRecord> {
        let mut expired = Vec::new();
        self.orders.retain(|(gateway, id), open| {
            if open.record.order.expires_at >= now {
                return true;
            }
            let detail = "expired without an answer".to_owned();
            let answer = Answer { v: message::VERSION, id: id.clone(), done: false, detail };
            expired.push(OrderRecord { answer: Some(answer.clone()), ..open.record.clone() });
            actions.push(LedgerAction::Announce(Announcement::Answer { gateway: gateway.clone(), answer }));
            false
        });
        expired
    }

    pub(super) fn repeat_orders(&mut self, now: Timestamp, actions: &mut Vec<LedgerAction>) {
        if self.connected_at.is_none() {
            return;
        }
        let repeat_s = self.config.order_repeat_s;
        let mut due = Vec::new();
        for ((gateway, _), open) in &mut self.orders {
            if open.sent_at.is_none_or(|at| now >= at.plus_seconds(repeat_s)) {
                open.sent_at = Some(now);
                due.push((gateway.clone(), message::write(&open.record.order)));
            }
        }
        for (gateway, bytes) in due {
            self.publish(Channel::Command, &gateway, bytes, actions);
        }
    }
}

//! What the centre notices by itself: silent gateways, numbers that stay missing, orders without an answer; erasure.

use vedette_engine::time::format_rfc3339;
use vedette_engine::{Alert, AlertKind, AuditRecord, Severity, Timestamp, certificate_expiry};

use super::own::{Condition, shortened};
use super::store::{LedgerChanges, LedgerStore, OrderRecord};
use super::{Announcement, Changed, Ledger, LedgerAction};
use crate::GatewayId;
use crate::message::{self, Answer};
use crate::topic::Channel;

/// Time between two looks at all gateways, seconds.
const WATCH_S: f64 = 1.0;
/// Time between two erasures, seconds.
const ERASE_S: f64 = 3600.0;
impl Ledger {
    pub(super) fn watch<S: LedgerStore>(&mut self, now: Timestamp, store: &mut S, actions: &mut Vec<LedgerAction>) {
        self.watch_at = now.plus_seconds(WATCH_S);
        if self.must_restart {
            return;
        }
        self.forget_own(now);
        let before: Vec<_> = self.gateways.values().map(|gateway| gateway.record.clone()).collect();
        let mut owns = Vec::new();
        for id in self.gateways.keys().cloned().collect::<Vec<_>>() {
            owns.extend(self.watch_silence(now, &id));
            owns.extend(self.watch_gap(now, &id));
        }
        owns.extend(self.watch_link(now));
        owns.extend(self.watch_refusal(now));
        owns.extend(self.watch_certificates(now));
        let entries = owns.into_iter().map(|own| self.own_entry(now, own)).collect();
        let mut changes = LedgerChanges { entries, ..LedgerChanges::default() };
        let changed: Changed = before
            .iter()
            .filter(|old| self.gateways.get(&old.gateway).is_some_and(|new| new.record != **old))
            .map(|old| old.gateway.clone())
            .collect();
        changes.gateways = self.records(&changed);
        changes.orders = self.expire_orders(now, actions);
        for record in &changes.orders {
            let detail = format!("order {} to {} expired without an answer", record.order.command.id, record.gateway);
            let by = self.config.centre.to_string();
            changes.audit.push(self.audit_line(&AuditRecord { at: now, by, act: "expire".to_owned(), detail }));
        }
        let result = self.plan_erasure(now, store, &mut changes).and_then(|()| {
            let erases = changes.erase_before.is_some();
            self.commit_changes(store, changes, actions)?;
            if erases || now >= self.erase_at {
                self.erase_at = now.plus_seconds(ERASE_S);
            }
            Ok(())
        });
        if let Err(error) = result {
            self.store_failed(now, error, actions);
        }
    }

    /// Contents that have had their time go, and a line says how many.
    fn plan_erasure<S: LedgerStore>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        changes: &mut LedgerChanges,
    ) -> Result<(), crate::StoreError> {
        if now < self.erase_at {
            return Ok(());
        }
        let before = now.plus_seconds(-self.config.keep_s);
        let count = store.received_before(before)?;
        if count > 0 {
            changes.erase_before = Some(before);
            let detail = format!("contents of {count} alerts that came before {} erased", format_rfc3339(before));
            let by = self.config.centre.to_string();
            changes.audit.push(self.audit_line(&AuditRecord { at: now, by, act: "erase".to_owned(), detail }));
        }
        Ok(())
    }

    fn watch_silence(&mut self, now: Timestamp, id: &GatewayId) -> Option<Alert> {
        let limit_s = self.config.silence_s;
        // Only while the centre itself has been listening for that long can it tell silence from its own deafness.
        let listening = self.connected_at.is_some_and(|at| now.seconds_since(at) >= limit_s);
        let record = &mut self.gateways.get_mut(id)?.record;
        if record.gateway == self.config.centre {
            return None;
        }
        let key = format!("silent/{id}");
        let silent_s = now.seconds_since(record.heard_at);
        if silent_s < limit_s {
            record.silent.take()?;
            return self.clear_own(now, &key, format!("gateway {id} is heard again"));
        }
        if record.silent.is_some() || !listening {
            return None;
        }
        let text = format!("gateway {id} is silent for {silent_s:.0} s; nothing is known of its area");
        let alert =
            self.raise_own(now, Condition { key, kind: AlertKind::LinkLost, severity: Severity::High, text })?;
        self.gateways.get_mut(id)?.record.silent = Some((alert.id.clone(), alert.rev));
        Some(alert)
    }

    fn watch_gap(&mut self, now: Timestamp, id: &GatewayId) -> Option<Alert> {
        let missing = self.missing_of(id);
        let limit_s = self.config.gap_s;
        let gateway = self.gateways.get_mut(id)?;
        let key = format!("gap/{id}");
        if missing.is_empty() {
            gateway.missing_since = None;
            gateway.record.gap.take()?;
            return self.clear_own(now, &key, format!("all alerts of gateway {id} have come"));
        }
        let since = *gateway.missing_since.get_or_insert(now);
        let late_s = now.seconds_since(since);
        if late_s < limit_s || gateway.record.gap.is_some() {
            return None;
        }
        let text = format!("{} alerts of gateway {id} have not come, some for {late_s:.0} s", missing.count());
        let alert =
            self.raise_own(now, Condition { key, kind: AlertKind::DataLoss, severity: Severity::Medium, text })?;
        self.gateways.get_mut(id)?.record.gap = Some((alert.id.clone(), alert.rev));
        Some(alert)
    }

    /// The centre itself has no connection: no gateway can be told silent, and no alert comes.
    fn watch_link(&mut self, now: Timestamp) -> Option<Alert> {
        let centre = &self.config.centre;
        let key = format!("cut-off/{centre}");
        if self.connected_at.is_some() {
            (self.deaf_since, self.unreachable) = (None, None);
            return self.clear_own(now, &key, format!("{centre} is connected to its broker again"));
        }
        let deaf_s = now.seconds_since(*self.deaf_since.get_or_insert(now));
        if deaf_s < self.config.silence_s {
            return None;
        }
        let why = self.unreachable.as_ref().map(|reason| format!(" ({})", shortened(reason))).unwrap_or_default();
        let text = format!("{centre} hears no gateway for {deaf_s:.0} s: it has no connection to its broker{why}");
        self.raise_own(now, Condition { key, kind: AlertKind::LinkLost, severity: Severity::High, text })
    }

    fn watch_refusal(&mut self, now: Timestamp) -> Option<Alert> {
        let centre = &self.config.centre;
        let key = format!("unheard/{centre}");
        if let Some(reason) = &self.unheard {
            let text = format!("{centre} may hear or answer no gateway: {reason}");
            return self.raise_own(now, Condition { key, kind: AlertKind::LinkLost, severity: Severity::High, text });
        }
        self.connected_at?;
        self.clear_own(now, &key, format!("the broker lets {centre} hear and answer"))
    }

    fn watch_certificates(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for (name, expires_at) in self.certificates.clone() {
            let key = format!("certificate/{name}");
            let Some((severity, expires)) = certificate_expiry(expires_at, now) else {
                let day = format_rfc3339(expires_at);
                let day = day.split('T').next().unwrap_or_default();
                alerts.extend(self.clear_own(now, &key, format!("certificate {name} is valid until {day}")));
                continue;
            };
            let centre = &self.config.centre;
            let text =
                format!("certificate {name} of {centre} {expires}. A new one takes effect when its file is replaced.");
            let kind = AlertKind::CertificateExpiry;
            alerts.extend(self.raise_own(now, Condition { key, kind, severity, text }));
        }
        alerts
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

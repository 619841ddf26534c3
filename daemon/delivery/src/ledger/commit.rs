//! One group of messages: what is new in it, the transaction, and the acknowledgements and announcements after it.

use vedette_engine::{AlertKind, Severity, Timestamp};

use super::own::Condition;
use super::store::{Entry, GatewayRecord, LedgerChanges, LedgerStore, OrderRecord, VoidEntry};
use super::{
    Announcement, Changed, Gateway, Incoming, Ledger, LedgerAction, MAX_EPOCHS, MAX_GATEWAYS, Touched, digest, is_loss,
};
use crate::message::{Answer, Order, Status, Void};
use crate::store::StoreError;
use crate::topic::Channel;
use crate::{Ack, Epoch, GatewayId, Ranges, Verdict, message};

/// Time between attempts to use a store that failed, seconds.
const STORE_RETRY_S: f64 = 1.0;

/// A group being worked out: nothing of it counts before its commit.
#[derive(Default)]
struct Group {
    changes: LedgerChanges,
    touched: Touched,
    changed: Changed,
    after: Vec<LedgerAction>,
}

impl Ledger {
    pub(super) fn commit_group<S: LedgerStore>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        actions: &mut Vec<LedgerAction>,
    ) {
        if self.store_retry_at.is_some_and(|at| now < at) {
            // Nothing is acknowledged: the gateways repeat what is dropped here.
            self.drop_group();
            return;
        }
        self.store_retry_at = None;
        if let Err(error) = self.try_commit_group(now, store, actions) {
            self.store_failed(now, error, actions);
        }
    }

    fn drop_group(&mut self) {
        self.incoming.clear();
        self.group_at = None;
    }

    pub(super) fn store_failed(&mut self, now: Timestamp, error: StoreError, actions: &mut Vec<LedgerAction>) {
        self.drop_group();
        self.must_restart = true;
        self.store_retry_at = Some(now.plus_seconds(STORE_RETRY_S));
        actions.push(LedgerAction::Announce(Announcement::Store(error)));
    }

    fn try_commit_group<S: LedgerStore>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        actions: &mut Vec<LedgerAction>,
    ) -> Result<(), StoreError> {
        if self.must_restart {
            let restart = store.restart()?;
            self.load(&restart);
            for entry in restart.unannounced {
                self.announce(entry, actions);
            }
        }
        self.group_at = None;
        let mut group = Group::default();
        for (gateway, incoming) in std::mem::take(&mut self.incoming) {
            if let Err(reason) = self.heard(now, &gateway, &incoming, &mut group) {
                let topic = gateway.to_string();
                group.after.push(LedgerAction::Announce(Announcement::Refused { topic, reason }));
                continue;
            }
            match incoming {
                Incoming::Alert { epoch, seq, bytes, verdict } => {
                    self.alert(now, store, gateway, epoch, seq, bytes, verdict, &mut group)?;
                }
                Incoming::Void(void) => self.void(gateway, void, &mut group),
                Incoming::Status { status, retained } => self.status(now, gateway, status, retained, &mut group),
                Incoming::Answer(answer) => self.answer(now, gateway, answer, &mut group),
            }
        }
        self.finish_group(store, group, actions)
    }

    fn finish_group<S: LedgerStore>(
        &mut self,
        store: &mut S,
        group: Group,
        actions: &mut Vec<LedgerAction>,
    ) -> Result<(), StoreError> {
        let Group { mut changes, touched, changed, after } = group;
        changes.gateways = changed.iter().filter_map(|id| Some(self.gateways.get(id)?.record.clone())).collect();
        self.commit_changes(store, changes, actions)?;
        for ((gateway, epoch), recent) in touched {
            let Some(known) = self.gateways.get_mut(&gateway) else { continue };
            let settled = known.settled.get(&epoch).cloned().unwrap_or_default();
            let from = known.told_to.get(&epoch).map_or(0, |told| told.saturating_add(1));
            let ack = Ack::new(epoch.clone(), &settled, &recent, from);
            match ack.about {
                Some((_, told)) => known.told_to.insert(epoch, told),
                None => known.told_to.remove(&epoch),
            };
            self.publish(Channel::Ack, &gateway, message::write(&ack), actions);
        }
        actions.extend(after);
        Ok(())
    }

    /// Commits, then announces the entries.
    pub(super) fn commit_changes<S: LedgerStore>(
        &mut self,
        store: &mut S,
        mut changes: LedgerChanges,
        actions: &mut Vec<LedgerAction>,
    ) -> Result<(), StoreError> {
        if self.told > self.announced_stored && !changes.is_empty() {
            changes.announced = Some(self.told);
        }
        if !changes.is_empty() {
            store.commit(&changes)?;
            self.announced_stored = changes.announced.unwrap_or(self.announced_stored);
        }
        for entry in changes.entries {
            self.announce(entry, actions);
        }
        Ok(())
    }

    fn heard(&mut self, now: Timestamp, id: &GatewayId, incoming: &Incoming, group: &mut Group) -> Result<(), String> {
        let known = self.gateways.len();
        let epoch = match incoming {
            Incoming::Alert { epoch, .. } => Some(epoch),
            Incoming::Void(void) => Some(&void.epoch),
            Incoming::Status { status, .. } => status.epoch.as_ref(),
            Incoming::Answer(_) => None,
        };
        if !self.gateways.contains_key(id) {
            if known >= MAX_GATEWAYS {
                return Err(format!("{known} gateways are known, no more are accepted"));
            }
            self.gateways.insert(id.clone(), Gateway::new(id.clone(), now));
        }
        let Some(gateway) = self.gateways.get_mut(id) else { return Ok(()) };
        let epochs = gateway.settled.len();
        if epoch.is_some_and(|epoch| !gateway.settled.contains_key(epoch)) && epochs >= MAX_EPOCHS {
            return Err(format!("{epochs} epochs are known, no more are accepted"));
        }
        let is_news = match incoming {
            Incoming::Status { status, retained } => gateway.is_news(status) && !retained,
            Incoming::Alert { .. } | Incoming::Void(_) | Incoming::Answer(_) => true,
        };
        if is_news {
            gateway.record.heard_at = gateway.record.heard_at.max(now);
        }
        if gateway.record.epoch.is_none() {
            gateway.record.epoch = epoch.cloned();
        }
        group.changed.insert(id.clone());
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one message")]
    fn alert<S: LedgerStore>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        id: GatewayId,
        epoch: Epoch,
        seq: u64,
        bytes: Vec<u8>,
        verdict: Verdict,
        group: &mut Group,
    ) -> Result<(), StoreError> {
        let digest = digest(&bytes);
        let Some(gateway) = self.gateways.get_mut(&id) else { return Ok(()) };
        let settled = gateway.settled.entry(epoch.clone()).or_default();
        group.touched.entry((id.clone(), epoch.clone())).or_default().insert(seq);
        if settled.contains(seq) {
            let same_number = |entry: &&Entry| entry.gateway == id && entry.epoch == epoch && entry.seq == seq;
            let known = match group.changes.entries.iter().rev().find(same_number) {
                Some(entry) => Some(entry.digest),
                None => store.digest(&id, &epoch, seq)?,
            };
            if known.is_none_or(|known| known == digest) {
                return Ok(());
            }
            let topic = Channel::Alert.topic(&id);
            let reason = format!("number {seq} came before with another content: the gateway's store was set back");
            group.after.push(LedgerAction::Announce(Announcement::Refused { topic, reason }));
        }
        settled.insert(seq);
        if gateway.record.epoch.as_ref() == Some(&epoch) {
            gateway.record.last = gateway.record.last.max(seq);
        }
        let n = self.next_n;
        self.next_n += 1;
        group.changes.entries.push(Entry { n, gateway: id, epoch, seq, received_at: now, verdict, digest, bytes });
        Ok(())
    }

    fn void(&mut self, id: GatewayId, void: Void, group: &mut Group) {
        let Some(gateway) = self.gateways.get_mut(&id) else { return };
        let settled = gateway.settled.entry(void.epoch.clone()).or_default();
        let mut new = void.ranges.clone();
        new.subtract(settled);
        settled.extend(&new);
        group.touched.entry((id.clone(), void.epoch.clone())).or_default().extend(&void.ranges);
        if gateway.record.epoch.as_ref() == Some(&void.epoch) {
            gateway.record.last = gateway.record.last.max(void.ranges.last().unwrap_or(0));
        }
        if !new.is_empty() {
            let entry = VoidEntry { gateway: id, epoch: void.epoch, why: void.why, ranges: new };
            if is_loss(void.why) {
                group.after.push(LedgerAction::Announce(Announcement::Void(entry.clone())));
            }
            group.changes.voids.push(entry);
        }
    }

    fn status(&mut self, now: Timestamp, id: GatewayId, status: Status, retained: bool, group: &mut Group) {
        let Some(gateway) = self.gateways.get_mut(&id) else { return };
        if let Some(epoch) = status.epoch.clone() {
            gateway.settled.entry(epoch.clone()).or_default();
            if gateway.record.epoch.as_ref() == Some(&epoch) {
                gateway.record.last = gateway.record.last.max(status.last);
            } else {
                // The old store is gone, and with it what was in it and never came.
                let left = gateway.missing().count();
                let old = gateway.record.epoch.replace(epoch.clone());
                gateway.record.last = status.last;
                gateway.missing_since = None;
                if let Some(old) = old.filter(|_| left > 0 && !retained) {
                    let text = format!("gateway {id} has a new store; {left} alerts of the old one ({old}) never came");
                    let key = format!("left-behind/{id}/{old}");
                    let (kind, severity) = (AlertKind::DataLoss, Severity::High);
                    let raised = self.raise_own(now, Condition { key, kind, severity, text });
                    let entry = raised.map(|alert| self.own_entry(now, alert));
                    group.changes.entries.extend(entry);
                }
            }
            group.touched.entry((id.clone(), epoch)).or_default();
        }
        if let Some(told) = status.audit {
            let alert = self.compare_audit(now, &id, told, retained);
            let entry = alert.map(|alert| self.own_entry(now, alert));
            group.changes.entries.extend(entry);
        }
        let Some(gateway) = self.gateways.get_mut(&id) else { return };
        if gateway.record.online != status.online {
            gateway.record.online = status.online;
            group.after.push(LedgerAction::Announce(Announcement::Gateway { gateway: id, status }));
        }
    }

    fn answer(&mut self, now: Timestamp, gateway: GatewayId, answer: Answer, group: &mut Group) {
        let key = (gateway.clone(), answer.id.clone());
        if let Some(open) = self.orders.remove(&key) {
            group.changes.audit.push(self.audit_answer(now, &gateway, &answer));
            group.changes.orders.push(OrderRecord { answer: Some(answer.clone()), ..open.record });
            group.after.push(LedgerAction::Announce(Announcement::Answer { gateway, answer }));
        }
    }

    pub(super) fn order<S: LedgerStore>(
        &mut self,
        now: Timestamp,
        store: &mut S,
        gateway: GatewayId,
        order: Order,
        actions: &mut Vec<LedgerAction>,
    ) {
        self.reread(now, store, actions);
        let mut changes = LedgerChanges { audit: vec![self.audit_order(now, &gateway, &order)], ..Default::default() };
        let mut record = OrderRecord { gateway: gateway.clone(), order, answer: None };
        if gateway == self.config.centre {
            let (revision, answer) = self.carry_out(now, &record.order);
            changes.audit.push(self.audit_answer(now, &gateway, &answer));
            changes.entries = revision.map(|alert| self.own_entry(now, alert)).into_iter().collect();
            record.answer = Some(answer);
        }
        changes.orders = vec![record.clone()];
        let key = (gateway, record.order.command.id.clone());
        match self.commit_changes(store, changes, actions) {
            Ok(()) => match record.answer.take() {
                Some(answer) => actions.push(LedgerAction::Announce(Announcement::Answer { gateway: key.0, answer })),
                None => drop(self.orders.insert(key, super::OpenOrder { record, sent_at: None })),
            },
            Err(error) => {
                let reason = format!("order {} is not stored and not sent", key.1);
                actions.push(LedgerAction::Announce(Announcement::Refused { topic: key.0.to_string(), reason }));
                self.store_failed(now, error, actions);
            }
        }
    }

    pub(super) fn records(&self, changed: &Changed) -> Vec<GatewayRecord> {
        changed.iter().filter_map(|id| Some(self.gateways.get(id)?.record.clone())).collect()
    }

    /// Whether anything of `ranges` is missing; used to tell progress from a standstill.
    pub(super) fn missing_of(&self, id: &GatewayId) -> Ranges {
        self.gateways.get(id).map(Gateway::missing).unwrap_or_default()
    }
}

//! A gateway's outbox and uplink over a store in memory.

use vedette_delivery::engine::{Alert, Timestamp};
use vedette_delivery::memory::MemoryStore;
use vedette_delivery::uplink::{Action, Event};
use vedette_delivery::{Batch, Committed, Epoch, GatewayId, Uplink, UplinkConfig};

use crate::common::start;

/// A gateway's outbox and uplink over a store in memory.
pub(crate) struct Gateway {
    pub(crate) store: MemoryStore,
    pub(crate) uplink: Uplink,
}

impl Gateway {
    pub(crate) fn new(change: impl FnOnce(&mut UplinkConfig)) -> Self {
        let mut config = UplinkConfig::new(GatewayId::new("gate-1").unwrap());
        change(&mut config);
        let mut store = MemoryStore::new(Epoch("e1".to_owned()));
        let (uplink, _) = Uplink::start(config, start(), &mut store).unwrap();
        Self { store, uplink }
    }

    pub(crate) fn commit(&mut self, now: Timestamp, alerts: Vec<Alert>) -> Committed {
        let sealed = self.uplink.seal(Batch { alerts, ..Batch::default() });
        self.uplink.commit(now, &mut self.store, &sealed).unwrap()
    }

    pub(crate) fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.uplink.handle(now, &mut self.store, event, &mut actions);
        actions
    }
}

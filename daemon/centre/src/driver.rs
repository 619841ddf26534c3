//! One thread owns ledger, store and connection; the MQTT client's task only feeds its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use vedette_delivery::Ledger;
use vedette_delivery::ledger::{Announcement, LedgerAction, LedgerEvent, OrderRecord};
use vedette_mqtt::Event;

use crate::audience::{Audience, Handed};
use crate::clock::Clock;
use crate::complaints::Complaints;
use crate::link::{Link, News};
use crate::reload::{self, Change};
use crate::run::{CentreError, OrderRequest, Summary};
use crate::store::SqliteLedger;
use crate::{Config, ConfigError};

/// Orders placed in the ledger's file are looked for this often, however many messages come.
const LOOK_FOR_ORDERS_EVERY: Duration = Duration::from_millis(250);
/// Time given at the end to telling what waits to be told.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// After standing still for this long, the silence of gateways means nothing.
const STANDSTILL: Duration = Duration::from_secs(1);

/// A ledger that goes on failing is told of again after this time.
const TELL_FAILURE_EVERY: Duration = Duration::from_secs(60);

/// Time between two looks for damaged ledgers that have had their time.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Why the driver wakes.
pub(crate) enum Wake {
    /// From the connection with this number.
    Mqtt(u64, Event),
    Order(OrderRequest),
    /// The configuration was read again, or cannot be.
    Configuration(Box<Result<Config, ConfigError>>),
    /// Something has changed that it sees by itself.
    Look,
    Stop,
}

pub(crate) struct Driver {
    ledger: Ledger,
    store: SqliteLedger,
    clock: Clock,
    link: Link,
    audience: Option<Audience>,
    complaints: Complaints,
    stopping: Arc<AtomicBool>,
    is_listening: bool,
    stood_still: bool,
    failure_told: Option<Instant>,
    /// What is in force.
    config: Config,
    swept: Option<Instant>,
    alerts: u64,
}

impl Driver {
    pub(crate) fn new(
        ledger: Ledger,
        store: SqliteLedger,
        clock: Clock,
        link: Link,
        audience: Audience,
        stopping: Arc<AtomicBool>,
        config: Config,
    ) -> Self {
        Self {
            ledger,
            store,
            clock,
            link,
            audience: Some(audience),
            complaints: Complaints::default(),
            stopping,
            is_listening: false,
            stood_still: false,
            failure_told: None,
            config,
            swept: None,
            alerts: 0,
        }
    }

    /// Notes in the audit log which configuration is at work, when it is not the one that was.
    pub(crate) fn note_configuration(&mut self, by: String) {
        let act = "configuration";
        let detail = format!("sha256 {}", self.config.digest);
        match self.store.newest_audit(act) {
            Ok(noted) if noted.as_deref() == Some(detail.as_str()) => {}
            Ok(_) => self.ledger(LedgerEvent::Audit { by, act: act.to_owned(), detail }),
            Err(error) => tracing::error!(%error, "the configuration is not noted in the audit log"),
        }
    }

    /// Takes over of a configuration what a running centre can; one that cannot be used changes nothing.
    fn reload(&mut self, read: Result<Config, ConfigError>) {
        let by = "SIGHUP".to_owned();
        match read.and_then(|config| reload::change(&self.config, config)) {
            Ok(Change { ledger, config, done }) => {
                tracing::info!("configuration applied: {done}");
                self.ledger.reconfigure(ledger);
                self.config = config;
                self.note_configuration(by.clone());
                self.ledger(LedgerEvent::Audit { by, act: "configuration_applied".to_owned(), detail: done });
            }
            Err(error) => {
                tracing::error!("the configuration stays as it was: {error}");
                let act = "configuration_refused".to_owned();
                self.ledger(LedgerEvent::Audit { by, act, detail: error.on_one_line() });
            }
        }
    }

    /// Works until it is to stop, or nobody can be told anything any more.
    pub(crate) fn work(&mut self, woken: &Receiver<Wake>) {
        let mut looked: Option<Instant> = None;
        loop {
            let now = Instant::now();
            if self.audience.as_ref().is_none_or(|audience| audience.failure().is_some()) {
                return;
            }
            if let Some(reason) = self.link.tend(now) {
                self.news(News::Closed(reason));
            }
            if looked.is_none_or(|looked| looked.elapsed() >= LOOK_FOR_ORDERS_EVERY) {
                self.take_placed_orders();
                looked = Some(now);
            }
            if let Some((name, expires_at)) = self.link.certificate(now) {
                self.ledger(LedgerEvent::Certificate { name, expires_at });
            }
            self.sweep(now);
            for complaint in self.complaints.due(now) {
                self.tell(complaint);
            }
            if std::mem::take(&mut self.stood_still) && self.is_listening {
                self.ledger(LedgerEvent::Connected);
            }
            self.ledger(LedgerEvent::Tick);
            match woken.recv_timeout(self.patience()) {
                Ok(Wake::Mqtt(number, event)) => {
                    if let Some(news) = self.link.take(number, event) {
                        self.news(news);
                    }
                }
                Ok(Wake::Order(OrderRequest { gateway, order })) => self.ledger(LedgerEvent::Order { gateway, order }),
                Ok(Wake::Configuration(read)) => self.reload(*read),
                Ok(Wake::Look) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Deletes damaged ledgers that have had their time.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < SWEEP_EVERY) {
            return;
        }
        self.swept = Some(now);
        let keep = Duration::from_secs_f64(self.config.ledger.keep_days * 86_400.0);
        for detail in self.store.delete_damaged(keep) {
            tracing::info!("{detail}");
            let (by, act) = ("retention".to_owned(), "erase".to_owned());
            self.ledger(LedgerEvent::Audit { by, act, detail });
        }
    }

    fn news(&mut self, news: News) {
        match news {
            News::Listening => {
                self.is_listening = true;
                self.ledger(LedgerEvent::Connected);
            }
            News::Unheard(reason) => {
                tracing::error!("{reason}");
                self.ledger(LedgerEvent::Unheard { reason });
                self.ledger(LedgerEvent::Closed);
            }
            News::Closed(reason) => {
                self.is_listening = false;
                self.ledger(LedgerEvent::Closed);
                self.ledger(LedgerEvent::Unreachable { reason });
            }
            News::Message(message) => self.ledger(LedgerEvent::Message {
                topic: message.topic,
                payload: message.payload,
                retained: message.retained,
                properties: message.properties,
            }),
        }
    }

    /// Orders that operators' tools put into the ledger's file since the last look.
    fn take_placed_orders(&mut self) {
        let placed = self.store.placed_orders().unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look for orders");
            Vec::new()
        });
        for OrderRecord { gateway, order, .. } in placed {
            if !self.ledger.is_open(&gateway, &order.command.id) {
                self.ledger(LedgerEvent::Order { gateway, order });
            }
        }
    }

    fn patience(&mut self) -> Duration {
        let now = self.clock.now();
        let deadline = self.ledger.next_deadline().map_or(1.0, |at| at.seconds_since(now));
        let deadline = Duration::from_secs_f64(deadline.clamp(0.001, 1.0));
        self.link.patience().map_or(deadline, |connect| connect.min(deadline))
    }

    fn ledger(&mut self, event: LedgerEvent) {
        let now = self.clock.now();
        let mut actions = Vec::new();
        if let Some(audience) = &self.audience {
            self.ledger.told(audience.told());
        }
        self.ledger.handle(now, &mut self.store, event, &mut actions);
        if let Some(detail) = self.store.take_damage() {
            tracing::error!("the ledger was damaged: {detail}");
            self.ledger.handle(now, &mut self.store, LedgerEvent::Damaged { detail }, &mut actions);
        }
        for action in actions {
            match action {
                LedgerAction::Publish(publication) => self.link.publish(publication),
                LedgerAction::Announce(announcement) => self.announce(announcement),
            }
        }
    }

    fn announce(&mut self, announcement: Announcement) {
        match announcement {
            Announcement::Refused { topic, reason } => {
                if let Some(complaint) = self.complaints.hear(Instant::now(), topic, reason) {
                    self.tell(complaint);
                }
            }
            Announcement::Alert { .. } => {
                self.alerts += 1;
                self.tell(announcement);
            }
            Announcement::Store(ref error) => {
                tracing::error!(%error, "ledger failed; nothing is acknowledged");
                // It is tried again every second; people need not hear of each.
                if self.failure_told.is_none_or(|told| told.elapsed() >= TELL_FAILURE_EVERY) {
                    self.failure_told = Some(Instant::now());
                    self.tell(announcement);
                }
            }
            _ => self.tell(announcement),
        }
    }

    fn tell(&mut self, announcement: Announcement) {
        let Some(audience) = &self.audience else { return };
        // What is not told now is not stored as told, and comes again at the next start.
        let handed = audience.tell(announcement, || self.stopping.load(Ordering::Acquire));
        self.stood_still |= matches!(handed, Handed::After(waited) if waited >= STANDSTILL);
    }

    /// Says goodbye and stores what people were told.
    pub(crate) fn finish(&mut self, runtime: &Handle) -> Result<Summary, CentreError> {
        let dropped = self.link.finish(runtime);
        let summary = Summary { alerts: self.alerts, refused: self.ledger.refused(), dropped };
        let Some(audience) = self.audience.take() else { return Ok(summary) };
        let (told, failure) = audience.finish(LAST_WORDS);
        self.ledger.told(told);
        if let Err(error) = self.ledger.finish(&mut self.store) {
            tracing::warn!(%error, "some alerts will be told again");
        }
        failure.map_or(Ok(summary), |reason| Err(CentreError::Unheard { reason }))
    }
}

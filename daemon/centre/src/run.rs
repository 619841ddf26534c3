//! The centre at work: one thread owns ledger, store and connection; the MQTT client's task only feeds its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use vedette_delivery::ledger::{Announcement, LedgerAction, LedgerEvent, OrderRecord};
use vedette_delivery::store::StoreError;
use vedette_delivery::uplink::Backoff;
use vedette_delivery::{Channel, GatewayId, Ledger, Order};
use vedette_mqtt::{Connection, Event, Options, OptionsError, Publication, Quality};

use crate::clock::Clock;
use crate::{Config, ConfigError, SqliteLedger};

/// Messages that may wait for the ledger; one more is dropped: it was not acknowledged, so it will come again.
const MAX_WAITING: usize = 4096;
/// Orders placed in the ledger's file are looked for this often, however many messages come.
const LOOK_FOR_ORDERS_EVERY: Duration = Duration::from_millis(250);
/// Time given to the broker's goodbye at the end.
const GOODBYE: Duration = Duration::from_millis(500);

/// An order of somebody at the centre.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderRequest {
    /// To whom.
    pub gateway: GatewayId,
    /// What.
    pub order: Order,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Alerts entered in the ledger, its own included.
    pub alerts: u64,
    /// Messages not accepted.
    pub refused: u64,
    /// Messages dropped because the ledger did not keep up; their gateways repeated them.
    pub dropped: u64,
}

/// Why a centre could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CentreError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The ledger could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker's settings.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// Its thread ended unexpectedly.
    #[error("the ledger's thread ended: {0}")]
    Thread(String),
}

enum Wake {
    /// From the connection with this number.
    Mqtt(u64, Event),
    Order(OrderRequest),
    Stop,
}

/// Runs a centre until `stop` completes. Whatever is committed goes to `announcements`; a receiver that is gone is no
/// matter, the ledger has it all.
///
/// # Errors
/// When it cannot start. Once it runs, it goes on whatever fails, and says so.
pub async fn run(
    config: Config,
    announcements: mpsc::UnboundedSender<Announcement>,
    mut orders: mpsc::Receiver<OrderRequest>,
    stop: impl Future<Output = ()>,
) -> Result<Summary, CentreError> {
    let options = config.broker_options()?;
    let mut clock = Clock::new();
    let mut store = SqliteLedger::new(&config.ledger.path);
    let ledger = Ledger::start(config.ledger_settings()?, clock.now(), &mut store)?;
    let (wake, woken) = channel();
    let handle = Handle::current();
    let backoff = Backoff::new(0.5, 20.0, u64::from(std::process::id()));
    let mut driver = Driver {
        ledger,
        store,
        clock,
        options,
        wake: wake.clone(),
        waiting: Arc::default(),
        dropped: Arc::default(),
        connection: None,
        number: 0,
        granted: 0,
        connect_in: Some(std::time::Instant::now()),
        backoff,
        announcements,
        alerts: 0,
    };
    let worker = tokio::task::spawn_blocking(move || {
        let _runtime = handle.enter();
        driver.work(&woken);
        driver.finish(&handle)
    });
    tokio::pin!(stop);
    let mut orders_open = true;
    loop {
        tokio::select! {
            () = &mut stop => break,
            order = orders.recv(), if orders_open => match order {
                Some(order) => drop(wake.send(Wake::Order(order))),
                None => orders_open = false,
            },
        }
    }
    // A thread that is gone needs no stopping; joining tells why.
    drop(wake.send(Wake::Stop));
    worker.await.map_err(|error| CentreError::Thread(error.to_string()))
}

struct Driver {
    ledger: Ledger,
    store: SqliteLedger,
    clock: Clock,
    options: Options,
    wake: Sender<Wake>,
    waiting: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
    connection: Option<Connection>,
    /// Counts connections: events of an older one are stale.
    number: u64,
    granted: usize,
    connect_in: Option<std::time::Instant>,
    backoff: Backoff,
    announcements: mpsc::UnboundedSender<Announcement>,
    alerts: u64,
}

impl Driver {
    fn work(&mut self, woken: &Receiver<Wake>) {
        let mut looked = None;
        loop {
            if self.connect_in.is_some_and(|at| std::time::Instant::now() >= at) {
                self.connect();
            }
            if looked.is_none_or(|looked: std::time::Instant| looked.elapsed() >= LOOK_FOR_ORDERS_EVERY) {
                self.take_placed_orders();
                looked = Some(std::time::Instant::now());
            }
            self.ledger(LedgerEvent::Tick);
            match woken.recv_timeout(self.patience()) {
                Ok(Wake::Mqtt(number, event)) => self.mqtt(number, event),
                Ok(Wake::Order(OrderRequest { gateway, order })) => self.ledger(LedgerEvent::Order { gateway, order }),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
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
        let connect = self.connect_in.map(|at| at.saturating_duration_since(std::time::Instant::now()));
        let deadline = Duration::from_secs_f64(deadline.clamp(0.001, 1.0));
        connect.map_or(deadline, |connect| connect.min(deadline))
    }

    fn connect(&mut self) {
        self.connect_in = None;
        self.number += 1;
        self.granted = 0;
        let (number, wake) = (self.number, self.wake.clone());
        let (waiting, dropped) = (Arc::clone(&self.waiting), Arc::clone(&self.dropped));
        let on_event = move |event: Event| {
            if matches!(event, Event::Message(_)) && waiting.fetch_add(1, Ordering::AcqRel) >= MAX_WAITING {
                waiting.fetch_sub(1, Ordering::AcqRel);
                dropped.fetch_add(1, Ordering::Relaxed);
                return;
            }
            // The receiver is gone only when the centre stops.
            drop(wake.send(Wake::Mqtt(number, event)));
        };
        match Connection::open(&self.options, on_event) {
            Ok(connection) => self.connection = Some(connection),
            Err(error) => {
                tracing::error!(%error, "cannot connect");
                self.reconnect_later();
            }
        }
    }

    fn reconnect_later(&mut self) {
        self.connection = None;
        self.ledger(LedgerEvent::Closed);
        let wait = Duration::from_secs_f64(self.backoff.wait_s());
        self.connect_in = Some(std::time::Instant::now() + wait);
    }

    fn mqtt(&mut self, number: u64, event: Event) {
        if matches!(event, Event::Message(_)) {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
        }
        if number != self.number {
            return;
        }
        match event {
            Event::Connected => {
                let filters: Vec<String> = Channel::TO_CENTRE.iter().map(|channel| channel.filter()).collect();
                let subscribed = self.connection.as_ref().map(|c| c.subscribe(&filters, Quality::AtLeastOnce));
                if let Some(Err(error)) = subscribed {
                    tracing::error!(%error, "cannot subscribe");
                    self.reconnect_later();
                }
            }
            Event::Subscribed { granted: true } => {
                self.granted += 1;
                if self.granted == Channel::TO_CENTRE.len() {
                    tracing::info!(host = %self.options.host, port = self.options.port, "listening");
                    self.backoff.reset();
                    self.ledger(LedgerEvent::Connected);
                }
            }
            Event::Subscribed { granted: false } => tracing::error!("the broker refuses a subscription of the centre"),
            Event::Message(message) => self.ledger(LedgerEvent::Message {
                topic: message.topic,
                payload: message.payload,
                retained: message.retained,
                properties: message.properties,
            }),
            Event::Receipt { .. } => {}
            Event::Closed(reason) => {
                tracing::warn!(%reason, "connection to the broker ended");
                self.reconnect_later();
            }
        }
    }

    fn ledger(&mut self, event: LedgerEvent) {
        let now = self.clock.now();
        let mut actions = Vec::new();
        self.ledger.handle(now, &mut self.store, event, &mut actions);
        for action in actions {
            match action {
                LedgerAction::Publish(publication) => self.publish(publication),
                LedgerAction::Announce(announcement) => self.announce(announcement),
            }
        }
    }

    fn publish(&self, publication: vedette_delivery::uplink::Publication) {
        let Some(connection) = &self.connection else { return };
        let quality = if publication.reliable { Quality::AtLeastOnce } else { Quality::AtMostOnce };
        let topic = publication.topic;
        let result = connection.publish(Publication {
            topic: topic.clone(),
            payload: publication.payload,
            quality,
            retain: publication.retain,
            properties: publication.properties,
        });
        if let Err(error) = result {
            // Whoever misses an acknowledgement asks again by repeating its alert.
            tracing::debug!(%error, topic, "not published");
        }
    }

    fn announce(&mut self, announcement: Announcement) {
        match &announcement {
            Announcement::Alert { .. } => self.alerts += 1,
            Announcement::Refused { topic, reason } => tracing::warn!(topic, reason, "message refused"),
            Announcement::Store(error) => tracing::error!(%error, "ledger failed; nothing is acknowledged"),
            _ => {}
        }
        // Nobody need listen: the ledger has it.
        drop(self.announcements.send(announcement));
    }

    fn finish(&mut self, handle: &Handle) -> Summary {
        if let Some(connection) = self.connection.take() {
            handle.block_on(connection.close(GOODBYE));
        }
        let dropped = self.dropped.load(Ordering::Relaxed) as u64;
        Summary { alerts: self.alerts, refused: self.ledger.refused(), dropped }
    }
}

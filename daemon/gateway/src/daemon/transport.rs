//! The uplink's connection: one after another, each known by a number so that late events of a former one are dropped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use vedette_delivery::message::{self, Status};
use vedette_delivery::uplink::{self, Action, Publication};
use vedette_delivery::{Channel, GatewayId, UplinkConfig};
use vedette_mqtt::{Connection, Event, LastWill, PublishError, Quality, Receipt, Renewal};

use super::keeper::Job;
use crate::broker;
use crate::config::MqttConnection;

/// Messages from the centre that may wait; more are dropped, and sent again by the centre.
const MAX_WAITING: usize = 1024;
/// Time given to a goodbye.
const GOODBYE: Duration = Duration::from_millis(300);
/// MQTT 5 reason code "topic name invalid".
const TOPIC_NAME_INVALID: u8 = 0x90;

/// What every transport of this gateway needs.
#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) gateway: GatewayId,
    pub(super) runtime: Handle,
    pub(super) jobs: Sender<Job>,
}

impl Terminal {
    /// A transport to the broker for an uplink with these settings.
    pub(super) fn open(&self, uplink: &UplinkConfig, broker: MqttConnection) -> Transport {
        let (topic, payload) = (Channel::Status.topic(&self.gateway), message::write(&Status::offline()));
        let will = LastWill { topic, payload, retain: true };
        Transport::new(broker, will, uplink.in_flight() + 16, self.runtime.clone(), self.jobs.clone())
    }
}

/// The connection to the centre's broker, and how to make a new one.
pub(super) struct Transport {
    broker: MqttConnection,
    will: LastWill,
    queue: usize,
    runtime: Handle,
    jobs: Sender<Job>,
    number: u64,
    waiting: Arc<AtomicUsize>,
    connection: Option<Connection>,
    renewal: Renewal,
    /// From the client's numbers of publications to the uplink's.
    tokens: BTreeMap<u64, u64>,
}

impl Transport {
    fn new(broker: MqttConnection, will: LastWill, queue: usize, runtime: Handle, jobs: Sender<Job>) -> Self {
        let waiting = Arc::new(AtomicUsize::new(0));
        let renewal = broker::renewal(&broker);
        let tokens = BTreeMap::new();
        Self { broker, will, queue, runtime, jobs, number: 0, waiting, connection: None, renewal, tokens }
    }

    /// Does what the uplink asks; false when there is no connection any more.
    pub(super) fn carry_out(&mut self, action: Action) -> bool {
        match action {
            Action::Connect => self.connect(),
            Action::Subscribe(filters) => self
                .connection
                .as_ref()
                .is_some_and(|connection| connection.subscribe(&filters, Quality::AtLeastOnce).is_ok()),
            Action::Publish(publication) => self.publish(publication),
            Action::Disconnect => {
                self.connection = None;
                true
            }
            Action::Order(_) | Action::Report(_) => true,
        }
    }

    /// Whether the connection was made with certificates that are no longer the ones on disk.
    pub(super) fn renewed(&mut self) -> bool {
        self.renewal.seen(Instant::now()) && self.connection.is_some()
    }

    fn connect(&mut self) -> bool {
        self.number += 1;
        self.tokens.clear();
        self.connection = None;
        let (number, jobs, waiting) = (self.number, self.jobs.clone(), Arc::clone(&self.waiting));
        let on_event = move |event: Event| {
            if matches!(event, Event::Message(_)) && waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
                waiting.fetch_sub(1, Ordering::Relaxed);
                return;
            }
            // The keeper is gone only when the daemon ends.
            let _ = jobs.send(Job::Link { connection: number, event });
        };
        let options = broker::options(&self.broker, Some(self.will.clone())).map_err(|error| error.to_string());
        let _runtime = self.runtime.enter();
        let opened = options.and_then(|mut options| {
            options.queue = self.queue;
            Connection::open(&options, on_event).map_err(|error| error.to_string())
        });
        match opened {
            Ok(connection) => self.connection = Some(connection),
            Err(error) => tracing::warn!("uplink: {error}"),
        }
        self.connection.is_some()
    }

    fn publish(&mut self, publication: Publication) -> bool {
        let Some(connection) = &self.connection else { return false };
        let Publication { id, topic, payload, reliable, retain, properties } = publication;
        let quality = if reliable { Quality::AtLeastOnce } else { Quality::AtMostOnce };
        match connection.publish(vedette_mqtt::Publication { topic, payload, quality, retain, properties }) {
            Ok(token) if reliable => {
                self.tokens.insert(token, id);
                true
            }
            Ok(_) => true,
            Err(PublishError::Invalid { topic }) => {
                tracing::error!(topic, "topic cannot be published to");
                if reliable {
                    // A number no client gave: it is answered like a publication the broker refused.
                    let token = u64::MAX - id;
                    self.tokens.insert(token, id);
                    let event = Event::Receipt { token, receipt: Receipt::Refused { code: TOPIC_NAME_INVALID } };
                    let _ = self.jobs.send(Job::Link { connection: self.number, event });
                }
                true
            }
            Err(PublishError::Full | PublishError::Closed) => {
                self.connection = None;
                false
            }
        }
    }

    /// The uplink's event for an event of the connection; nothing for those of a former connection.
    pub(super) fn translate(&mut self, number: u64, event: Event) -> Option<uplink::Event> {
        if matches!(event, Event::Message(_)) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        if number != self.number || self.connection.is_none() {
            return None;
        }
        Some(match event {
            Event::Connected => uplink::Event::Connected,
            Event::Subscribed { granted } => uplink::Event::Subscribed { granted },
            Event::Message(message) => uplink::Event::Message {
                topic: message.topic,
                payload: message.payload,
                properties: message.properties,
            },
            Event::Receipt { token, receipt } => {
                let receipt = match receipt {
                    Receipt::Taken => uplink::Receipt::Taken,
                    Receipt::NoSubscriber => uplink::Receipt::NoSubscriber,
                    Receipt::NotAuthorised => uplink::Receipt::NotAuthorised,
                    Receipt::Refused { code } => uplink::Receipt::Refused { code },
                };
                uplink::Event::Receipt { id: self.tokens.remove(&token)?, receipt }
            }
            Event::Closed(reason) => {
                tracing::info!("uplink connection ended: {reason}");
                self.connection = None;
                uplink::Event::Closed
            }
        })
    }

    /// Says goodbye. The last will is for the unexpected, so the offline status is published here.
    pub(super) fn close(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let LastWill { topic, payload, retain } = self.will.clone();
        let status =
            vedette_mqtt::Publication { topic, payload, quality: Quality::AtMostOnce, retain, properties: Vec::new() };
        if connection.publish(status).is_ok() {
            self.runtime.block_on(connection.close(GOODBYE));
        }
    }
}

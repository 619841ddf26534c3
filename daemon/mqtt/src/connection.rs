//! The connection: a polling task, a publishing handle, typed events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v5::{Packet, PubAckReason, PublishProperties, SubscribeReasonCode};
use rumqttc::{AsyncClient, ClientError, EventLoop, PublishNotice, PublishNoticeError, PublishOptions};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{Options, OptionsError};

/// How hard the broker tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// QoS 0: may be lost.
    AtMostOnce,
    /// QoS 1: answered with a receipt.
    AtLeastOnce,
}

impl Quality {
    const fn to_library(self) -> QoS {
        match self {
            Self::AtMostOnce => QoS::AtMostOnce,
            Self::AtLeastOnce => QoS::AtLeastOnce,
        }
    }
}

/// Something to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Topic, without wildcards.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// How hard the broker tries.
    pub quality: Quality,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// MQTT 5 user properties, in order.
    pub properties: Vec<(String, String)>,
}

/// A message from the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Topic; bytes that are not UTF-8 are replaced.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// The broker had it in store: a state, not an event.
    pub retained: bool,
    /// MQTT 5 user properties, in order.
    pub properties: Vec<(String, String)>,
}

/// The broker's answer to a QoS 1 publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The broker has it and somebody subscribes to it.
    Taken,
    /// Reason 0x10: the broker has it and nobody subscribes; it will go nowhere.
    NoSubscriber,
    /// Reason 0x87: this client may not publish there.
    NotAuthorised,
    /// Another reason code: refused.
    Refused {
        /// The code of the MQTT 5 standard, section 3.4.2.1.
        code: u8,
    },
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// TCP, TLS and CONNACK took too long together.
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// No event for three keep-alives.
    #[error("nothing heard for {0:?}")]
    Stalled(Duration),
    /// The broker refused the connection.
    #[error("refused by the broker: {0}")]
    Refused(String),
    /// The connection broke, or the other side broke the protocol.
    #[error("connection lost: {0}")]
    Lost(String),
    /// This side asked for it.
    #[error("closed")]
    Closed,
}

/// What happens on a connection, in order; [`Event::Closed`] is the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// CONNACK with success; subscriptions must be made now.
    Connected,
    /// The broker answered a subscription; there is one answer for each filter.
    Subscribed {
        /// Whether it was granted.
        granted: bool,
    },
    /// A message came.
    Message(Message),
    /// The broker answered a publication.
    Receipt {
        /// What [`Connection::publish`] returned.
        token: u64,
        /// The answer.
        receipt: Receipt,
    },
    /// The end.
    Closed(CloseReason),
}

/// A publication that could not be queued.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PublishError {
    /// The client's queue is full; try again after a receipt.
    #[error("queue of the MQTT client is full")]
    Full,
    /// The connection has ended.
    #[error("MQTT connection has ended")]
    Closed,
    /// The topic or a property cannot be sent.
    #[error("topic {topic:?} cannot be published to")]
    Invalid {
        /// The topic.
        topic: String,
    },
}

/// One connection to a broker; dropping it closes the socket at once.
#[derive(Debug)]
pub struct Connection {
    client: AsyncClient,
    tokens: AtomicU64,
    notices: mpsc::UnboundedSender<(u64, PublishNotice)>,
    poller: JoinHandle<()>,
    receipts: JoinHandle<()>,
}

impl Connection {
    /// Starts to connect and returns at once; `on_event` hears how it goes, from the polling task, and must not block.
    ///
    /// # Errors
    /// When the options contradict the protocol.
    pub fn open(options: &Options, on_event: impl Fn(Event) + Send + Sync + 'static) -> Result<Self, OptionsError> {
        let (client, event_loop) =
            AsyncClient::builder(options.to_library()).capacity(options.queue).try_build().map_err(|error| {
                OptionsError::Refused { host: options.host.clone(), port: options.port, reason: error.to_string() }
            })?;
        let on_event = Arc::new(on_event);
        // Bounded by the client's own request queue and in-flight limit: every entry belongs to a request in there.
        let (notices, pending) = mpsc::unbounded_channel();
        let receipts = tokio::spawn(report_receipts(pending, Arc::clone(&on_event)));
        let limits = (options.connect_timeout, options.stall_limit());
        let poller = tokio::spawn(async move {
            let reason = poll(event_loop, limits, on_event.as_ref()).await;
            on_event(Event::Closed(reason));
        });
        Ok(Self { client, tokens: AtomicU64::new(0), notices, poller, receipts })
    }

    /// Queues a publication; a QoS 1 publication is answered by an [`Event::Receipt`] with the returned token.
    ///
    /// # Errors
    /// When the queue is full, the connection has ended or the topic is not valid.
    pub fn publish(&self, publication: Publication) -> Result<u64, PublishError> {
        let token = self.tokens.fetch_add(1, Ordering::Relaxed);
        let mut options = PublishOptions::new(publication.quality.to_library()).retain(publication.retain);
        if !publication.properties.is_empty() {
            options = options.properties(PublishProperties {
                user_properties: publication.properties,
                ..PublishProperties::default()
            });
        }
        let topic = publication.topic;
        match publication.quality {
            Quality::AtMostOnce => self
                .client
                .try_publish(topic.clone(), publication.payload, options)
                .map_err(|error| publish_error(&error, topic))?,
            Quality::AtLeastOnce => {
                let notice = self
                    .client
                    .try_publish_tracked(topic.clone(), publication.payload, options)
                    .map_err(|error| publish_error(&error, topic))?;
                self.notices.send((token, notice)).map_err(|_| PublishError::Closed)?;
            }
        }
        Ok(token)
    }

    /// Asks for the messages of these topic filters.
    ///
    /// # Errors
    /// When the queue is full, the connection has ended or a filter is not valid.
    pub fn subscribe(&self, filters: &[String], quality: Quality) -> Result<(), PublishError> {
        for filter in filters {
            self.client
                .try_subscribe(filter.clone(), quality.to_library())
                .map_err(|error| publish_error(&error, filter.clone()))?;
        }
        Ok(())
    }

    /// Says goodbye, so that the broker does not publish the last will, and waits for the end, at most `limit`.
    pub async fn close(mut self, limit: Duration) {
        if self.client.try_disconnect().is_ok() && tokio::time::timeout(limit, &mut self.poller).await.is_ok() {
            // The receipts already answered are still reported before the task is dropped.
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.poller.abort();
        self.receipts.abort();
    }
}

/// Polls until the connection ends. Dropping the event loop in mid-poll is safe because it is never polled again.
async fn poll(
    mut event_loop: EventLoop,
    (connect_timeout, stall_limit): (Duration, Duration),
    on_event: &impl Fn(Event),
) -> CloseReason {
    let mut limit = connect_timeout;
    let mut connected = false;
    loop {
        let event = match tokio::time::timeout(limit, event_loop.poll()).await {
            Err(_) if connected => return CloseReason::Stalled(stall_limit),
            Err(_) => return CloseReason::ConnectTimeout(connect_timeout),
            Ok(Err(error)) => return close_reason(&error),
            Ok(Ok(event)) => event,
        };
        let rumqttc::Event::Incoming(packet) = event else { continue };
        match packet {
            Packet::ConnAck(_) => {
                connected = true;
                limit = stall_limit;
                on_event(Event::Connected);
            }
            Packet::Publish(publish) => on_event(Event::Message(Message {
                topic: String::from_utf8_lossy(&publish.topic).into_owned(),
                payload: publish.payload.into(),
                retained: publish.retain,
                properties: publish.properties.map(|properties| properties.user_properties).unwrap_or_default(),
            })),
            Packet::SubAck(answer) => {
                let granted = answer.return_codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_)));
                on_event(Event::Subscribed { granted });
            }
            Packet::Disconnect(goodbye) => return CloseReason::Refused(format!("{:?}", goodbye.reason_code)),
            _ => {}
        }
    }
}

/// Awaits the answers in the order of the publications, which is the order the protocol demands of the broker.
async fn report_receipts(
    mut pending: mpsc::UnboundedReceiver<(u64, PublishNotice)>,
    on_event: Arc<impl Fn(Event) + Send + Sync>,
) {
    while let Some((token, notice)) = pending.recv().await {
        let receipt = match notice.wait_async().await {
            Ok(rumqttc::PublishResult::Qos1(answer)) => receipt(answer.reason),
            Err(PublishNoticeError::V5PubAck(reason)) => receipt(reason),
            // The connection has ended before the answer: the caller hears of that end and publishes again.
            Ok(_) | Err(_) => continue,
        };
        on_event(Event::Receipt { token, receipt });
    }
}

const fn receipt(reason: PubAckReason) -> Receipt {
    match reason {
        PubAckReason::Success => Receipt::Taken,
        PubAckReason::NoMatchingSubscribers => Receipt::NoSubscriber,
        PubAckReason::NotAuthorized => Receipt::NotAuthorised,
        other => Receipt::Refused { code: other as u8 },
    }
}

fn close_reason(error: &rumqttc::ConnectionError) -> CloseReason {
    match error {
        rumqttc::ConnectionError::ConnectionRefused(code) => CloseReason::Refused(format!("{code:?}")),
        rumqttc::ConnectionError::RequestsDone => CloseReason::Closed,
        other => CloseReason::Lost(other.to_string()),
    }
}

fn publish_error(error: &ClientError, topic: String) -> PublishError {
    match error {
        ClientError::RequestChannelFull(_) => PublishError::Full,
        ClientError::RequestChannelDisconnected(_) => PublishError::Closed,
        _ => PublishError::Invalid { topic },
    }
}

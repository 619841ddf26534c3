//! The connection to the broker: made anew after each end and whenever its certificates are replaced, and examined
//! whether it lets the centre speak.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use vedette_delivery::certificate::Certificate;
use vedette_delivery::engine::Timestamp;
use vedette_delivery::uplink::Backoff;
use vedette_delivery::{Channel, GatewayId, uplink};
use vedette_mqtt::{Connection, Event, Publication, Quality, Receipt, Renewal};

use crate::Config;
use crate::driver::Wake;

/// Messages that may wait for the ledger; one more is dropped: it was not acknowledged, so it will come again.
const MAX_WAITING: usize = 4096;
/// Time given to the broker's goodbye at the end.
const GOODBYE: Duration = Duration::from_millis(500);
/// Time between two looks at the certificate.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What became of an event of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// All subscriptions are granted, and the broker lets the centre acknowledge.
    Listening,
    /// The broker lets the centre in, but not hear, or not answer.
    Unheard(String),
    /// The connection is gone, for this reason; the next attempt follows by itself.
    Closed(String),
    /// A message for the ledger.
    Message(vedette_mqtt::Message),
}

/// The connection to the broker, and how to make a new one.
pub(crate) struct Link {
    config: Config,
    wake: Sender<Wake>,
    waiting: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
    connection: Option<Connection>,
    /// Counts connections: events of an older one are stale.
    number: u64,
    granted: usize,
    /// The publication that shows whether the centre may speak.
    probe: Option<u64>,
    connect_at: Option<Instant>,
    backoff: Backoff,
    renewal: Renewal,
    look_at: Option<Instant>,
    seen: Option<Vec<u8>>,
}

impl Link {
    pub(crate) fn new(config: Config, wake: Sender<Wake>) -> Self {
        let broker = &config.broker;
        let files = [&broker.authority_file, &broker.certificate_file, &broker.key_file];
        let renewal = Renewal::new(files.into_iter().flatten().cloned().collect());
        Self {
            config,
            wake,
            waiting: Arc::default(),
            dropped: Arc::default(),
            connection: None,
            number: 0,
            granted: 0,
            probe: None,
            connect_at: Some(Instant::now()),
            backoff: Backoff::new(0.5, 20.0, u64::from(std::process::id())),
            renewal,
            look_at: None,
            seen: None,
        }
    }

    /// Connects when it is time, and anew when the certificates were replaced; why a connection was given up or not made.
    pub(crate) fn tend(&mut self, now: Instant) -> Option<String> {
        let mut closed = None;
        if self.renewal.seen(now) {
            tracing::info!("the certificates were replaced: connecting with the new ones");
            (self.look_at, self.connection) = (None, None);
            self.backoff.reset();
            self.connect_at = Some(now);
            closed = Some("its certificates were replaced".to_owned());
        }
        if self.connect_at.is_some_and(|at| now >= at) {
            closed = self.connect().err().or(closed);
        }
        closed
    }

    /// When [`Link::tend`] is wanted next, if not before.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.connect_at.map(|at| at.saturating_duration_since(Instant::now()))
    }

    fn connect(&mut self) -> Result<(), String> {
        self.connect_at = None;
        self.number += 1;
        (self.granted, self.probe) = (0, None);
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
        let options = self.config.broker_options().map_err(|error| error.to_string());
        match options.and_then(|options| Connection::open(&options, on_event).map_err(|error| error.to_string())) {
            Ok(connection) => {
                self.connection = Some(connection);
                Ok(())
            }
            Err(error) => {
                tracing::error!(error, "cannot connect");
                self.reconnect_later();
                Err(error)
            }
        }
    }

    fn reconnect_later(&mut self) {
        self.connection = None;
        self.connect_at = Some(Instant::now() + Duration::from_secs_f64(self.backoff.wait_s()));
    }

    /// Takes in an event of the connection with this number.
    pub(crate) fn take(&mut self, number: u64, event: Event) -> Option<News> {
        if matches!(event, Event::Message(_)) {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
        }
        if number != self.number {
            return None;
        }
        let user = &self.config.centre.id;
        match event {
            Event::Connected => {
                let filters: Vec<String> = Channel::TO_CENTRE.iter().map(|channel| channel.filter()).collect();
                let subscribed = self.connection.as_ref().map(|c| c.subscribe(&filters, Quality::AtLeastOnce));
                let Some(Err(error)) = subscribed else { return None };
                tracing::error!(%error, "cannot subscribe");
                self.reconnect_later();
                Some(News::Closed(error.to_string()))
            }
            Event::Subscribed { granted: true } => {
                self.granted += 1;
                if self.granted == Channel::TO_CENTRE.len() {
                    self.ask_to_speak();
                }
                None
            }
            Event::Subscribed { granted: false } => {
                let reason = format!("the broker refuses a subscription of {user}");
                self.reconnect_later();
                Some(News::Unheard(reason))
            }
            Event::Receipt { token, receipt: Receipt::NotAuthorised } => {
                if self.probe != Some(token) {
                    tracing::warn!("the broker does not let {user} publish to one of its gateways");
                    return None;
                }
                let why = "most likely its access rules name another user than it takes this centre for";
                let reason = format!("the broker lets {user} acknowledge nothing; {why}");
                self.reconnect_later();
                Some(News::Unheard(reason))
            }
            Event::Receipt { token, .. } => {
                self.probe.take_if(|probe| *probe == token)?;
                let broker = &self.config.broker;
                tracing::info!(host = %broker.host, port = broker.port, "listening");
                self.backoff.reset();
                Some(News::Listening)
            }
            Event::Message(message) => Some(News::Message(message)),
            Event::Closed(reason) => {
                tracing::warn!(%reason, "connection to the broker ended");
                self.reconnect_later();
                Some(News::Closed(reason.to_string()))
            }
        }
    }

    /// A broker may grant a subscription and deliver nothing to it (mosquitto does), but it says so of publications: an
    /// acknowledgement to nobody shows whether the centre is who the broker's rules mean.
    fn ask_to_speak(&mut self) {
        let (Some(connection), Ok(centre)) = (&self.connection, GatewayId::new(self.config.centre.id.clone())) else {
            return;
        };
        let probe = Publication {
            topic: Channel::Ack.topic(&centre),
            payload: Vec::new(),
            quality: Quality::AtLeastOnce,
            retain: false,
            properties: Vec::new(),
        };
        match connection.publish(probe) {
            Ok(token) => self.probe = Some(token),
            Err(error) => {
                tracing::error!(%error, "cannot publish");
                self.reconnect_later();
            }
        }
    }

    pub(crate) fn publish(&self, publication: uplink::Publication) {
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

    /// The end of the centre's own certificate, told when it is new since the last look.
    pub(crate) fn certificate(&mut self, now: Instant) -> Option<(String, Timestamp)> {
        if self.look_at.is_some_and(|at| now < at) {
            return None;
        }
        self.look_at = Some(now + LOOK_EVERY);
        let path = self.config.broker.certificate_file.as_ref()?;
        // One that cannot be read is told with the connection that cannot be made.
        let bytes = std::fs::read(path).ok().filter(|bytes| self.seen.as_ref() != Some(bytes))?;
        let certificate = Certificate::read(&bytes);
        self.seen = Some(bytes);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match certificate {
            Ok(certificate) => {
                let centre = &self.config.centre.id;
                if let Some(whose) = certificate.common_name.filter(|whose| whose != centre) {
                    let refuses = "a broker that goes by certificates takes it for somebody else";
                    tracing::warn!("{name} is of {whose}, and this centre is {centre}: {refuses}");
                }
                Some((name, certificate.expires_at))
            }
            Err(error) => {
                tracing::error!("{}: {error}", path.display());
                None
            }
        }
    }

    /// Says goodbye; how many messages were dropped.
    pub(crate) fn finish(&mut self, runtime: &Handle) -> u64 {
        if let Some(connection) = self.connection.take() {
            runtime.block_on(connection.close(GOODBYE));
        }
        self.dropped.load(Ordering::Relaxed) as u64
    }
}

//! Publishing native detections to a broker, each taken before the queue overflows.

use std::str::FromStr;
use std::time::Duration;

use tokio::sync::mpsc;
use vedette_mqtt::{CloseReason, Connection, Event, Options, OptionsError, Publication, PublishError, Quality};

/// Where a broker listens, as typed: `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerAddress {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl FromStr for BrokerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        match split {
            Some((host, port)) if !host.is_empty() => Ok(Self { host: host.to_owned(), port }),
            _ => Err(format!("expected HOST:PORT, got {text}")),
        }
    }
}

/// Why nothing can be published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// The settings contradict each other.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The broker refused or lost the connection.
    #[error("broker: {0}")]
    Closed(CloseReason),
    /// The client refused a publication.
    #[error("broker: {0}")]
    Publish(#[from] PublishError),
}

/// A connection that publishes.
pub(super) struct Publisher {
    connection: Connection,
    events: mpsc::UnboundedReceiver<Event>,
    /// Publications the broker has not answered yet.
    open: usize,
}

impl Publisher {
    /// Connects and waits for the broker's welcome.
    pub(super) async fn connect(address: &BrokerAddress, client_id: &str) -> Result<Self, BrokerError> {
        // Bounded by the client's own queue: every event answers one of our requests.
        let (sender, mut events) = mpsc::unbounded_channel();
        let options = Options::new(&address.host, address.port, client_id);
        let connection = Connection::open(&options, move |event| {
            let _ = sender.send(event);
        })?;
        loop {
            match events.recv().await {
                Some(Event::Connected) => return Ok(Self { connection, events, open: 0 }),
                Some(Event::Closed(reason)) => return Err(BrokerError::Closed(reason)),
                Some(_) => {}
                None => return Err(BrokerError::Closed(CloseReason::Closed)),
            }
        }
    }

    /// Queues a message; waits for room when the queue is full.
    pub(super) async fn publish(&mut self, topic: String, payload: Vec<u8>) -> Result<(), BrokerError> {
        while let Ok(event) = self.events.try_recv() {
            self.note(event)?;
        }
        loop {
            let publication = Publication {
                topic: topic.clone(),
                payload: payload.clone(),
                quality: Quality::AtLeastOnce,
                retain: false,
                properties: Vec::new(),
            };
            match self.connection.publish(publication) {
                Ok(_) => {
                    self.open += 1;
                    return Ok(());
                }
                Err(PublishError::Full) => self.answer().await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn answer(&mut self) -> Result<(), BrokerError> {
        match self.events.recv().await {
            Some(event) => self.note(event),
            None => Err(BrokerError::Closed(CloseReason::Closed)),
        }
    }

    fn note(&mut self, event: Event) -> Result<(), BrokerError> {
        match event {
            Event::Receipt { .. } => self.open = self.open.saturating_sub(1),
            Event::Closed(reason) => return Err(BrokerError::Closed(reason)),
            Event::Connected | Event::Subscribed { .. } | Event::Message(_) => {}
        }
        Ok(())
    }

    /// Waits until the broker has answered everything.
    pub(super) async fn flush(&mut self) -> Result<(), BrokerError> {
        while self.open > 0 {
            self.answer().await?;
        }
        Ok(())
    }

    pub(super) async fn close(self) {
        self.connection.close(Duration::from_secs(1)).await;
    }
}

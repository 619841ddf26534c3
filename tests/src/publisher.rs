//! A sensor that publishes native messages at a broker.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use tokio::sync::mpsc;
use vedette_engine::Timestamp;
use vedette_engine::time::format_rfc3339;
use vedette_mqtt::{Connection, Event, Options, Publication, PublishError, Quality};

/// A connection that publishes with QoS 1.
#[derive(Debug)]
pub struct Publisher {
    connection: Connection,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Publisher {
    /// Connects to the broker on this machine.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn connect(port: u16, client_id: &str) -> anyhow::Result<Self> {
        let (tell, events) = mpsc::unbounded_channel();
        let mut options = Options::new("127.0.0.1", port, client_id);
        options.queue = 512;
        options.max_packet_bytes = 1 << 20;
        let connection = Connection::open(&options, move |event| drop(tell.send(event)))?;
        let mut publisher = Self { connection, events };
        publisher.wait(|event| matches!(event, Event::Connected)).await?;
        Ok(publisher)
    }

    /// Publishes and waits for the broker's receipt.
    ///
    /// # Errors
    /// When none comes.
    pub async fn publish(&mut self, topic: &str, payload: &[u8]) -> anyhow::Result<()> {
        let published = self.connection.publish(Publication {
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            quality: Quality::AtLeastOnce,
            retain: false,
            properties: Vec::new(),
        })?;
        self.wait(|event| matches!(event, Event::Receipt { token, .. } if *token == published)).await
    }

    /// Publishes without waiting for the receipt; false when the client's queue is full.
    ///
    /// # Errors
    /// When the connection has ended.
    pub fn offer(&mut self, topic: &str, payload: &[u8]) -> anyhow::Result<bool> {
        while let Ok(event) = self.events.try_recv() {
            anyhow::ensure!(!matches!(event, Event::Closed(_)), "connection ended: {event:?}");
        }
        let publication = Publication {
            topic: topic.to_owned(),
            payload: payload.to_vec(),
            quality: Quality::AtLeastOnce,
            retain: false,
            properties: Vec::new(),
        };
        match self.connection.publish(publication) {
            Ok(_) => Ok(true),
            Err(PublishError::Full) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn wait(&mut self, wanted: impl Fn(&Event) -> bool) -> anyhow::Result<()> {
        let heard = async {
            loop {
                match self.events.recv().await {
                    Some(Event::Closed(reason)) => anyhow::bail!("connection ended: {reason}"),
                    Some(event) if wanted(&event) => return Ok(()),
                    Some(_) => {}
                    None => anyhow::bail!("connection ended"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), heard).await.context("the broker does not answer")?
    }
}

/// A message of the bench's radar with one position, measured now and shifted by `shift_s`.
#[must_use]
pub fn radar_message(east_m: f64, north_m: f64, shift_s: f64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX)).plus_seconds(shift_s);
    let t = format_rfc3339(now);
    format!(
        r#"{{"v":1,"sensor":"radar-1","t":"{t}","plots":[{{"kind":"position","east_m":{east_m},"north_m":{north_m}}}]}}"#
    )
}

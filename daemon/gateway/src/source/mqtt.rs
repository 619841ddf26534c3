//! Messages of a broker. A new connection each time, subscribed after each CONNACK, watched by the transport for silence.

use std::sync::Arc;

use tokio::sync::mpsc;
use vedette_engine::{Frame, FrameContent, Input};
use vedette_mqtt::{Connection, Event, Message, Quality};

use super::{Backoff, Surroundings, stage};
use crate::broker;
use crate::config::MqttSource;
use crate::intake::{Port, Taken};
use crate::progress::Beat;

/// Keeps the subscription of one broker up for as long as the daemon runs.
pub async fn run(source: MqttSource, port: Port, surroundings: Surroundings) {
    let mut backoff = Backoff::new(source.broker.client_id.as_deref().unwrap_or(&source.name));
    let beat = surroundings.progress.stage(&stage(&source.name));
    loop {
        let trouble = connect_once(&source, port, &surroundings, &mut backoff, &beat).await;
        surroundings.links.set(&source.name, Err(trouble));
        beat.while_waiting(tokio::time::sleep(backoff.pause())).await;
    }
}

/// One connection from its beginning to its end; why it ended.
async fn connect_once(
    source: &MqttSource,
    port: Port,
    surroundings: &Surroundings,
    backoff: &mut Backoff,
    beat: &Beat,
) -> String {
    let options = match broker::options(&source.broker, None) {
        Ok(options) => options,
        Err(error) => return error.to_string(),
    };
    // Connection events are few; messages go straight into the bounded intake.
    let (tell, mut told) = mpsc::unbounded_channel();
    let take = taker(source, port, surroundings.clone());
    let on_event = move |event| match event {
        Event::Message(message) => take(message),
        other => {
            // The receiver lives as long as the connection.
            let _ = tell.send(other);
        }
    };
    let connection = match Connection::open(&options, on_event) {
        Ok(connection) => connection,
        Err(error) => return error.to_string(),
    };
    let mut granted = 0;
    let mut renewal = broker::renewal(&source.broker);
    loop {
        let event = tokio::select! {
            event = beat.while_waiting(told.recv()) => event,
            () = renewal.happens() => return "certificates were renewed".to_owned(),
        };
        let Some(event) = event else { return "connection ended".to_owned() };
        match event {
            Event::Connected => {
                if let Err(error) = connection.subscribe(&source.topics, Quality::AtLeastOnce) {
                    return error.to_string();
                }
            }
            Event::Subscribed { granted: true } => {
                granted += 1;
                if granted == source.topics.len() {
                    backoff.reset();
                    surroundings.links.set(&source.name, Ok(()));
                }
            }
            Event::Subscribed { granted: false } => {
                surroundings.rejects.count(&source.name, "subscription_refused", &source.topics.join(" "));
                return "the broker refused a subscription".to_owned();
            }
            Event::Closed(reason) => return reason.to_string(),
            Event::Message(_) | Event::Receipt { .. } => {}
        }
    }
}

/// What becomes of a message: a frame in the intake. Runs on the polling task and never waits.
fn taker(source: &MqttSource, port: Port, surroundings: Surroundings) -> impl Fn(Message) + Send + Sync + 'static {
    let (name, codec): (Arc<str>, Arc<str>) = (source.name.as_str().into(), source.codec.as_str().into());
    move |Message { topic, payload, retained, .. }| {
        let content = FrameContent::Message { codec: codec.to_string(), topic: Some(topic), retained, bytes: payload };
        let received = surroundings.clock.now();
        let frame = Frame { source: name.to_string(), received, content };
        // A message queue drops its oldest itself.
        let _ = surroundings.intake.push(port, Taken::Input(Input::Frame(frame)));
    }
}

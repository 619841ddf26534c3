//! Sensor nodes behind a SAPIENT middleware: this gateway registers as a fusion node and takes in what they report.

use std::time::Duration;

use prost::Message as _;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use vedette_engine::codec::sapient::has_place;
use vedette_engine::codec::sapient::message::{
    Alert, AlertAck, Content, RegistrationAck, SapientMessage, alert_ack_status, alert_status,
};
use vedette_engine::{Frame, FrameContent, Input};

use super::{Backoff, Surroundings};
use crate::config::SapientSource;
use crate::intake::{Port, Taken};
use crate::net::{self, Duplex, NetError};
use crate::sapient;

/// Answers that may wait for the middleware.
const ANSWERS: usize = 64;

/// Listens for as long as the daemon runs.
pub async fn run(source: SapientSource, site: String, port: Port, surroundings: Surroundings) {
    let mut backoff = Backoff::new(&source.name);
    let link = Link { source, site, port, surroundings };
    loop {
        let trouble = match link.session(&mut backoff).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        link.surroundings.links.set(&link.source.name, Err(trouble.to_string()));
        tokio::time::sleep(backoff.pause()).await;
    }
}

struct Link {
    source: SapientSource,
    site: String,
    port: Port,
    surroundings: Surroundings,
}

impl Link {
    /// One connection from its beginning to its end; why it ended.
    async fn session(&self, backoff: &mut Backoff) -> Result<std::convert::Infallible, NetError> {
        let stream = net::connect(&self.source.from).await?;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let introduction = self.message(sapient::registration(&self.site, self.source.status_interval_s));
        sapient::register(&mut reader, &mut writer, &introduction).await?;
        backoff.reset();
        self.surroundings.links.set(&self.source.name, Ok(()));
        let (answer, answers) = mpsc::channel(ANSWERS);
        // Reading cannot be interrupted inside a message, so both directions run until one of them fails.
        tokio::select! {
            error = self.listen(&mut reader, &answer) => Err(error),
            error = self.talk(&mut writer, answers) => Err(error),
        }
    }

    fn message(&self, content: Content) -> SapientMessage {
        sapient::message(&self.source.node_id, self.surroundings.clock.now(), content)
    }

    async fn talk(
        &self,
        writer: &mut WriteHalf<Box<dyn Duplex>>,
        mut answers: mpsc::Receiver<(Option<String>, Content)>,
    ) -> NetError {
        let mut status = tokio::time::interval(Duration::from_secs_f64(self.source.status_interval_s));
        let mut first = true;
        loop {
            let message = tokio::select! {
                _ = status.tick() => {
                    let now = self.surroundings.clock.now();
                    self.message(sapient::status(&self.site, now, std::mem::take(&mut first)))
                }
                Some((to, content)) = answers.recv() => SapientMessage { destination_id: to, ..self.message(content) },
            };
            if let Err(error) = sapient::write(writer, &message).await {
                return error;
            }
        }
    }

    async fn listen(
        &self,
        reader: &mut ReadHalf<Box<dyn Duplex>>,
        answer: &mpsc::Sender<(Option<String>, Content)>,
    ) -> NetError {
        loop {
            let bytes = match sapient::read(reader).await {
                Ok(bytes) => bytes,
                Err(error) => return error,
            };
            // What cannot be read is the engine's to count, with its field.
            let Ok(message) = SapientMessage::decode(bytes.as_slice()) else {
                self.take(bytes);
                continue;
            };
            let reply = match &message.content {
                // A node that the middleware hands on asks its fusion node whether it is welcome.
                Some(Content::Registration(_)) => Some(Content::RegistrationAck(RegistrationAck {
                    acceptance: Some(true),
                    ack_response_reason: Vec::new(),
                })),
                Some(Content::Alert(alert)) => {
                    self.take(bytes);
                    Some(Content::AlertAck(acknowledge(alert)))
                }
                Some(Content::DetectionReport(_) | Content::StatusReport(_)) => {
                    self.take(bytes);
                    None
                }
                Some(Content::Task(task)) => Some(sapient::refusal(task)),
                Some(Content::Error(error)) => {
                    let told = error.error_message.join("; ");
                    self.surroundings.rejects.count(&self.source.name, "middleware_error", &told);
                    None
                }
                _ => None,
            };
            if let Some(content) = reply
                && answer.try_send((message.node_id, content)).is_err()
            {
                tracing::warn!(source = self.source.name, "an answer was dropped: the middleware takes none");
            }
        }
    }

    fn take(&self, bytes: Vec<u8>) {
        let content = FrameContent::Message { codec: "sapient".to_owned(), topic: None, retained: false, bytes };
        let frame = Frame { source: self.source.name.clone(), received: self.surroundings.clock.now(), content };
        // A message queue drops its oldest itself.
        let _ = self.surroundings.intake.push(self.port, Taken::Input(Input::Frame(frame)));
    }
}

/// Taken when it says where something is: then it is one more thing that was seen. Otherwise nothing here follows from it.
fn acknowledge(alert: &Alert) -> AlertAck {
    let over = alert.status.is_some_and(|status| status != alert_status::ACTIVE);
    let (status, reason) = if over || has_place(alert) {
        (alert_ack_status::ACCEPTED, Vec::new())
    } else {
        (
            alert_ack_status::REJECTED,
            vec!["alert.location: expected a location or a range_bearing, got neither".to_owned()],
        )
    };
    AlertAck { alert_id: alert.alert_id.clone(), reason, alert_ack_status: Some(status) }
}

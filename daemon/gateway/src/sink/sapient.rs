//! SAPIENT for middleware and decision makers: fused tracks as detection reports, alerts and what becomes of them, status.
//!
//! An alert stays behind the cursor until the other side has acknowledged it; until then it is sent again on every new
//! connection and twice a minute. Whether such an acknowledgement also counts as an operator's is for the configuration to
//! say: the link itself proves nobody's identity.

mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use prost::Message as _;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use vedette_engine::codec::sapient::message::{AlertAck, Content, SapientMessage, alert_ack_status};
use vedette_engine::{Act, Alert, AlertState};

use super::Feed;
use super::outbox::Outbox;
use crate::config::SapientSink;
use crate::net::{self, Duplex, NetError};
use crate::sapient;
use crate::source::Backoff;
use crate::status::Request;

/// Alerts sent and not acknowledged; more wait in the store.
const WINDOW: usize = 64;
/// Time after which an alert that was not acknowledged is sent again.
const REPEAT: Duration = Duration::from_secs(30);
/// Longest wait for what an acknowledgement leads to.
const ORDER_PATIENCE: Duration = Duration::from_secs(10);

/// Tells the receiver for as long as the daemon runs.
pub async fn run(sink: SapientSink, feed: Feed) {
    let outbox = feed.alerts.open(&sink.name);
    let mut backoff = Backoff::new(&sink.name);
    let read_upto = outbox.upto();
    let mut teller = Teller { sink, feed, outbox, pending: BTreeMap::new(), read_upto, tracks: BTreeMap::new() };
    loop {
        let trouble = match teller.session(&mut backoff).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        teller.feed.links.set(&teller.sink.name, Err(trouble.to_string()));
        tokio::time::sleep(backoff.pause()).await;
    }
}

/// An alert on its way.
struct Pending {
    alert: Alert,
    /// The name it has over there.
    ulid: String,
    sent: Option<Instant>,
}

struct Teller {
    sink: SapientSink,
    feed: Feed,
    outbox: Outbox,
    /// Alerts not acknowledged, by the number of their row.
    pending: BTreeMap<u64, Pending>,
    /// All rows up to this have been read.
    read_upto: u64,
    /// Tracks told last: number and name over there.
    tracks: BTreeMap<u64, String>,
}

type Writer = WriteHalf<Box<dyn Duplex>>;

impl Teller {
    /// One connection from its beginning to its end; why it ended.
    async fn session(&mut self, backoff: &mut Backoff) -> Result<std::convert::Infallible, NetError> {
        let view = self.feed.views.wait_for(Option::is_some).await.ok().and_then(|view| view.clone());
        let Some(view) = view else { return Err(NetError::Refused("the daemon is stopping".to_owned())) };
        let stream = net::connect(&self.sink.to).await?;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let introduction = self.message(sapient::registration(&view.site, self.sink.status_interval_s));
        sapient::register(&mut reader, &mut writer, &introduction).await?;
        backoff.reset();
        self.feed.links.set(&self.sink.name, Ok(()));
        self.pending.values_mut().for_each(|pending| pending.sent = None);
        let (tell, mut told) = mpsc::channel(WINDOW);
        // Reading cannot be interrupted inside a message, so it has a task of its own, which ends with this session.
        let mut listener = tokio::task::JoinSet::new();
        listener.spawn(listen(reader, tell));
        self.talk(&mut writer, &view.site, &mut told).await
    }

    async fn talk(
        &mut self,
        writer: &mut Writer,
        site: &str,
        told: &mut mpsc::Receiver<Result<SapientMessage, NetError>>,
    ) -> Result<std::convert::Infallible, NetError> {
        let mut status = tokio::time::interval(Duration::from_secs_f64(self.sink.status_interval_s));
        let mut repeat = tokio::time::interval(Duration::from_secs(1));
        status.set_missed_tick_behavior(MissedTickBehavior::Delay);
        repeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut first, mut tracks_at) = (true, Instant::now());
        loop {
            let has_room = self.pending.len() < WINDOW;
            tokio::select! {
                biased;
                message = told.recv() => match message {
                    Some(Ok(message)) => {
                        if let Some(Content::Task(task)) = &message.content {
                            let answer = self.message(sapient::refusal(task));
                            let answer = SapientMessage { destination_id: message.node_id, ..answer };
                            sapient::write(writer, &answer).await?;
                        } else {
                            self.hear(message).await;
                        }
                    }
                    Some(Err(error)) => return Err(error),
                    None => return Err(NetError::Closed),
                },
                () = self.outbox.changed_behind(self.read_upto), if has_room => self.read_alerts().await,
                _ = repeat.tick() => {
                    self.outbox.save().await;
                    self.send_alerts(writer).await?;
                }
                _ = status.tick() => {
                    let content = sapient::status(site, self.feed.clock.now(), std::mem::take(&mut first));
                    sapient::write(writer, &self.message(content)).await?;
                }
                changed = self.feed.views.changed() => {
                    if changed.is_err() {
                        return Err(NetError::Refused("the daemon is stopping".to_owned()));
                    }
                    if Instant::now() >= tracks_at {
                        tracks_at = Instant::now() + Duration::from_secs_f64(self.sink.tracks_interval_s - 0.05);
                        self.send_tracks(writer).await?;
                    }
                }
            }
        }
    }

    fn message(&self, content: Content) -> SapientMessage {
        sapient::message(&self.sink.node_id, self.feed.clock.now(), content)
    }

    async fn read_alerts(&mut self) {
        let rows = match self.outbox.read_behind(self.read_upto).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(sink = self.sink.name, "{error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                return;
            }
        };
        if rows.anew {
            self.pending.clear();
        }
        for row in rows.rows.into_iter().filter(|row| row.alert.severity >= self.sink.alerts_from) {
            let ulid = sapient::ulid(row.alert.first_seen, &row.alert.id);
            self.pending.insert(row.seq, Pending { alert: row.alert, ulid, sent: None });
        }
        self.read_upto = rows.upto;
        self.settle();
    }

    /// Sends what was not sent on this connection, or too long ago.
    async fn send_alerts(&mut self, writer: &mut Writer) -> Result<(), NetError> {
        let Some(view) = self.feed.views.borrow().clone() else { return Ok(()) };
        let due: Vec<u64> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.sent.is_none_or(|sent| sent.elapsed() >= REPEAT))
            .map(|(seq, _)| *seq)
            .collect();
        for seq in due {
            let Some(pending) = self.pending.get(&seq) else { continue };
            let content = Content::Alert(report::alert(&pending.alert, &pending.ulid, &view, &self.sink.node_id));
            sapient::write(writer, &self.message(content)).await?;
            if let Some(pending) = self.pending.get_mut(&seq) {
                pending.sent = Some(Instant::now());
            }
        }
        Ok(())
    }

    async fn send_tracks(&mut self, writer: &mut Writer) -> Result<(), NetError> {
        let Some(view) = self.feed.views.borrow_and_update().clone() else { return Ok(()) };
        let mut seen = BTreeSet::new();
        for track in view.tracks.iter().filter(|track| track.localised) {
            let report = report::track(track, &view, self.feed.clock.now());
            self.tracks.insert(track.id, report.object_id.clone().unwrap_or_default());
            seen.insert(track.id);
            sapient::write(writer, &self.message(Content::DetectionReport(report))).await?;
        }
        let lost: Vec<(u64, String)> =
            self.tracks.iter().filter(|(id, _)| !seen.contains(id)).map(|(id, name)| (*id, name.clone())).collect();
        for (id, object_id) in lost {
            let report = report::lost(&view, object_id, self.feed.clock.now());
            sapient::write(writer, &self.message(Content::DetectionReport(report))).await?;
            self.tracks.remove(&id);
        }
        Ok(())
    }

    async fn hear(&mut self, message: SapientMessage) {
        match message.content {
            Some(Content::AlertAck(ack)) => self.acknowledged(&ack, message.node_id.as_deref()).await,
            Some(Content::Error(error)) => {
                tracing::warn!(sink = self.sink.name, "the middleware objects: {}", error.error_message.join("; "));
            }
            _ => {}
        }
    }

    /// Every revision of the alert up to the one that was sent has been seen.
    async fn acknowledged(&mut self, ack: &AlertAck, by: Option<&str>) {
        let Some(ulid) = &ack.alert_id else { return };
        // One that an operator has seen already is not seen again, or both sides would go on acknowledging for ever.
        let unseen = |alert: &Alert| matches!(alert.state, AlertState::Raised | AlertState::Updated);
        let alert = self.pending.values().rfind(|pending| pending.ulid == *ulid && pending.sent.is_some());
        let alert = alert.filter(|pending| unseen(&pending.alert)).map(|pending| pending.alert.id.clone());
        self.pending.retain(|_, pending| pending.ulid != *ulid || pending.sent.is_none());
        self.settle();
        let accepted = ack.alert_ack_status == Some(alert_ack_status::ACCEPTED);
        if !accepted {
            tracing::warn!(sink = self.sink.name, alert = ulid, "refused: {}", ack.reason.join("; "));
        }
        let Some(alert) = alert.filter(|_| accepted && self.sink.may_acknowledge) else { return };
        let (tell, told) = oneshot::channel();
        let request = Request::Act { act: Act::Acknowledge { alert }, by: format!("sapient {}", by.unwrap_or("?")) };
        if self.feed.orders.send((request, tell)).await.is_ok() {
            // Held until it is durable, so that the answer is not taken for one to the centre.
            tokio::spawn(async move { tokio::time::timeout(ORDER_PATIENCE, told).await });
        }
    }

    /// Moves the cursor up to the first alert that is not acknowledged.
    fn settle(&mut self) {
        let settled = self.pending.keys().next().map_or(self.read_upto, |first| first - 1);
        self.outbox.done(settled);
    }
}

async fn listen(mut reader: ReadHalf<Box<dyn Duplex>>, tell: mpsc::Sender<Result<SapientMessage, NetError>>) {
    loop {
        let message = match sapient::read(&mut reader).await {
            Ok(bytes) => SapientMessage::decode(bytes.as_slice())
                .map_err(|error| NetError::Refused(format!("a message that cannot be read: {error}"))),
            Err(error) => Err(error),
        };
        let over = message.is_err();
        if tell.send(message).await.is_err() || over {
            return;
        }
    }
}

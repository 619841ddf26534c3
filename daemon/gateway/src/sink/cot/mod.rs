//! Cursor on Target for servers and handhelds: tracks, alerts and sensors over TCP, TLS or multicast.
//!
//! A stream has no acknowledgements, so an alert counts as told when the connection has taken it; on every new connection
//! the alerts that are still open are sent again. Events are known by their `uid`: a repeat changes nothing.

pub mod event;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::UdpSocket;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use vedette_engine::{Alert, Timestamp};

use self::event::{AlertForm, Event, is_over};
use super::outbox::{Outbox, Row};
use super::{Feed, View};
use crate::config::CotSink;
use crate::net::{self, Duplex, NetError};
use crate::source::Backoff;

/// Open alerts remembered for the next connection; the oldest go first.
const MAX_OPEN: usize = 1_000;
/// A sensor's event stays valid over this many intervals.
const SENSOR_INTERVALS: f64 = 3.0;

/// Tells the receiver for as long as the daemon runs.
pub async fn run(sink: CotSink, feed: Feed) {
    let outbox = feed.alerts.open(&sink.name);
    let mut backoff = Backoff::new(&sink.name);
    let mut teller = Teller { sink, feed, outbox, open: BTreeMap::new(), tracks: BTreeMap::new() };
    loop {
        let trouble = match Line::open(&teller.sink).await {
            Ok(mut line) => {
                teller.feed.links.set(&teller.sink.name, Ok(()));
                let since = Instant::now();
                let trouble = teller.serve(&mut line).await;
                // A connection that held shows that the other side works.
                if since.elapsed() > Duration::from_secs(30) {
                    backoff.reset();
                }
                trouble
            }
            Err(error) => error,
        };
        teller.feed.links.set(&teller.sink.name, Err(trouble.to_string()));
        tokio::time::sleep(backoff.pause()).await;
    }
}

/// The way to the receiver.
enum Line {
    Stream(Box<dyn Duplex>),
    Multicast { socket: UdpSocket, group: SocketAddr },
}

impl Line {
    async fn open(sink: &CotSink) -> Result<Self, NetError> {
        if let Some(peer) = &sink.to {
            return Ok(Self::Stream(net::connect(peer).await?));
        }
        let group = sink.multicast.ok_or_else(|| NetError::Refused("no receiver is configured".to_owned()))?;
        let any: SocketAddr = if group.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let socket = UdpSocket::bind(any).await?;
        socket.set_multicast_ttl_v4(sink.multicast_hops)?;
        Ok(Self::Multicast { socket, group })
    }

    async fn send(&mut self, event: &Event) -> Result<(), NetError> {
        let xml = event.to_xml()?;
        match self {
            Self::Stream(stream) => net::write(stream, &xml).await,
            Self::Multicast { socket, group } => {
                socket.send_to(&xml, *group).await?;
                Ok(())
            }
        }
    }

    /// Reads and drops what the other side sends, until it closes. Safe to cancel.
    async fn closed(&mut self) -> NetError {
        let Self::Stream(stream) = self else { return std::future::pending().await };
        let mut dropped = [0; 4_096];
        loop {
            match stream.read(&mut dropped).await {
                Ok(0) => return NetError::Closed,
                Ok(_) => {}
                Err(error) => return error.into(),
            }
        }
    }
}

struct Teller {
    sink: CotSink,
    feed: Feed,
    outbox: Outbox,
    /// Alerts that are not over, by id, with the number of their last row.
    open: BTreeMap<String, Row>,
    /// Tracks told last, by number.
    tracks: BTreeMap<u64, Event>,
}

impl Teller {
    /// Tells until the connection ends; why it ended.
    async fn serve(&mut self, line: &mut Line) -> NetError {
        let mut tracks = every(self.sink.tracks_interval_s);
        let mut sensors = every(self.sink.sensors_interval_s);
        let Some(view) = self.view().await else { return NetError::Refused("the daemon is stopping".to_owned()) };
        let told = self.tell_open(line, &view).await;
        if let Err(error) = told {
            return error;
        }
        loop {
            let told = tokio::select! {
                biased;
                error = line.closed() => return error,
                () = self.outbox.changed() => self.tell_alerts(line).await,
                _ = tracks.tick() => self.tell_tracks(line).await,
                _ = sensors.tick() => self.tell_sensors(line).await,
            };
            if let Err(error) = told {
                return error;
            }
        }
    }

    /// The newest picture, waited for at the start.
    async fn view(&mut self) -> Option<Arc<View>> {
        self.feed.views.wait_for(Option::is_some).await.ok().and_then(|view| view.clone())
    }

    fn form(&self) -> AlertForm {
        AlertForm { from: self.sink.alerts_from, emergency_from: self.sink.emergency_from }
    }

    /// After a new connection: what the last one may have taken and never delivered.
    async fn tell_open(&mut self, line: &mut Line, view: &View) -> Result<(), NetError> {
        self.open.retain(|_, row| row.alert.expires_at > view.at);
        for row in self.open.values() {
            if let Some(event) = event::alert(&row.alert, view, view.at, self.form()) {
                line.send(&event).await?;
            }
        }
        Ok(())
    }

    async fn tell_alerts(&mut self, line: &mut Line) -> Result<(), NetError> {
        let Some(view) = self.view().await else { return Ok(()) };
        let rows = match self.outbox.read().await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(sink = self.sink.name, "{error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                return Ok(());
            }
        };
        for row in rows.rows {
            // What was over before this sink ever spoke of it is nobody's news.
            let stale = is_over(&row.alert) && !self.open.contains_key(&row.alert.id) && row.alert.expires_at < view.at;
            if let Some(event) = event::alert(&row.alert, &view, view.at, self.form()).filter(|_| !stale) {
                line.send(&event).await?;
            }
            let seq = row.seq;
            self.remember(row);
            self.outbox.done(seq);
        }
        self.outbox.done(rows.upto);
        self.outbox.save().await;
        Ok(())
    }

    fn remember(&mut self, row: Row) {
        let Alert { id, .. } = &row.alert;
        if is_over(&row.alert) {
            self.open.remove(id);
            return;
        }
        self.open.insert(id.clone(), row);
        while self.open.len() > MAX_OPEN {
            let oldest = self.open.iter().min_by_key(|(_, row)| row.seq).map(|(id, _)| id.clone());
            self.open.retain(|id, _| Some(id) != oldest.as_ref());
        }
    }

    /// The newest tracks; those that are no more end at once instead of lingering until they are stale.
    async fn tell_tracks(&mut self, line: &mut Line) -> Result<(), NetError> {
        let Some(view) = self.feed.views.borrow().clone() else { return Ok(()) };
        let stale = view.at.plus_seconds(self.sink.stale_s);
        let now: BTreeMap<u64, Event> = view
            .tracks
            .iter()
            .filter(|track| track.localised)
            .map(|track| (track.id, event::track(track, &view.site, view.at, stale)))
            .collect();
        let ended: Vec<Event> =
            self.tracks.iter().filter(|(id, _)| !now.contains_key(id)).map(|(_, event)| event.clone()).collect();
        for event in ended.into_iter().map(|event| event.ended(view.at)).chain(now.values().cloned()) {
            line.send(&event).await?;
        }
        self.tracks = now;
        Ok(())
    }

    async fn tell_sensors(&mut self, line: &mut Line) -> Result<(), NetError> {
        let Some(view) = self.feed.views.borrow().clone() else { return Ok(()) };
        let stale: Timestamp = view.at.plus_seconds(SENSOR_INTERVALS * self.sink.sensors_interval_s);
        for sensor in &view.sensors {
            line.send(&event::sensor(sensor, &view.site, view.at, stale)).await?;
        }
        Ok(())
    }
}

fn every(seconds: f64) -> Interval {
    let mut interval = tokio::time::interval(Duration::from_secs_f64(seconds));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

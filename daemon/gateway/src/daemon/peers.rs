//! Starts what listens to other systems and tells them, beside brokers and radio concentrators.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::sync::{mpsc, watch};

use super::keeper::Job;
use crate::clock::SharedClock;
use crate::config::{Config, CotSource, FileSource, GnssSource, HttpSource, MeshtasticSource, SapientSource};
use crate::intake::Class;
use crate::sink::{Asked, Feed, View, outbox};
use crate::source::{self, Links, Surroundings, file, gnss, http, meshtastic};

/// Positions of a receiver that may wait for the engine: one is worth as much as all.
const GNSS_QUEUE: usize = 16;

/// A source beside brokers and radio concentrators, as it is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Peer {
    Meshtastic(MeshtasticSource),
    File(FileSource),
    Http(HttpSource),
    Cot(CotSource),
    Sapient(SapientSource, String),
    Gnss(GnssSource),
}

/// All of them, by name.
pub(crate) fn peers(config: &Config) -> Vec<(String, Peer)> {
    let source = &config.source;
    let site = &config.engine.site.id;
    let mut peers = Vec::new();
    let mut add = |name: &str, peer: Peer| peers.push((name.to_owned(), peer));
    source.meshtastic.iter().for_each(|table| add(&table.name, Peer::Meshtastic(table.clone())));
    source.file.iter().for_each(|table| add(&table.name, Peer::File(table.clone())));
    source.http.iter().for_each(|table| add(&table.name, Peer::Http(table.clone())));
    source.cot.iter().for_each(|table| add(&table.name, Peer::Cot(table.clone())));
    source.sapient.iter().for_each(|table| add(&table.name, Peer::Sapient(table.clone(), site.clone())));
    source.gnss.iter().for_each(|table| add(&table.name, Peer::Gnss(table.clone())));
    peers
}

/// A task that is not started yet.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Peer {
    /// The task of this source, with a place of its own in the intake. It shows signs of life for as long as it is polled.
    pub(crate) fn task(self, name: &str, surroundings: &Surroundings) -> Task {
        let intake = &surroundings.intake;
        let open = |queue_frames| intake.open(name, Class::Message, queue_frames);
        let around = surroundings.clone();
        let task: Task = match self {
            Self::Meshtastic(table) => {
                let port = open(table.queue_frames);
                Box::pin(meshtastic::run(table, port, around))
            }
            Self::File(table) => {
                let port = open(table.queue_frames);
                Box::pin(file::run(table, port, around))
            }
            Self::Http(table) => {
                let port = open(table.queue_frames);
                Box::pin(http::run(table, port, around))
            }
            Self::Cot(table) => {
                let port = open(table.queue_frames);
                Box::pin(source::cot::run(table, port, around))
            }
            Self::Sapient(table, site) => {
                let port = open(table.queue_frames);
                Box::pin(source::sapient::run(table, site, port, around))
            }
            Self::Gnss(table) => Box::pin(gnss::run(table, open(GNSS_QUEUE), around)),
        };
        let (progress, stage) = (Arc::clone(&surroundings.progress), source::stage(name));
        Box::pin(async move {
            progress.stage(&stage).while_waiting(task).await;
            // It has nothing to do any more; one that panicked never comes here.
            progress.retire(&stage);
        })
    }
}

/// What the sinks work with.
pub(super) fn feed(
    config: &Config,
    jobs: Sender<Job>,
    newest: watch::Receiver<u64>,
    views: watch::Receiver<Option<Arc<View>>>,
    clock: Arc<SharedClock>,
    orders: mpsc::Sender<Asked>,
) -> Feed {
    let ask: outbox::Ask = Arc::new(move |query| jobs.send(Job::Read(query)).is_ok());
    let folder = config.store.file.parent().unwrap_or(Path::new(""));
    let alerts = outbox::Reader::new(ask, newest, folder);
    Feed { views, alerts, links: Arc::new(Links::of_sinks()), clock, orders }
}

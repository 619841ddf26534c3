//! Starts what listens to other systems and tells them, beside brokers and radio concentrators.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::keeper::Job;
use crate::config::Config;
use crate::intake::{Class, Port};
use crate::sink::{Asked, Feed, View, cot, outbox, sapient};
use crate::source::{self, Surroundings, file, gnss, http, meshtastic};

/// Positions of a receiver that may wait for the engine: one is worth as much as all.
const GNSS_QUEUE: usize = 16;

/// A place in the intake for each source that has frames, in the order of [`start_sources`].
pub(crate) fn lanes(config: &Config) -> Vec<(String, Class, usize)> {
    let source = &config.source;
    let mut lanes = Vec::new();
    let mut add = |name: &str, queue_frames: usize| lanes.push((name.to_owned(), Class::Message, queue_frames));
    source.meshtastic.iter().for_each(|table| add(&table.name, table.queue_frames));
    source.file.iter().for_each(|table| add(&table.name, table.queue_frames));
    source.http.iter().for_each(|table| add(&table.name, table.queue_frames));
    source.cot.iter().for_each(|table| add(&table.name, table.queue_frames));
    source.sapient.iter().for_each(|table| add(&table.name, table.queue_frames));
    source.gnss.iter().for_each(|table| add(&table.name, GNSS_QUEUE));
    lanes
}

/// Starts the sources, each with the next port.
pub(crate) fn start_sources(
    config: &Config,
    mut ports: impl Iterator<Item = Port>,
    surroundings: &Surroundings,
    tasks: &mut JoinSet<()>,
) {
    let tables = &config.source;
    for (table, port) in tables.meshtastic.iter().zip(ports.by_ref()) {
        tasks.spawn(meshtastic::run(table.clone(), port, surroundings.clone()));
    }
    for (table, port) in tables.file.iter().zip(ports.by_ref()) {
        tasks.spawn(file::run(table.clone(), port, surroundings.clone()));
    }
    for (table, port) in tables.http.iter().zip(ports.by_ref()) {
        tasks.spawn(http::run(table.clone(), port, surroundings.clone()));
    }
    for (table, port) in tables.cot.iter().zip(ports.by_ref()) {
        tasks.spawn(source::cot::run(table.clone(), port, surroundings.clone()));
    }
    for (table, port) in tables.sapient.iter().zip(ports.by_ref()) {
        let site = config.engine.site.id.clone();
        tasks.spawn(source::sapient::run(table.clone(), site, port, surroundings.clone()));
    }
    for (table, port) in tables.gnss.iter().zip(ports.by_ref()) {
        tasks.spawn(gnss::run(table.clone(), port, surroundings.clone()));
    }
}

/// What the sinks work with.
pub(super) fn feed(
    config: &Config,
    jobs: Sender<Job>,
    newest: watch::Receiver<u64>,
    views: watch::Receiver<Option<Arc<View>>>,
    surroundings: &Surroundings,
    orders: mpsc::Sender<Asked>,
) -> Feed {
    let ask: outbox::Ask = Arc::new(move |query| jobs.send(Job::Read(query)).is_ok());
    let folder = config.store.file.parent().unwrap_or(Path::new(""));
    let alerts = outbox::Reader::new(ask, newest, folder);
    let Surroundings { links, clock, .. } = surroundings.clone();
    Feed { views, alerts, links, clock, orders }
}

/// Starts the sinks.
pub(super) fn start_sinks(config: &Config, feed: &Feed, tasks: &mut JoinSet<()>) {
    for sink in &config.sink.cot {
        tasks.spawn(cot::run(sink.clone(), feed.clone()));
    }
    for sink in &config.sink.sapient {
        tasks.spawn(sapient::run(sink.clone(), feed.clone()));
    }
}

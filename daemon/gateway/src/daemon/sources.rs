//! The sources' tasks: started with the daemon, and on a reload stopped and started one by one, where they changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use vedette_wire::SealedFrame;
use vedette_wire::link::Configure;

use super::peers::{Peer, peers};
use crate::config::{Config, MqttSource, Radio, SerialSource};
use crate::intake::Class;
use crate::radio::Nodes;
use crate::source::serial::Serial;
use crate::source::{Surroundings, mqtt, stage};

/// Acknowledgements that may wait for a serial line.
const DOWNLINK_QUEUE: usize = 64;

/// The ways back to the radio concentrators, by source.
#[derive(Debug, Default)]
pub(super) struct Downlinks(Mutex<BTreeMap<String, mpsc::Sender<SealedFrame>>>);

impl Downlinks {
    /// Whether the frame is on its way.
    pub(super) fn send(&self, source: &str, frame: SealedFrame) -> bool {
        self.lock().get(source).is_some_and(|line| line.try_send(frame).is_ok())
    }

    fn open(&self, source: &str) -> mpsc::Receiver<SealedFrame> {
        let (down, line) = mpsc::channel(DOWNLINK_QUEUE);
        self.lock().insert(source.to_owned(), down);
        line
    }

    fn close(&self, source: &str) {
        self.lock().remove(source);
    }

    /// No code panics with the lock held.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, mpsc::Sender<SealedFrame>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source as it is wanted. A new kind of source is one variant and its arms.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Serial(SerialSource, Configure),
    Mqtt(MqttSource),
    Peer(Peer),
}

/// All sources that run.
#[derive(Debug)]
pub(super) struct SourceTasks {
    surroundings: Surroundings,
    nodes: Arc<Nodes>,
    downlinks: Arc<Downlinks>,
    running: BTreeMap<String, (Wanted, AbortHandle)>,
}

impl SourceTasks {
    /// No source yet; they hand over to `surroundings`.
    pub(super) fn new(surroundings: Surroundings, nodes: Arc<Nodes>, downlinks: Arc<Downlinks>) -> Self {
        Self { surroundings, nodes, downlinks, running: BTreeMap::new() }
    }

    /// Stops what is not wanted any more or wanted otherwise, and starts what is wanted and does not run; what was done,
    /// for people.
    pub(super) fn apply(&mut self, config: &Config) -> Vec<String> {
        let settings = config.radio.as_ref().map_or(Configure::DEFAULT, Radio::settings);
        let serial = |source: &SerialSource| (source.name.clone(), Wanted::Serial(source.clone(), settings));
        let serial = config.source.serial.iter().map(serial);
        let mqtt = config.source.mqtt.iter().map(|source| (source.name.clone(), Wanted::Mqtt(source.clone())));
        let peers = peers(config).into_iter().map(|(name, peer)| (name, Wanted::Peer(peer)));
        let wanted: BTreeMap<String, Wanted> = serial.chain(mqtt).chain(peers).collect();
        let mut done = Vec::new();
        let gone: Vec<String> = self
            .running
            .iter()
            .filter(|(name, (as_is, _))| wanted.get(*name) != Some(as_is))
            .map(|(n, _)| n.clone())
            .collect();
        for name in gone {
            self.stop(&name);
            if !wanted.contains_key(&name) {
                self.surroundings.links.forget(&name);
                done.push(format!("source {name} stopped"));
            }
        }
        for (name, source) in wanted {
            if !self.running.contains_key(&name) {
                let task = self.start(&name, &source);
                self.running.insert(name.clone(), (source, task));
                done.push(format!("source {name} started"));
            }
        }
        done
    }

    fn start(&self, name: &str, source: &Wanted) -> AbortHandle {
        let surroundings = self.surroundings.clone();
        let intake = &self.surroundings.intake;
        match source.clone() {
            Wanted::Serial(source, settings) => {
                let port = intake.open(name, Class::Radio, source.queue_frames);
                let line = self.downlinks.open(name);
                let serial = Serial::new(source, settings, port, Arc::clone(&self.nodes), surroundings, line);
                tokio::spawn(serial.run()).abort_handle()
            }
            Wanted::Mqtt(source) => {
                let port = intake.open(name, Class::Message, source.queue_frames);
                tokio::spawn(mqtt::run(source, port, surroundings)).abort_handle()
            }
            Wanted::Peer(peer) => tokio::spawn(peer.task(name, &surroundings)).abort_handle(),
        }
    }

    fn stop(&mut self, name: &str) {
        if let Some((_, task)) = self.running.remove(name) {
            task.abort();
            self.surroundings.progress.retire(&stage(name));
            self.surroundings.intake.close(name);
            self.downlinks.close(name);
        }
    }
}

impl Drop for SourceTasks {
    fn drop(&mut self) {
        for (_, task) in self.running.values() {
            task.abort();
        }
    }
}

//! What leaves the daemon beside the way to the centre: sinks, the recording, the HTTP endpoint. On a reload each is
//! stopped and started where it changed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::task::AbortHandle;

use super::DaemonError;
use crate::config::{Config, CotSink, Record, SapientSink};
use crate::http::{Endpoint, Observe};
use crate::record::{self, Recorder};
use crate::sink::{Feed, cot, sapient};

/// A sink as it is wanted. A new kind of sink is one variant and its arms.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Cot(CotSink),
    Sapient(SapientSink),
}

impl Wanted {
    fn name(&self) -> &str {
        match self {
            Self::Cot(sink) => &sink.name,
            Self::Sapient(sink) => &sink.name,
        }
    }
}

/// Threads that write recordings, to be waited for at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Recordings(Arc<Mutex<Vec<JoinHandle<()>>>>);

impl Recordings {
    fn add(&self, thread: JoinHandle<()>) {
        let mut threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
    }

    /// Waits until the last file is closed.
    pub(super) fn join(&self) {
        let threads = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// All outlets that run.
pub(super) struct Outlets {
    feed: Feed,
    observe: Observe,
    sinks: Vec<(Wanted, AbortHandle)>,
    endpoint: Option<(SocketAddr, AbortHandle)>,
    record: Option<Record>,
    recordings: Recordings,
}

impl Outlets {
    /// None yet.
    pub(super) fn new(feed: Feed, observe: Observe, recordings: Recordings) -> Self {
        Self { feed, observe, sinks: Vec::new(), endpoint: None, record: None, recordings }
    }

    /// Stops and starts sinks and endpoint where they differ; what was done, for people.
    pub(super) fn apply(&mut self, config: &Config) -> Vec<String> {
        let cot = config.sink.cot.iter().cloned().map(Wanted::Cot);
        let wanted: Vec<Wanted> = cot.chain(config.sink.sapient.iter().cloned().map(Wanted::Sapient)).collect();
        let mut done = Vec::new();
        for (sink, task) in self.sinks.extract_if(.., |(sink, _)| !wanted.contains(sink)) {
            task.abort();
            if !wanted.iter().any(|other| other.name() == sink.name()) {
                self.feed.links.forget(sink.name());
            }
            done.push(format!("sink {} stopped", sink.name()));
        }
        for sink in wanted {
            if self.sinks.iter().all(|(running, _)| *running != sink) {
                done.push(format!("sink {} started", sink.name()));
                let task = self.start(sink.clone());
                self.sinks.push((sink, task));
            }
        }
        done.extend(self.apply_endpoint(config.metrics.as_ref().map(|metrics| metrics.listen)));
        done
    }

    fn start(&self, sink: Wanted) -> AbortHandle {
        let feed = self.feed.clone();
        match sink {
            Wanted::Cot(sink) => tokio::spawn(cot::run(sink, feed)).abort_handle(),
            Wanted::Sapient(sink) => tokio::spawn(sapient::run(sink, feed)).abort_handle(),
        }
    }

    /// Without an endpoint nobody can look, and all else works; one that cannot be had leaves the former where it is.
    fn apply_endpoint(&mut self, wanted: Option<SocketAddr>) -> Option<String> {
        if self.endpoint.as_ref().map(|(listen, _)| *listen) == wanted {
            return None;
        }
        let started = match wanted.map(|listen| (listen, Endpoint::bind(listen))) {
            None => None,
            Some((listen, Ok(endpoint))) => {
                Some((listen, tokio::spawn(endpoint.run(self.observe.clone())).abort_handle()))
            }
            Some((listen, Err(error))) => {
                tracing::error!("no metrics on {listen}: {error}");
                return Some(format!("no metrics on {listen}: {error}"));
            }
        };
        let told = started.as_ref().map_or_else(|| "metrics off".to_owned(), |(on, _)| format!("metrics on {on}"));
        if let Some((_, former)) = std::mem::replace(&mut self.endpoint, started) {
            former.abort();
        }
        Some(told)
    }

    /// What is to take the recorder's place, when it is wanted otherwise than before.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub(super) fn recorder(&mut self, config: &Config) -> Result<Option<Option<Recorder>>, DaemonError> {
        if self.record == config.record {
            return Ok(None);
        }
        let started = match &config.record {
            None => None,
            Some(table) => {
                let (recorder, writer) = record::pair(table, &config.engine.site.id);
                let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run());
                let thread = thread.map_err(|error| DaemonError::System { what: "thread".to_owned(), error })?;
                self.recordings.add(thread);
                Some(recorder)
            }
        };
        self.record.clone_from(&config.record);
        Ok(Some(started))
    }
}

impl Drop for Outlets {
    fn drop(&mut self) {
        let tasks = self.sinks.iter().map(|(_, task)| task).chain(self.endpoint.iter().map(|(_, task)| task));
        tasks.for_each(AbortHandle::abort);
    }
}

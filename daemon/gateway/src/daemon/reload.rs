//! Reloading the configuration: read, check, apply where it changed, watch, and roll back when that did harm.
//!
//! A configuration that is wrong changes nothing. One that was applied is watched for a minute: a trouble that was not
//! there before and lasts a while brings the configuration before it back, and the next start does not begin with it
//! either. What has stood the minute is kept on disk as the last good one, with which a start goes on when the file it is
//! given is wrong; what a start began with is kept once nothing is wrong. Every step is in the audit log.

mod trial;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::time::Instant;
use vedette_engine::{AuditRecord, Fact};

use super::certificates::Certificates;
use super::core::CoreChange;
use super::keeper::{Job, Note, SinkChange};
use super::outlets::Outlets;
use super::sources::SourceTasks;
use super::{Origin, past, supervisor};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::http::Observe;
use crate::progress::Progress;
use crate::radio::{Nodes, ring_of};
use crate::retention::Rules;
use crate::status::Report;
use trial::{Trial, Verdict, WATCH};

/// The parts of the daemon that a configuration changes.
pub(super) struct Parts {
    pub(super) sources: SourceTasks,
    pub(super) outlets: Outlets,
    pub(super) nodes: Arc<Nodes>,
    pub(super) notes: UnboundedSender<Note>,
    pub(super) jobs: Sender<Job>,
    pub(super) observe: Observe,
    pub(super) clock: Arc<SharedClock>,
    pub(super) progress: Arc<Progress>,
}

/// Keeps the configuration of a running daemon.
pub(super) struct Reloader {
    parts: Parts,
    origin: Origin,
    current: Config,
    /// What stood its minute, and its text.
    confirmed: (Config, String),
    trial: Option<Trial>,
}

impl Reloader {
    /// Begins with the configuration the daemon was started with, which is on trial too: but there is none before it.
    pub(super) fn new(parts: Parts, origin: Origin, config: Config) -> Self {
        let confirmed = (config.clone(), origin.text.clone());
        Self { parts, origin, current: config, confirmed, trial: None }
    }

    /// Reloads at each hang-up signal.
    pub(super) async fn run(mut self, mut hangup: Signal) {
        if self.origin.fallback {
            self.audit("configuration_refused", "at the start; the last good one is used".to_owned());
            self.tell_fault("refused at the start; the last good one is used".to_owned());
        }
        let started = Instant::now();
        let mut kept = false;
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                signal = hangup.recv() => match signal {
                    Some(()) => self.reload().await,
                    None => return,
                },
                _ = second.tick() => {
                    self.look().await;
                    if !kept && started.elapsed() >= WATCH && !self.origin.fallback && self.is_well().await {
                        kept = true;
                        self.keep_last_good();
                    }
                }
            }
        }
    }

    async fn reload(&mut self) {
        let supervisor = supervisor::Supervisor::new(Arc::clone(&self.parts.progress));
        supervisor.reloading();
        let path = self.current.path.clone();
        match self.read(&path) {
            Ok((config, text)) => {
                let report = self.report().await;
                let troubles = report.as_ref().map(troubles).unwrap_or_default();
                let done = self.apply(&config);
                self.audit("configuration_applied", format!("{} {done}", name(&text)));
                self.trial = Some(Trial::new(Instant::now(), text, troubles, self.trial.take()));
            }
            Err(error) => {
                tracing::error!("the configuration stays as it was: {error}");
                self.audit("configuration_refused", error.lines().next().unwrap_or_default().to_owned());
                self.tell_fault(format!("refused: {}", error.lines().next().unwrap_or_default()));
            }
        }
        supervisor.ready(&self.current.engine.site.id);
    }

    fn read(&self, path: &Path) -> Result<(Config, String), String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let config = Config::parse(path, &text).map_err(|error| error.to_string())?;
        let (before, after) = (&self.current.engine.site.id, &config.engine.site.id);
        if before != after {
            return Err(format!("site.id: {after:?}, expected {before:?}: a running daemon keeps its name"));
        }
        let (before, after) = (self.current.engine.site.exercise, config.engine.site.exercise);
        if before != after {
            return Err(format!(
                "site.exercise: {after}, expected {before}, as at the start: start another gateway for the exercise"
            ));
        }
        // What is read only when it is used must be there now.
        super::check(&config).map_err(|error| error.in_full())?;
        Ok((config, text))
    }

    /// Whether nothing is wrong and nothing is on trial.
    async fn is_well(&self) -> bool {
        self.trial.is_none() && self.report().await.is_some_and(|report| troubles(&report).is_empty())
    }

    /// Changes what differs; what was done, for people.
    fn apply(&mut self, config: &Config) -> String {
        let mut done = Vec::new();
        if config.radio.is_some() {
            match ring_of(config.radio.as_ref(), config.engine.site.exercise) {
                Ok(ring) => done.extend(self.parts.nodes.change_keys(&ring)),
                Err(error) => tracing::error!("the radio keys stay as they were: {error}"),
            }
        }
        let recorder = self.parts.outlets.recorder(config).unwrap_or_else(|error| {
            tracing::error!("the recording stays as it was: {error}");
            None
        });
        if recorder.is_some() {
            done.push("recording changed".to_owned());
        }
        let change = CoreChange {
            recorder,
            engine: config.engine.clone(),
            pace: super::pace(config),
            retention: Rules::new(config),
            certificates: Certificates::new(config),
        };
        // Its receiver is gone only when the daemon ends.
        let _ = self.parts.notes.send(Note::Reconfigure(Box::new(change)));
        if config.engine != self.current.engine {
            done.push("engine changed".to_owned());
        }
        if (&config.sink.centre, &config.uplink) != (&self.current.sink.centre, &self.current.uplink) {
            match super::uplink_config(config) {
                Ok(uplink) => {
                    let change = SinkChange { uplink, sink: config.sink.centre.first().cloned() };
                    let _ = self.parts.jobs.send(Job::Sink(Box::new(change)));
                    done.push("way to the centre changed".to_owned());
                }
                Err(error) => tracing::error!("the way to the centre stays as it was: {error}"),
            }
        }
        done.extend(self.parts.sources.apply(config));
        done.extend(self.parts.outlets.apply(config));
        done.extend(
            config.not_before_a_start(&self.current).map(|key| format!("{key} takes effect at the next start")),
        );
        self.current = config.clone();
        let done = if done.is_empty() { "nothing changed".to_owned() } else { done.join(", ") };
        tracing::info!("configuration applied: {done}");
        done
    }

    /// Looks after a configuration on trial.
    async fn look(&mut self) {
        if self.trial.is_none() {
            return;
        }
        let report = self.report().await;
        let Some(trial) = &mut self.trial else { return };
        let troubles = match &report {
            Some(report) => troubles(report),
            None => BTreeSet::from(["engine".to_owned()]),
        };
        match trial.look(Instant::now(), &troubles) {
            Verdict::Waits => {}
            Verdict::Stood => {
                let text = std::mem::take(&mut trial.text);
                self.trial = None;
                self.audit("configuration_confirmed", name(&text));
                self.confirmed = (self.current.clone(), text);
                self.origin.fallback = false;
                self.keep_last_good();
            }
            Verdict::Harm(why) => self.roll_back(&why),
        }
    }

    fn roll_back(&mut self, why: &str) {
        if let (Some(trial), Some(past)) = (self.trial.take(), &self.origin.past) {
            past.note_rolled_back(&trial.text);
        }
        self.keep_last_good();
        let (config, text) = self.confirmed.clone();
        tracing::error!("the new configuration did harm ({why}); back to the one before");
        let done = self.apply(&config);
        self.audit("configuration_rolled_back", format!("{} for {why}: {done}", name(&text)));
        self.tell_fault(format!("rolled back for {why}"));
    }

    fn keep_last_good(&self) {
        if let Some(past) = &self.origin.past {
            past.keep(&self.confirmed.1);
        }
    }

    async fn report(&self) -> Option<Report> {
        let (tell, told) = oneshot::channel();
        let asked = async {
            self.parts.observe.send(tell).await.ok()?;
            told.await.ok()
        };
        let observation = tokio::time::timeout(Duration::from_secs(5), asked).await.ok()??;
        Some(observation.report)
    }

    fn audit(&self, act: &str, detail: String) {
        let record = AuditRecord { at: self.parts.clock.now(), by: "SIGHUP".into(), act: act.into(), detail };
        let _ = self.parts.notes.send(Note::Audit(record));
    }

    fn tell_fault(&self, error: String) {
        let _ = self.parts.notes.send(Note::Fact(Fact::StorageFault { what: "configuration".to_owned(), error }));
    }
}

/// What is wrong, in words that stay the same while it is; the way to the centre counts even when nothing waits.
fn troubles(report: &Report) -> BTreeSet<String> {
    let mut troubles: BTreeSet<String> = report.troubles().into_iter().map(|trouble| trouble.key).collect();
    if !report.outbox.centre_up {
        troubles.insert("uplink".to_owned());
    }
    troubles
}

/// A configuration's name in the audit log: the beginning of its SHA-256.
fn name(text: &str) -> String {
    format!("sha256 {}..:", past::name_of(text))
}

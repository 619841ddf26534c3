//! What the engine said goes to the disk, and what depends on that is let go.

use tokio::time::Instant;
use vedette_delivery::uplink::Event;
use vedette_delivery::{Answer as OrderAnswer, Window, Work, message, recovery};
use vedette_engine::Transmit;

use super::super::keeper::Job;
use super::super::shelf::Recovered;
use super::Core;
use crate::radio::Sealed;
use crate::status::Answer;

/// Commits on their way to the disk; what follows is collected meanwhile.
const MAX_COMMITS: usize = 4;
/// Alerts that may wait for a commit; then the least severe, oldest first, are dropped and counted.
const MAX_ALERTS: usize = 10_000;

impl Core {
    /// Holds something back until all before it is committed.
    pub(super) fn release(&mut self, transmit: Transmit) {
        self.work.releases.push(transmit);
        self.plan_commit();
    }

    pub(super) fn plan_commit(&mut self) {
        if self.state.commit_at.is_none() && !self.work.is_empty() {
            self.state.commit_at = Some(Instant::now() + self.pace.commit_interval);
        }
    }

    pub(super) fn commit_due(&self) -> Option<Instant> {
        self.state.commit_at.filter(|_| self.state.commits < MAX_COMMITS)
    }

    /// Sends what was collected to the disk.
    pub(super) fn commit(&mut self) {
        self.state.commit_at = None;
        let mut work = std::mem::take(&mut self.work);
        let due = self.state.changed && Instant::now() >= self.state.snapshot_at;
        self.complete(&mut work, due);
        if work.is_empty() {
            return;
        }
        self.state.commits += 1;
        self.send(Job::Commit(Box::new(work)));
    }

    /// Adds what a restart needs to get back to here.
    fn complete(&mut self, work: &mut Work, due: bool) {
        match self.trail.complete(work, &self.engine, self.surroundings.clock.now(), due) {
            Ok(false) => return,
            Ok(true) => self.state.changed = false,
            Err(error) => tracing::error!("{error}"),
        }
        self.state.snapshot_at = Instant::now() + self.pace.snapshot_interval;
    }

    pub(super) fn keep_alert_bound(&mut self) {
        while self.work.batch.alerts.len() > MAX_ALERTS {
            let alerts = &mut self.work.batch.alerts;
            let least =
                alerts.iter().enumerate().min_by_key(|(index, alert)| (alert.severity, *index)).map(|(index, _)| index);
            let Some(least) = least else { return };
            alerts.remove(least);
            self.state.dropped_alerts += 1;
        }
    }

    /// The file can be used again: takes in what it knew, and hands over the whole state to be committed there.
    pub(super) fn give_state(&mut self, recovered: &Recovered) {
        let windows = recovered.windows.iter().map(|window| (window.node, window.state.as_slice()));
        if let Err(error) = self.nodes.absorb(windows) {
            tracing::error!("{error}");
        }
        let mut work = std::mem::take(&mut self.work);
        self.state.commit_at = None;
        if let Some(earlier) = &recovered.earlier {
            // An acknowledged radio frame of the earlier process may have led to an alert that was never committed.
            match recovery::recover(&self.config, earlier) {
                Ok(earlier) => {
                    work.batch.alerts.extend(earlier.work.batch.alerts);
                    work.batch.audit.extend(earlier.work.batch.audit);
                }
                Err(error) => tracing::error!("{error}"),
            }
        }
        let states = self.nodes.states().into_iter();
        work.batch.windows = states.map(|(node, state)| Window { node, state }).collect();
        self.trail.begin_anew(&self.config);
        self.complete(&mut work, true);
        self.state.commits += 1;
        self.send(Job::Return(Box::new(work)));
    }

    pub(super) fn transmit(&mut self, transmit: Transmit, durable: bool) {
        match transmit {
            Transmit::RadioAck { source, node, counter } => match self.nodes.acknowledge(node, counter) {
                Ok(Sealed::Send(frame)) => {
                    if !self.downlinks.send(&source, frame) {
                        tracing::debug!(source, node, counter, "acknowledgement not sent; the node will repeat");
                    }
                }
                Ok(Sealed::Reserve(state)) => {
                    self.work.replace_window(Window { node, state });
                    self.release(Transmit::RadioAck { source, node, counter });
                }
                Err(error) => self.surroundings.rejects.count(&source, "acknowledgement", &error),
            },
            Transmit::CommandAnswer { id, done, detail } => {
                if let Some(tell) = self.state.waiting.remove(&id) {
                    let memory = if durable { "" } else { "; in memory only, for the store cannot be used" };
                    let _ = tell.send(Answer::Done { done: done && durable, detail: format!("{detail}{memory}") });
                } else {
                    let answer = OrderAnswer { v: message::VERSION, id, done, detail };
                    self.send(Job::Uplink(Event::Answer(answer)));
                }
            }
        }
    }
}

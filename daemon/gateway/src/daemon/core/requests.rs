//! What is asked over the status socket and the HTTP endpoint.

use std::collections::BTreeMap;

use tokio::sync::oneshot;
use vedette_delivery::words::{printable, printable_command};
use vedette_engine::{Act, AuditRecord, Command, Input};

use super::Core;
use crate::http::Observation;
use crate::sink::View;
use crate::status::{Answer, Report, Request, SourceReport};

impl Core {
    pub(super) fn take_request(&mut self, request: Request, tell: oneshot::Sender<Answer>) {
        match request {
            Request::Status => {
                // The other side may have gone.
                let _ = tell.send(Answer::Status(Box::new(self.report())));
            }
            Request::Act { act, by } => self.order(act, by, tell),
            Request::TestAlert { severity, by } => self.order(Act::TestAlert { severity }, by, tell),
            Request::Exported { what, by } => {
                let (at, by, detail) = (self.surroundings.clock.now(), printable(&by), printable(&what));
                self.work.batch.audit.push(AuditRecord { at, by, act: "export".to_owned(), detail });
                self.plan_commit();
                let _ = tell.send(Answer::Done { done: true, detail: "noted".to_owned() });
            }
            Request::Retention { by } => {
                let answer = match self.delete_what_is_due(&printable(&by)) {
                    Ok(lines) if lines.is_empty() => {
                        Answer::Done { done: true, detail: "nothing has had its time".to_owned() }
                    }
                    Ok(lines) => Answer::Done { done: true, detail: lines.join("\n") },
                    Err(error) => Answer::Refused { reason: error.to_string() },
                };
                let _ = tell.send(answer);
            }
        }
    }

    /// Carries out a local order; its answer is given once it is durable.
    fn order(&mut self, act: Act, by: String, tell: oneshot::Sender<Answer>) {
        self.state.commands += 1;
        let id = format!("local-{}-{}", self.surroundings.clock.now().as_micros(), self.state.commands);
        self.state.waiting.insert(id.clone(), tell);
        self.handle(Input::Command(printable_command(Command { id, by, expires_at: None, act })));
    }

    pub(super) fn observe(&self) -> Observation {
        let now = self.surroundings.clock.now();
        let track_count = self.engine.picture(now).tracks.len();
        Observation { report: self.report(), view: View::new(&self.engine, now), track_count }
    }

    fn report(&self) -> Report {
        let mut sources: BTreeMap<String, SourceReport> = BTreeMap::new();
        for lane in self.surroundings.intake.figures() {
            let source = sources.entry(lane.source).or_default();
            (source.accepted, source.dropped, source.waiting) = (lane.accepted, lane.dropped, lane.waiting);
        }
        for (name, link) in self.surroundings.links.figures() {
            let source = sources.entry(name).or_default();
            (source.up, source.ups, source.trouble) = (link.up, link.ups, link.trouble);
        }
        for (name, rejected) in self.surroundings.rejects.totals() {
            let rejected = rejected.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect();
            sources.entry(name).or_default().rejected = rejected;
        }
        let (outbox, store) = self.outbox.get();
        let progress = &self.surroundings.progress;
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            site: self.engine.site().id.clone(),
            up_s: self.state.started.elapsed().as_secs_f64(),
            sources,
            sinks: self.sinks.figures(),
            engine: self.engine.status(),
            outbox,
            store,
            recording_trouble: self.recorder.as_ref().and_then(|recorder| recorder.trouble()).map(str::to_owned),
            nodes: self.nodes.count(),
            gnss: self.surroundings.gnss.newest(),
            cost: self.state.cost,
            progress_s: progress.ages().into_iter().map(|(stage, age)| (stage, age.as_secs_f64())).collect(),
            stalled: progress.stalled(),
        }
    }
}

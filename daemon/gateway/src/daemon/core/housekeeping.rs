//! What the engine's task does once a second beside its inputs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use vedette_delivery::message::{self, Tracks};
use vedette_delivery::uplink::Event;
use vedette_engine::{AuditRecord, Fact, Input, TrackStatus};

use super::super::keeper::Job;
use super::Core;
use crate::record::Recorder;
use crate::sink::View;

/// Time between two looks for what has had its time.
const RETAIN_EVERY: Duration = Duration::from_secs(3600);

impl Core {
    pub(super) fn every_second(&mut self) {
        if let Some(input) = self.surroundings.clock.compare() {
            tracing::info!("the clock moves: {input:?}");
            self.handle(input);
        }
        self.take_facts();
        for fact in self.surroundings.rejects.end_period() {
            self.handle(Input::Fact(fact));
        }
        for (source, count) in self.surroundings.intake.take_drops() {
            tracing::error!(source, count, "frames dropped: the engine cannot keep up");
            self.handle(Input::Fact(Fact::FramesDropped { source, count }));
        }
        let count = std::mem::take(&mut self.state.dropped_alerts);
        if count > 0 {
            self.handle(Input::Fact(Fact::OutboxDropped { count }));
        }
        if let Some(error) = self.state.recording_fault.take() {
            self.handle(Input::Fact(Fact::StorageFault { what: "recording".to_owned(), error }));
        }
        self.record_picture();
        self.show();
        self.keep_house();
        self.state.waiting.retain(|_, tell| !tell.is_closed());
        if self.state.changed && Instant::now() >= self.state.snapshot_at && self.state.commits == 0 {
            self.commit();
        }
        self.send_tracks();
    }

    fn send_tracks(&mut self) {
        let Some(interval) = self.pace.tracks_interval else { return };
        if self.state.tracks_at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        self.state.tracks_at = Some(Instant::now() + interval);
        let mut picture = self.engine.picture(self.surroundings.clock.now());
        picture.tracks.retain(|track| track.status == TrackStatus::Confirmed);
        let tracks = Tracks { v: message::VERSION, at: picture.at, tracks: picture.tracks };
        self.send(Job::Uplink(Event::Tracks(message::write(&tracks))));
    }

    /// Gives the sinks the newest picture; who has not taken the last one never will.
    fn show(&self) {
        if self.views.receiver_count() > 0 {
            let view = View::new(&self.engine, self.surroundings.clock.now());
            self.views.send_replace(Some(Arc::new(view)));
        }
    }

    fn record_picture(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        let now = self.surroundings.clock.now();
        recorder.picture(now, &self.engine.picture(now), &self.engine.site().frame);
    }

    /// Deletes what has had its time, into the audit log; what became of each, for people.
    pub(super) fn delete_what_is_due(&mut self, by: &str) -> std::io::Result<Vec<String>> {
        let at = self.surroundings.clock.now();
        let records = self.retention.delete(std::time::SystemTime::now(), at, by)?;
        let lines = records.iter().map(|record| format!("{} {}", record.act, record.detail)).collect();
        self.work.batch.audit.extend(records);
        self.plan_commit();
        Ok(lines)
    }

    fn keep_house(&mut self) {
        for fact in self.certificates.facts() {
            self.handle(Input::Fact(fact));
        }
        if self.state.retain_at <= Instant::now() {
            self.state.retain_at = Instant::now() + RETAIN_EVERY;
            if let Err(error) = self.delete_what_is_due("retention") {
                tracing::warn!("retention: {error}");
            }
        }
        self.audit_deleted_recordings();
    }

    pub(super) fn audit_deleted_recordings(&mut self) {
        let deleted = self.recorder.as_ref().map(Recorder::take_deleted).unwrap_or_default();
        for path in deleted {
            let (at, by, act) = (self.surroundings.clock.now(), "quota".to_owned(), "deleted".to_owned());
            self.work.batch.audit.push(AuditRecord { at, by, act, detail: format!("recordings {path}") });
            self.plan_commit();
        }
    }
}

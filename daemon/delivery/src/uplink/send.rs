//! What goes out, in which order: status, voids, answers, alerts by priority, and the picture when nothing else waits.

use std::cmp::Reverse;

use vedette_engine::{Severity, Timestamp};

use super::{Action, CRITICAL_PLACES, Cargo, Flight, Link, OTHER_PLACES, Publication, Uplink};
use crate::audit::Anchor;
use crate::message::{self, Status, Void};
use crate::store::Store;
use crate::topic::Channel;
use crate::{Ranges, VoidReason};

/// Greatest number of ranges in one void message, about 1 kB.
const MAX_VOID_RANGES: usize = 48;
/// Places that must be free for voids: a message for each reason.
const VOID_PLACES: usize = 3;

impl Uplink {
    /// Marks rows to be sent again once acknowledgements have not advanced for the retry time.
    pub(super) fn retry(&mut self, now: Timestamp) {
        if self.link != Link::Up || self.flights.is_empty() || now < self.pace.retry_at() {
            return;
        }
        self.pace.timed_out(now);
        self.void_at = None;
        let mut taken: Vec<_> = self
            .flights
            .iter()
            .filter(|(_, flight)| flight.taken)
            .map(|(&seq, flight)| (Reverse(flight.priority), flight.place, seq))
            .collect();
        taken.sort_unstable();
        for (_, _, seq) in taken.into_iter().take(self.pace.window()) {
            if let Some(flight) = self.flights.get_mut(&seq) {
                flight.due = true;
            }
        }
    }

    /// Sends until the window, the budget or the line's places are used up.
    pub(super) fn send<S: Store>(&mut self, now: Timestamp, store: &mut S, actions: &mut Vec<Action>) {
        while self.link == Link::Up && self.budget.allows(now) && self.unanswered.len() < self.config.in_flight() {
            let sent = self.send_status(now, actions)
                || self.send_void(now, actions)
                || self.send_answer(now, actions)
                || self.send_alert(now, store, actions)
                || self.send_tracks(now, actions);
            if !sent {
                return;
            }
        }
    }

    fn publish(&mut self, now: Timestamp, channel: Channel, payload: Vec<u8>, actions: &mut Vec<Action>) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let topic = channel.topic(&self.config.gateway);
        let signed = matches!(channel, Channel::Alert | Channel::Void | Channel::Answer | Channel::Status);
        let signer = self.config.signer.as_ref().filter(|_| signed);
        let properties = signer.map(|signer| signer.properties(&topic, &payload)).unwrap_or_default();
        self.budget.pay(&topic, &payload, &properties);
        let reliable = channel != Channel::Tracks;
        if reliable && channel != Channel::Alert {
            self.unanswered.insert(id, (Cargo::Other(channel), now));
        }
        let retain = channel == Channel::Status;
        actions.push(Action::Publish(Publication { id, topic, payload, reliable, retain, properties }));
        id
    }

    fn others_waiting(&self) -> usize {
        self.unanswered.values().filter(|(cargo, _)| matches!(cargo, Cargo::Other(_))).count()
    }

    fn status_due(&self) -> Option<Timestamp> {
        Some(self.status_at?.plus_seconds(self.config.status_every_s))
    }

    fn send_status(&mut self, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        if self.status_due().is_some_and(|due| now < due) || self.others_waiting() >= OTHER_PLACES {
            return false;
        }
        self.status_at = Some(now);
        let status = Status {
            online: true,
            epoch: Some(self.outbox.epoch().clone()),
            last: self.outbox.last_seq(),
            waiting: self.outbox.depth(),
            dropped: self.outbox.dropped(),
            at: Some(now),
            audit: self.outbox.audit_head().map(Anchor::from),
            ..Status::offline()
        };
        self.publish(now, Channel::Status, message::write(&status), actions);
        true
    }

    fn send_void(&mut self, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        let due = self.void_due().is_none_or(|due| now >= due);
        if !due || self.paused(now) || self.others_waiting() + VOID_PLACES > OTHER_PLACES {
            return false;
        }
        self.void_at = Some(now);
        let mut some: Vec<(VoidReason, Ranges)> = Vec::new();
        for (why, ranges) in self.outbox.voids() {
            let mut first = Ranges::new();
            for (start, end) in ranges.iter().take(MAX_VOID_RANGES) {
                first.insert_range(start, end);
            }
            some.push((why, first));
        }
        let sent = !some.is_empty();
        for (why, ranges) in some {
            let void = Void { v: message::VERSION, epoch: self.outbox.epoch().clone(), ranges, why };
            self.publish(now, Channel::Void, message::write(&void), actions);
        }
        sent
    }

    fn void_due(&self) -> Option<Timestamp> {
        Some(self.void_at?.plus_seconds(self.pace.retry_s()))
    }

    fn send_answer(&mut self, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        if self.others_waiting() >= OTHER_PLACES {
            return false;
        }
        let Some(answer) = self.answers.pop_front() else { return false };
        self.publish(now, Channel::Answer, message::write(&answer), actions);
        true
    }

    fn send_tracks(&mut self, now: Timestamp, actions: &mut Vec<Action>) -> bool {
        if now < self.tracks_due() || self.outbox.best().is_some() {
            return false;
        }
        let Some(tracks) = self.tracks.take() else { return false };
        self.tracks_at = now;
        self.publish(now, Channel::Tracks, tracks, actions);
        true
    }

    fn tracks_due(&self) -> Timestamp {
        self.tracks_at.plus_seconds(self.config.tracks_every_s)
    }

    fn paused(&self, now: Timestamp) -> bool {
        self.pause_until.is_some_and(|until| now < until)
    }

    fn send_alert<S: Store>(&mut self, now: Timestamp, store: &mut S, actions: &mut Vec<Action>) -> bool {
        if self.paused(now) || self.store_resting(now) {
            return false;
        }
        // A commit that failed may have been written all the same: what is most urgent is known only then.
        if let Err(error) = self.outbox.ready(store) {
            self.store_failed(now, error, actions);
            return false;
        }
        self.drop_stale_flights();
        let Some((seq, priority, place)) = self.choose() else { return false };
        let bytes = match self.outbox.bytes(store, seq) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                self.store_failed(now, missing_row(seq), actions);
                return false;
            }
            Err(error) => {
                self.store_failed(now, error, actions);
                return false;
            }
        };
        if self.flights.is_empty() {
            self.pace.started(now);
            self.owed_since = Some(now);
        }
        if self.pause_until.is_some() {
            // One probe at a time until somebody listens.
            self.pause_until = Some(now.plus_seconds(self.pace.retry_s()));
        }
        self.outbox.take(seq);
        let id = self.publish(now, Channel::Alert, bytes, actions);
        self.unanswered.insert(id, (Cargo::Row(seq), now));
        let flight = Flight { priority, place, sent_at: now, order: id, taken: false, passed: 0, due: false };
        self.flights.insert(seq, flight);
        true
    }

    /// The alert to send now: one that is due again, or a new one, whichever is more urgent; an isolated one when there
    /// is nothing else.
    fn choose(&self) -> Option<(u64, Severity, u64)> {
        let again = self
            .flights
            .iter()
            .filter(|(_, flight)| flight.due && flight.taken)
            .map(|(&seq, flight)| (Reverse(flight.priority), flight.place, seq))
            .min();
        let flying = self.flights.len();
        let fresh = self.outbox.best_except(&self.isolated).filter(|head| {
            let places = if head.priority == Severity::Critical { CRITICAL_PLACES } else { 0 };
            flying < self.pace.window() + places
        });
        let fresh = fresh.map(|head| (Reverse(head.priority), head.place, head.seq));
        if let Some((Reverse(priority), place, seq)) = [again, fresh].into_iter().flatten().min() {
            return Some((seq, priority, place));
        }
        let alone = flying == 0 && self.outbox.best_except(&self.isolated).is_none();
        let head = if alone { self.outbox.best() } else { None };
        head.map(|head| (head.seq, head.priority, head.place))
    }

    pub(super) fn next_on_link(&self) -> Option<Timestamp> {
        let retry = (!self.flights.is_empty()).then(|| self.pace.retry_at());
        [self.next_to_send(), retry, self.stalled_at(), self.overdue_at()].into_iter().flatten().min()
    }

    /// When [`Self::send`] will have something to do. What first needs a receipt has no time of its own: a time that has
    /// come and changes nothing would keep the driver busy.
    fn next_to_send(&self) -> Option<Timestamp> {
        if self.unanswered.len() >= self.config.in_flight() {
            return None;
        }
        let at_once = Timestamp::MIN;
        let pause = self.pause_until.unwrap_or(at_once);
        let others = self.others_waiting();
        let status = (others < OTHER_PLACES).then(|| self.status_due().unwrap_or(at_once));
        let answer = (others < OTHER_PLACES && !self.answers.is_empty()).then_some(at_once);
        let voids = others + VOID_PLACES <= OTHER_PLACES && self.outbox.voids().next().is_some();
        let void = voids.then(|| self.void_due().unwrap_or(at_once).max(pause));
        let alert = self.choose().map(|_| self.store_retry_at.unwrap_or(at_once).max(pause));
        let tracks = self.tracks.as_ref().filter(|_| self.outbox.best().is_none()).map(|_| self.tracks_due());
        let next = [status, answer, void, alert, tracks].into_iter().flatten().min();
        next.map(|next| self.budget.allowed_at().map_or(next, |allowed| next.max(allowed)))
    }
}

fn missing_row(seq: u64) -> crate::StoreError {
    crate::StoreError::Damaged {
        path: "outbox".to_owned(),
        what: "index",
        reason: format!("row {seq} waits and is not in the store"),
    }
}

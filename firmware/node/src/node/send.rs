//! What a node sends next, and when: hellos, events, its place, telemetry.

use vedette_wire::payload::{Event, Events, Hello, MAX_AGE_TICKS, Telemetry, TelemetryFlags};
use vedette_wire::{Payload, version};

use super::{FIRMWARE, HELLO_ATTEMPTS, Node, Supply};
use crate::board::Board;
use crate::clock::ticks;
use crate::record::StoredEvent;
use crate::uplink::{Batch, NodeError};

impl Node {
    /// How long events are gathered: the tighter the budget, the longer, so that frames go out full.
    fn gather_ms(&mut self, now_ms: u64) -> u64 {
        match self.uplink.airtime_percent(now_ms) {
            0..50 => self.config.gather_ms,
            50..80 => self.config.gather_ms.max(5_000),
            _ => self.config.gather_ms.max(30_000),
        }
    }

    pub(super) fn send_next<B: Board>(&mut self, board: &mut B, now_ms: u64) -> Result<(), NodeError> {
        let waiting = self.journal.waiting();
        if let Some((Batch::Hello, attempts)) = self.uplink.pending()
            && attempts >= HELLO_ATTEMPTS
            && waiting > 0
        {
            self.uplink.abandon();
            self.hello_attempts = HELLO_ATTEMPTS;
        }
        let events_first = self.hello_attempts >= HELLO_ATTEMPTS && waiting > 0;
        if let Some((Batch::Events { upto }, _)) = self.uplink.pending() {
            return self.send_events(board, now_ms, Some(upto));
        }
        if self.hello_due && !events_first {
            return self.send_hello(board);
        }
        if let Some(since_ms) = self.gathering_since_ms {
            let full = usize::from(waiting) >= vedette_wire::payload::MAX_EVENTS;
            if full || now_ms >= since_ms + self.gather_ms(now_ms) || since_ms == 0 {
                return self.send_events(board, now_ms, None);
            }
        }
        if self.position_due_ms().is_some_and(|due_ms| now_ms >= due_ms) && !self.hello_due {
            return self.send_position(board, now_ms);
        }
        if now_ms >= self.telemetry_at_ms && !self.hello_due {
            return self.send_telemetry(board, now_ms);
        }
        Ok(())
    }

    fn send_hello<B: Board>(&mut self, board: &mut B) -> Result<(), NodeError> {
        let state = *self.journal.state();
        // The new key is tried first and then in turn with the old one: the gateway may have lost it.
        let attempts = self.uplink.pending().map_or(0, |(_, attempts)| attempts);
        let epoch = self.newer_key().filter(|_| attempts % 4 < 2).unwrap_or(state.epoch);
        self.seal_under(epoch)?;
        let hello = Payload::Hello(Hello {
            min_version: version::MIN,
            current_version: version::CURRENT,
            firmware_major: FIRMWARE.0,
            firmware_minor: FIRMWARE.1,
            sensors: self.config.sensors,
            reset: self.reset,
            resets: state.resets,
            next_event: state.head,
        });
        self.uplink.send(board, &mut self.journal, &hello, Some(Batch::Hello))?;
        Ok(())
    }

    fn send_events<B: Board>(&mut self, board: &mut B, now_ms: u64, upto: Option<u16>) -> Result<(), NodeError> {
        let stored = self.journal.oldest_events(board);
        let wanted = stored.iter().take_while(|event| upto.is_none_or(|upto| event.number != upto));
        let events: heapless::Vec<Event, { vedette_wire::payload::MAX_EVENTS }> =
            wanted.map(|event| self.aged(now_ms, event)).collect();
        let Some(first) = stored.first().filter(|_| !events.is_empty()).map(|event| event.number) else {
            // What was being sent has been dropped since, as the flash ran full.
            self.uplink.abandon();
            self.gathering_since_ms = (self.journal.waiting() > 0).then_some(0);
            return Ok(());
        };
        self.seal_under(self.journal.state().epoch)?;
        let batch = Batch::Events { upto: first.wrapping_add(events.len() as u16) };
        if upto.is_some() && self.uplink.pending().is_some_and(|(pending, _)| pending != batch) {
            self.uplink.abandon();
        }
        self.uplink.send(board, &mut self.journal, &Payload::Events(Events { first, events }), Some(batch))?;
        Ok(())
    }

    fn send_telemetry<B: Board>(&mut self, board: &mut B, now_ms: u64) -> Result<(), NodeError> {
        let state = *self.journal.state();
        let telemetry = Payload::Telemetry(Telemetry {
            battery_mv: self.battery_mv,
            temperature_cdeg: board.temperature_cdeg().clamp(-6_000, 15_000),
            uptime_s: u32::try_from(now_ms / 1000).unwrap_or(u32::MAX),
            resets: state.resets,
            queued: self.journal.waiting(),
            dropped: state.dropped,
            retransmitted: self.uplink.retransmitted,
            refused: self.refused,
            airtime_percent: self.uplink.airtime_percent(now_ms),
            flags: TelemetryFlags {
                tamper: self.tamper.is_open(),
                low_battery: self.supply < Supply::Good,
                time_known: self.clock.is_set(),
                detector_fault: self.pir.is_stuck(now_ms) || (self.config.sensors.seismic && self.geophone.is_stuck()),
            },
        });
        self.seal_under(state.epoch)?;
        if self.uplink.send(board, &mut self.journal, &telemetry, None)? {
            let stretch = if self.supply < Supply::Good { 4 } else { 1 };
            self.telemetry_at_ms = now_ms + self.config.telemetry_ms * stretch;
            self.hello_due = self.newer_key().is_some();
        }
        Ok(())
    }

    pub(super) fn seal_under(&mut self, epoch: u8) -> Result<(), NodeError> {
        let key = self.journal.key(epoch).ok_or(NodeError::NoKey { epoch })?;
        self.uplink.use_key(self.journal.state().node, epoch, &key);
        Ok(())
    }

    /// An event as it is sent now.
    fn aged(&self, now_ms: u64, event: &StoredEvent) -> Event {
        let now_ticks = ticks(now_ms);
        let same_run = event.resets == self.journal.state().resets;
        let (age_ticks, known) = if same_run {
            let own_ms = now_ms.saturating_sub(crate::clock::milliseconds(event.uptime_ticks.into()));
            (ticks(self.clock.corrected_ms(own_ms)), true)
        } else {
            match (self.clock.unix_ticks(now_ms), event.unix_ticks) {
                (Some(now), Some(then)) => (now.saturating_sub(then), true),
                _ => (now_ticks, false),
            }
        };
        let bounded = u32::try_from(age_ticks).unwrap_or(u32::MAX).min(MAX_AGE_TICKS);
        Event {
            kind: event.kind,
            age_ticks: bounded,
            age_at_least: !known || u64::from(bounded) < age_ticks,
            strength_half_db: event.strength_half_db,
            duration_ticks: event.duration_ticks,
        }
    }

    pub(super) fn next_due_ms(&mut self, now_ms: u64) -> u64 {
        let sending = if self.uplink.pending().is_some() || self.hello_due {
            Some(self.uplink.due_ms())
        } else {
            let events = self.gathering_since_ms.map(|since_ms| since_ms + self.gather_ms(now_ms));
            let next = events.into_iter().chain(self.position_due_ms()).chain([self.telemetry_at_ms]).min();
            next.map(|at_ms| at_ms.max(self.uplink.due_ms()))
        };
        let inputs = [self.tamper.look_again_ms(), self.tripwire.look_again_ms(), self.pir.look_again_ms()];
        let due = inputs.into_iter().flatten().chain(sending).chain([self.battery_at_ms]).min();
        due.unwrap_or(self.battery_at_ms).max(now_ms + 1)
    }
}

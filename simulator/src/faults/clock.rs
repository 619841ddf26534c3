//! A process's clock beside the true time, as the daemons keep it.

use vedette_engine::{Input, Timestamp};

/// Differences up to this are left alone, seconds.
const TOLERANCE_S: f64 = 0.02;
/// A clock that is ahead of the system's runs slower by this share until it is caught up.
const SLEW: f64 = 0.1;

/// The boot clock plus an offset. When the system's clock is ahead, it follows at once; when that is behind, it runs one
/// tenth slower until it is caught up.
#[derive(Debug)]
pub(super) struct HostClock {
    started: Timestamp,
    compared: Timestamp,
    offset_s: f64,
    shown: Timestamp,
}

impl HostClock {
    /// A clock started at `truth`, with the system's clock off by `system_s`; it goes on from `floor` when that is later.
    pub(super) fn new(truth: Timestamp, system_s: f64, floor: Timestamp) -> Self {
        let shown = truth.plus_seconds(system_s).max(floor);
        Self { started: truth, compared: truth, offset_s: shown.seconds_since(truth), shown }
    }

    /// The time; not earlier than any time told before.
    pub(super) fn read(&mut self, truth: Timestamp) -> Timestamp {
        self.shown = self.shown.max(truth.plus_seconds(self.offset_s));
        self.shown
    }

    /// Compares with the system's clock, at most once a second; the input that tells the engine of a move.
    pub(super) fn compare(&mut self, truth: Timestamp, system_s: f64) -> Option<Input> {
        let elapsed_s = truth.seconds_since(self.compared);
        if elapsed_s < 1.0 {
            return None;
        }
        self.compared = truth;
        let ahead_s = system_s - self.offset_s;
        if ahead_s.abs() <= TOLERANCE_S {
            return None;
        }
        self.offset_s += ahead_s.max(-elapsed_s * SLEW);
        let offset_micros = self.started.plus_seconds(self.offset_s).as_micros();
        Some(Input::Clock { offset_micros, sd_s: 0.1 })
    }

    /// Time from `truth` until the clock shows `wanted`, seconds.
    pub(super) fn wait_s(&self, truth: Timestamp, wanted: Timestamp) -> f64 {
        wanted.seconds_since(truth.plus_seconds(self.offset_s))
    }
}

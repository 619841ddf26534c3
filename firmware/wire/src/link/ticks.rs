//! The one place where a concentrator's wrapping 32-bit clock becomes a time that only grows.

/// Length of a concentrator tick, microseconds.
pub const TICK_US: u64 = 1_000;

/// Unwraps 32-bit ticks (a wrap is 49.7 days).
///
/// A reading up to half a wrap ahead of the newest is later, up to half a wrap behind is earlier; so the clock has to be asked
/// at least every 24 days, which status messages do by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickClock {
    newest: Option<u64>,
}

impl TickClock {
    /// A clock without a reading.
    #[must_use]
    pub const fn new() -> Self {
        Self { newest: None }
    }

    /// The unwrapped reading. The first one sets the start, one wrap up so that slightly earlier readings stay above zero.
    pub fn unwrap_ticks(&mut self, ticks: u32) -> u64 {
        let start = (1_u64 << 32) + u64::from(ticks);
        let newest = self.newest.unwrap_or(start);
        let ahead = ticks.wrapping_sub(newest as u32).cast_signed();
        let unwrapped = newest.saturating_add_signed(ahead.into());
        self.newest = Some(newest.max(unwrapped));
        unwrapped
    }

    /// Forgets everything: the concentrator was reset and counts from zero.
    pub fn restart(&mut self) {
        self.newest = None;
    }
}

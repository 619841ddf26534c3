//! The centre's time: UTC that never goes back while the program runs.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use vedette_delivery::engine::Timestamp;

/// UTC at the start, moved by the boot clock; a jump forward of the system's UTC is followed, a jump back is not.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    offset_micros: i64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), offset_micros: utc_micros() }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        let elapsed = i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX);
        let now = self.offset_micros.saturating_add(elapsed);
        let ahead = utc_micros().saturating_sub(now);
        if ahead > 1_000_000 {
            self.offset_micros = self.offset_micros.saturating_add(ahead);
            return Timestamp::from_micros(now.saturating_add(ahead));
        }
        Timestamp::from_micros(now)
    }
}

fn utc_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

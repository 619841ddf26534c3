//! The gateway's clock: the boot clock plus an anchor, never decreasing.
//!
//! A gateway without a battery clock boots in 1970, and a network may step the system's clock at any moment. So the
//! engine's time is the time since the start plus an offset of our own. When the system's clock turns out to be ahead, the
//! offset moves there at once; when it turns out to be behind, our clock runs one tenth slower until it is caught up. Each
//! move is an input of the engine, so that a recording replays it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vedette_engine::{Input, Timestamp};

/// Differences up to this are left alone.
const TOLERANCE_MICROS: i64 = 20_000;
/// While the system's clock is behind, one microsecond in this many is left out.
const SLEW: i64 = 10;
/// What a receiver said longer ago than this is not used.
const FRESH_MICROS: i64 = 10_000_000;
/// Before this instant (2024-01-01), seconds since 1970, a system's clock has certainly not been set.
pub(crate) const UNSET_BEFORE_S: u64 = 1_704_067_200;
const UNSET_BEFORE_MICROS: i64 = UNSET_BEFORE_S.cast_signed() * 1_000_000;

/// A clock that is read with the two clocks of the system.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    offset_micros: i64,
    checked_micros: i64,
    last: Timestamp,
    set: bool,
    /// Offset of UTC as a GNSS receiver told it, its standard deviation, and when it was told (since the start).
    suggested: Option<(i64, f64, i64)>,
}

impl Clock {
    /// A clock started at `started`, when the system's clock showed `system`; it goes on from `floor`, the engine's time
    /// before a restart, when that is later.
    #[must_use]
    pub fn new(started: Instant, system: SystemTime, floor: Timestamp) -> Self {
        let offset_micros = unix_micros(system).max(floor.as_micros());
        let last = Timestamp::from_micros(offset_micros);
        Self { started, offset_micros, checked_micros: 0, last, set: is_set(system), suggested: None }
    }

    /// The time at the instant `at`; not earlier than any time told before.
    pub fn now(&mut self, at: Instant) -> Timestamp {
        let boot_micros = micros(at.saturating_duration_since(self.started));
        self.last = self.last.max(Timestamp::from_micros(self.offset_micros.saturating_add(boot_micros)));
        self.last
    }

    /// How long from the instant `at` until the clock shows `deadline`.
    #[must_use]
    pub fn until(&self, deadline: Timestamp, at: Instant) -> Duration {
        let boot_micros = micros(at.saturating_duration_since(self.started));
        let shown = self.offset_micros.saturating_add(boot_micros);
        Duration::from_micros(u64::try_from(deadline.as_micros().saturating_sub(shown)).unwrap_or(0))
    }

    /// Whether the system's clock had been set when it was last looked at, or a receiver has set this one.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.set
    }

    /// A receiver says that it is `utc` at the instant `at`, give or take `sd_s`.
    pub fn suggest(&mut self, at: Instant, utc: Timestamp, sd_s: f64) {
        let boot_micros = micros(at.saturating_duration_since(self.started));
        self.suggested = Some((utc.as_micros().saturating_sub(boot_micros), sd_s, boot_micros));
    }

    /// Compares with the system's clock; while that was never set, with the receiver's. The input that tells the engine,
    /// when the offset had to move. To be called about once a second.
    pub fn compare(&mut self, at: Instant, system: SystemTime) -> Option<Input> {
        let boot_micros = micros(at.saturating_duration_since(self.started));
        let since_last = boot_micros - self.checked_micros;
        self.checked_micros = boot_micros;
        let system_is_set = is_set(system);
        self.set = system_is_set || self.suggested.is_some();
        let (target, sd_s, tolerance) = match self.suggested.filter(|_| !system_is_set) {
            #[expect(clippy::cast_possible_truncation, reason = "the cast clamps")]
            Some((offset, sd_s, told)) if boot_micros - told < FRESH_MICROS => (offset, sd_s, (3e6 * sd_s) as i64),
            // A clock that a receiver has set stays where it was put when the receiver falls silent.
            Some(_) => return None,
            None => {
                let sd_s = if system_is_set { 0.1 } else { 1e9 };
                (unix_micros(system).saturating_sub(boot_micros), sd_s, TOLERANCE_MICROS)
            }
        };
        let ahead = target.saturating_sub(self.offset_micros);
        if ahead.abs() <= tolerance.max(TOLERANCE_MICROS) {
            return None;
        }
        self.offset_micros += if ahead > 0 { ahead } else { ahead.max(-since_last / SLEW) };
        Some(Input::Clock { offset_micros: self.offset_micros, sd_s })
    }
}

/// The clock of a running daemon, read by all of its tasks.
#[derive(Debug)]
pub struct SharedClock(Mutex<Clock>);

impl SharedClock {
    /// Shares a clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self(Mutex::new(clock))
    }

    /// The time; not earlier than any time told before.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.lock().now(Instant::now())
    }

    /// How long until the clock shows `deadline`.
    #[must_use]
    pub fn until(&self, deadline: Timestamp) -> Duration {
        self.lock().until(deadline, Instant::now())
    }

    /// As [`Clock::is_set`].
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.lock().is_set()
    }

    /// As [`Clock::suggest`], for now.
    pub fn suggest(&self, utc: Timestamp, sd_s: f64) {
        self.lock().suggest(Instant::now(), utc, sd_s);
    }

    /// As [`Clock::compare`], with the system's clocks as they are now.
    pub fn compare(&self) -> Option<Input> {
        self.lock().compare(Instant::now(), SystemTime::now())
    }

    /// No code panics with the lock held.
    fn lock(&self) -> MutexGuard<'_, Clock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_set(system: SystemTime) -> bool {
    unix_micros(system) >= UNSET_BEFORE_MICROS
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn unix_micros(system: SystemTime) -> i64 {
    system.duration_since(UNIX_EPOCH).map_or(0, micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn unix(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_clock_that_boots_in_1970_goes_on_from_the_snapshot_and_jumps_when_the_time_is_known() {
        let start = Instant::now();
        let mut clock = Clock::new(start, unix(5), Timestamp::from_seconds(1_800_000_000));
        let second = start + Duration::from_secs(1);
        assert_eq!(clock.now(second), Timestamp::from_seconds(1_800_000_001));
        assert!(!clock.is_set());
        let moved = clock.compare(second, unix(1_800_086_401));
        assert_eq!(moved, Some(Input::Clock { offset_micros: 1_800_086_400_000_000, sd_s: 0.1 }));
        assert_eq!(clock.now(second), Timestamp::from_seconds(1_800_086_401));
        assert!(clock.is_set());
    }

    #[test]
    fn a_clock_that_is_ahead_slows_down_and_never_goes_back() {
        let start = Instant::now();
        let mut clock = Clock::new(start, unix(1_800_000_000), Timestamp::MIN);
        let mut last = clock.now(start);
        for second in 1..=40 {
            let at = start + Duration::from_secs(second);
            clock.compare(at, unix(1_800_000_000 - 3 + second));
            let now = clock.now(at);
            assert!(now > last, "second {second}: {now:?} after {last:?}");
            last = now;
        }
        assert!(last.seconds_since(Timestamp::from_seconds(1_800_000_037)).abs() < 0.1);
    }

    #[test]
    fn a_receiver_sets_a_clock_that_was_never_set_and_leaves_one_that_was() {
        let start = Instant::now();
        let at = |second: u64| start + Duration::from_secs(second);
        let mut clock = Clock::new(start, unix(5), Timestamp::MIN);
        clock.suggest(at(1), Timestamp::from_seconds(1_800_000_001), 0.5);
        let moved = clock.compare(at(1), unix(6));
        assert_eq!(moved, Some(Input::Clock { offset_micros: 1_800_000_000_000_000, sd_s: 0.5 }));
        clock.suggest(at(2), Timestamp::from_seconds(1_800_000_003), 0.5);
        assert_eq!(clock.compare(at(2), unix(7)), None, "within three standard deviations");
        assert_eq!(clock.compare(at(60), unix(65)), None, "the receiver fell silent");
        assert_eq!(clock.now(at(60)), Timestamp::from_seconds(1_800_000_060));
        let mut set = Clock::new(start, unix(1_800_000_000), Timestamp::MIN);
        set.suggest(at(1), Timestamp::from_seconds(1_900_000_000), 0.5);
        assert_eq!(set.compare(at(1), unix(1_800_000_001)), None);
    }

    #[test]
    fn deadlines_are_durations() {
        let start = Instant::now();
        let clock = Clock::new(start, unix(100), Timestamp::MIN);
        assert_eq!(clock.until(Timestamp::from_seconds(103), start + Duration::from_secs(1)), Duration::from_secs(2));
        assert_eq!(clock.until(Timestamp::from_seconds(99), start), Duration::ZERO);
        assert!(clock.until(Timestamp::from_micros(i64::MAX), start) > DAY);
    }
}

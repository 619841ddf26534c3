//! The node's idea of time: its own drifting clock, tied to the gateway's by time messages.

use vedette_wire::payload::Time;

/// Longest drift believed of a crystal, parts per million.
const MAX_DRIFT_PPM: i64 = 200;
/// Baseline over which drift is measured: a tick of 1/16 s at both ends then costs less than 20 ppm.
const DRIFT_BASELINE_MS: u64 = 7_200_000;

/// Ticks of 1/16 s in a time in milliseconds.
#[must_use]
pub const fn ticks(ms: u64) -> u64 {
    ms * 2 / 125
}

/// Milliseconds of a time in ticks of 1/16 s.
#[must_use]
pub const fn milliseconds(ticks: u64) -> u64 {
    ticks * 125 / 2
}

#[derive(Clone, Copy, Debug)]
struct Tie {
    uptime_ms: u64,
    unix_ticks: u64,
}

/// Converts uptime to the gateway's time, once a time message came, and corrects measured drift.
#[derive(Clone, Copy, Debug, Default)]
pub struct SiteClock {
    tie: Option<Tie>,
    /// Where the drift measurement under way began.
    baseline: Option<Tie>,
    /// How much the gateway's clock gains on ours.
    drift_ppm: i64,
}

impl SiteClock {
    /// A clock that knows nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { tie: None, baseline: None, drift_ppm: 0 }
    }

    /// The gateway says it is `time` now.
    pub fn set(&mut self, uptime_ms: u64, time: Time) {
        let tie = Tie { uptime_ms, unix_ticks: time.ticks() };
        let baseline = *self.baseline.get_or_insert(tie);
        let own = uptime_ms.saturating_sub(baseline.uptime_ms);
        if own >= DRIFT_BASELINE_MS {
            let site = milliseconds(tie.unix_ticks.saturating_sub(baseline.unix_ticks));
            let gained = site.cast_signed() - own.cast_signed();
            let drift_ppm = gained.saturating_mul(1_000_000) / own.cast_signed();
            // A gateway that was set right by hours says nothing about our crystal.
            if drift_ppm.abs() <= MAX_DRIFT_PPM {
                self.drift_ppm = drift_ppm;
            }
            self.baseline = Some(tie);
        }
        self.tie = Some(tie);
    }

    /// Whether the gateway's time is known.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.tie.is_some()
    }

    /// Drift as measured: how much the gateway's clock gains on this one, parts per million.
    #[must_use]
    pub const fn drift_ppm(&self) -> i64 {
        self.drift_ppm
    }

    /// True length of an interval of the own clock.
    #[must_use]
    pub fn corrected_ms(&self, own_ms: u64) -> u64 {
        let correction = i128::from(own_ms) * i128::from(self.drift_ppm) / 1_000_000;
        own_ms.saturating_add_signed(i64::try_from(correction).unwrap_or(0))
    }

    /// The gateway's time at an uptime, ticks of 1/16 s since 1970; for times before the tie, too.
    #[must_use]
    pub fn unix_ticks(&self, uptime_ms: u64) -> Option<u64> {
        let tie = self.tie?;
        Some(match uptime_ms.checked_sub(tie.uptime_ms) {
            Some(since) => tie.unix_ticks + ticks(self.corrected_ms(since)),
            None => tie.unix_ticks.saturating_sub(ticks(self.corrected_ms(tie.uptime_ms - uptime_ms))),
        })
    }
}

//! The one time type of the project: UTC microseconds, an integer, so that tests can write any instant.

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z. Ordered, hashable, free of time zones and leap seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant that can be written.
    pub const MIN: Self = Self(i64::MIN);

    /// The instant `micros` microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The instant `seconds` whole seconds after 1970-01-01T00:00:00Z, saturating.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub const fn whole_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved by `micros` (negative: earlier), saturating.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This instant moved by `seconds`, rounded to the microsecond, saturating; a NaN moves nothing.
    #[must_use]
    pub fn plus_seconds(self, seconds: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "float to integer casts saturate, and NaN becomes 0")]
        let micros = libm::round(seconds * 1e6) as i64;
        self.plus_micros(micros)
    }

    /// Seconds from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact for any span below 285 years")]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 * 1e-6
    }
}

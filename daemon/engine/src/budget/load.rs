//! Alerts in windows of ten minutes.

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

/// Length of a window, seconds.
pub const WINDOW_S: f64 = 600.0;
/// More than this many in one window and operator are a flood.
const FLOOD_ABOVE: u32 = 10;

/// How alerts were spread over windows of ten minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Alerts in all.
    pub alerts: u64,
    /// Windows.
    pub windows: u64,
    /// Windows with at most one alert for each operator.
    pub manageable: u64,
    /// Windows with more than ten alerts for each operator.
    pub floods: u64,
    /// Most alerts in one window.
    pub worst: u32,
    /// Alerts in the last ten minutes.
    pub last: u32,
}

impl Load {
    /// Spreads the times at which alerts were raised, in any order, over the windows from `from` to `to`.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and far below 2^53")]
    pub fn of(raised: impl Iterator<Item = Timestamp>, from: Timestamp, to: Timestamp, operators: u32) -> Self {
        let span_s = to.seconds_since(from);
        if span_s <= 0.0 {
            return Self::default();
        }
        let windows = libm::ceil(span_s / WINDOW_S) as u64;
        let mut counts = std::collections::BTreeMap::<u64, u32>::new();
        let mut load = Self { windows, ..Self::default() };
        for at in raised.filter(|&at| at >= from && at <= to) {
            let window = libm::floor(at.seconds_since(from) / WINDOW_S) as u64;
            *counts.entry(window.min(windows - 1)).or_default() += 1;
            load.alerts += 1;
            load.last += u32::from(to.seconds_since(at) <= WINDOW_S);
        }
        let operators = operators.max(1);
        let busy = counts.values().filter(|&&count| count > operators).count() as u64;
        load.manageable = windows - busy;
        load.floods = counts.values().filter(|&&count| count > FLOOD_ABOVE * operators).count() as u64;
        load.worst = counts.values().copied().max().unwrap_or(0);
        load
    }

    /// Share of the windows with at most one alert for each operator; 1 when there are no windows.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub fn manageable_share(&self) -> f64 {
        if self.windows == 0 { 1.0 } else { self.manageable as f64 / self.windows as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: f64) -> Timestamp {
        Timestamp::from_micros(1_000_000_000_000).plus_seconds(60.0 * minute)
    }

    #[test]
    fn windows_are_counted_by_operator() {
        let minutes = [1.0, 5.0, 15.0, 35.0, 36.0, 37.0];
        let load = |operators| Load::of(minutes.iter().map(|&minute| at(minute)), at(0.0), at(45.0), operators);
        let one = Load { alerts: 6, windows: 5, manageable: 3, floods: 0, worst: 3, last: 3 };
        assert_eq!(load(1), one);
        assert_eq!(load(2), Load { manageable: 4, ..one });
        assert!((load(1).manageable_share() - 0.6).abs() < 1e-12);
    }

    #[test]
    fn eleven_in_ten_minutes_are_a_flood_for_one_and_none_for_two() {
        let times = || (0..11).map(|minute| at(f64::from(minute) * 0.5));
        assert_eq!(Load::of(times(), at(0.0), at(60.0), 1).floods, 1);
        assert_eq!(Load::of(times(), at(0.0), at(60.0), 2).floods, 0);
    }

    #[test]
    fn nothing_outside_the_span_counts() {
        let load = Load::of([at(-1.0), at(61.0)].into_iter(), at(0.0), at(60.0), 1);
        assert_eq!(load, Load { windows: 6, manageable: 6, ..Load::default() });
        assert_eq!(Load::of([at(0.0)].into_iter(), at(0.0), at(0.0), 1), Load::default());
    }
}

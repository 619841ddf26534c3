//! Times as people read them: without the fractions that programs need.

use std::time::{Duration, SystemTime};

use vedette_gateway::engine::Timestamp;
use vedette_gateway::engine::time::format_rfc3339;

/// `2026-03-01T02:14:07Z`.
pub(crate) fn to_the_second(time: Timestamp) -> String {
    cut(time, "2026-03-01T02:14:07".len())
}

/// `2026-03-01T02:14Z`.
pub(crate) fn to_the_minute(time: Timestamp) -> String {
    cut(time, "2026-03-01T02:14".len())
}

/// The system's time.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn cut(time: Timestamp, length: usize) -> String {
    let whole = format_rfc3339(time);
    format!("{}Z", whole.get(..length).unwrap_or(&whole))
}

//! Times as people read them: without the fractions that programs need.

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

fn cut(time: Timestamp, length: usize) -> String {
    let whole = format_rfc3339(time);
    format!("{}Z", whole.get(..length).unwrap_or(&whole))
}

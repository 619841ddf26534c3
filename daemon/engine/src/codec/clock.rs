//! Whether the time that a sensor stamped can be right.

use vedette_tracker::Timestamp;

use super::{Context, Fault, Reason, Stamper};

/// How far a sensor's clock may be ahead of the gateway's.
const MAX_AHEAD_S: f64 = 1.0;
/// A plot older than this at its reception is of no use to any track.
const MAX_AGE_S: f64 = 3_600.0;
/// 2020-01-01: a clock before it was never set.
const CLOCK_SET_AFTER: Timestamp = Timestamp::from_seconds(1_577_836_800);

/// The time of the measurement as stamped, or why the clock of who stamped it cannot be right.
pub(super) fn plausible(
    field: &str,
    stamped: Timestamp,
    stamper: Stamper,
    context: &Context<'_>,
) -> Result<Timestamp, Fault> {
    let received = context.received;
    if received < CLOCK_SET_AFTER {
        // The gateway itself does not know the time yet: all it can say is "just now".
        return Ok(received);
    }
    let known = context.clocks.iter().find(|(sensor, _)| stamper == Stamper::Sensor(*sensor));
    let time = known.map_or(stamped, |(_, correction_s)| stamped.plus_seconds(*correction_s));
    let (reason, expected) = if stamped < CLOCK_SET_AFTER {
        (Reason::ClockNotSet, "a time after 2020")
    } else if time.seconds_since(received) > MAX_AHEAD_S {
        (Reason::TimeInFuture, "at most 1 s after its reception")
    } else if received.seconds_since(time) > MAX_AGE_S {
        (Reason::TimeTooOld, "at most 3600 s before its reception")
    } else {
        return Ok(stamped);
    };
    Err(Fault::new(reason, field, expected, &crate::time::format_rfc3339(stamped)).stamped_by(stamper))
}

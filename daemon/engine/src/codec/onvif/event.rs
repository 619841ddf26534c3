//! ONVIF events as JSON: a property (motion, a field's detector) that turns true, or a line that was crossed.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::PROFILE_LEVEL;
use crate::codec::scalar::Scalar;
use crate::codec::{CodecState, Context, Fault, Reading, Reason, Report, foreign, json};
use crate::digest::fnv1a;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "UtcTime", borrow, default)]
    utc_time: Scalar<'a>,
    #[serde(rename = "Data", borrow)]
    data: Option<&'a RawValue>,
}

/// The truth values that events are known to carry.
#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "IsMotion", borrow, default)]
    is_motion: Scalar<'a>,
    #[serde(rename = "IsInside", borrow, default)]
    is_inside: Scalar<'a>,
    #[serde(rename = "State", borrow, default)]
    state: Scalar<'a>,
    #[serde(rename = "active", alias = "Active", borrow, default)]
    active: Scalar<'a>,
}

pub(super) fn read(
    text: &str,
    context: &Context<'_>,
    state: &mut CodecState,
    report: &mut Report,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    let message: Message<'_> = json::read(text)?;
    let sensor = foreign::sensor_of_topic(context, PROFILE_LEVEL)?;
    let data: Option<Data<'_>> = message.data.map(|raw| json::item(raw, "Data")).transpose()?;
    let truth = data.and_then(|data| {
        [("IsMotion", data.is_motion), ("IsInside", data.is_inside), ("State", data.state), ("active", data.active)]
            .into_iter()
            .find_map(|(name, value)| value.flag(&format!("Data.{name}"), report))
    });
    // A crossed line has no state: every message is one crossing.
    let is_crossing = context.topic.is_some_and(|topic| topic.contains("Crossed"));
    let begins = match truth {
        Some(active) => state.turns_on(sensor, active),
        None if is_crossing => true,
        None if report.faults.is_empty() => {
            return Err(Fault::new(
                Reason::MissingField,
                "Data",
                "IsMotion, IsInside, State or active",
                "none of them",
            ));
        }
        None => return Ok(()),
    };
    // A kept property says how things are: it sets the edge, and is no event.
    foreign::refuse_retained(context)?;
    if begins {
        let time = foreign::time("UtcTime", &message.utc_time, sensor, context)?;
        if is_crossing && state.is_duplicate(sensor, fnv1a("crossed"), time) {
            return Err(Fault::new(Reason::Duplicate, "UtcTime", "a new event", "an event of this time again"));
        }
        readings.push(foreign::event(context, sensor, time, None));
    }
    Ok(())
}

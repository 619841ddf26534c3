//! Meshtastic detection sensors and own units: JSON from a gateway node (`msh/../json/..`), and the protobuf in `packet`.
//!
//! Used: `type`, `from` (the sensor's alias is `!` and eight hexadecimal digits), `id` (with `from` the duplicate key, for
//! several gateways may bring one packet), `payload.text`, `timestamp`. Detections carry no time of their own; the
//! timestamp is the receiver's, in seconds, and a receiver whose clock was never set has none. A heartbeat
//! (`"<name> state: 0"`) says only that the sensor lives; `state: 1` that it is still triggered. Of places only
//! those of own units' nodes are read (`position`). Chat, telemetry and the places of everybody else are nobody's business here
//! and are passed over.

mod message;
mod packet;
mod position;

use std::borrow::Cow;

use serde::Deserialize;
use vedette_tracker::Timestamp;

use super::{CodecState, Context, Fault, HealthReport, Reading, Reason, Report, Stamper, clock, foreign, json};

use position::{Place, Sender};

pub use packet::{Said, said_by};
pub(super) use packet::{decode_envelope, decode_from_radio};

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    from: Option<u32>,
    id: Option<u32>,
    timestamp: Option<f64>,
    #[serde(borrow)]
    payload: Option<&'a serde_json::value::RawValue>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

/// Decodes one packet in JSON.
pub(super) fn decode(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    read(bytes, context, state, readings).map_or_else(Report::of, |()| Report::default())
}

fn read(bytes: &[u8], context: &Context<'_>, state: &mut CodecState, readings: &mut Vec<Reading>) -> Result<(), Fault> {
    foreign::refuse_retained(context)?;
    let text = json::text(bytes)?;
    let message: Message<'_> = json::read(&text)?;
    match &*message.r#type {
        "detection" => read_detection(&message, context, state, readings),
        "position" => read_position(&message, context, state, readings),
        _ => Ok(()),
    }
}

fn missing(field: &str, expected: &str) -> Fault {
    Fault::new(Reason::MissingField, field, expected, "nothing")
}

fn read_detection(
    message: &Message<'_>,
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    let from = message.from.ok_or_else(|| missing("from", "a node's number"))?;
    let id = message.id.ok_or_else(|| missing("id", "a packet's number"))?;
    let payload = message.payload.ok_or_else(|| missing("payload", "an object with a text"))?;
    let payload: Payload<'_> = json::item(payload, "payload")?;
    let detection = Detection { from, id, seconds: message.timestamp, text: &payload.text, field: "payload.text" };
    detection.take(context, state, readings)
}

fn read_position(
    message: &Message<'_>,
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    // Before anything else of it is read: where others are is not even looked at.
    let Some(unit) = message.from.and_then(|node| position::unit_of(node, context)) else { return Ok(()) };
    let id = message.id.ok_or_else(|| missing("id", "a packet's number"))?;
    let payload = message.payload.ok_or_else(|| missing("payload", "an object with a place"))?;
    let place: Place = json::item(payload, "payload")?;
    Sender { unit, id, seconds: message.timestamp }.take(&place, context, state, readings)
}

/// What a detection sensor sent, whatever the way it came.
struct Detection<'a> {
    from: u32,
    id: u32,
    /// Receiver's clock, seconds since 1970; 0 when it has none.
    seconds: Option<f64>,
    text: &'a str,
    /// Where the text stood.
    field: &'a str,
}

impl Detection<'_> {
    fn take(&self, context: &Context<'_>, state: &mut CodecState, readings: &mut Vec<Reading>) -> Result<(), Fault> {
        let index = foreign::sensor(context, "from", &format!("!{:08x}", self.from))?;
        let time = self.time(index, context)?;
        // Gateways give one packet different times.
        if state.is_duplicate(index, u64::from(self.id), Timestamp::MIN) {
            return Err(Fault::new(Reason::Duplicate, "id", "a new packet", &self.id.to_string()));
        }
        let text = self.text.trim_end_matches(['\u{7}', '\0', ' ', '\n', '\r']);
        let (detected, known) = (text.ends_with("detected"), text.ends_with("state: 0") || text.ends_with("state: 1"));
        if !detected && !known {
            let expected = "\"<name> detected\" or \"<name> state: 0\"";
            return Err(Fault::new(Reason::OutOfRange, self.field, expected, text));
        }
        readings.push(Reading::Health(HealthReport { sensors: vec![index], ..HealthReport::default() }));
        if detected {
            readings.push(foreign::event(context, index, time, None));
        }
        Ok(())
    }

    fn time(&self, sensor: usize, context: &Context<'_>) -> Result<Timestamp, Fault> {
        let Some(seconds) = self.seconds.filter(|seconds| *seconds > 0.0) else { return Ok(context.received) };
        let stamped = foreign::epoch_seconds(seconds)
            .ok_or_else(|| Fault::new(Reason::OutOfRange, "timestamp", "seconds since 1970", &seconds.to_string()))?;
        match clock::plausible("timestamp", stamped, Stamper::Sensor(sensor), context) {
            // Not the sensor's clock but the receiver's, which hands over at once: its clock is not needed.
            Err(fault) if fault.reason == Reason::ClockNotSet => Ok(context.received),
            // Whole seconds: the second that has begun is not the future.
            Ok(time) => Ok(time.min(context.received)),
            other => other,
        }
    }
}

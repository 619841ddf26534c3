//! zigbee2mqtt devices (`zigbee2mqtt/{name}`): the rising edge of occupancy, contact or vibration; tamper, battery.
//!
//! The device keeps `occupancy` true for its own time-out (90 s on several models) and repeats it with every report, so
//! only the change from false to true is an event. `contact` is true while a door is closed, so its falling edge counts.
//! `last_seen` is not used: it is the bridge's time, or local text. What the bridge itself says (`{base}/bridge/..`) and
//! availability are passed over.

use serde::Deserialize;

use super::scalar::Scalar;
use super::{CodecState, Context, Fault, HealthReport, Reading, Reason, Report, foreign, json};
use crate::rules::Tamper;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    occupancy: Scalar<'a>,
    #[serde(borrow, default)]
    presence: Scalar<'a>,
    #[serde(borrow, default)]
    vibration: Scalar<'a>,
    #[serde(borrow, default)]
    contact: Scalar<'a>,
    #[serde(borrow, default)]
    tamper: Scalar<'a>,
    #[serde(borrow, default)]
    battery_low: Scalar<'a>,
    #[serde(borrow, default)]
    voltage: Scalar<'a>,
    #[serde(borrow, default)]
    temperature: Scalar<'a>,
}

/// Decodes one report of a device.
pub(super) fn decode(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    Report::gathered(|report| read(bytes, context, state, report, readings))
}

/// The device's name may itself have levels: all after the base topic.
fn sensor(context: &Context<'_>) -> Result<usize, Fault> {
    let topic = context.topic.unwrap_or_default();
    let name = topic.split_once('/').map_or(topic, |(_, name)| name);
    foreign::sensor(context, "topic", name)
}

fn read(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    report: &mut Report,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    let topic = context.topic.unwrap_or_default();
    // The bridge's own topics, and a deleted device.
    if topic.contains("/bridge/") || topic.ends_with("/availability") || bytes.is_empty() {
        return Ok(());
    }
    let text = json::text(bytes)?;
    let message: Message<'_> = json::read(&text)?;
    let index = sensor(context)?;
    let occupied =
        [("occupancy", &message.occupancy), ("presence", &message.presence), ("vibration", &message.vibration)];
    let active = occupied.into_iter().find_map(|(field, value)| value.flag(field, report));
    let active = active.or_else(|| message.contact.flag("contact", report).map(|closed| !closed));
    let rising = active.is_some_and(|active| state.turns_on(index, active));
    // A kept state says how things are: it sets the edge, and is no event.
    foreign::refuse_retained(context)?;
    let tampered = message.tamper.flag("tamper", report) == Some(true);
    readings.push(Reading::Health(HealthReport {
        sensors: vec![index],
        battery_mv: millivolts("voltage", message.voltage.number("voltage", report), report),
        battery_low: message.battery_low.flag("battery_low", report),
        temperature_c: celsius("temperature", message.temperature.number("temperature", report), report),
        tamper: tampered.then_some((Tamper::Unknown, context.received)),
    }));
    if rising {
        readings.push(foreign::event(context, index, context.received, None));
    }
    Ok(())
}

/// A battery's voltage, or a fault when no battery has it.
pub(super) fn millivolts(field: &str, value: Option<f64>, report: &mut Report) -> Option<u16> {
    let value = value?;
    if !(0.0..=60_000.0).contains(&value) {
        report.fault(Fault::new(Reason::OutOfRange, field, "millivolts from 0 to 60000", &value.to_string()));
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range by the check before")]
    Some(value as u16)
}

fn celsius(field: &str, value: Option<f64>, report: &mut Report) -> Option<f64> {
    let value = value?;
    if !(-90.0..=90.0).contains(&value) {
        report.fault(Fault::new(Reason::OutOfRange, field, "degrees Celsius from -90 to 90", &value.to_string()));
        return None;
    }
    Some(value)
}

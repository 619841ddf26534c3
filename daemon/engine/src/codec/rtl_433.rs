//! rtl_433 events (`rtl_433/{host}/events`, or lines of its JSON output): sensors in the licence-free bands.
//!
//! Of the station that `[weather]` names: `wind_avg_m_s` or `wind_avg_km_h`, `rain_mm`, `temperature_C`.
//!
//! The sensor's alias is `model:id` (or `model:code` where there is no id). One press of a detector is sent up to eight
//! times within 2.5 s, and two decoders may read one frame: what comes again within three seconds is a repeat. Used:
//! `time`, `motion`, `state` and `alarm` (where they are false the message only says that the device lives), `heartbeat`,
//! `battery_ok`, `tamper`. Anybody can send such a frame; give these sensors a high rate of false alarms.

use std::borrow::Cow;

use serde::Deserialize;

use super::scalar::Scalar;
use super::weather::{RAIN_MM, TEMPERATURE_C, WIND_MPS, within};
use super::{
    CodecState, Context, Fault, HealthReport, Reading, Reason, Report, Stamper, WeatherReport, clock, foreign, json,
};
use crate::rules::Tamper;
use crate::time::parse_rfc3339;

/// Repeats of one event come within this time.
const REPEAT_S: f64 = 3.0;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    time: Scalar<'a>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Scalar<'a>,
    #[serde(borrow, default)]
    code: Scalar<'a>,
    #[serde(borrow, default)]
    motion: Scalar<'a>,
    #[serde(borrow, default)]
    state: Scalar<'a>,
    #[serde(borrow, default)]
    alarm: Scalar<'a>,
    #[serde(borrow, default)]
    heartbeat: Scalar<'a>,
    #[serde(borrow, default)]
    battery_ok: Scalar<'a>,
    #[serde(borrow, default)]
    tamper: Scalar<'a>,
    #[serde(borrow, default)]
    wind_avg_m_s: Scalar<'a>,
    #[serde(borrow, default)]
    wind_avg_km_h: Scalar<'a>,
    #[serde(borrow, default)]
    rain_mm: Scalar<'a>,
    #[serde(borrow, default, rename = "temperature_C")]
    temperature_c: Scalar<'a>,
}

/// Decodes one event.
pub(super) fn decode(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    Report::gathered(|report| read(bytes, context, state, report, readings))
}

fn read(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    report: &mut Report,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    foreign::refuse_retained(context)?;
    let text = json::text(bytes)?;
    let message: Message<'_> = json::read(&text)?;
    let Some(id) = message.id.name("id", report).or_else(|| message.code.name("code", report)) else {
        return Err(Fault::new(Reason::MissingField, "id", "id or code", "neither"));
    };
    let name = format!("{}:{id}", message.model);
    if context.site.is_weather_station(&name) {
        let said = message.weather(report);
        readings.extend((said != WeatherReport::default()).then_some(Reading::Weather(said)));
        return Ok(());
    }
    let index = foreign::sensor(context, "model", &name)?;
    let time = match stamped(&message.time) {
        Some(stamped) => clock::plausible("time", stamped, Stamper::Sensor(index), context)?,
        None => context.received,
    };
    let tamper = message.tamper.flag("tamper", report) == Some(true);
    readings.push(Reading::Health(HealthReport {
        sensors: vec![index],
        battery_low: message.battery_ok.flag("battery_ok", report).map(|ok| !ok),
        tamper: tamper.then_some((Tamper::Unknown, time)),
        ..HealthReport::default()
    }));
    let heartbeat = message.heartbeat.flag("heartbeat", report) == Some(true);
    let told = [("motion", &message.motion), ("alarm", &message.alarm)]
        .into_iter()
        .find_map(|(field, value)| value.flag(field, report))
        .or_else(|| word(&message.state));
    // A decoder without such a field is of a detector that only ever sends when it is triggered.
    if heartbeat || tamper || told == Some(false) {
        return Ok(());
    }
    if state.is_repeat(index, time, REPEAT_S) {
        return Err(Fault::new(Reason::Duplicate, "id", "a new event", &format!("{name} again")));
    }
    readings.push(foreign::event(context, index, time, None));
    Ok(())
}

impl Message<'_> {
    /// A station tells a part of it in each of its messages.
    fn weather(&self, report: &mut Report) -> WeatherReport {
        let kmh = within(&self.wind_avg_km_h, "wind_avg_km_h", WIND_MPS.map(|mps| 3.6 * mps), report);
        WeatherReport {
            wind_mps: within(&self.wind_avg_m_s, "wind_avg_m_s", WIND_MPS, report).or(kmh.map(|kmh| kmh / 3.6)),
            rain_total_mm: within(&self.rain_mm, "rain_mm", RAIN_MM, report),
            temperature_c: within(&self.temperature_c, "temperature_C", TEMPERATURE_C, report),
        }
    }
}

/// A state that a word clearly tells; the words are the decoders' own, so an unknown one tells nothing.
fn word(state: &Scalar<'_>) -> Option<bool> {
    state.flag("state", &mut Report::default())
}

/// The time, where it has a zone. Without `-M time:iso:usec:tz:utc` it is local and has none, and with `-y` it counts
/// from the start: then the reception is all there is.
fn stamped(time: &Scalar<'_>) -> Option<vedette_tracker::Timestamp> {
    match time {
        Scalar::Text(text) if text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains('-') => {
            // `-M time:unix`
            text.parse().ok().and_then(foreign::epoch_seconds)
        }
        Scalar::Text(text) => parse_rfc3339(text).or_else(|| {
            // strftime writes the zone without a colon.
            let (start, zone) = text.split_at_checked(text.len().checked_sub(2)?)?;
            parse_rfc3339(&format!("{start}:{zone}"))
        }),
        Scalar::Number(seconds) => foreign::epoch_seconds(*seconds),
        _ => None,
    }
}

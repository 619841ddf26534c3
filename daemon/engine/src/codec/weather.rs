//! The weather, in JSON: `{"v":1,"weather":"mast-1","wind_mps":4.2,"rain_total_mm":812.4,"temperature_c":3.5}`, each number where it
//! is known. `rain_total_mm` only grows, so that no lost message loses rain. It counts as of its reception.

use serde::Deserialize;

use super::scalar::Scalar;
use super::{CodecState, Context, Fault, Reading, Reason, Report, foreign, json};
use crate::weather::WeatherReport;

#[derive(Deserialize)]
struct Message<'a> {
    weather: String,
    #[serde(borrow, default)]
    wind_mps: Scalar<'a>,
    #[serde(borrow, default)]
    rain_total_mm: Scalar<'a>,
    #[serde(borrow, default)]
    temperature_c: Scalar<'a>,
}

/// Decodes one message.
pub(super) fn decode(bytes: &[u8], context: &Context<'_>, _: &mut CodecState, readings: &mut Vec<Reading>) -> Report {
    Report::gathered(|report| {
        foreign::refuse_retained(context)?;
        let text = json::text(bytes)?;
        let message: Message<'_> = json::read(&text)?;
        if !context.site.is_weather_station(&message.weather) {
            let expected = "the id or an alias in [weather]";
            return Err(Fault::new(Reason::UnknownSensor, "weather", expected, &message.weather));
        }
        let said = WeatherReport {
            wind_mps: within(&message.wind_mps, "wind_mps", WIND_MPS, report),
            rain_total_mm: within(&message.rain_total_mm, "rain_total_mm", RAIN_MM, report),
            temperature_c: within(&message.temperature_c, "temperature_c", TEMPERATURE_C, report),
        };
        if said != WeatherReport::default() {
            readings.push(Reading::Weather(said));
        }
        Ok(())
    })
}

pub(super) const WIND_MPS: [f64; 2] = [0.0, 120.0];
pub(super) const RAIN_MM: [f64; 2] = [0.0, 1e6];
pub(super) const TEMPERATURE_C: [f64; 2] = [-90.0, 60.0];

/// The number, where it can be one.
pub(super) fn within(value: &Scalar<'_>, field: &str, [least, most]: [f64; 2], report: &mut Report) -> Option<f64> {
    let number = value.number(field, report)?;
    if (least..=most).contains(&number) {
        return Some(number);
    }
    let reason = if number.is_finite() { Reason::OutOfRange } else { Reason::NotFinite };
    report.fault(Fault::new(reason, field, &format!("a number from {least} to {most}"), &number.to_string()));
    None
}

//! ChirpStack v4 uplinks (`application/{id}/device/{eui}/event/up`): what a LoRaWAN detector's decoded object says.
//!
//! Used: `deduplicationId` (the duplicate key: every gateway that heard the frame, and every retry of the broker, brings the
//! same), `time`, `deviceInfo.devEui` (the sensor's alias) and what the sensor's `uplink` table names: fields of `object`, or
//! a byte of `data` where no decoder is set. The Things Stack and others leave out fields that are false, 0 or empty.

use std::borrow::Cow;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::scalar::Scalar;
use super::{CodecState, Context, Fault, HealthReport, Measured, Reading, Reason, Report, Spot, foreign, json};
use crate::config::Uplink;
use crate::digest::fnv1a;
use crate::rules::Tamper;
use vedette_tracker::{Direction, Timestamp};

mod fields;

use super::zigbee2mqtt::millivolts;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    #[serde(borrow)]
    deduplication_id: Cow<'a, str>,
    #[serde(borrow, default)]
    time: Scalar<'a>,
    #[serde(borrow)]
    device_info: DeviceInfo<'a>,
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Scalar<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeviceInfo<'a> {
    #[serde(borrow)]
    dev_eui: Cow<'a, str>,
}

/// Decodes one uplink.
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
    let index = foreign::sensor(context, "deviceInfo.devEui", &message.device_info.dev_eui)?;
    let time = foreign::time("time", &message.time, index, context)?;
    if state.is_duplicate(index, fnv1a(&message.deduplication_id), Timestamp::MIN) {
        return Err(Fault::new(Reason::Duplicate, "deduplicationId", "a new uplink", &message.deduplication_id));
    }
    let sensor = &context.site.sensors[index];
    let Some(uplink) = &sensor.uplink else {
        let expected = "a sensor with an uplink table, which says what its fields mean";
        return Err(Fault::new(Reason::WrongSensor, "object", expected, &sensor.model.id));
    };
    let decoded = Decoded { uplink, object: message.object, time };
    readings.push(Reading::Health(decoded.health(index, report)));
    let triggered = match uplink.byte {
        Some(byte) => bit(byte, uplink.mask, &message.data)?,
        None if message.object.is_none() => {
            let expected = "a decoded object; set a payload decoder for the device, or uplink.byte";
            return Err(Fault::new(Reason::MissingField, "object", expected, "nothing"));
        }
        None => decoded.is_detection(report),
    };
    if triggered {
        readings.push(decoded.detection(index, context, report));
    }
    Ok(())
}

/// Whether a bit of the raw payload is set.
fn bit(byte: usize, mask: u8, data: &Scalar<'_>) -> Result<bool, Fault> {
    let Scalar::Text(text) = data else {
        return Err(Fault::new(Reason::MissingField, "data", "the payload in base64", "nothing"));
    };
    let payload = base64::engine::general_purpose::STANDARD
        .decode(text.as_bytes())
        .map_err(|_| Fault::new(Reason::WrongType, "data", "base64", text))?;
    let got = || format!("{} bytes", payload.len());
    let found = payload.get(byte).copied();
    found
        .map(|found| found & mask != 0)
        .ok_or_else(|| Fault::new(Reason::MissingField, "data", &format!("at least {} bytes", byte + 1), &got()))
}

/// An uplink whose device is known.
struct Decoded<'a> {
    uplink: &'a Uplink,
    object: Option<&'a RawValue>,
    time: Timestamp,
}

impl<'a> Decoded<'a> {
    /// The field that the configuration names for this purpose.
    fn field(&self, name: Option<&String>, report: &mut Report) -> Option<(String, Scalar<'a>)> {
        let (name, object) = (name?, self.object?);
        match fields::find(object, name) {
            Ok(Scalar::Null) => None,
            Ok(value) => Some((format!("object.{name}"), value)),
            Err(fault) => {
                report.fault(fault);
                None
            }
        }
    }

    fn number(&self, name: Option<&String>, low: f64, high: f64, report: &mut Report) -> Option<f64> {
        let (field, value) = self.field(name, report)?;
        let number = value.number_or_text(&field, report)?;
        if !(low..=high).contains(&number) {
            let reason = if number.is_finite() { Reason::OutOfRange } else { Reason::NotFinite };
            report.fault(Fault::new(reason, &field, &format!("a number from {low} to {high}"), &number.to_string()));
            return None;
        }
        Some(number)
    }

    fn health(&self, sensor: usize, report: &mut Report) -> HealthReport {
        let millis = self.number(self.uplink.battery_mv.as_ref(), 0.0, 60_000.0, report);
        let volts = self.number(self.uplink.battery_v.as_ref(), 0.0, 60.0, report).map(|volts| volts * 1_000.0);
        let tampered = self.field(self.uplink.tamper.as_ref(), report);
        let tampered = tampered.and_then(|(field, value)| value.flag(&field, report)) == Some(true);
        HealthReport {
            sensors: vec![sensor],
            battery_mv: millivolts("object", millis.or(volts), report),
            tamper: tampered.then_some((Tamper::Unknown, self.time)),
            ..HealthReport::default()
        }
    }

    fn is_detection(&self, report: &mut Report) -> bool {
        match self.field(self.uplink.detection.as_ref(), report) {
            Some((field, Scalar::Number(number))) if !number.is_finite() => {
                report.fault(Fault::new(Reason::NotFinite, &field, "a finite number", &number.to_string()));
                false
            }
            Some((_, Scalar::Number(number))) => number > self.uplink.above,
            Some((field, value)) => value.flag(&field, report) == Some(true),
            // Left out: false, 0 or empty.
            None => false,
        }
    }

    fn detection(&self, sensor: usize, context: &Context<'_>, report: &mut Report) -> Reading {
        let uplink = self.uplink;
        let lat = self.number(uplink.lat.as_ref(), -90.0, 90.0, report);
        let lon = self.number(uplink.lon.as_ref(), -180.0, 180.0, report);
        let range_m = self.number(uplink.range_m.as_ref(), 0.0, 100_000.0, report);
        let azimuth_deg = self.number(uplink.azimuth_deg.as_ref(), -360.0, 360.0, report);
        let measured = match (lat, lon, range_m, azimuth_deg) {
            (Some(lat), Some(lon), ..) => {
                Measured::Position { spot: Spot::Wgs84 { lat, lon }, sd_m: None, covariance_m2: None }
            }
            (_, _, Some(range_m), Some(azimuth_deg)) => Measured::RangeBearing {
                range_m,
                range_sd_m: None,
                azimuth_deg,
                azimuth_sd_deg: None,
                range_rate_mps: None,
                range_rate_sd_mps: None,
            },
            (_, _, Some(range_m), None) => Measured::Range { range_m, range_sd_m: None },
            (_, _, None, Some(azimuth_deg)) => Measured::Bearing { azimuth_deg, azimuth_sd_deg: None },
            (_, _, None, None) => {
                if let Some(direction) = self.direction(report) {
                    Measured::Crossing { direction: Some(direction) }
                } else {
                    let strength = match self.field(uplink.detection.as_ref(), report) {
                        Some((_, Scalar::Number(number))) => Some(number),
                        _ => None,
                    };
                    return foreign::event(context, sensor, self.time, strength);
                }
            }
        };
        foreign::one_plot(sensor, self.time, measured)
    }

    fn direction(&self, report: &mut Report) -> Option<Direction> {
        let (field, value) = self.field(self.uplink.direction.as_ref(), report)?;
        match value.name(&field, report)?.to_ascii_lowercase().as_str() {
            "in" | "1" => Some(Direction::In),
            "out" | "-1" | "0" | "2" => Some(Direction::Out),
            other => {
                report.fault(Fault::new(Reason::OutOfRange, &field, "\"in\" or \"out\"", other));
                None
            }
        }
    }
}

//! KrakenSDR direction finders: JSON posts of the receiver, and lines of its CSV file.
//!
//! Used: the station's id (the sensor's id or alias), time in milliseconds (the duplicate key), direction, station heading,
//! and the station's place where the sensor is mobile. The JSON carries the angle of the unit circle (counter-clockwise),
//! the CSV 360 minus that (clockwise); both count from the array's front, so the heading is added. Confidence is a ratio of
//! peaks and no probability, power and frequency say nothing about where: they are not used, nor is the spectrum kept.

use serde::Deserialize;

use super::scalar::Scalar;
use super::{
    CodecState, Context, Fault, Measured, Plot, PlotReport, Reading, Reason, Report, Spot, Stand, foreign, json,
};

/// Longest message: 360 values of a spectrum and some more.
const MAX_BYTES: usize = 65_536;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    station_id: Scalar<'a>,
    #[serde(rename = "tStamp", borrow, default)]
    stamp: Scalar<'a>,
    #[serde(borrow, default)]
    latitude: Scalar<'a>,
    #[serde(borrow, default)]
    longitude: Scalar<'a>,
    #[serde(rename = "gpsBearing", borrow, default)]
    heading: Scalar<'a>,
    #[serde(rename = "radioBearing", borrow, default)]
    bearing: Scalar<'a>,
}

/// Decodes one post.
pub(super) fn decode_json(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    let read = || -> Result<Bearing, Fault> {
        foreign::refuse_retained(context)?;
        let text = json::text(bytes)?;
        let message: Message<'_> = json::read(&text)?;
        let mut report = Report::default();
        let mut number = |field: &'static str, value: &Scalar<'_>| value.number_or_text(field, &mut report);
        let (theta_deg, heading_deg) =
            (number("radioBearing", &message.bearing), number("gpsBearing", &message.heading));
        let (stamp_ms, lat) = (number("tStamp", &message.stamp), number("latitude", &message.latitude));
        let lon = number("longitude", &message.longitude);
        let station = message.station_id.name("station_id", &mut report);
        // One fault makes a bearing useless, whichever it is.
        if let Some(fault) = report.faults.into_iter().next() {
            return Err(fault);
        }
        let missing = |field: &str| Fault::new(Reason::MissingField, field, "a value", "nothing");
        let theta_deg = theta_deg.ok_or_else(|| missing("radioBearing"))?;
        Ok(Bearing {
            station: station.ok_or_else(|| missing("station_id"))?,
            stamp_ms: stamp_ms.ok_or_else(|| missing("tStamp"))?,
            clockwise_deg: 360.0 - angle("radioBearing", theta_deg)?,
            heading_deg: angle("gpsBearing", heading_deg.unwrap_or(0.0))?,
            place: lat.zip(lon),
        })
    };
    take(read(), context, state, readings)
}

/// Decodes one line of the file.
pub(super) fn decode_csv(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    take(read_line(bytes, context), context, state, readings)
}

/// Columns: time, direction, confidence, power, frequency, antenna, latency, station, latitude, longitude, heading.
fn read_line(bytes: &[u8], context: &Context<'_>) -> Result<Bearing, Fault> {
    foreign::refuse_retained(context)?;
    if bytes.len() > MAX_BYTES {
        let got = format!("{} bytes", bytes.len());
        return Err(Fault::new(Reason::TooLarge, "line", "at most 65536 bytes", &got));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let got = format!("another byte at {}", error.valid_up_to());
        Fault::new(Reason::InvalidText, "line", "UTF-8", &got)
    })?;
    let mut columns = [""; 11];
    let mut given = text.split(',');
    for column in &mut columns {
        *column = given
            .next()
            .map(str::trim)
            .ok_or_else(|| Fault::new(Reason::Malformed, "line", "at least 11 columns", text))?;
    }
    let number = |field: &str, column: usize| -> Result<f64, Fault> {
        columns[column].parse().map_err(|_| Fault::new(Reason::WrongType, field, "a number", columns[column]))
    };
    Ok(Bearing {
        station: columns[7].to_owned(),
        stamp_ms: number("time", 0)?,
        clockwise_deg: angle("direction", number("direction", 1)?)?,
        heading_deg: angle("heading", number("heading", 10)?)?,
        place: Some((number("latitude", 8)?, number("longitude", 9)?)),
    })
}

/// One measurement of a station.
struct Bearing {
    station: String,
    /// Milliseconds since 1970.
    stamp_ms: f64,
    /// Direction, clockwise from the array's front.
    clockwise_deg: f64,
    /// Direction of the array's front, clockwise from true north.
    heading_deg: f64,
    /// Latitude and longitude of the station.
    place: Option<(f64, f64)>,
}

fn angle(field: &str, value: f64) -> Result<f64, Fault> {
    if (-360.0..=360.0).contains(&value) {
        return Ok(value);
    }
    let reason = if value.is_finite() { Reason::OutOfRange } else { Reason::NotFinite };
    Err(Fault::new(reason, field, "degrees from -360 to 360", &value.to_string()))
}

fn take(
    bearing: Result<Bearing, Fault>,
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    let reading = bearing.and_then(|bearing| {
        let sensor = foreign::sensor(context, "station_id", &bearing.station)?;
        let time = foreign::epoch_time("time", Some(bearing.stamp_ms / 1_000.0), sensor, context)?;
        if state.is_duplicate(sensor, 0, time) {
            return Err(Fault::new(Reason::Duplicate, "time", "a new measurement", "one of this time again"));
        }
        let azimuth_deg = (bearing.clockwise_deg + bearing.heading_deg).rem_euclid(360.0);
        let measured = Measured::Bearing { azimuth_deg, azimuth_sd_deg: None };
        let at = bearing.place.filter(|_| context.site.sensors[sensor].model.mobile).map(|(lat, lon)| Stand {
            spot: Spot::Wgs84 { lat, lon },
            heading_deg: Some(bearing.heading_deg),
            sd_m: None,
        });
        let plot = Plot { index: 0, measured, class: None, confidence: None, object: None };
        Ok(Reading::Plots(PlotReport { sensor, time, at, plots: vec![plot] }))
    });
    match reading {
        Ok(reading) => {
            readings.push(reading);
            Report::default()
        }
        Err(fault) => Report::of(fault),
    }
}

//! Positions of own units: `{"v":1,"unit":"patrol-3","t":"..","lat":..,"lon":..,"sd_m":5}`, or `east_m` and `north_m`; with
//! `"distress":true` the unit calls for help, with `"distress":false` it takes that back.

use serde::Deserialize;

use super::{CodecState, Context, Distress, Fault, OwnPosition, Reading, Reason, Report, Spot, Stamper, clock, json};
use crate::geo::SiteFrame;
use crate::time::parse_rfc3339;

/// Standard deviation of a position that does not tell one: a handheld receiver under trees.
const USUAL_SD_M: f64 = 10.0;

#[derive(Deserialize)]
struct Message {
    unit: String,
    t: String,
    lat: Option<f64>,
    lon: Option<f64>,
    east_m: Option<f64>,
    north_m: Option<f64>,
    sd_m: Option<f64>,
    distress: Option<bool>,
}

/// Decodes one message.
pub(super) fn decode(bytes: &[u8], context: &Context<'_>, _: &mut CodecState, readings: &mut Vec<Reading>) -> Report {
    match read(bytes, context) {
        Ok(own) => {
            readings.push(Reading::OwnPosition(own));
            Report::default()
        }
        Err(fault) => Report::refused(fault),
    }
}

fn read(bytes: &[u8], context: &Context<'_>) -> Result<OwnPosition, Fault> {
    if context.retained {
        return Err(Fault::new(Reason::Retained, "message", "an event", "a state the broker had kept"));
    }
    let text = json::text(bytes)?;
    let message: Message = json::read(&text)?;
    let Some(unit) = context.site.unit_named(&message.unit) else {
        return Err(Fault::new(Reason::UnknownUnit, "unit", "a configured [[unit]]", &message.unit));
    };
    let stamped =
        parse_rfc3339(&message.t).ok_or_else(|| Fault::new(Reason::WrongType, "t", "an RFC 3339 time", &message.t))?;
    let distress = message.distress.map(|calls| if calls { Distress::Calls } else { Distress::CalledOff });
    let time = match clock::plausible("t", stamped, Stamper::Unit(unit), context) {
        // Who calls for help is heard, whatever the clock says.
        Err(_) if distress == Some(Distress::Calls) => context.received,
        time => time?,
    };
    let spot = match (message.east_m, message.north_m, message.lat, message.lon) {
        (Some(east_m), Some(north_m), None, None) => {
            let far_m = SiteFrame::MAX_DISTANCE_M;
            if !(-far_m..=far_m).contains(&east_m) || !(-far_m..=far_m).contains(&north_m) {
                let got = format!("{east_m}, {north_m}");
                return Err(Fault::new(Reason::OutOfRange, "east_m", "metres within 200 km of the origin", &got));
            }
            Spot::Site { east_m, north_m }
        }
        (None, None, Some(lat), Some(lon)) => Spot::Wgs84 { lat, lon },
        _ => return Err(Fault::new(Reason::MissingField, "lat", "lat and lon, or east_m and north_m", "another set")),
    };
    let sd_m = message.sd_m.unwrap_or(USUAL_SD_M);
    if !(0.1..=1_000.0).contains(&sd_m) {
        return Err(Fault::new(Reason::OutOfRange, "sd_m", "a number from 0.1 to 1000", &sd_m.to_string()));
    }
    Ok(OwnPosition { unit, time, spot, sd_m, distress })
}

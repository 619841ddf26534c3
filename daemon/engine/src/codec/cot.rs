//! Cursor on Target events of own units: where patrols say they are.
//!
//! Used: `uid` (or the contact's `callsign`: the unit's id or alias), `type` (only friendly ones, `a-f-..`), `time`, `stale`,
//! and of `point` `lat`, `lon` and `ce` (a one-sigma circle; 9999999 is unknown). An `emergency`, in such an event or in one of
//! its own (`b-a-..`, with a `link` to the unit), is a call for help. Everything else is passed over: chat, routes, markers,
//! other people's tracks.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use vedette_tracker::Timestamp;

use super::{
    CodecState, Context, Distress, Fault, OwnPosition, Reading, Reason, Report, Spot, Stamper, clock, foreign,
};
use crate::time::parse_rfc3339;

/// Longest event.
const MAX_BYTES: usize = 65_536;
/// Standard deviation of a position that does not tell one: a handheld receiver under trees.
const USUAL_SD_M: f64 = 10.0;
/// An unknown error, by the format's convention.
const UNKNOWN_ERROR_M: f64 = 9_999_999.0;

/// Decodes one event.
pub(super) fn decode(bytes: &[u8], context: &Context<'_>, _: &mut CodecState, readings: &mut Vec<Reading>) -> Report {
    match read(bytes, context) {
        Ok(own) => {
            readings.extend(own.map(Reading::OwnPosition));
            Report::default()
        }
        Err(fault) => Report::of(fault),
    }
}

/// What handhelds append to the uid and the callsign of who calls for help.
const CALL_SUFFIXES: [&str; 2] = ["-9-1-1", "-Alert"];

/// Who claims to be a friend with this event: its `uid`, or that of the friend who calls for help; none for an event about
/// anything else.
///
/// # Errors
/// When it is not an event.
pub fn claimant(bytes: &[u8]) -> Result<Option<String>, Fault> {
    parse(bytes).map(|told| told.names().into_iter().next().map(str::to_owned))
}

/// The attributes that are used, as they stand.
#[derive(Default)]
struct Told {
    uid: String,
    kind: String,
    time: String,
    stale: String,
    callsign: Option<String>,
    /// The unit that an alarm is of.
    link: Option<String>,
    distress: Option<Distress>,
    point: Option<Point>,
}

impl Told {
    /// Sensors are friends too, but no units: those of this gateway itself come back from a server.
    fn is_friend(&self) -> bool {
        self.kind.starts_with("a-f-") && !self.kind.starts_with("a-f-G-E-S")
    }

    /// What the friend is called, its uid first; nothing when it is about anybody else.
    fn names(&self) -> Vec<&str> {
        let plain = |name: &'_ str| -> usize {
            CALL_SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).map_or(name.len(), str::len)
        };
        let is_call = self.kind.starts_with("b-a-") && self.distress.is_some();
        if !self.is_friend() && !is_call {
            return Vec::new();
        }
        let uid = self.link.as_deref().filter(|_| is_call).unwrap_or(&self.uid);
        [Some(uid), self.callsign.as_deref()].into_iter().flatten().map(|name| &name[..plain(name)]).collect()
    }
}

struct Point {
    lat: f64,
    lon: f64,
    circle_m: Option<f64>,
}

fn read(bytes: &[u8], context: &Context<'_>) -> Result<Option<OwnPosition>, Fault> {
    foreign::refuse_retained(context)?;
    let told = parse(bytes)?;
    let names = told.names();
    if names.is_empty() {
        return Ok(None);
    }
    let unit = names.into_iter().find_map(|name| context.site.unit_named(name));
    let Some(unit) = unit else {
        // Also the alarms of this gateway itself come back from a server.
        if !told.is_friend() {
            return Ok(None);
        }
        let name = told.callsign.as_deref().unwrap_or(&told.uid);
        return Err(Fault::new(Reason::UnknownUnit, "uid", "a configured [[unit]]'s id or alias", name));
    };
    let time = instant("time", &told.time)?;
    let stale = instant("stale", &told.stale)?;
    let time = match plausible(time, stale, unit, &told, context) {
        // Who calls for help is heard, whatever the clock says.
        Err(_) if told.distress == Some(Distress::Calls) => context.received,
        time => time?,
    };
    let missing = || Fault::new(Reason::MissingField, "point", "a point with lat and lon", "nothing");
    let Point { lat, lon, circle_m } = told.point.ok_or_else(missing)?;
    let sd_m = circle_m.filter(|circle_m| *circle_m < UNKNOWN_ERROR_M).unwrap_or(USUAL_SD_M).max(1.0);
    if sd_m > 1_000.0 {
        return Err(Fault::new(Reason::OutOfRange, "point.ce", "at most 1000 m", &sd_m.to_string()));
    }
    // One circle's radius is the standard deviation of both axes together.
    let sd_m = sd_m * std::f64::consts::FRAC_1_SQRT_2;
    Ok(Some(OwnPosition { unit, time, spot: Spot::Wgs84 { lat, lon }, sd_m, distress: told.distress }))
}

fn plausible(
    time: Timestamp,
    stale: Timestamp,
    unit: usize,
    told: &Told,
    context: &Context<'_>,
) -> Result<Timestamp, Fault> {
    let stamper = Stamper::Unit(unit);
    if stale < context.received {
        let expected = "a time after its reception";
        return Err(Fault::new(Reason::TimeTooOld, "stale", expected, &told.stale).stamped_by(stamper));
    }
    clock::plausible("time", time, stamper, context)
}

fn instant(field: &str, text: &str) -> Result<Timestamp, Fault> {
    parse_rfc3339(text).ok_or_else(|| Fault::new(Reason::WrongType, field, "an RFC 3339 time", text))
}

fn parse(bytes: &[u8]) -> Result<Told, Fault> {
    if bytes.len() > MAX_BYTES {
        let got = format!("{} bytes", bytes.len());
        return Err(Fault::new(Reason::TooLarge, "event", "at most 65536 bytes", &got));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let got = format!("another byte at {}", error.valid_up_to());
        Fault::new(Reason::InvalidText, "event", "UTF-8", &got)
    })?;
    let malformed =
        |error: &dyn std::fmt::Display| Fault::new(Reason::Malformed, "event", "one event in XML", &error.to_string());
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut told, mut seen, mut open) = (Told::default(), false, 0_u32);
    loop {
        let event = reader.read_event().map_err(|error| malformed(&error))?;
        match event {
            Event::Start(_) => open = open.saturating_add(1),
            Event::End(_) => open = open.saturating_sub(1),
            _ => {}
        }
        match event {
            Event::Start(element) | Event::Empty(element) => match element.local_name().as_ref() {
                "event" if !seen => {
                    seen = true;
                    told.uid = needed(&element, "uid")?;
                    told.kind = needed(&element, "type")?;
                    told.time = needed(&element, "time")?;
                    told.stale = needed(&element, "stale")?;
                }
                "point" if told.point.is_none() => {
                    let circle_m = attribute(&element, "ce")?.map(|text| number("point.ce", &text)).transpose()?;
                    let lat = number("point.lat", &needed(&element, "lat")?)?;
                    let lon = number("point.lon", &needed(&element, "lon")?)?;
                    told.point = Some(Point { lat, lon, circle_m });
                }
                "contact" => told.callsign = attribute(&element, "callsign")?,
                "link" if told.link.is_none() => told.link = attribute(&element, "uid")?,
                "emergency" => {
                    let called_off = attribute(&element, "cancel")?.is_some_and(|cancel| cancel == "true");
                    told.distress = Some(if called_off { Distress::CalledOff } else { Distress::Calls });
                }
                _ => {}
            },
            // Entities of a document type are the way to make a small message large.
            Event::DocType(_) => return Err(malformed(&"a document type")),
            Event::Eof if open > 0 => return Err(malformed(&"an event without its end")),
            Event::Eof if seen => return Ok(told),
            Event::Eof => return Err(malformed(&"no event")),
            _ => {}
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Fault> {
    let malformed =
        |error: &dyn std::fmt::Display| Fault::new(Reason::Malformed, name, "an attribute", &error.to_string());
    let Some(attribute) = element.try_get_attribute(name).map_err(|error| malformed(&error))? else { return Ok(None) };
    let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| malformed(&error))?;
    Ok(Some(value.into_owned()))
}

fn needed(element: &BytesStart<'_>, name: &str) -> Result<String, Fault> {
    attribute(element, name)?.ok_or_else(|| Fault::new(Reason::MissingField, name, "an attribute", "nothing"))
}

fn number(field: &str, text: &str) -> Result<f64, Fault> {
    let number: f64 = text.trim().parse().map_err(|_| Fault::new(Reason::WrongType, field, "a number", text))?;
    if !number.is_finite() {
        return Err(Fault::new(Reason::NotFinite, field, "a finite number", text));
    }
    Ok(number)
}

//! Cursor on Target events: tracks, alerts and sensors as XML.
//!
//! `ce` is the radius of a one-sigma circle, so the root of the sum of both variances; 9999999 is unknown. Times are UTC
//! with milliseconds. No event has an XML declaration: on a stream they follow one another.

use quick_xml::Writer;
use quick_xml::events::BytesText;
use vedette_engine::time::format_rfc3339;
use vedette_engine::{Alert, AlertKind, Mode, Place, SensorKind, Severity, Timestamp};

use super::super::{SeenSensor, SeenTrack, View};

/// By the format's convention.
const UNKNOWN: f64 = 9_999_999.0;
/// A circle of one standard deviation against the half axis of a 95 % ellipse.
const SIGMAS_OF_95_PERCENT: f64 = 2.447_746_83;

/// One event before it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    uid: String,
    kind: &'static str,
    how: &'static str,
    time: Timestamp,
    stale: Timestamp,
    lat: f64,
    lon: f64,
    circle_m: f64,
    detail: Detail,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Detail {
    callsign: String,
    /// The event this one is about, with its type.
    link: Option<(String, &'static str)>,
    /// Course in degrees and speed.
    track: Option<(f64, f64)>,
    emergency: Emergency,
    remarks: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Emergency {
    #[default]
    No,
    Begins,
    Cancelled,
}

/// A track, valid until `stale`.
#[must_use]
pub fn track(track: &SeenTrack, site: &str, at: Timestamp, stale: Timestamp) -> Event {
    let class = track.class;
    let is_vehicle = class.vehicle > class.person.max(class.animal) && class.vehicle > 0.5;
    let (what, share) = [("person", class.person), ("animal", class.animal), ("vehicle", class.vehicle)]
        .into_iter()
        .fold(("", 0.0), |best, next| if next.1 > best.1 { next } else { best });
    let sensors: Vec<&str> = track.seen_by.iter().map(|(name, _)| name.as_str()).collect();
    let remarks = format!(
        "{what} {:.0} %, exists {:.0} %{}; seen by {}",
        100.0 * share,
        100.0 * track.existence,
        if track.coasting { ", coasting" } else { "" },
        sensors.join(", ")
    );
    let [ee, _, nn] = track.covariance_m2;
    Event {
        uid: format!("{site}.track.{}", track.id),
        kind: if is_vehicle { "a-u-G-E-V" } else { "a-u-G" },
        how: "m-f",
        time: at,
        stale,
        lat: track.place.lat,
        lon: track.place.lon,
        circle_m: (ee + nn).sqrt(),
        detail: Detail {
            callsign: format!("{site} T{}", track.id),
            link: Some((site.to_owned(), "a-f-G-E-S")),
            track: Some((track.course_deg, track.speed_mps)),
            emergency: Emergency::No,
            remarks,
        },
    }
}

/// A sensor, valid until `stale`.
#[must_use]
pub fn sensor(sensor: &SeenSensor, site: &str, at: Timestamp, stale: Timestamp) -> Event {
    let heard =
        sensor.last_heard.map_or_else(|| "never heard".to_owned(), |heard| format!("last heard {}", stamp(heard)));
    Event {
        uid: format!("{site}.sensor.{}", sensor.id),
        kind: "a-f-G-E-S",
        how: "h-e",
        time: at,
        stale,
        lat: sensor.place.lat,
        lon: sensor.place.lon,
        circle_m: UNKNOWN,
        detail: Detail {
            callsign: sensor.id.clone(),
            remarks: format!("{} sensor, {heard}", kind_name(sensor.kind)),
            ..Detail::default()
        },
    }
}

/// What an alert is for the receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertForm {
    /// From this severity on alerts are sent.
    pub from: Severity,
    /// From this severity on a real alert about somebody is an emergency.
    pub emergency_from: Severity,
}

/// An alert, valid until it expires; one that is over is a cancellation, or an event that is stale at once.
#[must_use]
pub fn alert(alert: &Alert, view: &View, at: Timestamp, form: AlertForm) -> Option<Event> {
    if alert.severity < form.from {
        return None;
    }
    let over = is_over(alert);
    let is_emergency =
        alert.severity >= form.emergency_from && alert.mode == Mode::Actual && is_about_somebody(alert.kind);
    let (kind, emergency) = match (is_emergency, over) {
        (true, false) => ("b-a-o-tbl", Emergency::Begins),
        (true, true) => ("b-a-o-can", Emergency::Cancelled),
        (false, _) => (alarm_kind(alert, view), Emergency::No),
    };
    let (lat, lon, circle_m) = place(alert, view);
    let site = &view.site;
    let short = alert.id.get(..8).unwrap_or(&alert.id);
    let mode = match alert.mode {
        Mode::Actual => "",
        Mode::Exercise => "EXERCISE ",
        Mode::Test => "TEST ",
    };
    Some(Event {
        uid: format!("{site}.alert.{}", alert.id),
        kind,
        how: "m-f",
        time: at,
        stale: if over { at } else { alert.expires_at.max(at) },
        lat,
        lon,
        circle_m,
        detail: Detail {
            callsign: format!("{mode}{site} A{short}"),
            link: track_of(alert).map(|track| (format!("{site}.track.{track}"), "a-u-G")),
            track: alert.heading_deg.zip(alert.speed_mps),
            emergency,
            remarks: format!("{mode}{}", alert.text),
        },
    })
}

/// Whether nothing more is to be done about it.
#[must_use]
pub fn is_over(alert: &Alert) -> bool {
    alert.state.is_over()
}

fn is_about_somebody(kind: AlertKind) -> bool {
    kind.is_movement() || kind == AlertKind::PossibleNeed
}

/// The alarm by what noticed it: motion, seismic, acoustic, or a security alarm.
fn alarm_kind(alert: &Alert, view: &View) -> &'static str {
    let strongest = alert.contributors.iter().find(|contributor| contributor.share.is_some());
    let sensor = strongest.and_then(|strongest| view.sensors.iter().find(|sensor| sensor.id == strongest.sensor));
    match sensor.map(|sensor| sensor.kind) {
        Some(SensorKind::Seismic) => "b-d-s",
        Some(SensorKind::Acoustic) => "b-d-a",
        Some(SensorKind::Pir) => "b-d-m",
        _ => "b-l-l",
    }
}

/// The number of the track an alert is about, where its key names one.
fn track_of(alert: &Alert) -> Option<u64> {
    let (_, number) = alert.dedup_key.rsplit_once("track-")?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).map_or(number, |end| &number[..end]);
    digits.parse().ok()
}

/// Latitude, longitude and circle: the alert's point, else the sensor it names, else the site with an unknown error.
fn place(alert: &Alert, view: &View) -> (f64, f64, f64) {
    match &alert.place {
        Some(Place::Point { lat, lon, ellipse }) => {
            (*lat, *lon, ellipse.major_m.hypot(ellipse.minor_m) / SIGMAS_OF_95_PERCENT)
        }
        Some(Place::Area { name }) => {
            let sensor = view.sensors.iter().find(|sensor| sensor.id == *name);
            let place = sensor.map_or(view.origin, |sensor| sensor.place);
            (place.lat, place.lon, UNKNOWN)
        }
        _ => (view.origin.lat, view.origin.lon, UNKNOWN),
    }
}

fn kind_name(kind: SensorKind) -> &'static str {
    match kind {
        SensorKind::Radar => "radar",
        SensorKind::Camera => "camera",
        SensorKind::Pir => "infrared",
        SensorKind::Seismic => "seismic",
        SensorKind::Tripwire => "tripwire",
        SensorKind::Rf => "radio",
        SensorKind::Acoustic => "acoustic",
    }
}

/// RFC 3339 with milliseconds, which every receiver reads.
fn stamp(time: Timestamp) -> String {
    let text = format_rfc3339(time);
    match text.split_once('.') {
        Some((seconds, fraction)) => format!("{seconds}.{}Z", fraction.get(..3).unwrap_or("000")),
        None => text,
    }
}

impl Event {
    /// The event's name.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The same event, over at `at`.
    #[must_use]
    pub fn ended(self, at: Timestamp) -> Self {
        Self { time: at, stale: at, ..self }
    }

    /// The event as XML, ended by a line feed.
    ///
    /// # Errors
    /// None in memory; the writer's signature has one.
    pub fn to_xml(&self) -> std::io::Result<Vec<u8>> {
        let mut writer = Writer::new(Vec::with_capacity(1_024));
        let (uid, time, stale) = (printable(&self.uid), stamp(self.time), stamp(self.stale));
        let attributes = [
            ("version", "2.0"),
            ("uid", uid.as_str()),
            ("type", self.kind),
            ("how", self.how),
            ("time", time.as_str()),
            ("start", time.as_str()),
            ("stale", stale.as_str()),
        ];
        writer.create_element("event").with_attributes(attributes).write_inner_content(|writer| {
            let (lat, lon) = (format!("{:.7}", self.lat), format!("{:.7}", self.lon));
            let circle = format!("{:.1}", self.circle_m.min(UNKNOWN));
            let unknown = format!("{UNKNOWN:.1}");
            let point = [
                ("lat", lon_or_lat(&lat)),
                ("lon", lon_or_lat(&lon)),
                ("hae", &unknown),
                ("ce", &circle),
                ("le", &unknown),
            ];
            writer.create_element("point").with_attributes(point).write_empty()?;
            writer.create_element("detail").write_inner_content(|writer| self.detail.write(writer))?;
            Ok(())
        })?;
        let mut bytes = writer.into_inner();
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Zero has no sign.
fn lon_or_lat(text: &str) -> &str {
    if text == "-0.0000000" { "0.0000000" } else { text }
}

/// XML has no way to write control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }).collect()
}

impl Detail {
    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let (callsign, remarks) = (printable(&self.callsign), printable(&self.remarks));
        writer.create_element("contact").with_attribute(("callsign", callsign.as_str())).write_empty()?;
        if let Some((uid, kind)) = &self.link {
            let attributes = [("uid", uid.as_str()), ("type", *kind), ("relation", "p-p")];
            writer.create_element("link").with_attributes(attributes).write_empty()?;
        }
        if let Some((course_deg, speed_mps)) = self.track {
            let (course, speed) = (format!("{course_deg:.1}"), format!("{speed_mps:.2}"));
            let attributes = [("course", course.as_str()), ("speed", speed.as_str())];
            writer.create_element("track").with_attributes(attributes).write_empty()?;
        }
        let emergency = match self.emergency {
            Emergency::No => None,
            Emergency::Begins => Some(("type", "911 Alert")),
            Emergency::Cancelled => Some(("cancel", "true")),
        };
        if let Some(attribute) = emergency {
            let element = writer.create_element("emergency").with_attribute(attribute);
            element.write_text_content(BytesText::new(&callsign))?;
        }
        if !remarks.is_empty() {
            writer.create_element("remarks").write_text_content(BytesText::new(&remarks))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

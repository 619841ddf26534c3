//! The project's own detections: one JSON object with the plots of one sensor for one moment.
//!
//! Types are strict, unknown fields are dropped and counted, and a bad plot does not take the good ones with it. The
//! message is read in one pass without intermediate values; only a message that is not JSON (NaN, a number without
//! end, half a plot) is taken apart a second time, to save the plots that are.

mod fields;
mod plot;
mod salvage;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use vedette_tracker::Timestamp;

use self::fields::{Field, Scalar, Spotted};
use self::plot::PlotSeed;
use super::json::MAX_BYTES;
use super::{CodecState, Context, Fault, Plot, PlotReport, Reading, Reason, Report, Stamper, clock};
use crate::Mode;
use crate::time::parse_rfc3339;

/// Most plots of one message.
const MAX_PLOTS: usize = 10_000;
/// Decodes one message.
pub(super) fn decode(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    if context.retained {
        return Report::refused(Fault::new(Reason::Retained, "message", "an event", "a state the broker had kept"));
    }
    if bytes.len() > MAX_BYTES {
        let got = format!("{} bytes", bytes.len());
        return Report::refused(Fault::new(Reason::TooLarge, "message", "at most 1048576 bytes", &got));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let got = format!("another byte at {}", error.valid_up_to());
            return Report::refused(Fault::new(Reason::InvalidText, "message", "UTF-8", &got));
        }
    };
    let mut message = Message::default();
    if let Err(error) = read(text, &mut message) {
        message = Message::default();
        if !salvage::read_in_parts(text, &mut message) {
            let got = format!("{error} in {}", text.trim());
            return Report::refused(Fault::new(Reason::Malformed, "message", "one JSON object", &got));
        }
    }
    message.finish(context, state, readings)
}

fn read(text: &str, message: &mut Message) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    MessageSeed(message).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// The sensor in `vedette/v1/{gateway}/sensor/{sensor}/detections`.
fn sensor_of_topic(topic: &str) -> Option<&str> {
    let mut levels = topic.split('/');
    let prefix = [levels.next(), levels.next(), levels.next().map(|_| "+"), levels.next()];
    let sensor = levels.next()?;
    let ours = prefix == ["vedette", "v1", "+", "sensor"].map(Some) && levels.eq(["detections"]);
    ours.then_some(sensor)
}

/// A message while it is being read.
#[derive(Default)]
struct Message {
    version: Option<f64>,
    /// What the message says that it is; an unreadable word is none of the two.
    mode: Option<Option<String>>,
    sensor: Option<String>,
    time: Option<Timestamp>,
    number: Option<u64>,
    at: Option<Spotted>,
    plots: Option<Vec<Plot>>,
    /// Plots seen, good or bad.
    plots_seen: usize,
    report: Report,
}

impl Message {
    fn finish(mut self, context: &Context<'_>, state: &mut CodecState, readings: &mut Vec<Reading>) -> Report {
        if let Some(reading) = self.accept(context, state) {
            readings.push(Reading::Plots(reading));
        }
        self.report
    }

    fn accept(&mut self, context: &Context<'_>, state: &mut CodecState) -> Option<PlotReport> {
        if let Some(version) = self.version
            && version != 1.0
        {
            self.report.fault(Fault::new(Reason::UnknownVersion, "v", "1", &version.to_string()));
            return None;
        }
        if let Some(fault) = self.wrong_mode(context.site.mode) {
            self.report.fault(fault);
            return None;
        }
        let Some(id) = self.sensor.take() else {
            self.missing("sensor", "a sensor's name");
            return None;
        };
        let Some(sensor) = context.site.sensor_named(&id) else {
            self.report.fault(Fault::new(Reason::UnknownSensor, "sensor", "a configured sensor", &id));
            self.report.unknown_sensor = Some(id);
            return None;
        };
        if let Some(owner) = context.topic.and_then(sensor_of_topic)
            && owner != id
        {
            // A broker lets a sensor write its own topic; it must not speak for another.
            self.report.fault(Fault::new(Reason::WrongTopic, "sensor", &format!("{owner:?}, as in the topic"), &id));
            return None;
        }
        let Some(stamped) = self.time else {
            self.missing("t", "an RFC 3339 time");
            return None;
        };
        let time = match clock::plausible("t", stamped, Stamper::Sensor(sensor), context) {
            Ok(time) => time,
            Err(fault) => {
                self.report.fault(fault);
                return None;
            }
        };
        let Some(plots) = self.plots.take() else {
            self.missing("plots", "an array of plots");
            return None;
        };
        if let Some(number) = self.number
            && state.is_duplicate(sensor, number, time)
        {
            let got = format!("seq {number} of that time again");
            self.report.fault(Fault::new(Reason::Duplicate, "seq", "a new message", &got));
            return None;
        }
        // A mobile sensor whose place is unreadable has no plots that could be placed.
        let at = match self.at.take() {
            Some(spotted) => Some(spotted.stand(&mut self.report)?),
            None => None,
        };
        // Had it seen something, and nothing of that was readable, then "saw nothing" would be a lie.
        if plots.is_empty() && self.plots_seen > 0 {
            return None;
        }
        Some(PlotReport { sensor, time, at, plots })
    }

    /// A message without a mode is actual; what it is and what the site takes have to agree.
    fn wrong_mode(&self, site: Mode) -> Option<Fault> {
        let word = match &self.mode {
            None => "actual",
            Some(word) => word.as_deref().unwrap_or("unreadable"),
        };
        let expected = if site == Mode::Exercise { "exercise" } else { "actual" };
        (word != expected).then(|| Fault::new(Reason::WrongMode, "mode", expected, word))
    }

    fn missing(&mut self, field: &'static str, expected: &str) {
        // A field that was there with a wrong type has been reported already.
        if !self.report.faults.iter().any(|fault| fault.field == field && fault.plot.is_none()) {
            self.report.fault(Fault::new(Reason::MissingField, field, expected, "nothing"));
        }
    }
}

struct MessageSeed<'m>(&'m mut Message);

impl<'de> DeserializeSeed<'de> for MessageSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MessageSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let message = self.0;
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Version => message.version = map.next_value::<Scalar<'_>>()?.number("v", &mut message.report),
                Field::Mode => {
                    message.mode = Some(map.next_value::<Scalar<'_>>()?.text("mode", &mut message.report));
                }
                Field::Sensor => message.sensor = map.next_value::<Scalar<'_>>()?.text("sensor", &mut message.report),
                Field::Time => {
                    let scalar = map.next_value::<Scalar<'_>>()?;
                    message.time = scalar.parsed("t", "an RFC 3339 time", parse_rfc3339, &mut message.report);
                }
                // The gateway took it from here before the engine was asked; it knows the time of reception.
                Field::Received => {
                    map.next_value::<IgnoredAny>()?;
                }
                Field::Number => message.number = map.next_value::<Scalar<'_>>()?.count("seq", &mut message.report),
                Field::At => message.at = map.next_value::<Option<Spotted>>()?,
                Field::Plots => map.next_value_seed(PlotsSeed(message))?,
                _ => {
                    message.report.ignored_fields += 1;
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct PlotsSeed<'m>(&'m mut Message);

impl<'de> DeserializeSeed<'de> for PlotsSeed<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl PlotsSeed<'_> {
    fn refuse(self, got: &str) {
        self.0.report.fault(Fault::new(Reason::WrongType, "plots", "an array of plots", got));
    }
}

impl<'de> Visitor<'de> for PlotsSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an array of plots")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let message = self.0;
        let mut plots = Vec::new();
        let mut index = 0;
        while index < MAX_PLOTS {
            let seed = PlotSeed { index, report: &mut message.report };
            let Some(plot) = array.next_element_seed(seed)? else { break };
            plots.extend(plot);
            index += 1;
        }
        let mut beyond = 0_u64;
        while index == MAX_PLOTS && array.next_element::<IgnoredAny>()?.is_some() {
            beyond += 1;
        }
        if beyond > 0 {
            let got = format!("{beyond} more");
            message.report.fault(Fault::new(Reason::TooManyPlots, "plots", "at most 10000 plots", &got));
        }
        message.plots_seen = index;
        message.plots = Some(plots);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.refuse("an object");
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.refuse(text);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.refuse("a number");
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.refuse("a number");
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.refuse("a number");
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.refuse("a boolean");
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.refuse("null");
        Ok(())
    }
}

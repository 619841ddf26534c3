//! SAPIENT (BSI Flex 335 version 2): detections, alerts and the state of sensor nodes.
//!
//! Used: `node_id` (the sensor's alias), `timestamp`; of detection reports `report_id` (the duplicate key), `object_id` (a
//! hint), place, `detection_confidence`, `classification`; of alerts the same with `alert_id`; of status reports the place of
//! a mobile node and a fault of its power. Places are taken in degrees, radians and on the universal transverse Mercator
//! grid, ranges in metres and kilometres, bearings against true, grid, magnetic and the platform's north, the last two when
//! the sensor's `sapient` table says how they lie. What cannot be honoured is a fault that names the field. Tasks, signals,
//! files, colours and predicted places are passed over; a report whose `state` is `lost` is no detection.

pub mod message;
mod place;

pub use place::CROSS_TERM;

use prost::Message as _;
use vedette_tracker::Timestamp;

use self::message::{Alert, Classification, Content, DetectionReport, SapientMessage, StatusReport};
use super::{
    CodecState, Context, Fault, HealthReport, Plot, PlotReport, Reading, Reason, Report, Stamper, clock, foreign,
};
use crate::digest::fnv1a;

/// Longest message, by the standard.
pub const MAX_BYTES: usize = 1_024_000;

/// Decodes one message.
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
    if bytes.len() > MAX_BYTES {
        let got = format!("{} bytes", bytes.len());
        return Err(Fault::new(Reason::TooLarge, "message", "at most 1024000 bytes", &got));
    }
    let malformed =
        |error: prost::DecodeError| Fault::new(Reason::Malformed, "message", "a SapientMessage", &error.to_string());
    let message = SapientMessage::decode(bytes).map_err(malformed)?;
    let node = Node { message: &message, context };
    match &message.content {
        Some(Content::DetectionReport(report)) => readings.extend(node.detection(report, state)?),
        Some(Content::Alert(alert)) => readings.extend(node.alert(alert, state)?),
        Some(Content::StatusReport(status)) => readings.push(node.status(status, state)?),
        // Between the link and the node: who is who, what was understood.
        Some(
            Content::Registration(_)
            | Content::RegistrationAck(_)
            | Content::Task(_)
            | Content::TaskAck(_)
            | Content::AlertAck(_)
            | Content::Error(_),
        )
        | None => {}
    }
    Ok(())
}

/// A message whose sender is to be found.
struct Node<'a> {
    message: &'a SapientMessage,
    context: &'a Context<'a>,
}

impl Node<'_> {
    fn sensor(&self) -> Result<usize, Fault> {
        let missing = || Fault::new(Reason::MissingField, "node_id", "a node's UUID", "nothing");
        foreign::sensor(self.context, "node_id", self.message.node_id.as_deref().ok_or_else(missing)?)
    }

    fn time(&self, sensor: usize) -> Result<Timestamp, Fault> {
        let missing = || Fault::new(Reason::MissingField, "timestamp", "seconds since 1970", "nothing");
        let stamp = self.message.timestamp.ok_or_else(missing)?;
        // 3000-01-01 and the edges of a second.
        if !(0..32_503_680_000).contains(&stamp.seconds) || !(0..1_000_000_000).contains(&stamp.nanos) {
            let got = format!("{} s, {} ns", stamp.seconds, stamp.nanos);
            return Err(Fault::new(Reason::OutOfRange, "timestamp", "seconds since 1970 and nanoseconds", &got));
        }
        let time = Timestamp::from_seconds(stamp.seconds).plus_micros(i64::from(stamp.nanos / 1_000));
        clock::plausible("timestamp", time, Stamper::Sensor(sensor), self.context)
    }

    fn detection(&self, report: &DetectionReport, state: &mut CodecState) -> Result<Option<Reading>, Fault> {
        let seen = place::Seen {
            name: "detection_report",
            location: report.location.as_ref(),
            range_bearing: report.range_bearing.as_ref(),
            info: &report.object_info,
        };
        if report.state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("lost")) {
            return Ok(None);
        }
        let object = report.object_id.as_deref().map(fnv1a);
        let confidence = confidence("detection_report.detection_confidence", report.detection_confidence)?;
        let class = class(&report.classification)?;
        let key = ("detection_report.report_id", report.report_id.as_deref());
        let reading = self.reading(seen, key, state)?;
        Ok(Some(Self::with(reading, |plot| Plot { class, confidence, object, ..plot })))
    }

    /// An alert of a node that says where is one more thing it has seen there.
    fn alert(&self, alert: &Alert, state: &mut CodecState) -> Result<Option<Reading>, Fault> {
        if alert.status != Some(message::alert_status::ACTIVE) || !has_place(alert) {
            self.sensor()?;
            return Ok(None);
        }
        let seen = place::Seen {
            name: "alert",
            location: alert.location.as_ref(),
            range_bearing: alert.range_bearing.as_ref(),
            info: &[],
        };
        let confidence = confidence("alert.confidence", alert.confidence)?;
        let reading = self.reading(seen, ("alert.alert_id", alert.alert_id.as_deref()), state)?;
        Ok(Some(Self::with(reading, |plot| Plot { confidence, ..plot })))
    }

    fn reading(
        &self,
        seen: place::Seen<'_>,
        (key_field, key): (&str, Option<&str>),
        state: &mut CodecState,
    ) -> Result<PlotReport, Fault> {
        let index = self.sensor()?;
        let time = self.time(index)?;
        let sensor = &self.context.site.sensors[index];
        let stand = state.stand_of(index).filter(|_| sensor.model.mobile);
        let measured = seen.measured(sensor, self.context.site, stand)?;
        let key = key.ok_or_else(|| Fault::new(Reason::MissingField, key_field, "a ULID", "nothing"))?;
        if state.is_duplicate(index, fnv1a(key), Timestamp::MIN) {
            return Err(Fault::new(Reason::Duplicate, key_field, "a new report", key));
        }
        let plot = Plot { index: 0, measured, class: None, confidence: None, object: None };
        Ok(PlotReport { sensor: index, time, at: stand, plots: vec![plot] })
    }

    fn with(mut report: PlotReport, change: impl FnMut(Plot) -> Plot) -> Reading {
        report.plots = report.plots.into_iter().take(1).map(change).collect();
        Reading::Plots(report)
    }

    fn status(&self, status: &StatusReport, state: &mut CodecState) -> Result<Reading, Fault> {
        let sensor = self.sensor()?;
        if let Some(location) = status.node_location.as_ref().filter(|_| self.context.site.sensors[sensor].model.mobile)
        {
            state.set_stand(sensor, place::stand("status_report.node_location", location)?);
        }
        let fault_of_power = status.power.and_then(|power| power.status).map(|status| status == 2);
        Ok(Reading::Health(HealthReport {
            sensors: vec![sensor],
            battery_low: fault_of_power,
            ..HealthReport::default()
        }))
    }
}

/// Whether an alert says where: only then it is something that was seen.
#[must_use]
pub fn has_place(alert: &Alert) -> bool {
    alert.location.is_some() || alert.range_bearing.is_some()
}

fn confidence(field: &str, value: Option<f32>) -> Result<Option<f64>, Fault> {
    value.map(|value| foreign::share(field, f64::from(value))).transpose()
}

/// The likeliest class that means something here.
fn class(classes: &[Classification]) -> Result<Option<vedette_tracker::ClassProbabilities>, Fault> {
    let mut best: Option<(f64, &str)> = None;
    for class in classes {
        let score = confidence("detection_report.classification.confidence", class.confidence)?.unwrap_or(0.5);
        let label = class.r#type.as_deref().unwrap_or_default();
        if best.is_none_or(|(before, _)| score > before) {
            best = Some((score, label));
        }
    }
    Ok(best.and_then(|(score, label)| foreign::class(label.strip_prefix("Land ").unwrap_or(label), score)))
}

//! What the codecs of other systems have in common: names of sensors, times, classes, boxes in images, repeated events.

use vedette_tracker::{ClassProbabilities, Timestamp};

use super::scalar::Scalar;
use super::{Context, Fault, Measured, Plot, PlotReport, Reading, Reason, Spot, Stamper, clock};
use crate::camera::{ImageBox, Sighting};
use crate::config::Sensor;
use crate::time::parse_rfc3339;

/// The sensor with this name or alias.
pub(super) fn sensor(context: &Context<'_>, field: &str, name: &str) -> Result<usize, Fault> {
    let known = context.site.sensor_named(name);
    known.ok_or_else(|| Fault::new(Reason::UnknownSensor, field, "a configured sensor's id or alias", name))
}

/// The sensor that a level of the topic names; when none does, the level that should have.
pub(super) fn sensor_of_topic(context: &Context<'_>, usual_level: usize) -> Result<usize, Fault> {
    let topic = context.topic.unwrap_or_default();
    let named = topic.split('/').find_map(|level| context.site.sensor_named(level));
    named.ok_or_else(|| {
        let name = topic.split('/').nth(usual_level).unwrap_or(topic);
        Fault::new(Reason::UnknownSensor, "topic", "a level that is a configured sensor's id or alias", name)
    })
}

/// Refuses what the broker had kept: it tells how things were, not that something happened.
pub(super) fn refuse_retained(context: &Context<'_>) -> Result<(), Fault> {
    if context.retained {
        return Err(Fault::new(Reason::Retained, "message", "an event", "a state the broker had kept"));
    }
    Ok(())
}

/// The time that a sensor's message is stamped with; one without a zone is UTC.
pub(super) fn time(field: &str, stamp: &Scalar<'_>, sensor: usize, context: &Context<'_>) -> Result<Timestamp, Fault> {
    match stamp {
        Scalar::Text(text) => {
            let stamped = parse_rfc3339(text).or_else(|| parse_rfc3339(&format!("{text}Z")));
            let stamped = stamped.ok_or_else(|| Fault::new(Reason::WrongType, field, "an RFC 3339 time", text))?;
            clock::plausible(field, stamped, Stamper::Sensor(sensor), context)
        }
        Scalar::Null => Err(Fault::new(Reason::MissingField, field, "an RFC 3339 time", "nothing")),
        other => Err(other.wrong_type(field, "an RFC 3339 time")),
    }
}

/// The time of a sensor's message that is stamped in seconds since 1970.
pub(super) fn epoch_time(
    field: &str,
    seconds: Option<f64>,
    sensor: usize,
    context: &Context<'_>,
) -> Result<Timestamp, Fault> {
    let missing = || Fault::new(Reason::MissingField, field, "seconds since 1970", "nothing");
    let seconds = seconds.ok_or_else(missing)?;
    let stamped = epoch_seconds(seconds)
        .ok_or_else(|| Fault::new(Reason::OutOfRange, field, "seconds since 1970", &seconds.to_string()))?;
    clock::plausible(field, stamped, Stamper::Sensor(sensor), context)
}

/// Seconds since 1970, as floats carry them.
pub(super) fn epoch_seconds(seconds: f64) -> Option<Timestamp> {
    (0.0..=32_503_680_000.0).contains(&seconds).then(|| Timestamp::from_seconds(0).plus_seconds(seconds))
}

/// A share from 0 to 1, or a fault of this field.
pub(super) fn share(field: &str, value: f64) -> Result<f64, Fault> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    let reason = if value.is_finite() { Reason::OutOfRange } else { Reason::NotFinite };
    Err(Fault::new(reason, field, "a number from 0 to 1", &value.to_string()))
}

/// Class probabilities for a label of an image classifier and its score; none for labels of other things.
pub(super) fn class(label: &str, score: f64) -> Option<ClassProbabilities> {
    let score = score.clamp(0.34, 0.98);
    let rest = (1.0 - score) / 2.0;
    let lower = label.to_ascii_lowercase();
    // "Vehical" is how one widespread standard's examples spell it.
    match lower.as_str() {
        "person" | "human" | "humanface" | "face" | "head" | "pedestrian" | "people" => {
            Some(ClassProbabilities { person: score, animal: rest, vehicle: rest })
        }
        "vehicle" | "vehical" | "car" | "truck" | "bus" | "motorcycle" | "motorbike" | "bicycle" | "bike" | "van"
        | "tractor" | "train" | "boat" => Some(ClassProbabilities { person: rest, animal: rest, vehicle: score }),
        "animal" | "dog" | "cat" | "horse" | "cow" | "sheep" | "deer" | "bear" | "fox" | "boar" | "bird" | "goat" => {
            Some(ClassProbabilities { person: rest, animal: score, vehicle: rest })
        }
        _ => None,
    }
}

/// What a box in a camera's image says about where the object is.
///
/// # Errors
/// When the box is no box of the image, or the sensor has no camera's view.
pub(super) fn sighting(sensor: &Sensor, seen: ImageBox) -> Result<Measured, Fault> {
    let Some(camera) = &sensor.camera else {
        let expected = "a camera whose coverage is a sector narrower than 170 degrees, or with a camera table";
        return Err(Fault::new(Reason::WrongSensor, "camera", expected, &sensor.model.id));
    };
    let ImageBox { left, right, top, bottom } = seen;
    let inside =
        |low: f64, high: f64| low.is_finite() && high.is_finite() && low <= high && low >= -0.05 && high <= 1.05;
    if !inside(left, right) || !inside(top, bottom) {
        let got = format!("{left:.3} to {right:.3}, {top:.3} to {bottom:.3}");
        let expected = "edges inside the image, left before right, top above bottom";
        return Err(Fault::new(Reason::OutOfRange, "box", expected, &got));
    }
    Ok(match camera.locate(seen, sensor.model.position_m, sensor.model.azimuth_sd_rad) {
        Sighting::Bearing { azimuth_deg, azimuth_sd_deg } => {
            Measured::Bearing { azimuth_deg, azimuth_sd_deg: Some(azimuth_sd_deg) }
        }
        Sighting::Ground { position_m: [east_m, north_m], covariance_m2 } => {
            let spot = Spot::Site { east_m, north_m };
            Measured::Position { spot, sd_m: None, covariance_m2: Some(covariance_m2) }
        }
    })
}

/// One plot of one sensor.
pub(super) fn one_plot(sensor: usize, time: Timestamp, measured: Measured) -> Reading {
    let plot = Plot { index: 0, measured, class: None, confidence: None, object: None };
    Reading::Plots(PlotReport { sensor, time, at: None, plots: vec![plot] })
}

/// One event of a sensor that only knows that something is there; a crossing, where its coverage is a line.
pub(super) fn event(context: &Context<'_>, sensor: usize, time: Timestamp, strength: Option<f64>) -> Reading {
    let is_line = context.site.sensors[sensor].model.kind == vedette_tracker::SensorKind::Tripwire;
    let measured = if is_line { Measured::Crossing { direction: None } } else { Measured::Presence { strength } };
    one_plot(sensor, time, measured)
}

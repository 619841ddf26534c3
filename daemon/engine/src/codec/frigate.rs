//! Frigate events (`frigate/events`): the newest box of an object in a camera's image, as a bearing or a place.
//!
//! Used: `type`, and of `after`: `camera` (the sensor's id or alias), `id` (with `frame_time` the duplicate key; a hint for
//! association), `label`, `score`, `box`, `frame_time`, `false_positive`. The boxes are in pixels and the frame's size is not
//! in the message: it is the camera's `image_px`. `top_score` is the best of the past and is not used.

use std::borrow::Cow;

use serde::Deserialize;

use super::{CodecState, Context, Fault, Plot, PlotReport, Reading, Reason, Report, foreign, json};
use crate::camera::ImageBox;
use crate::digest::fnv1a;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    after: Option<After<'a>>,
}

#[derive(Deserialize)]
struct After<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    camera: Cow<'a, str>,
    #[serde(borrow)]
    label: Cow<'a, str>,
    score: f64,
    r#box: [f64; 4],
    frame_time: f64,
    #[serde(default)]
    false_positive: bool,
}

/// Decodes one event.
pub(super) fn decode(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    match read(bytes, context, state) {
        Ok(reading) => {
            readings.extend(reading);
            Report::default()
        }
        Err(fault) => Report::of(fault),
    }
}

fn read(bytes: &[u8], context: &Context<'_>, state: &mut CodecState) -> Result<Option<Reading>, Fault> {
    foreign::refuse_retained(context)?;
    let text = json::text(bytes)?;
    let message: Message<'_> = json::read(&text)?;
    // The end of an event repeats its last box, and may belong to an event that was superseded.
    if message.r#type == "end" {
        return Ok(None);
    }
    let after = message.after.ok_or_else(|| Fault::new(Reason::MissingField, "after", "an object", "nothing"))?;
    let index = foreign::sensor(context, "after.camera", &after.camera)?;
    if after.false_positive {
        return Ok(None);
    }
    let time = foreign::epoch_time("after.frame_time", Some(after.frame_time), index, context)?;
    let object = fnv1a(&after.id);
    if state.is_duplicate(index, object, time) {
        return Err(Fault::new(Reason::Duplicate, "after.id", "a new frame of the object", &after.id));
    }
    let sensor = &context.site.sensors[index];
    let Some([width_px, height_px]) = sensor.camera.as_ref().and_then(|camera| camera.image_px) else {
        let expected = "a camera with image_px, since the box is in pixels";
        return Err(Fault::new(Reason::WrongSensor, "after.box", expected, &sensor.model.id));
    };
    let [left, top, right, bottom] = after.r#box;
    let seen =
        ImageBox { left: left / width_px, right: right / width_px, top: top / height_px, bottom: bottom / height_px };
    let measured = foreign::sighting(sensor, seen)?;
    let confidence = Some(foreign::share("after.score", after.score)?);
    let class = foreign::class(&after.label, after.score);
    let plot = Plot { index: 0, measured, class, confidence, object: Some(object) };
    Ok(Some(Reading::Plots(PlotReport { sensor: index, time, at: None, plots: vec![plot] })))
}

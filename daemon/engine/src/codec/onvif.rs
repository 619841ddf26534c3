//! ONVIF Profile M analytics over MQTT: the objects of a camera's frames (`{prefix}/onvif-mj/..`), and its events
//! (`{prefix}/onvif-ej/..`).
//!
//! Used of metadata: `Frame[].@UtcTime` (without a zone it is UTC; the duplicate key), `Transformation` (to -1..1, y
//! upwards), and of each object `@ObjectId` (a hint), the `BoundingBox`, the likeliest `Class.Type` and `GeoLocation`. Used
//! of events: `UtcTime` and the first truth value of `Data`; a property that turns true is one event, one that stays true
//! is none. A level of the topic is the camera's id or alias. Everything about faces, bodies, clothes and plates is passed
//! over unread.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::scalar::Scalar;
use super::{CodecState, Context, Fault, Measured, Plot, PlotReport, Reading, Reason, Report, Spot, foreign, json};
use crate::camera::ImageBox;
use crate::digest::fnv1a;

mod event;

/// Most frames of one message, and objects of one frame.
const MAX_FRAMES: usize = 100;
const MAX_OBJECTS: usize = 1_000;
/// `{prefix}/onvif-mj/VideoAnalytics/{profile}/..`: the level that names the camera, when the prefix is one level.
const PROFILE_LEVEL: usize = 3;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "Frame", borrow)]
    frames: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "@UtcTime", borrow, default)]
    utc_time: Scalar<'a>,
    #[serde(rename = "Transformation")]
    transformation: Option<Transformation>,
    #[serde(rename = "Object", borrow, default)]
    objects: Vec<&'a RawValue>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transformation {
    translate: Option<Pair>,
    scale: Option<Pair>,
}

#[derive(Clone, Copy, Deserialize)]
struct Pair {
    #[serde(rename = "@x")]
    x: f64,
    #[serde(rename = "@y")]
    y: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Object<'a> {
    #[serde(rename = "@ObjectId", borrow, default)]
    object_id: Scalar<'a>,
    #[serde(borrow)]
    appearance: Option<Appearance<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Appearance<'a> {
    shape: Option<Shape>,
    #[serde(borrow)]
    class: Option<Class<'a>>,
    geo_location: Option<GeoLocation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shape {
    bounding_box: Option<BoundingBox>,
}

#[derive(Deserialize)]
struct BoundingBox {
    #[serde(rename = "@left")]
    left: f64,
    #[serde(rename = "@right")]
    right: f64,
    #[serde(rename = "@top")]
    top: f64,
    #[serde(rename = "@bottom")]
    bottom: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Class<'a> {
    #[serde(borrow, default)]
    r#type: Vec<Type<'a>>,
}

#[derive(Deserialize)]
struct Type<'a> {
    #[serde(rename = "@Likelihood")]
    likelihood: Option<f64>,
    #[serde(rename = "#text", borrow, default)]
    text: Scalar<'a>,
}

#[derive(Deserialize)]
struct GeoLocation {
    #[serde(rename = "@lat")]
    lat: f64,
    #[serde(rename = "@lon")]
    lon: f64,
}

/// Decodes one message of frames, or one event.
pub(super) fn decode(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    // A kept message with nothing in it says that a topic was deleted.
    if bytes.is_empty() {
        return Report::default();
    }
    Report::gathered(|report| read(bytes, context, state, report, readings))
}

fn read(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    report: &mut Report,
    readings: &mut Vec<Reading>,
) -> Result<(), Fault> {
    let text = json::text(bytes)?;
    if context.topic.is_some_and(|topic| topic.contains("/onvif-ej/")) {
        return event::read(&text, context, state, report, readings);
    }
    foreign::refuse_retained(context)?;
    let message: Message<'_> = json::read(&text)?;
    let Some(frames) = message.frames else {
        return Err(Fault::new(Reason::MissingField, "Frame", "an array of frames", "nothing"));
    };
    let sensor = foreign::sensor_of_topic(context, PROFILE_LEVEL)?;
    if frames.len() > MAX_FRAMES {
        let got = format!("{} frames", frames.len());
        report.fault(Fault::new(Reason::TooManyPlots, "Frame", "at most 100 frames", &got));
    }
    for frame in frames.iter().take(MAX_FRAMES) {
        let taken = json::item(frame, "Frame").and_then(|frame| take_frame(&frame, sensor, context, state, report));
        match taken {
            Ok(reading) => readings.extend(reading),
            Err(fault) => report.fault(fault),
        }
    }
    Ok(())
}

fn take_frame(
    frame: &Frame<'_>,
    sensor: usize,
    context: &Context<'_>,
    state: &mut CodecState,
    report: &mut Report,
) -> Result<Option<Reading>, Fault> {
    let time = foreign::time("Frame.@UtcTime", &frame.utc_time, sensor, context)?;
    if state.is_duplicate(sensor, 0, time) {
        return Err(Fault::new(Reason::Duplicate, "Frame.@UtcTime", "a new frame", "a frame of this time again"));
    }
    if frame.objects.len() > MAX_OBJECTS {
        let got = format!("{} objects", frame.objects.len());
        report.fault(Fault::new(Reason::TooManyPlots, "Frame.Object", "at most 1000 objects", &got));
    }
    let mut plots = Vec::with_capacity(frame.objects.len().min(MAX_OBJECTS));
    let transformation = frame.transformation.unwrap_or_default();
    for (index, object) in frame.objects.iter().take(MAX_OBJECTS).enumerate() {
        let plot = json::item(object, "Object")
            .and_then(|object| plot(index, &object, transformation, (sensor, context), report));
        match plot {
            Ok(plot) => plots.push(plot),
            Err(fault) => report.fault(fault.of_plot(index)),
        }
    }
    let readable = frame.objects.is_empty() || !plots.is_empty();
    Ok(readable.then_some(Reading::Plots(PlotReport { sensor, time, at: None, plots })))
}

fn plot(
    index: usize,
    object: &Object<'_>,
    transformation: Transformation,
    (sensor, context): (usize, &Context<'_>),
    report: &mut Report,
) -> Result<Plot, Fault> {
    let missing = |field: &str| Fault::new(Reason::MissingField, field, "BoundingBox or GeoLocation", "neither");
    let appearance = object.appearance.as_ref().ok_or_else(|| missing("Object.Appearance"))?;
    let edges = appearance.shape.as_ref().and_then(|shape| shape.bounding_box.as_ref());
    let measured = match (&appearance.geo_location, edges) {
        (Some(place), _) => {
            Measured::Position { spot: Spot::Wgs84 { lat: place.lat, lon: place.lon }, sd_m: None, covariance_m2: None }
        }
        (None, Some(edges)) => foreign::sighting(&context.site.sensors[sensor], transformation.image_box(edges))?,
        (None, None) => return Err(missing("Object.Appearance.Shape")),
    };
    let types = appearance.class.as_ref().map_or(&[][..], |class| class.r#type.as_slice());
    let likelihood = |kind: &Type<'_>| kind.likelihood.filter(|share| (0.0..=1.0).contains(share)).unwrap_or(0.5);
    let likeliest = types.iter().max_by(|a, b| likelihood(a).total_cmp(&likelihood(b)));
    let label = likeliest.and_then(|kind| Some((kind.text.name("Class.Type.#text", report)?, likelihood(kind))));
    let class = label.as_ref().and_then(|(label, share)| foreign::class(label, *share));
    let object = object.object_id.name("Object.@ObjectId", report).map(|id| fnv1a(&id));
    Ok(Plot { index, measured, class, confidence: label.map(|(_, share)| share), object })
}

impl Transformation {
    /// From the message's own coordinates to shares of the image: after the transformation -1 is the image's left and
    /// lower edge, 1 its right and upper edge.
    fn image_box(self, edges: &BoundingBox) -> ImageBox {
        let scale = self.scale.unwrap_or(Pair { x: 1.0, y: 1.0 });
        let shift = self.translate.unwrap_or(Pair { x: 0.0, y: 0.0 });
        let across = |x: f64| (x * scale.x + shift.x + 1.0) / 2.0;
        let down = |y: f64| (1.0 - y * scale.y - shift.y) / 2.0;
        // A scale below zero mirrors the message's axis; some cameras call the upper edge of such a box its bottom.
        let (one, other) = (down(edges.top), down(edges.bottom));
        ImageBox { left: across(edges.left), right: across(edges.right), top: one.min(other), bottom: one.max(other) }
    }
}

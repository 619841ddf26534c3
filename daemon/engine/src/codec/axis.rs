//! Axis scene description: all objects of one frame of a camera, as bearings or places on the ground.
//!
//! Used: `timestamp`, `channel_id` (with the serial number in the topic it names the camera), and of each detection
//! `bounding_box` (shares of the image, y downwards), `class` (`type`, `score`), `geoposition` where the camera gives one
//! and `track_id` (a hint, see [`Plot::object`]). Read in the stable form (`com.axis.scene.frame.v1`: `timestamp`,
//! `detections`) and in the older one (`frame` with `observations`). Snapshots of objects, colours and clothes are passed
//! over. A frame that comes again is known by its time.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::scalar::Scalar;
use super::{CodecState, Context, Fault, Measured, Plot, PlotReport, Reading, Reason, Report, Spot, foreign, json};
use crate::camera::ImageBox;
use crate::digest::fnv1a;

/// Most objects of one frame.
const MAX_OBJECTS: usize = 1_000;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    timestamp: Scalar<'a>,
    #[serde(borrow)]
    detections: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    frame: Option<Frame<'a>>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, default)]
    timestamp: Scalar<'a>,
    #[serde(borrow)]
    observations: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, default)]
    track_id: Scalar<'a>,
    bounding_box: Option<Edges>,
    #[serde(borrow)]
    class: Option<Class<'a>>,
    geoposition: Option<Geoposition>,
}

#[derive(Deserialize)]
struct Edges {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

#[derive(Deserialize)]
struct Class<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    score: Option<f64>,
}

#[derive(Deserialize)]
struct Geoposition {
    latitude: f64,
    longitude: f64,
}

/// Decodes one frame.
pub(super) fn decode(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    Report::gathered(|report| {
        readings.extend(read(bytes, context, state, report)?);
        Ok(())
    })
}

fn read(
    bytes: &[u8],
    context: &Context<'_>,
    state: &mut CodecState,
    report: &mut Report,
) -> Result<Option<Reading>, Fault> {
    foreign::refuse_retained(context)?;
    let text = json::text(bytes)?;
    let message: Message<'_> = json::read(&text)?;
    let (stamp, objects) = match (message.detections, message.frame) {
        (Some(objects), _) => (message.timestamp, objects),
        (None, Some(frame)) => (frame.timestamp, frame.observations),
        (None, None) => return Err(Fault::new(Reason::MissingField, "detections", "an array of objects", "nothing")),
    };
    let sensor = foreign::sensor_of_topic(context, 0)?;
    let time = foreign::time("timestamp", &stamp, sensor, context)?;
    if state.is_duplicate(sensor, 0, time) {
        return Err(Fault::new(Reason::Duplicate, "timestamp", "a new frame", "a frame of this time again"));
    }
    if objects.len() > MAX_OBJECTS {
        let got = format!("{} objects", objects.len());
        report.fault(Fault::new(Reason::TooManyPlots, "detections", "at most 1000 objects", &got));
    }
    let seen = objects.len();
    let mut plots = Vec::with_capacity(seen.min(MAX_OBJECTS));
    for (index, object) in objects.iter().take(MAX_OBJECTS).enumerate() {
        match json::item(object, "detections").and_then(|object| plot(index, &object, sensor, context, report)) {
            Ok(plot) => plots.push(plot),
            Err(fault) => report.fault(fault.of_plot(index)),
        }
    }
    // Objects that could not be read are no empty image.
    Ok((seen == 0 || !plots.is_empty()).then_some(Reading::Plots(PlotReport { sensor, time, at: None, plots })))
}

fn plot(
    index: usize,
    object: &Object<'_>,
    sensor: usize,
    context: &Context<'_>,
    report: &mut Report,
) -> Result<Plot, Fault> {
    let measured = match (&object.geoposition, &object.bounding_box) {
        (Some(place), _) => {
            let spot = Spot::Wgs84 { lat: place.latitude, lon: place.longitude };
            Measured::Position { spot, sd_m: None, covariance_m2: None }
        }
        (None, Some(Edges { left, right, top, bottom })) => {
            let seen = ImageBox { left: *left, right: *right, top: *top, bottom: *bottom };
            foreign::sighting(&context.site.sensors[sensor], seen)?
        }
        (None, None) => {
            return Err(Fault::new(Reason::MissingField, "bounding_box", "bounding_box or geoposition", "neither"));
        }
    };
    let score = object.class.as_ref().and_then(|class| class.score);
    let confidence = score.map(|score| foreign::share("class.score", score)).transpose()?;
    let class = object.class.as_ref().and_then(|class| foreign::class(&class.r#type, score.unwrap_or(0.5)));
    let object = object.track_id.name("track_id", report).map(|id| fnv1a(&id));
    Ok(Plot { index, measured, class, confidence, object })
}

//! The picture as a GeoJSON feature collection (RFC 7946), for whoever wants a quick map.

use serde_json::{Value, json};
use vedette_engine::SensorKind;
use vedette_engine::time::format_rfc3339;

use super::{SeenSensor, SeenTrack, View};

/// Tracks and sensors as points; the uncertainty of a track is a property, since GeoJSON has no ellipse.
#[must_use]
pub fn feature_collection(view: &View) -> Value {
    let features: Vec<Value> = view.tracks.iter().map(track).chain(view.sensors.iter().map(sensor)).collect();
    json!({
        "type": "FeatureCollection",
        "features": features,
        "properties": {"site": view.site, "at": format_rfc3339(view.at)},
    })
}

fn track(track: &SeenTrack) -> Value {
    let SeenTrack { class, covariance_m2, .. } = track;
    json!({
        "type": "Feature",
        "id": format!("track-{}", track.id),
        "geometry": {"type": "Point", "coordinates": [track.place.lon, track.place.lat]},
        "properties": {
            "kind": "track",
            "track": track.id,
            "existence": track.existence,
            "localised": track.localised,
            "coasting": track.coasting,
            "cov_m2": covariance_m2,
            "speed_mps": track.speed_mps,
            "course_deg": track.course_deg,
            "class": {"person": class.person, "animal": class.animal, "vehicle": class.vehicle},
            "count": [track.count.0, track.count.1],
            "first_seen": format_rfc3339(track.first_seen),
            "last_seen": format_rfc3339(track.last_seen),
            "sensors": track.seen_by.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        },
    })
}

fn sensor(sensor: &SeenSensor) -> Value {
    json!({
        "type": "Feature",
        "id": format!("sensor-{}", sensor.id),
        "geometry": {"type": "Point", "coordinates": [sensor.place.lon, sensor.place.lat]},
        "properties": {
            "kind": "sensor",
            "sensor": sensor.id,
            "sensor_kind": kind(sensor.kind),
            "last_heard": sensor.last_heard.map(format_rfc3339),
        },
    })
}

fn kind(kind: SensorKind) -> &'static str {
    match kind {
        SensorKind::Radar => "radar",
        SensorKind::Camera => "camera",
        SensorKind::Pir => "pir",
        SensorKind::Seismic => "seismic",
        SensorKind::Tripwire => "tripwire",
        SensorKind::Rf => "rf",
        SensorKind::Acoustic => "acoustic",
    }
}

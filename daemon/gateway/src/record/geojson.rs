//! Tracks as the ecosystem's viewers read them.

use serde_json::{Value, json};
use vedette_engine::geo::SiteFrame;
use vedette_engine::{Picture, TrackStatus};

/// A `foxglove.GeoJSON` message: one point for each confirmed track.
#[must_use]
pub fn geo_json(picture: &Picture, frame: &SiteFrame) -> Value {
    let confirmed = picture.tracks.iter().filter(|track| track.status == TrackStatus::Confirmed);
    let feature = |track: &vedette_engine::Track| {
        let (lat, lon) = frame.to_wgs84(track.position_m);
        let speed_mps = track.velocity_mps.norm();
        json!({
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {"name": track.id.0.to_string(), "existence": track.existence, "speed_mps": speed_mps},
        })
    };
    let features: Vec<Value> = confirmed.map(feature).collect();
    let collection = json!({"type": "FeatureCollection", "features": features});
    json!({"geojson": collection.to_string()})
}

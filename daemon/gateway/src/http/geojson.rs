//! `/tracks.geojson`: confirmed tracks and sensors, for a map.

use super::{Observation, Page};
use crate::sink::geojson::feature_collection;

pub(super) fn page(observation: &Observation) -> Page {
    let body = feature_collection(&observation.view).to_string();
    Page { media_type: "application/geo+json", ..Page::text("200 OK", body) }
}

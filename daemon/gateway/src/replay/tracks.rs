//! The tracks file: one line for each picture, written once and never revised.

use std::io::Write;

use serde::Serialize;
use vedette_engine::config::Site;
use vedette_engine::geo::SiteFrame;
use vedette_engine::time::format_rfc3339;
use vedette_engine::{ClassProbabilities, Picture, Track, TrackStatus};

/// Writes pictures as JSON lines.
#[derive(Debug)]
pub struct TrackWriter {
    frame: SiteFrame,
    sensors: Vec<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    t: String,
    now: String,
    tracks: Vec<TrackRow<'a>>,
}

#[derive(Serialize)]
struct TrackRow<'a> {
    id: u64,
    status: TrackStatus,
    /// The place; absent while the track is too uncertain for a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    lat: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lon: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    east_m: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    north_m: Option<f64>,
    /// East-east, east-north, north-north.
    cov_m2: [f64; 3],
    ve_mps: f64,
    vn_mps: f64,
    existence: f64,
    class: ClassProbabilities,
    sensors: Vec<&'a str>,
}

impl TrackWriter {
    /// A writer for the tracks of this site.
    #[must_use]
    pub fn new(site: &Site) -> Self {
        Self { frame: site.frame, sensors: site.sensors.iter().map(|sensor| sensor.model.id.clone()).collect() }
    }

    /// Appends one line.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, picture: &Picture, out: &mut impl Write) -> std::io::Result<()> {
        let tracks = picture.tracks.iter().map(|track| self.row(track)).collect();
        let line = Line { t: format_rfc3339(picture.at), now: format_rfc3339(picture.now), tracks };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        out.write_all(&bytes)
    }

    fn row(&self, track: &Track) -> TrackRow<'_> {
        let (position, covariance) = (track.position_m, track.position_covariance_m2);
        let degrees = track.localised.then(|| self.frame.to_wgs84(position));
        let class = track.class;
        let name = |index: usize| self.sensors.get(index).map_or("", String::as_str);
        TrackRow {
            id: track.id.0,
            status: track.status,
            lat: degrees.map(|(lat, _)| round(lat, 1e7)),
            lon: degrees.map(|(_, lon)| round(lon, 1e7)),
            east_m: track.localised.then(|| round(position.x, 1e3)),
            north_m: track.localised.then(|| round(position.y, 1e3)),
            cov_m2: [covariance.m11, covariance.m12, covariance.m22].map(|value| round(value, 1e4)),
            ve_mps: round(track.velocity_mps.x, 1e4),
            vn_mps: round(track.velocity_mps.y, 1e4),
            existence: round(track.existence, 1e6),
            class: ClassProbabilities {
                person: round(class.person, 1e6),
                animal: round(class.animal, 1e6),
                vehicle: round(class.vehicle, 1e6),
            },
            sensors: track.contributions.iter().map(|contribution| name(contribution.sensor)).collect(),
        }
    }
}

/// `value` to the nearest of `steps` steps a unit: a millimetre or a hundredth of an arc second is enough for a file.
fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

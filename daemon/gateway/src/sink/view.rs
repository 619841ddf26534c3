//! The picture as other systems take it: places on the globe, names instead of indices.

use vedette_engine::config::LatLon;
use vedette_engine::{ClassProbabilities, Engine, SensorKind, Timestamp, Track, TrackStatus};

/// Everything a sink shows, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The gateway's name.
    pub site: String,
    /// Origin of the site.
    pub origin: LatLon,
    /// The moment.
    pub at: Timestamp,
    /// Confirmed tracks.
    pub tracks: Vec<SeenTrack>,
    /// Sensors with a place.
    pub sensors: Vec<SeenSensor>,
}

/// One confirmed track.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenTrack {
    /// Its number.
    pub id: u64,
    /// Where.
    pub place: LatLon,
    /// Covariance: east-east, east-north, north-north.
    pub covariance_m2: [f64; 3],
    /// Whether the place is certain enough to be a point.
    pub localised: bool,
    /// No sensor has seen it for longer than usual.
    pub coasting: bool,
    /// Speed.
    pub speed_mps: f64,
    /// Direction, degrees clockwise from true north.
    pub course_deg: f64,
    /// Speed eastwards and northwards.
    pub velocity_mps: [f64; 2],
    /// Probability that the object exists.
    pub existence: f64,
    /// What it is.
    pub class: ClassProbabilities,
    /// How many, a 95 % range.
    pub count: (u32, u32),
    /// First plot.
    pub first_seen: Timestamp,
    /// Last plot.
    pub last_seen: Timestamp,
    /// Who saw it, with the time of the last plot.
    pub seen_by: Vec<(String, Timestamp)>,
}

/// One sensor with a place.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenSensor {
    /// Its name.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Its kind.
    pub kind: SensorKind,
    /// Where it stands.
    pub place: LatLon,
    /// When it was last heard.
    pub last_heard: Option<Timestamp>,
}

impl View {
    /// The engine's picture at `at`.
    #[must_use]
    pub fn new(engine: &Engine, at: Timestamp) -> Self {
        let site = engine.site();
        let status = engine.status();
        let name = |index: usize| site.sensors.get(index).map_or_else(String::new, |sensor| sensor.model.id.clone());
        let sensors =
            site.sensors.iter().zip(&status.sensors).filter(|(sensor, _)| sensor.placed && !sensor.model.mobile);
        Self {
            site: site.id.clone(),
            origin: site.frame.to_geodetic(0.0, 0.0),
            at,
            tracks: engine
                .picture(at)
                .tracks
                .iter()
                .filter(|track| track.status == TrackStatus::Confirmed)
                .map(|track| seen(track, site, &name))
                .collect(),
            sensors: sensors
                .map(|(sensor, status)| SeenSensor {
                    id: sensor.model.id.clone(),
                    aliases: sensor.aliases.clone(),
                    kind: sensor.model.kind,
                    place: site.frame.to_geodetic(sensor.model.position_m.x, sensor.model.position_m.y),
                    last_heard: status.last_heard,
                })
                .collect(),
        }
    }
}

fn seen(track: &Track, site: &vedette_engine::config::Site, name: &dyn Fn(usize) -> String) -> SeenTrack {
    let (position, velocity, covariance) = (track.position_m, track.velocity_mps, track.position_covariance_m2);
    let frame_course = velocity.x.atan2(velocity.y);
    let course_deg = (frame_course - site.frame.convergence_rad(position)).to_degrees().rem_euclid(360.0);
    SeenTrack {
        id: track.id.0,
        place: site.frame.to_geodetic(position.x, position.y),
        covariance_m2: [covariance.m11, covariance.m12, covariance.m22],
        localised: track.localised,
        coasting: track.coasting,
        speed_mps: velocity.x.hypot(velocity.y),
        course_deg,
        velocity_mps: [velocity.x, velocity.y],
        existence: track.existence,
        class: track.class,
        count: track.count,
        first_seen: track.first_seen,
        last_seen: track.last_seen,
        seen_by: track.contributions.iter().map(|share| (name(share.sensor), share.time)).collect(),
    }
}

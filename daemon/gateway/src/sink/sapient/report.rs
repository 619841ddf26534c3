//! Tracks and alerts as SAPIENT says them.

use vedette_engine::codec::sapient::CROSS_TERM;
use vedette_engine::codec::sapient::message::{
    Alert as Told, AssociatedDetection, Classification, DetectionReport, EnuVelocity, Location, TrackObjectInfo,
    alert_priority, alert_status, alert_type, association_relation, coordinate_system, location_datum,
};
use vedette_engine::config::LatLon;
use vedette_engine::{Alert, AlertKind, AlertState, Mode, Place, Severity, Timestamp};

use super::super::{SeenTrack, View};
use crate::sapient::{CLASSES, stamp, ulid, uuid};

/// Metres of one degree of latitude: good to a percent, which errors need no better.
const METRES_PER_DEGREE: f64 = 111_320.0;
/// Half axes of a 95 % ellipse against standard deviations.
const SIGMAS_OF_95_PERCENT: f64 = 2.447_746_83;

/// Name of a track over there.
pub(super) fn object_id(view: &View, track: u64, first_seen: Timestamp) -> String {
    ulid(first_seen, &format!("{}/track/{track}", view.site))
}

/// Name of a zone over there.
fn zone_id(view: &View, zone: &str) -> String {
    ulid(Timestamp::from_seconds(0), &format!("{}/zone/{zone}", view.site))
}

/// A track with its covariance, velocity, classes, and whose detections it was made from.
pub(super) fn track(track: &SeenTrack, view: &View, now: Timestamp) -> DetectionReport {
    let [ee, en, nn] = track.covariance_m2;
    let info = |name: &str, value: String| TrackObjectInfo { r#type: Some(name.to_owned()), value: Some(value) };
    let shares = [track.class.person, track.class.animal, track.class.vehicle];
    let classes = CLASSES.iter().zip(shares);
    let [east_rate, north_rate] = track.velocity_mps;
    DetectionReport {
        report_id: Some(ulid(now, &format!("{}/report/{}/{}", view.site, track.id, view.at.as_micros()))),
        object_id: Some(object_id(view, track.id, track.first_seen)),
        location: Some(location(track.place, Some([ee.sqrt(), nn.sqrt()]))),
        detection_confidence: Some(share(track.existence)),
        object_info: vec![
            info(CROSS_TERM, format!("{en:.3}")),
            info("count_low", track.count.0.to_string()),
            info("count_high", track.count.1.to_string()),
            info("coasting", track.coasting.to_string()),
        ],
        classification: classes
            .map(|(name, probability)| Classification {
                r#type: Some((*name).to_owned()),
                confidence: Some(share(probability)),
            })
            .collect(),
        associated_detection: track.seen_by.iter().map(|(name, time)| made_from(view, name, track.id, *time)).collect(),
        enu_velocity: Some(EnuVelocity {
            east_rate: Some(east_rate),
            north_rate: Some(north_rate),
            ..EnuVelocity::default()
        }),
        ..DetectionReport::default()
    }
}

/// A track that is no more.
pub(super) fn lost(view: &View, object_id: String, now: Timestamp) -> DetectionReport {
    DetectionReport {
        report_id: Some(ulid(now, &format!("{}/lost/{object_id}", view.site))),
        object_id: Some(object_id),
        state: Some("lost".to_owned()),
        location: Some(location(view.origin, None)),
        ..DetectionReport::default()
    }
}

/// A sensor's part in a track. Nodes of SAPIENT have a UUID among their names; others get one of their own.
fn made_from(view: &View, name: &str, track: u64, time: Timestamp) -> AssociatedDetection {
    let aliases = view.sensors.iter().find(|sensor| sensor.id == name).map_or(&[][..], |sensor| &sensor.aliases);
    let node = aliases.iter().find(|alias| alias.len() == 36 && alias.matches('-').count() == 4);
    AssociatedDetection {
        timestamp: Some(stamp(time)),
        node_id: Some(node.cloned().unwrap_or_else(|| uuid(&format!("{}/sensor/{name}", view.site)))),
        object_id: Some(ulid(time, &format!("{}/{name}/{track}", view.site))),
        association_type: Some(association_relation::CHILD),
    }
}

/// An alert with the track it is about.
pub(super) fn alert(alert: &Alert, ulid: &str, view: &View, node_id: &str) -> Told {
    let number = alert.dedup_key.rsplit_once("track-").and_then(|(_, number)| number.parse::<u64>().ok());
    let about = number.and_then(|number| view.tracks.iter().find(|track| track.id == number));
    let location = match &alert.place {
        Some(Place::Point { lat, lon, ellipse }) => {
            let sd_m = ellipse.major_m / SIGMAS_OF_95_PERCENT;
            Some(location(LatLon { lat: *lat, lon: *lon }, Some([sd_m, sd_m])))
        }
        Some(Place::Area { name }) => {
            view.sensors.iter().find(|sensor| sensor.id == *name).map(|sensor| location(sensor.place, None))
        }
        _ => None,
    };
    let mode = match alert.mode {
        Mode::Actual => "",
        Mode::Exercise => "EXERCISE ",
        Mode::Test => "TEST ",
    };
    Told {
        alert_id: Some(ulid.to_owned()),
        alert_type: Some(kind(alert)),
        status: Some(match alert.state {
            AlertState::Closed { .. } | AlertState::Expired => alert_status::CLEAR,
            AlertState::Acknowledged | AlertState::Assigned => alert_status::ACKNOWLEDGE,
            AlertState::Raised | AlertState::Updated => alert_status::ACTIVE,
        }),
        description: Some(format!("{mode}{}", alert.text)),
        range_bearing: None,
        location,
        region_id: alert.zone.as_ref().map(|zone| zone_id(view, zone)),
        priority: Some(match alert.severity {
            Severity::Critical | Severity::High => alert_priority::HIGH,
            Severity::Medium => alert_priority::MEDIUM,
            Severity::Low | Severity::Info => alert_priority::LOW,
        }),
        confidence: Some(share(alert.confidence)),
        associated_detection: about
            .map(|track| AssociatedDetection {
                timestamp: Some(stamp(track.last_seen)),
                node_id: Some(node_id.to_owned()),
                object_id: Some(object_id(view, track.id, track.first_seen)),
                association_type: None,
            })
            .into_iter()
            .collect(),
        additional_information: Some(match &alert.zone {
            Some(zone) => format!("alert {} revision {}, zone {zone}", alert.id, alert.rev),
            None => format!("alert {} revision {}", alert.id, alert.rev),
        }),
    }
}

fn kind(alert: &Alert) -> i32 {
    let about_somebody = alert.kind.is_movement() || alert.kind == AlertKind::PossibleNeed;
    match (alert.mode, about_somebody, alert.severity) {
        (Mode::Test | Mode::Exercise, ..) | (_, _, Severity::Info) => alert_type::INFORMATION,
        (_, false, _) => alert_type::ERROR,
        (_, true, Severity::Critical) => alert_type::CRITICAL,
        (_, true, _) => alert_type::WARNING,
    }
}

/// A place in degrees; the errors too, as the standard has them in the units of the coordinates.
fn location(place: LatLon, sd_m: Option<[f64; 2]>) -> Location {
    let shrink = place.lat.to_radians().cos().max(0.01);
    Location {
        x: Some(place.lon),
        y: Some(place.lat),
        x_error: sd_m.map(|[east_m, _]| east_m / (METRES_PER_DEGREE * shrink)),
        y_error: sd_m.map(|[_, north_m]| north_m / METRES_PER_DEGREE),
        coordinate_system: Some(coordinate_system::DEGREES),
        datum: Some(location_datum::ELLIPSOID),
        ..Location::default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the field is a single")]
fn share(value: f64) -> f32 {
    value.clamp(0.0, 1.0) as f32
}

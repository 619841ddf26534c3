//! Tracks and alerts as the ecosystem's viewers read them.

use serde_json::{Value, json};
use vedette_engine::geo::SiteFrame;
use vedette_engine::{Alert, Ellipse, Picture, Place, Timestamp, Track, TrackStatus};

use super::topic;

/// Square root of the 95 % quantile of the chi-squared distribution with two degrees of freedom.
const ELLIPSE_95: f64 = 2.447_746_830_680_816;
/// Sides of the polygon that stands for an ellipse.
const ELLIPSE_SIDES: u32 = 36;
/// `position_covariance_type` of a covariance that is known in full.
const COVARIANCE_KNOWN: u8 = 3;

/// The messages that an alert is recorded as, each with its topic.
pub(super) fn alert(alert: &Alert) -> Vec<(&'static str, Vec<u8>)> {
    let own = serde_json::to_vec(alert).ok().map(|own| (topic::ALERT, own));
    let map = alert_map(alert).map(|map| (topic::ALERT_MAP, map.to_string().into_bytes()));
    let fix = alert_fix(alert).map(|fix| (topic::ALERT_FIX, fix.to_string().into_bytes()));
    [own, map, fix].into_iter().flatten().collect()
}

/// The messages that a picture is recorded as, each with its topic.
pub(super) fn picture(picture: &Picture, frame: &SiteFrame) -> Vec<(&'static str, Vec<u8>)> {
    let map = (topic::TRACK_MAP, track_map(picture, frame).to_string().into_bytes());
    let fixes = track_fixes(picture, frame).into_iter();
    std::iter::once(map).chain(fixes.map(|fix| (topic::TRACK_FIX, fix.to_string().into_bytes()))).collect()
}

/// A `foxglove.GeoJSON` message: one point for each confirmed track that has one.
fn track_map(picture: &Picture, frame: &SiteFrame) -> Value {
    let feature = |track: &Track| {
        let (lat, lon) = frame.to_wgs84(track.position_m);
        json!({
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {
                "name": format!("track {}", track.id.0),
                "track": track.id.0,
                "existence": track.existence,
                "speed_mps": track.velocity_mps.norm(),
                "class": track.class,
            },
        })
    };
    geo_json(&localised(picture).map(feature).collect::<Vec<_>>())
}

/// A `foxglove.LocationFix` message for each confirmed track that has a point.
fn track_fixes(picture: &Picture, frame: &SiteFrame) -> Vec<Value> {
    let fix = |track: &Track| {
        let place = frame.to_wgs84(track.position_m);
        let covariance = &track.position_covariance_m2;
        let covariance_m2 = [covariance.m11, covariance.m12, covariance.m22];
        location_fix(picture.at, &format!("track-{}", track.id.0), place, covariance_m2)
    };
    localised(picture).map(fix).collect()
}

fn localised(picture: &Picture) -> impl Iterator<Item = &Track> {
    picture.tracks.iter().filter(|track| track.status == TrackStatus::Confirmed && track.localised)
}

/// A `foxglove.GeoJSON` message: the alert's place and its 95 % ellipse; nothing for an alert without a point.
fn alert_map(alert: &Alert) -> Option<Value> {
    let Some(Place::Point { lat, lon, ellipse }) = &alert.place else { return None };
    let name = format!("{:?} {:?}", alert.severity, alert.kind);
    let properties = json!({"name": name, "alert": alert.id, "rev": alert.rev, "text": alert.text});
    let point = json!({"type": "Point", "coordinates": [lon, lat]});
    let features = [
        json!({"type": "Feature", "geometry": point, "properties": properties}),
        json!({"type": "Feature", "geometry": outline(*lat, *lon, ellipse), "properties": {"name": "95 %"}}),
    ];
    Some(geo_json(&features))
}

/// A `foxglove.LocationFix` message; nothing for an alert without a point.
fn alert_fix(alert: &Alert) -> Option<Value> {
    let Some(Place::Point { lat, lon, ellipse }) = &alert.place else { return None };
    Some(location_fix(alert.last_seen, &format!("alert-{}", alert.id), (*lat, *lon), covariance_m2(ellipse)))
}

fn geo_json(features: &[Value]) -> Value {
    let collection = json!({"type": "FeatureCollection", "features": features});
    json!({"geojson": collection.to_string()})
}

fn location_fix(at: Timestamp, frame_id: &str, (lat, lon): (f64, f64), covariance_m2: [f64; 3]) -> Value {
    let micros = at.as_micros().max(0);
    let [ee, en, nn] = covariance_m2;
    json!({
        "timestamp": {"sec": micros / 1_000_000, "nsec": micros % 1_000_000 * 1000},
        "frame_id": frame_id,
        "latitude": lat,
        "longitude": lon,
        "altitude": 0.0,
        "position_covariance": [ee, en, 0.0, en, nn, 0.0, 0.0, 0.0, 0.0],
        "position_covariance_type": COVARIANCE_KNOWN,
    })
}

/// The covariance whose 95 % ellipse this is: east-east, east-north, north-north.
fn covariance_m2(ellipse: &Ellipse) -> [f64; 3] {
    let (sin, cos) = ellipse.orientation_deg.to_radians().sin_cos();
    let (major, minor) = ((ellipse.major_m / ELLIPSE_95).powi(2), (ellipse.minor_m / ELLIPSE_95).powi(2));
    [sin * sin * major + cos * cos * minor, sin * cos * (major - minor), cos * cos * major + sin * sin * minor]
}

/// The ellipse as a polygon; degrees a metre as on a sphere, which is right to a percent over its size.
fn outline(lat: f64, lon: f64, ellipse: &Ellipse) -> Value {
    const METRES_PER_DEGREE: f64 = 111_195.0;
    let (sin, cos) = ellipse.orientation_deg.to_radians().sin_cos();
    let corner = |side: u32| {
        let (across, along) = (f64::from(side) * std::f64::consts::TAU / f64::from(ELLIPSE_SIDES)).sin_cos();
        let (along_m, across_m) = (along * ellipse.major_m, across * ellipse.minor_m);
        let (east_m, north_m) = (along_m * sin + across_m * cos, along_m * cos - across_m * sin);
        [lon + east_m / (METRES_PER_DEGREE * lat.to_radians().cos()), lat + north_m / METRES_PER_DEGREE]
    };
    // A GeoJSON ring ends where it began.
    let ring: Vec<[f64; 2]> = (0..=ELLIPSE_SIDES).map(|side| corner(side % ELLIPSE_SIDES)).collect();
    json!({"type": "Polygon", "coordinates": [ring]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covariance_has_the_ellipse_it_is_made_of() {
        let ellipse = Ellipse { major_m: 24.477_468_306_808_16, minor_m: 2.447_746_830_680_816, orientation_deg: 90.0 };
        for (got, expected) in covariance_m2(&ellipse).into_iter().zip([100.0, 0.0, 1.0]) {
            assert!((got - expected).abs() < 1e-9, "{got} instead of {expected}");
        }
        let Value::Array(rings) = &outline(52.0, 23.0, &ellipse)["coordinates"] else { panic!("no rings") };
        let ring = rings[0].as_array().expect("a ring");
        assert_eq!(ring.first(), ring.last());
        let east = ring.iter().filter_map(|corner| corner[0].as_f64()).fold(f64::MIN, f64::max);
        assert!(((east - 23.0) * 111_195.0 * 52f64.to_radians().cos() - ellipse.major_m).abs() < 0.1, "{east}");
    }
}

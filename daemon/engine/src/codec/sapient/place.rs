//! Places of SAPIENT in all coordinates, units and datums, as measurements.

use super::message::{
    Location, RangeBearing, TrackObjectInfo, bearing_datum, coordinate_system, location_datum, range_bearing_units,
};
use crate::codec::{Fault, Measured, Reason, Spot, Stand};
use crate::config::{Sensor, Site};
use crate::geo::{place, utm};

/// Metres of one degree of latitude, and of longitude at the equator: good to a percent, which errors need no better.
const METRES_PER_DEGREE: f64 = 111_320.0;
/// Name of the cross term of the covariance, which the standard has no field for; east and north, square metres.
pub const CROSS_TERM: &str = "covariance_en_m2";

/// Where something was seen, and in which message.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) name: &'a str,
    pub(super) location: Option<&'a Location>,
    pub(super) range_bearing: Option<&'a RangeBearing>,
    pub(super) info: &'a [TrackObjectInfo],
}

impl Seen<'_> {
    pub(super) fn measured(&self, sensor: &Sensor, site: &Site, stand: Option<Stand>) -> Result<Measured, Fault> {
        match (self.location, self.range_bearing) {
            (Some(location), _) => self.position(location),
            (None, Some(seen)) => bearing(&format!("{}.range_bearing", self.name), seen, sensor, site, stand),
            (None, None) => {
                let field = format!("{}.location", self.name);
                Err(Fault::new(Reason::MissingField, &field, "a location or a range_bearing", "neither"))
            }
        }
    }

    fn position(&self, location: &Location) -> Result<Measured, Fault> {
        let place = globe(&format!("{}.location", self.name), location)?;
        let spot = Spot::Wgs84 { lat: place.lat, lon: place.lon };
        let Some([east_sd_m, north_sd_m]) = place.sd_m else {
            return Ok(Measured::Position { spot, sd_m: None, covariance_m2: None });
        };
        let (east_m2, north_m2) = (east_sd_m * east_sd_m, north_sd_m * north_sd_m);
        let cross = self.info.iter().find(|info| info.r#type.as_deref() == Some(CROSS_TERM));
        let cross = cross.and_then(|info| info.value.as_deref()).and_then(|value| value.parse::<f64>().ok());
        // Only what leaves the ellipse an ellipse.
        let cross = cross.filter(|cross| cross * cross < 0.999 * east_m2 * north_m2).unwrap_or(0.0);
        Ok(Measured::Position { spot, sd_m: None, covariance_m2: Some([east_m2, cross, north_m2]) })
    }
}

/// A place on the globe with its standard deviations.
struct Globe {
    lat: f64,
    lon: f64,
    sd_m: Option<[f64; 2]>,
}

/// Where a node says it stands.
pub(super) fn stand(field: &str, location: &Location) -> Result<Stand, Fault> {
    let place = globe(field, location)?;
    let sd_m = place.sd_m.map(|[east, north]| east.max(north));
    Ok(Stand { spot: Spot::Wgs84 { lat: place.lat, lon: place.lon }, heading_deg: None, sd_m })
}

fn globe(field: &str, location: &Location) -> Result<Globe, Fault> {
    let x = needed(field, "x", location.x)?;
    let y = needed(field, "y", location.y)?;
    if let Some(datum) = location.datum
        && datum != location_datum::ELLIPSOID
        && datum != location_datum::GEOID
    {
        let expected = "WGS84_E (1) or WGS84_G (2)";
        return Err(Fault::new(Reason::OutOfRange, &format!("{field}.datum"), expected, &datum.to_string()));
    }
    let system = format!("{field}.coordinate_system");
    let (lon, lat, metres) = match location.coordinate_system {
        Some(coordinate_system::DEGREES) => (x, y, METRES_PER_DEGREE),
        Some(coordinate_system::RADIANS) => (x.to_degrees(), y.to_degrees(), METRES_PER_DEGREE * 1.0_f64.to_degrees()),
        Some(coordinate_system::UTM) => {
            let zone_field = format!("{field}.utm_zone");
            let missing = || Fault::new(Reason::MissingField, &zone_field, "a zone, as \"34U\"", "nothing");
            let text = location.utm_zone.as_deref().ok_or_else(missing)?;
            let zone = utm::Zone::parse(text)
                .ok_or_else(|| Fault::new(Reason::OutOfRange, &zone_field, "a zone, as \"34U\"", text))?;
            let (lat, lon) = zone.to_wgs84(x, y).ok_or_else(|| {
                let expected = "x from 100000 to 900000 m and y from 0 to 10000000 m";
                Fault::new(Reason::OutOfRange, &format!("{field}.x"), expected, &format!("{x}, {y}"))
            })?;
            (lon, lat, 1.0)
        }
        other => {
            let got = other.map_or_else(|| "nothing".to_owned(), |number| number.to_string());
            let expected = "LAT_LNG_DEG_M (1), LAT_LNG_RAD_M (2) or UTM_M (5)";
            return Err(Fault::new(Reason::OutOfRange, &system, expected, &got));
        }
    };
    // The axes are easily exchanged: x is the longitude.
    for (name, value, limit) in [("x", lon, 180.0), ("y", lat, 90.0)] {
        if !(-limit..=limit).contains(&value) {
            let expected = format!("degrees from -{limit} to {limit}");
            return Err(Fault::new(Reason::OutOfRange, &format!("{field}.{name}"), &expected, &value.to_string()));
        }
    }
    let shrink = if metres > 1.0 { libm::cos(lat.to_radians()) } else { 1.0 };
    let east = error(&format!("{field}.x_error"), location.x_error, metres * shrink, 10_000.0)?;
    let north = error(&format!("{field}.y_error"), location.y_error, metres, 10_000.0)?;
    Ok(Globe { lat, lon, sd_m: east.zip(north).map(|(east, north)| [east, north]) })
}

fn bearing(
    field: &str,
    seen: &RangeBearing,
    sensor: &Sensor,
    site: &Site,
    stand: Option<Stand>,
) -> Result<Measured, Fault> {
    let (to_degrees, to_metres) = match seen.coordinate_system {
        Some(range_bearing_units::DEGREES_M) => (1.0, 1.0),
        Some(range_bearing_units::RADIANS_M) => (1.0_f64.to_degrees(), 1.0),
        Some(range_bearing_units::DEGREES_KM) => (1.0, 1_000.0),
        Some(range_bearing_units::RADIANS_KM) => (1.0_f64.to_degrees(), 1_000.0),
        other => {
            let got = other.map_or_else(|| "nothing".to_owned(), |number| number.to_string());
            let expected = "DEGREES_M (1), RADIANS_M (2), DEGREES_KM (3) or RADIANS_KM (4)";
            return Err(Fault::new(Reason::OutOfRange, &format!("{field}.coordinate_system"), expected, &got));
        }
    };
    let within = |name: &str, value: Option<f64>, factor: f64, low: f64, high: f64| -> Result<Option<f64>, Fault> {
        let Some(value) = value.map(|value| value * factor) else { return Ok(None) };
        if (low..=high).contains(&value) {
            return Ok(Some(value));
        }
        let reason = if value.is_finite() { Reason::OutOfRange } else { Reason::NotFinite };
        Err(Fault::new(
            reason,
            &format!("{field}.{name}"),
            &format!("a number from {low} to {high}"),
            &value.to_string(),
        ))
    };
    let elevation_deg = within("elevation", seen.elevation, to_degrees, -90.0, 90.0)?;
    let level = elevation_deg.map_or(1.0, |elevation| libm::cos(elevation.to_radians()));
    let range_m = within("range", seen.range, to_metres, 0.0, 200_000.0)?.map(|range| range * level);
    let range_sd_m = error(&format!("{field}.range_error"), seen.range_error, to_metres, 10_000.0)?;
    let azimuth_sd_deg = error(&format!("{field}.azimuth_error"), seen.azimuth_error, to_degrees, 180.0)?;
    let azimuth_deg = match within("azimuth", seen.azimuth, to_degrees, -360.0, 360.0)? {
        Some(azimuth) => Some((azimuth + offset_deg(field, seen.datum, sensor, site, stand)?).rem_euclid(360.0)),
        None => None,
    };
    match (range_m, azimuth_deg) {
        (Some(range_m), Some(azimuth_deg)) => Ok(Measured::RangeBearing {
            range_m,
            range_sd_m,
            azimuth_deg,
            azimuth_sd_deg,
            range_rate_mps: None,
            range_rate_sd_mps: None,
        }),
        (None, Some(azimuth_deg)) => Ok(Measured::Bearing { azimuth_deg, azimuth_sd_deg }),
        (Some(range_m), None) => Ok(Measured::Range { range_m, range_sd_m }),
        (None, None) => {
            Err(Fault::new(Reason::MissingField, &format!("{field}.azimuth"), "an azimuth or a range", "neither"))
        }
    }
}

/// The angle from true north to the datum's north, degrees clockwise.
fn offset_deg(
    field: &str,
    datum: Option<i32>,
    sensor: &Sensor,
    site: &Site,
    stand: Option<Stand>,
) -> Result<f64, Fault> {
    let field = format!("{field}.datum");
    let unknown = |expected: &str, got: &str| Err(Fault::new(Reason::WrongSensor, &field, expected, got));
    let angles = sensor.sapient.unwrap_or_default();
    match datum {
        Some(bearing_datum::TRUE) => Ok(0.0),
        Some(bearing_datum::GRID) => {
            let position_m = match stand {
                Some(stand) => place(stand.spot, site)?,
                None => sensor.model.position_m,
            };
            let (lat, lon) = site.frame.to_wgs84(position_m);
            Ok(utm::convergence_deg(lat, lon))
        }
        Some(bearing_datum::MAGNETIC) => match angles.magnetic_declination_deg {
            Some(declination) => Ok(declination),
            None => unknown("a sensor whose sapient table has magnetic_declination_deg", "MAGNETIC"),
        },
        Some(bearing_datum::PLATFORM) => match angles.platform_heading_deg {
            Some(heading) => Ok(heading),
            None => unknown("a sensor whose sapient table has platform_heading_deg", "PLATFORM"),
        },
        other => {
            let got = other.map_or_else(|| "nothing".to_owned(), |number| number.to_string());
            Err(Fault::new(Reason::OutOfRange, &field, "TRUE (1), MAGNETIC (2), GRID (3) or PLATFORM (4)", &got))
        }
    }
}

fn needed(field: &str, name: &str, value: Option<f64>) -> Result<f64, Fault> {
    let field = format!("{field}.{name}");
    match value {
        Some(value) if value.is_finite() => Ok(value),
        Some(value) => Err(Fault::new(Reason::NotFinite, &field, "a finite number", &value.to_string())),
        None => Err(Fault::new(Reason::MissingField, &field, "a number", "nothing")),
    }
}

/// In metres or degrees: nothing is measured so well. A smaller error is as good as none given.
const LEAST_ERROR: f64 = 1e-6;

/// A standard deviation in our units; zero means that nobody knows.
fn error(field: &str, value: Option<f64>, factor: f64, most: f64) -> Result<Option<f64>, Fault> {
    let Some(value) = value.map(|value| value * factor).filter(|value| value.abs() >= LEAST_ERROR || value.is_nan())
    else {
        return Ok(None);
    };
    if value > 0.0 && value <= most {
        return Ok(Some(value));
    }
    let reason = if value.is_finite() { Reason::OutOfRange } else { Reason::NotFinite };
    Err(Fault::new(reason, field, &format!("a number from 0 to {most}"), &value.to_string()))
}

//! The site frame: east and north metres around the site's origin, to and from WGS 84.
//!
//! It is the azimuthal equidistant projection: a place lies at its true (geodesic) distance from the origin, in its
//! true direction as seen from there. Geodesics by T. Vincenty, "Direct and inverse solutions of geodesics on the
//! ellipsoid with application of nested equations", Survey Review 23 (176), 1975.

use core::f64::consts::{PI, TAU};

use libm::{atan, atan2, cos, sin, sqrt, tan};
use nalgebra::Vector2;

use crate::config::LatLon;

/// WGS 84: semi-major axis.
const A_M: f64 = 6_378_137.0;
/// WGS 84: flattening.
const F: f64 = 1.0 / 298.257_223_563;
/// WGS 84: semi-minor axis.
const B_M: f64 = A_M * (1.0 - F);

/// East and north metres around an origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SiteFrame {
    lat_rad: f64,
    lon_rad: f64,
    /// Sine and cosine of the origin's reduced latitude.
    sin_u: f64,
    cos_u: f64,
}

impl SiteFrame {
    /// Places farther from the origin have no coordinates: far off any site, and a sign of a mistaken unit or order.
    pub const MAX_DISTANCE_M: f64 = 200_000.0;

    /// The frame around an origin given in WGS 84 degrees, not nearer to a pole than 5 degrees.
    #[must_use]
    pub fn new(lat: f64, lon: f64) -> Self {
        let (lat_rad, lon_rad) = (lat.to_radians(), lon.to_radians());
        let u = atan((1.0 - F) * tan(lat_rad));
        Self { lat_rad, lon_rad, sin_u: sin(u), cos_u: cos(u) }
    }

    /// East and north of a WGS 84 place in degrees; nothing beyond [`Self::MAX_DISTANCE_M`].
    #[must_use]
    pub fn to_site(&self, lat: f64, lon: f64) -> Option<Vector2<f64>> {
        if !(-90.0..=90.0).contains(&lat) || !(-180.0..=360.0).contains(&lon) {
            return None;
        }
        // 3 degrees of latitude are 330 km: the iteration below is only asked where it converges.
        if (lat.to_radians() - self.lat_rad).abs() > 3.0_f64.to_radians() {
            return None;
        }
        let (distance_m, azimuth_rad) = self.inverse(lat.to_radians(), lon.to_radians())?;
        (distance_m <= Self::MAX_DISTANCE_M)
            .then(|| Vector2::new(distance_m * sin(azimuth_rad), distance_m * cos(azimuth_rad)))
    }

    /// WGS 84 latitude and longitude in degrees of a place in the site frame.
    #[must_use]
    pub fn to_wgs84(&self, position_m: Vector2<f64>) -> (f64, f64) {
        let distance_m = sqrt(position_m.norm_squared());
        let course = if distance_m > 0.0 { position_m / distance_m } else { Vector2::new(0.0, 1.0) };
        let (lat_rad, lon_rad) = self.direct(distance_m, course);
        (lat_rad.to_degrees(), lon_rad.to_degrees())
    }

    /// [`Self::to_wgs84`] for callers without vectors.
    #[must_use]
    pub fn to_geodetic(&self, east_m: f64, north_m: f64) -> LatLon {
        let (lat, lon) = self.to_wgs84(Vector2::new(east_m, north_m));
        LatLon { lat, lon }
    }

    /// The angle from the frame's north to true north at a place, clockwise: add it to an azimuth measured against
    /// true north there to get an azimuth of the frame.
    #[must_use]
    pub fn convergence_rad(&self, position_m: Vector2<f64>) -> f64 {
        // 0.001 degrees, 111 m: far above rounding, far below the curvature of the meridian's image.
        const STEP_DEG: f64 = 0.001;
        let (lat, lon) = self.to_wgs84(position_m);
        let (Some(south), Some(north)) = (self.to_site(lat - STEP_DEG, lon), self.to_site(lat + STEP_DEG, lon)) else {
            return 0.0;
        };
        let meridian = north - south;
        atan2(meridian.x, meridian.y)
    }

    /// Distance and azimuth at the origin of the geodesic to a place.
    fn inverse(&self, lat_rad: f64, lon_rad: f64) -> Option<(f64, f64)> {
        let u2 = atan((1.0 - F) * tan(lat_rad));
        let (sin_u2, cos_u2) = (sin(u2), cos(u2));
        let l = wrap_angle(lon_rad - self.lon_rad);
        let mut lambda = l;
        for _ in 0..20 {
            let (sin_lambda, cos_lambda) = (sin(lambda), cos(lambda));
            let across = cos_u2 * sin_lambda;
            let along = self.cos_u * sin_u2 - self.sin_u * cos_u2 * cos_lambda;
            let sin_sigma = sqrt(across * across + along * along);
            if sin_sigma == 0.0 {
                return Some((0.0, 0.0));
            }
            let cos_sigma = self.sin_u * sin_u2 + self.cos_u * cos_u2 * cos_lambda;
            let sigma = atan2(sin_sigma, cos_sigma);
            let sin_alpha = self.cos_u * cos_u2 * sin_lambda / sin_sigma;
            let cos2_alpha = 1.0 - sin_alpha * sin_alpha;
            // On the equator cos2_alpha is zero, and so is what it is divided into.
            let cos_2sigma_m = if cos2_alpha > 0.0 { cos_sigma - 2.0 * self.sin_u * sin_u2 / cos2_alpha } else { 0.0 };
            let c = F / 16.0 * cos2_alpha * (4.0 + F * (4.0 - 3.0 * cos2_alpha));
            let inner = cos_2sigma_m + c * cos_sigma * (2.0 * cos_2sigma_m * cos_2sigma_m - 1.0);
            let next = l + (1.0 - c) * F * sin_alpha * (sigma + c * sin_sigma * inner);
            if (next - lambda).abs() < 1e-13 {
                let (a, b) = nested_terms(cos2_alpha);
                let distance_m = B_M * a * (sigma - delta_sigma(b, sin_sigma, cos_sigma, cos_2sigma_m));
                return Some((distance_m, atan2(across, along)));
            }
            lambda = next;
        }
        None
    }

    /// Where the geodesic of this length ends that leaves the origin along this unit vector, east and north.
    fn direct(&self, distance_m: f64, course: Vector2<f64>) -> (f64, f64) {
        let (sin_azimuth, cos_azimuth) = (course.x, course.y);
        let sin_alpha = self.cos_u * sin_azimuth;
        let cos2_alpha = 1.0 - sin_alpha * sin_alpha;
        // sigma_1 is the angle of (cos U cos azimuth, sin U), a vector of squared length cos2_alpha: of it only the sine and
        // cosine of its double are needed.
        let (along, up) = (self.cos_u * cos_azimuth, self.sin_u);
        let (cos_2sigma_1, sin_2sigma_1) = if cos2_alpha > 0.0 {
            ((along * along - up * up) / cos2_alpha, 2.0 * along * up / cos2_alpha)
        } else {
            (1.0, 0.0)
        };
        let (a, b) = nested_terms(cos2_alpha);
        let first_sigma = distance_m / (B_M * a);
        let (first_sin, first_cos) = (sin(first_sigma), cos(first_sigma));
        let (mut sigma, mut sin_sigma, mut cos_sigma) = (first_sigma, first_sin, first_cos);
        let mut cos_2sigma_m = cos_2sigma_1;
        for _ in 0..20 {
            cos_2sigma_m = cos_2sigma_1 * cos_sigma - sin_2sigma_1 * sin_sigma;
            let more = delta_sigma(b, sin_sigma, cos_sigma, cos_2sigma_m);
            let change = (first_sigma + more - sigma).abs();
            sigma = first_sigma + more;
            // Less than a thousandth: the series of its sine and cosine are exact after these terms.
            let square = more * more;
            let (sin_more, cos_more) = (more * (1.0 - square / 6.0), 1.0 - square * (0.5 - square / 24.0));
            sin_sigma = first_sin * cos_more + first_cos * sin_more;
            cos_sigma = first_cos * cos_more - first_sin * sin_more;
            if change < 1e-14 {
                break;
            }
        }
        let across = self.sin_u * sin_sigma - self.cos_u * cos_sigma * cos_azimuth;
        let lat_rad = atan2(
            self.sin_u * cos_sigma + self.cos_u * sin_sigma * cos_azimuth,
            (1.0 - F) * sqrt(sin_alpha * sin_alpha + across * across),
        );
        let lambda = atan2(sin_sigma * sin_azimuth, self.cos_u * cos_sigma - self.sin_u * sin_sigma * cos_azimuth);
        let c = F / 16.0 * cos2_alpha * (4.0 + F * (4.0 - 3.0 * cos2_alpha));
        let inner = cos_2sigma_m + c * cos_sigma * (2.0 * cos_2sigma_m * cos_2sigma_m - 1.0);
        let l = lambda - (1.0 - c) * F * sin_alpha * (sigma + c * sin_sigma * inner);
        (lat_rad, wrap_angle(self.lon_rad + l))
    }
}

/// Vincenty's A and B (his equations 3 and 4).
fn nested_terms(cos2_alpha: f64) -> (f64, f64) {
    let u2 = cos2_alpha * (A_M * A_M - B_M * B_M) / (B_M * B_M);
    let a = 1.0 + u2 / 16_384.0 * (4_096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)));
    let b = u2 / 1_024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)));
    (a, b)
}

/// Vincenty's equation 6.
fn delta_sigma(b: f64, sin_sigma: f64, cos_sigma: f64, cos_2sigma_m: f64) -> f64 {
    let first = cos_sigma * (2.0 * cos_2sigma_m * cos_2sigma_m - 1.0);
    let second =
        b / 6.0 * cos_2sigma_m * (4.0 * sin_sigma * sin_sigma - 3.0) * (4.0 * cos_2sigma_m * cos_2sigma_m - 3.0);
    b * sin_sigma * (cos_2sigma_m + b / 4.0 * (first - second))
}

/// The same angle in (-pi, pi].
#[must_use]
pub fn wrap_angle(angle_rad: f64) -> f64 {
    let turned = angle_rad - TAU * libm::floor(angle_rad / TAU);
    if turned > PI { turned - TAU } else { turned }
}

#[cfg(test)]
mod tests {
    use geographiclib_rs::{DirectGeodesic, Geodesic, InverseGeodesic};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_within_20_km_agree_with_geographiclib_to_a_centimetre(
            lat in -80.0..80.0_f64, lon in -180.0..180.0_f64, distance_m in 0.0..20_000.0_f64, azimuth_deg in -180.0..180.0_f64,
        ) {
            let (there_lat, there_lon): (f64, f64) = Geodesic::wgs84().direct(lat, lon, azimuth_deg, distance_m);
            let frame = SiteFrame::new(lat, lon);
            let site = frame.to_site(there_lat, there_lon).expect("inside the frame");
            let azimuth_rad = azimuth_deg.to_radians();
            let expected = Vector2::new(distance_m * sin(azimuth_rad), distance_m * cos(azimuth_rad));
            prop_assert!((site - expected).norm() < 0.01, "{site} {expected}");

            let (back_lat, back_lon) = frame.to_wgs84(expected);
            let error_m: f64 = Geodesic::wgs84().inverse(back_lat, back_lon, there_lat, there_lon);
            prop_assert!(error_m < 0.01, "{error_m}");
        }

        #[test]
        fn a_way_to_the_site_frame_and_back_ends_where_it_began(
            lat in -84.0..84.0_f64, lon in -180.0..180.0_f64, east in -100_000.0..100_000.0_f64, north in -100_000.0..100_000.0_f64,
        ) {
            let frame = SiteFrame::new(lat, lon);
            let position_m = Vector2::new(east, north);
            let (there_lat, there_lon) = frame.to_wgs84(position_m);
            let back = frame.to_site(there_lat, there_lon).expect("inside the frame");
            prop_assert!((back - position_m).norm() < 1e-3, "{back} {position_m}");
        }

        #[test]
        fn convergence_is_the_azimuth_error_of_the_frame(
            lat in -70.0..70.0_f64, east in -20_000.0..20_000.0_f64, north in -20_000.0..20_000.0_f64, azimuth_deg in -180.0..180.0_f64,
        ) {
            let frame = SiteFrame::new(lat, 23.6);
            let from_m = Vector2::new(east, north);
            let (from_lat, from_lon) = frame.to_wgs84(from_m);
            let (to_lat, to_lon): (f64, f64) = Geodesic::wgs84().direct(from_lat, from_lon, azimuth_deg, 500.0);
            let seen = frame.to_site(to_lat, to_lon).expect("inside the frame") - from_m;
            let error_rad = wrap_angle(atan2(seen.x, seen.y) - azimuth_deg.to_radians() - frame.convergence_rad(from_m));
            prop_assert!(error_rad.abs() < 0.0002, "{error_rad}");
        }

        #[test]
        fn no_place_on_earth_panics(lat in -1e3..1e3_f64, lon in -1e3..1e3_f64, origin in -85.0..85.0_f64) {
            let _ = SiteFrame::new(origin, 179.9).to_site(lat, lon);
        }
    }

    #[test]
    fn the_date_line_is_no_border() {
        let site = SiteFrame::new(-17.0, 179.999).to_site(-17.0, -179.999).expect("213 m away");
        assert!((site.x - 212.96).abs() < 0.1 && site.y.abs() < 0.01, "{site}");
    }

    #[test]
    fn swapped_or_absurd_coordinates_have_no_place() {
        let frame = SiteFrame::new(52.0, 23.6);
        assert_eq!(frame.to_site(23.6, 52.0), None);
        assert_eq!(frame.to_site(f64::NAN, 23.6), None);
        assert_eq!(frame.to_site(-52.0, 203.6), None);
        assert_eq!(frame.to_site(52.0, 28.0), None);
    }
}

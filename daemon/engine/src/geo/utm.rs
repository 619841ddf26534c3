//! Places of the universal transverse Mercator grid to WGS 84, and the grid's north.
//!
//! L. Krüger's series in the third flattening to third order, as in C. F. F. Karney, "Transverse Mercator with an accuracy
//! of a few nanometers", Journal of Geodesy 85, 2011, equations 7 to 11 and 36: below a millimetre inside a zone.

use libm::{asin, atan, atan2, cos, cosh, floor, sin, sinh, tan};

/// WGS 84: third flattening.
const N: f64 = 1.0 / (2.0 * 298.257_223_563 - 1.0);
/// Radius of the circle of the meridian's length.
const RADIUS_M: f64 = 6_378_137.0 / (1.0 + N) * (1.0 + N * N / 4.0 + N * N * N * N / 64.0);
/// Scale on the central meridian.
const SCALE: f64 = 0.999_6;

/// One zone on one side of the equator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    number: u8,
    south: bool,
}

impl Zone {
    /// Number and latitude band: `34U`. Bands C to M lie south of the equator, N to X north of it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (number, band) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let number = number.parse().ok().filter(|number| (1..=60).contains(number))?;
        let band = band.chars().next()?.to_ascii_uppercase();
        let known = ('C'..='X').contains(&band) && band != 'I' && band != 'O';
        known.then_some(Self { number, south: band < 'N' })
    }

    fn central_meridian_deg(self) -> f64 {
        f64::from(self.number) * 6.0 - 183.0
    }

    /// Latitude and longitude in degrees; none for what cannot be a place of the zone.
    pub(crate) fn to_wgs84(self, east_m: f64, north_m: f64) -> Option<(f64, f64)> {
        if !(100_000.0..=900_000.0).contains(&east_m) || !(0.0..=10_000_000.0).contains(&north_m) {
            return None;
        }
        let north_m = if self.south { north_m - 10_000_000.0 } else { north_m };
        let (xi, eta) = (north_m / (SCALE * RADIUS_M), (east_m - 500_000.0) / (SCALE * RADIUS_M));
        let beta = [
            N / 2.0 - 2.0 / 3.0 * N * N + 37.0 / 96.0 * N * N * N,
            N * N / 48.0 + N * N * N / 15.0,
            17.0 / 480.0 * N * N * N,
        ];
        let (mut xi_0, mut eta_0) = (xi, eta);
        for (factor, beta) in [2.0, 4.0, 6.0].into_iter().zip(beta) {
            xi_0 -= beta * sin(factor * xi) * cosh(factor * eta);
            eta_0 -= beta * cos(factor * xi) * sinh(factor * eta);
        }
        let conformal = asin(sin(xi_0) / cosh(eta_0));
        let delta = [
            2.0 * N - 2.0 / 3.0 * N * N - 2.0 * N * N * N,
            7.0 / 3.0 * N * N - 8.0 / 5.0 * N * N * N,
            56.0 / 15.0 * N * N * N,
        ];
        let mut lat = conformal;
        for (factor, delta) in [2.0, 4.0, 6.0].into_iter().zip(delta) {
            lat += delta * sin(factor * conformal);
        }
        let lon_deg = self.central_meridian_deg() + atan2(sinh(eta_0), cos(xi_0)).to_degrees();
        Some((lat.to_degrees(), lon_deg))
    }
}

/// The angle from true north to the grid's north of the usual zone, clockwise: add it to an azimuth of the grid.
pub(crate) fn convergence_deg(lat: f64, lon: f64) -> f64 {
    let central_deg = floor((lon + 180.0) / 6.0) * 6.0 - 177.0;
    atan(tan((lon - central_deg).to_radians()) * sin(lat.to_radians())).to_degrees()
}

#[cfg(test)]
mod tests {
    use geographiclib_rs::{Geodesic, InverseGeodesic};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn short_distances_have_the_grid_s_scale_and_north(
            east_m in 400_000.0..600_000.0_f64, north_m in 100_000.0..7_000_000.0_f64,
        ) {
            let zone = Zone::parse("34N").expect("a zone");
            let (lat, lon) = zone.to_wgs84(east_m, north_m).expect("inside the zone");
            let (lat_2, lon_2) = zone.to_wgs84(east_m, north_m + 100.0).expect("inside the zone");
            let (distance_m, azimuth_deg, _, _): (f64, f64, f64, f64) = Geodesic::wgs84().inverse(lat, lon, lat_2, lon_2);
            let offset = (east_m - 500_000.0) / 6_378_000.0;
            let scale = 0.9996 * (1.0 + offset * offset / 2.0);
            prop_assert!((distance_m * scale - 100.0).abs() < 0.002, "{}", distance_m * scale);
            prop_assert!((azimuth_deg - convergence_deg(lat, lon)).abs() < 0.001, "{azimuth_deg}");
        }

        #[test]
        fn the_central_meridian_is_a_straight_line_of_true_length(north_m in 1_000.0..9_000_000.0_f64) {
            let (lat, lon) = Zone::parse("33U").and_then(|zone| zone.to_wgs84(500_000.0, north_m)).expect("inside");
            let distance_m: f64 = Geodesic::wgs84().inverse(0.0, 15.0, lat, lon);
            prop_assert!((lon - 15.0).abs() < 1e-12 && (distance_m * 0.9996 - north_m).abs() < 0.001, "{distance_m}");
        }
    }

    #[test]
    fn zones_are_read_and_places_outside_refused() {
        assert_eq!(Zone::parse("34U"), Some(Zone { number: 34, south: false }));
        assert_eq!(Zone::parse("7h"), Some(Zone { number: 7, south: true }));
        for wrong in ["", "U", "61U", "0U", "34", "34O", "34Ü", "U34"] {
            assert_eq!(Zone::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Zone::parse("34U").and_then(|zone| zone.to_wgs84(23.9, 54.9)), None);
        let (lat, _) = Zone::parse("7H").and_then(|zone| zone.to_wgs84(500_000.0, 5_000_000.0)).expect("inside");
        assert!((-46.0..-45.0).contains(&lat), "{lat}");
    }
}

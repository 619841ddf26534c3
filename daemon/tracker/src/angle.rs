//! Azimuths: clockwise from north, in (-pi, pi].

use core::f64::consts::{PI, TAU};

use nalgebra::Vector2;

/// The same direction in (-pi, pi].
pub(crate) fn wrap(angle_rad: f64) -> f64 {
    if angle_rad > -PI && angle_rad <= PI {
        return angle_rad;
    }
    let turned = angle_rad - TAU * libm::floor((angle_rad + PI) / TAU);
    if turned <= -PI { turned + TAU } else { turned }
}

/// Unit vector towards an azimuth.
pub(crate) fn towards(azimuth_rad: f64) -> Vector2<f64> {
    Vector2::new(libm::sin(azimuth_rad), libm::cos(azimuth_rad))
}

/// Azimuth of a vector.
pub(crate) fn azimuth_of(vector: Vector2<f64>) -> f64 {
    libm::atan2(vector.x, vector.y)
}

//! From a box in a camera's image to a direction, or to a place on surveyed ground.
//!
//! The image is described in shares: `u` from 0 (left edge) to 1 (right edge), `v` from 0 (upper edge) to 1 (lower edge).
//! A point becomes normalised coordinates `p` (right) and `q` (down) in half image widths from the optical axis, freed of
//! radial distortion with one coefficient `k` that leaves the ends of the horizontal middle line where they are:
//!
//! ```text
//! a = image height / image width      x = 2 u - 1      y = a (2 v - 1)      r² = x² + y²
//! p = x (1 + k r²) / (1 + k)          q = y (1 + k r²) / (1 + k)
//! ```
//!
//! `p t` and `q t`, with `t` the tangent of half the horizontal field of view, are tangents from the optical axis. Roll,
//! then tilt, then heading turn that ray into a direction. The ground is a homography from `(p, q, 1)` to east and north
//! metres of the site frame, solved by [`calibration`] from surveyed points (R. Hartley and A. Zisserman, "Multiple View
//! Geometry in Computer Vision", 2nd edition, 2004, algorithm 4.2).

pub mod calibration;
mod pose;

use libm::{atan2, cos, sin, sqrt, tan};
use nalgebra::{Matrix2, Matrix3, Vector2, Vector3};

pub use pose::CameraTable;
pub(crate) use pose::resolve;

/// The bottom edge of a box is uncertain by this share of the box's height: feet in grass, a cut shadow.
const BOTTOM_SD_SHARE: f64 = 0.05;
/// The middle of a box is uncertain by this share of its width.
const MIDDLE_SD_SHARE: f64 = 0.25;
/// A place whose long axis exceeds this share of its distance is no better than its direction, and no longer an ellipse.
const MAX_RELATIVE_SD: f64 = 0.4;
/// No place on the ground is known better than a stride.
const LEAST_SD_M: f64 = 0.4;

/// A box in shares of the image, `u` to the right and `v` down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImageBox {
    /// Left edge.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Upper edge.
    pub top: f64,
    /// Lower edge, where the object touches the ground.
    pub bottom: f64,
}

/// What a box says about where the object is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sighting {
    /// Its direction.
    Bearing {
        /// Clockwise from true north, 0 to 360.
        azimuth_deg: f64,
        /// Its standard deviation.
        azimuth_sd_deg: f64,
    },
    /// Its place on the surveyed ground.
    Ground {
        /// East and north in the site frame.
        position_m: [f64; 2],
        /// Covariance, east-east, east-north, north-north.
        covariance_m2: [f64; 3],
    },
}

/// A camera as meant: pose and lens, and the ground where it was surveyed.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Width and height of the image that boxes are counted in, where they are counted in pixels.
    pub image_px: Option<[f64; 2]>,
    /// Image height as a share of its width.
    pub aspect: f64,
    /// Direction of the optical axis, clockwise from true north.
    pub heading_rad: f64,
    /// How far the optical axis points below the horizon.
    pub tilt_rad: f64,
    /// How far the camera is turned clockwise about its axis, seen from behind it.
    pub roll_rad: f64,
    /// Tangent of half the horizontal field of view.
    pub half_tangent: f64,
    /// Radial distortion: below zero for a barrel, as wide lenses have it.
    pub distortion: f64,
    /// Standard deviation of the pose, for masts that sway.
    pub pose_sd_rad: f64,
    /// The ground.
    pub ground: Option<Ground>,
}

/// Surveyed ground in view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ground {
    /// From `(p, q, 1)` to homogeneous east and north metres; the third component is above zero below the horizon.
    pub homography: Matrix3<f64>,
    /// Standard deviation of the survey in half image widths.
    pub sd: f64,
}

impl Camera {
    /// A level camera without distortion or surveyed ground.
    #[must_use]
    pub fn level(heading_rad: f64, width_rad: f64, aspect: f64) -> Self {
        Self {
            image_px: None,
            aspect,
            heading_rad,
            tilt_rad: 0.0,
            roll_rad: 0.0,
            half_tangent: tan(width_rad / 2.0),
            distortion: 0.0,
            pose_sd_rad: 0.0,
            ground: None,
        }
    }

    /// Normalised coordinates of a point of the image.
    #[must_use]
    pub fn normalised(&self, u: f64, v: f64) -> Vector2<f64> {
        let (x, y) = (2.0 * u - 1.0, self.aspect * (2.0 * v - 1.0));
        let factor = (1.0 + self.distortion * (x * x + y * y)) / (1.0 + self.distortion);
        Vector2::new(x * factor, y * factor)
    }

    /// Direction of a point of the image, radians clockwise from true north.
    #[must_use]
    pub fn azimuth_rad(&self, u: f64, v: f64) -> f64 {
        let point = self.normalised(u, v) * self.half_tangent;
        let right = point.x * cos(self.roll_rad) - point.y * sin(self.roll_rad);
        let down = point.x * sin(self.roll_rad) + point.y * cos(self.roll_rad);
        let ahead = cos(self.tilt_rad) - down * sin(self.tilt_rad);
        self.heading_rad + atan2(right, ahead)
    }

    /// What a box says: a place where the ground was surveyed and the box's foot is well below the horizon, else a
    /// direction. `position_m` is where the camera stands, `azimuth_sd_rad` the camera's own standard deviation.
    #[must_use]
    pub fn locate(&self, seen: ImageBox, position_m: Vector2<f64>, azimuth_sd_rad: f64) -> Sighting {
        self.on_ground(seen, position_m).unwrap_or_else(|| self.bearing(seen, azimuth_sd_rad))
    }

    fn bearing(&self, seen: ImageBox, azimuth_sd_rad: f64) -> Sighting {
        let azimuth_rad = self.azimuth_rad(f64::midpoint(seen.left, seen.right), seen.bottom);
        let width = self.azimuth_rad(seen.right, seen.bottom) - self.azimuth_rad(seen.left, seen.bottom);
        let middle_sd_rad = MIDDLE_SD_SHARE * crate::geo::wrap_angle(width);
        let variance =
            azimuth_sd_rad * azimuth_sd_rad + self.pose_sd_rad * self.pose_sd_rad + middle_sd_rad * middle_sd_rad;
        let azimuth_deg = azimuth_rad.to_degrees();
        Sighting::Bearing {
            azimuth_deg: azimuth_deg - 360.0 * libm::floor(azimuth_deg / 360.0),
            azimuth_sd_deg: sqrt(variance).to_degrees(),
        }
    }

    /// The place of the box's foot with its covariance carried through the homography: thin across, long along the ray.
    fn on_ground(&self, seen: ImageBox, position_m: Vector2<f64>) -> Option<Sighting> {
        let ground = self.ground.as_ref()?;
        let foot = self.normalised(f64::midpoint(seen.left, seen.right), seen.bottom);
        let place = ground.project(foot)?;
        let across = 2.0 * MIDDLE_SD_SHARE * (seen.right - seen.left);
        let down = 2.0 * self.aspect * BOTTOM_SD_SHARE * (seen.bottom - seen.top);
        let sway = self.pose_sd_rad / self.half_tangent;
        let shared = ground.sd * ground.sd + sway * sway;
        let image = Matrix2::from_diagonal(&Vector2::new(across * across + shared, down * down + shared));
        let jacobian = ground.jacobian(foot);
        let least = Matrix2::identity() * (LEAST_SD_M * LEAST_SD_M);
        let covariance = jacobian * image * jacobian.transpose() + least;
        let long_m2 = covariance.symmetric_eigenvalues().max();
        let distance_m2 = (place - position_m).norm_squared();
        (long_m2 <= MAX_RELATIVE_SD * MAX_RELATIVE_SD * distance_m2).then(|| Sighting::Ground {
            position_m: [place.x, place.y],
            covariance_m2: [covariance.m11, covariance.m12, covariance.m22],
        })
    }
}

impl Ground {
    /// East and north of a normalised point; none on or above the horizon.
    #[must_use]
    pub fn project(&self, point: Vector2<f64>) -> Option<Vector2<f64>> {
        let homogeneous = self.homography * Vector3::new(point.x, point.y, 1.0);
        let place = homogeneous.xy() / homogeneous.z;
        (homogeneous.z > 0.0 && place.iter().all(|metres| metres.is_finite())).then_some(place)
    }

    /// How the place moves with the point.
    fn jacobian(&self, point: Vector2<f64>) -> Matrix2<f64> {
        let h = &self.homography;
        let homogeneous = h * Vector3::new(point.x, point.y, 1.0);
        let (w, place) = (homogeneous.z, homogeneous.xy() / homogeneous.z);
        Matrix2::new(
            (h.m11 - place.x * h.m31) / w,
            (h.m12 - place.x * h.m32) / w,
            (h.m21 - place.y * h.m31) / w,
            (h.m22 - place.y * h.m32) / w,
        )
    }
}

#[cfg(test)]
mod tests;

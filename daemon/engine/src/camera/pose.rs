//! A camera as typed, and its conversion into the camera as meant.

use nalgebra::Matrix3;
use serde::{Deserialize, Serialize};

use super::{Camera, Ground};
use crate::config::{Checker, CoverageTable};

/// Image height as a share of its width, where nothing is said.
const USUAL_ASPECT: f64 = 9.0 / 16.0;
/// Uncertainty of the survey in pixels, where nothing is said.
const USUAL_GROUND_SD_PX: f64 = 3.0;
/// Width of an image whose pixels are not counted, for that uncertainty.
const USUAL_WIDTH_PX: f64 = 1_920.0;
/// A flat image cannot show more.
const MAX_WIDTH_DEG: f64 = 170.0;

/// How a camera sees. Without it a camera is level and looks along its coverage's sector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraTable {
    /// Width and height of the image that boxes are counted in; needed where they are counted in pixels.
    #[serde(default)]
    pub image_px: Option<[u32; 2]>,
    /// Direction of the optical axis, degrees clockwise from true north; without it the coverage's `heading_deg`.
    #[serde(default)]
    pub heading_deg: Option<f64>,
    /// Horizontal field of view, degrees; without it the coverage's `width_deg`.
    #[serde(default)]
    pub width_deg: Option<f64>,
    /// How far the optical axis points below the horizon, degrees.
    #[serde(default)]
    pub tilt_deg: f64,
    /// How far the camera is turned clockwise about its axis, seen from behind it, degrees.
    #[serde(default)]
    pub roll_deg: f64,
    /// Radial distortion of the lens, -0.4 to 0.4; below zero for a barrel.
    #[serde(default)]
    pub distortion: f64,
    /// Standard deviation of the pose, degrees: more for a mast that sways.
    #[serde(default)]
    pub pose_sd_deg: f64,
    /// Nine numbers from `vedette camera calibrate`: the ground in view.
    #[serde(default)]
    pub ground: Option<[f64; 9]>,
    /// Standard deviation of the calibration, pixels.
    #[serde(default)]
    pub ground_sd_px: Option<f64>,
}

/// The camera as meant; none when no field of view is known.
pub(crate) fn resolve(
    table: Option<&CameraTable>,
    coverage: Option<&CoverageTable>,
    check: &mut Checker<'_>,
) -> Option<Camera> {
    let typed = table.cloned().unwrap_or_default();
    let heading_deg = typed.heading_deg.or(coverage.and_then(|coverage| coverage.heading_deg));
    let width_deg = typed.width_deg.or(coverage.and_then(|coverage| coverage.width_deg));
    let mut check = check.table("camera");
    let (Some(heading_deg), Some(width_deg)) = (heading_deg, width_deg.filter(|width| *width < MAX_WIDTH_DEG)) else {
        if table.is_some() {
            let fix = "add heading_deg and width_deg to the camera table, or a sector as coverage";
            check.missing("width_deg", "a heading and a field of view below 170 degrees", fix);
        }
        return None;
    };
    check.number("heading_deg", heading_deg, -360.0, 360.0);
    check.positive("width_deg", width_deg, MAX_WIDTH_DEG);
    check.number("tilt_deg", typed.tilt_deg, -90.0, 90.0);
    check.number("roll_deg", typed.roll_deg, -180.0, 180.0);
    check.number("distortion", typed.distortion, -0.4, 0.4);
    check.number("pose_sd_deg", typed.pose_sd_deg, 0.0, 45.0);
    if let Some([width_px, height_px]) = typed.image_px.filter(|sizes| sizes.contains(&0)) {
        check.fault("image_px", "two counts of pixels above 0", &format!("[{width_px}, {height_px}]"), None);
    }
    let image_px = typed.image_px.map(|sizes| sizes.map(f64::from));
    let ground_sd_px = check.positive("ground_sd_px", typed.ground_sd_px.unwrap_or(USUAL_GROUND_SD_PX), 1_000.0);
    let ground = typed.ground.and_then(|numbers| {
        let homography = Matrix3::from_row_slice(&numbers);
        if !homography.iter().all(|number| number.is_finite()) || homography.determinant() == 0.0 {
            let expected = "nine numbers as `vedette camera calibrate` prints them";
            check.fault("ground", expected, "numbers that are no projection", Some("calibrate the camera anew"));
            return None;
        }
        let width_px = image_px.map_or(USUAL_WIDTH_PX, |[width_px, _]| width_px);
        Some(Ground { homography, sd: 2.0 * ground_sd_px / width_px })
    });
    let aspect =
        image_px.filter(|[width_px, _]| *width_px > 0.0).map_or(USUAL_ASPECT, |[width, height]| height / width);
    Some(Camera {
        image_px,
        tilt_rad: typed.tilt_deg.to_radians(),
        roll_rad: typed.roll_deg.to_radians(),
        distortion: typed.distortion,
        pose_sd_rad: typed.pose_sd_deg.to_radians(),
        ground,
        ..Camera::level(heading_deg.to_radians(), width_deg.to_radians(), aspect)
    })
}

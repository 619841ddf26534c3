//! A camera of known pose over flat ground: what it sees is computed forwards here, and read back by the code under test.

use nalgebra::Vector2;
use proptest::prelude::*;

use super::calibration::{CalibrationError, SurveyedPoint, calibrate, doubtful};
use super::*;

/// Height of the test camera above the ground.
const HEIGHT_M: f64 = 6.0;

fn camera(heading_deg: f64, tilt_deg: f64, roll_deg: f64) -> Camera {
    Camera {
        image_px: Some([1_280.0, 720.0]),
        tilt_rad: tilt_deg.to_radians(),
        roll_rad: roll_deg.to_radians(),
        ..Camera::level(heading_deg.to_radians(), 60.0_f64.to_radians(), 720.0 / 1_280.0)
    }
}

/// Where a place on the ground appears, in shares of the image; none outside of it. The camera stands at the origin.
fn image_of(camera: &Camera, place: Vector2<f64>) -> Option<[f64; 2]> {
    let (sin_h, cos_h) = (sin(camera.heading_rad), cos(camera.heading_rad));
    let (right, ahead) = (place.x * cos_h - place.y * sin_h, place.x * sin_h + place.y * cos_h);
    let (sin_t, cos_t) = (sin(camera.tilt_rad), cos(camera.tilt_rad));
    let depth = ahead * cos_t + HEIGHT_M * sin_t;
    let down = HEIGHT_M * cos_t - ahead * sin_t;
    if depth <= 0.0 {
        return None;
    }
    let (x, y) = (right / depth, down / depth);
    let (sin_r, cos_r) = (sin(camera.roll_rad), cos(camera.roll_rad));
    let (p, q) = ((x * cos_r + y * sin_r) / camera.half_tangent, (y * cos_r - x * sin_r) / camera.half_tangent);
    let shares = [(p + 1.0) / 2.0, (q / camera.aspect + 1.0) / 2.0];
    shares.iter().all(|share| (0.0..=1.0).contains(share)).then_some(shares)
}

fn survey(camera: &Camera, noise: f64) -> Vec<SurveyedPoint> {
    let offsets = [-0.4, -0.2, 0.0, 0.15, 0.35];
    let distances = [25.0, 40.0, 60.0, 90.0];
    let places = distances.iter().flat_map(|distance| {
        offsets.map(|offset| {
            let angle = camera.heading_rad + offset;
            Vector2::new(distance * sin(angle), distance * cos(angle))
        })
    });
    let seen = places.filter_map(|place| image_of(camera, place).map(|image| (place, image)));
    seen.enumerate()
        .map(|(index, (place, [u, v]))| {
            let wobble = noise * if index % 2 == 0 { 1.0 } else { -1.0 };
            SurveyedPoint { image: [u + wobble, v - wobble], ground_m: [place.x, place.y] }
        })
        .collect()
}

fn standing_at([u, v]: [f64; 2]) -> ImageBox {
    ImageBox { left: u - 0.004, right: u + 0.004, top: v - 0.03, bottom: v }
}

proptest! {
    #[test]
    fn the_direction_of_a_point_is_the_direction_of_the_place(
        heading_deg in 0.0..360.0_f64, tilt_deg in -5.0..40.0_f64, roll_deg in -20.0..20.0_f64,
        distance_m in 8.0..300.0_f64, offset in -0.5..0.5_f64,
    ) {
        let camera = camera(heading_deg, tilt_deg, roll_deg);
        let angle = camera.heading_rad + offset;
        let place = Vector2::new(distance_m * sin(angle), distance_m * cos(angle));
        if let Some([u, v]) = image_of(&camera, place) {
            let error = crate::geo::wrap_angle(camera.azimuth_rad(u, v) - angle);
            prop_assert!(error.abs() < 1e-9, "{error}");
        }
    }

    #[test]
    fn surveyed_points_give_back_the_ground_between_them(
        heading_deg in 0.0..360.0_f64, tilt_deg in 5.0..25.0_f64, roll_deg in -8.0..8.0_f64,
        distance_m in 28.0..80.0_f64, offset in -0.3..0.3_f64,
    ) {
        let mut camera = camera(heading_deg, tilt_deg, roll_deg);
        let points = survey(&camera, 0.0);
        prop_assume!(points.len() >= 6);
        let solved = calibrate(&camera, &points).expect("points that span the ground");
        prop_assert!(solved.residuals_m.iter().all(|metres| *metres < 1e-6), "{:?}", solved.residuals_m);
        camera.ground = Some(solved.ground);
        let angle = camera.heading_rad + offset;
        let place = Vector2::new(distance_m * sin(angle), distance_m * cos(angle));
        if let Some(image) = image_of(&camera, place) {
            let Sighting::Ground { position_m, covariance_m2: [ee, en, nn] } =
                camera.locate(standing_at(image), Vector2::zeros(), 0.001) else { panic!("a place") };
            prop_assert!((Vector2::from(position_m) - place).norm() < 1e-6);
            // Long along the ray, thin across it.
            let covariance = Matrix2::new(ee, en, en, nn);
            let (along, across) = (place.normalize(), Vector2::new(place.y, -place.x).normalize());
            let (long, thin) = ((along.transpose() * covariance * along).x, (across.transpose() * covariance * across).x);
            prop_assert!(long > thin && covariance.determinant() > 0.0, "{long} {thin}");
        }
    }

    #[test]
    fn no_box_breaks_a_camera(
        left in -0.05..1.0_f64, width in 0.0..1.0_f64, top in -0.05..1.0_f64, height in 0.0..1.0_f64, distortion in -0.4..0.4_f64,
    ) {
        let mut camera = Camera { distortion, ..camera(10.0, 12.0, 3.0) };
        camera.ground = calibrate(&camera, &survey(&camera, 0.001)).ok().map(|solved| solved.ground);
        let seen = ImageBox { left, right: (left + width).min(1.05), top, bottom: (top + height).min(1.05) };
        match camera.locate(seen, Vector2::zeros(), 0.01) {
            Sighting::Bearing { azimuth_deg, azimuth_sd_deg } => {
                prop_assert!((0.0..=360.0).contains(&azimuth_deg) && azimuth_sd_deg >= 0.57 && azimuth_sd_deg.is_finite());
            }
            Sighting::Ground { covariance_m2: [ee, en, nn], .. } => {
                prop_assert!(ee > 0.0 && nn > 0.0 && ee * nn - en * en > 0.0);
            }
        }
    }
}

#[test]
fn an_error_of_a_pixel_lies_within_the_covariance_it_is_given() {
    let mut camera = camera(30.0, 12.0, 0.0);
    let solved = calibrate(&camera, &survey(&camera, 0.5 / 1_280.0)).expect("points that span the ground");
    let sd_px = solved.sd.expect("more than four points") * 1_280.0 / 2.0;
    assert!((0.1..2.0).contains(&sd_px), "{sd_px}");
    camera.ground = Some(solved.ground);
    for distance_m in [30.0, 50.0, 70.0] {
        let place = Vector2::new(distance_m * sin(camera.heading_rad), distance_m * cos(camera.heading_rad));
        let [u, v] = image_of(&camera, place).expect("in view");
        let Sighting::Ground { position_m, covariance_m2: [ee, en, nn] } =
            camera.locate(standing_at([u, v + 1.0 / 720.0]), Vector2::zeros(), 0.001)
        else {
            panic!("a place")
        };
        let error = Vector2::from(position_m) - place;
        let inverse = Matrix2::new(ee, en, en, nn).try_inverse().expect("positive definite");
        let squared = (error.transpose() * inverse * error).x;
        assert!(squared < 9.0 && squared > 0.001, "{distance_m} m: {squared}");
    }
}

#[test]
fn near_the_horizon_a_box_is_a_direction() {
    let mut camera = camera(30.0, 12.0, 0.0);
    camera.ground = Some(calibrate(&camera, &survey(&camera, 0.0)).expect("points that span the ground").ground);
    let high = ImageBox { left: 0.49, right: 0.51, top: 0.0, bottom: 0.1 };
    let sighting = camera.locate(high, Vector2::zeros(), 0.01);
    assert!(
        matches!(sighting, Sighting::Bearing { azimuth_deg, .. } if (azimuth_deg - 30.0).abs() < 1e-9),
        "{sighting:?}"
    );
}

#[test]
fn a_barrel_is_straightened_and_the_ends_of_the_image_stay() {
    let camera = Camera { distortion: -0.2, ..camera(0.0, 0.0, 0.0) };
    assert!((camera.azimuth_rad(1.0, 0.5).to_degrees() - 30.0).abs() < 1e-9);
    let level = Camera { distortion: 0.0, ..camera.clone() };
    assert!(camera.azimuth_rad(0.75, 0.5) > level.azimuth_rad(0.75, 0.5));
}

#[test]
fn points_that_say_nothing_are_refused_with_a_reason() {
    let camera = camera(30.0, 12.0, 0.0);
    let points = survey(&camera, 0.0);
    assert_eq!(calibrate(&camera, &points[..3]), Err(CalibrationError::TooFewPoints { got: 3 }));
    let on_a_line: Vec<_> = (0_u8..6)
        .map(|n| {
            let n = f64::from(n);
            SurveyedPoint { image: [0.1 * n + 0.2, 0.5], ground_m: [10.0 * n, 50.0] }
        })
        .collect();
    assert_eq!(calibrate(&camera, &on_a_line), Err(CalibrationError::Degenerate));
    let mut broken = points.clone();
    broken[2].ground_m[0] = f64::NAN;
    assert_eq!(calibrate(&camera, &broken), Err(CalibrationError::NotAPoint { index: 2 }));
}

#[test]
fn points_nearly_on_a_line_are_refused_although_errors_lift_them_off_it() {
    let camera = camera(30.0, 12.0, 0.0);
    let path = |n: f64| Vector2::new(10.0 + 5.0 * n, 30.0 + 6.0 * n + if n > 2.5 { 0.05 } else { -0.05 });
    let points: Vec<_> = (0_u8..6)
        .filter_map(|n| {
            let place = path(f64::from(n));
            image_of(&camera, place).map(|image| SurveyedPoint { image, ground_m: [place.x, place.y] })
        })
        .collect();
    assert!(points.len() >= 4, "{points:?}");
    assert_eq!(calibrate(&camera, &points), Err(CalibrationError::Degenerate));
}

#[test]
fn the_solution_is_as_good_in_the_image_as_the_points_are() {
    let camera = camera(30.0, 12.0, 0.0);
    let solved = calibrate(&camera, &survey(&camera, 0.5 / 1_280.0)).expect("points that span the ground");
    let sd_px = solved.sd.expect("more than four points") * 1_280.0 / 2.0;
    assert!(sd_px < 1.0, "{sd_px} px with errors of half a pixel");
}

#[test]
fn the_point_that_does_not_fit_is_found() {
    let camera = camera(30.0, 12.0, 0.0);
    let mut points = survey(&camera, 0.5 / 1_280.0);
    assert_eq!(doubtful(&camera, &points), None);
    points[3].ground_m[1] += 8.0;
    assert_eq!(doubtful(&camera, &points), Some(3));
}

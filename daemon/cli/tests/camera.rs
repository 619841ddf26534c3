//! `vedette camera calibrate` with points as they come from a survey: good ones, and each way they go wrong.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

const SITE: &str = r#"
[site]
id = "north"
origin = { lat = 52.0, lon = 23.6 }

[[sensor]]
id = "gate-cam"
kind = "camera"
position = { east_m = 10.0, north_m = -20.0 }
coverage = { shape = "sector", range_m = 200.0, heading_deg = 20.0, width_deg = 60.0 }
camera = { image_px = [1920, 1080], tilt_deg = 8.0 }

[[sensor]]
id = "pir-1"
kind = "pir"
position = { east_m = 10.0, north_m = 0.0 }
"#;

const PLACES: [[f64; 2]; 8] =
    [[18.0, 10.0], [30.0, 12.0], [25.0, 40.0], [50.0, 60.0], [20.0, 80.0], [60.0, 100.0], [35.0, 25.0], [45.0, 130.0]];

/// Pixel of a place on level ground, seen from 6 m above (10, -20), 20 degrees from north, 8 degrees down.
fn pixel([east_m, north_m]: [f64; 2]) -> [f64; 2] {
    let (heading, tilt) = (20.0_f64.to_radians(), 8.0_f64.to_radians());
    let focal_px = 960.0 / 30.0_f64.to_radians().tan();
    let (east, north) = (east_m - 10.0, north_m + 20.0);
    let right = east * heading.cos() - north * heading.sin();
    let ahead = east * heading.sin() + north * heading.cos();
    let depth = ahead * tilt.cos() + 6.0 * tilt.sin();
    let up = ahead * tilt.sin() - 6.0 * tilt.cos();
    [960.0 + focal_px * right / depth, 540.0 - focal_px * up / depth]
}

/// A survey of these places, each off by a pixel in turn.
fn survey(places: &[[f64; 2]]) -> Vec<[f64; 4]> {
    let off = [[1.0, 0.0], [0.0, -1.0], [-1.0, 0.0], [0.0, 1.0]];
    let point = |(number, place): (usize, &[f64; 2])| {
        let ([x, y], [right, down]) = (pixel(*place), off[number % 4]);
        [x + right, y + down, place[0], place[1]]
    };
    places.iter().enumerate().map(point).collect()
}

fn calibrate(folder: &Path, sensor: &str, points: &[[f64; 4]]) -> Output {
    let mut text = "# surveyed in March\nx_px,y_px,east_m,north_m\n".to_owned();
    for [x, y, east, north] in points {
        let _ = writeln!(text, "{x:.1},{y:.1},{east},{north}");
    }
    std::fs::write(folder.join("points.csv"), text).expect("written");
    std::fs::write(folder.join("gateway.toml"), SITE).expect("written");
    let arguments = ["camera", "calibrate", "points.csv", "--config", "gateway.toml", "--sensor", sensor];
    Command::new(env!("CARGO_BIN_EXE_vedette")).args(arguments).current_dir(folder).output().expect("the program runs")
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn good_points_give_a_line_that_is_a_configuration_and_fits_within_a_pixel_or_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = calibrate(folder.path(), "gate-cam", &survey(&PLACES));
    assert_eq!(told(&output), (Some(0), "somebody at any of the 8 points is given a place\n".to_owned()));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let line = text.lines().last().expect("the camera's line");
    assert!(line.starts_with("camera = { image_px = [1920,1080], tilt_deg = 8.0, ground = ["), "{line}");
    let sd_px = line.split("ground_sd_px = ").nth(1).and_then(|rest| rest.trim_end_matches(" }").parse::<f64>().ok());
    assert!(sd_px.is_some_and(|sd_px| sd_px < 1.5), "{text}");
    let pasted = SITE.replace("camera = { image_px = [1920, 1080], tilt_deg = 8.0 }", line);
    std::fs::write(folder.path().join("pasted.toml"), pasted).expect("written");
    let mut check = Command::new(env!("CARGO_BIN_EXE_vedette"));
    let checked = check.args(["check", "pasted.toml"]).current_dir(folder.path()).output().expect("the program runs");
    assert_eq!(told(&checked), (Some(0), String::new()));
}

#[test]
fn four_points_are_taken_and_it_is_said_what_they_cannot_show() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = calibrate(folder.path(), "gate-cam", &survey(&PLACES[..4]));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success() && text.contains("survey more") && !text.contains("ground_sd_px"), "{text}");
}

#[test]
fn what_is_wrong_with_points_is_told_with_their_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut slipped = survey(&PLACES);
    slipped[4][3] += 12.0;
    let output = calibrate(folder.path(), "gate-cam", &slipped);
    let (status, error) = told(&output);
    assert_eq!(status, Some(0));
    assert!(
        error.starts_with("points.csv:7: without this point the others fit much better: survey it again\n"),
        "{error}"
    );

    let mut exchanged = survey(&PLACES);
    (exchanged[0][2], exchanged[3][2]) = (exchanged[3][2], exchanged[0][2]);
    (exchanged[0][3], exchanged[3][3]) = (exchanged[3][3], exchanged[0][3]);
    let (status, error) = told(&calibrate(folder.path(), "gate-cam", &exchanged));
    assert!(status == Some(1) && error.contains("may be exchanged"), "{error}");

    let path: Vec<[f64; 2]> = (0_u8..6).map(|n| [15.0 + 5.0 * f64::from(n), 10.0 + 9.9 * f64::from(n)]).collect();
    let (status, error) = told(&calibrate(folder.path(), "gate-cam", &survey(&path)));
    assert!(status == Some(1) && error.contains("points.csv: expected points that span an area"), "{error}");

    let mut outside = survey(&PLACES);
    outside[1][0] = 2_100.0;
    let (status, error) = told(&calibrate(folder.path(), "gate-cam", &outside));
    assert!(
        status == Some(1) && error.contains("points.csv:4: expected a point of the image of 1920 x 1080"),
        "{error}"
    );

    let (status, error) = told(&calibrate(folder.path(), "gate-cam", &survey(&PLACES[..3])));
    assert!(status == Some(1) && error.contains("expected at least 4 surveyed points, got 3"), "{error}");
    let (status, error) = told(&calibrate(folder.path(), "pir-1", &survey(&PLACES)));
    assert!(status == Some(1) && error.contains("pir-1: expected kind = \"camera\""), "{error}");
}

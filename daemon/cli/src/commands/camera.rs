//! `vedette camera`: what a camera's image says about the ground.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use vedette_gateway::config::Config;
use vedette_gateway::engine::camera::calibration::{Calibration, CalibrationError, SurveyedPoint, calibrate, doubtful};
use vedette_gateway::engine::camera::{Camera, CameraTable, ImageBox, Sighting};
use vedette_gateway::engine::config::Site;

use crate::outcome::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Solve the ground in a camera's view from at least four surveyed points; prints what is left over at each
    Calibrate {
        /// The configuration with the camera
        #[arg(long)]
        config: PathBuf,
        /// The camera's id
        #[arg(long)]
        sensor: String,
        /// Points as CSV with a header: `x_px,y_px,lat,lon` or `x_px,y_px,east_m,north_m`
        points: PathBuf,
    },
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let Act::Calibrate { config, sensor, points } = &arguments.act;
    let config = Config::load(config)?;
    let site = config.engine.resolve().map_err(|faults| anyhow::anyhow!("{}", faults[0]))?;
    let index = site.sensor_named(sensor).with_context(|| format!("no sensor \"{sensor}\" in the configuration"))?;
    let camera = site.sensors[index].camera.clone().with_context(|| {
        format!("{sensor}: expected kind = \"camera\" with a sector as coverage, or with camera = {{ width_deg = .. }}")
    })?;
    let Some(image_px) = camera.image_px else {
        bail!("{sensor}: expected camera = {{ image_px = [width, height] }}, since points are in pixels");
    };
    let text = std::fs::read_to_string(points).with_context(|| points.display().to_string())?;
    let surveyed = read_points(&text, points, image_px, &site)?;
    let only_points: Vec<SurveyedPoint> = surveyed.iter().map(|(_, point)| *point).collect();
    let solved = calibrate(&camera, &only_points).map_err(|error| explained(&error, points, &surveyed))?;
    let mut out = std::io::stdout();
    write!(out, "{}", residuals(&surveyed, &solved, image_px))?;
    if let Some(doubtful) = doubtful(&camera, &only_points) {
        let line = surveyed[doubtful].0;
        eprintln!("{}:{line}: without this point the others fit much better: survey it again", points.display());
    }
    let sd_px = solved.sd.map(|sd| sd * image_px[0] / 2.0);
    if let Some(sd_px) = sd_px.filter(|sd_px| *sd_px > WORST_SD * image_px[0]) {
        bail!("the points contradict each other by {sd_px:.0} px: two may be exchanged; no ground is given");
    }
    let typed = config.engine.sensor[index].camera.clone().unwrap_or_default();
    write!(out, "{}", table(&typed, &solved, sd_px))?;
    out.flush()?;
    let calibrated = Camera { ground: Some(solved.ground), ..camera };
    let position_m = site.sensors[index].model.position_m;
    let is_place = |point: &&SurveyedPoint| {
        matches!(calibrated.locate(standing_at(point), position_m, 0.01), Sighting::Ground { .. })
    };
    let (seen, all) = (only_points.iter().filter(is_place).count(), only_points.len());
    if seen == all {
        eprintln!("somebody at any of the {all} points is given a place");
    } else {
        eprintln!(
            "somebody at {seen} of the {all} points is given a place, at the others, near the horizon, a bearing"
        );
    }
    Ok(Outcome::Done)
}

/// Points that miss each other by more than this share of the image's width are no survey of one ground.
const WORST_SD: f64 = 0.02;

/// The numbers of lines with their points.
type Surveyed = Vec<(usize, SurveyedPoint)>;

fn read_points(text: &str, path: &Path, [width, height]: [f64; 2], site: &Site) -> anyhow::Result<Surveyed> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let (_, header) = lines.next().with_context(|| format!("{}: expected a header, got nothing", path.display()))?;
    let columns: Vec<&str> = header.split(',').map(str::trim).collect();
    let on_globe = match columns[..] {
        ["x_px", "y_px", "lat", "lon"] => true,
        ["x_px", "y_px", "east_m", "north_m"] => false,
        _ => bail!("{}: expected x_px,y_px,lat,lon or x_px,y_px,east_m,north_m, got {header}", path.display()),
    };
    let mut points = Vec::new();
    for (number, line) in lines {
        let place = || format!("{}:{}", path.display(), number + 1);
        let numbers: Result<Vec<f64>, _> = line.split(',').map(|field| field.trim().parse()).collect();
        let numbers = numbers.with_context(|| format!("{}: expected four numbers, got {line}", place()))?;
        let [x_px, y_px, one, other] = numbers[..] else {
            bail!("{}: expected four numbers, got {}", place(), numbers.len());
        };
        if !(0.0..=width).contains(&x_px) || !(0.0..=height).contains(&y_px) {
            bail!("{}: expected a point of the image of {width} x {height} px, got {x_px}, {y_px}", place());
        }
        let ground_m = if on_globe {
            let site_m = site.frame.to_site(one, other);
            let site_m = site_m.with_context(|| format!("{}: expected a place within 200 km of the site", place()))?;
            [site_m.x, site_m.y]
        } else {
            [one, other]
        };
        points.push((number + 1, SurveyedPoint { image: [x_px / width, y_px / height], ground_m }));
    }
    Ok(points)
}

/// Why there is no solution, with the line of the point that is to blame.
fn explained(error: &CalibrationError, path: &Path, points: &Surveyed) -> anyhow::Error {
    let path = path.display();
    match error {
        CalibrationError::AboveHorizon { index } | CalibrationError::NotAPoint { index } => {
            let line = points.get(*index).map_or(0, |(line, _)| *line);
            let what = if matches!(error, CalibrationError::NotAPoint { .. }) {
                "expected finite coordinates"
            } else {
                "the others put this point above the horizon: two points may be exchanged"
            };
            anyhow::anyhow!("{path}:{line}: {what}")
        }
        other => anyhow::anyhow!("{path}: {other}"),
    }
}

fn residuals(points: &Surveyed, solved: &Calibration, [width, height]: [f64; 2]) -> String {
    let mut text = format!(
        "{:>5} {:>8} {:>8} {:>11} {:>11} {:>11} {:>11}\n",
        "line", "x_px", "y_px", "east_m", "north_m", "residual_px", "residual_m"
    );
    for (((line, point), metres), half_widths) in points.iter().zip(&solved.residuals_m).zip(&solved.residuals) {
        let [east_m, north_m] = point.ground_m;
        let (x_px, y_px) = (point.image[0] * width, point.image[1] * height);
        let px = half_widths * width / 2.0;
        let _ = writeln!(
            text,
            "{line:>5} {x_px:>8.1} {y_px:>8.1} {east_m:>11.2} {north_m:>11.2} {px:>11.2} {metres:>11.2}"
        );
    }
    text
}

/// The camera's line of the configuration, with all that stood there before.
fn table(typed: &CameraTable, solved: &Calibration, sd_px: Option<f64>) -> String {
    /// Nine digits place a point within a millimetre.
    const DIGITS: usize = 8;
    let mut text = "\nthe camera's line of the configuration:\n".to_owned();
    if sd_px.is_none() {
        text.push_str("# four points fit any ground exactly: survey more to learn how well it fits\n");
    }
    if typed.distortion != 0.0 {
        let _ = writeln!(text, "# solved with distortion = {}: calibrate anew when that changes", typed.distortion);
    }
    let numbers: Vec<String> =
        solved.ground.homography.transpose().iter().map(|number| format!("{number:.DIGITS$e}")).collect();
    let typed = CameraTable { ground: None, ground_sd_px: None, ..typed.clone() };
    let mut keys: Vec<String> = match serde_json::to_value(typed) {
        Ok(serde_json::Value::Object(keys)) => keys
            .into_iter()
            .filter(|(_, value)| !value.is_null() && value.as_f64() != Some(0.0))
            .map(|(key, value)| format!("{key} = {value}"))
            .collect(),
        _ => Vec::new(),
    };
    keys.push(format!("ground = [{}]", numbers.join(", ")));
    keys.extend(sd_px.map(|sd_px| format!("ground_sd_px = {:.2}", sd_px.max(0.1))));
    let _ = writeln!(text, "camera = {{ {} }}", keys.join(", "));
    text
}

/// Somebody who stands at the point, small in the image.
fn standing_at(point: &SurveyedPoint) -> ImageBox {
    let [u, v] = point.image;
    ImageBox { left: u - 0.005, right: u + 0.005, top: v - 0.05, bottom: v }
}

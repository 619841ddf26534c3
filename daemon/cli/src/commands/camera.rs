//! `vedette camera`: what a camera's image says about the ground.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use vedette_gateway::config::Config;
use vedette_gateway::engine::camera::calibration::{Calibration, SurveyedPoint, calibrate};
use vedette_gateway::engine::camera::{Camera, ImageBox, Sighting};
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
    let camera = site.sensors[index].camera.clone();
    let camera = camera.with_context(|| format!("{sensor} is no camera with a known field of view"))?;
    let Some(image_px) = camera.image_px else {
        bail!("{sensor} needs camera = {{ image_px = [width, height] }}, since points are in pixels");
    };
    let text = std::fs::read_to_string(points).with_context(|| points.display().to_string())?;
    let surveyed = read_points(&text, points, image_px, &site)?;
    let solved = calibrate(&camera, &surveyed).with_context(|| points.display().to_string())?;
    print!("{}", told(&surveyed, &solved, &camera, image_px));
    let calibrated = Camera { ground: Some(solved.ground), ..camera };
    let position_m = site.sensors[index].model.position_m;
    let is_place = |point: &&SurveyedPoint| {
        matches!(calibrated.locate(standing_at(point), position_m, 0.01), Sighting::Ground { .. })
    };
    let seen = surveyed.iter().filter(is_place).count();
    eprintln!(
        "{seen} of {} points give a place; the others are too near to the horizon and give a bearing",
        surveyed.len()
    );
    Ok(Outcome::Done)
}

fn read_points(text: &str, path: &Path, [width, height]: [f64; 2], site: &Site) -> anyhow::Result<Vec<SurveyedPoint>> {
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
        let ground_m = if on_globe {
            let site_m = site.frame.to_site(one, other);
            let site_m = site_m.with_context(|| format!("{}: expected a place within 200 km of the site", place()))?;
            [site_m.x, site_m.y]
        } else {
            [one, other]
        };
        points.push(SurveyedPoint { image: [x_px / width, y_px / height], ground_m });
    }
    Ok(points)
}

fn told(points: &[SurveyedPoint], solved: &Calibration, camera: &Camera, [width, height]: [f64; 2]) -> String {
    let mut text =
        format!("{:>8} {:>8} {:>11} {:>11} {:>11} {:>8}\n", "x_px", "y_px", "east_m", "north_m", "residual_m", "px");
    for ((point, metres), half_widths) in points.iter().zip(&solved.residuals_m).zip(&solved.residuals) {
        let [east_m, north_m] = point.ground_m;
        let (x_px, y_px) = (point.image[0] * width, point.image[1] * height);
        let px = half_widths * width / 2.0;
        let _ = writeln!(text, "{x_px:>8.1} {y_px:>8.1} {east_m:>11.2} {north_m:>11.2} {metres:>11.2} {px:>8.2}");
    }
    let numbers: Vec<String> =
        solved.ground.homography.transpose().iter().map(|number| format!("{number:e}")).collect();
    let _ = writeln!(text, "\nin the camera's table:");
    let _ = writeln!(text, "ground = [{}]", numbers.join(", "));
    match solved.sd {
        Some(sd) => {
            let _ = writeln!(text, "ground_sd_px = {:.2}", (sd * width / 2.0).max(0.1));
        }
        None => {
            let _ = writeln!(text, "# four points fit any ground exactly: survey more to learn how well it fits");
        }
    }
    if camera.distortion != 0.0 {
        let _ = writeln!(text, "# solved with distortion = {}: calibrate anew when that changes", camera.distortion);
    }
    text
}

/// Somebody who stands at the point, small in the image.
fn standing_at(point: &SurveyedPoint) -> ImageBox {
    let [u, v] = point.image;
    ImageBox { left: u - 0.005, right: u + 0.005, top: v - 0.05, bottom: v }
}

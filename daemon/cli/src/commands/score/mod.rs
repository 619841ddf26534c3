//! `vedette score`: tracks against the truth.

mod crossings;
mod tracks;
mod truth;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::Serialize;
use vedette_gateway::engine::metric::{CrossingTotals, Score, ScoreOptions, score};
use vedette_gateway::engine::time::parse_rfc3339;

use self::tracks::Tracks;
use self::truth::Truth;
use crate::outcome::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the objects were: a CSV file with the header t,id,x,y (seconds since --epoch, metres east and north)
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// The tracks, as `vedette replay --tracks` writes them
    #[arg(long, value_name = "FILE")]
    tracks: PathBuf,
    /// The alerts, as `vedette replay --alerts` writes them: which crossings of the border lines were told, the right way,
    /// and how far off the expected times were
    #[arg(long, value_name = "FILE", requires = "config")]
    alerts: Option<PathBuf>,
    /// The configuration that has the border lines
    #[arg(long, value_name = "FILE", requires = "alerts")]
    config: Option<PathBuf>,
    /// The instant of the truth's t = 0
    #[arg(long, value_name = "TIME", default_value = "2026-03-01T00:00:00Z")]
    epoch: String,
    /// Distance at which an object counts as missed and a track as false, metres
    #[arg(long, value_name = "M", default_value_t = 50.0, value_parser = parse_above_zero, allow_negative_numbers = true)]
    cutoff: f64,
    /// Distance within which a track follows an object, metres
    #[arg(long, value_name = "M", default_value_t = 25.0, value_parser = parse_above_zero, allow_negative_numbers = true)]
    within: f64,
    /// How late a line may be written and still count, seconds
    #[arg(long, value_name = "S", default_value_t = 0.3, value_parser = parse_not_negative, allow_negative_numbers = true)]
    latency: f64,
    /// Leave out what is later than this, seconds since --epoch
    #[arg(long, value_name = "S", value_parser = parse_bounded, allow_negative_numbers = true)]
    until: Option<f64>,
    /// Leave out tracks farther than this from every object, where not all objects are known, metres
    #[arg(long, value_name = "M", value_parser = parse_not_negative, allow_negative_numbers = true)]
    near: Option<f64>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let epoch = parse_rfc3339(&arguments.epoch).context("--epoch: expected a time such as 2026-03-01T00:00:00Z")?;
    let options = ScoreOptions {
        epoch,
        cutoff_m: arguments.cutoff,
        match_m: arguments.within,
        latency_s: arguments.latency,
        until_s: arguments.until,
        near_m: arguments.near,
    };
    let truth = Truth::read(&arguments.truth)?;
    let tracks = score_tracks(&truth, arguments, &options)?;
    let files = arguments.alerts.as_deref().zip(arguments.config.as_deref());
    let crossings =
        files.map(|(alerts, config)| crossings::score(&truth.points, alerts, config, &options)).transpose()?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&Scores { tracks, crossings })?)?;
    Ok(Outcome::Done)
}

/// What is printed.
#[derive(Serialize)]
struct Scores {
    #[serde(flatten)]
    tracks: Score,
    #[serde(skip_serializing_if = "Option::is_none")]
    crossings: Option<CrossingTotals>,
}

fn score_tracks(truth: &Truth, arguments: &Arguments, options: &ScoreOptions) -> anyhow::Result<Score> {
    let tracks = Tracks::read(&arguments.tracks)?;
    let score = score(truth.points.iter().cloned(), tracks.lines, options)
        .map_err(|error| anyhow!("{}: {}", arguments.truth.display(), truth.explain(&error)))?;
    if tracks.without_place > 0 {
        eprintln!("left out: {} times a confirmed track without east_m and north_m", tracks.without_place);
    }
    Ok(score)
}

/// Greatest distance or time that an option may have: beyond, squares lose what they are compared with.
const MOST: f64 = 1e9;

fn parse(text: &str, expected: &str, holds: impl Fn(f64) -> bool) -> Result<f64, String> {
    text.parse().ok().filter(|value: &f64| holds(*value)).ok_or_else(|| format!("expected {expected}"))
}

fn parse_above_zero(text: &str) -> Result<f64, String> {
    parse(text, "a number above 0, up to 1e9", |value| value > 0.0 && value <= MOST)
}

fn parse_not_negative(text: &str) -> Result<f64, String> {
    // Adding zero turns -0 into 0.
    parse(text, "a number from 0 to 1e9", |value| (0.0..=MOST).contains(&value)).map(|value| value + 0.0)
}

fn parse_bounded(text: &str) -> Result<f64, String> {
    parse(text, "a number from -1e9 to 1e9", |value| value.abs() <= MOST)
}

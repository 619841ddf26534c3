//! `vedette score`: tracks against the truth.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;
use vedette_gateway::engine::metric::{ScoreOptions, TrackLine, TruthPoint, score};
use vedette_gateway::engine::time::parse_rfc3339;

use crate::outcome::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the objects were: a CSV file with the columns t,id,x,y (seconds since --epoch, metres east and north)
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
    /// The tracks, as `vedette replay --tracks` writes them
    #[arg(long, value_name = "FILE")]
    tracks: PathBuf,
    /// The instant of the truth's t = 0
    #[arg(long, value_name = "TIME", default_value = "2026-03-01T00:00:00Z")]
    epoch: String,
    /// Distance at which an object counts as missed and a track as false, metres
    #[arg(long, value_name = "M", default_value_t = 50.0)]
    cutoff: f64,
    /// Distance within which a track follows an object, metres
    #[arg(long, value_name = "M", default_value_t = 25.0)]
    within: f64,
    /// How late a line may be written and still count, seconds
    #[arg(long, value_name = "S", default_value_t = 0.3)]
    latency: f64,
    /// Leave out what is later than this, seconds since --epoch
    #[arg(long, value_name = "S")]
    until: Option<f64>,
    /// Leave out tracks farther than this from every object, where not all objects are known, metres
    #[arg(long, value_name = "M")]
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
    let truth = each_line(&arguments.truth, 1, parse_truth)?;
    let lines = each_line(&arguments.tracks, 0, parse_tracks)?;
    let score = score(truth, lines, &options).with_context(|| arguments.truth.display().to_string())?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&score)?)?;
    Ok(Outcome::Done)
}

fn each_line<T>(path: &Path, skip: usize, parse: fn(&str) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let lines = BufReader::new(file).lines().enumerate().skip(skip);
    let parsed = lines.map(|(index, line)| {
        line.map_err(anyhow::Error::from)
            .and_then(|line| parse(&line))
            .with_context(|| format!("{}:{}", path.display(), index + 1))
    });
    parsed.collect()
}

fn parse_truth(line: &str) -> anyhow::Result<TruthPoint> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [t, id, x, y] = fields[..] else { anyhow::bail!("expected t,id,x,y, got {} fields", fields.len()) };
    let number = |text: &str| text.parse::<f64>().with_context(|| format!("expected a number, got {text:?}"));
    Ok(TruthPoint { t: number(t)?, id: id.to_owned(), position_m: [number(x)?, number(y)?].into() })
}

#[derive(Deserialize)]
struct Line {
    t: String,
    now: Option<String>,
    tracks: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: serde_json::Value,
    #[serde(default)]
    status: Option<String>,
    east_m: Option<f64>,
    north_m: Option<f64>,
}

fn parse_tracks(line: &str) -> anyhow::Result<TrackLine> {
    let Line { t, now, tracks } = serde_json::from_str(line)?;
    let time = |text: &str| parse_rfc3339(text).with_context(|| format!("expected a time, got {text:?}"));
    let t = time(&t)?;
    let now = now.as_deref().map_or(Ok(t), time)?;
    let mut places = Vec::with_capacity(tracks.len());
    for Row { id, status, east_m, north_m } in tracks {
        if status.is_none_or(|status| status == "confirmed")
            && let (Some(east_m), Some(north_m)) = (east_m, north_m)
        {
            ensure!(east_m.is_finite() && north_m.is_finite(), "a track's position is not finite");
            places.push((id.to_string(), [east_m, north_m].into()));
        }
    }
    Ok(TrackLine { t, now, tracks: places })
}

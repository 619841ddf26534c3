//! Crossings of border lines: which were told, the right way, and in time.

use std::io::BufRead;
use std::path::Path;

use anyhow::Context;
use vedette_gateway::config::Config;
use vedette_gateway::engine::config::{Ground, ZoneKind};
use vedette_gateway::engine::metric::{
    CrossingOptions, CrossingTotals, ScoreOptions, TruthPoint, crossings, score_crossings,
};
use vedette_gateway::engine::{Alert, EngineError, crossing_reports};

use crate::outcome::Wrong;
use crate::text_file;

/// Scores the alerts of a file at the border lines of a configuration.
pub(super) fn score(
    truth: &[TruthPoint],
    alerts: &Path,
    config: &Path,
    options: &ScoreOptions,
) -> anyhow::Result<CrossingTotals> {
    let site = Config::load(config)?.engine.resolve().map_err(EngineError::Config)?;
    let mut lines = Vec::new();
    for zone in site.zones.iter().filter(|zone| zone.kind == ZoneKind::Border) {
        match &zone.ground {
            Ground::Line(points) => lines.push(points),
            Ground::Polygon(_) => eprintln!("left out: border {}, which is no line", zone.name),
        }
    }
    if lines.is_empty() {
        let wrong = format!("{}: expected a [[zone]] of kind \"border\" with a line, got none", config.display());
        return Err(Wrong(wrong).into());
    }
    let alerts = read(alerts)?;
    let is_in_time = |point: &&TruthPoint| options.until_s.is_none_or(|until_s| point.t <= until_s);
    let scores: Vec<_> = lines
        .into_iter()
        .map(|line_m| {
            let crossings = crossings(truth.iter().filter(is_in_time), options.epoch, line_m);
            // An alert does not say when it was written: soon after its newest plot.
            let written = alerts.iter().map(|alert| (alert.last_seen, alert));
            score_crossings(&crossings, &crossing_reports(written, line_m, &site.frame), &CrossingOptions::default())
        })
        .collect();
    Ok(CrossingTotals::of(&scores))
}

fn read(path: &Path) -> anyhow::Result<Vec<Alert>> {
    let alert = |(index, line): (usize, std::io::Result<String>)| {
        line.map_err(anyhow::Error::from)
            .and_then(|line| Ok(serde_json::from_str(&line)?))
            .with_context(|| format!("{}:{}: expected an alert", path.display(), index + 1))
    };
    text_file::open(path)?.lines().enumerate().map(alert).collect()
}

//! One alert as text, for a terminal or a mail.

use std::io::{Result, Write};

use super::alert::{evidence_rows, facts, health_rows, plot_rows, rule_rows, state};
use super::clock;
use super::collect::Story;

/// Columns of plain text, as wide as they need.
pub(super) fn columns(heads: &[&str], rows: &[Vec<String>], out: &mut impl Write) -> Result<()> {
    let width = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        cells.chain([heads[index].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("  {}", padded.join("  ").trim_end())
    };
    writeln!(out, "{}", line(&mut heads.iter().copied()))?;
    for row in rows {
        writeln!(out, "{}", line(&mut row.iter().map(String::as_str)))?;
    }
    Ok(())
}

/// Writes the story.
pub(crate) fn tell(story: &Story, out: &mut impl Write) -> Result<()> {
    writeln!(out, "{}\n", story.last().text)?;
    for (name, value) in facts(story) {
        writeln!(out, "  {name:<22} {value}")?;
    }
    writeln!(out, "\nWhat was said")?;
    for (written, alert) in &story.revisions {
        let severity = format!("{:?}", alert.severity).to_lowercase();
        writeln!(out, "  {} rev {} {}, {severity}", clock(*written, &story.site), alert.rev, state(alert.state))?;
        writeln!(out, "      {}", alert.text)?;
    }
    if !story.plots.is_empty() {
        writeln!(out, "\nPlots, in order")?;
        let heads = ["time", "sensor", "measured", "innovation", "NIS", "its own", "log-lik.", "used after"];
        columns(&heads, &plot_rows(story), out)?;
    }
    if !story.evidence.is_empty() {
        writeln!(out, "\nWho said so, and who did not")?;
        let heads = ["sensor", "plots", "log-lik.", "share", "by silence", "mean NIS", "expected and silent"];
        columns(&heads, &evidence_rows(story), out)?;
    }
    writeln!(out, "\nWhat the rules made of it")?;
    let heads = ["when", "rule", "track", "severity", "what became of it", "times", "last found"];
    columns(&heads, &rule_rows(story), out)?;
    if !story.steps.is_empty() {
        writeln!(out, "\nExistence of the track")?;
        existence(story, out)?;
    }
    if !story.evidence.is_empty() {
        writeln!(out, "\nHealth of the sensors")?;
        let heads = ["sensor", "msg/min", "plots/min", "mean delay", "longest gap", "battery", "last heard"];
        columns(&heads, &health_rows(story), out)?;
    }
    Ok(())
}

/// A line whenever the existence has changed by a tenth, with a bar for the eye.
fn existence(story: &Story, out: &mut impl Write) -> Result<()> {
    const TOLD_FROM: f64 = 0.1;
    for id in &story.tracks {
        let mut told: Option<f64> = None;
        for step in story.steps.iter().filter(|step| step.track.id == *id) {
            let existence = step.track.existence;
            if told.is_some_and(|told| (existence - told).abs() < TOLD_FROM) {
                continue;
            }
            told = Some(existence);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 40")]
            let bar = "#".repeat((existence * 40.0) as usize);
            let status = format!("{:?}", step.track.status).to_lowercase();
            let time = clock(step.time, &story.site);
            writeln!(out, "  {time} track {} {status:<9} {:>4.0} % {bar}", id.0, existence * 100.0)?;
        }
    }
    Ok(())
}

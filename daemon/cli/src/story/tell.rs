//! One alert as text, for a terminal or a mail.

use std::io::{Result, Write};

use super::alert::{evidence_rows, facts, health_rows, lasted, plot_rows};
use super::collect::{Judged, Story};
use super::{clock, state};
use crate::plain::{columns, wrapped};

/// Writes the story.
pub(crate) fn tell(story: &Story, out: &mut impl Write) -> Result<()> {
    writeln!(out, "{}", wrapped("", "", &story.last().text))?;
    for (name, value) in facts(story) {
        write!(out, "{}", wrapped(&format!("  {name:<22} "), &" ".repeat(25), &value))?;
    }
    writeln!(out, "\nWhat was said")?;
    for (written, alert) in &story.revisions {
        let severity = format!("{:?}", alert.severity).to_lowercase();
        writeln!(out, "  {} rev {} {}, {severity}", clock(*written, &story.site), alert.rev, state(alert.state))?;
        write!(out, "{}", wrapped("      ", "      ", &alert.text))?;
    }
    if !story.plots.is_empty() {
        writeln!(out, "\nPlots, in order")?;
        let heads = ["time", "sensor", "measured", "innovation", "NIS", "own", "log-lik."];
        columns(&heads, &plot_rows(story), out)?;
    }
    if !story.evidence.is_empty() {
        writeln!(out, "\nWho said so, and who did not")?;
        let heads = ["sensor", "plots", "log-lik.", "share", "silence", "NIS", "expected and silent"];
        columns(&heads, &evidence_rows(story), out)?;
    }
    writeln!(out, "\nWhat the rules made of it")?;
    for judged in &story.judged {
        rule(story, judged, out)?;
    }
    if !story.steps.is_empty() {
        writeln!(out, "\nExistence of the track")?;
        existence(story, out)?;
    }
    if !story.evidence.is_empty() {
        writeln!(out, "\nHealth of the sensors")?;
        let heads = ["sensor", "msg/min", "plots/min", "delay", "longest gap", "battery", "last heard"];
        columns(&heads, &health_rows(story), out)?;
    }
    Ok(())
}

/// What a rule found, for how long, and what became of it.
fn rule(story: &Story, judged: &Judged, out: &mut impl Write) -> Result<()> {
    let judgement = &judged.judgement;
    let severity = format!("{:?}", judgement.severity).to_lowercase();
    let track = judgement.track.map_or_else(String::new, |track| format!(", track {}", track.0));
    let times = if judged.times == 1 { "once".to_owned() } else { format!("{} times", judged.times) };
    writeln!(out, "  {} {}{track}, {severity}, {times}", lasted(story, judged), judgement.rule)?;
    let told = format!("{}; last found: {}", judgement.verdict.text(), judgement.what);
    write!(out, "{}", wrapped("      ", "      ", &told))
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
            let line = format!("  {time} track {} {status:<9} {:>4.0} % {bar}", id.0, existence * 100.0);
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    Ok(())
}

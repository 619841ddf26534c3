//! `vedette diff`: what a changed configuration or program changed in alerts or tracks.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;
use vedette_gateway::engine::{Alert, Place};

use crate::outcome::{self, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file of before
    before: PathBuf,
    /// The file of after
    after: PathBuf,
}

/// One difference.
enum Difference {
    Lost(String),
    Gained(String),
    Changed(String, String),
    /// The same, but at another time or place, or under another id.
    Moved(String, String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(what) => write!(f, "- {what}"),
            Self::Gained(what) => write!(f, "+ {what}"),
            Self::Changed(what, how) => write!(f, "~ {what}: {how}"),
            Self::Moved(what, how) => write!(f, "> {what}: {how}"),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    // Status 1 is an answer here: what cannot be compared must not look like one.
    compare(arguments).or_else(|error| {
        if outcome::is_broken_pipe(&error) {
            return Err(error);
        }
        eprintln!("vedette: {error:#}");
        Ok(Outcome::NotCompared)
    })
}

fn compare(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let (before, after) = (read(&arguments.before)?, read(&arguments.after)?);
    let first = before.first().or(after.first());
    let differences = match first.map(|line| line.get("tracks").is_some()) {
        Some(true) => tracks(&before, &after),
        Some(false) => alerts(alerts_of(&before, &arguments.before)?, alerts_of(&after, &arguments.after)?),
        None => Vec::new(),
    };
    let mut out = std::io::stdout().lock();
    for difference in &differences {
        writeln!(out, "{difference}")?;
    }
    let count = |wanted: fn(&Difference) -> bool| differences.iter().filter(|difference| wanted(difference)).count();
    eprintln!(
        "{} gained (+), {} lost (-), {} moved (>), {} changed (~)",
        count(|difference| matches!(difference, Difference::Gained(_))),
        count(|difference| matches!(difference, Difference::Lost(_))),
        count(|difference| matches!(difference, Difference::Moved(..))),
        count(|difference| matches!(difference, Difference::Changed(..))),
    );
    Ok(if differences.is_empty() { Outcome::Done } else { Outcome::Different })
}

fn read(path: &Path) -> anyhow::Result<Vec<Value>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines
        .map(|(index, line)| serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), index + 1)));
    parsed.collect()
}

/// The last revision of each alert.
fn alerts_of(lines: &[Value], path: &Path) -> anyhow::Result<BTreeMap<String, Alert>> {
    let mut alerts = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let alert: Alert =
            serde_json::from_value(line.clone()).with_context(|| format!("{}:{}", path.display(), index + 1))?;
        alerts.insert(alert.id.clone(), alert);
    }
    Ok(alerts)
}

/// Alerts by their ids, and those without a partner of the same id by what they are about: another configuration counts
/// tracks otherwise, and with them the ids.
fn alerts(mut before: BTreeMap<String, Alert>, after: BTreeMap<String, Alert>) -> Vec<Difference> {
    let (mut differences, mut unmatched) = (Vec::new(), Vec::new());
    for (id, new) in after {
        match before.remove(&id) {
            None => unmatched.push(new),
            Some(old) if old != new => differences.push(Difference::Changed(name(&new), change(&old, &new))),
            Some(_) => {}
        }
    }
    for new in unmatched {
        let partner = before.values().filter_map(|old| Some((apart(old, &new)?, &old.id)));
        let partner = partner.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, id)| id.clone());
        match partner.and_then(|id| before.remove(&id)) {
            Some(old) => differences.push(Difference::Moved(name(&new), change(&old, &new))),
            None => differences.push(Difference::Gained(name(&new))),
        }
    }
    differences.extend(before.into_values().map(|old| Difference::Lost(name(&old))));
    differences
}

/// How far apart two alerts are that may be about the same, in seconds, a metre counting as a second; none when they are not.
fn apart(old: &Alert, new: &Alert) -> Option<f64> {
    const SAME_WITHIN_S: f64 = 60.0;
    const SAME_WITHIN_M: f64 = 150.0;
    if (old.kind, &old.zone, old.mode) != (new.kind, &new.zone, new.mode) {
        return None;
    }
    let apart_s = new.first_seen.seconds_since(old.first_seen).abs();
    let apart_m = match (&old.place, &new.place) {
        (Some(Place::Point { lat: a, lon: b, .. }), Some(Place::Point { lat: c, lon: d, .. })) => {
            metres_between((*a, *b), (*c, *d))
        }
        (Some(Place::Area { name: old }), Some(Place::Area { name: new })) if old != new => return None,
        _ => 0.0,
    };
    (apart_s <= SAME_WITHIN_S && apart_m <= SAME_WITHIN_M).then_some(apart_s + apart_m)
}

fn name(alert: &Alert) -> String {
    format!("{} {:?} {:?} {}", alert.id, alert.severity, alert.kind, alert.text)
}

fn change(old: &Alert, new: &Alert) -> String {
    let mut parts = Vec::new();
    if old.rev != new.rev {
        parts.push(format!("{} revisions instead of {}", new.rev, old.rev));
    }
    if old.severity != new.severity {
        parts.push(format!("severity {:?} instead of {:?}", new.severity, old.severity));
    }
    if old.state != new.state {
        parts.push(format!("state {:?} instead of {:?}", new.state, old.state));
    }
    if let (Some(Place::Point { lat: a, lon: b, .. }), Some(Place::Point { lat: c, lon: d, .. })) =
        (&old.place, &new.place)
        && (a, b) != (c, d)
    {
        parts.push(format!("moved {:.1} m", metres_between((*a, *b), (*c, *d))));
    }
    let shift_s = new.first_seen.seconds_since(old.first_seen);
    if shift_s != 0.0 {
        parts.push(format!("first seen {shift_s:+.3} s"));
    }
    if parts.is_empty() { "details differ".to_owned() } else { parts.join(", ") }
}

/// Distance of two near places on a sphere; good to a percent, which is enough to tell "moved a little" from "elsewhere".
fn metres_between((lat, lon): (f64, f64), (other_lat, other_lon): (f64, f64)) -> f64 {
    const METRES_PER_DEGREE: f64 = 111_195.0;
    let north_m = (other_lat - lat) * METRES_PER_DEGREE;
    let east_m = (other_lon - lon) * METRES_PER_DEGREE * lat.to_radians().cos();
    north_m.hypot(east_m)
}

/// Pictures by their time; within a differing one, the counts tell enough.
fn tracks(before: &[Value], after: &[Value]) -> Vec<Difference> {
    let by_time = |lines: &[Value]| -> BTreeMap<String, Value> {
        lines.iter().map(|line| (line["t"].as_str().unwrap_or_default().to_owned(), line.clone())).collect()
    };
    let count = |line: &Value| line["tracks"].as_array().map_or(0, Vec::len);
    let mut old = by_time(before);
    let mut differences = Vec::new();
    for (time, new) in by_time(after) {
        match old.remove(&time) {
            None => differences.push(Difference::Gained(format!("picture at {time}"))),
            Some(old) if old != new => {
                let how = format!("{} tracks, {} before", count(&new), count(&old));
                differences.push(Difference::Changed(format!("picture at {time}"), how));
            }
            Some(_) => {}
        }
    }
    differences.extend(old.into_keys().map(|time| Difference::Lost(format!("picture at {time}"))));
    differences
}

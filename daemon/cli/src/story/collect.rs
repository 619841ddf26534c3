//! What one alert is made of.
//!
//! An alert's story takes two passes over its log: the first finds the alert and the tracks that it was about, the second
//! follows these tracks. What a plot did is the difference between the track before and after its scan.

use std::collections::{BTreeMap, BTreeSet};

use vedette_gateway::engine::config::Site;
use vedette_gateway::engine::{
    Alert, Durable, Judgement, Measurement, Seen, SensorStatus, Timestamp, Track, TrackId, Verdict,
};
use vedette_gateway::replay::Saying;

use super::activity::{Activity, drive};
use crate::log_file::Log;

/// An association less likely than this is no plot of the track.
const OWN_PLOT: f64 = 0.5;

/// A rule's findings of one kind with one outcome, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) times: u64,
    /// The last of them.
    pub(crate) judgement: Judgement,
}

/// One plot of a track.
#[derive(Clone, Debug)]
pub(crate) struct PlotRow {
    pub(crate) time: Timestamp,
    pub(crate) received: Timestamp,
    pub(crate) sensor: usize,
    /// What was measured; of several the track's one cannot be told, so none.
    pub(crate) measurement: Option<Measurement>,
    /// Probability that it was this track's.
    pub(crate) association: f64,
    pub(crate) innovation: Vec<f64>,
    pub(crate) nis: f64,
    /// What it did to the log-odds of existence.
    pub(crate) log_likelihood: f64,
}

/// The track at one time.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) time: Timestamp,
    pub(crate) track: Track,
}

/// What one sensor did about a track.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) plots: u64,
    pub(crate) log_likelihood: f64,
    /// Of this, by saying nothing where it should have seen something.
    pub(crate) silence: f64,
    pub(crate) nis_sum: f64,
    /// First and last time at which it was expected and silent.
    pub(crate) silent: Option<(Timestamp, Timestamp)>,
    pub(crate) silent_steps: u64,
}

/// One alert's story.
pub(crate) struct Story {
    pub(crate) site: Site,
    /// Each revision and when it was written.
    pub(crate) revisions: Vec<(Timestamp, Alert)>,
    pub(crate) tracks: BTreeSet<TrackId>,
    pub(crate) judged: Vec<Judged>,
    pub(crate) plots: Vec<PlotRow>,
    pub(crate) steps: Vec<Step>,
    /// By sensor index.
    pub(crate) evidence: BTreeMap<usize, Evidence>,
    /// What the sensors near the matter reported while it lasted.
    pub(crate) activity: Vec<Activity>,
    /// At the log's end.
    pub(crate) health: Vec<SensorStatus>,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl Story {
    pub(crate) fn last(&self) -> &Alert {
        // There is at least one revision, or there is no story.
        &self.revisions[self.revisions.len() - 1].1
    }

    /// A sensor's name.
    pub(crate) fn sensor(&self, index: usize) -> &str {
        self.site.sensors.get(index).map_or("?", |sensor| sensor.model.id.as_str())
    }

    /// Share of a sensor in the evidence for the alert.
    pub(crate) fn share(&self, evidence: &Evidence) -> f64 {
        let total: f64 = self.evidence.values().map(|evidence| evidence.log_likelihood.max(0.0)).sum();
        if total > 0.0 { evidence.log_likelihood.max(0.0) / total } else { 0.0 }
    }
}

/// An alert found in a log, with all that its second pass needs.
pub(crate) struct Found {
    revisions: Vec<(Timestamp, Alert)>,
    tracks: BTreeSet<TrackId>,
    judged: Vec<Judged>,
}

/// The first pass: the one alert whose id begins with `id`.
pub(crate) fn find_alert(log: Log, id: &str) -> anyhow::Result<Found> {
    let mut revisions: BTreeMap<String, Vec<(Timestamp, Alert)>> = BTreeMap::new();
    let mut judged: BTreeMap<(String, String, Verdict), Vec<Judged>> = BTreeMap::new();
    drive(log, |saying| match saying {
        Saying::Durable(now, Durable::Alert(alert)) => {
            revisions.entry(alert.id.clone()).or_default().push((now, (**alert).clone()));
        }
        Saying::Judged(judgement) => note(&mut judged, judgement),
        _ => {}
    })?;
    let mut named = revisions.keys().filter(|known| known.starts_with(id));
    let known = match (named.next(), named.next()) {
        (Some(known), None) => known.clone(),
        (Some(_), Some(_)) => anyhow::bail!("several alerts begin with {id}: write more of it"),
        (None, _) => {
            let list: Vec<String> = revisions
                .values()
                .filter_map(|revisions| revisions.last())
                .map(|(_, alert)| format!("\n  {} {}", alert.id, alert.text))
                .collect();
            anyhow::bail!("no alert {id}; this log has {}{}", list.len(), list.concat());
        }
    };
    let revisions = revisions.remove(&known).unwrap_or_default();
    let all: Vec<Judged> = judged.into_values().flatten().collect();
    let of_alert = |judged: &&Judged| judged.judgement.alert.as_deref() == Some(known.as_str());
    let tracks: BTreeSet<TrackId> = all.iter().filter(of_alert).filter_map(|judged| judged.judgement.track).collect();
    let keys: BTreeSet<&str> = revisions.iter().map(|(_, alert)| alert.dedup_key.as_str()).collect();
    let about = |judged: &Judged| {
        judged.judgement.alert.as_deref() == Some(known.as_str())
            || keys.contains(judged.judgement.key.as_str())
            || judged.judgement.track.is_some_and(|track| tracks.contains(&track))
    };
    let mut judged: Vec<Judged> = all.iter().filter(|judged| about(judged)).cloned().collect();
    judged.sort_by(|a, b| (a.first, &a.judgement.rule).cmp(&(b.first, &b.judgement.rule)));
    Ok(Found { revisions, tracks, judged })
}

/// Adds a judgement to those before it that are the same but for their time.
fn note(judged: &mut BTreeMap<(String, String, Verdict), Vec<Judged>>, judgement: &Judgement) {
    /// A pause this long makes two of one.
    const PAUSE_S: f64 = 60.0;
    let spans = judged.entry((judgement.key.clone(), judgement.rule.clone(), judgement.verdict.clone())).or_default();
    match spans.last_mut() {
        Some(last) if judgement.at.seconds_since(last.last) <= PAUSE_S && last.judgement.alert == judgement.alert => {
            last.last = judgement.at;
            last.times += 1;
            last.judgement = judgement.clone();
        }
        _ => spans.push(Judged { first: judgement.at, last: judgement.at, times: 1, judgement: judgement.clone() }),
    }
}

/// The second pass over the same log.
pub(crate) fn story(log: Log, found: Found) -> anyhow::Result<Story> {
    /// Before the first plot and after the last word, for what the surroundings did.
    const AROUND_S: f64 = 60.0;
    let Found { revisions, tracks, judged } = found;
    let first = revisions.iter().map(|(_, alert)| alert.first_seen).min().unwrap_or(Timestamp::MIN);
    let last = revisions.iter().map(|(written, alert)| alert.last_seen.max(*written)).max().unwrap_or(first);
    let (from, to) = (first.plus_seconds(-AROUND_S), last.plus_seconds(AROUND_S));
    let site = log.engine.site().clone();
    let named: BTreeSet<usize> = revisions
        .iter()
        .flat_map(|(_, alert)| &alert.contributors)
        .filter_map(|part| site.sensors.iter().position(|sensor| sensor.model.id == part.sensor))
        .collect();
    let activity = vec![Activity::default(); site.sensors.len()];
    let health = Vec::new();
    let (plots, steps, evidence) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut story = Story { site, revisions, tracks, judged, plots, steps, evidence, activity, health, from, to };
    let mut before: BTreeMap<TrackId, Track> = BTreeMap::new();
    let health = drive(log, |saying| {
        let Saying::Seen(seen) = saying else { return };
        if seen.now >= story.from && seen.now <= story.to {
            if let Some(activity) = story.activity.get_mut(seen.scan.sensor) {
                activity.note(seen);
            }
            if story.tracks.is_empty() && named.contains(&seen.scan.sensor) {
                story.note_report(seen);
            }
        }
        for track in &seen.tracks {
            // What the track does after the alert is another story.
            if story.tracks.contains(&track.id) && seen.scan.time <= story.to {
                story.follow(seen, track, before.get(&track.id));
                before.insert(track.id, track.clone());
            }
        }
    })?;
    story.health = health;
    Ok(story)
}

impl Story {
    /// A report about an alert without a track.
    fn note_report(&mut self, seen: &Seen) {
        for detection in &seen.scan.detections {
            self.evidence.entry(seen.scan.sensor).or_default().plots += 1;
            self.plots.push(PlotRow {
                time: seen.scan.time,
                received: seen.now,
                sensor: seen.scan.sensor,
                measurement: Some(detection.measurement),
                association: 1.0,
                innovation: Vec::new(),
                nis: f64::NAN,
                log_likelihood: 0.0,
            });
        }
    }

    /// What a scan did to one of the alert's tracks.
    fn follow(&mut self, seen: &Seen, track: &Track, before: Option<&Track>) {
        self.steps.push(Step { time: seen.scan.time, track: track.clone() });
        for part in &track.contributions {
            let old = before.and_then(|before| before.contributions.iter().find(|old| old.sensor == part.sensor));
            let (detections, log_likelihood) = old.map_or((0.0, 0.0), |old| (old.detections, old.log_likelihood));
            let (association, gained) = (part.detections - detections, part.log_likelihood - log_likelihood);
            let evidence = self.evidence.entry(part.sensor).or_default();
            evidence.log_likelihood += gained;
            if part.sensor == seen.scan.sensor && association >= OWN_PLOT {
                evidence.plots += 1;
                evidence.nis_sum += part.test_ratio;
                let measurement = match seen.scan.detections.as_slice() {
                    [only] => Some(only.measurement),
                    several => nearest(several.iter().map(|detection| &detection.measurement), track, seen, &self.site),
                };
                self.plots.push(PlotRow {
                    time: seen.scan.time,
                    received: seen.now,
                    sensor: part.sensor,
                    measurement,
                    // A track's first plots count together when it is first shown.
                    association: association.min(1.0),
                    innovation: part.innovation.to_vec(),
                    nis: part.test_ratio,
                    log_likelihood: gained,
                });
            } else if association < OWN_PLOT {
                evidence.silence += gained;
            }
        }
        for &sensor in &track.silent {
            let evidence = self.evidence.entry(sensor).or_default();
            evidence.silent_steps += 1;
            let (first, _) = evidence.silent.unwrap_or((seen.scan.time, seen.scan.time));
            evidence.silent = Some((first, seen.scan.time));
        }
    }
}

/// Of several plots in a scan the one that lies nearest to where the track is afterwards.
fn nearest<'a>(
    plots: impl Iterator<Item = &'a Measurement>,
    track: &Track,
    seen: &Seen,
    site: &Site,
) -> Option<Measurement> {
    let at = seen.scan.at.map(|pose| pose.position_m);
    let from_m = at.or_else(|| site.sensors.get(seen.scan.sensor).map(|sensor| sensor.model.position_m))?;
    let offset = track.position_m - from_m;
    let distance = |measurement: &Measurement| match measurement {
        Measurement::Position { position_m, .. } => (position_m - track.position_m).norm(),
        Measurement::RangeBearing { range_m, azimuth_rad, .. } => {
            let (sin, cos) = azimuth_rad.sin_cos();
            (offset.x - range_m * sin).hypot(offset.y - range_m * cos)
        }
        Measurement::Bearing { azimuth_rad, .. } => {
            let (sin, cos) = azimuth_rad.sin_cos();
            (offset.x * cos - offset.y * sin).abs() + f64::max(0.0, -(offset.x * sin + offset.y * cos))
        }
        Measurement::Range { range_m, .. } => (offset.norm() - range_m).abs(),
        Measurement::Presence { .. } | Measurement::Crossing { .. } => 0.0,
    };
    plots.min_by(|a, b| distance(a).total_cmp(&distance(b))).copied()
}

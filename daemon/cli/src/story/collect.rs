//! The inspected replay: what one alert is made of, and what a whole log holds.
//!
//! An alert's story takes two passes over its log: the first finds the alert and the tracks that it was about, the second
//! follows these tracks. What a plot did is the difference between the track before and after its scan.

use std::collections::{BTreeMap, BTreeSet};

use vedette_gateway::engine::config::Site;
use vedette_gateway::engine::{
    Alert, Durable, Judgement, Measurement, Seen, SensorStatus, Timestamp, Track, TrackId, TrackStatus, Verdict,
};
use vedette_gateway::replay::{Driver, Saying};

use crate::log_file::Log;
use crate::progress::Clock;

/// An association less likely than this is no plot of the track.
const OWN_PLOT: f64 = 0.5;
/// A gap between two messages of a sensor is one from this many times its usual interval ..
const GAP_FACTOR: f64 = 10.0;
/// .. and from this length on.
const GAP_MIN_S: f64 = 60.0;
/// Gaps listed for each sensor; the longest are.
const MAX_GAPS: usize = 3;
/// Latency bins: up to 0.1 s, 0.2 s, 0.5 s, 1 s .. and more.
pub(crate) const LATENCY_BINS_S: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, f64::INFINITY];

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

/// A sensor's reports in a span of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity {
    pub(crate) messages: u64,
    pub(crate) plots: u64,
    /// Plots that belonged to a confirmed track.
    pub(crate) used: f64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// Longest silences: from, to.
    pub(crate) gaps: Vec<(Timestamp, Timestamp)>,
    interval_sum_s: f64,
    latency_sum_s: f64,
}

impl Activity {
    pub(crate) fn mean_latency_s(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        (self.messages > 0).then(|| self.latency_sum_s / self.messages as f64)
    }

    fn note(&mut self, seen: &Seen) {
        let now = seen.now;
        if let Some(last) = self.last {
            let gap_s = now.seconds_since(last);
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            let usual_s = self.interval_sum_s / self.messages.max(1) as f64;
            if gap_s >= GAP_MIN_S && gap_s >= GAP_FACTOR * usual_s {
                self.gaps.push((last, now));
                self.gaps.sort_by(|a, b| f64::total_cmp(&b.1.seconds_since(b.0), &a.1.seconds_since(a.0)));
                self.gaps.truncate(MAX_GAPS);
            }
            self.interval_sum_s += gap_s;
        }
        self.first.get_or_insert(now);
        self.last = Some(now);
        self.messages += 1;
        self.plots += seen.scan.detections.len() as u64;
        self.latency_sum_s += now.seconds_since(seen.scan.time).max(0.0);
    }
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
                    innovation: part.innovation.clone(),
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

/// A confirmed track of a night.
pub(crate) struct TrackSummary {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) existence: f64,
    pub(crate) plots: f64,
    pub(crate) path: Vec<(f64, f64)>,
    pub(crate) track: Track,
}

/// A whole log.
pub(crate) struct Night {
    pub(crate) site: Site,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    /// By alert: when it was first written, its revisions, its last state.
    pub(crate) alerts: BTreeMap<String, (Timestamp, u32, Alert)>,
    pub(crate) tracks: BTreeMap<TrackId, TrackSummary>,
    pub(crate) activity: Vec<Activity>,
    /// Messages by latency bin.
    pub(crate) latency: [u64; LATENCY_BINS_S.len()],
    /// Reports by minute since the beginning.
    pub(crate) minutes: Vec<u64>,
    /// Suppressed findings by rule and why.
    pub(crate) suppressed: BTreeMap<(String, String), u64>,
    pub(crate) health: Vec<SensorStatus>,
}

/// One pass over a whole log.
pub(crate) fn night(log: Log) -> anyhow::Result<Night> {
    /// A path's points lie at least this far apart.
    const PATH_STEP_M: f64 = 5.0;
    let site = log.engine.site().clone();
    let mut night = Night {
        activity: vec![Activity::default(); site.sensors.len()],
        site,
        from: Timestamp::MIN,
        to: Timestamp::MIN,
        alerts: BTreeMap::new(),
        tracks: BTreeMap::new(),
        latency: [0; LATENCY_BINS_S.len()],
        minutes: Vec::new(),
        suppressed: BTreeMap::new(),
        health: Vec::new(),
    };
    let mut last: BTreeMap<TrackId, Track> = BTreeMap::new();
    let mut judged: BTreeSet<(String, String, Verdict)> = BTreeSet::new();
    let health = drive(log, |saying| {
        match saying {
            Saying::Durable(now, Durable::Alert(alert)) => {
                night.reach(now);
                let entry = night.alerts.entry(alert.id.clone()).or_insert((now, 0, (**alert).clone()));
                entry.1 += 1;
                entry.2 = (**alert).clone();
            }
            Saying::Judged(judgement) => {
                let why = &judgement.verdict;
                let told = matches!(why, Verdict::Raised | Verdict::Carried | Verdict::Outranked { .. });
                // A cause counts once, however long it lasts.
                if !told && judged.insert((judgement.rule.clone(), judgement.key.clone(), why.clone())) {
                    *night.suppressed.entry((judgement.rule.clone(), why.text())).or_default() += 1;
                }
            }
            Saying::Seen(seen) => {
                night.reach(seen.now);
                night.note(seen);
                for track in seen.tracks.iter().filter(|track| track.status == TrackStatus::Confirmed) {
                    let summary = night.tracks.entry(track.id).or_insert_with(|| TrackSummary {
                        first: track.first_seen,
                        last: track.last_seen,
                        existence: 0.0,
                        plots: 0.0,
                        path: Vec::new(),
                        track: track.clone(),
                    });
                    let place = (track.position_m.x, track.position_m.y);
                    let far =
                        summary.path.last().is_none_or(|old| (old.0 - place.0).hypot(old.1 - place.1) > PATH_STEP_M);
                    if track.localised && far {
                        summary.path.push(place);
                    }
                    summary.last = track.last_seen;
                    summary.existence = summary.existence.max(track.existence);
                    summary.plots = track.contributions.iter().map(|part| part.detections).sum();
                    summary.track = track.clone();
                    let detections = |track: Option<&Track>| {
                        let parts = track.into_iter().flat_map(|track| &track.contributions);
                        parts.filter(|part| part.sensor == seen.scan.sensor).map(|part| part.detections).sum::<f64>()
                    };
                    let used = detections(Some(track)) - detections(last.get(&track.id));
                    if let Some(activity) = night.activity.get_mut(seen.scan.sensor) {
                        activity.used += used.max(0.0);
                    }
                    last.insert(track.id, track.clone());
                }
            }
            _ => {}
        }
    })?;
    night.health = health;
    Ok(night)
}

impl Night {
    fn reach(&mut self, now: Timestamp) {
        if self.from == Timestamp::MIN {
            self.from = now;
        }
        self.to = now;
    }

    fn note(&mut self, seen: &Seen) {
        if let Some(activity) = self.activity.get_mut(seen.scan.sensor) {
            activity.note(seen);
        }
        let latency_s = seen.now.seconds_since(seen.scan.time);
        let bin = LATENCY_BINS_S.iter().position(|&most| latency_s <= most).unwrap_or(LATENCY_BINS_S.len() - 1);
        self.latency[bin] += 1;
        let minute = usize::try_from(seen.now.whole_seconds().saturating_sub(self.from.whole_seconds()) / 60);
        // A clock that jumps by years makes no list of that length.
        if let Some(minute) = minute.ok().filter(|&minute| minute < 60 * 24 * 366) {
            if self.minutes.len() <= minute {
                self.minutes.resize(minute + 1, 0);
            }
            self.minutes[minute] += 1;
        }
    }
}

/// Replays a log with an inspected engine; gives the sensors' health at its end.
fn drive(mut log: Log, mut take: impl FnMut(Saying<'_>)) -> anyhow::Result<Vec<SensorStatus>> {
    let mut clock = Clock::new(log.bar.clone());
    let mut driver = Driver::inspecting(log.engine).with_ticks(log.ticks);
    while let Some(told) = log.told.next().transpose()? {
        clock.reach(told.now);
        driver.feed(told, &mut take);
    }
    driver.drain(&mut take);
    log.bar.finish_and_clear();
    if let Some(torn) = log.told.torn() {
        eprintln!("the recording ends early: {torn}");
    }
    Ok(driver.engine().status().sensors)
}

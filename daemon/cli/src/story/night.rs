//! What a whole log holds: its alerts, tracks, sensors and delays, from one inspected replay.

use std::collections::{BTreeMap, BTreeSet};

use vedette_gateway::engine::config::Site;
use vedette_gateway::engine::{Alert, Durable, Seen, SensorStatus, Timestamp, Track, TrackId, TrackStatus, Verdict};
use vedette_gateway::replay::Saying;

use super::activity::{Activity, drive};
use crate::log_file::Log;

/// Latency bins: up to 0.1 s, 0.2 s, 0.5 s, 1 s .. and more.
pub(crate) const LATENCY_BINS_S: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, f64::INFINITY];

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

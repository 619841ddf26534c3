//! Own movement: where patrols say they are, and which tracks that explains.
//!
//! A unit explains at most as many tracks as it has people, and only while its report is fresh and agrees with them. A
//! report that no unit can have moved to is not believed, and for a while nothing of that unit is: a forged position must not hide
//! anybody. Nor must a unit that appears out of silence, before an alert can have been raised, nor one whose place is so
//! uncertain that it would explain half the field.
//!
//! People of a unit who walk in column may be farther from its radio than they keep otherwise: who was explained and goes along with
//! the unit stays so, a bend in the way included.

use std::collections::{BTreeMap, VecDeque};

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, Track, TrackId, TrackStatus};

use crate::config::{Site, Unit};
use crate::refusals::Refusals;
use crate::rules::distance_to_segment_m;

/// A report and a track agree within this many standard deviations.
const GATE_SD: f64 = 3.0;
/// A track once explained stays so within this many times the gate.
const KEEP_FACTOR: f64 = 1.5;
/// Within this many times the gate, if it went along with the unit a moment ago: as fast and the same way, but for so much.
const COLUMN_FACTOR: f64 = 3.0;
const ALONG_WITHIN_S: f64 = 60.0;
const ALONG_MPS: f64 = 0.8;
/// Reports this far apart tell how a unit moves; nearer ones tell more of their errors.
const VELOCITY_OVER_S: f64 = 5.0;
/// A unit whose reports cannot be is not believed for this long.
const DISTRUST_S: f64 = 600.0;
/// Slack for the jump of a position between two reports.
const JUMP_SLACK_M: f64 = 30.0;

/// A unit that was silent explains nothing until it has been heard for so long: an alert about who crosses in its name
/// comes first, and keeps that it did.
const SETTLING_S: f64 = 10.0;
/// A place less certain than this explains nothing.
pub(crate) const VAGUE_SD_M: f64 = 100.0;

/// Where a unit was is kept at these steps, and for so many of them: longer than a crossing that no track tells of is news.
const STAY_EVERY_S: f64 = 5.0;
const MAX_STAYS: usize = 64;

/// What the units said last, and what it explains.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Units {
    /// By index of the unit.
    heard: BTreeMap<usize, Heard>,
    /// By index of the unit: its reports that were refused for their time since the last one that was used.
    #[serde(default)]
    refused: BTreeMap<usize, Refusals>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) time: Timestamp,
    pub(crate) position_m: Vector2<f64>,
    sd_m: f64,
    /// The first report since it was last silent for longer than its reports are good for.
    #[serde(default = "long_ago")]
    since: Timestamp,
    /// Not believed until then, and when that began.
    pub(crate) distrusted: Option<(Timestamp, Timestamp)>,
    /// The tracks it explained last.
    #[serde(default)]
    tracks: Vec<TrackId>,
    /// How it moved between its last two reports, where that is known.
    #[serde(default)]
    velocity_mps: Option<Vector2<f64>>,
    /// When each of its tracks went along with it last.
    #[serde(default)]
    along: BTreeMap<TrackId, Timestamp>,
    /// Where it was lately, oldest first.
    #[serde(default)]
    trail: VecDeque<Stay>,
}

/// Where a unit was at one time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Stay {
    at: Timestamp,
    position_m: Vector2<f64>,
    sd_m: f64,
    /// How many of its people were seen as tracks then.
    seen: usize,
}

/// Somebody was somewhere at a time, as told by what follows nobody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    /// Anywhere along this line ..
    pub(crate) line_m: [Vector2<f64>; 2],
    /// .. with this standard deviation across it.
    pub(crate) sd_m: f64,
    pub(crate) at: Timestamp,
    pub(crate) people: usize,
}

impl Heard {
    /// Whether the track is one it explained, and goes along with it, or did a moment ago.
    fn goes_along(&mut self, track: &Track, now: Timestamp) -> bool {
        let alike = self.velocity_mps.is_some_and(|own| (own - track.velocity_mps).norm() <= ALONG_MPS);
        if !self.tracks.contains(&track.id) {
            return false;
        }
        if alike {
            self.along.insert(track.id, now);
        }
        self.along.get(&track.id).is_some_and(|&last| now.seconds_since(last) <= ALONG_WITHIN_S)
    }
}

impl Heard {
    fn was_at(&self, passage: &Passage, unit: &Unit) -> bool {
        let age_s = |stay: &Stay| passage.at.seconds_since(stay.at);
        let settled_s = SETTLING_S..=SETTLING_S + unit.stale_after_s;
        let settled = self.trail.iter().any(|stay| settled_s.contains(&age_s(stay)));
        let near = self.trail.iter().filter(|stay| age_s(stay).abs() <= unit.stale_after_s);
        let Some(before) = near.clone().rfind(|stay| age_s(stay) >= 0.0) else { return false };
        let after = near.clone().find(|stay| age_s(stay) < 0.0);
        if self.distrusted.is_some() || !settled || before.seen + passage.people > unit.people {
            return false;
        }
        // Between two reports it was between their places; after the last one it may have gone on.
        let (position_m, walked_m) = match after {
            Some(after) => {
                let share = age_s(before) / after.at.seconds_since(before.at);
                let way_m = after.position_m - before.position_m;
                (before.position_m + way_m * share, 0.5 * way_m.norm())
            }
            None => (before.position_m, 0.5 * unit.max_speed_mps * age_s(before)),
        };
        let sd_m = after.map_or(before.sd_m, |after| f64::max(before.sd_m, after.sd_m));
        let spread_m = if unit.people > 1 { unit.spread_m } else { 0.0 };
        let gate_m = GATE_SD * libm::sqrt(f64::max(sd_m * sd_m + passage.sd_m * passage.sd_m, 1.0));
        let apart_m = distance_to_segment_m(position_m, passage.line_m);
        sd_m <= VAGUE_SD_M && apart_m <= gate_m + walked_m + spread_m
    }
}

/// Units of a snapshot from before this was kept have been heard long enough.
fn long_ago() -> Timestamp {
    Timestamp::MIN
}

/// One report of a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OwnReport {
    pub(crate) unit: usize,
    pub(crate) time: Timestamp,
    pub(crate) position_m: Vector2<f64>,
    pub(crate) sd_m: f64,
}

impl Units {
    /// Takes in a report; false when the unit cannot have got there.
    pub(crate) fn take(&mut self, report: &OwnReport, now: Timestamp, site: &Site) -> bool {
        self.refused.remove(&report.unit);
        let fresh = Heard {
            time: report.time,
            position_m: report.position_m,
            sd_m: report.sd_m,
            since: report.time,
            distrusted: None,
            tracks: Vec::new(),
            velocity_mps: None,
            along: BTreeMap::new(),
            trail: VecDeque::new(),
        };
        let stay = |seen| Stay { at: report.time, position_m: report.position_m, sd_m: report.sd_m, seen };
        let Some(before) = self.heard.get_mut(&report.unit) else {
            self.heard.insert(report.unit, Heard { trail: [stay(0)].into(), ..fresh });
            return true;
        };
        if report.time <= before.time {
            return true;
        }
        let gap_s = report.time.seconds_since(before.time);
        let reach_m =
            site.units[report.unit].max_speed_mps * gap_s + GATE_SD * (before.sd_m + report.sd_m) + JUMP_SLACK_M;
        let plausible = (report.position_m - before.position_m).norm() <= reach_m;
        let doubted_since = before.distrusted.map_or(now, |(since, _)| since);
        let distrusted =
            if plausible { before.distrusted } else { Some((doubted_since, now.plus_seconds(DISTRUST_S))) };
        let was_silent = gap_s > site.units[report.unit].stale_after_s;
        let since = if was_silent { report.time } else { before.since };
        let moved_mps = (report.position_m - before.position_m) / gap_s;
        let velocity_mps = if gap_s >= VELOCITY_OVER_S { Some(moved_mps) } else { before.velocity_mps };
        let (tracks, along) = (std::mem::take(&mut before.tracks), std::mem::take(&mut before.along));
        let mut trail = std::mem::take(&mut before.trail);
        if plausible && trail.back().is_none_or(|last| report.time.seconds_since(last.at) >= STAY_EVERY_S) {
            if trail.len() == MAX_STAYS {
                trail.pop_front();
            }
            trail.push_back(stay(tracks.len()));
        }
        *before = Heard { since, distrusted, tracks, velocity_mps, along, trail, ..fresh };
        plausible
    }

    /// Notes that a report of the unit was refused for its time.
    pub(crate) fn refuse(&mut self, unit: usize, now: Timestamp, stamped: Timestamp) {
        let mut refusals = self.refused.remove(&unit);
        Refusals::note(&mut refusals, now, stamped);
        self.refused.extend(refusals.map(|refusals| (unit, refusals)));
    }

    /// Units whose reports are refused for their time, by index.
    pub(crate) fn refused(&self) -> impl Iterator<Item = (usize, &Refusals)> {
        self.refused.iter().map(|(&index, refusals)| (index, refusals))
    }

    /// The tracks that units explain now, with the index of the unit.
    pub(crate) fn explain(&mut self, tracks: &[Track], now: Timestamp, site: &Site) -> BTreeMap<TrackId, usize> {
        let mut explained = BTreeMap::new();
        for (&index, heard) in &mut self.heard {
            let Some(unit) = site.units.get(index) else { continue };
            if heard.distrusted.is_some_and(|(_, until)| now >= until) {
                heard.distrusted = None;
            }
            let mut near: Vec<(bool, f64, TrackId)> = tracks
                .iter()
                // What is not sure to be there takes nobody's place.
                .filter(|track| track.status == TrackStatus::Confirmed && !explained.contains_key(&track.id))
                .filter_map(|track| {
                    let ratio = disagreement(heard, unit, track, now)?;
                    let (told, along) = (heard.tracks.contains(&track.id), heard.goes_along(track, now));
                    let most = match (told, along) {
                        (_, true) => COLUMN_FACTOR,
                        (true, false) => KEEP_FACTOR,
                        (false, false) => 1.0,
                    };
                    (ratio <= most).then_some((!told, ratio, track.id))
                })
                .collect();
            // Tracks it explained before come first: two people who meet do not swap what is known of them.
            near.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            near.truncate(unit.people);
            heard.tracks = near.iter().map(|&(.., id)| id).collect();
            heard.along.retain(|id, _| heard.tracks.contains(id));
            explained.extend(heard.tracks.iter().map(|&id| (id, index)));
        }
        explained
    }

    /// The unit that says it was there then, by index: one that was heard before, and has so many people whom nobody saw elsewhere.
    pub(crate) fn was_at(&self, passage: &Passage, site: &Site) -> Option<usize> {
        let was_there = |(&index, heard): (&usize, &Heard)| {
            site.units.get(index).is_some_and(|unit| heard.was_at(passage, unit)).then_some(index)
        };
        self.heard.iter().find_map(was_there)
    }

    /// Units that are not believed now, by index.
    pub(crate) fn distrusted(&self) -> impl Iterator<Item = (usize, &Heard)> {
        self.heard.iter().filter(|(_, heard)| heard.distrusted.is_some()).map(|(&index, heard)| (index, heard))
    }
}

/// Distance of a track from a unit in gates; none when the unit's report says nothing any more.
fn disagreement(heard: &Heard, unit: &Unit, track: &Track, now: Timestamp) -> Option<f64> {
    let age_s = now.seconds_since(heard.time);
    let settled = now.seconds_since(heard.since) >= SETTLING_S;
    if heard.distrusted.is_some() || age_s > unit.stale_after_s || !settled || heard.sd_m > VAGUE_SD_M {
        return None;
    }
    let variance_m2 = heard.sd_m * heard.sd_m + track.position_covariance_m2.trace() / 2.0;
    // An older report allows for the way that the unit can have gone since, half of it in the track's direction.
    let walked_m = unit.max_speed_mps * f64::max(age_s, 0.0) * 0.5;
    // One of them carries the radio.
    let spread_m = if unit.people > 1 { unit.spread_m } else { 0.0 };
    let gate_m = GATE_SD * libm::sqrt(f64::max(variance_m2, 1.0)) + walked_m + spread_m;
    Some((track.position_m - heard.position_m).norm() / gate_m)
}

//! A camera or radar misses what others see in its ground, again and again: it sees less than its coverage says.
//!
//! Everybody who passes where a sensor looks is one trial, a party of several too: what hides one hides the others. How often the
//! sensor sees who passes is learned; whether it sees far less of late is decided by a cumulative sum of log-likelihood ratios
//! (Page 1954). With a limit of ln(n) a sensor that sees as well as ever is called blind at most once in n trials (Lorden 1971).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vedette_tracker::{SensorKind, Timestamp, Track, TrackId, TrackStatus};

use super::{Finding, Rule, Situation};
use crate::book::text;
use crate::{AlertKind, Severity};

/// A track counts once it was looked for in vain for so long.
const LOOKED_FOR_S: f64 = 20.0;
/// Detections that make it seen: fewer may be somebody else's.
const SEEN_FROM: f64 = 1.0;
/// A sensor sees that detected something within this time.
const SEES_S: f64 = 10.0;
/// Who passes within this time of the last who counted is of the same party.
const SAME_PARTY_S: f64 = 300.0;
/// A camera's range is that for a person. Animals are smaller and missed beyond: they count only when they are seen.
const ANIMAL_BELOW: f64 = 0.2;
/// What is expected of a sensor before it is known: so many trials, and of these seen.
const PRIOR: (f64, f64) = (10.0, 7.0);
/// Trials that are remembered: places grow over and are cut.
const REMEMBERED: f64 = 100.0;
/// A blind sensor sees this share of what it used to see.
const BLIND_SHARE: f64 = 0.1;

/// What is known of each sensor that looks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Blinded {
    sensors: BTreeMap<usize, Sight>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sight {
    /// Trials before the doubt, and those of them in which it saw.
    trials: f64,
    seen: f64,
    /// The cumulative sum.
    doubt: f64,
    /// Parties missed since it last saw one, and when the first of them was.
    missed: u32,
    since: Option<Timestamp>,
    /// When a party counted last.
    counted_at: Option<Timestamp>,
    /// Since when each track in its ground is looked for in vain.
    in_vain: BTreeMap<TrackId, Timestamp>,
    /// Tracks that have counted.
    counted: BTreeSet<TrackId>,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            trials: PRIOR.0,
            seen: PRIOR.1,
            doubt: 0.0,
            missed: 0,
            since: None,
            counted_at: None,
            in_vain: BTreeMap::new(),
            counted: BTreeSet::new(),
        }
    }
}

impl Sight {
    /// It saw a track. Who it missed before was hidden, as some are.
    fn see(&mut self, track: TrackId, now: Timestamp) {
        if self.missed > 0 {
            self.remember(f64::from(self.missed), 0.0);
            (self.doubt, self.missed, self.since) = (0.0, 0, None);
        }
        if self.counts(track, now) {
            self.remember(1.0, 1.0);
        }
    }

    /// A track in its ground was looked for in vain at this moment.
    fn miss(&mut self, track: TrackId, now: Timestamp) {
        let since = *self.in_vain.entry(track).or_insert(now);
        if now.seconds_since(since) < LOOKED_FOR_S || !self.counts(track, now) {
            return;
        }
        let usual = self.seen / self.trials;
        self.doubt += libm::log((1.0 - BLIND_SHARE * usual) / (1.0 - usual));
        self.missed = self.missed.saturating_add(1);
        self.since.get_or_insert(since);
    }

    /// Whether the track is a trial of its own.
    fn counts(&mut self, track: TrackId, now: Timestamp) -> bool {
        let same = self.counted_at.is_some_and(|at| now.seconds_since(at) < SAME_PARTY_S);
        let new = self.counted.insert(track);
        if new && !same {
            self.counted_at = Some(now);
        }
        new && !same
    }

    fn remember(&mut self, trials: f64, seen: f64) {
        (self.trials, self.seen) = (self.trials + trials, self.seen + seen);
        let kept = f64::min(REMEMBERED / self.trials, 1.0);
        // Never quite sure: a share of one would make a single miss a proof.
        (self.trials, self.seen) = (self.trials * kept, f64::min(self.seen * kept, 0.98 * self.trials * kept));
    }
}

impl Rule for Blinded {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let site = situation.site;
        let one_in = site.rules.blinded_falsely_one_in;
        if one_in == 0.0 {
            return;
        }
        let looks = |&sensor: &usize| {
            let kind = site.sensors.get(sensor).map(|sensor| sensor.model.kind);
            matches!(kind, Some(SensorKind::Camera | SensorKind::Radar))
        };
        for track in situation.tracks.iter().filter(|track| track.status == TrackStatus::Confirmed) {
            let seen_by = || track.contributions.iter().filter(|part| part.detections >= SEEN_FROM);
            for part in seen_by().filter(|part| looks(&part.sensor)) {
                if situation.now.seconds_since(part.time) <= SEES_S {
                    self.sensors.entry(part.sensor).or_default().see(track.id, situation.now);
                }
            }
            if !is_plain(track, situation) {
                continue;
            }
            // Who was seen before went behind something.
            let never_seen = |sensor: &usize| seen_by().all(|part| part.sensor != *sensor);
            for &sensor in track.silent.iter().filter(|sensor| looks(sensor) && never_seen(sensor)) {
                self.sensors.entry(sensor).or_default().miss(track.id, situation.now);
            }
        }
        for (&sensor, sight) in &mut self.sensors {
            let tracks = || situation.tracks.iter();
            sight.counted.retain(|id| tracks().any(|track| track.id == *id));
            sight.in_vain.retain(|id, _| tracks().any(|track| track.id == *id && track.silent.contains(&sensor)));
            let Some(since) = sight.since.filter(|_| sight.doubt >= libm::log(one_in)) else { continue };
            // One that says nothing at all is told as silent.
            if situation.silent_s(sensor).is_none() {
                findings.push(finding(situation, sensor, sight.missed, since));
            }
        }
    }
}

/// Whether a track is surely something that the sensor should see.
fn is_plain(track: &Track, situation: &Situation<'_>) -> bool {
    track.localised && track.existence >= situation.site.rules.min_existence && track.class.animal < ANIMAL_BELOW
}

fn finding(situation: &Situation<'_>, sensor: usize, missed: u32, since: Timestamp) -> Finding {
    let site = situation.site;
    let what = format!(
        "sensor {} is blind: since {} it missed all of {missed} parties in its ground that others saw",
        site.sensors[sensor].model.id,
        text::clock(since, site)
    );
    let mut finding = situation.sensor_finding("blinded", AlertKind::SensorBlinded, sensor, what);
    finding.severity = Severity::Medium;
    finding.first_seen = since;
    finding.note = "Fog, dirt, a turned mount or a blanket: look at its picture.".to_owned();
    finding
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    /// Parties of these numbers pass, one each half hour; the sensor sees each with this chance. Number of times it is called blind.
    fn called(sight: &mut Sight, limit: f64, parties: Range<u64>, chance: f64) -> u32 {
        let (mut calls, mut was) = (0, false);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for party in parties {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let sees = ((state >> 11) as f64) / ((1_u64 << 53) as f64) < chance;
            let begins = Timestamp::from_seconds(i64::try_from(party).unwrap_or(0) * 1_800);
            // Three walk together: they are one trial.
            for member in 0..3 {
                let track = TrackId(3 * party + member);
                if sees {
                    sight.see(track, begins);
                } else {
                    (0..30).for_each(|second| sight.miss(track, begins.plus_seconds(f64::from(second))));
                }
            }
            let is = sight.doubt >= limit;
            calls += u32::from(is && !was);
            was = is;
            sight.in_vain.clear();
        }
        calls
    }

    #[test]
    fn a_sensor_that_sees_as_ever_is_seldom_called_blind_and_a_blind_one_soon() {
        let limit = libm::log(1_000.0);
        for chance in [0.5, 0.7, 0.9, 0.97] {
            let mut sight = Sight::default();
            let calls = called(&mut sight, limit, 0..20_000, chance);
            assert!(calls <= 20, "{calls} false calls at {chance}");
            let blind = |parties: u64| called(&mut sight.clone(), limit, 20_000..20_000 + parties, 0.0) > 0;
            let soon = (1..20).find(|parties| blind(*parties));
            assert!(soon.is_some_and(|parties| parties <= 14), "{soon:?} parties at {chance}");
        }
    }
}

//! A camera or radar misses what others see in its ground, again and again: it sees less than its coverage says.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use vedette_tracker::{SensorKind, Timestamp, TrackId, TrackStatus};

use super::{Finding, Rule, Situation};
use crate::book::text;
use crate::{AlertKind, Severity};

/// Tracks remembered of each sensor, and for how long.
const MAX_TRACKS: usize = 16;
const KEEP_S: f64 = 6.0 * 3_600.0;
/// A track counts once others have followed it for so long.
const FOLLOWED_S: f64 = 20.0;

/// The tracks that each sensor missed since it last saw one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Blinded {
    missed: BTreeMap<usize, VecDeque<(TrackId, Timestamp)>>,
}

impl Rule for Blinded {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let after = situation.site.rules.blinded_after_tracks;
        if after == 0 {
            return;
        }
        let site = situation.site;
        for track in situation.tracks.iter().filter(|track| track.status == TrackStatus::Confirmed && track.localised) {
            for part in &track.contributions {
                self.missed.remove(&part.sensor);
            }
            let followed = track.last_seen.seconds_since(track.first_seen) >= FOLLOWED_S
                && track.existence >= site.rules.min_existence;
            let looks = |&&sensor: &&usize| {
                let kind = site.sensors.get(sensor).map(|sensor| sensor.model.kind);
                matches!(kind, Some(SensorKind::Camera | SensorKind::Radar))
            };
            for &sensor in track.silent.iter().filter(looks).filter(|_| followed) {
                let missed = self.missed.entry(sensor).or_default();
                if missed.iter().all(|(id, _)| *id != track.id) {
                    missed.push_back((track.id, situation.now));
                }
                if missed.len() > MAX_TRACKS {
                    missed.pop_front();
                }
            }
        }
        for (&sensor, missed) in &mut self.missed {
            missed.retain(|(_, at)| situation.now.seconds_since(*at) <= KEEP_S);
            let Some(&(_, since)) = missed.front().filter(|_| missed.len() >= after) else { continue };
            // One that says nothing at all is told as silent.
            if situation.silent_s(sensor).is_some() {
                continue;
            }
            let what = format!(
                "sensor {} is blind: it missed {} tracks in its ground since {} that others saw",
                site.sensors[sensor].model.id,
                missed.len(),
                text::clock(since, site)
            );
            let mut finding = situation.sensor_finding("blinded", AlertKind::SensorBlinded, sensor, what);
            finding.severity = Severity::Medium;
            finding.first_seen = since;
            finding.note = "Fog, dirt, a turned mount or a blanket: look at its picture.".to_owned();
            findings.push(finding);
        }
    }
}

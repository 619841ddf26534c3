//! A vehicle stops near a border, and perhaps somebody gets out: the beginning of many crossings.

use std::collections::{BTreeMap, BTreeSet};

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, Track, TrackId, TrackStatus};

use super::situation::Candidate;
use super::{Finding, Lasting, Rule, Situation};
use crate::book::text;
use crate::config::ZoneKind;
use crate::{AlertKind, Severity};

/// A vehicle from this probability on.
const VEHICLE: f64 = 0.6;
/// Who may have got out: not a vehicle, not surely an animal.
const ON_FOOT: f64 = 0.5;
/// Slower than this it stands.
const STANDING_MPS: f64 = 1.0;
/// It has driven on when it is this far from where it stopped.
const DRIVEN_ON_M: f64 = 25.0;
/// Who is first seen this near to where it stands came with it.
const BESIDE_M: f64 = 25.0;
/// People seen so long before the stop may have got out, too: a track takes a while to stand.
const BEFORE_S: f64 = 20.0;
/// After the vehicle has driven on, what got out is told this long.
const NEWS_S: f64 = 120.0;

/// The vehicles that stand near each border or in each zone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct VehicleStop {
    stops: BTreeMap<usize, BTreeMap<TrackId, Stop>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stop {
    position_m: Vector2<f64>,
    since: Timestamp,
    people: BTreeSet<TrackId>,
    driven_on: Option<Timestamp>,
}

impl Rule for VehicleStop {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let mut stops = BTreeMap::<usize, BTreeMap<TrackId, Stop>>::new();
        for candidate in situation.candidates(|zone| zone.kind.is_watched()) {
            let after_s = candidate.zone.vehicle_stop_s.unwrap_or(situation.site.rules.vehicle_stop_s);
            if after_s <= 0.0 {
                continue;
            }
            let before = self.stops.get_mut(&candidate.index).and_then(|stops| stops.remove(&candidate.track.id));
            let Some(mut stop) = stopped(situation, &candidate, before) else { continue };
            let beside = situation.tracks.iter().filter(|track| got_out(track, &stop, candidate.track.id));
            let beside: Vec<TrackId> = beside.map(|track| track.id).collect();
            stop.people.extend(beside);
            let stands_s = stop.driven_on.unwrap_or(situation.now).seconds_since(stop.since);
            if stands_s >= after_s || !stop.people.is_empty() {
                findings.push(finding(situation, &candidate, &stop, stands_s));
            }
            stops.entry(candidate.index).or_default().insert(candidate.track.id, stop);
        }
        self.stops = stops;
    }
}

/// The stop of a track that is a vehicle, near enough, and stands or stood a moment ago.
fn stopped(situation: &Situation<'_>, candidate: &Candidate<'_>, before: Option<Stop>) -> Option<Stop> {
    let track = candidate.track;
    let near = match candidate.zone.kind {
        ZoneKind::Border => candidate.relation.signed_m.abs() <= situation.site.rules.vehicle_stop_within_m,
        _ => candidate.relation.signed_m > 0.0,
    };
    if !near || track.class.vehicle < VEHICLE || !track.localised {
        return None;
    }
    let stands = track.velocity_mps.norm() < STANDING_MPS;
    let fresh =
        || Stop { position_m: track.position_m, since: situation.now, people: BTreeSet::new(), driven_on: None };
    let Some(mut stop) = before else { return stands.then(fresh) };
    if (track.position_m - stop.position_m).norm() <= DRIVEN_ON_M {
        return Some(stop);
    }
    let driven_on = *stop.driven_on.get_or_insert(situation.now);
    if situation.now.seconds_since(driven_on) > NEWS_S || stop.people.is_empty() {
        return stands.then(fresh);
    }
    Some(stop)
}

fn got_out(track: &Track, stop: &Stop, vehicle: TrackId) -> bool {
    track.id != vehicle
        && track.status == TrackStatus::Confirmed
        && track.class.vehicle < ON_FOOT
        && track.class.animal < ON_FOOT
        && stop.driven_on.is_none()
        && track.first_seen.seconds_since(stop.since) >= -BEFORE_S
        && (track.position_m - stop.position_m).norm() <= BESIDE_M
}

fn finding(situation: &Situation<'_>, candidate: &Candidate<'_>, stop: &Stop, stands_s: f64) -> Finding {
    let name = &candidate.zone.name;
    let place = match candidate.zone.kind {
        ZoneKind::Border => format!("{:.0} m from {name}", candidate.relation.signed_m.abs()),
        _ => format!("in {name}"),
    };
    let dropped = !stop.people.is_empty();
    let kind = if dropped { AlertKind::DropOff } else { AlertKind::VehicleStop };
    let mut finding = situation.track_finding("vehicle_stop", kind, candidate);
    finding.confidence *= candidate.track.class.vehicle;
    let usual = if dropped { Severity::High } else { Severity::Medium };
    finding.severity = candidate.zone.severity.map_or(usual, |severity| severity.min(usual));
    finding.what = format!("stopped {place} for {}", text::span(stands_s));
    if dropped {
        finding.lasting = Lasting::Event;
        let seen: u32 = situation
            .tracks
            .iter()
            .filter(|track| stop.people.contains(&track.id))
            .map(|track| track.count.0.max(1))
            .sum();
        let count = seen.max(u32::try_from(stop.people.len()).unwrap_or(u32::MAX));
        let people = if count == 1 { "somebody".to_owned() } else { format!("at least {count}") };
        finding.what += &format!(" and {people} got out");
    }
    finding
}

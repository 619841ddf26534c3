//! A tripwire along a border reported a crossing, and a detector near by bears it out.
//!
//! Where only triggered detectors watch there may be too little for a track, but two independent sensors at one place
//! within two minutes are worth an alert, and so is a quiet wire that is tripped twice within seconds. How sure that is follows from how often each of them reports for nothing. A track that
//! passes there is taken to be who crossed: such detectors alone seldom tell on which side of a line a track is. Where radars or
//! cameras look and see nobody, it is less sure.

use std::collections::{BTreeMap, VecDeque};

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Clutter, Coverage, Direction, Measurement, Scan, SensorKind, SensorModel, Timestamp, TrackId};

use super::geometry::relation;
use super::situation::Candidate;
use super::unseen::{Missed, Unseen};
use super::{Finding, Lasting, Rule, Situation, Subject};
use crate::book::text;
use crate::config::{Site, Zone, ZoneDirection, ZoneKind};
use crate::units::Passage;
use crate::{AlertKind, Contributor, Severity};

/// Reports kept.
const MAX_REPORTS: usize = 512;
/// Reports kept this long.
const KEEP_S: f64 = 300.0;
/// Two reports belong together within this time and distance: a slow walk from one row of detectors to the next.
const TOGETHER_S: f64 = 120.0;
const TOGETHER_M: f64 = 100.0;
/// A tripwire this near to a border watches it.
const ALONG_M: f64 = 60.0;
/// Crossings within this time and distance of the last are the same incident: a group in single file.
const SAME_S: f64 = 45.0;
const SAME_M: f64 = 80.0;
/// A confirmed track is who crossed when it can have been at the wire: within this many standard deviations and this speed of it, and
/// never farther than this.
const TRACK_SDS: f64 = 3.0;
const TRACK_SPEED_MPS: f64 = 2.5;
const TRACK_MAX_M: f64 = 100.0;
/// A track goes over the line the way it moves across it, when that is more than noise, and than walking along it.
const SURE_SDS: f64 = 2.0;
const SURE_MPS: f64 = 0.3;
/// How long after its last report an incident is news.
const NEWS_S: f64 = 150.0;
const MAX_INCIDENTS: usize = 64;
/// From this confidence on the alert is raised.
const RAISED_FROM: f64 = 0.3;
/// A wire that reported so often in ten minutes, beside the incident, is restless: that it reports again bears nothing out.
const RESTLESS_FROM: u32 = 3;

/// The reports of triggered detectors lately, and the incidents they make.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Corroborated {
    reports: VecDeque<Report>,
    incidents: VecDeque<Incident>,
    /// Tracks that an incident was told of: at which border, and which way. Who crosses there the same way again is somebody else.
    #[serde(default)]
    crossers: BTreeMap<TrackId, (usize, Option<bool>)>,
    #[serde(default)]
    unseen: Unseen,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Report {
    sensor: usize,
    time: Timestamp,
    direction: Option<Direction>,
    /// A tripwire's report that has become part of an incident.
    taken: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Incident {
    zone: usize,
    /// The tripwire that reported first, and when.
    sensor: usize,
    first: Timestamp,
    last: Timestamp,
    crossings: u32,
    inward: Option<bool>,
    #[serde(default)]
    told: Told,
    /// Which way the track went that is told of: what it does afterwards is another matter.
    #[serde(default)]
    heading: Option<bool>,
    /// What radars and cameras missed of it.
    #[serde(default)]
    missed: Missed,
}

/// What the alert about an incident is about. It stays that way: one incident is one alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Told {
    #[default]
    NotYet,
    /// The wire: no track was near.
    Wire,
    /// The track that crossed.
    Track(TrackId),
}

impl Corroborated {
    /// Remembers what triggered detectors report, and what scanning sensors see at them.
    pub(super) fn observe(&mut self, scan: &Scan, site: &Site) {
        self.unseen.observe(scan, site);
        let kind = site.sensors[scan.sensor].model.kind;
        if !matches!(kind, SensorKind::Pir | SensorKind::Seismic | SensorKind::Tripwire) {
            return;
        }
        for detection in &scan.detections {
            let direction = match detection.measurement {
                Measurement::Crossing { direction } => direction,
                _ => None,
            };
            if self.reports.len() == MAX_REPORTS {
                self.reports.pop_front();
            }
            self.reports.push_back(Report { sensor: scan.sensor, time: scan.time, direction, taken: false });
        }
    }

    /// Makes incidents of the crossings that are not part of one yet.
    fn gather(&mut self, situation: &Situation<'_>) {
        for index in 0..self.reports.len() {
            let report = self.reports[index];
            let model = &situation.site.sensors[report.sensor].model;
            if report.taken || model.kind != SensorKind::Tripwire {
                continue;
            }
            self.reports[index].taken = true;
            let Some((zone, inward)) = watched(situation.site, model, report.direction) else { continue };
            let site = situation.site;
            let same = self.incidents.iter_mut().rev().find(|incident| {
                let apart_m = (site.sensors[incident.sensor].model.position_m - model.position_m).norm();
                incident.zone == zone && report.time.seconds_since(incident.last).abs() <= SAME_S && apart_m <= SAME_M
            });
            if let Some(incident) = same {
                incident.last = incident.last.max(report.time);
                incident.crossings = incident.crossings.saturating_add(1);
                incident.inward = incident.inward.or(inward);
            } else {
                if self.incidents.len() == MAX_INCIDENTS {
                    self.incidents.pop_front();
                }
                let (first, sensor) = (report.time, report.sensor);
                self.incidents.push_back(Incident {
                    zone,
                    sensor,
                    first,
                    last: first,
                    crossings: 1,
                    inward,
                    told: Told::NotYet,
                    heading: None,
                    missed: Missed::default(),
                });
            }
        }
    }

    /// The detectors that bear an incident out, each with its nearest report.
    fn witnesses(&self, incident: &Incident, site: &Site) -> Vec<Report> {
        let wire_m = site.sensors[incident.sensor].model.position_m;
        let mut witnesses: Vec<Report> = Vec::new();
        for report in &self.reports {
            let model = &site.sensors[report.sensor].model;
            let apart_s = report.time.seconds_since(incident.first).abs();
            let near = (model.position_m - wire_m).norm() <= TOGETHER_M + reach_m(&model.coverage);
            if report.sensor == incident.sensor || apart_s > TOGETHER_S || !near {
                continue;
            }
            match witnesses.iter_mut().find(|other| other.sensor == report.sensor) {
                Some(other) if other.time.seconds_since(incident.first).abs() <= apart_s => {}
                Some(other) => *other = *report,
                None => witnesses.push(*report),
            }
        }
        witnesses
    }
}

impl Rule for Corroborated {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let (now, site) = (situation.now, situation.site);
        self.gather(situation);
        let mut incidents = std::mem::take(&mut self.incidents);
        incidents.retain(|incident| now.seconds_since(incident.last) <= NEWS_S);
        for incident in &mut incidents {
            let Some(found) = finding(situation, incident, &self.witnesses(incident, site)) else { continue };
            self.unseen.weigh(&mut incident.missed, incident.sensor, incident.first, situation);
            let found = incident.missed.put_to(found, site);
            let crosser = crosser(situation, incident, &self.crossers);
            if incident.told == Told::NotYet {
                incident.heading = crosser.as_ref().and_then(heading);
                incident.told = crosser.as_ref().map_or(Told::Wire, |candidate| Told::Track(candidate.track.id));
                let crossed = crosser.as_ref().map(|candidate| (candidate.track.id, (incident.zone, incident.inward)));
                self.crossers.extend(crossed);
            }
            findings.extend(match incident.told {
                Told::Track(_) => crosser.map(|candidate| of_track(situation, incident, &candidate, &found)),
                Told::Wire | Told::NotYet => Some(found),
            });
        }
        self.incidents = incidents;
        self.crossers.retain(|id, _| situation.tracks.iter().any(|track| track.id == *id));
        self.reports.retain(|report| now.seconds_since(report.time) <= KEEP_S);
    }
}

/// The confirmed track that crossed: the one told of, or the nearest that can have been at the wire and has not crossed so before.
fn crosser<'a>(
    situation: &Situation<'a>,
    incident: &Incident,
    crossers: &BTreeMap<TrackId, (usize, Option<bool>)>,
) -> Option<Candidate<'a>> {
    let wire = &situation.site.sensors[incident.sensor].model;
    let candidates = situation.candidates(|zone| zone.kind == ZoneKind::Border);
    let mut candidates = candidates.filter(|candidate| candidate.index == incident.zone);
    if let Told::Track(id) = incident.told {
        return candidates.find(|candidate| candidate.track.id == id);
    }
    let since_s = situation.now.seconds_since(incident.first).abs();
    let apart_m = |candidate: &Candidate<'_>| (candidate.track.position_m - wire.position_m).norm();
    let reachable = candidates.filter(|candidate| {
        let sd_m = libm::sqrt(candidate.track.position_covariance_m2.symmetric_eigenvalues().max().max(0.0));
        let reach_m = half_length_m(&wire.coverage) + TRACK_SDS * sd_m + TRACK_SPEED_MPS * since_s;
        let free = crossers.get(&candidate.track.id).is_none_or(|&(zone, inward)| {
            zone != incident.zone || inward.zip(incident.inward).is_some_and(|(before, now)| before != now)
        });
        free && apart_m(candidate) <= reach_m.min(TRACK_MAX_M)
    });
    reachable.min_by(|a, b| apart_m(a).total_cmp(&apart_m(b)))
}

/// The same finding, told of the track that crossed: it shares the alert of whatever else that track does at the border.
fn of_track(situation: &Situation<'_>, incident: &Incident, candidate: &Candidate<'_>, found: &Finding) -> Finding {
    let mut told = situation.track_finding("corroborated", AlertKind::Crossing, candidate);
    let wire = &situation.site.sensors[incident.sensor].model.id;
    if let Subject::Track(track) = &mut told.subject
        && track.contributors.iter().all(|contributor| contributor.sensor != *wire)
    {
        track.contributors.push(Contributor { sensor: wire.clone(), share: Some(0.0) });
    }
    let inward = found.inward.or(incident.heading);
    Finding {
        certainty: found.certainty,
        lasting: found.lasting,
        severity: found.severity,
        confidence: found.confidence.max(told.confidence),
        unseen: found.unseen,
        first_seen: found.first_seen.min(told.first_seen),
        last_seen: found.last_seen.max(told.last_seen),
        inward,
        witnessed: true,
        what: format!("crossed {}{}", candidate.zone.name, way(inward)),
        ..told
    }
}

/// The border that a tripwire watches now, and whether what it reported goes inward there.
fn watched(site: &Site, model: &SensorModel, direction: Option<Direction>) -> Option<(usize, Option<bool>)> {
    let Coverage::Line { from_m, to_m } = model.coverage else { return None };
    let along = Vector2::from(to_m) - Vector2::from(from_m);
    // "In" of a tripwire is from its left to its right.
    let right = Vector2::new(along.y, -along.x);
    site.zones.iter().enumerate().find_map(|(index, zone)| {
        let relation = relation(&zone.ground, model.position_m, &nalgebra::Matrix2::zeros())?;
        let near = zone.kind == ZoneKind::Border && relation.alongside && relation.signed_m.abs() <= ALONG_M;
        let inward = direction.map(|way| (way == Direction::In) == (right.dot(&relation.inward) > 0.0));
        near.then_some((index, inward))
    })
}

fn reach_m(coverage: &Coverage) -> f64 {
    match coverage {
        Coverage::Circle { radius_m } => *radius_m,
        Coverage::Sector { range_m, .. } => *range_m,
        Coverage::Polygon { .. } | Coverage::Line { .. } => 0.0,
    }
}

/// Reports of a sensor for nothing, by the hour.
fn false_per_hour(model: &SensorModel) -> f64 {
    match model.clutter {
        Clutter::PerHour(count) => count,
        Clutter::PerScan(count) => count * 3_600.0 / f64::max(model.scan_period_s.unwrap_or(1.0), 0.01),
    }
}

/// Share of real crossings among such incidents: how often they are real, against how often the reports of all of them
/// fall together by chance.
fn confidence(site: &Site, incident: &Incident, witnesses: &[Report], again: bool) -> f64 {
    let expected = site.rules.expected_crossings_per_hour;
    let often = |sensor: usize| false_per_hour(&site.sensors[sensor].model);
    let by_chance = |sensor: usize, within_s: f64| 1.0 - libm::exp(-often(sensor) * within_s / 3_600.0);
    let twice = if again { by_chance(incident.sensor, SAME_S) } else { 1.0 };
    let chance = witnesses
        .iter()
        .fold(often(incident.sensor) * twice, |rate, witness| rate * by_chance(witness.sensor, 2.0 * TOGETHER_S));
    expected / (expected + chance)
}

/// Whether the wire bears itself out: who follows trips it again within seconds, and else it is quiet.
fn is_again(situation: &Situation<'_>, incident: &Incident) -> bool {
    let lately = situation.sensors[incident.sensor].pace.in_ten_minutes(situation.now);
    incident.crossings >= 2 && lately.saturating_sub(incident.crossings) < RESTLESS_FROM
}

fn finding(situation: &Situation<'_>, incident: &Incident, witnesses: &[Report]) -> Option<Finding> {
    let site = situation.site;
    let zone: &Zone = site.zones.get(incident.zone)?;
    let unwanted = match (zone.direction, incident.inward) {
        (ZoneDirection::In, Some(false)) | (ZoneDirection::Out, Some(true)) => true,
        (ZoneDirection::Both, _) | (_, None) | (ZoneDirection::In, Some(true)) | (ZoneDirection::Out, Some(false)) => {
            false
        }
    };
    let again = is_again(situation, incident);
    let confidence = confidence(site, incident, witnesses, again);
    if unwanted
        || (witnesses.is_empty() && !again)
        || confidence < RAISED_FROM
        || !zone.schedule.covers(situation.now, &site.timezone)
    {
        return None;
    }
    let wire = &site.sensors[incident.sensor].model;
    let name = |sensor: usize| site.sensors[sensor].model.id.clone();
    let share = |sensor: usize| Contributor { sensor: name(sensor), share: Some(0.0) };
    let contributors = std::iter::once(share(incident.sensor)).chain(witnesses.iter().take(4).map(|w| share(w.sensor)));
    let key = format!("wire/{}/{}/{}", zone.name, wire.id, incident.first.as_micros() / 1_000_000);
    let when = text::clock(incident.first, site);
    let times = match incident.crossings {
        0 | 1 => String::new(),
        2 => " twice".to_owned(),
        more => format!(" {more} times"),
    };
    let passage = Passage { line_m: line_m(wire), sd_m: 0.0, at: incident.first, people: incident.crossings as usize };
    let what = format!("something crossed {}{}{times} at {}, {when}", zone.name, way(incident.inward), wire.id);
    Some(Finding {
        lasting: Lasting::Event,
        severity: zone.severity.unwrap_or(Severity::High),
        zone: Some(zone.name.clone()),
        subject: Subject::Spot {
            position_m: wire.position_m,
            sd_m: reach_along(&wire.coverage),
            contributors: contributors.collect(),
        },
        confidence,
        inward: incident.inward,
        own_unit: situation.units.was_at(&passage, site),
        first_seen: incident.first,
        last_seen: witnesses.iter().map(|witness| witness.time).fold(incident.last, Timestamp::max),
        ..situation.own_finding("corroborated", AlertKind::Crossing, key, what)
    })
}

/// Which way a track goes over the border, where its velocity leaves no doubt.
fn heading(candidate: &Candidate<'_>) -> Option<bool> {
    let (track, inward) = (candidate.track, candidate.relation.inward);
    let speed_mps = track.velocity_mps.dot(&inward);
    let sd_mps = libm::sqrt(f64::max((inward.transpose() * track.velocity_covariance_m2ps2 * inward).x, 0.0));
    (speed_mps.abs() > SURE_SDS * sd_mps && speed_mps.abs() > SURE_MPS).then_some(speed_mps > 0.0)
}

const fn way(inward: Option<bool>) -> &'static str {
    match inward {
        Some(true) => " inward",
        Some(false) => " outward",
        None => "",
    }
}

fn line_m(wire: &SensorModel) -> [Vector2<f64>; 2] {
    match wire.coverage {
        Coverage::Line { from_m, to_m } => [from_m.into(), to_m.into()],
        _ => [wire.position_m; 2],
    }
}

fn half_length_m(coverage: &Coverage) -> f64 {
    match coverage {
        Coverage::Line { from_m, to_m } => 0.5 * (Vector2::from(*to_m) - Vector2::from(*from_m)).norm(),
        _ => 0.0,
    }
}

/// Standard deviation of where on a tripwire somebody crosses: uniform over its length.
fn reach_along(coverage: &Coverage) -> f64 {
    match coverage {
        Coverage::Line { .. } => half_length_m(coverage) / libm::sqrt(3.0),
        _ => 10.0,
    }
}

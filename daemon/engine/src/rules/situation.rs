//! Everything rules look at, at one time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vedette_tracker::{SensorKind, Timestamp, Track, TrackId, TrackStatus};

use super::geometry::{Relation, relation};
use super::{Certainty, Finding, Lasting, Subject, Surrounding};
use crate::book::Lesson;
use crate::calls::Calls;
use crate::config::{Class, Site, Zone};
use crate::status::SensorStatus;
use crate::units::Units;
use crate::weather::WeatherNow;
use crate::{AlertKind, Contributor, Severity};

/// Contributors shown in an alert.
const MAX_CONTRIBUTORS: usize = 5;
/// Silent sensors shown in an alert.
const MAX_SILENT: usize = 3;
/// A zone restricted to classes takes a track whose probability of being one of them is at least this: a track of
/// unknown class must not slip through.
const CLASS_AT_LEAST: f64 = 0.3;

/// Nobody is silent who is not heard so shortly after a start: cameras and radars take minutes to get going.
const START_UP_S: f64 = 300.0;
/// Who tells of events alone has had one, some day and night; who has told of none then may not be there.
const NO_EVENT_S: f64 = 86_400.0;
/// A prediction is taken back by no more than this: a velocity is good for seconds.
const BACK_S: f64 = 5.0;
/// A report this much older than a track's last one says nothing of it now.
const RECENT_S: f64 = 60.0;

/// A source or the uplink, as the gateway told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) up: bool,
    pub(crate) since: Timestamp,
}

/// Data that were lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loss {
    /// What was lost, for people: "frames of radio-1 dropped".
    pub(crate) what: String,
    /// Why: "its queue was full".
    pub(crate) why: String,
    pub(crate) kind: AlertKind,
    pub(crate) count: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// The durable store cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoreLost {
    pub(crate) since: Timestamp,
    pub(crate) why: String,
}

/// A node's housing was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Tamper {
    /// Opened.
    Opened,
    /// Moved or tilted.
    Moved,
    /// The node says so without a cause.
    Unknown,
}

/// The moment as rules see it.
pub(crate) struct Situation<'a> {
    pub(crate) now: Timestamp,
    /// When this engine began: nothing is missed that was never expected.
    pub(crate) started: Timestamp,
    /// When a process began to drive it last: nobody was heard while none did.
    pub(crate) woke: Timestamp,
    pub(crate) site: &'a Site,
    pub(crate) tracks: &'a [Track],
    pub(crate) sensors: &'a [SensorStatus],
    pub(crate) links: &'a BTreeMap<String, Link>,
    pub(crate) losses: &'a BTreeMap<String, Loss>,
    pub(crate) store_lost: Option<&'a StoreLost>,
    /// The ends of the certificates' validity, by name.
    pub(crate) certificates: &'a BTreeMap<String, Timestamp>,
    pub(crate) units: &'a Units,
    pub(crate) calls: &'a Calls,
    /// The weather, while a station is heard.
    pub(crate) weather: Option<WeatherNow>,
    /// Tracks that an own unit explains, by index of the unit.
    pub(crate) explained: &'a BTreeMap<TrackId, usize>,
}

/// A track in relation to a zone that it can matter to.
pub(crate) struct Candidate<'a> {
    pub(crate) index: usize,
    pub(crate) zone: &'a Zone,
    pub(crate) track: &'a Track,
    pub(crate) relation: Relation,
    /// Probability of the track's existence and class being such that it counts here.
    pub(crate) weight: f64,
    /// Existence is enough to raise an alert.
    pub(crate) believed: bool,
}

impl<'a> Situation<'a> {
    /// Every pair of a zone that `wanted` picks and counts now, and a track that may matter there.
    pub(crate) fn candidates(&self, wanted: fn(&Zone) -> bool) -> impl Iterator<Item = Candidate<'a>> {
        let (site, tracks, now) = (self.site, self.tracks, self.now);
        let zones = site.zones.iter().enumerate();
        let counts = move |zone: &Zone| wanted(zone) && zone.schedule.covers(now, &site.timezone);
        zones.filter(move |(_, zone)| counts(zone)).flat_map(move |(index, zone)| {
            tracks.iter().filter_map(move |track| {
                let class_weight = class_weight(&zone.classes, track);
                if class_weight < CLASS_AT_LEAST || track.status != TrackStatus::Confirmed {
                    return None;
                }
                let weight = track.existence * if zone.classes.is_empty() { 1.0 } else { class_weight };
                let believed = track.existence >= zone.min_existence.unwrap_or(site.rules.min_existence);
                let relation = relation(&zone.ground, track.position_m, &track.position_covariance_m2)?;
                Some(Candidate { index, zone, track, relation, weight, believed })
            })
        })
    }

    /// How long a sensor has been silent, when that is longer than it may be.
    pub(crate) fn silent_s(&self, sensor: usize) -> Option<f64> {
        let (known, status) = (self.site.sensors.get(sensor)?, self.sensors.get(sensor)?);
        let allowed_s = known.silent_after_s?;
        // Nothing to report is no silence, unless the configuration says that it is.
        if known.silence_assumed && status.tells_of_quiet == Some(false) {
            return None;
        }
        let (since, allowed_s) = match status.last_heard {
            Some(heard) if heard >= self.woke => (heard, allowed_s),
            // Sensors that get their power with the gateway are not there when it is.
            Some(_) => (self.woke, f64::max(allowed_s, START_UP_S)),
            None if self.may_have_had_no_event(sensor) => (self.started, f64::max(allowed_s, NO_EVENT_S)),
            None => (self.started, f64::max(allowed_s, START_UP_S)),
        };
        Some(self.now.seconds_since(since)).filter(|silent_s| *silent_s >= allowed_s)
    }

    /// Whether a sensor that was never heard may be there all the same: a camera whose format tells of events alone.
    pub(crate) fn may_have_had_no_event(&self, sensor: usize) -> bool {
        let (Some(known), Some(status)) = (self.site.sensors.get(sensor), self.sensors.get(sensor)) else {
            return false;
        };
        let is_camera = known.model.kind == SensorKind::Camera;
        status.last_heard.is_none() && known.silence_assumed && is_camera && self.site.events_alone
    }

    /// Whether the track's recent reports are from sensors that do not merely repeat themselves.
    pub(crate) fn is_fresh(&self, track: &Track) -> bool {
        track.contributions.is_empty()
            || track.contributions.iter().any(|part| {
                let stale = self.sensors.get(part.sensor).is_some_and(|status| status.pace.may_be_stale(part.time));
                track.last_seen.seconds_since(part.time) <= RECENT_S && !stale
            })
    }

    /// What an alert shows of a track.
    pub(crate) fn surrounding(&self, track: &Track) -> Surrounding {
        // Tracks stand where they are expected to be now; what is told is where it was when it was last seen.
        let unseen_s = self.now.seconds_since(track.last_seen).clamp(0.0, BACK_S);
        Surrounding {
            track: track.id,
            position_m: track.position_m,
            seen_m: track.position_m - track.velocity_mps * unseen_s,
            covariance_m2: track.position_covariance_m2,
            localised: track.localised,
            velocity_mps: track.velocity_mps,
            velocity_sd_mps: libm::sqrt(f64::max(track.velocity_covariance_m2ps2.trace(), 0.0)),
            existence: track.existence,
            class: track.class,
            count: track.count,
            contributors: self.contributors(track),
        }
    }

    /// Shares of the evidence by sensor, strongest first, then who was expected and silent.
    fn contributors(&self, track: &Track) -> Vec<Contributor> {
        let name = |index: usize| self.site.sensors.get(index).map(|sensor| sensor.model.id.clone());
        let evidence = |log_likelihood: f64| f64::max(log_likelihood, 0.0);
        let total: f64 = track.contributions.iter().map(|part| evidence(part.log_likelihood)).sum();
        let mut contributors: Vec<Contributor> = track
            .contributions
            .iter()
            .filter_map(|part| {
                let share = if total > 0.0 { evidence(part.log_likelihood) / total } else { 0.0 };
                Some(Contributor { sensor: name(part.sensor)?, share: Some(libm::round(share * 100.0) / 100.0) })
            })
            .collect();
        contributors.sort_by(|a, b| f64::total_cmp(&b.share.unwrap_or(0.0), &a.share.unwrap_or(0.0)));
        contributors.truncate(MAX_CONTRIBUTORS);
        let silent = never_heard(track).filter_map(|index| Some(Contributor { sensor: name(index)?, share: None }));
        contributors.extend(silent.take(MAX_SILENT));
        contributors
    }

    /// A finding about a track and a zone; what it is and how severe is for the rule to say.
    pub(crate) fn track_finding(&self, rule: &'static str, kind: AlertKind, candidate: &Candidate<'_>) -> Finding {
        let zone = &candidate.zone.name;
        Finding {
            rule,
            key: format!("zone/{zone}/track-{}", candidate.track.id.0),
            certainty: if candidate.believed { Certainty::Raises } else { Certainty::Holds },
            lasting: Lasting::State,
            kind,
            severity: Severity::Medium,
            zone: Some(zone.clone()),
            subject: Subject::Track(Box::new(self.surrounding(candidate.track))),
            confidence: candidate.weight,
            inward: None,
            witnessed: false,
            unseen: 0.0,
            evidence: None,
            lesson: Lesson::default(),
            eta: None,
            first_seen: candidate.track.first_seen,
            last_seen: candidate.track.last_seen,
            help: None,
            own_unit: None,
            explained: None,
            lowered_by: None,
            unlessened: None,
            released: false,
            members: Vec::new(),
            what: String::new(),
            note: String::new(),
        }
    }

    /// A finding about a sensor.
    pub(crate) fn sensor_finding(&self, rule: &'static str, kind: AlertKind, sensor: usize, what: String) -> Finding {
        let id = &self.site.sensors[sensor].model.id;
        Finding {
            subject: Subject::Sensor(sensor),
            ..self.own_finding(rule, kind, format!("sensor/{id}/{rule}"), what)
        }
    }

    /// A finding about the gateway.
    pub(crate) fn own_finding(&self, rule: &'static str, kind: AlertKind, key: String, what: String) -> Finding {
        Finding {
            rule,
            key,
            certainty: Certainty::Raises,
            lasting: Lasting::State,
            kind,
            severity: Severity::Low,
            zone: None,
            subject: Subject::Gateway,
            confidence: 1.0,
            inward: None,
            witnessed: false,
            unseen: 0.0,
            evidence: None,
            lesson: Lesson::default(),
            eta: None,
            first_seen: self.now,
            last_seen: self.now,
            help: None,
            own_unit: None,
            explained: None,
            lowered_by: None,
            unlessened: None,
            released: false,
            members: Vec::new(),
            what,
            note: String::new(),
        }
    }
}

fn class_weight(classes: &[Class], track: &Track) -> f64 {
    if classes.is_empty() { 1.0 } else { classes.iter().map(|class| class.of(&track.class)).sum() }
}

/// The sensors that should have seen the track and never did: one that missed a single look is no news to an operator.
pub(super) fn never_heard(track: &Track) -> impl Iterator<Item = usize> {
    let heard = |sensor: usize| track.contributions.iter().any(|part| part.sensor == sensor);
    track.silent.iter().copied().filter(move |&sensor| !heard(sensor))
}

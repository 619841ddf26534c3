//! One cause, one alert: many findings of one kind at once are told as one, with the members listed.
//!
//! A rain front triggers a row of sensors, a dead concentrator silences them all, a herd enters a zone. From the fifth
//! on they are one storm. What surely is somebody comes through on its own, and so does every possible need of help.

use std::collections::BTreeMap;

use vedette_tracker::{ClassProbabilities, Timestamp};

use crate::inspect::{Notes, Verdict};
use crate::rules::{Certainty, Finding, Situation, Subject, Surrounding};
use crate::{AlertKind, Severity};

/// Findings of one kind that make a storm, and the time within which they are one ..
const STORM_FROM: usize = 5;
const AT_ONCE_S: f64 = 60.0;
/// .. and so for what weather, traffic or a dead concentrator do to one sensor after the other.
const SENSORS_FROM: usize = 2;
const SENSORS_AT_ONCE_S: f64 = 600.0;
/// The rule about wrong clocks.
const CLOCK: &str = "clock";
/// Members named in the text.
const NAMED: usize = 4;
/// From here on a finding about a track that crossed stands on its own, if two sensors bear it out ..
const OWN_CONFIDENCE: f64 = 0.8;
const OWN_CLASS: f64 = 0.6;
/// .. and if a radar or camera alone takes it for a person or a vehicle with this probability.
const PLAIN_CLASS: f64 = 0.9;

/// What the book knows of a cause.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// Since when there is an alert about it.
    pub(super) raised_at: Option<Timestamp>,
    /// Nobody has closed that.
    pub(super) is_open: bool,
    /// An operator wants it told on its own; of a storm: wants none.
    pub(super) released: bool,
}

/// Folds findings that no alert is there about into one for each storm; `told` says what alerts there are.
pub(super) fn fold(
    situation: &Situation<'_>,
    findings: Vec<Finding>,
    told: impl Fn(&str) -> Told,
    notes: &mut Notes,
) -> (Vec<Finding>, u64) {
    let mut kept = Vec::new();
    let mut groups = BTreeMap::<String, Vec<Finding>>::new();
    let mut standing = BTreeMap::<String, Vec<Finding>>::new();
    for finding in findings {
        let group = group_of(&finding);
        let (_, at_once_s) = limits(finding.kind);
        match told(&finding.key).raised_at {
            None if finding.certainty == Certainty::Raises && !stands_alone(&finding) => {
                groups.entry(group).or_default().push(finding);
                continue;
            }
            Some(raised) if situation.now.seconds_since(raised) <= at_once_s && !finding.released => {
                standing.entry(group).or_default().push(finding.clone());
            }
            _ => {}
        }
        kept.push(finding);
    }
    let mut folded = 0;
    for (key, mut members) in groups {
        let before = standing.remove(&key).unwrap_or_default();
        let (from, _) = limits(members[0].kind);
        let of_storm = told(&key);
        if members.len() + before.len() < from && !of_storm.is_open {
            kept.extend(members);
            continue;
        }
        if of_storm.released {
            kept.extend(members.iter().cloned());
        } else {
            folded += members.len() as u64;
            for member in &members {
                notes.note(member, situation.now, None, Verdict::Folded);
            }
        }
        members.extend(before);
        kept.push(storm(situation, key, members));
    }
    (kept, folded)
}

/// How many findings of this kind make a storm, and within which time.
fn limits(kind: AlertKind) -> (usize, f64) {
    match kind {
        AlertKind::SensorSilent | AlertKind::SensorChattering | AlertKind::SensorBattery | AlertKind::SensorBlinded => {
            (SENSORS_FROM, SENSORS_AT_ONCE_S)
        }
        _ => (STORM_FROM, AT_ONCE_S),
    }
}

fn group_of(finding: &Finding) -> String {
    let kind = serde_json::to_value(finding.kind).ok();
    let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("other");
    match &finding.zone {
        // Clocks are wrong together for a cause of their own.
        None if finding.rule == CLOCK => format!("storm/{kind}/{CLOCK}"),
        Some(zone) => format!("storm/{kind}/{zone}"),
        None => format!("storm/{kind}"),
    }
}

fn stands_alone(finding: &Finding) -> bool {
    if finding.help.is_some() || finding.explained.is_some() || finding.released {
        return true;
    }
    match (&finding.subject, finding.kind) {
        (Subject::Track(track), AlertKind::Crossing | AlertKind::Returned) => {
            let plain =
                finding.evidence.is_some_and(|evidence| evidence.is_scanned()) && is_somebody(track, PLAIN_CLASS);
            let borne_out = is_somebody(track, OWN_CLASS) && sensors_of(track) >= 2;
            finding.confidence >= OWN_CONFIDENCE && (plain || borne_out)
        }
        // These are few by nature, and each needs its own hands.
        (
            _,
            AlertKind::DataLoss
            | AlertKind::StorageFault
            | AlertKind::PositionDoubt
            | AlertKind::LinkLost
            | AlertKind::Surge
            | AlertKind::Jammed
            | AlertKind::CoverageGap
            | AlertKind::DropOff
            | AlertKind::Group,
        ) => true,
        _ => false,
    }
}

fn is_somebody(track: &Surrounding, from: f64) -> bool {
    let ClassProbabilities { person, vehicle, .. } = track.class;
    f64::max(person, vehicle) >= from
}

/// How many sensors bear it out.
fn sensors_of(track: &Surrounding) -> usize {
    track.contributors.iter().filter(|part| part.share.is_some_and(|share| share > 0.0)).count()
}

fn storm(situation: &Situation<'_>, key: String, members: Vec<Finding>) -> Finding {
    let first = &members[0];
    let names = names(situation, &members);
    let (what, note) = match &first.zone {
        Some(zone) if first.kind.is_about_somebody() => about_somebody(zone, &members, &names),
        _ => (
            match members.len() {
                1 => format!("one more sensor {}: {names}", told(first)),
                several => format!("{several} sensors {}: {names}", told(first)),
            },
            match first.kind {
                _ if first.rule == CLOCK => {
                    "Look for one cause: their time server, what receives them, or the clock of this gateway."
                }
                AlertKind::SensorBattery => "Change them before the sensors fall silent.",
                _ => "Look for one cause: weather, power, the radio.",
            },
        ),
    };
    let note = note.to_owned();
    let storm = Finding {
        severity: members.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Medium),
        zone: first.zone.clone(),
        confidence: members.iter().map(|finding| finding.confidence).fold(0.0, f64::max),
        first_seen: members.iter().map(|finding| finding.first_seen).min().unwrap_or(situation.now),
        last_seen: members.iter().map(|finding| finding.last_seen).max().unwrap_or(situation.now),
        note,
        ..situation.own_finding("storm", first.kind, key, what)
    };
    Finding { members, ..storm }
}

/// What a member of a storm is called.
pub(super) fn name(situation: &Situation<'_>, finding: &Finding) -> String {
    match &finding.subject {
        Subject::Track(track) => format!("track {}", track.track.0),
        Subject::Sensor(index) => situation.site.sensors[*index].model.id.clone(),
        Subject::Spot { contributors, .. } if !contributors.is_empty() => contributors[0].sensor.clone(),
        Subject::Gateway | Subject::Spot { .. } => finding.key.clone(),
    }
}

/// The first few members by name, and how many more.
fn names(situation: &Situation<'_>, members: &[Finding]) -> String {
    let mut all: Vec<String> = members.iter().map(|finding| name(situation, finding)).collect();
    all.dedup();
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    if more > 0 {
        all.push(format!("{more} more"));
    }
    all.join(", ")
}

/// What happened to so many, and what to make of it.
fn about_somebody(zone: &str, members: &[Finding], names: &str) -> (String, &'static str) {
    let (first, count) = (&members[0], members.len());
    let way = |inward: bool, word: &'static str| {
        if members.iter().all(|member| member.inward == Some(inward)) { word } else { "" }
    };
    let ways = [way(true, " inward"), way(false, " outward")].concat();
    let crowd = "A herd, weather or a crowd; who crosses and is surely a person is told on its own.";
    match first.kind {
        AlertKind::TrackLost => (
            format!("lost sight of {count} who were nearing {zone}, last seen by {names}"),
            "Look for one cause: fog, rain, or a sensor that sees less. Whether they crossed nobody can say.",
        ),
        AlertKind::Crossing => (format!("{count} moving things crossed {zone}{ways} at once: {names}"), crowd),
        AlertKind::Returned => (format!("{count} moving things returned over {zone}{ways} at once: {names}"), crowd),
        AlertKind::Approach => (format!("{count} moving things approaching {zone}{ways} at once: {names}"), crowd),
        AlertKind::Entry | AlertKind::Loitering => (format!("{count} moving things in {zone} at once: {names}"), crowd),
        _ => (format!("{count} moving things near {zone} at once: {names}"), crowd),
    }
}

fn told(finding: &Finding) -> &'static str {
    match finding.kind {
        _ if finding.rule == CLOCK => "unused for their clocks",
        AlertKind::SensorSilent => "silent",
        AlertKind::SensorTamper => "tampered with",
        AlertKind::SensorBattery => "low on battery",
        AlertKind::SensorChattering => "chattering",
        AlertKind::SensorStuck => "stuck",
        AlertKind::SensorBlinded => "blind",
        _ => "in the same state",
    }
}

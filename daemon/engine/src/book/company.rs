//! Who goes together is one cause: a party over the line is one alert with a count, not one for each head.
//!
//! A track's finding joins the alert of a near one about the same zone when both move alike and may be of one kind. It
//! leaves again, for an alert of its own, when it has gone its own way.

use std::collections::BTreeMap;

use nalgebra::Vector2;

use super::{Book, Entry};
use crate::AlertKind;
use crate::rules::{Certainty, Finding, Lasting, Situation, Subject, Surrounding};

/// Neighbours in a party are at most this far apart, beside what their positions are uncertain by.
const JOINED_M: f64 = 40.0;
/// Velocities of people who walk together differ by less than this.
const ALIKE_MPS: f64 = 1.2;
/// Farther than this from everybody else of the party, a track has left it.
const LEFT_M: f64 = 120.0;
/// From this probability on a class is what sets an object apart.
const PLAINLY: f64 = 0.6;

/// A lost track's alert goes on with a new track that appears within this time ..
const SAME_CAUSE_WITHIN_S: f64 = 120.0;
/// .. or this, where it has happened or was answered: who comes to the line after somebody has crossed it is somebody else.
const SAME_WALK_WITHIN_S: f64 = 20.0;
/// .. and within what somebody on foot can have gone since, up to this far.
const SAME_CAUSE_SPEED_MPS: f64 = 2.5;
const SAME_CAUSE_MAX_M: f64 = 150.0;
/// Who was seen so long while the other was seen, too, is not the other. A track that takes another's plots overlaps with it for less.
const BOTH_SEEN_S: f64 = 10.0;

/// A track's finding, and the key that it goes under.
struct Member {
    own: String,
    key: String,
    zone: Option<String>,
    position_m: Vector2<f64>,
    sd_m: f64,
    velocity_mps: Vector2<f64>,
    /// Plainly an animal, plainly a vehicle.
    kind: (bool, bool),
    /// An alert is open under its key, or it may raise one.
    leads: bool,
}

impl Member {
    fn of(finding: &Finding, track: &Surrounding, key: &str, open: bool) -> Self {
        Self {
            own: finding.key.clone(),
            key: key.to_owned(),
            zone: finding.zone.clone(),
            position_m: track.position_m,
            sd_m: libm::sqrt(f64::max(track.covariance_m2.trace(), 0.0)),
            velocity_mps: track.velocity_mps,
            kind: (track.class.animal >= PLAINLY, track.class.vehicle >= PLAINLY),
            leads: open || finding.certainty == Certainty::Raises,
        }
    }

    fn apart_m(&self, other: &Self) -> f64 {
        (self.position_m - other.position_m).norm()
    }

    fn goes_with(&self, other: &Self) -> bool {
        self.own != other.own
            && self.zone == other.zone
            && self.kind == other.kind
            && self.apart_m(other) <= JOINED_M + f64::min(self.sd_m + other.sd_m, JOINED_M)
            && (self.velocity_mps - other.velocity_mps).norm() <= ALIKE_MPS
    }
}

/// Whether what it tells may be told of a party. A call for help is one person's own, a group is a party already, and where
/// a track was lost or a vehicle stopped is a matter of its own.
fn joins(finding: &Finding) -> bool {
    finding.kind.is_movement() && finding.help.is_none()
}

impl Book {
    /// Lets a new track go on with the alert about the same zone whose track was lost near here a moment ago, and a crossing that
    /// no track tells of with the alert of who was nearing the line there.
    pub(super) fn continue_lost(&mut self, finding: &Finding, situation: &Situation<'_>) {
        let (position_m, sd_m, track) = match &finding.subject {
            Subject::Track(track) => {
                let sd_m = libm::sqrt(f64::max(track.covariance_m2.trace(), 0.0));
                (track.position_m, sd_m, Some(track.track))
            }
            // A patrol that trips a wire is not the stranger who was seen to come.
            Subject::Spot { position_m, sd_m, .. }
                if finding.kind == AlertKind::Crossing && finding.explained.is_none() =>
            {
                (*position_m, *sd_m, None)
            }
            Subject::Spot { .. } | Subject::Sensor(_) | Subject::Gateway => return,
        };
        if self.continued.contains_key(&finding.key) || self.open.contains_key(&finding.key) {
            return;
        }
        let lost = |entry: &Entry| {
            let gone = match entry.track {
                Some(id) => situation.tracks.iter().all(|track| track.id != id),
                None => entry.alert.kind == AlertKind::TrackLost,
            };
            // Who crosses behind somebody who has crossed is somebody else.
            let awaited = track.is_some() || matches!(entry.alert.kind, AlertKind::Approach | AlertKind::TrackLost);
            let gap_s = situation.now.seconds_since(entry.found_at);
            let unseen_s = finding.first_seen.seconds_since(entry.seen_at);
            let settled =
                entry.is_over() || entry.lasting == Lasting::Event && entry.alert.kind != AlertKind::TrackLost;
            let within_s = if settled { SAME_WALK_WITHIN_S } else { SAME_CAUSE_WITHIN_S };
            let same_walk = track.is_none() || (-BOTH_SEEN_S..=within_s).contains(&unseen_s);
            let walked_s = f64::max(gap_s, finding.last_seen.seconds_since(entry.alert.last_seen));
            let reach_m = f64::min(10.0 + SAME_CAUSE_SPEED_MPS * walked_s, SAME_CAUSE_MAX_M) + sd_m;
            let near = entry.position_m.is_some_and(|lost_m| (lost_m - position_m).norm() <= reach_m);
            gone && awaited && same_walk && near && gap_s <= SAME_CAUSE_WITHIN_S && entry.alert.zone == finding.zone
        };
        if let Some((key, entry)) = self.open.iter_mut().find(|(_, entry)| lost(entry)) {
            entry.track = track;
            self.continued.insert(finding.key.clone(), key.clone());
        }
    }

    /// Puts the findings of parties under one key each.
    pub(super) fn join_parties(&mut self, findings: &mut [Finding]) {
        let mut members: Vec<Member> = Vec::new();
        for finding in findings.iter() {
            let Subject::Track(track) = &finding.subject else { continue };
            if joins(finding) {
                let key = self.continued.get(&finding.key).unwrap_or(&finding.key);
                members.push(Member::of(finding, track, key, self.is_open(key)));
            }
        }
        self.let_leave(&mut members);
        for index in 0..members.len() {
            if members[index].key != members[index].own || self.open.contains_key(&members[index].own) {
                continue;
            }
            let member = &members[index];
            let led = |(place, other): &(usize, &Member)| {
                // Of two new ones the first leads, so that nobody leads himself.
                other.leads && (*place < index || self.is_open(&other.key)) && member.goes_with(other)
            };
            let nearest = members.iter().enumerate().filter(led);
            let nearest = nearest.min_by(|(_, a), (_, b)| member.apart_m(a).total_cmp(&member.apart_m(b)));
            if let Some((_, other)) = nearest {
                let (own, key) = (member.own.clone(), other.key.clone());
                self.continued.insert(own.clone(), key.clone());
                // A track may have several findings; all of them go under its key.
                members.iter_mut().filter(|member| member.own == own).for_each(|member| member.key.clone_from(&key));
            }
        }
        self.count(findings, &members);
    }

    fn is_open(&self, key: &str) -> bool {
        self.open.get(key).is_some_and(|entry: &Entry| !entry.is_over())
    }

    /// Gives those who have gone their own way their own key back.
    fn let_leave(&mut self, members: &mut [Member]) {
        for index in 0..members.len() {
            let member = &members[index];
            if member.key == member.own {
                continue;
            }
            let mut others =
                members.iter().filter(|other| other.own != member.own && other.key == member.key).peekable();
            if others.peek().is_some() && others.all(|other| member.apart_m(other) > LEFT_M) {
                self.continued.remove(&member.own);
                members[index].key = members[index].own.clone();
            }
        }
    }

    /// Tells each finding how many tracks its party has at least.
    fn count(&self, findings: &mut [Finding], members: &[Member]) {
        let mut parties: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for member in members {
            let party = parties.entry(&member.key).or_default();
            if !party.contains(&member.own.as_str()) {
                party.push(&member.own);
            }
        }
        for finding in findings {
            let party = joins(finding);
            let key = self.continued.get(&finding.key).unwrap_or(&finding.key);
            let count = parties.get(key.as_str()).map_or(0, |party| u32::try_from(party.len()).unwrap_or(u32::MAX));
            if let Subject::Track(track) = &mut finding.subject
                && count > 1
                && party
            {
                track.count = (track.count.0.max(count), track.count.1.max(count));
            }
        }
    }
}

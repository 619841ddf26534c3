//! Many radio nodes fall silent together while the concentrator's line is up: the radio is jammed, or its receiver is deaf.
//!
//! Nodes tell their state at regular times, each at its own; what they detect comes when it comes, and is no habit to be missed.
//! So who is due and silent is counted against who was due, and nobody is missed for having seen nothing.
//!
//! Two questions are asked. Is a share of the nodes missed within some minutes: a jammer that the nearest outshout? And is nobody
//! heard at all any more: then each report that was due and did not come was lost by chance with the probability that reports
//! are lost here, which is learned, and few of them are more than chance makes in years. That takes minutes where many nodes
//! report, and knows a node's interval from the others' before it has had one of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use super::{Certainty, Finding, Rule, Situation, link_lost};
use crate::book::text;
use crate::{AlertKind, Severity};

/// Fewer nodes than this fall silent together by chance.
const MIN_NODES: usize = 3;
/// Nodes that were due within this time are silent together.
const TOGETHER_S: f64 = 1_200.0;
/// A node is late by this, and this share of its interval.
const LATE_S: f64 = 60.0;
const LATE_SHARE: f64 = 0.1;
/// Intervals kept: a lost frame makes one of them too long, and the middle one stays right.
const INTERVALS: usize = 3;
/// Intervals that must be known of a node before it can be missed.
const KNOWN_FROM: usize = 2;
/// Where nobody is heard, a node is late by this, and this share of its interval: it may have waited for the channel.
const OVERDUE_S: f64 = 30.0;
const OVERDUE_SHARE: f64 = 0.02;
/// .. and nobody is heard for so long at least.
const QUIET_FROM_S: f64 = 60.0;
/// Intervals of so many other nodes stand for one that is not known yet.
const ALIKE_FROM: usize = 3;
/// Reports of one node that are missed one after the other say little more than two of them: it may be dead.
const MISSES_OF_ONE: f64 = 2.0;
/// Nobody is heard for so many misses by chance once in so many times: with a report a minute, in more than ten years.
const UNHEARD_BY_CHANCE_ONE_IN: f64 = 1e7;
/// The same for a share of the nodes, which is counted anew only every some minutes.
const SHARE_BY_CHANCE_ONE_IN: f64 = 1e4;
/// Before anything is learned: reports, and those of them that were lost.
const PRIOR_REPORTS: f64 = 20.0;
const PRIOR_LOST: f64 = 1.0;
/// At so many reports what was learned counts half: the air changes.
const REPORTS_REMEMBERED: f64 = 1_000.0;
/// An interval this many times as long as usual is not of reports that the air has lost.
const MOST_LOST: f64 = 3.0;

/// When each node told its state, and which nodes are missed together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Jammed {
    rhythms: BTreeMap<u32, Rhythm>,
    /// Of the alert that stands: its nodes not heard since, with when they were heard last, and how many it had.
    missed: BTreeMap<u32, Timestamp>,
    most: usize,
    /// Reports that came, and that were lost between two that came.
    came: f64,
    lost: f64,
    /// When reports were last kept from coming: by a jammer, as it seems, or for want of a source.
    stood: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rhythm {
    told: Timestamp,
    heard: Timestamp,
    intervals_s: Vec<f64>,
    /// It saves what is left of its battery, and will tell its state seldom.
    #[serde(default)]
    saves: bool,
}

impl Rhythm {
    /// The middle one of its intervals; infinite before it has had one.
    fn usual_s(&self) -> f64 {
        // On the stack: each node is asked whenever the rules look.
        let mut intervals_s = [f64::INFINITY; INTERVALS];
        intervals_s.iter_mut().zip(&self.intervals_s).for_each(|(sorted, interval_s)| *sorted = *interval_s);
        intervals_s.sort_by(f64::total_cmp);
        intervals_s[self.intervals_s.len().min(INTERVALS) / 2]
    }

    /// When it should have told its state again, at the latest.
    fn due(&self) -> Option<Timestamp> {
        let known = !self.saves && self.intervals_s.len() >= KNOWN_FROM;
        known.then(|| self.told.plus_seconds(self.usual_s() * (1.0 + LATE_SHARE) + LATE_S))
    }

    /// Takes in when it told its state last; how many of its reports were lost before, when it is a new one.
    fn tell(&mut self, told: Timestamp) -> Option<f64> {
        if told <= self.told {
            return None;
        }
        let (interval_s, usual_s) = (told.seconds_since(self.told), self.usual_s());
        if self.intervals_s.len() == INTERVALS {
            self.intervals_s.remove(0);
        }
        self.intervals_s.push(interval_s);
        self.told = told;
        let lost = if usual_s.is_finite() { libm::round(interval_s / usual_s) - 1.0 } else { 0.0 };
        Some(if (0.0..=MOST_LOST).contains(&lost) { lost } else { 0.0 })
    }
}

impl Jammed {
    fn learn(&mut self, situation: &Situation<'_>) {
        for (sensor, status) in situation.site.sensors.iter().zip(situation.sensors) {
            let (Some(node), Some(told)) = (sensor.node, status.told_at) else { continue };
            let fresh = Rhythm { told, heard: told, intervals_s: Vec::new(), saves: false };
            let rhythm = self.rhythms.entry(node).or_insert(fresh);
            // What a jammer held back, or nobody listened to, says nothing of the air.
            let counts = rhythm.told >= situation.woke && self.stood.is_none_or(|stood| rhythm.told > stood);
            if let Some(lost) = rhythm.tell(told).filter(|_| counts) {
                (self.came, self.lost) = (self.came + 1.0, self.lost + lost);
            }
            rhythm.heard = rhythm.heard.max(status.last_heard.unwrap_or(told));
            rhythm.saves = status.battery_low;
        }
        if self.came > REPORTS_REMEMBERED {
            (self.came, self.lost) = (self.came / 2.0, self.lost / 2.0);
        }
    }

    /// The nodes whose reports were due since anybody was heard, when that are more than are lost by chance.
    fn unheard(&self, situation: &Situation<'_>) -> BTreeSet<u32> {
        let last = self.rhythms.values().map(|rhythm| rhythm.heard).max().unwrap_or(situation.woke);
        if situation.now.seconds_since(last) < QUIET_FROM_S {
            return BTreeSet::new();
        }
        let mut known_s: Vec<f64> = self.rhythms.values().map(Rhythm::usual_s).filter(|s| s.is_finite()).collect();
        known_s.sort_by(f64::total_cmp);
        let alike_s = known_s.get(known_s.len() / 2).copied().filter(|_| known_s.len() >= ALIKE_FROM);
        let (mut missing, mut misses) = (BTreeSet::new(), 0.0);
        for (&node, rhythm) in self.rhythms.iter().filter(|(_, rhythm)| !rhythm.saves) {
            // A node that has just been reset tells its state at once, and so does one in its place: one interval is none.
            let own_s = Some(rhythm.usual_s()).filter(|_| rhythm.intervals_s.len() >= KNOWN_FROM);
            let Some(usual_s) = own_s.or(alike_s) else { continue };
            let due_s = usual_s * (1.0 + OVERDUE_SHARE) + OVERDUE_S;
            // Who was missed before, or told its state before this process did listen, is not missed with the others.
            if rhythm.told < situation.woke || last.seconds_since(rhythm.told) > due_s {
                continue;
            }
            let missed = libm::floor((situation.now.seconds_since(rhythm.told) - due_s) / usual_s) + 1.0;
            if missed >= 1.0 {
                missing.insert(node);
                misses += missed.min(MISSES_OF_ONE);
            }
        }
        let by_chance = self.surprise(misses, misses) < libm::log(UNHEARD_BY_CHANCE_ONE_IN);
        if by_chance || missing.len() < MIN_NODES { BTreeSet::new() } else { missing }
    }

    /// Minus the logarithm of the probability (Chernoff's bound of it) that so many of the reports that were due are lost, as
    /// they are lost here when nobody jams anything.
    fn surprise(&self, lost: f64, due: f64) -> f64 {
        let usual = (self.lost + PRIOR_LOST) / (self.came + self.lost + PRIOR_REPORTS);
        let share = lost / f64::max(due, 1.0);
        let part = |share: f64, usual: f64| if share > 0.0 { share * libm::log(share / usual) } else { 0.0 };
        if share > usual { due * (part(share, usual) + part(1.0 - share, 1.0 - usual)) } else { 0.0 }
    }

    /// The nodes that were due lately, and those of them that were not heard since.
    fn due(&self, situation: &Situation<'_>) -> (usize, BTreeSet<u32>) {
        let (now, mut due, mut missing) = (situation.now, 0, BTreeSet::new());
        for (&node, rhythm) in self.rhythms.iter().filter(|(_, rhythm)| rhythm.told >= situation.woke) {
            let Some(at) = rhythm.due() else { continue };
            let late_s = now.seconds_since(at);
            let heard_since = rhythm.heard.seconds_since(rhythm.told) > 0.0 && rhythm.heard >= at.plus_seconds(-LATE_S);
            if (0.0..=TOGETHER_S).contains(&late_s) && !heard_since {
                missing.insert(node);
            }
            // Who told its state in time was due just before that.
            let in_time = now.seconds_since(rhythm.told) <= TOGETHER_S;
            due += usize::from((0.0..=TOGETHER_S).contains(&late_s) || in_time);
        }
        (due, missing)
    }
}

impl Rule for Jammed {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let share = situation.site.rules.jammed_share;
        if share <= 0.0 {
            return;
        }
        self.learn(situation);
        // A source that is gone is told by its own rule; where alerts go has nothing to do with who is heard.
        if situation.links.iter().any(|(name, link)| link_lost::is_of_source(name) && !link.up) {
            (self.missed, self.most, self.stood) = (BTreeMap::new(), 0, Some(situation.now));
            return;
        }
        let (due, mut missing) = self.due(situation);
        let unheard = self.unheard(situation);
        let at_least = |share: f64, of: usize| libm::ceil(share * of as f64) as usize;
        let surprise = self.surprise(missing.len() as f64, due as f64);
        let by_chance = surprise < libm::log(SHARE_BY_CHANCE_ONE_IN);
        if by_chance || missing.len() < usize::max(MIN_NODES, at_least(share, due)) {
            missing.clear();
        }
        missing.extend(&unheard);
        let raises = !missing.is_empty();
        let rhythms = &self.rhythms;
        let heard = |node: &u32| rhythms.get(node).map(|rhythm| rhythm.heard);
        self.missed.retain(|node, before| heard(node) == Some(*before));
        if raises {
            self.stood = Some(situation.now);
            self.missed.extend(missing.iter().filter_map(|node| Some((*node, heard(node)?))));
        }
        self.most = self.most.max(self.missed.len());
        if self.missed.len() < at_least(0.5, self.most).max(1) {
            (self.missed, self.most) = (BTreeMap::new(), 0);
            return;
        }
        findings.extend(self.finding(situation, raises));
    }
}

impl Jammed {
    fn finding(&self, situation: &Situation<'_>, raises: bool) -> Option<Finding> {
        let since = self.missed.values().copied().max()?;
        let what = format!(
            "{} of {} radio nodes fell silent together, none of them heard since {}",
            self.missed.len(),
            self.rhythms.len(),
            text::clock(since, situation.site)
        );
        let mut finding = situation.own_finding("jammed", AlertKind::Jammed, "radio/jammed".to_owned(), what);
        finding.severity = Severity::High;
        finding.first_seen = since;
        finding.last_seen = since;
        if !raises {
            finding.certainty = Certainty::Holds;
        }
        finding.note = "The line to the concentrator is up: the radio is jammed, or its receiver is deaf.".to_owned();
        Some(finding)
    }
}

//! Many radio nodes fall silent together while the concentrator's line is up: the radio is jammed, or its receiver is deaf.
//!
//! Nodes tell their state at regular times, each at its own; what they detect comes when it comes, and is no habit to be missed.
//! So who is due and silent is counted against who was due, and nobody is missed for having seen nothing.

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

/// When each node told its state, and which nodes are missed together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Jammed {
    rhythms: BTreeMap<u32, Rhythm>,
    /// Of the alert that stands: its nodes not heard since, with when they were heard last, and how many it had.
    missed: BTreeMap<u32, Timestamp>,
    most: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rhythm {
    told: Timestamp,
    heard: Timestamp,
    intervals_s: Vec<f64>,
}

impl Rhythm {
    /// When it should have told its state again.
    fn due(&self) -> Option<Timestamp> {
        let known = self.intervals_s.len();
        if known < KNOWN_FROM {
            return None;
        }
        // On the stack: each node is asked whenever the rules look.
        let mut intervals_s = [f64::INFINITY; INTERVALS];
        intervals_s.iter_mut().zip(&self.intervals_s).for_each(|(sorted, interval_s)| *sorted = *interval_s);
        intervals_s.sort_by(f64::total_cmp);
        let usual_s = *intervals_s.get(known / 2)?;
        Some(self.told.plus_seconds(usual_s * (1.0 + LATE_SHARE) + LATE_S))
    }

    fn tell(&mut self, told: Timestamp) {
        if told > self.told {
            if self.intervals_s.len() == INTERVALS {
                self.intervals_s.remove(0);
            }
            self.intervals_s.push(told.seconds_since(self.told));
            self.told = told;
        }
    }
}

impl Jammed {
    fn learn(&mut self, situation: &Situation<'_>) {
        for (sensor, status) in situation.site.sensors.iter().zip(situation.sensors) {
            let (Some(node), Some(told)) = (sensor.node, status.told_at) else { continue };
            let fresh = Rhythm { told, heard: told, intervals_s: Vec::new() };
            let rhythm = self.rhythms.entry(node).or_insert(fresh);
            rhythm.tell(told);
            rhythm.heard = rhythm.heard.max(status.last_heard.unwrap_or(told));
        }
    }

    /// The nodes that were due lately, and those of them that were not heard since.
    fn due(&self, now: Timestamp) -> (usize, BTreeSet<u32>) {
        let (mut due, mut missing) = (0, BTreeSet::new());
        for (&node, rhythm) in &self.rhythms {
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
            (self.missed, self.most) = (BTreeMap::new(), 0);
            return;
        }
        let (due, missing) = self.due(situation.now);
        let at_least = |share: f64, of: usize| libm::ceil(share * of as f64) as usize;
        let raises = missing.len() >= MIN_NODES && missing.len() >= at_least(share, due);
        let rhythms = &self.rhythms;
        let heard = |node: &u32| rhythms.get(node).map(|rhythm| rhythm.heard);
        self.missed.retain(|node, before| heard(node) == Some(*before));
        if raises {
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
            self.rhythms.values().filter(|rhythm| rhythm.due().is_some()).count(),
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

//! Many radio nodes fall silent together while the concentrator's line is up: the radio is jammed, or its receiver is deaf.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use super::{Certainty, Finding, Rule, Situation};
use crate::book::text;
use crate::{AlertKind, Severity};

/// Fewer nodes than this fall silent together by chance.
const MIN_NODES: usize = 3;
/// Pauses between signs of life that must be known of a node before one more can be called too long.
const MIN_PAUSES: u32 = 3;
/// A pause is too long when it is this many times the longest lately, and this much more.
const LONG_FACTOR: f64 = 1.5;
const LONG_MARGIN_S: f64 = 60.0;
/// Share of the longest pause that is remembered with each new one: habits change.
const MEMORY: f64 = 0.95;

/// How often each node is heard.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Jammed {
    nodes: BTreeMap<u32, Habit>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Habit {
    heard: Timestamp,
    longest_s: f64,
    pauses: u32,
}

impl Jammed {
    fn learn(&mut self, situation: &Situation<'_>) {
        for (sensor, status) in situation.site.sensors.iter().zip(situation.sensors) {
            let (Some(node), Some(heard)) = (sensor.node, status.last_heard) else { continue };
            let habit = self.nodes.entry(node).or_insert(Habit { heard, longest_s: 0.0, pauses: 0 });
            let pause_s = heard.seconds_since(habit.heard);
            // Frames of one conversation are no pause.
            if pause_s <= 0.0 {
                continue;
            }
            let pauses = if pause_s > 10.0 { habit.pauses.saturating_add(1) } else { habit.pauses };
            *habit = Habit { heard, longest_s: pause_s.max(habit.longest_s * MEMORY), pauses };
        }
    }
}

impl Rule for Jammed {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let share = situation.site.rules.jammed_share;
        if share <= 0.0 {
            return;
        }
        self.learn(situation);
        let known = || self.nodes.values().filter(|habit| habit.pauses >= MIN_PAUSES);
        let missing: Vec<&Habit> = known().filter(|habit| habit.is_missing(situation.now)).collect();
        let (all, missed) = (known().count(), missing.len());
        // A line that is down is told by its own rule.
        let line_down = situation.links.iter().any(|(name, link)| name != super::UPLINK && !link.up);
        #[expect(clippy::cast_precision_loss, reason = "some thousand nodes")]
        let missed_share = missed as f64 / all.max(1) as f64;
        if missed < MIN_NODES || line_down || missed_share < 0.5 * share {
            return;
        }
        let Some(since) = missing.iter().map(|habit| habit.heard).max() else { return };
        let what = format!(
            "{missed} of {all} radio nodes fell silent together, none of them heard since {}",
            text::clock(since, situation.site)
        );
        let mut finding = situation.own_finding("jammed", AlertKind::Jammed, "radio/jammed".to_owned(), what);
        finding.severity = Severity::High;
        finding.first_seen = since;
        finding.last_seen = since;
        if missed_share < share {
            finding.certainty = Certainty::Holds;
        }
        finding.note = "The line to the concentrator is up: the radio is jammed, or its receiver is deaf.".to_owned();
        findings.push(finding);
    }
}

impl Habit {
    fn is_missing(&self, now: Timestamp) -> bool {
        now.seconds_since(self.heard) > LONG_FACTOR * self.longest_s + LONG_MARGIN_S
    }
}

//! What operators said of earlier alerts, and how much surer or less sure it makes the next ones.
//!
//! How sure an alert about movement is follows from weights that hold on the whole. What they cannot know is who walks here: at one
//! border it is the own patrols who come up to the line, at another the people an operator waits for. Each alert that an
//! operator closes with a reason says so. All alerts of one kind (which zone, outward and not over the line or else, with radars and
//! cameras or without) share one shift of their log-odds, the likeliest one given what they claimed and what they were, with a normal
//! prior about none: recalibration in the large (Cox 1958; Steyerberg, Clinical Prediction Models, chapter 15, on updating).
//! What was said long ago counts less, so that a kind that operators are told little of comes back to be judged anew.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

use crate::CloseReason;
use crate::config::Site;
use crate::rules::{Evidence, Finding};

/// Variance of the shift between sites, before an operator of this one has said anything: what is one in two elsewhere may be one in
/// five or four in five, but one word on one alert must not silence its kind.
const PRIOR_VARIANCE: f64 = 0.5;
/// The greatest shift: nothing that was said of others makes something unthinkable.
const SHIFT_MAX: f64 = 2.5;
/// What was said so long ago counts half.
const HALF_LIFE_DAYS: f64 = 60.0;
const DAY_S: f64 = 86_400.0;
/// Closed alerts kept of each kind, and kinds.
const KEPT: usize = 64;
const MAX_KINDS: usize = 64;
/// Steps of Newton's method; it converges in about five.
const STEPS: usize = 20;

/// Alerts that are alike in what operators may say of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Likeness {
    zone: Option<String>,
    /// About to go outward: who lives and works on this side may do so.
    outward: bool,
    /// Radars or cameras saw it.
    scanned: bool,
}

/// What an alert claimed before anything was learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Claimed {
    like: Likeness,
    log_odds: f64,
}

impl Claimed {
    /// None for what is not about movement.
    pub(super) fn of(finding: &Finding, site: &Site) -> Option<Self> {
        let evidence = finding.evidence?;
        let like = Likeness {
            zone: finding.zone.clone(),
            outward: evidence.is_about_to_go_outward(),
            scanned: evidence.is_scanned(),
        };
        Some(Self { like, log_odds: evidence.log_odds(&site.rules.confidence_weights) })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Said {
    at: Timestamp,
    log_odds: f64,
    real: bool,
}

/// One kind of alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kind {
    like: Likeness,
    said: VecDeque<Said>,
}

/// What was said of the alerts of each kind, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Learned(Vec<Kind>);

/// What operators said of alerts like one, and the shift of its log-odds that follows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Lesson {
    pub(crate) shift: f64,
    /// Alerts like it that were closed with a reason, and those of them that were real.
    pub(crate) judged: usize,
    pub(crate) real: usize,
}

impl Learned {
    /// Takes an operator's reason for closing an alert that claimed so much. An exercise says nothing about what is real.
    pub(super) fn note(&mut self, claimed: Claimed, reason: CloseReason, now: Timestamp) {
        let Some(real) = reason.says_real() else { return };
        let Claimed { like, log_odds } = claimed;
        // The kind that was spoken of last stands last.
        let known = self.0.iter().position(|kind| kind.like == like).map(|place| self.0.remove(place));
        let mut kind = known.unwrap_or_else(|| Kind { like, said: VecDeque::new() });
        if kind.said.len() == KEPT {
            kind.said.pop_front();
        }
        kind.said.push_back(Said { at: now, log_odds, real });
        if self.0.len() == MAX_KINDS {
            self.0.remove(0);
        }
        self.0.push(kind);
    }

    /// Forgets what was said of an alert then: somebody has corrected it.
    pub(super) fn take_back(&mut self, claimed: &Claimed, reason: CloseReason, at: Timestamp) {
        let Some(real) = reason.says_real() else { return };
        let Some(kind) = self.0.iter_mut().find(|kind| kind.like == claimed.like) else { return };
        let said = Said { at, log_odds: claimed.log_odds, real };
        if let Some(place) = kind.said.iter().rposition(|known| *known == said) {
            kind.said.remove(place);
        }
        self.0.retain(|kind| !kind.said.is_empty());
    }

    /// What was said of alerts like this one.
    pub(super) fn of(&self, claimed: &Claimed, now: Timestamp) -> Lesson {
        let Some(kind) = self.0.iter().find(|kind| kind.like == claimed.like) else { return Lesson::default() };
        let real = kind.said.iter().filter(|said| said.real).count();
        Lesson { shift: kind.shift(now), judged: kind.said.len(), real }
    }
}

impl Kind {
    /// The likeliest shift of the log-odds, by Newton's method; the logarithm of its probability is concave.
    fn shift(&self, now: Timestamp) -> f64 {
        let weight = |said: &Said| libm::exp2(-now.seconds_since(said.at).max(0.0) / (HALF_LIFE_DAYS * DAY_S));
        let weighed: Vec<(f64, &Said)> = self.said.iter().map(|said| (weight(said), said)).collect();
        let mut shift = 0.0_f64;
        for _ in 0..STEPS {
            let (mut slope, mut curvature) = (-shift / PRIOR_VARIANCE, 1.0 / PRIOR_VARIANCE);
            for (weight, said) in &weighed {
                let probability = Evidence::probability(said.log_odds + shift);
                slope += weight * (f64::from(u8::from(said.real)) - probability);
                curvature += weight * probability * (1.0 - probability);
            }
            let step = (slope / curvature).clamp(-1.0, 1.0);
            shift += step;
            if step.abs() < 1e-6 {
                break;
            }
        }
        shift.clamp(-SHIFT_MAX, SHIFT_MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEGAN: Timestamp = Timestamp::from_seconds(1_772_323_200);

    fn like(zone: &str) -> Likeness {
        Likeness { zone: Some(zone.to_owned()), outward: true, scanned: true }
    }

    fn learned(said: &[(f64, bool)]) -> Learned {
        let mut learned = Learned::default();
        for &(log_odds, real) in said {
            let reason = if real { CloseReason::Real } else { CloseReason::Nuisance };
            learned.note(Claimed { like: like("line"), log_odds }, reason, BEGAN);
        }
        learned
    }

    fn lesson(learned: &Learned, zone: &str, after_days: f64) -> Lesson {
        let now = BEGAN.plus_seconds(after_days * DAY_S);
        learned.of(&Claimed { like: like(zone), log_odds: 0.0 }, now)
    }

    #[test]
    fn a_site_where_few_are_real_claims_less_and_only_there() {
        let learned = learned(&[(0.2, false); 12]);
        let here = lesson(&learned, "line", 0.0);
        assert!((-SHIFT_MAX..-0.8).contains(&here.shift) && (here.judged, here.real) == (12, 0), "{here:?}");
        assert_eq!(lesson(&learned, "elsewhere", 0.0), Lesson::default());
        // Nobody says anything any more, for nobody is told: the kind comes back.
        let later = lesson(&learned, "line", 300.0);
        assert!(later.shift.abs() < 0.6 * here.shift.abs(), "{here:?} {later:?}");
    }

    #[test]
    fn what_came_true_as_often_as_it_claimed_changes_nothing() {
        let said: Vec<(f64, bool)> = (0..40).map(|index| (0.0, index % 2 == 0)).collect();
        assert!(lesson(&learned(&said), "line", 0.0).shift.abs() < 1e-6);
        let mut exercises = Learned::default();
        exercises.note(Claimed { like: like("line"), log_odds: 3.0 }, CloseReason::Exercise, BEGAN);
        assert_eq!(exercises, Learned::default());
    }

    #[test]
    fn memory_is_bounded_and_the_kinds_spoken_of_last_stay() {
        let mut learned = Learned::default();
        for index in 0..10 * MAX_KINDS {
            let like = like(&format!("zone-{}", index % (2 * MAX_KINDS)));
            learned.note(Claimed { like, log_odds: 0.0 }, CloseReason::False, BEGAN);
        }
        assert!(learned.0.len() == MAX_KINDS && learned.0.iter().all(|kind| kind.said.len() <= KEPT));
        assert!(lesson(&learned, &format!("zone-{}", 2 * MAX_KINDS - 1), 0.0).judged > 0);
    }

    proptest! {
        #[test]
        fn the_shift_is_bounded_and_leans_to_what_was_said(
            said in proptest::collection::vec((-6.0_f64..6.0, any::<bool>()), 0..100),
        ) {
            let shift = lesson(&learned(&said), "line", 0.0).shift;
            prop_assert!(shift.abs() <= SHIFT_MAX);
            if !said.is_empty() && said.iter().all(|(_, real)| *real) {
                prop_assert!(shift >= 0.0);
            }
            if !said.is_empty() && said.iter().all(|(_, real)| !*real) {
                prop_assert!(shift <= 0.0);
            }
        }
    }
}

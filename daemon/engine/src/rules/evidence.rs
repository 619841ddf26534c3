//! How sure an alert about movement is: what bears it out, weighed as it turned out to matter.
//!
//! A rule's own probability says that the track exists and is where the rule needs it. Whether that is somebody an operator has
//! to know of depends on more: how many sensors of how many kinds say so, for how long, as what, which way, and how restless the
//! detectors are just then. These are the terms of a logistic regression; `vedette-sim reliability` fits its weights on simulated
//! scenarios and tests them on others.

use serde::{Deserialize, Serialize};
use vedette_tracker::{Contribution, SensorKind, Track};

use super::situation::never_heard;
use super::{Finding, Situation, Subject};
use crate::AlertKind;

/// Number of terms.
pub const TERMS: usize = 19;
/// Number of terms of the first configurations: a list of weights may leave out those that came later.
pub(crate) const FIRST_TERMS: usize = 16;
/// Terms that a fit gives no weight; lists of weights from before still do. Nobody is less real for being seen longer, or surer for a
/// storm among the detectors: what a fit finds there holds for its scenarios alone. The three classes say the same as each other.
pub const RETIRED: [usize; 5] = [8, 9, 10, 11, 15];
/// What the terms are, in the order of `[rules] confidence_weights`.
pub const NAMES: [&str; TERMS] = [
    "always",
    "log-odds of the rule's own probability and of what was not seen",
    "passed a line where nothing scans",
    "inside a zone",
    "no track, a tripwire alone",
    "log of the number of sensors",
    "further kinds of sensors",
    "radar or camera among them",
    "log of the minutes it was seen for",
    "probability of a person",
    "probability of an animal",
    "probability of a vehicle",
    "speed of somebody on foot",
    "outward, and not over the line yet",
    "sensors that should have seen it and did not",
    "share of detectors that are restless",
    "neither surely a person nor surely a vehicle",
    "surely one of them to radar or camera, and not about to go outward",
    "seen by bearings from one place alone",
];
/// Weights fitted on seeds 1 to 20 of every second scenario while approaches from the inner side were announced as early as others;
/// their level and what radar and camera take for a person or a vehicle anew since, with the others as they are (`vedette-sim
/// reliability --sites 0 --fit-seeds 20 --terms 0,17 --max-hours 50`); the last on 300 drawn sites (`--sites 300 --terms 18`): hardly
/// a written scenario has a camera alone. All of them fitted on drawn sites are worse on the scenarios that people wrote, where more
/// of the own walk about.
pub(crate) const FITTED: [f64; TERMS] = [
    -3.83, 1.19, -0.46, 0.0, -0.35, -1.04, 1.46, -1.91, 0.0, 0.0, 0.0, 0.0, -0.74, 0.6, -2.13, 0.0, -0.74, 5.92, -1.62,
];

/// A rule's probability is taken for no surer than this: models are never right to more digits.
const SUREST: f64 = 0.98;
/// So many reports in ten minutes make a triggered detector restless; a walker makes one or two.
const RESTLESS_FROM: u32 = 5;
/// Being seen for longer says no more.
const SEEN_MAX_S: f64 = 120.0;
/// Speeds of people on foot, metres a second.
const ON_FOOT_MPS: (f64, f64) = (0.5, 2.2);

/// The terms of one finding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence([f64; TERMS]);

impl From<[f64; TERMS]> for Evidence {
    fn from(terms: [f64; TERMS]) -> Self {
        Self(terms)
    }
}

impl Evidence {
    /// The terms; none for what is not about movement.
    pub(super) fn of(finding: &Finding, situation: &Situation<'_>) -> Option<Self> {
        if !finding.kind.is_movement() {
            return None;
        }
        let flag = |holds: bool| f64::from(u8::from(holds));
        let probability = finding.confidence.clamp(1.0 - SUREST, SUREST);
        let mut terms = [0.0; TERMS];
        terms[0] = 1.0;
        terms[1] = libm::log(probability / (1.0 - probability)) + finding.unseen;
        let is_over = matches!(finding.kind, AlertKind::Crossing | AlertKind::Returned);
        terms[2] = flag(is_over);
        terms[3] = flag(matches!(finding.kind, AlertKind::Entry | AlertKind::Loitering));
        terms[13] = flag(finding.inward == Some(false) && !is_over);
        terms[15] = restless(situation);
        let seen_s = finding.last_seen.seconds_since(finding.first_seen).clamp(0.0, SEEN_MAX_S);
        terms[8] = libm::log1p(seen_s / 60.0);
        match &finding.subject {
            Subject::Track(known) => {
                terms[9] = known.class.person;
                terms[10] = known.class.animal;
                terms[11] = known.class.vehicle;
                terms[17] = f64::max(known.class.person, known.class.vehicle);
                terms[16] = 1.0 - terms[17];
                let speed_mps = known.velocity_mps.norm();
                terms[12] = flag((ON_FOOT_MPS.0..=ON_FOOT_MPS.1).contains(&speed_mps));
                if let Some(track) = situation.tracks.iter().find(|track| track.id == known.track) {
                    [terms[5], terms[6], terms[7], terms[18]] = sensors(situation, track);
                    terms[14] = never_heard(track).take(3).map(|_| 1.0).sum();
                }
            }
            Subject::Spot { contributors, .. } => {
                terms[4] = 1.0;
                #[expect(clippy::cast_precision_loss, reason = "at most five")]
                let count = contributors.iter().filter(|part| part.share.is_some()).count().max(1) as f64;
                terms[5] = libm::log(count);
            }
            Subject::Sensor(_) | Subject::Gateway => {}
        }
        // Who is followed over the line is no less sure for having been awaited there.
        terms[2] *= 1.0 - terms[7];
        // A detector hardly tells classes apart, and who nears the line from behind may be of the own or at work.
        terms[17] *= terms[7] * (1.0 - terms[13]);
        Some(Self(terms))
    }

    /// The terms, in the order of [`NAMES`].
    #[must_use]
    pub const fn terms(&self) -> &[f64; TERMS] {
        &self.0
    }

    /// Probability that it is real.
    #[must_use]
    pub fn confidence(&self, weights: &[f64; TERMS]) -> f64 {
        Self::probability(self.log_odds(weights))
    }

    /// Logarithm of the odds that it is real.
    pub(crate) fn log_odds(&self, weights: &[f64; TERMS]) -> f64 {
        self.0.iter().zip(weights).map(|(term, weight)| term * weight).sum()
    }

    pub(crate) fn probability(log_odds: f64) -> f64 {
        1.0 / (1.0 + libm::exp(-log_odds))
    }

    pub(crate) fn is_about_to_go_outward(&self) -> bool {
        self.0[13] > 0.0
    }

    /// Whether a radar or a camera saw it.
    pub(crate) fn is_scanned(&self) -> bool {
        self.0[7] > 0.0
    }
}

/// Logarithm of the number of sensors that saw the track, kinds beyond the first, whether one of them scans, and whether all that is
/// known of its range is how fast it goes past one that measures bearings.
fn sensors(situation: &Situation<'_>, track: &Track) -> [f64; 4] {
    let saw: Vec<(SensorKind, &Contribution)> = track
        .contributions
        .iter()
        .filter(|part| part.detections >= 0.5)
        .filter_map(|part| Some((situation.site.sensors.get(part.sensor)?.model.kind, part)))
        .collect();
    let scans = |kind: SensorKind| !matches!(kind, SensorKind::Pir | SensorKind::Seismic | SensorKind::Tripwire);
    let is_further = |index: usize| saw[..index].iter().all(|before| before.0 != saw[index].0);
    let kinds = (0..saw.len()).filter(|&index| is_further(index)).count();
    let scanning: Vec<&Contribution> = saw.iter().filter(|(kind, _)| scans(*kind)).map(|(_, part)| *part).collect();
    let from_one_place = matches!(&scanning[..], [part] if part.innovation.len() == 1);
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let (count, further) = (saw.len().max(1) as f64, kinds.saturating_sub(1) as f64);
    let flag = |holds: bool| f64::from(u8::from(holds));
    [libm::log(count), further, flag(!scanning.is_empty()), flag(from_one_place)]
}

/// Share of the triggered detectors that report more often than anybody who passes makes them.
fn restless(situation: &Situation<'_>) -> f64 {
    let (mut all, mut restless) = (0_u32, 0_u32);
    for (sensor, status) in situation.site.sensors.iter().zip(situation.sensors) {
        if matches!(sensor.model.kind, SensorKind::Pir | SensorKind::Seismic | SensorKind::Tripwire) {
            all += 1;
            restless += u32::from(status.pace.in_ten_minutes(situation.now) >= RESTLESS_FROM);
        }
    }
    if all == 0 { 0.0 } else { f64::from(restless) / f64::from(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_turn_terms_into_a_probability() {
        let mut terms = [0.0; TERMS];
        terms[0] = 1.0;
        terms[5] = 2.0;
        let mut weights = [0.0; TERMS];
        weights[0] = -1.0;
        weights[5] = 0.5;
        assert!((Evidence(terms).confidence(&weights) - 0.5).abs() < 1e-12);
        weights[5] = 2.0;
        assert!((Evidence(terms).confidence(&weights) - 1.0 / (1.0 + libm::exp(-3.0))).abs() < 1e-12);
    }
}

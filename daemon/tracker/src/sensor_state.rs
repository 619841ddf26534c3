//! What is learned of a sensor while running: how well it really sees, how often it is wrong, where it stands.
//!
//! A filter that trusts its constants fails on real sensors, so the configured detection probability and clutter are
//! only where the estimates start: conjugate (beta and gamma) counts that forget exponentially.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::clock_offset::ClockOffset;
use crate::detection::{Measurement, Scan};
use crate::hint::Reliability;
use crate::noise::NoiseRatio;
use crate::sensor::{Clutter, SensorModel};
use crate::strength::Strengths;
use crate::time::Timestamp;

/// Looks that the configured detection probability is worth: a guess, which soon gives way where it is far off ..
const DETECTION_PRIOR: f64 = 50.0;
/// .. and looks that are remembered.
const LOOKS_REMEMBERED: f64 = 200.0;

/// Scans that the configured clutter is worth.
const CLUTTER_PRIOR_SCANS: f64 = 50.0;

/// A scan is absent when the next is this many periods after the last.
const ABSENT_AFTER_PERIODS: f64 = 1.5;

/// Part of a long delay that is still reckoned with after each scan that came sooner.
const LATENESS_KEPT: f64 = 0.95;

/// A sensor is dead when so many false plots were to be expected and none came.
const DEAD_AFTER_FALSE_PLOTS: f64 = 8.0;
const SMALLEST_CLUTTER: f64 = 0.01;

/// Events are remembered so long.
const EVENTS_REMEMBERED_S: f64 = 600.0;
/// A detector that reports more of them within that time is no witness: some people who pass it make fewer.
const MOST_OF_A_WITNESS: f64 = 10.0;
/// So many of those that others deny may be people whom they cannot see.
const MOST_DENIED: f64 = 15.0;

/// What is known of one sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SensorState {
    /// Where it stands now.
    pub(crate) origin_m: Vector2<f64>,
    /// Time of its last scan.
    pub(crate) last_scan: Option<Timestamp>,
    /// Time of its last report of an event.
    fired: Option<Timestamp>,
    /// When the next scan, if none arrives, counts as one that saw nothing.
    pub(crate) absent_at: Option<Timestamp>,
    /// Scans in a row that were counted so.
    absent: u32,
    /// How far its scans came behind others lately: so long none can be told to be absent.
    #[serde(default)]
    late_s: f64,
    hits: f64,
    chances: f64,
    false_plots: f64,
    scans: f64,
    /// Its events, as far as they are remembered at the time of the last, and those of them that others deny.
    #[serde(default)]
    events: f64,
    #[serde(default)]
    denied: f64,
    #[serde(default)]
    last_event: Option<Timestamp>,
    /// What its object numbers are worth.
    #[serde(default)]
    pub(crate) numbering: Reliability,
    /// How far its clock is ahead.
    #[serde(default)]
    pub(crate) clock: ClockOffset,
    /// How large its errors are.
    #[serde(default)]
    pub(crate) noise: NoiseRatio,
    /// How strong its last reports were.
    #[serde(default)]
    pub(crate) strengths: Strengths,
}

/// What has been learned of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorEstimate {
    /// Probability of detection, where the sensor sees as it usually does.
    pub detection_probability: f64,
    /// False plots in a scan, or in a second for a sensor that reports events.
    pub clutter: f64,
    /// How far its clock is ahead of what the sensors' clocks have in common, seconds.
    pub clock_offset_s: f64,
    /// Standard deviation of that; that of the prior while nothing is known.
    pub clock_offset_sd_s: f64,
    /// Standard deviation of the errors of its positions, or ranges and bearings, as a multiple of what is configured.
    #[serde(default = "as_configured")]
    pub position_sd_ratio: f64,
}

const fn as_configured() -> f64 {
    1.0
}

impl SensorState {
    pub(crate) fn new(model: &SensorModel) -> Self {
        let clutter = match model.clutter {
            Clutter::PerScan(count) => count,
            Clutter::PerHour(count) => count / 3600.0,
        };
        Self {
            origin_m: model.position_m,
            last_scan: None,
            fired: None,
            absent_at: None,
            absent: 0,
            late_s: 0.0,
            hits: DETECTION_PRIOR * model.detection_probability,
            chances: DETECTION_PRIOR,
            false_plots: CLUTTER_PRIOR_SCANS * clutter,
            scans: CLUTTER_PRIOR_SCANS,
            events: 0.0,
            denied: 0.0,
            last_event: None,
            numbering: Reliability::default(),
            clock: ClockOffset::default(),
            noise: NoiseRatio::default(),
            strengths: Strengths::default(),
        }
    }

    /// Probability of detection, as configured and as seen since.
    pub(crate) fn detection_probability(&self) -> f64 {
        (self.hits / self.chances).clamp(0.01, 0.999)
    }

    /// False plots in a scan, or in a second for a sensor that reports events.
    pub(crate) fn clutter(&self, now: Timestamp) -> f64 {
        let beyond = (self.denied * self.remembered(now) - MOST_DENIED).max(0.0);
        self.false_plots / self.scans + beyond / EVENTS_REMEMBERED_S
    }

    /// Whether a sensor of events reports so seldom that somebody may be behind each of them.
    pub(crate) fn is_witness(&self, now: Timestamp) -> bool {
        self.events * self.remembered(now) <= MOST_OF_A_WITNESS
    }

    /// Part of the events up to the last that is still remembered.
    fn remembered(&self, now: Timestamp) -> f64 {
        let passed_s = self.last_event.map_or(0.0, |last| now.seconds_since(last).max(0.0));
        libm::exp(-passed_s / EVENTS_REMEMBERED_S)
    }

    /// Notes an event, and the probability that it is denied by a sensor that should have seen its object. A detector that
    /// fires on and on where nobody else sees anybody is broken: what it says counts for ever less, and for more again as
    /// time passes.
    pub(crate) fn note_event(&mut self, time: Timestamp, denied: f64) {
        let remembered = self.remembered(time);
        self.events = self.events * remembered + 1.0;
        self.denied = self.denied * remembered + denied;
        self.last_event = self.last_event.max(Some(time));
    }

    /// All that for others to see.
    pub(crate) fn estimate(&self, now: Timestamp) -> SensorEstimate {
        SensorEstimate {
            detection_probability: self.detection_probability(),
            clutter: self.clutter(now),
            clock_offset_s: self.clock.mean_s(),
            clock_offset_sd_s: self.clock.sd_s(),
            position_sd_ratio: self.noise.sd(),
        }
    }

    /// Whether a sensor of events could have reported in the second before `at`.
    pub(crate) fn is_armed(&self, model: &SensorModel, at: Timestamp) -> bool {
        self.fired.is_none_or(|fired| at.seconds_since(fired) >= model.rearm_s)
    }

    /// Notes a scan that arrived.
    pub(crate) fn note_scan(&mut self, model: &SensorModel, time: Timestamp, reports_event: bool) {
        self.last_scan = self.last_scan.max(Some(time));
        if reports_event {
            self.fired = self.fired.max(Some(time));
        }
        self.absent = 0;
        if let Some(period_s) = model.scan_period_s.filter(|_| !model.reports_empty_scans) {
            let due = time.plus_seconds(ABSENT_AFTER_PERIODS * period_s + self.late_s);
            self.absent_at = self.absent_at.max(Some(due));
        }
    }

    /// Notes how strong the reports of a scan were.
    pub(crate) fn note_strengths(&mut self, scan: &Scan) {
        for detection in &scan.detections {
            if let Measurement::Presence { strength: Some(strength) } = detection.measurement {
                self.strengths.note(strength);
            }
        }
    }

    /// Notes by how much a scan came behind the newest of all sensors.
    pub(crate) fn note_delay(&mut self, delay_s: f64) {
        self.late_s = delay_s.max(self.late_s * LATENESS_KEPT);
    }

    /// Notes that no scan arrived. A sensor that says nothing for much longer than its own false plots should take
    /// is taken for dead, not for blind.
    pub(crate) fn note_absent(&mut self, model: &SensorModel, time: Timestamp) {
        self.absent = self.absent.saturating_add(1);
        let alive = f64::from(self.absent) * self.clutter(time).max(SMALLEST_CLUTTER) < DEAD_AFTER_FALSE_PLOTS;
        self.absent_at = model.scan_period_s.filter(|_| alive).map(|period_s| time.plus_seconds(period_s));
    }

    /// Counts one scan: `chances` objects were surely there, `hits` of them were seen, `false_plots` were nobody's.
    pub(crate) fn learn(&mut self, hits: f64, chances: f64, false_plots: f64) {
        let keep = (LOOKS_REMEMBERED / (self.chances + chances)).min(1.0);
        self.hits = keep * (self.hits + hits);
        self.chances = keep * (self.chances + chances);
        let keep = CLUTTER_PRIOR_SCANS / (CLUTTER_PRIOR_SCANS + 1.0);
        self.false_plots = keep * (self.false_plots + false_plots);
        self.scans = keep * (self.scans + 1.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measure::fixture::sensor;
    use crate::sensor::{Coverage, SensorKind};

    fn told(detection_probability: f64) -> SensorState {
        let radar = sensor(SensorKind::Radar, Coverage::Circle { radius_m: 500.0 });
        SensorState::new(&SensorModel { detection_probability, ..radar })
    }

    #[test]
    fn a_detection_probability_that_is_far_off_is_given_up_within_some_hundred_looks() {
        let mut sensor = told(0.9);
        for _ in 0..15 {
            sensor.learn(4.0, 10.0, 0.0);
        }
        assert!((sensor.detection_probability() - 0.4).abs() < 0.15, "{}", sensor.detection_probability());
    }

    #[test]
    fn a_detector_that_others_deny_is_believed_less_until_it_is_calm_again() {
        let pir = SensorState::new(&sensor(SensorKind::Pir, Coverage::Circle { radius_m: 15.0 }));
        let at = |second: u32| Timestamp::from_seconds(i64::from(second));
        let after = |seconds: u32, denied: f64| {
            let mut pir = pir.clone();
            (0..seconds).step_by(5).for_each(|second| pir.note_event(at(second), denied));
            pir
        };
        let usual = pir.clutter(at(0));
        let is_usual = |clutter: f64| (clutter - usual).abs() < 1e-12;
        assert!(is_usual(after(60, 1.0).clutter(at(60))));
        assert!(after(300, 1.0).clutter(at(300)) > 100.0 * usual);
        assert!(after(600, 1.0).clutter(at(600)) > 0.05);
        assert!(is_usual(after(600, 1.0).clutter(at(1800))));
        assert!(is_usual(after(3600, 0.0).clutter(at(3600))));
        assert!(after(30, 0.0).is_witness(at(30)) && !after(120, 0.0).is_witness(at(120)));
        assert!(after(120, 0.0).is_witness(at(900)));
    }

    proptest! {
        #[test]
        fn no_few_looks_outweigh_what_many_have_taught(few in 1_u32..20) {
            let mut sensor = told(0.9);
            for _ in 0..100 {
                sensor.learn(9.0, 10.0, 0.0);
            }
            sensor.learn(0.0, f64::from(few), 0.0);
            prop_assert!(sensor.detection_probability() > 0.9 * (1.0 - f64::from(few) / 190.0));
        }
    }
}

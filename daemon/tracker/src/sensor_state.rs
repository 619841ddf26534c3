//! What is learned of a sensor while running: how well it really sees, how often it is wrong, where it stands.
//!
//! A filter that trusts its constants fails on real sensors, so the configured detection probability and clutter are
//! only where the estimates start: conjugate (beta and gamma) counts that forget exponentially.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::sensor::{Clutter, SensorModel};
use crate::time::Timestamp;

/// Expected detections that the configured detection probability is worth.
const DETECTION_PRIOR: f64 = 200.0;

/// Scans that the configured clutter is worth.
const CLUTTER_PRIOR_SCANS: f64 = 50.0;

/// What is known of one sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SensorState {
    /// Where it stands now.
    pub(crate) origin_m: Vector2<f64>,
    /// Time of its last scan.
    pub(crate) last_scan: Option<Timestamp>,
    hits: f64,
    chances: f64,
    false_plots: f64,
    scans: f64,
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
            hits: DETECTION_PRIOR * model.detection_probability,
            chances: DETECTION_PRIOR,
            false_plots: CLUTTER_PRIOR_SCANS * clutter,
            scans: CLUTTER_PRIOR_SCANS,
        }
    }

    /// Probability of detection, as configured and as seen since.
    pub(crate) fn detection_probability(&self) -> f64 {
        (self.hits / self.chances).clamp(0.01, 0.999)
    }

    /// False plots in a scan, or in a second for a sensor that reports events.
    pub(crate) fn clutter(&self) -> f64 {
        self.false_plots / self.scans
    }

    /// Counts one scan: `chances` objects were surely there, `hits` of them were seen, `false_plots` were nobody's.
    pub(crate) fn learn(&mut self, hits: f64, chances: f64, false_plots: f64) {
        let keep = (DETECTION_PRIOR / (DETECTION_PRIOR + chances)).min(1.0);
        self.hits = keep * (self.hits + hits);
        self.chances = keep * (self.chances + chances);
        let keep = CLUTTER_PRIOR_SCANS / (CLUTTER_PRIOR_SCANS + 1.0);
        self.false_plots = keep * (self.false_plots + false_plots);
        self.scans = keep * (self.scans + 1.0);
    }
}

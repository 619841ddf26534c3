//! The part of the ground that a late scan concerns.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::detection::{Measurement, Pose, Scan};
use crate::sensor::SensorModel;

/// A box on the ground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Region {
    low_m: Vector2<f64>,
    high_m: Vector2<f64>,
}

/// How far around a plot its object and those it could be confused with may be.
const AROUND_PLOT_M: f64 = 60.0;

/// Faster than this nobody comes in from outside the region while it is filtered again.
const FASTEST_MPS: f64 = 10.0;

impl Region {
    /// What `scan` says something about: the surroundings of its plots, or all its coverage when a plot has no place
    /// or there is none.
    pub(crate) fn of(scan: &Scan, model: &SensorModel) -> Self {
        let origin = scan.at.map_or(model.position_m, |pose: Pose| pose.position_m);
        let coverage = model.coverage.bounds_m(origin);
        let everywhere = Self { low_m: coverage.0, high_m: coverage.1 }.grown(AROUND_PLOT_M);
        let mut around: Option<Self> = None;
        for detection in &scan.detections {
            let Measurement::Position { position_m, .. } = detection.measurement else { return everywhere };
            let own = Self { low_m: position_m, high_m: position_m }.grown(AROUND_PLOT_M);
            around = Some(around.map_or(own, |so_far| so_far.joined(&own)));
        }
        around.unwrap_or(everywhere)
    }

    /// The region from which objects may come in within `interval_s`.
    pub(crate) fn within_reach(&self, interval_s: f64) -> Self {
        self.grown(FASTEST_MPS * interval_s + AROUND_PLOT_M)
    }

    pub(crate) fn holds(&self, point: Vector2<f64>) -> bool {
        point.x >= self.low_m.x && point.y >= self.low_m.y && point.x <= self.high_m.x && point.y <= self.high_m.y
    }

    fn grown(&self, margin_m: f64) -> Self {
        Self { low_m: self.low_m.add_scalar(-margin_m), high_m: self.high_m.add_scalar(margin_m) }
    }

    pub(crate) fn joined(&self, other: &Self) -> Self {
        Self { low_m: self.low_m.inf(&other.low_m), high_m: self.high_m.sup(&other.high_m) }
    }
}

//! Rectangles on the ground, along the axes.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

/// The corners south-west and north-east, metres in the site frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rectangle {
    pub(crate) low_m: Vector2<f64>,
    pub(crate) high_m: Vector2<f64>,
}

impl Rectangle {
    pub(crate) fn holds(&self, point: Vector2<f64>) -> bool {
        point.x >= self.low_m.x && point.y >= self.low_m.y && point.x <= self.high_m.x && point.y <= self.high_m.y
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.low_m.x <= other.high_m.x
            && self.low_m.y <= other.high_m.y
            && other.low_m.x <= self.high_m.x
            && other.low_m.y <= self.high_m.y
    }

    /// By a margin on each side; a negative one shrinks.
    pub(crate) fn grown(&self, margin_m: f64) -> Self {
        Self { low_m: self.low_m.add_scalar(-margin_m), high_m: self.high_m.add_scalar(margin_m) }
    }

    pub(crate) fn joined(&self, other: &Self) -> Self {
        Self { low_m: self.low_m.inf(&other.low_m), high_m: self.high_m.sup(&other.high_m) }
    }
}

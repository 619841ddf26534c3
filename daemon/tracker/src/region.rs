//! The parts of the ground that a late scan concerns.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::angle::towards;
use crate::detection::{Measurement, Scan};
use crate::rectangle::Rectangle;
use crate::sensor::SensorModel;

/// Boxes on the ground; none overlap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Region {
    boxes: Vec<Rectangle>,
}

/// How far around a plot its object and those it could be confused with may be.
const AROUND_PLOT_M: f64 = 60.0;

/// Faster than this nobody comes in from outside the region while it is filtered again.
const FASTEST_MPS: f64 = 10.0;

/// More boxes than this become one: each track is held against each of them.
const MOST_BOXES: usize = 64;

impl Region {
    /// What `scan` of a sensor at `origin_m` says something about: the surroundings of its plots, or all its coverage
    /// when a plot has no place or there is none.
    pub(crate) fn of(scan: &Scan, model: &SensorModel, origin_m: Vector2<f64>) -> Self {
        let place = |measurement: &Measurement| match measurement {
            Measurement::Position { position_m, .. } => Some(*position_m),
            Measurement::RangeBearing { range_m, azimuth_rad, .. } => Some(origin_m + towards(*azimuth_rad) * *range_m),
            _ => None,
        };
        let places: Option<Vec<_>> = scan.detections.iter().map(|detection| place(&detection.measurement)).collect();
        let (low_m, high_m) = model.coverage.bounds_m(origin_m);
        match places {
            Some(places) if !places.is_empty() => {
                Self::apart(places.iter().map(|place| Rectangle { low_m: *place, high_m: *place }.grown(AROUND_PLOT_M)))
            }
            _ => Self::apart([Rectangle { low_m, high_m }.grown(AROUND_PLOT_M)]),
        }
    }

    /// The region from which objects may come in within `interval_s`.
    pub(crate) fn within_reach(&self, interval_s: f64) -> Self {
        let margin_m = FASTEST_MPS * interval_s + AROUND_PLOT_M;
        Self::apart(self.boxes.iter().map(|part| part.grown(margin_m)))
    }

    pub(crate) fn holds(&self, point: Vector2<f64>) -> bool {
        self.boxes.iter().any(|part| part.holds(point))
    }

    pub(crate) fn joined(&self, other: Self) -> Self {
        Self::apart(self.boxes.iter().copied().chain(other.boxes))
    }

    /// The boxes with those that overlap joined, and all of them when they are too many.
    fn apart(parts: impl IntoIterator<Item = Rectangle>) -> Self {
        let mut boxes: Vec<Rectangle> = Vec::new();
        for mut part in parts {
            while let Some(place) = boxes.iter().position(|other| other.overlaps(&part)) {
                part = part.joined(&boxes.swap_remove(place));
            }
            boxes.push(part);
            if boxes.len() > MOST_BOXES
                && let Some(all) = boxes.drain(..).reduce(|all, part| all.joined(&part))
            {
                boxes.push(all);
            }
        }
        Self { boxes }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn around(places: &[(f64, f64)]) -> Region {
        let point = |(east_m, north_m): &(f64, f64)| Vector2::new(*east_m, *north_m);
        Region::apart(places.iter().map(|place| Rectangle { low_m: point(place), high_m: point(place) }.grown(10.0)))
    }

    #[test]
    fn what_lies_between_two_distant_plots_is_left_alone() {
        let region = around(&[(0.0, 0.0), (500.0, 500.0)]);
        assert!(region.holds(Vector2::new(505.0, 495.0)));
        assert!(!region.holds(Vector2::new(250.0, 250.0)));
    }

    proptest! {
        /// Whatever is joined: each place is held, no two boxes overlap, and there are few.
        #[test]
        fn boxes_stay_apart_and_few(places in prop::collection::vec((0.0..900.0_f64, 0.0..900.0_f64), 1..80)) {
            let region = around(&places).joined(around(&places[..1]));
            prop_assert!(region.boxes.len() <= MOST_BOXES);
            for (place, part) in region.boxes.iter().enumerate() {
                prop_assert!(region.boxes[..place].iter().all(|other| !other.overlaps(part)));
            }
            for (east_m, north_m) in places {
                prop_assert!(region.holds(Vector2::new(east_m, north_m)));
            }
        }
    }
}

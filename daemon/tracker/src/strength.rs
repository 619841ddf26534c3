//! How strong a report was, by the measure of its own sensor: the stronger, the nearer.
//!
//! Strengths come in each sensor's own units, and how they fall with distance depends on the soil and on who walks. So only the
//! standing of a report among the sensor's last ones is used: were those who are reported spread evenly over a footprint of
//! radius `R`, the part `u` of weaker reports would come from beyond `R √(1 - u)`. The density of being at a place inside is a
//! Gaussian of the distance around that, mixed with "anywhere inside".

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::sensor::Coverage;

/// Reports that are remembered, and how many it takes to say anything.
const REMEMBERED: usize = 64;
const FEWEST: usize = 12;

/// Standard deviation of the distance that a standing means, as a part of the radius.
const DISTANCE_SD: f64 = 0.3;

/// Reports whose strength says nothing: another kind of walker, a gust, a stone.
const TELLS_NOTHING: f64 = 0.4;

/// The strengths of a sensor's last reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Strengths(VecDeque<f64>);

impl Strengths {
    pub(crate) fn note(&mut self, strength: f64) {
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(strength);
    }

    /// Part of the last reports that were weaker, when there are enough of them and they differ.
    fn standing(&self, strength: f64) -> Option<f64> {
        let count =
            |is: fn(&f64, &f64) -> bool| self.0.iter().filter(|other| is(other, &strength)).fold(0.0, |n, _| n + 1.0);
        let (weaker, equal, all) = (count(f64::lt), count(f64::eq), count(|_, _| true));
        (self.0.len() >= FEWEST && equal < all).then(|| (weaker + 0.5 * equal + 0.5) / (all + 1.0))
    }

    /// What a report of this strength says about the distance, in a round footprint.
    pub(crate) fn nearness(&self, strength: f64, coverage: &Coverage) -> Option<Nearness> {
        let radius_m = match coverage {
            Coverage::Circle { radius_m } => *radius_m,
            Coverage::Sector { range_m, .. } => *range_m,
            Coverage::Polygon { .. } | Coverage::Line { .. } => return None,
        };
        Some(Nearness::new(radius_m, libm::sqrt(1.0 - self.standing(strength)?)))
    }
}

/// How likely places inside a footprint are, by their distance from the sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Nearness {
    radius_m: f64,
    /// Likeliest distance, as a part of the radius.
    distance: f64,
    /// One over the Gaussian's mean over the disc.
    scale: f64,
}

impl Nearness {
    fn new(radius_m: f64, distance: f64) -> Self {
        const RINGS: u32 = 16;
        let ring = |number: u32| (f64::from(number) + 0.5) / f64::from(RINGS);
        let mean: f64 = (0..RINGS).map(ring).map(|at| 2.0 * at * bell(at - distance)).sum::<f64>() / f64::from(RINGS);
        Self { radius_m, distance, scale: 1.0 / mean }
    }

    /// Density relative to that of "anywhere inside": its mean over the disc is one.
    pub(crate) fn at(&self, range_m: f64) -> f64 {
        TELLS_NOTHING + (1.0 - TELLS_NOTHING) * self.scale * bell(range_m / self.radius_m - self.distance)
    }
}

fn bell(offset: f64) -> f64 {
    libm::exp(-0.5 * offset * offset / (DISTANCE_SD * DISTANCE_SD))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FOOTPRINT: Coverage = Coverage::Circle { radius_m: 20.0 };

    fn heard(strengths: impl IntoIterator<Item = f64>) -> Strengths {
        let mut heard = Strengths::default();
        strengths.into_iter().for_each(|strength| heard.note(strength));
        heard
    }

    #[test]
    fn a_strong_report_is_near_and_a_weak_one_far() {
        let heard = heard((0..40).map(f64::from));
        let (strong, weak) = (heard.nearness(39.0, &FOOTPRINT).unwrap(), heard.nearness(0.0, &FOOTPRINT).unwrap());
        assert!(strong.at(1.0) > 2.0 * strong.at(18.0));
        assert!(weak.at(18.0) > 2.0 * weak.at(1.0));
    }

    #[test]
    fn few_reports_or_equal_ones_say_nothing() {
        assert_eq!(heard((0..5).map(f64::from)).nearness(4.0, &FOOTPRINT), None);
        assert_eq!(heard([1.0; 40]).nearness(1.0, &FOOTPRINT), None);
        let polygon = Coverage::Polygon { points_m: vec![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]] };
        assert_eq!(heard((0..40).map(f64::from)).nearness(4.0, &polygon), None);
    }

    proptest! {
        /// In whatever units, however they are spread; and a report stays worth one report.
        #[test]
        fn only_the_order_counts_and_the_mean_is_one(
            strengths in prop::collection::vec(0.01..100.0_f64, 20..60), asked in 0.01..100.0_f64,
        ) {
            let raw = heard(strengths.iter().copied()).nearness(asked, &FOOTPRINT);
            let decibels = |strength: &f64| 20.0 * libm::log10(*strength);
            let in_decibels = heard(strengths.iter().map(decibels)).nearness(decibels(&asked), &FOOTPRINT);
            prop_assert_eq!(raw, in_decibels);
            let nearness = raw.unwrap();
            let rings = 200;
            let at = |ring: i32| (f64::from(ring) + 0.5) / f64::from(rings);
            let mean: f64 = (0..rings).map(|ring| 2.0 * at(ring) * nearness.at(20.0 * at(ring))).sum::<f64>() / f64::from(rings);
            prop_assert!((mean - 1.0).abs() < 0.01, "{}", mean);
        }
    }
}

//! Objects larger than a sensor's resolution: one object, several plots.
//!
//! Each object gives at most one plot in the filter's model. The further returns of a large object (stern and bow of a
//! boat, the trailer of a lorry) are accounted for as clutter that the object brings along: a Gaussian intensity
//! around a confirmed track, which makes those plots less likely to begin a track of their own, or to lead a younger
//! track astray. A plot that agrees with a second object is still taken by it.

use std::collections::BTreeMap;

use nalgebra::Vector2;

use crate::bernoulli::Bernoulli;
use crate::cluster::Forest;
use crate::config::TrackerConfig;
use crate::detection::{Detection, Measurement};
use crate::gaussian::Gaussian;
use crate::measure::Plot;
use crate::sweep::close_pairs;

/// What a plot that may well be a further return of another object says about a second one, compared to a plot in the
/// open.
pub(crate) const NEWS_IN_SHADOW: f64 = 0.05;

/// Where further returns of one object come from.
pub(crate) struct FurtherReturns {
    /// The object's place, as wide as it is itself.
    pub(crate) spread: Gaussian,
    count: f64,
}

impl FurtherReturns {
    /// Those of a track; none of what may not be an object, or where objects give one plot.
    pub(crate) fn of(config: &TrackerConfig, track: &Bernoulli) -> Option<Self> {
        let extent_m = config.object_extent_m;
        if !track.confirmed || extent_m <= 0.0 {
            return None;
        }
        let mut spread = track.moments();
        spread.covariance[(0, 0)] += extent_m * extent_m;
        spread.covariance[(1, 1)] += extent_m * extent_m;
        Some(Self { spread, count: track.existence * config.further_returns })
    }

    /// Density of the plot as one of them; zero for plots without a place.
    pub(crate) fn density(&self, plot: &Plot<'_>) -> f64 {
        let placed = matches!(plot.measurement, Measurement::Position { .. } | Measurement::RangeBearing { .. });
        if placed { self.count * plot.likelihood(&self.spread) } else { 0.0 }
    }
}

/// Joins the positions of one scan that are nearer to each other than `within_m`, in chains, into their means.
pub(crate) fn joined(detections: &[Detection], within_m: f64) -> Vec<Detection> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (member, leader) in leaders(detections, within_m).into_iter().enumerate() {
        groups.entry(leader).or_default().push(member);
    }
    let mean = |(leader, members): (usize, Vec<usize>)| {
        let mut joined = detections[leader];
        if let Measurement::Position { position_m, .. } = &mut joined.measurement {
            let places = members.iter().filter_map(|member| place(&detections[*member]));
            let (count, sum) = places.fold((0.0, Vector2::zeros()), |(count, sum), place| (count + 1.0, sum + place));
            *position_m = sum / count;
        }
        if members.iter().any(|member| detections[*member].object != joined.object) {
            joined.object = None;
        }
        joined
    };
    groups.into_iter().map(mean).collect()
}

/// For each detection the first of its chain.
fn leaders(detections: &[Detection], within_m: f64) -> Vec<usize> {
    let placed = detections.iter().enumerate().filter_map(|(number, detection)| Some((number, place(detection)?)));
    let (numbers, places): (Vec<usize>, Vec<Vector2<f64>>) = placed.unzip();
    let mut chains = Forest::new(detections.len());
    close_pairs(&places, within_m).into_iter().for_each(|(a, b)| chains.join(numbers[a], numbers[b]));
    (0..detections.len()).map(|member| chains.root(member)).collect()
}

fn place(detection: &Detection) -> Option<Vector2<f64>> {
    match detection.measurement {
        Measurement::Position { position_m, .. } => Some(position_m),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::Matrix2;
    use proptest::prelude::*;

    use super::*;

    fn plot(east_m: f64) -> Detection {
        let measurement =
            Measurement::Position { position_m: Vector2::new(east_m, 0.0), covariance_m2: Matrix2::identity() };
        Detection { measurement, class: None, confidence: None, object: None }
    }

    fn east_of(detection: &Detection) -> f64 {
        match detection.measurement {
            Measurement::Position { position_m, .. } => position_m.x,
            _ => f64::NAN,
        }
    }

    #[test]
    fn neighbours_become_their_mean_and_the_rest_stays() {
        let joined = joined(&[plot(0.0), plot(30.0), plot(6.0), plot(12.0)], 8.0);
        let places: Vec<f64> = joined.iter().map(east_of).collect();
        assert_eq!(places, [6.0, 30.0]);
    }

    #[test]
    fn bearings_are_never_joined() {
        let bearing = Detection {
            measurement: Measurement::Bearing { azimuth_rad: 0.1, azimuth_sd_rad: 0.01 },
            class: None,
            confidence: None,
            object: None,
        };
        assert_eq!(joined(&[bearing, bearing], 8.0).len(), 2);
    }

    proptest! {
        #[test]
        fn joined_plots_are_apart_in_number_and_keep_the_bounds(
            places in prop::collection::vec(-100.0..100.0_f64, 0..12), within_m in 0.1..30.0_f64,
        ) {
            let plots: Vec<Detection> = places.iter().map(|place| plot(*place)).collect();
            let joined = joined(&plots, within_m);
            prop_assert!(joined.len() <= plots.len());
            prop_assert_eq!(joined.is_empty(), plots.is_empty());
            let low = places.iter().copied().fold(f64::INFINITY, f64::min);
            let high = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for detection in &joined {
                prop_assert!(east_of(detection) >= low - 1e-9 && east_of(detection) <= high + 1e-9);
            }
            // On a line, chains end exactly at the gaps.
            let mut sorted = places.clone();
            sorted.sort_by(f64::total_cmp);
            let gaps = sorted.windows(2).filter(|pair| pair[1] - pair[0] >= within_m).count();
            prop_assert_eq!(joined.len(), if plots.is_empty() { 0 } else { gaps + 1 });
        }
    }
}

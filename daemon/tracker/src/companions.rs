//! People walk in groups: where one object is found, others are likely beside it.
//!
//! On top of the uniform arrivals each object brings a number of undetected companions, spread around it (a cluster
//! process in the sense of Neyman and Scott, 1958). The expected number is learned, from the new objects that had
//! found neighbours, and starts low; where nobody walks in groups it stays low.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};

use crate::bernoulli::Bernoulli;
use crate::birth::Birth;
use crate::config::TrackerConfig;
use crate::gaussian::Gaussian;
use crate::measure::Plot;
use crate::sweep::longer_side;
use crate::undetected::FirstLook;
use crate::view::View;

/// Standard deviation of the distance between companions, per axis.
const SPREAD_M: f64 = 10.0;

/// Beyond this many standard deviations nobody is a companion.
const REACH_SD: f64 = 3.0;

/// As a distance.
pub(crate) const REACH_M: f64 = REACH_SD * SPREAD_M;

/// Objects that the initial expectation is worth, and the companions they had.
const PRIOR_SEEDS: f64 = 10.0;
const PRIOR_FOUND: f64 = 0.4;

/// More than one companion to find per object would count each pair twice.
const MOST_COMPANIONS: f64 = 1.0;

/// A plot less likely than this to be nobody's is left out.
const SURELY_CLAIMED: f64 = 0.01;

/// The expected number of companions per object.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Companions {
    found: f64,
    seeds: f64,
}

impl Companions {
    /// Before anything is known; where objects come alone, nothing is ever learned either.
    pub(crate) fn new(config: &TrackerConfig) -> Self {
        Self { found: if config.groups { PRIOR_FOUND } else { 0.0 }, seeds: PRIOR_SEEDS }
    }

    /// Companions that a new object is expected to have.
    pub(crate) fn expected(&self) -> f64 {
        (self.found / self.seeds).min(MOST_COMPANIONS)
    }

    /// Intensity of the undetected companions of a track at a place, per square metre, detection included.
    pub(crate) fn beside(track: &Bernoulli, state: &Gaussian, place: Vector2<f64>, noise: &Matrix2<f64>) -> f64 {
        let spread = state.position_covariance() + noise + Matrix2::identity() * (SPREAD_M * SPREAD_M);
        track.existence * track.companions * density(place - state.position(), &spread)
    }

    /// The new objects of a scan when each supports its neighbours; `unclaimed` is the probability that a plot is no track's.
    ///
    /// Two rounds of belief propagation: what a plot is told by a neighbour leaves out what it told that neighbour, so that
    /// two false plots cannot convince each other, and of three or more each counts for the others.
    pub(crate) fn together(&self, view: &View<'_>, births: &[Birth], unclaimed: &[f64]) -> Vec<Newborn> {
        self.newborn(view, births, 1.0, unclaimed, &neighbours(&view.plots, unclaimed))
    }

    /// The same among these neighbours, when the intensity of those that come alone is so many times what it is.
    fn newborn(
        &self,
        view: &View<'_>,
        births: &[Birth],
        factor: f64,
        unclaimed: &[f64],
        neighbours: &[(usize, usize, f64)],
    ) -> Vec<Newborn> {
        let weight = self.expected() * view.detection_probability;
        let odds = |plot: usize, beside: f64| (births[plot].intensity * factor + beside) / view.background(plot);
        let existence = |unclaimed: f64, plot: usize, beside: f64| {
            let odds = odds(plot, beside);
            unclaimed * odds / (1.0 + odds)
        };
        let told = |plot: usize, beside: f64| weight * existence(unclaimed[plot], plot, beside.max(0.0));
        let alone: Vec<f64> = (0..births.len()).map(|plot| told(plot, 0.0)).collect();
        let mut first = vec![0.0; births.len()];
        for (a, b, density) in neighbours {
            first[*a] += alone[*b] * density;
            first[*b] += alone[*a] * density;
        }
        let mut beside = vec![0.0; births.len()];
        for (a, b, density) in neighbours {
            beside[*a] += told(*b, first[*b] - alone[*a] * density) * density;
            beside[*b] += told(*a, first[*a] - alone[*b] * density) * density;
        }
        let newborn = |(plot, beside): (usize, f64)| Newborn {
            existence: existence(unclaimed[plot], plot, beside),
            if_unclaimed: existence(1.0, plot, beside),
            companionship: beside / (births[plot].intensity * factor + beside).max(f64::MIN_POSITIVE),
        };
        beside.into_iter().enumerate().map(newborn).collect()
    }

    /// What a first scan says when the intensity of those that come alone is so many times what it is.
    pub(crate) fn first_look<'a>(&self, view: &'a View<'_>, births: &'a [Birth]) -> impl Fn(f64) -> FirstLook + 'a {
        let companions = *self;
        let unclaimed = vec![1.0; births.len()];
        let neighbours = neighbours(&view.plots, &unclaimed);
        let each = self.expected() * view.detection_probability;
        move |factor| {
            let newborn = companions.newborn(view, births, factor, &unclaimed, &neighbours);
            let alone = newborn.iter().map(|newborn| newborn.existence * (1.0 - newborn.companionship)).sum();
            let likelihood = |newborn: &Newborn| -libm::log1p(-newborn.existence) - each * newborn.existence;
            FirstLook { alone, log_likelihood: newborn.iter().map(likelihood).sum() }
        }
    }

    /// Learns from a track that has proved to be an object.
    pub(crate) fn learn(&mut self, companionship: f64) {
        self.seeds += 1.0;
        self.found += companionship;
    }
}

/// What a plot makes of itself as a new object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newborn {
    /// Probability that it is one.
    pub(crate) existence: f64,
    /// The same, if the plot is no track's.
    pub(crate) if_unclaimed: f64,
    /// Probability that it came as somebody's companion, if it is one.
    pub(crate) companionship: f64,
}

/// Pairs of plots close enough to be companions, with the density of their distance. Plots that are surely a track's
/// take no part.
fn neighbours(plots: &[Plot<'_>], unclaimed: &[f64]) -> Vec<(usize, usize, f64)> {
    let mut placed: Vec<(usize, Vector2<f64>, Matrix2<f64>)> = Vec::new();
    for (index, plot) in plots.iter().enumerate().filter(|(index, _)| unclaimed[*index] > SURELY_CLAIMED) {
        if let Some((place, noise)) = plot.on_ground() {
            placed.push((index, place, noise));
        }
    }
    let along = longer_side(placed.iter().map(|(_, place, _)| *place));
    placed.sort_unstable_by(|a, b| a.1[along].total_cmp(&b.1[along]).then(a.0.cmp(&b.0)));
    let noisiest = placed.iter().map(|(.., noise)| *noise).max_by(|a, b| a.trace().total_cmp(&b.trace()));
    let noisiest = noisiest.unwrap_or_default();
    let spread = |a: &Matrix2<f64>, b: &Matrix2<f64>| a + b + Matrix2::identity() * (SPREAD_M * SPREAD_M);
    let reach = |spread: &Matrix2<f64>| REACH_SD * libm::sqrt(spread.trace() * 0.5);
    let mut pairs = Vec::new();
    for (position, (a, place_a, noise_a)) in placed.iter().enumerate() {
        let farthest = reach(&spread(noise_a, &noisiest));
        let ahead = placed[position + 1..].iter();
        for (b, place_b, noise_b) in ahead.take_while(|(_, place, _)| place[along] - place_a[along] <= farthest) {
            let spread = spread(noise_a, noise_b);
            let apart = place_b - place_a;
            if apart.amax() <= reach(&spread) {
                let (west, east) = if (apart.x, b) > (0.0, a) { (a, b) } else { (b, a) };
                pairs.push((*west, *east, density(apart, &spread)));
            }
        }
    }
    // What each plot sums up comes from west to east, whichever side is longer: the sums are the same to the bit.
    let mut west_of = vec![0; plots.len()];
    placed.sort_unstable_by(|a, b| a.1.x.total_cmp(&b.1.x).then(a.0.cmp(&b.0)));
    placed.iter().enumerate().for_each(|(position, (plot, ..))| west_of[*plot] = position);
    pairs.sort_unstable_by_key(|(west, east, _)| (west_of[*west], west_of[*east]));
    pairs
}

fn density(offset: Vector2<f64>, covariance: &Matrix2<f64>) -> f64 {
    let determinant = covariance.determinant();
    let Some(inverse) = covariance.try_inverse() else { return 0.0 };
    let squared = offset.dot(&(inverse * offset));
    if squared > REACH_SD * REACH_SD {
        return 0.0;
    }
    libm::exp(-0.5 * squared) / (core::f64::consts::TAU * libm::sqrt(determinant))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measure::fixture::{plot_of, sensor};
    use crate::{Coverage, Measurement, SensorKind};

    proptest! {
        /// Whichever way the ground is longer, and however much less sure some plots are.
        #[test]
        fn neighbours_are_all_that_are_in_reach(
            places in prop::collection::vec((-1.0_f64..1.0, -1.0_f64..1.0, 1.0_f64..20.0), 0..40),
            (east_m, north_m) in (10.0_f64..500.0, 10.0_f64..500.0),
        ) {
            let radar = sensor(SensorKind::Radar, Coverage::Circle { radius_m: 5_000.0 });
            let at = |place: &(f64, f64, f64)| Vector2::new(place.0 * east_m, place.1 * north_m);
            let noise = |place: &(f64, f64, f64)| Matrix2::identity() * (place.2 * place.2);
            let plot = |place: &(f64, f64, f64)| {
                plot_of(Measurement::Position { position_m: at(place), covariance_m2: noise(place) }, &radar)
            };
            let plots: Vec<Plot<'_>> = places.iter().map(plot).collect();
            let found = neighbours(&plots, &vec![1.0; plots.len()]);
            let mut expected = Vec::new();
            let mut ranked: Vec<usize> = (0..places.len()).collect();
            ranked.sort_by(|a, b| at(&places[*a]).x.total_cmp(&at(&places[*b]).x));
            for (position, a) in ranked.iter().enumerate() {
                for b in &ranked[position + 1..] {
                    let (from, to) = (&places[*a], &places[*b]);
                    let spread = noise(from) + noise(to) + Matrix2::identity() * (SPREAD_M * SPREAD_M);
                    let reach = REACH_SD * libm::sqrt(spread.trace() * 0.5);
                    if (at(to) - at(from)).amax() <= reach {
                        expected.push((*a, *b, density(at(to) - at(from), &spread)));
                    }
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}

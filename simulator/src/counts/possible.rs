//! How many surges can be found within a day at all: what somebody finds who knows all but the counts to come.
//!
//! Who knows each hour's rate, the spread of the counts, both shapes of a surge and the hour of the day at which each begins can do
//! no better than to compare the likelihoods (Neyman and Pearson 1933), cumulated from each such hour on, with one threshold.

use super::{DISPERSION, RAMP_H, SPIKE_H, Shape, Surge, by_hour_of_day, gamma};
use crate::random::Random;

/// Years of counts without a surge that the threshold is taken from, and surges of each shape.
const YEARS: usize = 100;
const SURGES: usize = 5_000;
const DAYS_PER_YEAR: usize = 365;
/// The hours of the day at which surges begin.
const RAMP_FROM: u32 = 0;
const SPIKE_FROM: u32 = 20;

/// Shares of surges that can be found within a day, at one false warning a year and zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Possible {
    /// Of those that ramp up within a day.
    pub ramps: f64,
    /// Of those of one night.
    pub spikes: f64,
}

impl Possible {
    /// For a zone with so many events a day and surges to so many times as many.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    pub fn of(per_day: f64, rise: f64, seed: u64) -> Self {
        let mut random = Random::stream(seed, "possible");
        let tests = [Test::new(Shape::Ramp, per_day, rise), Test::new(Shape::Spike, per_day, rise)];
        let quiet_days = YEARS * DAYS_PER_YEAR;
        let mut highest: Vec<f64> = tests
            .iter()
            .flat_map(|test| (0..quiet_days).map(|_| test.climb(false, &mut random)).collect::<Vec<_>>())
            .collect();
        highest.sort_by(|a, b| b.total_cmp(a));
        let threshold = highest.get(YEARS).copied().unwrap_or(f64::INFINITY);
        let found = |test: &Test, random: &mut Random| {
            (0..SURGES).filter(|_| test.climb(true, random) > threshold).count() as f64 / SURGES as f64
        };
        let [ramps, spikes] = tests.each_ref().map(|test| found(test, &mut random));
        Self { ramps, spikes }
    }
}

/// A day from the hour at which such surges begin: each hour's usual mean count, and that in a surge.
struct Test(Vec<(f64, f64)>);

impl Test {
    fn new(shape: Shape, per_day: f64, rise: f64) -> Self {
        let (began, hours) = match shape {
            Shape::Ramp => (RAMP_FROM, RAMP_H),
            Shape::Spike => (SPIKE_FROM, SPIKE_H),
        };
        let surge = Surge { shape, began };
        let hour = |age: u32| {
            let usual = per_day / 24.0 * by_hour_of_day((began + age) % 24);
            (usual, usual * surge.factor(began + age, rise).unwrap_or(1.0))
        };
        Self((0..hours).map(hour).collect())
    }

    /// How high the logarithm of the likelihood ratio climbs in such a day.
    fn climb(&self, surging: bool, random: &mut Random) -> f64 {
        let (mut sum, mut highest) = (0.0_f64, f64::NEG_INFINITY);
        for &(usual, surge) in &self.0 {
            let mean = if surging { surge } else { usual };
            let spread = gamma(1.0 / DISPERSION, random);
            let count = random.poisson(mean * spread);
            sum += log_ratio(count, usual, surge);
            highest = highest.max(sum);
        }
        highest
    }
}

/// Of a negative binomial count with one mean against another.
#[expect(clippy::cast_precision_loss, reason = "counts of an hour")]
fn log_ratio(count: usize, usual: f64, surge: f64) -> f64 {
    let shape = 1.0 / DISPERSION;
    let (of_usual, of_surge) = (shape + usual, shape + surge);
    shape * libm::log(of_usual / of_surge) + count as f64 * libm::log(surge * of_usual / (usual * of_surge))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likelihood_ratios_have_mean_one_without_a_surge() {
        let mut random = Random::stream(1, "ratio");
        let ratio = |_| {
            let spread = gamma(1.0 / DISPERSION, &mut random);
            libm::exp(log_ratio(random.poisson(0.5 * spread), 0.5, 0.8))
        };
        let mean = (0..200_000).map(ratio).sum::<f64>() / 200_000.0;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }

    #[test]
    fn more_events_make_more_surges_plain_and_no_rise_none() {
        let [few, some, many] = [2.0, 6.0, 24.0].map(|per_day| Possible::of(per_day, 5.0, 1));
        assert!(few.ramps < some.ramps && some.ramps < many.ramps && many.ramps > 0.95, "{few:?} {some:?} {many:?}");
        assert!(few.spikes < 0.8 && many.spikes > 0.95, "{few:?} {many:?}");
        let nothing = Possible::of(6.0, 1.001, 1);
        assert!(nothing.ramps < 0.05 && nothing.spikes < 0.05, "{nothing:?}");
    }
}

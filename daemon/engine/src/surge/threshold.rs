//! How high the cumulated sum climbs by chance: simulated from what the baseline knows and does not know.

use serde::{Deserialize, Serialize};

use super::Settings;
use super::baseline::Baseline;
use super::counts::Counts;

/// Years simulated for one zone.
const YEARS: u32 = 24;
/// Climbs per simulated year that the tail is fitted to.
const CLIMBS_PER_YEAR: usize = 12;
/// Relative standard deviation of a zone's true level about the learned one: it lags behind the season, and hours that learn from
/// each other are off together. Chosen for the stated number of false warnings on `vedette-sim counts` of 2 to 24 events a day.
const SEASON_LAG: f64 = 0.22;
const DAYS_PER_YEAR: u32 = 365;
/// A day's counts by slot are tabulated this finely in probability.
const TABLE_MAX: usize = 4_096;

/// Exponential tail of the heights of climbs (the tail a random walk with negative drift has: Lundberg's bound).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tail {
    /// Height from which the tail holds.
    from: f64,
    /// Climbs to it, per bucket.
    rate: f64,
    /// Mean height above it.
    mean_excess: f64,
}

impl Tail {
    /// How often, per bucket, a climb reaches `height` or more when nothing is unusual.
    pub(super) fn rate_above(&self, height: f64) -> f64 {
        if height <= 0.0 {
            return 1.0;
        }
        (self.rate * libm::exp(-(height - self.from) / self.mean_excess)).min(1.0)
    }

    /// Simulates the sum over `YEARS` years. Each year draws the true rates from what is known of them, so a baseline of
    /// few events gets a high threshold.
    pub(super) fn simulate(baseline: &Baseline, settings: &Settings, seed: u64) -> Self {
        let mut draw = Draw(seed);
        let mut heights = Vec::new();
        let slots: Vec<usize> = (0..settings.slots()).collect();
        for _ in 0..YEARS {
            let shared = draw.gamma(baseline.pooled_events(settings));
            let season = draw.gamma(1.0 / (SEASON_LAG * SEASON_LAG));
            let tables: Vec<SlotTable> = slots
                .iter()
                .map(|&slot| {
                    let rate = baseline.rate(slot, settings);
                    let share = Baseline::pooled_share(rate);
                    let own = if rate.own_events > 0.0 { draw.gamma(rate.own_events) } else { 1.0 };
                    let control = baseline.in_control(slot, 1.0, settings);
                    let truth =
                        Counts { mean: control.mean * season * (share * shared + (1.0 - share) * own), ..control };
                    SlotTable::new(truth, control, settings.rise)
                })
                .collect();
            climbs(&tables, &mut draw, &mut heights);
        }
        let buckets = f64::from(YEARS * DAYS_PER_YEAR * settings.buckets_per_day);
        Self::fit(heights, buckets)
    }

    #[expect(clippy::cast_precision_loss, reason = "some hundred climbs")]
    fn fit(mut heights: Vec<f64>, buckets: f64) -> Self {
        heights.sort_by(|a, b| b.total_cmp(a));
        heights.truncate(CLIMBS_PER_YEAR * YEARS as usize);
        let Some(&from) = heights.last() else {
            return Self { from: 0.0, rate: 1.0 / buckets, mean_excess: 1.0 };
        };
        let mean = heights.iter().sum::<f64>() / heights.len() as f64;
        Self { from, rate: heights.len() as f64 / buckets, mean_excess: (mean - from).max(0.05) }
    }
}

/// Walks one year and keeps the height of each climb from zero back to zero.
fn climbs(tables: &[SlotTable], draw: &mut Draw, heights: &mut Vec<f64>) {
    let (mut sum, mut highest) = (0.0_f64, 0.0_f64);
    for _ in 0..DAYS_PER_YEAR {
        for table in tables {
            sum = (sum + table.step(draw)).max(0.0);
            if sum > 0.0 {
                highest = highest.max(sum);
            } else if highest > 0.0 {
                heights.push(highest);
                highest = 0.0;
            }
        }
    }
    if highest > 0.0 {
        heights.push(highest);
    }
}

/// Cumulated probabilities of the true counts of one slot and what each adds to the sum.
struct SlotTable(Vec<(f64, f64)>);

impl SlotTable {
    fn new(truth: Counts, control: Counts, rise: f64) -> Self {
        let most = truth.quantile(1.0 - 1e-7).min(u32::try_from(TABLE_MAX).unwrap_or(u32::MAX));
        let entry = |count: u32| (1.0 - truth.at_least(count + 1), control.log_ratio(count, rise));
        Self((0..=most).map(entry).collect())
    }

    fn step(&self, draw: &mut Draw) -> f64 {
        let level = draw.unit();
        let index = self.0.partition_point(|&(cumulated, _)| cumulated < level).min(self.0.len() - 1);
        self.0[index].1
    }
}

/// Seeded draws: the engine's answers depend on its inputs alone. SplitMix64 (Steele, Lea and Flood 2014).
struct Draw(u64);

impl Draw {
    #[expect(clippy::cast_precision_loss, reason = "the upper 53 bits are exact in a double")]
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Gamma with this shape and mean 1, through the normal approximation of its cube root (Wilson and Hilferty 1931).
    fn gamma(&mut self, shape: f64) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        let normal = radius * libm::cos(core::f64::consts::TAU * self.unit());
        let root = 1.0 - 1.0 / (9.0 * shape) + normal / (3.0 * libm::sqrt(shape));
        root.max(0.0) * root.max(0.0) * root.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_moments_of_the_gamma_distribution() {
        let mut draw = Draw(3);
        for shape in [2.0, 20.0, 200.0] {
            let drawn: Vec<f64> = (0..40_000).map(|_| draw.gamma(shape)).collect();
            let mean = drawn.iter().sum::<f64>() / 40_000.0;
            let variance = drawn.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 40_000.0;
            assert!((mean - 1.0).abs() < 0.02, "shape {shape}: mean {mean}");
            assert!((variance * shape - 1.0).abs() < 0.06, "shape {shape}: variance {variance}");
        }
    }

    #[test]
    fn little_knowledge_raises_the_threshold() {
        let settings = Settings::default();
        let learned = |days: u32| {
            let mut baseline = Baseline::new(&settings);
            for hour in 0..days * 24 {
                let slot = (hour % 24) as usize;
                baseline.learn(slot, u32::from(hour % 6 == 0), 1.0, &settings);
            }
            Tail::simulate(&baseline, &settings, 1)
        };
        let (days, months) = (learned(4), learned(100));
        assert!(days.rate_above(6.0) > months.rate_above(6.0), "{days:?} {months:?}");
        assert!(months.rate_above(3.0) > months.rate_above(6.0));
    }
}

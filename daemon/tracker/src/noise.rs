//! How large the errors of a sensor's positions really are, from how far its plots are from tracks that are sure.
//!
//! The configured covariance `R` of a position, or of a range and bearing, is multiplied by a ratio `s`. A plot that is
//! surely a track's own has the squared innovation `d² = vᵀ S⁻¹ v` with `S = H P H' + s R`; if `s` is right,
//! `u = 1 - exp(-d²/2)` is uniform in 0 to 1 in two dimensions. Of a change of `ln s` the plot shows the part
//! `w = tr(S⁻¹ s R) / 2`: near a track that is itself uncertain it says little. `u` moves by `w/4` and has the variance
//! 1/12, so a plot is worth the information `3/4 w²` and says `3 w (u - 1/2)`; a scalar filter on `ln s` adds that up.
//! Ranks tell three quarters of what squares would, and who turns sharply counts for no more than one plot.
//!
//! Among clutter only plots that are near enough are surely the track's: the odds of the claim fall with `exp(-d²/2)`,
//! and where they would be too small is the end of the range that `u` can have, to which it is compared.
//!
//! Errors that last do not show: the tracks follow them. So where objects have an extent, or a sensor's errors stay alike,
//! nothing shows that the sensor is better than configured.

use serde::{Deserialize, Serialize};

use crate::association::Verdict;
use crate::bernoulli::Bernoulli;
use crate::detection::Measurement;
use crate::evidence::Evidence;
use crate::prospect::Prospect;
use crate::restlessness;
use crate::view::View;

/// Information about `ln s` that the configuration is worth, about a hundred plots of tracks as sure as most, and the
/// most that is remembered.
const PRIOR_INFORMATION: f64 = 20.0;
const MOST_INFORMATION: f64 = 500.0;

/// Bounds of `ln s`: half and four times the configured standard deviation.
const LEAST: f64 = -1.386_294_361;
const MOST: f64 = 2.772_588_722;

/// What follows a track this surely, for this long, is used, ..
const SURE_EXISTENCE: f64 = 0.95;
const SURE_CLAIM: f64 = 0.9;
const LEAST_ODDS: f64 = SURE_CLAIM / (1.0 - SURE_CLAIM);
const FOLLOWED_FOR_S: f64 = 5.0;
/// .. if so much of what is expected of the plot is the sensor's error.
const LEAST_PART: f64 = 0.2;

/// What follows it at least so surely, for so long, tells of how people move: of those that turn fewer are sure.
const LIKELY_CLAIM: f64 = 0.6;
const LEAST_FOLLOWED_S: f64 = 2.0;

/// The ratio of a sensor's error variance to what is configured, as its logarithm with the information about it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NoiseRatio {
    log_variance: f64,
    information: f64,
}

impl Default for NoiseRatio {
    fn default() -> Self {
        Self { log_variance: 0.0, information: PRIOR_INFORMATION }
    }
}

impl NoiseRatio {
    /// Of the standard deviations.
    pub(crate) fn sd(&self) -> f64 {
        libm::exp(0.5 * self.log_variance)
    }

    /// The measurement with the error that its sensor really has.
    pub(crate) fn applied_to(&self, measurement: Measurement) -> Measurement {
        let ratio = self.sd();
        match measurement {
            Measurement::Position { position_m, covariance_m2 } => {
                Measurement::Position { position_m, covariance_m2: covariance_m2 * (ratio * ratio) }
            }
            Measurement::RangeBearing { range_m, range_sd_m, azimuth_rad, azimuth_sd_rad, range_rate_mps } => {
                let (range_sd_m, azimuth_sd_rad) = (range_sd_m * ratio, azimuth_sd_rad * ratio);
                Measurement::RangeBearing { range_m, range_sd_m, azimuth_rad, azimuth_sd_rad, range_rate_mps }
            }
            other => other,
        }
    }

    /// Takes in what one scan says. `errors_last`: whether errors may stay alike from scan to scan.
    pub(crate) fn learn(&mut self, surprise: Evidence, errors_last: bool) {
        surprise.refine(&mut self.log_variance, &mut self.information, MOST_INFORMATION);
        let least = if errors_last { 0.0 } else { LEAST };
        self.log_variance = self.log_variance.clamp(least, MOST);
    }
}

/// What a scan says about its sensor's errors, and about how people move, before the tracks (by their place in `touched`) are
/// updated with it.
pub(crate) fn surprise(
    tracks: &[Bernoulli],
    touched: &[usize],
    prospects: &[Prospect],
    view: &View<'_>,
    verdicts: &[Verdict],
) -> (Evidence, Evidence) {
    let (mut surprise, mut swerving) = (Evidence::default(), Evidence::default());
    for ((track, prospect), verdict) in touched.iter().map(|track| &tracks[*track]).zip(prospects).zip(verdicts) {
        let likely = verdict.claims.iter().find(|(_, share)| *share >= LIKELY_CLAIM);
        let Some((plot, share)) = likely.filter(|_| is_followed(track, view)) else { continue };
        let Some((innovation, part)) = view.plots[*plot].surprise(&track.moments_at(prospect)) else { continue };
        if let Some(before) = track.records.last_innovation(view.sensor, view.time) {
            swerving += restlessness::swerving(before, innovation, part);
        }
        if *share >= SURE_CLAIM && part >= LEAST_PART && is_sure(track, view) {
            let beyond = libm::exp(-0.5 * innovation.norm_squared());
            let out_of_reach = beyond * LEAST_ODDS * (1.0 - share) / share;
            let rank = (1.0 - beyond) / (1.0 - out_of_reach).max(f64::MIN_POSITIVE);
            surprise.information += view.share * 0.75 * part * part;
            surprise.score += view.share * 3.0 * part * (rank.clamp(0.0, 1.0) - 0.5);
        }
    }
    (surprise, swerving)
}

/// Whether the track exists, is in one place, and has been followed for a little while.
fn is_followed(track: &Bernoulli, view: &View<'_>) -> bool {
    track.existence >= SURE_EXISTENCE
        && !track.is_ambiguous()
        && view.time.seconds_since(track.label.time) >= LEAST_FOLLOWED_S
}

/// Whether it is alone as well, and no longer new.
fn is_sure(track: &Bernoulli, view: &View<'_>) -> bool {
    track.bond.is_none() && view.time.seconds_since(track.label.time) >= FOLLOWED_FOR_S
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};
    use proptest::prelude::*;

    use super::*;
    use crate::config::TrackerConfig;
    use crate::detection::{Detection, Scan};
    use crate::measure::fixture::sensor;
    use crate::sensor::{Clutter, Coverage, SensorKind, SensorModel};
    use crate::time::Timestamp;
    use crate::tracker::Tracker;

    const ERROR_M: f64 = 5.0;

    /// Uniform in 0 to 1 (xorshift).
    fn uniform(state: &mut u64) -> f64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        f64::from((*state >> 32) as u32) / f64::from(u32::MAX)
    }

    /// Nearly normal, with variance 1.
    fn normal(state: &mut u64) -> f64 {
        (0..12).map(|_| uniform(state)).sum::<f64>() - 6.0
    }

    const HALF_SIDE_M: f64 = 250.0;

    /// The error learned in three minutes from ten people who walk up and down beside each other, by a radar that is
    /// told this error and has so many false plots in a scan.
    fn learned(told_m: f64, clutter: u32, object_extent_m: f64) -> f64 {
        let [low, high] = [-HALF_SIDE_M, HALF_SIDE_M];
        let square = Coverage::Polygon { points_m: vec![[low, low], [high, low], [high, high], [low, high]] };
        let radar = sensor(SensorKind::Radar, square);
        let clutter_per_scan = Clutter::PerScan(f64::from(clutter.max(1)));
        let radar = SensorModel { scan_period_s: Some(1.0), clutter: clutter_per_scan, ..radar };
        let config = TrackerConfig { object_extent_m, ..TrackerConfig::default() };
        let mut tracker = Tracker::new(config, vec![radar]).expect("a valid model");
        let mut noise = 0x9E37_79B9_7F4A_7C15;
        for second in 1..=180_u32 {
            let mut places: Vec<Vector2<f64>> = (0..clutter)
                .map(|_| Vector2::new(2.0 * uniform(&mut noise) - 1.0, 2.0 * uniform(&mut noise) - 1.0) * HALF_SIDE_M)
                .collect();
            for number in 0..10_u32 {
                let phase = (second + 30 * number) % 200;
                let along_m = 1.4 * f64::from(phase.min(200 - phase)) - 70.0;
                let error = Vector2::new(normal(&mut noise), normal(&mut noise)) * ERROR_M;
                if uniform(&mut noise) < 0.9 {
                    places.push(Vector2::new(45.0 * f64::from(number) - 200.0, along_m) + error);
                }
            }
            let covariance_m2 = Matrix2::identity() * (told_m * told_m);
            let plot = |position_m: Vector2<f64>| Detection {
                measurement: Measurement::Position { position_m, covariance_m2 },
                class: None,
                confidence: None,
                object: None,
            };
            let detections = places.into_iter().map(plot).collect();
            tracker.step(&Scan { sensor: 0, time: Timestamp::from_seconds(i64::from(second)), at: None, detections });
        }
        told_m * tracker.sensor_estimates().next().expect("one sensor").position_sd_ratio
    }

    #[test]
    fn the_error_is_learned_whatever_is_told_in_the_clear_and_in_clutter() {
        for (told, clutter) in [(0.5, 0), (1.0, 0), (2.0, 0), (0.5, 60), (1.0, 60), (2.0, 60)] {
            let told_m = told * ERROR_M;
            let error_m = learned(told_m, clutter, 0.0);
            println!("{clutter} false plots, told {told_m} m, learned {error_m} m");
            assert!(
                (error_m / ERROR_M - 1.0).abs() < 0.15,
                "{clutter} false plots, told {told_m} m, learned {error_m} m"
            );
        }
    }

    #[test]
    fn who_has_an_extent_proves_no_sensor_better_than_told() {
        assert!(learned(2.0 * ERROR_M, 0, 3.0) >= 2.0 * ERROR_M);
    }

    proptest! {
        #[test]
        fn the_ratio_is_bounded(said in prop::collection::vec((0.0..1e3_f64, -1e3..1e3_f64), 1..50)) {
            let mut ratio = NoiseRatio::default();
            for (information, score) in said {
                ratio.learn(Evidence { information, score }, false);
                prop_assert!((0.499..=4.001).contains(&ratio.sd()), "{}", ratio.sd());
            }
        }
    }
}

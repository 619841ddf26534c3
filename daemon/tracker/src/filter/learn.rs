//! What a scan teaches about its sensor: how well it sees, how often and where it is wrong, how large its
//! errors are, how its clock runs.

use super::{Filter, Models};
use crate::association::Association;
use crate::cells::Seen;
use crate::clock_offset;
use crate::noise;
use crate::prospect::Prospect;
use crate::view::View;

/// A track this sure, wholly inside, is a chance to measure the sensor's detection probability.
const SURE_EXISTENCE: f64 = 0.95;
const SURELY_INSIDE: f64 = 0.99;

impl Filter {
    /// Takes in what the scan says about its sensor, before the tracks are updated; the cells go back from the view.
    pub(super) fn learn(
        &mut self,
        models: Models<'_>,
        touched: &[usize],
        prospects: &[Prospect],
        view: &mut View<'_>,
        association: &Association,
        foreign: &[f64],
    ) {
        let mut cells = core::mem::take(&mut view.cells);
        if !view.is_event {
            let (mut hits, mut chances) = (0.0, 0.0);
            for ((track, prospect), verdict) in touched.iter().zip(prospects).zip(&association.tracks) {
                // Where the sensor is known to see worse says nothing about the rest.
                let inside = 1.0 - prospect.mean_missed >= SURELY_INSIDE * view.detection_probability;
                if inside && self.tracks[*track].existence >= SURE_EXISTENCE {
                    chances += 1.0;
                    hits += 1.0 - verdict.missed;
                }
            }
            let parts = association.unclaimed.iter().zip(foreign).zip(&view.clutter);
            let false_plots: Vec<f64> =
                parts.map(|((unclaimed, foreign), clutter)| unclaimed * clutter / foreign).collect();
            let (tracks, verdicts) = (&self.tracks, &association.tracks);
            cells.learn(&Seen { view, tracks, touched, prospects, verdicts, false_plots: &false_plots });
            let comparison = clock_offset::compare(tracks, touched, view, verdicts);
            let errors_last = models.config.object_extent_m > 0.0 || view.model.error_correlation_s > 0.0;
            let surprise = noise::surprise(tracks, touched, prospects, view, verdicts);
            self.sensors[view.sensor].noise.learn(surprise, errors_last);
            clock_offset::learn(models.sensors, &mut self.sensors, view, &comparison);
            self.sensors[view.sensor].learn(hits, chances, false_plots.iter().sum());
        }
        if let Some(place) = self.cells.get_mut(view.sensor) {
            *place = cells;
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};

    use crate::config::TrackerConfig;
    use crate::detection::{Detection, Measurement, Scan};
    use crate::filter::{Filter, Models};
    use crate::measure::fixture::sensor;
    use crate::sensor::{Clutter, Coverage, SensorKind, SensorModel};
    use crate::time::Timestamp;
    use crate::watch::Watched;

    const SIDE_M: f64 = 1000.0;
    const PATCH_M: f64 = 223.6;
    const SECONDS: u32 = 240;

    /// Uniform in 0 to 1 (xorshift).
    fn uniform(state: &mut u64) -> f64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        f64::from((*state >> 32) as u32) / f64::from(u32::MAX)
    }

    fn plot(place: Vector2<f64>) -> Detection {
        let measurement = Measurement::Position { position_m: place, covariance_m2: Matrix2::identity() * 25.0 };
        Detection { measurement, class: None, confidence: None, object: None }
    }

    /// Confirmed tracks a scan in the patch, in the second half: forty false plots a scan from a square kilometre, ten
    /// times their density from 5 % of it, and people who walk north elsewhere.
    fn false_tracks(seed: u64, with_cells: bool) -> f64 {
        let corners = vec![[0.0, 0.0], [SIDE_M, 0.0], [SIDE_M, SIDE_M], [0.0, SIDE_M]];
        let radar = sensor(SensorKind::Radar, Coverage::Polygon { points_m: corners });
        let radar = SensorModel { scan_period_s: Some(1.0), clutter: Clutter::PerScan(60.0), ..radar };
        let (config, sensors) = (TrackerConfig::default(), [radar]);
        let watched = Watched::new(&sensors);
        let models = Models { config: &config, sensors: &sensors, watched: &watched };
        let mut filter = Filter::new(models);
        if !with_cells {
            filter.cells.clear();
        }
        let mut noise = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut count = 0;
        for second in 1..=SECONDS {
            let mut detections = Vec::new();
            for (plots, side_m) in [(40, SIDE_M), (20, PATCH_M)] {
                for _ in 0..plots {
                    detections.push(plot(Vector2::new(uniform(&mut noise), uniform(&mut noise)) * side_m));
                }
            }
            for number in 0..8_u32 {
                let along_m = (1.3 * f64::from(second) + 125.0 * f64::from(number)) % SIDE_M;
                if uniform(&mut noise) < 0.9 {
                    detections.push(plot(Vector2::new(400.0 + 70.0 * f64::from(number), along_m)));
                }
            }
            let time = Timestamp::from_seconds(i64::from(second));
            filter.step(models, &Scan { sensor: 0, time, at: None, detections }, None);
            if second > SECONDS / 2 {
                let in_patch = |place: Vector2<f64>| place.x < PATCH_M + 20.0 && place.y < PATCH_M + 20.0;
                let false_ones = filter.tracks.iter().filter(|track| track.confirmed);
                count += false_ones.filter(|track| in_patch(track.moments().position())).count();
            }
        }
        count as f64 / f64::from(SECONDS - SECONDS / 2)
    }

    #[test]
    fn a_patch_of_clutter_is_learned_and_gives_fewer_false_tracks() {
        let mean = |with_cells: bool| (1..=2).map(|seed| false_tracks(seed, with_cells)).sum::<f64>() / 2.0;
        let (with_cells, without) = (mean(true), mean(false));
        println!("false tracks in the patch: {with_cells:.3} a scan with cells, {without:.3} without");
        assert!(with_cells < 0.5 * without, "{with_cells} a scan with cells, {without} without");
    }
}

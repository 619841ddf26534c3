//! What a scan teaches about its sensor: how well it sees, how often and where it is wrong, how large its
//! errors are, how its clock runs.

use super::{Filter, Models};
use crate::association::Association;
use crate::bernoulli::Bernoulli;
use crate::cells::Seen;
use crate::clock_offset;
use crate::measure::Plot;
use crate::noise;
use crate::prospect::Prospect;
use crate::silence::reports_events;
use crate::view::View;

/// A track this sure, wholly inside, is a chance to measure the sensor's detection probability.
const SURE_EXISTENCE: f64 = 0.95;
const SURELY_INSIDE: f64 = 0.99;

/// An object is real when a sensor that scans has seen it within this time, or so many of its periods: whether it sees the
/// object this time has nothing to do with that. Or when two that report events have, within the time from one to the next.
/// Where a sensor sees worse than elsewhere is learned from those who walk through a shadow, which takes longer.
const SCANNED_WITHIN_S: f64 = 10.0;
const SCANNED_WITHIN_PERIODS: f64 = 5.0;
const PASSED_WITHIN_S: f64 = 300.0;
const SHADOWED_WITHIN_S: f64 = 60.0;

/// A sensor that sees at least this well and has looked within this time denies an event whose object it has not seen.
const SEES_WELL: f64 = 0.5;
const LOOKED_WITHIN_S: f64 = 15.0;

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
                let track = &self.tracks[*track];
                // What a broken detector imagines is not there to be seen.
                if inside
                    && track.existence >= SURE_EXISTENCE
                    && track.bond.is_none()
                    && self.is_corroborated(models, track, SCANNED_WITHIN_S)
                {
                    chances += 1.0;
                    hits += 1.0 - verdict.missed;
                }
            }
            let parts = association.unclaimed.iter().zip(foreign).zip(&view.clutter);
            let false_plots: Vec<f64> =
                parts.map(|((unclaimed, foreign), clutter)| unclaimed * clutter / foreign).collect();
            let (tracks, verdicts) = (&self.tracks, &association.tracks);
            let is_corroborated = |track: &Bernoulli| self.is_corroborated(models, track, SHADOWED_WITHIN_S);
            cells.learn(
                &Seen { view, tracks, touched, prospects, verdicts, false_plots: &false_plots },
                is_corroborated,
            );
            let comparison = clock_offset::compare(tracks, touched, view, verdicts);
            let errors_last = models.config.object_extent_m > 0.0 || view.model.error_correlation_s > 0.0;
            let (surprise, swerving) = noise::surprise(tracks, touched, prospects, view, verdicts);
            self.sensors[view.sensor].noise.learn(surprise, errors_last);
            if !errors_last {
                self.restlessness.learn(swerving);
            }
            clock_offset::learn(models.sensors, &mut self.sensors, view, &comparison);
            self.sensors[view.sensor].learn(hits, chances, false_plots.iter().sum());
        } else {
            for denied in self.denied(models, touched, view, association) {
                self.sensors[view.sensor].note_event(view.time, denied);
            }
        }
        if let Some(place) = self.cells.get_mut(view.sensor) {
            *place = cells;
        }
    }

    /// Whether an object is no figment of broken detectors: a sensor that scans has seen it, or two that report events and do
    /// not chatter. `within_s`: how long ago the former may be.
    fn is_corroborated(&self, models: Models<'_>, track: &Bernoulli, within_s: f64) -> bool {
        let mut witnesses = track.records.seen_by().iter().filter(|(sensor, at)| {
            let is_witness = self.sensors[*sensor].is_witness(track.time);
            is_witness && track.time.seconds_since(*at) <= PASSED_WITHIN_S && reports_events(&models.sensors[*sensor])
        });
        is_scanned(models, track, within_s) || witnesses.nth(1).is_some()
    }

    /// For each of a scan's events the probability that it is denied: a sensor that scans should have seen the object.
    fn denied(&self, models: Models<'_>, touched: &[usize], view: &View<'_>, association: &Association) -> Vec<f64> {
        let mut denied: Vec<f64> =
            view.plots.iter().map(|plot| f64::from(self.is_overlooked(models, view, plot))).collect();
        if denied.iter().all(|denied| *denied <= 0.0) {
            return denied;
        }
        for (track, verdict) in touched.iter().zip(&association.tracks) {
            if is_scanned(models, &self.tracks[*track], SCANNED_WITHIN_S) {
                verdict.claims.iter().for_each(|(plot, share)| denied[*plot] -= share);
            }
        }
        denied.iter_mut().for_each(|denied| *denied = denied.max(0.0));
        denied
    }

    /// Whether a sensor that scans sees the place of a plot well and has looked lately.
    fn is_overlooked(&self, models: Models<'_>, view: &View<'_>, plot: &Plot<'_>) -> bool {
        let Some((place, _)) = plot.on_ground() else { return false };
        models.watched.candidates(place).any(|sensor| {
            let (model, state) = (&models.sensors[sensor], &self.sensors[sensor]);
            if reports_events(model) || !model.coverage.holds(state.origin_m, place) {
                return false;
            }
            let usual = state.detection_probability();
            let sees = self.cells.get(sensor).map_or(usual, |cells| cells.detection_probability(usual, place));
            let looked = state.last_scan.is_some_and(|last| view.time.seconds_since(last).abs() <= LOOKED_WITHIN_S);
            looked && sees >= SEES_WELL
        })
    }
}

/// Whether a sensor that scans has seen the object lately.
fn is_scanned(models: Models<'_>, track: &Bernoulli, within_s: f64) -> bool {
    track.records.seen_by().iter().any(|(sensor, at)| {
        let model = &models.sensors[*sensor];
        let periods_s = SCANNED_WITHIN_PERIODS * model.scan_period_s.unwrap_or(0.0);
        !reports_events(model) && track.time.seconds_since(*at) <= periods_s.max(within_s)
    })
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

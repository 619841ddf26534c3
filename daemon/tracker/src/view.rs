//! One scan, ready for filtering: its plots in a canonical order, each with its clutter intensity.

use nalgebra::{Matrix2, Vector2};

use crate::cells::{Cells, DetectionMap};
use crate::config::TrackerConfig;
use crate::detection::{Detection, Measurement, Scan};
use crate::extent;
use crate::gaussian::Gaussian;
use crate::measure::Plot;
use crate::region::Region;
use crate::sensor::{Coverage, SensorModel};
use crate::sensor_state::SensorState;
use crate::silence::reports_events;
use crate::time::Timestamp;

/// A scan as the filter sees it.
pub(crate) struct View<'a> {
    pub(crate) sensor: usize,
    pub(crate) model: &'a SensorModel,
    pub(crate) time: Timestamp,
    pub(crate) origin_m: Vector2<f64>,
    pub(crate) detection_probability: f64,
    /// False plots to expect in the scan.
    pub(crate) usual_clutter: f64,
    /// Where the sensor differs from that.
    pub(crate) cells: Cells,
    detection: DetectionMap,
    /// Whether this scan reports events, so that the absence of a plot says nothing about this instant.
    pub(crate) is_event: bool,
    /// Whether one of the plots is a presence.
    pub(crate) has_presence: bool,
    /// Whether the sensor follows objects itself and numbers them.
    pub(crate) has_numbers: bool,
    pub(crate) plots: Vec<Plot<'a>>,
    /// Number of each plot in the canonical order of the whole scan.
    pub(crate) numbers: Vec<usize>,
    /// Part of an independent look that this scan is worth, where errors outlast the time between scans.
    pub(crate) share: f64,
    /// Intensity of false plots at each plot, in the units of its density.
    pub(crate) clutter: Vec<f64>,
    /// For each plot, the tracks (by their place among those touched) of which it may be a further return, with the
    /// intensity, in the units of its density.
    pub(crate) further: Vec<Vec<(usize, f64)>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        config: &TrackerConfig,
        scan: &Scan,
        model: &'a SensorModel,
        state: &SensorState,
        cells: Cells,
        region: Option<&Region>,
    ) -> Self {
        let origin_m = scan.at.map_or(state.origin_m, |pose| pose.position_m);
        let origin_variance_m2 = scan.at.map_or(0.0, |pose| pose.sd_m * pose.sd_m);
        let share = independent_share(model, state.last_scan.map(|last| scan.time.seconds_since(last)));
        let mut detections = in_canonical_order(&scan.detections);
        if config.join_plots_m > 0.0 {
            detections = extent::joined(&detections, config.join_plots_m);
        }
        let (mut numbers, mut plots): (Vec<usize>, Vec<Plot<'a>>) = detections
            .into_iter()
            .map(|detection| Plot {
                measurement: state.noise.applied_to(detection.measurement),
                class: detection.class,
                object: detection.object,
                origin_m,
                origin_variance_m2,
                age_s: model.plot_age_s + state.clock.mean_s(),
                share,
                nearness: match detection.measurement {
                    Measurement::Presence { strength } => {
                        strength.and_then(|strength| state.strengths.nearness(strength, &model.coverage))
                    }
                    _ => None,
                },
                sensor: model,
            })
            .enumerate()
            .unzip();
        if let Some(region) = region {
            let concerns = |plot: &Plot<'_>| plot.on_ground().is_none_or(|(place, _)| region.holds(place));
            (numbers, plots) = numbers.into_iter().zip(plots).filter(|(_, plot)| concerns(plot)).unzip();
        }
        let any = |is: fn(&Measurement) -> bool| plots.iter().any(|plot| is(&plot.measurement));
        let has_presence = any(|measurement| matches!(measurement, Measurement::Presence { .. }));
        let is_event = has_presence || any(|measurement| matches!(measurement, Measurement::Crossing { .. }));
        let usual_clutter = state.clutter(scan.time);
        let uniform = UniformClutter::of(model, usual_clutter);
        let clutter = plots
            .iter()
            .map(|plot| {
                let local = plot.on_ground().map_or(1.0, |(place, _)| cells.clutter_ratio(place));
                local * uniform.intensity(&plot.measurement)
            })
            .collect();
        Self {
            sensor: scan.sensor,
            model,
            time: scan.time,
            origin_m,
            detection_probability: state.detection_probability(),
            usual_clutter,
            detection: cells.detection_map(state.detection_probability()),
            cells,
            share,
            further: vec![Vec::new(); plots.len()],
            is_event,
            has_presence,
            has_numbers: plots.iter().any(|plot| plot.object.is_some()),
            plots,
            numbers,
            clutter,
        }
    }

    /// Intensity of plots that are no object's own: false ones and further returns.
    pub(crate) fn background(&self, plot: usize) -> f64 {
        self.clutter[plot] + self.further[plot].iter().map(|(_, part)| part).sum::<f64>()
    }

    /// Intensity of further returns at a plot that are no rivals of the track at this place: its own, and those of younger
    /// tracks.
    pub(crate) fn own_returns(&self, place: usize, plot: usize) -> f64 {
        self.further[plot].iter().filter(|(other, _)| *other >= place).map(|(_, part)| part).sum()
    }

    /// How far the plots that the track at this place claims may be further returns of older tracks, 0 to 1.
    /// `claims`: plots with their shares; `foreign`: intensity of everything that is not a known track's own.
    pub(crate) fn shadow(&self, place: usize, claims: &[(usize, f64)], foreign: &[f64]) -> f64 {
        let of_older = |plot: usize| -> f64 {
            let older = self.further[plot].iter().filter(|(other, _)| *other < place);
            older.map(|(_, part)| part / foreign[plot]).sum()
        };
        claims.iter().map(|(plot, share)| share * of_older(*plot)).sum::<f64>().min(1.0)
    }

    /// Probability that this scan detects an object with this state.
    pub(crate) fn detection_at(&self, state: &Gaussian) -> f64 {
        self.detection_around(state.position(), &state.position_covariance())
    }

    /// Probability that this scan detects an object that is somewhere around a place.
    pub(crate) fn detection_around(&self, place_m: Vector2<f64>, covariance_m2: &Matrix2<f64>) -> f64 {
        let inside = self.model.coverage.probability_inside(self.origin_m, place_m, covariance_m2);
        if inside <= 0.0 {
            return 0.0;
        }
        self.detection.at(place_m) * inside
    }
}

/// Part of an independent look that a scan is worth, `interval_s` after the sensor's last. What a detector reports before it
/// can have rearmed is hardly more than its last report.
fn independent_share(model: &SensorModel, interval_s: Option<f64>) -> f64 {
    let rearm_s = if reports_events(model) { model.rearm_s } else { 0.0 };
    let lasting_s = model.error_correlation_s.max(rearm_s);
    interval_s
        .filter(|interval_s| *interval_s < lasting_s)
        .map_or(1.0, |interval_s| (interval_s / lasting_s).max(SMALLEST_SHARE))
}

/// A scan at the same moment as the last is worth next to nothing, but not nothing.
const SMALLEST_SHARE: f64 = 1e-4;

/// False plots that are uniform over the coverage.
struct UniformClutter {
    per_scan: f64,
    per_m2: f64,
    per_rad: f64,
    per_m: f64,
}

impl UniformClutter {
    fn of(model: &SensorModel, per_scan: f64) -> Self {
        let area_m2 = model.coverage.area_m2();
        let (width_rad, reach_m) = match &model.coverage {
            Coverage::Sector { width_rad, range_m, .. } => (*width_rad, *range_m),
            Coverage::Circle { radius_m } => (core::f64::consts::TAU, *radius_m),
            Coverage::Polygon { .. } | Coverage::Line { .. } => (core::f64::consts::TAU, libm::sqrt(area_m2).max(1.0)),
        };
        let per_m2 = per_scan / area_m2.max(1.0);
        Self { per_scan, per_m2, per_rad: per_scan / width_rad, per_m: per_scan / reach_m }
    }

    /// Their intensity in the units of the measurement's density.
    fn intensity(&self, measurement: &Measurement) -> f64 {
        let intensity = match measurement {
            Measurement::Position { .. } => self.per_m2,
            Measurement::RangeBearing { range_m, range_rate_mps, .. } => {
                let polar = self.per_m2 * range_m.max(1.0);
                // Rates of false plots spread over what a vehicle may do.
                if range_rate_mps.is_some() { polar / FASTEST_CLUTTER_SPAN_MPS } else { polar }
            }
            Measurement::Bearing { .. } => self.per_rad,
            Measurement::Range { .. } => self.per_m,
            Measurement::Presence { .. } | Measurement::Crossing { .. } => self.per_scan,
        };
        intensity.max(SMALLEST_INTENSITY)
    }
}

/// Width of the range rates of false plots.
const FASTEST_CLUTTER_SPAN_MPS: f64 = 40.0;

/// No sensor is free of false plots.
const SMALLEST_INTENSITY: f64 = 1e-12;

/// Detections in a total order by what they say, so that the sensor's order carries no meaning.
fn in_canonical_order(detections: &[Detection]) -> Vec<Detection> {
    // The first two tell nearly all apart.
    let mut keyed: Vec<([i64; 2], usize)> = detections
        .iter()
        .enumerate()
        .map(|(place, detection)| {
            let [kind, first, ..] = key(detection);
            ([kind, first].map(in_total_order), place)
        })
        .collect();
    keyed.sort_unstable_by(|(a, one), (b, other)| {
        let of_all = |place: &usize| (key(&detections[*place]).map(in_total_order), detections[*place].object, *place);
        a.cmp(b).then_with(|| of_all(one).cmp(&of_all(other)))
    });
    keyed.into_iter().map(|(_, place)| detections[place]).collect()
}

/// A number that is ordered as [`f64::total_cmp`] orders, at the price of a comparison of integers.
fn in_total_order(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn key(detection: &Detection) -> [f64; 9] {
    let class = detection.class.map_or([-1.0; 3], |class| [class.person, class.animal, class.vehicle]);
    let [kind, a, b, c, d, e] = match detection.measurement {
        Measurement::Position { position_m: p, covariance_m2: m } => [0.0, p.x, p.y, m[(0, 0)], m[(0, 1)], m[(1, 1)]],
        Measurement::RangeBearing { range_m, range_sd_m, azimuth_rad, azimuth_sd_rad, range_rate_mps } => {
            let rate = range_rate_mps.map_or(f64::INFINITY, |(rate, sd)| rate + sd * 1e-9);
            [1.0, range_m, azimuth_rad, range_sd_m, azimuth_sd_rad, rate]
        }
        Measurement::Bearing { azimuth_rad, azimuth_sd_rad } => [2.0, azimuth_rad, azimuth_sd_rad, 0.0, 0.0, 0.0],
        Measurement::Range { range_m, range_sd_m } => [3.0, range_m, range_sd_m, 0.0, 0.0, 0.0],
        Measurement::Presence { strength } => [4.0, strength.unwrap_or(-1.0), 0.0, 0.0, 0.0, 0.0],
        Measurement::Crossing { direction } => {
            [5.0, direction.map_or(-1.0, |d| f64::from(d as u8)), 0.0, 0.0, 0.0, 0.0]
        }
    };
    [kind, a, b, c, d, e, class[0], class[1], class[2]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::fixture::sensor;
    use crate::sensor::SensorKind;

    #[test]
    fn a_detector_that_cannot_have_rearmed_says_little() {
        let footprint = Coverage::Circle { radius_m: 15.0 };
        let pir = SensorModel { rearm_s: 5.0, ..sensor(SensorKind::Pir, footprint.clone()) };
        let share = |model: &SensorModel, interval_s: f64| independent_share(model, Some(interval_s));
        assert!((share(&pir, 1.0) - 0.2).abs() < 1e-12 && share(&pir, 0.0) > 0.0);
        assert!((share(&pir, 5.0) - 1.0).abs() < 1e-12 && (independent_share(&pir, None) - 1.0).abs() < 1e-12);
        let radar = SensorModel { rearm_s: 5.0, ..sensor(SensorKind::Radar, footprint) };
        assert!((share(&radar, 1.0) - 1.0).abs() < 1e-12, "what scans has nothing to rearm");
    }
}

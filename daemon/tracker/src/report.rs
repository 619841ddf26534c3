//! From belief to report: a potential object as others see it.

use nalgebra::{Matrix2, Vector2};

use crate::bernoulli::Outlook;
use crate::config::TrackerConfig;
use crate::gaussian::Gaussian;
use crate::imm::Hypothesis;
use crate::quadrature;
use crate::track::{Track, TrackId, TrackStatus};

/// A track without a plot for this long is coasting.
const COASTING_S: f64 = 3.0;

/// Where to say that an ambiguous object is.
struct Point {
    position_m: Vector2<f64>,
    covariance_m2: Matrix2<f64>,
    /// Mean squared error with errors beyond the cut-off counted as the cut-off.
    error_m2: f64,
}

/// Rounds of moving the point to the mean of what is within the cut-off.
const ROUNDS: usize = 6;

/// Heaviest hypotheses from which the search starts, besides the mean.
const STARTS: usize = 4;

/// The point that minimises the mean squared error cut off at `cut_off_m`: the best answer under the GOSPA metric
/// (Rahmathullah, Garcia-Fernandez and Svensson, Fusion 2017), found by mean shift.
fn point(hypotheses: &[Hypothesis], mean: &Gaussian, cut_off_m: f64) -> Point {
    let cut_off_m2 = cut_off_m * cut_off_m;
    let places: Vec<(Vector2<f64>, f64)> = hypotheses
        .iter()
        .flat_map(|hypothesis| {
            let state = hypothesis.likeliest();
            let points = quadrature::points(state.position(), &state.position_covariance());
            points.map(|(place, weight)| (place, weight * hypothesis.weight))
        })
        .collect();
    let starts = hypotheses.iter().take(STARTS).map(|hypothesis| hypothesis.likeliest().position());
    let mut best =
        Point { position_m: mean.position(), covariance_m2: mean.position_covariance(), error_m2: f64::INFINITY };
    for start in starts.chain([mean.position()]) {
        let mut centre = start;
        for _ in 0..ROUNDS {
            let near = places.iter().filter(|(place, _)| (place - centre).norm_squared() < cut_off_m2);
            let (weight, sum) = near
                .fold((0.0, Vector2::zeros()), |(total, sum), (place, weight)| (total + weight, sum + place * *weight));
            if weight <= 0.0 {
                break;
            }
            centre = sum / weight;
        }
        let (mut error_m2, mut spread) = (0.0, Matrix2::zeros());
        for (place, weight) in &places {
            let offset = place - centre;
            error_m2 += weight * offset.norm_squared().min(cut_off_m2);
            // What lies beyond the cut-off is no part of the answer, but of how far it may be off.
            spread += offset * offset.transpose() * *weight;
        }
        if error_m2 < best.error_m2 {
            best = Point { position_m: centre, covariance_m2: spread, error_m2 };
        }
    }
    best
}

/// The track as it is reported, at the time of the outlook.
pub(crate) fn report(config: &TrackerConfig, id: TrackId, outlook: &Outlook<'_>, count: (u32, u32)) -> Track {
    let Outlook { track, state, .. } = outlook;
    let is_fixture = track.mooring.is_some_and(|mooring| mooring.is_fixture);
    let status = if track.confirmed && outlook.existence >= track.doubted_below(config) && !is_fixture {
        TrackStatus::Confirmed
    } else {
        TrackStatus::Tentative
    };
    // An error as large as the cut-off costs as much as no answer: half of its square is the most a point is worth.
    let cut_off_m = config.point_sd_m * core::f64::consts::SQRT_2;
    let (position_m, covariance_m2, localised) = if track.is_ambiguous() {
        let point = point(&outlook.hypotheses, state, cut_off_m);
        (point.position_m, point.covariance_m2, point.error_m2 <= config.point_sd_m * config.point_sd_m)
    } else {
        (state.position(), state.position_covariance(), state.position_sd_m() <= config.point_sd_m)
    };
    Track {
        id,
        status,
        coasting: outlook.time.seconds_since(track.last_seen) > COASTING_S,
        first_seen: track.label.time,
        last_seen: track.last_seen,
        position_m,
        position_covariance_m2: covariance_m2,
        localised,
        velocity_mps: state.velocity(),
        velocity_covariance_m2ps2: state.velocity_covariance(),
        existence: outlook.existence,
        class: track.class,
        count,
        contributions: track.records.as_slice().to_vec(),
        silent: track.records.silent().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two ways over a tripwire of 200 m: where along it is known to 58 m, and no better for leaving the ends out.
    #[test]
    fn what_lies_beyond_the_cut_off_is_part_of_the_uncertainty() {
        let way = |north_mps: f64| {
            let spread = Matrix2::new(58.0 * 58.0, 0.0, 0.0, 0.5);
            let state = Gaussian::new(Vector2::zeros(), spread, Vector2::new(0.0, north_mps), Matrix2::identity());
            Hypothesis { weight: 0.5, mode_probability: [0.0, 1.0, 0.0], modes: [state; 3] }
        };
        let both = [way(1.0), way(-1.0)];
        let mean = both[0].modes[0];
        let point = point(&both, &mean, 60.0);
        let sd_m = [(0, 0), (1, 1)].map(|axis| libm::sqrt(point.covariance_m2[axis]));
        assert!((sd_m[0] - 58.0).abs() < 1.0 && sd_m[1] < 1.0, "{sd_m:?}");
    }
}

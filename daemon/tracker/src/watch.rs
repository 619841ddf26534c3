//! Whether anybody watches where a track is, or where it is going: who leaves all coverage for good is not believed in
//! for long, who walks through a gap is.

use nalgebra::Vector2;

use crate::bernoulli::Bernoulli;
use crate::filter::Models;
use crate::sensor_state::SensorState;
use crate::time::Timestamp;

/// How far ahead a track's course is followed, and in what steps.
const COURSE_S: [f64; 8] = [5.0, 10.0, 20.0, 40.0, 60.0, 90.0, 120.0, 180.0];

/// Mean life of the track's object, as its place and course give it.
pub(crate) fn life_s(models: Models<'_>, sensors: &[SensorState], track: &Bernoulli) -> f64 {
    let state = track.moments();
    let (place, velocity) = (state.position(), state.velocity());
    let slack = state.position_sd_m();
    if is_watched(models, sensors, place, 0.0) || slack > models.config.point_sd_m {
        return models.config.mean_life_s;
    }
    let returns = COURSE_S.iter().any(|ahead| is_watched(models, sensors, place + velocity * *ahead, 0.0));
    if returns { models.config.mean_life_s } else { models.config.departed_life_s }
}

/// The track's existence when nothing more is heard until `at`.
pub(crate) fn existence_at(models: Models<'_>, sensors: &[SensorState], track: &Bernoulli, at: Timestamp) -> f64 {
    let interval_s = at.seconds_since(track.time).max(0.0);
    track.existence * libm::exp(-interval_s / life_s(models, sensors, track))
}

fn is_watched(models: Models<'_>, sensors: &[SensorState], place: Vector2<f64>, slack_m: f64) -> bool {
    models.sensors.iter().zip(sensors).any(|(model, state)| {
        let (low, high) = model.coverage.bounds_m(state.origin_m);
        let near = place.x >= low.x - slack_m
            && place.y >= low.y - slack_m
            && place.x <= high.x + slack_m
            && place.y <= high.y + slack_m;
        near && model.coverage.signed_distance_m(state.origin_m, place) >= -slack_m
    })
}

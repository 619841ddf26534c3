//! From belief to report: a potential object as others see it.

use crate::bernoulli::Bernoulli;
use crate::config::TrackerConfig;
use crate::track::{Track, TrackId, TrackStatus};

/// A track without a plot for this long is coasting.
const COASTING_S: f64 = 3.0;

/// The track as it is reported, at the time of its belief.
pub(crate) fn report(config: &TrackerConfig, id: TrackId, track: &Bernoulli, count: (u32, u32)) -> Track {
    let state = track.moments();
    let is_fixture = track.mooring.is_some_and(|mooring| mooring.is_fixture);
    let status = if track.confirmed && track.existence >= config.doubt_existence && !is_fixture {
        TrackStatus::Confirmed
    } else {
        TrackStatus::Tentative
    };
    Track {
        id,
        status,
        coasting: track.time.seconds_since(track.last_seen) > COASTING_S,
        first_seen: track.label.time,
        last_seen: track.last_seen,
        position_m: state.position(),
        position_covariance_m2: state.position_covariance(),
        localised: state.position_sd_m() <= config.point_sd_m,
        velocity_mps: state.velocity(),
        velocity_covariance_m2ps2: state.velocity_covariance(),
        existence: track.existence,
        class: track.class,
        count,
        contributions: track.records.as_slice().to_vec(),
        silent: track.records.silent().to_vec(),
    }
}

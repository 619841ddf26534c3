//! What can be set about the filter.

use serde::{Deserialize, Serialize};

use crate::motion::MotionModel;

/// Number of motion modes of the interacting multiple model filter.
pub(crate) const MODES: usize = 3;

/// Place of the walking mode among them.
pub(crate) const WALKING: usize = 1;

/// What can be set about the filter; every field has a default that suits people on foot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrackerConfig {
    /// Upper bound of tracks kept; the least likely to exist go first.
    pub max_tracks: usize,
    /// How far back a late scan is still filtered in at its own time.
    pub max_lag_s: f64,
    /// Upper bound of plots remembered for filtering again; the oldest scans go first.
    pub max_logged_plots: usize,
    /// Upper bound of tracks, of some kilobytes each, in all states remembered for it; the oldest states go first, the
    /// newest stays.
    pub max_logged_tracks: usize,
    /// How an object that stays moves.
    pub still: MotionModel,
    /// How an object on foot moves.
    pub walking: MotionModel,
    /// How a vehicle moves, or anything in a hurry.
    pub vehicle: MotionModel,
    /// How long an object usually keeps to one of these.
    pub mode_dwell_s: f64,
    /// How long an object usually stays in the watched area.
    pub mean_life_s: f64,
    /// How long a track is believed in after it has left all coverage and heads for none, at most: no longer than it takes
    /// the sensors that saw it to look again.
    pub departed_life_s: f64,
    /// Objects that appear per square kilometre and hour: where the learned rate starts. With the mean life it also
    /// gives how many are there when the filter starts.
    pub arrivals_per_km2_hour: f64,
    /// Existence probability from which a track is confirmed.
    pub confirm_existence: f64,
    /// Existence probability below which a confirmed track is tentative again; lower than the above keeps it from flickering.
    pub doubt_existence: f64,
    /// Existence probability below which a track is forgotten, unless it began with little more.
    pub forget_existence: f64,
    /// Standard deviation of the position from which a track is a zone rather than a point.
    pub point_sd_m: f64,
    /// Whether objects come in groups: people do, boats and vehicles rather not.
    pub groups: bool,
    /// How long an object of interest stays in one place at most; what stays longer, from when it was found, is a
    /// fixture and not reported as confirmed until it moves. Zero when everything is of interest.
    pub fixture_after_s: f64,
    /// How long an object usually stays visible to a sensor, or hidden from it; zero when nothing is ever hidden.
    pub visibility_dwell_s: f64,
    /// Part of the objects in a sensor's coverage that are visible to it.
    pub visible_share: f64,
    /// Standard deviation of an object's returns around its middle; zero for objects that give one plot at most.
    pub object_extent_m: f64,
    /// Expected number of an object's further returns in a scan.
    pub further_returns: f64,
    /// Positions in one scan nearer to each other than this are taken as one object's, and their mean as its plot.
    pub join_plots_m: f64,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self {
            max_tracks: 20_000,
            max_lag_s: 30.0,
            max_logged_plots: 50_000,
            max_logged_tracks: 4_000,
            still: MotionModel { speed_sd_mps: 0.1, persistence_s: 2.0, share: 0.02 },
            walking: MotionModel { speed_sd_mps: 1.1, persistence_s: 480.0, share: 0.97 },
            vehicle: MotionModel { speed_sd_mps: 6.0, persistence_s: 30.0, share: 0.01 },
            mode_dwell_s: 600.0,
            mean_life_s: 400.0,
            departed_life_s: 1.0,
            arrivals_per_km2_hour: 30.0,
            confirm_existence: 0.5,
            doubt_existence: 0.5,
            forget_existence: 0.000_1,
            point_sd_m: 30.0,
            groups: true,
            fixture_after_s: 0.0,
            visibility_dwell_s: 0.0,
            visible_share: 0.8,
            object_extent_m: 0.0,
            further_returns: 1.0,
            join_plots_m: 0.0,
        }
    }
}

impl TrackerConfig {
    pub(crate) fn modes(&self) -> [MotionModel; MODES] {
        [self.still, self.walking, self.vehicle]
    }
}

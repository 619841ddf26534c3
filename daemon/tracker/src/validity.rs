//! What the filter cannot work with: checked once, when it is made.

use crate::config::TrackerConfig;
use crate::sensor::{Clutter, Coverage, SensorModel};

/// A sensor model or a setting the filter cannot work with.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ModelError {
    /// A value outside its range.
    #[error("{what} of {whose} is {got}, expected {expected}")]
    OutOfRange {
        /// The field.
        what: &'static str,
        /// The sensor's id, or "tracker".
        whose: String,
        /// The value.
        got: f64,
        /// What would be right.
        expected: &'static str,
    },
}

/// The first value that is out of range.
pub(crate) fn check<'a>(
    config: &TrackerConfig,
    sensors: impl IntoIterator<Item = &'a SensorModel>,
) -> Result<(), ModelError> {
    check_settings(config)?;
    sensors.into_iter().try_for_each(check_sensor)
}

fn check_settings(config: &TrackerConfig) -> Result<(), ModelError> {
    let of = Owner("tracker");
    for model in config.modes() {
        of.positive("speed_sd_mps", model.speed_sd_mps)?;
        of.positive("persistence_s", model.persistence_s)?;
        of.probability("share", model.share)?;
    }
    of.positive("share of all ways of moving together", config.modes().iter().map(|model| model.share).sum())?;
    of.positive("mode_dwell_s", config.mode_dwell_s)?;
    of.positive("mean_life_s", config.mean_life_s)?;
    of.positive("departed_life_s", config.departed_life_s)?;
    of.positive("arrivals_per_km2_hour", config.arrivals_per_km2_hour)?;
    of.positive("point_sd_m", config.point_sd_m)?;
    of.not_negative("max_lag_s", config.max_lag_s)?;
    of.probability("confirm_existence", config.confirm_existence)?;
    of.probability("doubt_existence", config.doubt_existence)?;
    of.probability("forget_existence", config.forget_existence)?;
    of.not_negative("fixture_after_s", config.fixture_after_s)?;
    of.not_negative("visibility_dwell_s", config.visibility_dwell_s)?;
    of.probability("visible_share", config.visible_share)?;
    of.not_negative("object_extent_m", config.object_extent_m)?;
    of.not_negative("further_returns", config.further_returns)?;
    of.not_negative("join_plots_m", config.join_plots_m)?;
    of.some("max_tracks", config.max_tracks)?;
    of.some("max_logged_plots", config.max_logged_plots)?;
    of.some("max_logged_tracks", config.max_logged_tracks)
}

fn check_sensor(sensor: &SensorModel) -> Result<(), ModelError> {
    let of = Owner(&sensor.id);
    of.probability("detection_probability", sensor.detection_probability)?;
    of.positive("position_sd_m", sensor.position_sd_m)?;
    of.positive("range_sd_m", sensor.range_sd_m)?;
    of.positive("azimuth_sd_rad", sensor.azimuth_sd_rad)?;
    of.positive("range_rate_sd_mps", sensor.range_rate_sd_mps)?;
    of.not_negative("rearm_s", sensor.rearm_s)?;
    of.not_negative("latency_s", sensor.latency_s)?;
    match sensor.clutter {
        Clutter::PerScan(count) => of.not_negative("clutter_per_scan", count)?,
        Clutter::PerHour(count) => of.not_negative("false_alarms_per_hour", count)?,
    }
    if let Some(period_s) = sensor.scan_period_s {
        of.positive("scan_period_s", period_s)?;
    }
    let [east, north] = [sensor.position_m.x, sensor.position_m.y];
    of.finite("position east_m", east)?;
    of.finite("position north_m", north)?;
    match &sensor.coverage {
        Coverage::Circle { radius_m } => of.positive("radius_m", *radius_m),
        Coverage::Sector { range_m, min_range_m, heading_rad, width_rad } => {
            of.not_negative("min_range_m", *min_range_m)?;
            of.positive("range_m beyond min_range_m", range_m - min_range_m)?;
            of.finite("heading_rad", *heading_rad)?;
            of.positive("width_rad", *width_rad)
        }
        Coverage::Polygon { points_m } => {
            points_m.iter().flatten().try_for_each(|coordinate| of.finite("points_m", *coordinate))?;
            of.positive("area of points_m", sensor.coverage.area_m2())
        }
        Coverage::Line { from_m, to_m } => {
            from_m.iter().chain(to_m).try_for_each(|coordinate| of.finite("line", *coordinate))?;
            of.positive("length of the line", libm::hypot(to_m[0] - from_m[0], to_m[1] - from_m[1]))
        }
    }
}

/// Whose value it is.
struct Owner<'a>(&'a str);

impl Owner<'_> {
    fn positive(&self, what: &'static str, got: f64) -> Result<(), ModelError> {
        self.require(got.is_finite() && got > 0.0, what, got, "a number above zero")
    }

    fn not_negative(&self, what: &'static str, got: f64) -> Result<(), ModelError> {
        self.require(got.is_finite() && got >= 0.0, what, got, "zero or a number above it")
    }

    fn probability(&self, what: &'static str, got: f64) -> Result<(), ModelError> {
        self.require((0.0..=1.0).contains(&got), what, got, "a probability, 0 to 1")
    }

    fn finite(&self, what: &'static str, got: f64) -> Result<(), ModelError> {
        self.require(got.is_finite(), what, got, "a finite number")
    }

    fn some(&self, what: &'static str, count: usize) -> Result<(), ModelError> {
        self.require(count > 0, what, 0.0, "one or more")
    }

    fn require(&self, holds: bool, what: &'static str, got: f64, expected: &'static str) -> Result<(), ModelError> {
        if holds { Ok(()) } else { Err(ModelError::OutOfRange { what, whose: self.0.to_owned(), got, expected }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut TrackerConfig)) -> Option<&'static str> {
        let mut config = TrackerConfig::default();
        change(&mut config);
        check(&config, []).err().map(|ModelError::OutOfRange { what, .. }| what)
    }

    #[test]
    fn every_number_of_the_settings_is_checked() {
        assert_eq!(refused(|_| {}), None);
        for wrong in [f64::NAN, f64::INFINITY, -1.0, 7.0] {
            assert_eq!(refused(|config| config.visible_share = wrong), Some("visible_share"), "{wrong}");
        }
        for wrong in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(refused(|config| config.fixture_after_s = wrong), Some("fixture_after_s"), "{wrong}");
            assert_eq!(refused(|config| config.visibility_dwell_s = wrong), Some("visibility_dwell_s"), "{wrong}");
            assert_eq!(refused(|config| config.object_extent_m = wrong), Some("object_extent_m"), "{wrong}");
            assert_eq!(refused(|config| config.further_returns = wrong), Some("further_returns"), "{wrong}");
            assert_eq!(refused(|config| config.join_plots_m = wrong), Some("join_plots_m"), "{wrong}");
        }
    }

    /// A filter that may keep nothing tracks nothing.
    #[test]
    fn no_bound_is_zero() {
        assert_eq!(refused(|config| config.max_tracks = 0), Some("max_tracks"));
        assert_eq!(refused(|config| config.max_logged_plots = 0), Some("max_logged_plots"));
        assert_eq!(refused(|config| config.max_logged_tracks = 0), Some("max_logged_tracks"));
    }
}

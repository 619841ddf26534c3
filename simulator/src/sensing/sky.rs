//! The weather as sensors feel it: gusts that fool many detectors at once, rain, fog, the small animals of dawn.
//!
//! False alarms are a doubly stochastic Poisson process (Cox 1955): the rate itself is random and shared by all sensors
//! of the site, so nuisance comes in bursts, as it does in the field. The logarithm of the gust factor is an
//! Ornstein-Uhlenbeck process with a correlation time of two minutes.

use crate::random::Random;
use crate::scenario::{Layout, SensorKind, Weather};

/// Time between two samples of the gust process.
const GUST_STEP_S: f64 = 10.0;
const GUST_TIME_S: f64 = 120.0;
/// Standard deviation of the logarithm of the gust factor.
const GUST_SD: f64 = 0.8;
/// Wind at which vegetation and the ground's own unrest double a detector's false alarms.
const WIND_DOUBLES_MPS: f64 = 4.0;

/// The weather of a whole scenario.
#[derive(Clone, Debug)]
pub(super) struct Sky {
    weather: Vec<Weather>,
    gusts: Vec<f64>,
}

impl Sky {
    pub(super) fn over(layout: &Layout, seed: u64) -> Self {
        let mut gusts = Vec::new();
        if !layout.weather.is_empty() {
            let mut random = Random::stream(seed, "gusts");
            let keep = libm::exp(-GUST_STEP_S / GUST_TIME_S);
            let fresh = GUST_SD * libm::sqrt(1.0 - keep * keep);
            let mut level = random.normal() * GUST_SD;
            let mut time_s = 0.0;
            while time_s <= layout.duration_s {
                // The mean of a log-normal factor is kept at one.
                gusts.push(libm::exp(level - GUST_SD * GUST_SD / 2.0));
                level = level * keep + random.normal() * fresh;
                time_s += GUST_STEP_S;
            }
        }
        Self { weather: layout.weather.clone(), gusts }
    }

    /// The weather at that time; none when the scenario has no weather.
    fn at(&self, elapsed_s: f64) -> Option<Weather> {
        let after = self.weather.partition_point(|point| point.at_s <= elapsed_s);
        let (Some(before), Some(next)) = (self.weather.get(after.saturating_sub(1)), self.weather.get(after)) else {
            return self.weather.last().copied();
        };
        if after == 0 {
            return Some(*before);
        }
        let share = (elapsed_s - before.at_s) / (next.at_s - before.at_s);
        let mix = |a: f64, b: f64| a + (b - a) * share;
        Some(Weather {
            at_s: elapsed_s,
            wind_mps: mix(before.wind_mps, next.wind_mps),
            rain_mmph: mix(before.rain_mmph, next.rain_mmph),
            visibility_m: mix(before.visibility_m, next.visibility_m),
            temperature_c: mix(before.temperature_c, next.temperature_c),
            wildlife: mix(before.wildlife, next.wildlife),
            // Light falls by factors, not by differences.
            light_lux: libm::exp(mix(libm::log(before.light_lux.max(1e-4)), libm::log(next.light_lux.max(1e-4)))),
        })
    }

    /// Factor on a sensor's rate of false alarms.
    pub(super) fn nuisance(&self, sensor: SensorKind, elapsed_s: f64) -> f64 {
        let Some(weather) = self.at(elapsed_s) else { return 1.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and casts saturate")]
        let gust = self.gusts.get((elapsed_s / GUST_STEP_S) as usize).copied().unwrap_or(1.0);
        let wind = weather.wind_mps / WIND_DOUBLES_MPS;
        let blown = 1.0 + wind * wind * gust;
        match sensor {
            SensorKind::Pir => blown * weather.wildlife,
            SensorKind::Seismic => blown + weather.rain_mmph,
            SensorKind::Tripwire => blown,
            // Rain returns the radar's pulses, and blown trees look like something that moves.
            SensorKind::Radar => 1.0 + weather.rain_mmph / 4.0 + wind * gust / 2.0,
            SensorKind::Camera => 1.0 + wind * gust / 2.0,
        }
    }

    /// The greatest factor that [`Self::nuisance`] gives for the sensor, or a little more.
    pub(super) fn greatest_nuisance(&self, sensor: SensorKind, duration_s: f64) -> f64 {
        if self.weather.is_empty() {
            return 1.0;
        }
        let mut greatest: f64 = 1.0;
        let mut time_s = 0.0;
        while time_s <= duration_s {
            greatest = greatest.max(self.nuisance(sensor, time_s));
            time_s += GUST_STEP_S;
        }
        greatest * 1.5
    }

    /// How far a camera sees: no farther than the meteorological visibility (Koschmieder's law at 5 % contrast).
    pub(super) fn visibility_m(&self, elapsed_s: f64) -> f64 {
        self.at(elapsed_s).map_or(f64::INFINITY, |weather| weather.visibility_m)
    }

    /// Factor on the probability that a camera which needs light detects: all of it from 100 lux, where colour cameras are
    /// rated, none at 0.1 lux, the least illumination that makers of such cameras name; by the logarithm between.
    pub(super) fn light(&self, elapsed_s: f64) -> f64 {
        const DARK_LUX: f64 = 0.1;
        const BRIGHT_LUX: f64 = 100.0;
        let Some(weather) = self.at(elapsed_s) else { return 1.0 };
        let share = libm::log(weather.light_lux.max(1e-4) / DARK_LUX) / libm::log(BRIGHT_LUX / DARK_LUX);
        share.clamp(0.0, 1.0)
    }

    /// Factor on a detector's rate of true detections: rain drums on the ground above footsteps.
    pub(super) fn sensitivity(&self, sensor: SensorKind, elapsed_s: f64) -> f64 {
        match (sensor, self.at(elapsed_s)) {
            (SensorKind::Seismic, Some(weather)) => 1.0 / (1.0 + weather.rain_mmph / 5.0 + weather.wind_mps / 20.0),
            _ => 1.0,
        }
    }
}

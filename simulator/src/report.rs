//! What a sensor says, in the terms of the native detection format.

use serde::Serialize;
use vedette_engine::Timestamp;

/// One plot of a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Plot {
    /// A position in the site frame.
    Position {
        /// East.
        east_m: f64,
        /// North.
        north_m: f64,
        /// What the sensor takes it for.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<Class>,
    },
    /// Range and direction from the sensor.
    RangeBearing {
        /// Distance.
        range_m: f64,
        /// Clockwise from true north.
        azimuth_deg: f64,
        /// What the sensor takes it for.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<Class>,
    },
    /// Direction from the sensor.
    Bearing {
        /// Clockwise from true north.
        azimuth_deg: f64,
        /// What the sensor takes it for.
        #[serde(skip_serializing_if = "Option::is_none")]
        class: Option<Class>,
    },
    /// Something inside the coverage.
    Presence {
        /// Signal strength, 0 to 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        strength: Option<f64>,
    },
    /// Something crossed the line.
    Crossing {
        /// Which way, when the sensor can tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        direction: Option<&'static str>,
    },
}

/// What a sensor takes an object for: probabilities that sum to one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Class {
    /// On foot.
    pub person: f64,
    /// An animal.
    pub animal: f64,
    /// A vehicle.
    pub vehicle: f64,
}

/// All that one sensor reports for one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Index of the sensor in the scenario.
    pub sensor: usize,
    /// When it was measured, by a perfect clock.
    pub measured: Timestamp,
    /// When it was measured, by the sensor's clock.
    pub stamped: Timestamp,
    /// When it reaches the gateway.
    pub received: Timestamp,
    /// Number of the report at its sensor.
    pub seq: u32,
    /// What is reported.
    pub plots: Vec<Plot>,
    /// For each plot the number of the walker behind it; none: clutter.
    pub causes: Vec<Option<usize>>,
    /// A byte of it was damaged on the way.
    pub damaged: bool,
}

/// The number rounded to so many decimals, so that it is short in text.
#[must_use]
pub(crate) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = libm::pow(10.0, f64::from(decimals));
    libm::round(value * scale) / scale
}

//! Radio concentrators and what all of them share.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vedette_wire::link::Configure;

/// A radio concentrator on a serial line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialSource {
    /// Name in logs, counters and facts.
    pub name: String,
    /// Path of the device; best under `/dev/serial/by-id/`, where it keeps its name when it is plugged in again.
    pub device: PathBuf,
    /// Line speed.
    #[serde(default = "default_baud")]
    pub baud: u32,
    /// Frames that may wait for the engine.
    #[serde(default = "super::tables::default_queue_frames")]
    pub queue_frames: usize,
}

/// What all concentrators of a site share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Radio {
    /// Folder with one key file for each node, as `vedette keys new` makes them.
    pub keys_dir: PathBuf,
    /// Carrier.
    #[serde(default = "Radio::frequency_khz")]
    pub frequency_khz: u32,
    /// LoRa spreading factor.
    #[serde(default = "Radio::spreading_factor")]
    pub spreading_factor: u8,
    /// Bandwidth.
    #[serde(default = "Radio::bandwidth_khz")]
    pub bandwidth_khz: u16,
    /// Transmit power.
    #[serde(default = "Radio::power_dbm")]
    pub power_dbm: i8,
    /// Greatest share of an hour that a concentrator may be on the air.
    #[serde(default = "Radio::duty_permille")]
    pub duty_permille: u16,
    /// Time between two status messages of a concentrator.
    #[serde(default = "Radio::status_interval_s")]
    pub status_interval_s: u16,
}

impl Radio {
    const fn frequency_khz() -> u32 {
        Configure::DEFAULT.frequency_khz
    }

    const fn spreading_factor() -> u8 {
        Configure::DEFAULT.spreading_factor
    }

    const fn bandwidth_khz() -> u16 {
        Configure::DEFAULT.bandwidth_khz
    }

    const fn power_dbm() -> i8 {
        Configure::DEFAULT.power_dbm
    }

    const fn duty_permille() -> u16 {
        Configure::DEFAULT.duty_permille
    }

    const fn status_interval_s() -> u16 {
        Configure::DEFAULT.status_period_s
    }

    /// As a concentrator is told.
    #[must_use]
    pub const fn settings(&self) -> Configure {
        Configure {
            frequency_khz: self.frequency_khz,
            spreading_factor: self.spreading_factor,
            bandwidth_khz: self.bandwidth_khz,
            power_dbm: self.power_dbm,
            duty_permille: self.duty_permille,
            status_period_s: self.status_interval_s,
        }
    }
}

pub(super) fn default_baud() -> u32 {
    115_200
}

//! What the fields of a LoRaWAN detector's uplinks mean.

use serde::{Deserialize, Serialize};

use super::check::Checker;

/// Names of fields of the decoded object, with dots between levels (`status.motion`); what is not named is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UplinkTable {
    /// True, or a number above `above`, is a detection; the number is its strength.
    #[serde(default)]
    pub detection: Option<String>,
    /// See `detection`.
    #[serde(default)]
    pub above: f64,
    /// Instead of `detection`, without a payload decoder: the number of a byte of the payload, from 0 ..
    #[serde(default)]
    pub byte: Option<usize>,
    /// .. and the bits of it of which one must be set.
    #[serde(default = "every_bit")]
    pub mask: u8,
    /// `"in"` or 1, `"out"` or 0: the detection is a crossing that way.
    #[serde(default)]
    pub direction: Option<String>,
    /// Metres to what was detected.
    #[serde(default)]
    pub range_m: Option<String>,
    /// Degrees clockwise from true north to what was detected.
    #[serde(default)]
    pub azimuth_deg: Option<String>,
    /// Latitude of what was detected.
    #[serde(default)]
    pub lat: Option<String>,
    /// Longitude of what was detected.
    #[serde(default)]
    pub lon: Option<String>,
    /// Battery voltage in volts ..
    #[serde(default)]
    pub battery_v: Option<String>,
    /// .. or in millivolts.
    #[serde(default)]
    pub battery_mv: Option<String>,
    /// True when the housing was opened or moved.
    #[serde(default)]
    pub tamper: Option<String>,
}

/// The same as meant.
pub type Uplink = UplinkTable;

fn every_bit() -> u8 {
    0xff
}

pub(super) fn resolve(table: Option<&UplinkTable>, check: &mut Checker<'_>) -> Option<Uplink> {
    let uplink = table?;
    let mut check = check.table("uplink");
    match (&uplink.detection, uplink.byte) {
        (Some(_), None) | (None, Some(_)) => {}
        (None, None) => check.missing("detection", "the field that means a detection", "write detection = \"motion\""),
        (Some(_), Some(_)) => check.fault("byte", "either detection or byte", "both", Some("remove one of the two")),
    }
    if uplink.mask == 0 {
        check.fault("mask", "bits from 1 to 255", "0", None);
    }
    if !uplink.above.is_finite() {
        check.fault("above", "a number", &uplink.above.to_string(), None);
    }
    if uplink.lat.is_some() != uplink.lon.is_some() {
        check.fault("lat", "both lat and lon", "one of the two", None);
    }
    Some(uplink.clone())
}

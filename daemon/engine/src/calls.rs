//! Calls for help: what a distress beacon, a button on a post or an own unit's radio says of itself.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Coverage, Measurement, Scan, SensorModel, Timestamp};

use crate::config::Site;

/// A caller who has not been heard for so long calls anew.
const FORGOTTEN_AFTER_S: f64 = 3_600.0;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Caller {
    /// Whom a sensor for such calls hears, by its index.
    Sensor(usize),
    /// An own unit, by index.
    Unit(usize),
}

/// What an own unit says with its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distress {
    /// It calls for help.
    Calls,
    /// It takes that back.
    CalledOff,
}

/// One caller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) caller: Caller,
    pub(crate) position_m: Vector2<f64>,
    /// Standard deviation of the place per axis.
    pub(crate) sd_m: f64,
    /// Direction from the sensor, where that is what it measures, degrees clockwise from grid north.
    pub(crate) azimuth_deg: Option<f64>,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) called_off: Option<Timestamp>,
}

/// All callers lately: at most one for each sensor and unit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Calls(Vec<Call>);

impl Calls {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Call> {
        self.0.iter()
    }

    /// Takes in what a sensor for calls reported; an empty scan is no call.
    pub(crate) fn take_scan(&mut self, scan: &Scan, now: Timestamp, site: &Site) {
        let model = &site.sensors[scan.sensor].model;
        let stands_at_m = scan.at.map_or(model.position_m, |pose| pose.position_m);
        let Some(detection) = scan.detections.first() else { return };
        self.hear(Caller::Sensor(scan.sensor), placed(&detection.measurement, model, stands_at_m), now);
    }

    /// Takes in what an own unit says at this place.
    pub(crate) fn take_unit(
        &mut self,
        unit: usize,
        distress: Distress,
        (position_m, sd_m): (Vector2<f64>, f64),
        now: Timestamp,
    ) {
        let caller = Caller::Unit(unit);
        match distress {
            Distress::Calls => self.hear(caller, (position_m, sd_m, None), now),
            Distress::CalledOff => {
                if let Some(call) = self.0.iter_mut().find(|call| call.caller == caller) {
                    call.called_off.get_or_insert(now);
                    call.last = now;
                }
            }
        }
    }

    fn hear(&mut self, caller: Caller, (position_m, sd_m, azimuth_deg): Spot, now: Timestamp) {
        self.0.retain(|call| now.seconds_since(call.last) < FORGOTTEN_AFTER_S);
        let heard = Call { caller, position_m, sd_m, azimuth_deg, first: now, last: now, called_off: None };
        match self.0.iter_mut().find(|call| call.caller == caller) {
            Some(call) => *call = Call { first: call.first, ..heard },
            None => self.0.push(heard),
        }
    }
}

/// Position, its standard deviation per axis in metres, and the direction in degrees where that is what is measured.
type Spot = (Vector2<f64>, f64, Option<f64>);

/// Where the caller is: where it was measured, else somewhere in the sensor's reach.
fn placed(measurement: &Measurement, model: &SensorModel, stands_at_m: Vector2<f64>) -> Spot {
    let ahead = |azimuth_rad: f64| Vector2::new(libm::sin(azimuth_rad), libm::cos(azimuth_rad));
    let degrees = |azimuth_rad: f64| azimuth_rad.to_degrees().rem_euclid(360.0);
    match measurement {
        Measurement::Position { position_m, covariance_m2 } => {
            (*position_m, libm::sqrt(f64::max(covariance_m2.trace() / 2.0, 0.0)), None)
        }
        Measurement::RangeBearing { range_m, range_sd_m, azimuth_rad, azimuth_sd_rad, .. } => {
            let sd_m = f64::max(*range_sd_m, range_m * azimuth_sd_rad);
            (stands_at_m + ahead(*azimuth_rad) * *range_m, sd_m, None)
        }
        Measurement::Bearing { azimuth_rad, .. } => {
            (stands_at_m, reach_m(&model.coverage), Some(degrees(*azimuth_rad)))
        }
        Measurement::Range { range_m, .. } => (stands_at_m, *range_m, None),
        Measurement::Presence { .. } | Measurement::Crossing { .. } => {
            (stands_at_m, reach_m(&model.coverage) / 2.0, None)
        }
    }
}

fn reach_m(coverage: &Coverage) -> f64 {
    match coverage {
        Coverage::Circle { radius_m } => *radius_m,
        Coverage::Sector { range_m, .. } => *range_m,
        Coverage::Line { from_m, to_m } => (Vector2::from(*to_m) - Vector2::from(*from_m)).norm() / 2.0,
        // Told as an area.
        Coverage::Polygon { .. } => 1_000.0,
    }
}

//! Flowing water shakes the ground beside it: a geophone near a river hears footsteps worse.

use crate::geometry::distance_to_chain;
use crate::scenario::{River, Sensor, SensorKind};

/// Beyond this distance from the bank a river's unrest is below that of the ground. Streams raise the seismic noise
/// between 1 and 100 Hz, where footsteps are, within tens of metres of their banks (Burtin et al., J. Geophys. Res. 113,
/// 2008; Gimbert, Tsai and Lamb, J. Geophys. Res. Earth Surf. 119, 2014).
const HEARD_M: f64 = 50.0;
/// Factor on the rate of true detections at the bank.
const AT_THE_BANK: f64 = 0.3;

/// Factor on a detector's rate of true detections: 1 for all but geophones.
pub(super) fn quiet(rivers: &[River], sensor: &Sensor) -> f64 {
    if sensor.kind != SensorKind::Seismic {
        return 1.0;
    }
    let from_bank = |river: &River| distance_to_chain(sensor.position_m, &river.line_m) - river.width_m / 2.0;
    let nearest_m = rivers.iter().map(from_bank).fold(f64::INFINITY, f64::min);
    AT_THE_BANK + (1.0 - AT_THE_BANK) * (nearest_m / HEARD_M).clamp(0.0, 1.0)
}

//! How conspicuous each kind of object is to each kind of sensor, against a walking person for whom ranges are configured.

use crate::scenario::{AgentKind, SensorKind};

/// Factor on the range at which the sensor notices the object.
///
/// Unattended ground sensors: footsteps are felt at 10 to 50 m and vehicles at 100 to 500 m, ten times as far (US Army
/// FM 34-10-1, chapter 2, on REMBASS seismic sensors); a roe deer of 25 kg and a boar of 80 kg step lighter and less
/// regularly than a person. PIR ranges grow with the warm surface in view. Cameras: by Johnson's criteria the range of
/// detection is proportional to the object's critical dimension (Johnson 1958), 0.75 m for a person and 2.3 m for a car;
/// half a metre for a deer or a boar.
pub(super) fn range_factor(sensor: SensorKind, object: AgentKind) -> f64 {
    use AgentKind::{Boar, Deer, Farmer, Patrol, Person, Vehicle};
    match (sensor, object) {
        (SensorKind::Seismic, Vehicle) => SEISMIC_VEHICLE,
        (SensorKind::Seismic, Deer | Boar) => 0.5,
        (SensorKind::Pir, Vehicle) => 1.5,
        (SensorKind::Pir, Deer | Boar) => 0.8,
        (SensorKind::Camera, Deer | Boar) => 0.7,
        (SensorKind::Camera, Vehicle) => 3.0,
        (SensorKind::Radar | SensorKind::Tripwire, _) | (_, Person | Patrol | Farmer) => 1.0,
    }
}

const SEISMIC_VEHICLE: f64 = 10.0;

/// The greatest factor that any object has for the sensor.
pub(super) fn greatest_range_factor(sensor: SensorKind) -> f64 {
    match sensor {
        SensorKind::Seismic => SEISMIC_VEHICLE,
        SensorKind::Pir => 1.5,
        SensorKind::Camera => 3.0,
        SensorKind::Radar | SensorKind::Tripwire => 1.0,
    }
}

/// Factor on the probability of detection.
///
/// Radar cross sections at X band: a person about 0.5 to 1 m2, a deer half of that, a car 10 m2 and more (Skolnik,
/// Introduction to Radar Systems, third edition, table 2.1). A beam at knee height misses some animals.
pub(super) fn detection_factor(sensor: SensorKind, object: AgentKind) -> f64 {
    match (sensor, object) {
        (SensorKind::Radar, AgentKind::Deer | AgentKind::Boar) => 0.85,
        (SensorKind::Tripwire, AgentKind::Boar) => 0.7,
        (SensorKind::Tripwire, AgentKind::Deer) => 0.8,
        _ => 1.0,
    }
}

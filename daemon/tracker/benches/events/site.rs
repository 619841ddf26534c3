//! A strip of 4 km by 400 m full of sensors, and what they report of a hundred people who walk about in it.

use nalgebra::Vector2;
use vedette_tracker::{Clutter, Coverage, Detection, Direction, Measurement, Scan, SensorKind, SensorModel, Timestamp};

use crate::field::{Noise, position, radar};

const SPACING_M: f64 = 40.0;
const PER_ROW: u32 = 100;
const LENGTH_M: f64 = SPACING_M * 100.0;
const WIDTH_M: f64 = 400.0;
const PEOPLE: u32 = 100;
const FOOTPRINT_M: f64 = 15.0;
const CAMERA_RANGE_M: f64 = 300.0;
const CAMERA_WIDTH_RAD: f64 = 1.0;
const CAMERA_SD_RAD: f64 = 0.007;
const RADAR_RANGE_M: f64 = 400.0;

/// Infrared detectors in rows of a hundred.
pub(crate) fn detectors(count: u32) -> Vec<SensorModel> {
    let detector = |number: u32| SensorModel {
        id: format!("pir-{number}"),
        kind: SensorKind::Pir,
        position_m: Vector2::new(f64::from(number % PER_ROW), f64::from(number / PER_ROW)) * SPACING_M,
        coverage: Coverage::Circle { radius_m: FOOTPRINT_M },
        scan_period_s: None,
        detection_probability: 0.85,
        clutter: Clutter::PerHour(1.0),
        rearm_s: 5.0,
        ..radar("", 0.0)
    };
    (0..count).map(detector).collect()
}

/// 600 detectors, 300 tripwires between their rows, 90 cameras along the southern edge, 10 radars in the middle.
pub(crate) fn mixed() -> Vec<SensorModel> {
    let mut sensors = detectors(600);
    for number in 0..300_u32 {
        let middle = Vector2::new(f64::from(number % PER_ROW), f64::from(number / PER_ROW) * 2.0 + 0.5) * SPACING_M;
        let half_m = 0.5 * SPACING_M;
        sensors.push(SensorModel {
            id: format!("tripwire-{number}"),
            kind: SensorKind::Tripwire,
            position_m: middle,
            coverage: Coverage::Line { from_m: [middle.x - half_m, middle.y], to_m: [middle.x + half_m, middle.y] },
            scan_period_s: None,
            detection_probability: 0.95,
            clutter: Clutter::PerHour(0.05),
            rearm_s: 1.0,
            ..radar("", 0.0)
        });
    }
    for number in 0..90_u32 {
        sensors.push(SensorModel {
            id: format!("camera-{number}"),
            kind: SensorKind::Camera,
            position_m: Vector2::new(f64::from(number) * LENGTH_M / 90.0, -20.0),
            coverage: sector(CAMERA_RANGE_M, CAMERA_WIDTH_RAD),
            azimuth_sd_rad: CAMERA_SD_RAD,
            detection_probability: 0.85,
            clutter: Clutter::PerScan(0.05),
            ..radar("", 0.0)
        });
    }
    for number in 0..10_u32 {
        sensors.push(SensorModel {
            id: format!("radar-{number}"),
            position_m: Vector2::new((f64::from(number) + 0.5) * LENGTH_M / 10.0, 0.5 * WIDTH_M),
            coverage: sector(RADAR_RANGE_M, core::f64::consts::TAU),
            clutter: Clutter::PerScan(2.0),
            ..radar("", 0.0)
        });
    }
    sensors
}

fn sector(range_m: f64, width_rad: f64) -> Coverage {
    Coverage::Sector { range_m, min_range_m: 0.0, heading_rad: 0.0, width_rad }
}

/// Somebody who walks straight on and turns back at the edges.
struct Person {
    place: Vector2<f64>,
    velocity: Vector2<f64>,
}

impl Person {
    fn step(&mut self) {
        for (axis, extent_m) in [(0, LENGTH_M), (1, WIDTH_M)] {
            let next = self.place[axis] + self.velocity[axis];
            if !(0.0..=extent_m).contains(&next) {
                self.velocity[axis] = -self.velocity[axis];
            }
        }
        self.place += self.velocity;
    }
}

/// So many seconds of events in order of time. Each sensor looks once a second, at its own moment.
pub(crate) fn walk(sensors: &[SensorModel], seconds: u32, noise: &mut Noise) -> Vec<Scan> {
    let mut people: Vec<Person> = (0..PEOPLE)
        .map(|_| Person {
            place: Vector2::new(LENGTH_M * noise.uniform(), WIDTH_M * noise.uniform()),
            velocity: Vector2::new(noise.normal(), noise.normal()),
        })
        .collect();
    let moments: Vec<f64> = sensors.iter().map(|_| 0.99 * noise.uniform()).collect();
    let mut armed_at = vec![0.0; sensors.len()];
    let mut scans = Vec::new();
    for second in 0..seconds {
        for (sensor, model) in sensors.iter().enumerate() {
            let t = f64::from(second) + moments[sensor];
            if t < armed_at[sensor] {
                continue;
            }
            let mut detections = Vec::new();
            for person in &people {
                let place = person.place + person.velocity * moments[sensor];
                let seen = noise.uniform() < model.detection_probability;
                detections.extend(seen.then(|| sighting(model, place, person.velocity, noise)).flatten());
            }
            if model.scan_period_s.is_none() {
                // A detector or a line reports one event, however many people there are.
                detections.truncate(1);
                if detections.is_empty() {
                    continue;
                }
                armed_at[sensor] = t + model.rearm_s;
            }
            scans.push(Scan { sensor, time: Timestamp::from_seconds(0).plus_seconds(t), at: None, detections });
        }
        people.iter_mut().for_each(Person::step);
    }
    scans.sort_by_key(|scan| (scan.time, scan.sensor));
    scans
}

/// What a sensor reports of somebody at a place, if it is in sight.
fn sighting(model: &SensorModel, place: Vector2<f64>, velocity: Vector2<f64>, noise: &mut Noise) -> Option<Detection> {
    let offset = place - model.position_m;
    let of = |measurement| Some(Detection { measurement, class: None, confidence: None, object: None });
    match model.kind {
        SensorKind::Pir if offset.norm() < FOOTPRINT_M => of(Measurement::Presence { strength: None }),
        SensorKind::Tripwire => {
            // Within the coming second; "in" is from left to right of a line that runs east: southwards.
            let crosses = offset.y * (offset.y + velocity.y) < 0.0 && offset.x.abs() < 0.5 * SPACING_M;
            let direction = if velocity.y < 0.0 { Direction::In } else { Direction::Out };
            crosses.then(|| of(Measurement::Crossing { direction: Some(direction) })).flatten()
        }
        SensorKind::Camera => {
            let azimuth_rad = libm::atan2(offset.x, offset.y);
            let in_view = offset.norm() < CAMERA_RANGE_M && azimuth_rad.abs() < 0.5 * CAMERA_WIDTH_RAD;
            let azimuth_rad = azimuth_rad + CAMERA_SD_RAD * noise.normal();
            in_view.then(|| of(Measurement::Bearing { azimuth_rad, azimuth_sd_rad: CAMERA_SD_RAD })).flatten()
        }
        SensorKind::Radar if offset.norm() < RADAR_RANGE_M => {
            Some(position(place.x + 5.0 * noise.normal(), place.y + 5.0 * noise.normal(), 5.0))
        }
        _ => None,
    }
}

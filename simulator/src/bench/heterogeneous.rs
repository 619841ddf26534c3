//! Two rows of PIRs, a row of tripwires and six cameras; late, skewed and lost messages; no sensor measures a position.

use core::f64::consts::PI;

use super::motion::{Motion, velocity};
use crate::Scene;
use crate::channel;
use crate::geometry::Point;
use crate::radio::AirOptions;
use crate::random::Random;
use crate::scenario::{
    AgentKind, Channel, Clutter, Coverage, EPOCH, Expectation, Layout, Scenario, Sensor, SensorKind, Site,
};
use crate::sensing;
use crate::truth::{Truth, Walker, step_number};

const AREA_M: Point = [3_000.0, 1_000.0];
const SECONDS: usize = 900;
/// Walkers enter during this first part of the scene.
const ENTERING_UNTIL_S: f64 = 300.0;
/// Directions spread about south by this standard deviation.
const DIRECTION_SD_RAD: f64 = PI / 9.0;
const CLOCK_OFFSET_SD_S: f64 = 0.2;
const LOSS: f64 = 0.05;
const NODE_DELAY_S: [f64; 2] = [0.1, 3.0];
const CAMERA_DELAY_S: [f64; 2] = [0.2, 0.2];

/// Generates the scene with that many walkers, a third of the parties being groups of three.
#[must_use]
pub fn heterogeneous(walkers: usize, seed: u64) -> Scene {
    let layout = layout(&mut Random::stream(seed, "layout"));
    let truth = Truth {
        walkers: enter(walkers, &mut Random::stream(seed, "walkers")),
        crossings: Vec::new(),
        units: Vec::new(),
    };
    let sightings = sensing::sense(&layout, &truth, seed);
    let channel = |delay_s| Channel {
        loss: LOSS,
        delay_s,
        clock_offset_sd_s: CLOCK_OFFSET_SD_S,
        clock_drift_sd_ppm: 0.0,
        duplicated: 0.0,
        corrupted: 0.0,
        outages_s: Vec::new(),
    };
    let scenario = Scenario {
        name: "het".to_owned(),
        summary: String::new(),
        layout,
        agents: Vec::new(),
        traffic: Vec::new(),
        attacks: Vec::new(),
        power_lost_s: Vec::new(),
        expect: Expectation::default(),
        air: AirOptions::default(),
        radio: channel(NODE_DELAY_S),
        broker: channel(CAMERA_DELAY_S),
    };
    let reports = channel::deliver(&scenario, sightings, seed);
    Scene { layout: scenario.layout, truth, reports }
}

fn enter(count: usize, random: &mut Random) -> Vec<Walker> {
    let mut walkers: Vec<Walker> = Vec::with_capacity(count);
    // Groups come first: two of three walkers each in every twelve, the rest walk alone.
    let grouped = count / 2;
    while walkers.len() < count {
        let members = if walkers.len() + 3 <= grouped { 3 } else { 1 };
        let enters_s = random.uniform(60.0, ENTERING_UNTIL_S);
        let east = random.uniform(0.1 * AREA_M[0], 0.9 * AREA_M[0]);
        let azimuth_rad = PI + random.normal() * DIRECTION_SD_RAD;
        let speed_mps = random.uniform(1.0, 2.0);
        for member in 0..members {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, casts saturate")]
            let first_step = (enters_s + 4.0 * step_number(member)) as usize;
            let mut motion = Motion {
                position_m: [east + random.normal() * 2.0, AREA_M[1] - 0.5],
                velocity_mps: velocity(speed_mps, azimuth_rad),
            };
            let mut path_m = Vec::new();
            while first_step + path_m.len() < SECONDS
                && (0..2).all(|axis| (0.0..=AREA_M[axis]).contains(&motion.position_m[axis]))
            {
                path_m.push(motion.position_m);
                motion.step(1.0, random);
            }
            walkers.push(Walker { id: walkers.len(), kind: AgentKind::Person, first_step, path_m });
        }
    }
    walkers
}

fn layout(random: &mut Random) -> Layout {
    let mut sensors = Vec::new();
    for north in [300.0, 600.0] {
        for index in 0..75 {
            let planned = [20.0 + 40.0 * step_number(index), north];
            sensors.push(Sensor {
                id: format!("pir-{north}-{index}"),
                position_m: planned.map(|metres| crate::report::rounded(metres + 4.0 * random.normal(), 2)),
                rearm_s: 5.0,
                ..sensor(SensorKind::Pir, Coverage::Circle { radius_m: 15.0 }, 0.85, Clutter::PerHour(1.0))
            });
        }
    }
    for index in 0..75 {
        let west = 40.0 * step_number(index);
        let line = Coverage::Line { from_m: [west, 800.0], to_m: [west + 40.0, 800.0] };
        sensors.push(Sensor {
            id: format!("trip-{index}"),
            position_m: [west + 20.0, 800.0],
            ..sensor(SensorKind::Tripwire, line, 0.95, Clutter::PerHour(0.05))
        });
    }
    for index in 0..6 {
        let view = Coverage::Sector { range_m: 700.0, min_range_m: 0.0, heading_deg: 0.0, width_deg: 60.0 };
        sensors.push(Sensor {
            id: format!("cam-{index}"),
            node: None,
            position_m: [250.0 + 500.0 * step_number(index), -20.0],
            scan_period_s: Some(1.0),
            ..sensor(SensorKind::Camera, view, 0.85, Clutter::PerScan(0.05))
        });
    }
    for (number, sensor) in (1..).zip(sensors.iter_mut().filter(|sensor| sensor.kind != SensorKind::Camera)) {
        sensor.node = Some(number);
    }
    Layout {
        begins: EPOCH,
        duration_s: step_number(SECONDS),
        site: Site { id: "bench".to_owned(), lat: 52.0, lon: 23.6, timezone: None },
        zones: Vec::new(),
        sensors,
        weather: Vec::new(),
        forests: Vec::new(),
        rivers: Vec::new(),
        roads: Vec::new(),
        units: Vec::new(),
    }
}

fn sensor(kind: SensorKind, coverage: Coverage, detection_probability: f64, clutter: Clutter) -> Sensor {
    Sensor { detection_probability, ..Sensor::plain(kind, coverage, clutter) }
}

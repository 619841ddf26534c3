//! What watches a drawn site: rows of detectors along the border, cameras and a radar behind it, each there or not.

use super::{Ground, of_any_size};
use crate::geometry::between;
use crate::random::Random;
use crate::scenario::{Clutter, Coverage, Fault, FaultKind, Measures, Sensor, SensorKind};
use crate::truth::step_number;

/// The site's sensors: a row of detectors or something that scans at least.
pub(super) fn draw(ground: &Ground, random: &mut Random) -> Vec<Sensor> {
    let mut sensors = Vec::new();
    while sensors.is_empty() {
        for kind in [SensorKind::Pir, SensorKind::Pir, SensorKind::Seismic] {
            if random.chance(0.5) {
                row(kind, ground, random, &mut sensors);
            }
        }
        if random.chance(0.6) {
            wires(ground, random, &mut sensors);
        }
        for _ in 0..random.below(4) {
            camera(ground, random, &mut sensors);
        }
        if random.chance(0.5) {
            radar(ground, random, &mut sensors);
        }
    }
    for (number, sensor) in (1..).zip(&mut sensors) {
        sensor.id = format!("{}-{number}", sensor.kind.name());
        let by_radio = !matches!(sensor.kind, SensorKind::Radar | SensorKind::Camera);
        sensor.node = by_radio.then_some(number);
    }
    if random.chance(0.15) {
        let which = random.below(sensors.len());
        if sensors[which].node.is_some() {
            let kinds = [FaultKind::Dead, FaultKind::Stuck, FaultKind::Chattering];
            let from_s = random.uniform(0.0, 3_000.0);
            let to_s = from_s + random.uniform(300.0, 3_000.0);
            sensors[which].fault = Some(Fault { kind: kinds[random.below(3)], from_s, to_s });
        }
    }
    sensors
}

fn row(kind: SensorKind, ground: &Ground, random: &mut Random, sensors: &mut Vec<Sensor>) {
    let is_pir = kind == SensorKind::Pir;
    let radius_m = if is_pir { random.uniform(8.0, 20.0) } else { random.uniform(15.0, 50.0) };
    let step_m = random.uniform(1.5, 6.0) * radius_m;
    let aside_m = random.uniform(15.0, 150.0) * if random.chance(0.5) { 1.0 } else { -1.0 };
    let detection_probability = if is_pir { random.uniform(0.6, 0.95) } else { random.uniform(0.4, 0.85) };
    let clutter = Clutter::PerHour(of_any_size([0.02, 0.5], random));
    let rearm_s = random.uniform(2.0, 12.0);
    let mut east_m = step_m / 2.0;
    while east_m < ground.width_m {
        let scatter_m = [random.normal() * 4.0, random.normal() * 4.0];
        let [east, north] = ground.beside(east_m, aside_m);
        sensors.push(Sensor {
            position_m: [east + scatter_m[0], north + scatter_m[1]],
            detection_probability,
            rearm_s,
            ..Sensor::plain(kind, Coverage::Circle { radius_m }, clutter)
        });
        east_m += step_m;
    }
}

/// Wires along the border, over all of it or part.
fn wires(ground: &Ground, random: &mut Random, sensors: &mut Vec<Sensor>) {
    let length_m = random.uniform(40.0, 200.0);
    let share = if random.chance(0.5) { 1.0 } else { random.uniform(0.3, 1.0) };
    let detection_probability = random.uniform(0.85, 0.98);
    let clutter = Clutter::PerHour(of_any_size([0.01, 0.3], random));
    for leg in ground.border_m.windows(2) {
        let pieces = ((leg[1][0] - leg[0][0]) / length_m).max(1.0);
        let mut piece = 0;
        while step_number(piece + 1) <= pieces {
            let end = |index: usize| between(leg[0], leg[1], step_number(index) / pieces);
            let (from_m, to_m) = (end(piece), end(piece + 1));
            if random.chance(share) {
                sensors.push(Sensor {
                    position_m: between(from_m, to_m, 0.5),
                    detection_probability,
                    rearm_s: 2.0,
                    ..Sensor::plain(SensorKind::Tripwire, Coverage::Line { from_m, to_m }, clutter)
                });
            }
            piece += 1;
        }
    }
}

fn camera(ground: &Ground, random: &mut Random, sensors: &mut Vec<Sensor>) {
    let view = Coverage::Sector {
        range_m: random.uniform(250.0, 700.0),
        min_range_m: 0.0,
        heading_deg: random.uniform(-25.0, 25.0),
        width_deg: random.uniform(25.0, 90.0),
    };
    let clutter = Clutter::PerScan(of_any_size([0.002, 0.05], random));
    sensors.push(Sensor {
        position_m: ground.somewhere([-300.0, -50.0], random),
        scan_period_s: Some(random.uniform(0.5, 2.0)),
        detection_probability: random.uniform(0.6, 0.95),
        azimuth_sd_deg: random.uniform(0.2, 0.6),
        classifies: random.chance(0.8),
        sees_in_dark: random.chance(0.6),
        reports_empty_scans: random.chance(0.5),
        ..Sensor::plain(SensorKind::Camera, view, clutter)
    });
}

fn radar(ground: &Ground, random: &mut Random, sensors: &mut Vec<Sensor>) {
    let view = Coverage::Sector {
        range_m: random.uniform(700.0, 1_800.0),
        min_range_m: 20.0,
        heading_deg: random.uniform(-15.0, 15.0),
        width_deg: random.uniform(70.0, 140.0),
    };
    let clutter = Clutter::PerScan(of_any_size([0.05, 2.0], random));
    sensors.push(Sensor {
        position_m: ground.somewhere([-480.0, -150.0], random),
        measures: Measures::RangeBearing,
        scan_period_s: Some(random.uniform(1.0, 5.0)),
        detection_probability: random.uniform(0.7, 0.95),
        range_sd_m: random.uniform(2.0, 8.0),
        azimuth_sd_deg: random.uniform(0.3, 1.0),
        classifies: random.chance(0.5),
        reports_empty_scans: random.chance(0.5),
        ..Sensor::plain(SensorKind::Radar, view, clutter)
    });
}

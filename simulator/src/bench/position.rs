//! One radar that measures positions, walkers that come and go, uniform clutter.

use core::f64::consts::TAU;

use super::motion::{Motion, velocity};
use crate::Scene;
use crate::geometry::Point;
use crate::random::Random;
use crate::report::{Plot, Report, rounded};
use crate::scenario::{AgentKind, Clutter, Coverage, EPOCH, Layout, Measures, Sensor, SensorKind, Site};
use crate::truth::{Truth, Walker, step_number};

/// Time from scan to arrival.
const LATENCY_S: f64 = 0.05;
/// Distance between the members of a group, in single file.
const FILE_SPACING_M: f64 = 8.0;
/// Share of the walkers (or groups) that are there from the first scan.
const PRESENT_AT_START: f64 = 0.7;
/// The others appear during this first part of the scene.
const ARRIVALS_UNTIL: f64 = 0.6;
/// Share of the walkers (or groups) that end during the last half.
const ENDING: f64 = 0.2;

/// The parameters of a position scene; scans are one second apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PositionScene {
    /// Number of walkers over the whole scene.
    pub walkers: usize,
    /// How many walk together, in single file; 1: each alone.
    pub group: usize,
    /// East and north extent of the area.
    pub area_m: [f64; 2],
    /// Number of scans.
    pub scans: usize,
    /// Mean number of clutter plots in a scan.
    pub clutter: f64,
    /// Probability of detection in a scan.
    pub detection_probability: f64,
    /// Standard deviation of a plot, per axis.
    pub position_sd_m: f64,
}

impl PositionScene {
    /// 10 walkers in thin clutter.
    pub const S10: Self = Self {
        walkers: 10,
        group: 1,
        area_m: [10_000.0, 2_000.0],
        scans: 150,
        clutter: 10.0,
        detection_probability: 0.9,
        position_sd_m: 5.0,
    };
    /// 50 walkers in thin clutter.
    pub const S50: Self = Self { walkers: 50, clutter: 30.0, ..Self::S10 };
    /// 10 groups of 5.
    pub const G50: Self =
        Self { walkers: 50, group: 5, area_m: [2_500.0, 2_000.0], clutter: 13.0, position_sd_m: 3.0, ..Self::S10 };
    /// 50 walkers, crowded, badly seen, in thick clutter.
    pub const H50: Self =
        Self { walkers: 50, area_m: [2_000.0, 400.0], clutter: 50.0, detection_probability: 0.7, ..Self::S10 };
}

/// Generates the scene for the seed.
#[must_use]
pub fn position(scene: &PositionScene, seed: u64) -> Scene {
    let truth = Truth {
        walkers: walkers(scene, &mut Random::stream(seed, "walkers")),
        crossings: Vec::new(),
        units: Vec::new(),
    };
    let layout = layout(scene);
    let reports = reports(scene, &truth, &mut Random::stream(seed, "radar"));
    Scene { layout, truth, reports }
}

fn walkers(scene: &PositionScene, random: &mut Random) -> Vec<Walker> {
    let mut walkers: Vec<Walker> = Vec::with_capacity(scene.walkers);
    let scans = step_number(scene.scans);
    while walkers.len() < scene.walkers {
        let first_step =
            if random.chance(PRESENT_AT_START) { 1 } else { scan(random.uniform(1.0, ARRIVALS_UNTIL * scans)) };
        let last_step = if random.chance(ENDING) { scan(random.uniform(0.5 * scans, scans)) } else { scene.scans };
        let start = [random.uniform(0.0, scene.area_m[0]), random.uniform(0.0, scene.area_m[1])];
        let azimuth_rad = random.uniform(0.0, TAU);
        let speed_mps = random.uniform(1.0, 2.0);
        for member in 0..scene.group.min(scene.walkers - walkers.len()) {
            let behind = velocity(-FILE_SPACING_M * step_number(member), azimuth_rad);
            let jitter_sd_m = if scene.group > 1 { FILE_SPACING_M / 4.0 } else { 0.0 };
            let offset = behind.map(|metres| metres + random.normal() * jitter_sd_m);
            let motion = Motion {
                position_m: [start[0] + offset[0], start[1] + offset[1]],
                velocity_mps: velocity(speed_mps, azimuth_rad),
            };
            let steps = (last_step + 1).saturating_sub(first_step);
            let path_m = path(motion, steps, scene.area_m, random);
            walkers.push(Walker { id: walkers.len(), kind: AgentKind::Person, first_step, path_m });
        }
    }
    walkers
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and casts saturate")]
fn scan(time_s: f64) -> usize {
    time_s as usize
}

fn path(mut motion: Motion, steps: usize, area_m: Point, random: &mut Random) -> Vec<Point> {
    let mut path = Vec::with_capacity(steps);
    for _ in 0..steps {
        if (0..2).any(|axis| !(0.0..=area_m[axis]).contains(&motion.position_m[axis])) {
            break;
        }
        path.push(motion.position_m);
        motion.step(1.0, random);
    }
    path
}

fn reports(scene: &PositionScene, truth: &Truth, random: &mut Random) -> Vec<Report> {
    let mut reports = Vec::with_capacity(scene.scans);
    for (seq, step) in (1..=u32::MAX).zip(1..=scene.scans) {
        let mut seen: Vec<(Point, Option<usize>)> = Vec::new();
        for walker in &truth.walkers {
            let Some(index) = step.checked_sub(walker.first_step) else { continue };
            let Some(position) = walker.path_m.get(index) else { continue };
            if random.chance(scene.detection_probability) {
                seen.push((position.map(|metres| metres + random.normal() * scene.position_sd_m), Some(walker.id)));
            }
        }
        for _ in 0..random.poisson(scene.clutter) {
            seen.push(([random.uniform(0.0, scene.area_m[0]), random.uniform(0.0, scene.area_m[1])], None));
        }
        random.shuffle(&mut seen);
        let measured = EPOCH.plus_seconds(step_number(step));
        reports.push(Report {
            sensor: 0,
            measured,
            stamped: measured,
            received: measured.plus_seconds(LATENCY_S),
            seq,
            plots: seen
                .iter()
                .map(|([east, north], _)| Plot::Position {
                    east_m: rounded(*east, 3),
                    north_m: rounded(*north, 3),
                    class: None,
                })
                .collect(),
            causes: seen.iter().map(|(_, cause)| *cause).collect(),
            damaged: false,
        });
    }
    reports
}

fn layout(scene: &PositionScene) -> Layout {
    let [width, height] = scene.area_m;
    let radar = Sensor {
        id: "radar1".to_owned(),
        kind: SensorKind::Radar,
        node: None,
        position_m: [width / 2.0, -50.0],
        coverage: Coverage::Polygon { points_m: vec![[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]] },
        measures: Measures::Position,
        scan_period_s: Some(1.0),
        reports_empty_scans: true,
        detection_probability: scene.detection_probability,
        clutter: Clutter::PerScan(scene.clutter),
        rearm_s: 0.0,
        position_sd_m: scene.position_sd_m,
        range_sd_m: scene.position_sd_m,
        azimuth_sd_deg: 0.5,
        silent_after_s: None,
        classifies: false,
        fault: None,
        clock_step: None,
        sees_in_dark: true,
    };
    Layout {
        begins: EPOCH,
        duration_s: step_number(scene.scans),
        site: Site { id: "bench".to_owned(), lat: 52.0, lon: 23.6, timezone: None },
        zones: Vec::new(),
        sensors: vec![radar],
        weather: Vec::new(),
        forests: Vec::new(),
        rivers: Vec::new(),
        roads: Vec::new(),
        units: Vec::new(),
    }
}

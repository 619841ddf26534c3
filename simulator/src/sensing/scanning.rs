//! Radars and cameras: scan after scan, each with the objects it saw and its clutter, in random order.

use super::contact::Contact;
use super::profile::{detection_factor, range_factor};
use super::{Ground, Sighting};
use crate::geometry::{Point, azimuth_deg, between, bounds, distance, inside, turn_deg};
use crate::random::Random;
use crate::report::{Class, Plot, rounded};
use crate::scenario::{AgentKind, Clutter, Coverage, Measures, Sensor, SensorKind};
use crate::truth::STEP_S;

pub(super) fn scan(sensor: &Sensor, contacts: &[Contact], ground: &Ground<'_>, random: &mut Random) -> Vec<Sighting> {
    let Some(period_s) = sensor.scan_period_s else { return Vec::new() };
    let Clutter::PerScan(clutter) = sensor.clutter else { return Vec::new() };
    let phase_s = random.uniform(0.0, period_s);
    let mut rest = contacts;
    let mut sightings = Vec::new();
    let mut scans = 0.0;
    loop {
        let elapsed_s = phase_s + scans * period_s;
        if elapsed_s > ground.layout.duration_s {
            return sightings;
        }
        scans += 1.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and casts saturate")]
        let step = (elapsed_s / STEP_S) as usize;
        rest = &rest[rest.partition_point(|contact| contact.step < step)..];
        let near = &rest[..rest.partition_point(|contact| contact.step == step)];
        let mut seen = Vec::new();
        for contact in near {
            let walker = &ground.truth.walkers[contact.walker];
            let Some(position) = walker.at(elapsed_s) else { continue };
            if !sees(sensor, walker.kind, position, elapsed_s, ground) {
                continue;
            }
            let light = if sensor.sees_in_dark { 1.0 } else { ground.sky.light(elapsed_s) };
            if random.chance(sensor.detection_probability * detection_factor(sensor.kind, walker.kind) * light) {
                let class = sensor.classifies.then(|| classify(Some(walker.kind), random));
                seen.push((measure(sensor, position, class, random), Some(contact.walker)));
            }
        }
        for _ in 0..random.poisson(clutter * ground.sky.nuisance(sensor.kind, elapsed_s)) {
            let position = anywhere(sensor, random);
            let class = sensor.classifies.then(|| classify(None, random));
            seen.push((exact(sensor, position, class), None));
        }
        if seen.is_empty() && !sensor.reports_empty_scans {
            continue;
        }
        random.shuffle(&mut seen);
        let (plots, causes) = seen.into_iter().unzip();
        sightings.push(Sighting { elapsed_s, plots, causes });
    }
}

/// Whether the sensor can see the object: inside the coverage, near enough for its kind and the air, no forest between.
fn sees(sensor: &Sensor, kind: AgentKind, position: Point, elapsed_s: f64, ground: &Ground<'_>) -> bool {
    let visibility_m =
        if sensor.kind == SensorKind::Camera { ground.sky.visibility_m(elapsed_s) } else { f64::INFINITY };
    // The configured coverage is what the gateway believes, for a person: what is small is seen less far.
    let factor = range_factor(sensor.kind, kind).min(1.0);
    covers(sensor, position, factor)
        && distance(sensor.position_m, position) <= visibility_m
        && ground.layout.forests.iter().all(|forest| !hides(forest, sensor.position_m, position))
}

/// Depth of foliage that hides a person from a radar or a camera.
const HIDING_DEPTH_M: f64 = 15.0;
/// Points at which the line of sight is looked at.
const SIGHT_STEP_M: f64 = 5.0;

/// Whether too much of the line of sight lies inside the forest.
fn hides(forest: &[Point], from: Point, to: Point) -> bool {
    let length_m = distance(from, to);
    let (low, high) = bounds(forest);
    if (0..2).any(|axis| from[axis].max(to[axis]) < low[axis] || from[axis].min(to[axis]) > high[axis]) {
        return false;
    }
    let (mut depth_m, mut along_m) = (0.0, 0.0);
    while along_m <= length_m {
        if inside(forest, between(from, to, along_m / length_m.max(1.0))) {
            depth_m += SIGHT_STEP_M;
        }
        along_m += SIGHT_STEP_M;
    }
    depth_m > HIDING_DEPTH_M
}

/// Share of objects that a classifier takes for what they are.
const CLASSIFIED_RIGHT: f64 = 0.85;

/// What the sensor takes an object for; clutter looks like anything.
fn classify(kind: Option<AgentKind>, random: &mut Random) -> Class {
    let right = match kind {
        Some(AgentKind::Person | AgentKind::Patrol | AgentKind::Farmer) => 0,
        Some(AgentKind::Deer | AgentKind::Boar) => 1,
        Some(AgentKind::Vehicle) => 2,
        None => random.below(3),
    };
    let taken_for = if random.chance(CLASSIFIED_RIGHT) { right } else { (right + 1 + random.below(2)) % 3 };
    let share = |class| if class == taken_for { 0.8 } else { 0.1 };
    Class { person: share(0), animal: share(1), vehicle: share(2) }
}

/// Whether the point is on the ground that the sensor observes, its range times the factor.
fn covers(sensor: &Sensor, position: Point, factor: f64) -> bool {
    match &sensor.coverage {
        Coverage::Circle { radius_m } => distance(sensor.position_m, position) <= radius_m * factor,
        Coverage::Sector { range_m, min_range_m, heading_deg, width_deg } => {
            let range = distance(sensor.position_m, position);
            (*min_range_m..=range_m * factor).contains(&range)
                && turn_deg(*heading_deg, azimuth_deg(sensor.position_m, position)).abs() <= width_deg / 2.0
        }
        Coverage::Polygon { points_m } => inside(points_m, position),
        Coverage::Line { .. } => false,
    }
}

/// A plot of an object, with the sensor's errors.
fn measure(sensor: &Sensor, position: Point, class: Option<Class>, random: &mut Random) -> Plot {
    match sensor.measures {
        Measures::Position => {
            exact(sensor, position.map(|metres| metres + random.normal() * sensor.position_sd_m), class)
        }
        Measures::RangeBearing => range_bearing(
            distance(sensor.position_m, position) + random.normal() * sensor.range_sd_m,
            azimuth_deg(sensor.position_m, position) + random.normal() * sensor.azimuth_sd_deg,
            class,
        ),
        Measures::Bearing => {
            bearing(azimuth_deg(sensor.position_m, position) + random.normal() * sensor.azimuth_sd_deg, class)
        }
    }
}

/// The plot of a point without errors: how clutter looks.
fn exact(sensor: &Sensor, position: Point, class: Option<Class>) -> Plot {
    match sensor.measures {
        Measures::Position => {
            Plot::Position { east_m: rounded(position[0], 3), north_m: rounded(position[1], 3), class }
        }
        Measures::RangeBearing => {
            range_bearing(distance(sensor.position_m, position), azimuth_deg(sensor.position_m, position), class)
        }
        Measures::Bearing => bearing(azimuth_deg(sensor.position_m, position), class),
    }
}

fn range_bearing(range_m: f64, azimuth_deg: f64, class: Option<Class>) -> Plot {
    Plot::RangeBearing { range_m: rounded(range_m.max(0.1), 2), azimuth_deg: whole_turn(azimuth_deg), class }
}

fn bearing(azimuth_deg: f64, class: Option<Class>) -> Plot {
    Plot::Bearing { azimuth_deg: whole_turn(azimuth_deg), class }
}

fn whole_turn(azimuth_deg: f64) -> f64 {
    let azimuth = rounded(libm::fmod(azimuth_deg + 360.0, 360.0), 4);
    if azimuth >= 360.0 { azimuth - 360.0 } else { azimuth }
}

/// A point uniform over the sensor's coverage.
fn anywhere(sensor: &Sensor, random: &mut Random) -> Point {
    let [east, north] = sensor.position_m;
    let mut polar = |low_m: f64, high_m: f64, low_deg: f64, high_deg: f64| {
        let range = libm::sqrt(random.uniform(low_m * low_m, high_m * high_m));
        let azimuth = random.uniform(low_deg, high_deg).to_radians();
        [east + range * libm::sin(azimuth), north + range * libm::cos(azimuth)]
    };
    match &sensor.coverage {
        Coverage::Circle { radius_m } => polar(0.0, *radius_m, 0.0, 360.0),
        Coverage::Sector { range_m, min_range_m, heading_deg, width_deg } => {
            polar(*min_range_m, *range_m, heading_deg - width_deg / 2.0, heading_deg + width_deg / 2.0)
        }
        Coverage::Polygon { points_m } => {
            let (low, high) = bounds(points_m);
            loop {
                let point = [random.uniform(low[0], high[0]), random.uniform(low[1], high[1])];
                if inside(points_m, point) {
                    return point;
                }
            }
        }
        Coverage::Line { from_m, .. } => *from_m,
    }
}

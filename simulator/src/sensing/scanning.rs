//! Radars and cameras: scan after scan, each with the objects it saw and its clutter, in random order.

use super::Sighting;
use super::contact::Contact;
use crate::geometry::{Point, azimuth_deg, bounds, distance, inside, turn_deg};
use crate::random::Random;
use crate::report::{Plot, rounded};
use crate::scenario::{Clutter, Coverage, Measures, Sensor};
use crate::truth::{STEP_S, Truth};

pub(super) fn scan(
    sensor: &Sensor,
    duration_s: f64,
    contacts: &[Contact],
    truth: &Truth,
    random: &mut Random,
) -> Vec<Sighting> {
    let Some(period_s) = sensor.scan_period_s else { return Vec::new() };
    let Clutter::PerScan(clutter) = sensor.clutter else { return Vec::new() };
    let phase_s = random.uniform(0.0, period_s);
    let mut rest = contacts;
    let mut sightings = Vec::new();
    let mut scans = 0.0;
    loop {
        let elapsed_s = phase_s + scans * period_s;
        if elapsed_s > duration_s {
            return sightings;
        }
        scans += 1.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and casts saturate")]
        let step = (elapsed_s / STEP_S) as usize;
        rest = &rest[rest.partition_point(|contact| contact.step < step)..];
        let near = &rest[..rest.partition_point(|contact| contact.step == step)];
        let mut seen = Vec::new();
        for contact in near {
            let Some(position) = truth.walkers[contact.walker].at(elapsed_s) else { continue };
            if covers(sensor, position) && random.chance(sensor.detection_probability) {
                seen.push((measure(sensor, position, random), Some(contact.walker)));
            }
        }
        for _ in 0..random.poisson(clutter) {
            let position = anywhere(sensor, random);
            seen.push((exact(sensor, position), None));
        }
        if seen.is_empty() && !sensor.reports_empty_scans {
            continue;
        }
        random.shuffle(&mut seen);
        let (plots, causes) = seen.into_iter().unzip();
        sightings.push(Sighting { elapsed_s, plots, causes });
    }
}

/// Whether the point is on the ground that the sensor observes.
pub(super) fn covers(sensor: &Sensor, position: Point) -> bool {
    match &sensor.coverage {
        Coverage::Circle { radius_m } => distance(sensor.position_m, position) <= *radius_m,
        Coverage::Sector { range_m, min_range_m, heading_deg, width_deg } => {
            let range = distance(sensor.position_m, position);
            (*min_range_m..=*range_m).contains(&range)
                && turn_deg(*heading_deg, azimuth_deg(sensor.position_m, position)).abs() <= width_deg / 2.0
        }
        Coverage::Polygon { points_m } => inside(points_m, position),
        Coverage::Line { .. } => false,
    }
}

/// A plot of an object, with the sensor's errors.
fn measure(sensor: &Sensor, position: Point, random: &mut Random) -> Plot {
    match sensor.measures {
        Measures::Position => exact(sensor, position.map(|metres| metres + random.normal() * sensor.position_sd_m)),
        Measures::RangeBearing => range_bearing(
            distance(sensor.position_m, position) + random.normal() * sensor.range_sd_m,
            azimuth_deg(sensor.position_m, position) + random.normal() * sensor.azimuth_sd_deg,
        ),
        Measures::Bearing => {
            bearing(azimuth_deg(sensor.position_m, position) + random.normal() * sensor.azimuth_sd_deg)
        }
    }
}

/// The plot of a point without errors: how clutter looks.
fn exact(sensor: &Sensor, position: Point) -> Plot {
    match sensor.measures {
        Measures::Position => {
            Plot::Position { east_m: rounded(position[0], 3), north_m: rounded(position[1], 3), class: None }
        }
        Measures::RangeBearing => {
            range_bearing(distance(sensor.position_m, position), azimuth_deg(sensor.position_m, position))
        }
        Measures::Bearing => bearing(azimuth_deg(sensor.position_m, position)),
    }
}

fn range_bearing(range_m: f64, azimuth_deg: f64) -> Plot {
    Plot::RangeBearing { range_m: rounded(range_m.max(0.1), 2), azimuth_deg: whole_turn(azimuth_deg), class: None }
}

fn bearing(azimuth_deg: f64) -> Plot {
    Plot::Bearing { azimuth_deg: whole_turn(azimuth_deg), class: None }
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

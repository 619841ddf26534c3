//! Places inside the watched ground where people come in: the door of a wood, a ford, the end of a hidden track.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use super::walk::direction;
use super::{A_HEADING, HEADINGS, Undetected, single};
use crate::coverage::edges;
use crate::sensor::Coverage;

/// Ground out of which people walk as they do out of ground that nobody watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryZone {
    /// Corners of a simple polygon in the site frame, each `[east, north]`.
    pub points_m: Vec<[f64; 2]>,
    /// Direction in which they walk, clockwise from north; any when absent.
    pub heading_rad: Option<f64>,
    /// So many times as many as out of ground of the same width that nobody watches.
    pub arrivals: f64,
}

/// Who walks in one of the directions keeps to within this of the one given: that direction and its two neighbours.
const WITHIN_RAD: f64 = 1.0;

/// Walkers that come in during one step, relative to the intensity of a field nobody watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Newcomers {
    heading: usize,
    /// By cell.
    cells: Vec<(usize, f32)>,
}

impl EntryZone {
    /// Width of the ground across a direction, metres.
    fn width_m(&self, heading: usize) -> f64 {
        let along = direction(heading);
        let across = Vector2::new(along.y, -along.x);
        let places = self.points_m.iter().map(|point| Vector2::from(*point).dot(&across));
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), at| (a.min(at), b.max(at)));
        (high - low).max(0.0)
    }

    fn area_m2(&self) -> f64 {
        0.5 * edges(&self.points_m).map(|([x, y], [to_x, to_y])| x * to_y - to_x * y).sum::<f64>().abs()
    }

    fn leads_towards(&self, heading: usize) -> bool {
        let along = direction(heading);
        self.heading_rad.is_none_or(|towards| along.dot(&crate::angle::towards(towards)) >= libm::cos(WITHIN_RAD))
    }
}

impl Undetected {
    /// Lets people come in through these zones, and through no others.
    pub(crate) fn set_entries(&mut self, entries: &[EntryZone]) {
        self.newcomers = entries.iter().flat_map(|entry| self.newcomers_of(entry)).collect();
        self.entries = entries.to_vec();
    }

    /// Out of unwatched ground of width `w` walk `w v` times the density of those with this direction and speed `v`, a
    /// second; they are spread over the zone.
    fn newcomers_of(&self, entry: &EntryZone) -> Vec<Newcomers> {
        let ground = self.footprint(&Coverage::Polygon { points_m: entry.points_m.clone() }, Vector2::zeros());
        let per_metre = entry.arrivals * self.speed_mps * self.grid.step_s() / entry.area_m2().max(1.0);
        let of = |heading: usize| {
            let added = single(per_metre * entry.width_m(heading));
            Newcomers { heading, cells: ground.parts().map(|(cell, part)| (cell, added * part)).collect() }
        };
        (0..HEADINGS).filter(|heading| entry.leads_towards(*heading)).map(of).collect()
    }

    /// Adds those who came in during a step.
    pub(super) fn enter(&mut self) {
        for newcomers in &self.newcomers {
            let walkers = &mut self.walkers[newcomers.heading];
            for (cell, added) in &newcomers.cells {
                walkers[*cell] += added;
                self.walking[*cell] += added * A_HEADING;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrackerConfig;
    use crate::measure::fixture::sensor;
    use crate::sensor::SensorKind;
    use crate::time::Timestamp;

    const SIDE_M: f64 = 2_000.0;

    fn wood(heading_rad: Option<f64>, arrivals: f64) -> EntryZone {
        let points_m = vec![[900.0, 900.0], [1_100.0, 900.0], [1_100.0, 1_100.0], [900.0, 1_100.0]];
        EntryZone { points_m, heading_rad, arrivals }
    }

    /// A square that a radar has watched for ten minutes, with a wood in its middle.
    fn watched(entries: &[EntryZone]) -> Undetected {
        let square = Coverage::Polygon { points_m: vec![[0.0, 0.0], [SIDE_M, 0.0], [SIDE_M, SIDE_M], [0.0, SIDE_M]] };
        let radar = sensor(SensorKind::Radar, square);
        let mut field = Undetected::new(&TrackerConfig::default(), core::slice::from_ref(&radar));
        field.set_entries(entries);
        for second in 0..600 {
            field.advance(Timestamp::from_seconds(second));
            field.thin(0, &radar, radar.position_m, 0.9);
        }
        field.advance(Timestamp::from_seconds(603));
        field
    }

    #[test]
    fn a_plot_at_a_wood_is_likelier_to_be_somebody_new() {
        let (door, far) = (Vector2::new(1_000.0, 1_000.0), Vector2::new(1_500.0, 500.0));
        let (with, without) = (watched(&[wood(None, 1.0)]), watched(&[]));
        assert!(with.density_at(door) > 2.0 * without.density_at(door));
        assert!((with.density_at(far) / without.density_at(far) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn who_comes_in_walks_the_way_given() {
        let field = watched(&[wood(Some(core::f64::consts::PI), 3.0)]);
        let by_heading = field.by_heading(Vector2::new(1_000.0, 1_000.0));
        assert!(by_heading[4] > 10.0 * by_heading[0], "south {:e}, north {:e}", by_heading[4], by_heading[0]);
    }

    /// Unwatched, as many come out in a second as the width that they walk across says, whatever the cells.
    #[test]
    fn as_many_come_in_as_out_of_unwatched_ground_of_that_width() {
        let square = Coverage::Polygon { points_m: vec![[0.0, 0.0], [SIDE_M, 0.0], [SIDE_M, SIDE_M], [0.0, SIDE_M]] };
        let radar = sensor(SensorKind::Radar, square);
        let field = Undetected::new(&TrackerConfig::default(), &[radar]);
        let newcomers = field.newcomers_of(&wood(None, 1.0));
        let north: f32 = newcomers[0].cells.iter().map(|(_, added)| added).sum();
        let walkers = f64::from(north) * field.grid.cell_m * field.grid.cell_m;
        let expected = 200.0 * field.speed_mps * field.grid.step_s();
        assert!((walkers / expected - 1.0).abs() < 0.05, "{walkers} of {expected}");
        assert_eq!(newcomers.len(), HEADINGS);
    }
}

//! Convex hulls of coverages: ground that sensors watch from around, gaps between them included.

use core::f64::consts::{PI, TAU};

use nalgebra::Vector2;

use crate::angle::towards;
use crate::sensor::Coverage;

/// Straight pieces that a full circle is drawn with, around it.
const PIECES: f64 = 24.0;

/// The convex hull of coverages with their origins, counterclockwise (Andrew, Information Processing Letters 9(5), 1979).
/// Empty when they have no area.
pub(crate) fn around<'a>(coverages: impl IntoIterator<Item = (&'a Coverage, Vector2<f64>)>) -> Vec<[f64; 2]> {
    let mut points: Vec<[f64; 2]> = Vec::new();
    coverages.into_iter().for_each(|(coverage, origin_m)| add_outline(coverage, origin_m, &mut points));
    points.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    points.dedup();
    let mut hull = half(points.iter());
    let upper = half(points.iter().rev());
    hull.extend(upper);
    if hull.len() < 3 { Vec::new() } else { hull }
}

/// The side of the hull to the right of who walks through the points in this order, without its last point.
fn half<'a>(points: impl Iterator<Item = &'a [f64; 2]>) -> Vec<[f64; 2]> {
    let mut side: Vec<[f64; 2]> = Vec::new();
    for point in points {
        while let [.., a, b] = side.as_slice() {
            let turn = (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]);
            if turn > 0.0 {
                break;
            }
            side.pop();
        }
        side.push(*point);
    }
    side.pop();
    side
}

/// Corners of a coverage; those of an arc lie on its tangents.
fn add_outline(coverage: &Coverage, origin_m: Vector2<f64>, points: &mut Vec<[f64; 2]>) {
    match coverage {
        Coverage::Circle { radius_m } => add_arc(origin_m, *radius_m, (0.0, TAU), points),
        Coverage::Sector { range_m, heading_rad, width_rad, .. } => {
            if *width_rad < TAU {
                points.push(origin_m.into());
            }
            let half_rad = 0.5 * width_rad;
            add_arc(origin_m, *range_m, (heading_rad - half_rad, heading_rad + half_rad), points);
        }
        Coverage::Polygon { points_m } => points.extend(points_m),
        Coverage::Line { from_m, to_m } => points.extend([*from_m, *to_m]),
    }
}

fn add_arc(centre: Vector2<f64>, radius_m: f64, (from_rad, to_rad): (f64, f64), points: &mut Vec<[f64; 2]>) {
    let piece_rad = TAU / PIECES;
    let outside_m = radius_m / libm::cos(PI / PIECES);
    points.push((centre + towards(from_rad) * radius_m).into());
    let mut at_rad = from_rad + 0.5 * piece_rad;
    while at_rad < to_rad {
        points.push((centre + towards(at_rad) * outside_m).into());
        at_rad += piece_rad;
    }
    points.push((centre + towards(to_rad) * radius_m).into());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::coverage::is_in_polygon;

    fn camera() -> Coverage {
        Coverage::Sector { range_m: 700.0, min_range_m: 0.0, heading_rad: 0.0, width_rad: 1.0 }
    }

    #[test]
    fn a_gap_between_cameras_is_inside_and_the_ground_behind_them_is_not() {
        let camera = camera();
        let hull = around([(&camera, Vector2::zeros()), (&camera, Vector2::new(500.0, 0.0))]);
        assert!(is_in_polygon(&hull, Vector2::new(250.0, 50.0)));
        assert!(!is_in_polygon(&hull, Vector2::new(250.0, -1.0)));
        assert!(!is_in_polygon(&hull, Vector2::new(-60.0, 20.0)));
    }

    #[test]
    fn a_line_has_no_inside() {
        assert!(around([(&Coverage::Line { from_m: [0.0, 0.0], to_m: [10.0, 0.0] }, Vector2::zeros())]).is_empty());
    }

    proptest! {
        #[test]
        fn a_hull_holds_what_its_sensors_watch(
            origins in prop::collection::vec((-900.0_f64..900.0, -900.0_f64..900.0), 1..6),
            (east, north) in (-1_600.0_f64..1_600.0, -1_600.0_f64..1_600.0),
        ) {
            let (camera, round) = (camera(), Coverage::Circle { radius_m: 120.0 });
            let place = Vector2::new(east, north);
            let coverages: Vec<(&Coverage, Vector2<f64>)> = origins
                .iter()
                .enumerate()
                .map(|(number, (east, north))| (if number % 2 == 0 { &camera } else { &round }, Vector2::new(*east, *north)))
                .collect();
            let hull = around(coverages.iter().copied());
            if coverages.iter().any(|(coverage, origin)| coverage.holds(*origin, place)) {
                prop_assert!(is_in_polygon(&hull, place));
            }
            for (from, to) in crate::coverage::edges(&hull) {
                let turn = (to[0] - from[0]) * (north - from[1]) - (to[1] - from[1]) * (east - from[0]);
                prop_assert!(turn >= 0.0 || !is_in_polygon(&hull, place));
            }
        }
    }
}

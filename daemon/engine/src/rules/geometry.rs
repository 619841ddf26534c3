//! Where a Gaussian position lies in relation to a line or a polygon.

use core::f64::consts::SQRT_2;

use nalgebra::{Matrix2, Vector2};

use crate::config::Ground;

/// A position in relation to a border. "In" is the right of a line (seen along it) and the inside of a polygon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Relation {
    /// Distance to the border, positive on the "in" side.
    pub(crate) signed_m: f64,
    /// Standard deviation of that distance.
    pub(crate) sd_m: f64,
    /// Unit vector across the border, towards the "in" side.
    pub(crate) inward: Vector2<f64>,
    /// The nearest point of the border is not the end of an open line.
    pub(crate) alongside: bool,
}

impl Relation {
    /// Probability of being on the "in" side.
    pub(crate) fn probability_in(&self) -> f64 {
        normal_cdf(self.signed_m / self.sd_m)
    }
}

/// The standard normal distribution function.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x / SQRT_2)
}

/// A border is never known better than this.
const BORDER_SD_M: f64 = 0.5;

/// The relation of a position to a ground; nothing when the ground has no segment.
pub(crate) fn relation(ground: &Ground, position_m: Vector2<f64>, covariance_m2: &Matrix2<f64>) -> Option<Relation> {
    let nearest = segments(ground)
        .map(|(from, to)| Nearest::to(position_m, from, to))
        // At a joint both segments are equally near; the one that the position is more squarely beside decides the side.
        .min_by(|a, b| {
            let by_distance = a.distance_m.total_cmp(&b.distance_m);
            if (a.distance_m - b.distance_m).abs() < 1e-9 {
                b.across_m.abs().total_cmp(&a.across_m.abs())
            } else {
                by_distance
            }
        })?;
    let (signed_m, inward, alongside) = match ground {
        Ground::Line(points) => {
            let ends = [points.first()?, points.last()?];
            let beyond_end = nearest.at_end && ends.iter().any(|end| (**end - nearest.point).norm_squared() < 1e-12);
            // Left of the segment is negative: "in" is from left to right.
            let signed_m = if nearest.across_m < 0.0 { nearest.distance_m } else { -nearest.distance_m };
            (signed_m, -nearest.left, !beyond_end)
        }
        Ground::Polygon(points) => {
            let inside = contains(points, position_m);
            let signed_m = if inside { nearest.distance_m } else { -nearest.distance_m };
            let towards = (nearest.point - position_m).try_normalize(1e-9).unwrap_or(nearest.left);
            (signed_m, if inside { -towards } else { towards }, true)
        }
    };
    let variance_m2 = (inward.transpose() * covariance_m2 * inward).x + BORDER_SD_M * BORDER_SD_M;
    Some(Relation { signed_m, sd_m: libm::sqrt(f64::max(variance_m2, BORDER_SD_M * BORDER_SD_M)), inward, alongside })
}

/// Whether the straight way between two positions meets the border.
pub(crate) fn meets(ground: &Ground, from_m: Vector2<f64>, to_m: Vector2<f64>) -> bool {
    let side = |a: Vector2<f64>, b: Vector2<f64>, p: Vector2<f64>| (b - a).perp(&(p - a));
    segments(ground).any(|(start, end)| {
        let across_border = side(start, end, from_m) * side(start, end, to_m);
        let across_way = side(from_m, to_m, start) * side(from_m, to_m, end);
        across_border <= 0.0 && across_way <= 0.0
    })
}

/// Whether a simple polygon contains a point: a ray to the east meets its border an odd number of times.
pub(crate) fn contains(points: &[Vector2<f64>], position_m: Vector2<f64>) -> bool {
    let mut inside = false;
    let mut previous = match points.last() {
        Some(last) => *last,
        None => return false,
    };
    for &point in points {
        if (point.y > position_m.y) != (previous.y > position_m.y) {
            let share = (position_m.y - point.y) / (previous.y - point.y);
            if position_m.x < point.x + share * (previous.x - point.x) {
                inside = !inside;
            }
        }
        previous = point;
    }
    inside
}

/// Places along a ground, about `step_m` apart and at most `most` of them, and how far apart they are.
pub(crate) fn along(ground: &Ground, step_m: f64, most: usize) -> (Vec<Vector2<f64>>, f64) {
    let length_m: f64 = segments(ground).map(|(from, to)| (to - from).norm()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand places")]
    let step_m = step_m.max(length_m / most.max(1) as f64);
    let (mut places, mut next_m) = (Vec::new(), 0.5 * step_m);
    for (from, to) in segments(ground) {
        let segment_m = (to - from).norm();
        while next_m < segment_m && places.len() < most {
            places.push(from + (to - from) * (next_m / segment_m));
            next_m += step_m;
        }
        next_m -= segment_m;
    }
    (places, step_m)
}

fn segments(ground: &Ground) -> impl Iterator<Item = (Vector2<f64>, Vector2<f64>)> {
    let (points, closed) = match ground {
        Ground::Polygon(points) => (points, true),
        Ground::Line(points) => (points, false),
    };
    let closing = if closed { points.last().copied().zip(points.first().copied()) } else { None };
    points.windows(2).map(|pair| (pair[0], pair[1])).chain(closing)
}

/// The nearest point of a segment.
struct Nearest {
    point: Vector2<f64>,
    distance_m: f64,
    /// Distance from the segment's straight line, positive to its left.
    across_m: f64,
    /// Unit vector to the left of the segment.
    left: Vector2<f64>,
    /// The nearest point is one of the segment's ends.
    at_end: bool,
}

impl Nearest {
    fn to(position_m: Vector2<f64>, from: Vector2<f64>, to: Vector2<f64>) -> Self {
        let along = to - from;
        let share = (position_m - from).dot(&along) / along.norm_squared();
        let clamped = share.clamp(0.0, 1.0);
        let point = from + along * clamped;
        let left = Vector2::new(-along.y, along.x) / along.norm();
        Self {
            point,
            distance_m: (position_m - point).norm(),
            across_m: left.dot(&(position_m - from)),
            left,
            at_end: share <= 0.0 || share >= 1.0,
        }
    }
}

/// Distance to a segment, which may be a point.
pub(crate) fn distance_to_segment_m(position_m: Vector2<f64>, [from_m, to_m]: [Vector2<f64>; 2]) -> f64 {
    let along_m = to_m - from_m;
    let share = (position_m - from_m).dot(&along_m) / along_m.norm_squared().max(f64::MIN_POSITIVE);
    (from_m + along_m * share.clamp(0.0, 1.0) - position_m).norm()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(x: f64, y: f64) -> Vector2<f64> {
        Vector2::new(x, y)
    }

    fn sure() -> Matrix2<f64> {
        Matrix2::identity() * 0.01
    }

    /// A line from west to east: its right, "in", is the south.
    fn line() -> Ground {
        Ground::Line(vec![at(0.0, 0.0), at(100.0, 0.0), at(200.0, 50.0)])
    }

    #[test]
    fn places_along_a_bent_line_are_evenly_spaced() {
        let bent = Ground::Line(vec![at(0.0, 0.0), at(7.0, 0.0), at(7.0, 8.0)]);
        let (places, step_m) = along(&bent, 5.0, 100);
        assert_eq!((places, step_m), (vec![at(2.5, 0.0), at(7.0, 0.5), at(7.0, 5.5)], 5.0));
        assert_eq!(along(&bent, 1.0, 3).0.len(), 3);
    }

    #[test]
    fn in_is_the_right_of_a_line() {
        let south = relation(&line(), at(50.0, -10.0), &sure()).expect("a relation");
        assert!((south.signed_m - 10.0).abs() < 1e-9 && south.alongside, "{south:?}");
        assert!((south.inward - at(0.0, -1.0)).norm() < 1e-9);
        assert!(south.probability_in() > 0.999);
        let north = relation(&line(), at(50.0, 10.0), &sure()).expect("a relation");
        assert!((north.signed_m + 10.0).abs() < 1e-9, "{north:?}");
    }

    #[test]
    fn past_the_end_of_a_line_is_not_alongside() {
        assert!(!relation(&line(), at(-20.0, 5.0), &sure()).expect("a relation").alongside);
        assert!(relation(&line(), at(100.0, -20.0), &sure()).expect("a relation").alongside);
    }

    #[test]
    fn the_side_at_a_bend_is_that_of_the_nearer_face() {
        // Just outside of the bend, where both segments have the same nearest point.
        for (x, y, side) in [(100.0, -5.0, 1.0), (102.0, -8.0, 1.0), (99.0, 6.0, -1.0), (100.0, 6.0, -1.0)] {
            let relation = relation(&line(), at(x, y), &sure()).expect("a relation");
            assert!(relation.signed_m * side > 0.0, "{x} {y} {relation:?}");
        }
    }

    #[test]
    fn inside_of_a_polygon_is_in() {
        let square = Ground::Polygon(vec![at(0.0, 0.0), at(100.0, 0.0), at(100.0, 100.0), at(0.0, 100.0)]);
        let inside = relation(&square, at(95.0, 50.0), &sure()).expect("a relation");
        assert!((inside.signed_m - 5.0).abs() < 1e-9 && (inside.inward - at(-1.0, 0.0)).norm() < 1e-9, "{inside:?}");
        let outside = relation(&square, at(50.0, 107.0), &sure()).expect("a relation");
        assert!((outside.signed_m + 7.0).abs() < 1e-9 && (outside.inward - at(0.0, -1.0)).norm() < 1e-9, "{outside:?}");
    }

    proptest! {
        #[test]
        fn going_over_the_border_changes_the_side(x in 1.0..99.0_f64, y in 1.0..60.0_f64, x2 in 1.0..99.0_f64, y2 in 1.0..60.0_f64) {
            let (north, south) = (at(x, y), at(x2, -y2));
            prop_assert!(meets(&line(), north, south));
            let sides = [north, south].map(|p| relation(&line(), p, &sure()).expect("a relation").signed_m);
            prop_assert!(sides[1] > 0.0, "{sides:?}");
        }

        #[test]
        fn uncertainty_draws_the_probability_to_a_half(distance in 0.1..50.0_f64, sd in 0.1..50.0_f64) {
            let relation = |sd: f64| relation(&line(), at(50.0, -distance), &(Matrix2::identity() * sd * sd)).expect("a relation");
            let (sharp, blurred) = (relation(sd).probability_in(), relation(2.0 * sd).probability_in());
            prop_assert!(0.5 <= blurred && blurred <= sharp && sharp <= 1.0);
        }
    }
}

//! Plane geometry of the site frame: east and north in metres.

/// A point or a vector, east first.
pub type Point = [f64; 2];

/// Distance of two points.
#[must_use]
pub fn distance(a: Point, b: Point) -> f64 {
    libm::hypot(b[0] - a[0], b[1] - a[1])
}

/// Distance from `point` to the nearest point of the segment from `a` to `b`.
#[must_use]
pub fn distance_to_segment(point: Point, a: Point, b: Point) -> f64 {
    let (along, to) = ([b[0] - a[0], b[1] - a[1]], [point[0] - a[0], point[1] - a[1]]);
    let squared = along[0] * along[0] + along[1] * along[1];
    let share = if squared > 0.0 { ((along[0] * to[0] + along[1] * to[1]) / squared).clamp(0.0, 1.0) } else { 0.0 };
    distance(between(a, b, share), point)
}

/// Direction from `from` to `to`, degrees clockwise from north, 0 to 360.
#[must_use]
pub fn azimuth_deg(from: Point, to: Point) -> f64 {
    let degrees = libm::atan2(to[0] - from[0], to[1] - from[1]).to_degrees();
    if degrees < 0.0 { degrees + 360.0 } else { degrees }
}

/// The difference of two directions, in (-180, 180].
#[must_use]
pub fn turn_deg(from_deg: f64, to_deg: f64) -> f64 {
    let turn = libm::fmod(to_deg - from_deg, 360.0);
    if turn > 180.0 {
        turn - 360.0
    } else if turn <= -180.0 {
        turn + 360.0
    } else {
        turn
    }
}

/// The point between `a` (at 0) and `b` (at 1).
#[must_use]
pub fn between(a: Point, b: Point, share: f64) -> Point {
    [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
}

/// Twice the signed area of the triangle; positive when `c` lies left of the way from `a` to `b`.
#[must_use]
pub fn side(a: Point, b: Point, c: Point) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Where on the way from `p` to `q` (0 to 1) the segment `a`-`b` is crossed, and whether from its left to its right.
///
/// A way that only touches the segment's left side has not crossed; reaching the line itself counts as right of it,
/// so two steps that meet on the line make one crossing.
#[must_use]
pub fn crossing(a: Point, b: Point, p: Point, q: Point) -> Option<(f64, bool)> {
    let (before, after) = (side(a, b, p), side(a, b, q));
    let from_left = before > 0.0;
    if from_left == (after > 0.0) {
        return None;
    }
    let share = before / (before - after);
    let at = between(p, q, share);
    let along = (at[0] - a[0]) * (b[0] - a[0]) + (at[1] - a[1]) * (b[1] - a[1]);
    let length_squared = (b[0] - a[0]) * (b[0] - a[0]) + (b[1] - a[1]) * (b[1] - a[1]);
    (0.0..=length_squared).contains(&along).then_some((share, from_left))
}

/// Whether the simple polygon holds the point (even-odd rule).
#[must_use]
pub fn inside(polygon: &[Point], point: Point) -> bool {
    let mut is_inside = false;
    for (index, a) in polygon.iter().enumerate() {
        let b = polygon[(index + 1) % polygon.len()];
        if (a[1] > point[1]) != (b[1] > point[1]) {
            let east = a[0] + (point[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
            is_inside ^= point[0] < east;
        }
    }
    is_inside
}

/// The smallest rectangle around the points: least and greatest corner.
#[must_use]
pub fn bounds(points: &[Point]) -> (Point, Point) {
    let mut low = [f64::INFINITY; 2];
    let mut high = [f64::NEG_INFINITY; 2];
    for point in points {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    (low, high)
}

/// Distance of a point from the nearest of a chain's segments.
#[must_use]
pub fn distance_to_chain(point: Point, chain: &[Point]) -> f64 {
    let to_segment = |from: Point, to: Point| {
        let (along, reach) = ([to[0] - from[0], to[1] - from[1]], [point[0] - from[0], point[1] - from[1]]);
        let squared = (along[0] * along[0] + along[1] * along[1]).max(f64::MIN_POSITIVE);
        let share = ((along[0] * reach[0] + along[1] * reach[1]) / squared).clamp(0.0, 1.0);
        distance(point, between(from, to, share))
    };
    chain.windows(2).map(|pair| to_segment(pair[0], pair[1])).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_is_from_left_to_right() {
        let (west, east) = ([0.0, 0.0], [10.0, 0.0]);
        assert_eq!(crossing(west, east, [5.0, 1.0], [5.0, -1.0]), Some((0.5, true)));
        assert_eq!(crossing(west, east, [5.0, -1.0], [5.0, 3.0]), Some((0.25, false)));
        assert_eq!(crossing(west, east, [11.0, 1.0], [11.0, -1.0]), None);
    }

    #[test]
    fn steps_that_meet_on_the_line_cross_once() {
        let (west, east) = ([0.0, 0.0], [10.0, 0.0]);
        let steps = [[5.0, 1.0], [5.0, 0.0], [5.0, -1.0]];
        let count = steps.windows(2).filter(|w| crossing(west, east, w[0], w[1]).is_some()).count();
        assert_eq!(count, 1);
    }

    #[test]
    fn directions_are_clockwise_from_north() {
        assert!((azimuth_deg([0.0, 0.0], [1.0, 0.0]) - 90.0).abs() < 1e-12);
        assert!((azimuth_deg([0.0, 0.0], [-1.0, 0.0]) - 270.0).abs() < 1e-12);
        assert!((turn_deg(350.0, 10.0) - 20.0).abs() < 1e-12);
        assert!((turn_deg(10.0, 350.0) + 20.0).abs() < 1e-12);
    }

    #[test]
    fn a_square_holds_its_middle() {
        let square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        assert!(inside(&square, [1.0, 1.0]));
        assert!(!inside(&square, [3.0, 1.0]));
    }
}

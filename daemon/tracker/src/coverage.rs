//! Where a sensor sees: the signed distance of a point from the edge of its coverage, and the probability that an
//! uncertain position is inside.

use nalgebra::{Matrix2, Vector2};

use crate::angle::wrap;
use crate::measure::crossing::Segment;
use crate::sensor::Coverage;

const SQRT_TWO: f64 = core::f64::consts::SQRT_2;

/// Step of the differences that give the direction of an edge.
const EDGE_STEP_M: f64 = 0.5;

/// A place this near to a line is watched by it.
const LINE_WIDTH_M: f64 = 3.0;

impl Coverage {
    /// Whether a sensor at this origin watches a place.
    #[must_use]
    pub fn covers(&self, origin_m: Vector2<f64>, place_m: Vector2<f64>) -> bool {
        let least_m = if matches!(self, Self::Line { .. }) { -LINE_WIDTH_M } else { 0.0 };
        self.signed_distance_m(origin_m, place_m) >= least_m
    }

    /// Whether a place is inside or on the edge: the sign of the distance to the edge, without the distance.
    pub(crate) fn holds(&self, origin_m: Vector2<f64>, point_m: Vector2<f64>) -> bool {
        match self {
            Self::Polygon { points_m } => is_in_polygon(points_m, point_m),
            Self::Circle { radius_m } => (point_m - origin_m).norm_squared() <= radius_m * radius_m,
            Self::Sector { .. } | Self::Line { .. } => self.signed_distance_m(origin_m, point_m) >= 0.0,
        }
    }

    /// Distance to the edge, positive inside. A line has no inside: minus the distance to the segment.
    pub(crate) fn signed_distance_m(&self, origin_m: Vector2<f64>, point_m: Vector2<f64>) -> f64 {
        match self {
            Self::Circle { radius_m } => radius_m - (point_m - origin_m).norm(),
            Self::Sector { range_m, min_range_m, heading_rad, width_rad } => {
                let offset = point_m - origin_m;
                let range = offset.norm();
                let radial = (range_m - range).min(range - min_range_m);
                if *width_rad >= core::f64::consts::TAU {
                    return radial;
                }
                let azimuth = libm::atan2(offset.x, offset.y);
                let inside_rad = 0.5 * width_rad - wrap(azimuth - heading_rad).abs();
                radial.min(range * libm::sin(inside_rad.clamp(-1.5, 1.5)))
            }
            Self::Polygon { points_m } => signed_distance_to_polygon(points_m, point_m),
            Self::Line { from_m, to_m } => -libm::sqrt(squared_distance_to_segment(*from_m, *to_m, point_m)),
        }
    }

    /// Probability that a Gaussian position is inside, with the edge taken as straight where it is nearest.
    pub(crate) fn probability_inside(
        &self,
        origin_m: Vector2<f64>,
        position_m: Vector2<f64>,
        covariance_m2: &Matrix2<f64>,
    ) -> f64 {
        let reach_m2 = 25.0 * covariance_m2.trace().max(1e-6);
        if let Self::Polygon { points_m } = self
            && let Some(inside) = is_well_inside_polygon(points_m, position_m, reach_m2)
        {
            return if inside { 1.0 } else { 0.0 };
        }
        let reach_m = libm::sqrt(reach_m2);
        let distance = self.signed_distance_m(origin_m, position_m);
        if distance.abs() > reach_m {
            return if distance > 0.0 { 1.0 } else { 0.0 };
        }
        // A spread along the edge moves nothing across it: only what is normal to the edge counts.
        let slope = |step: Vector2<f64>| {
            let ahead = self.signed_distance_m(origin_m, position_m + step);
            let behind = self.signed_distance_m(origin_m, position_m - step);
            (ahead - behind) / (2.0 * EDGE_STEP_M)
        };
        let normal = Vector2::new(slope(Vector2::new(EDGE_STEP_M, 0.0)), slope(Vector2::new(0.0, EDGE_STEP_M)));
        let across = normal.dot(&(covariance_m2 * normal)) / normal.norm_squared().max(1e-6);
        let sd = libm::sqrt(across).max(1e-3);
        0.5 * libm::erfc(-distance / (sd * SQRT_TWO))
    }

    /// The line of a sensor that reports crossings.
    pub(crate) fn segment(&self) -> Option<Segment> {
        match self {
            Self::Line { from_m, to_m } => {
                Some(Segment::new(Vector2::new(from_m[0], from_m[1]), Vector2::new(to_m[0], to_m[1])))
            }
            Self::Circle { .. } | Self::Sector { .. } | Self::Polygon { .. } => None,
        }
    }

    /// A box around the coverage: west, south, east, north.
    pub(crate) fn bounds_m(&self, origin_m: Vector2<f64>) -> (Vector2<f64>, Vector2<f64>) {
        let around = |points: &mut dyn Iterator<Item = [f64; 2]>| {
            let mut low = Vector2::repeat(f64::INFINITY);
            let mut high = Vector2::repeat(f64::NEG_INFINITY);
            for [east, north] in points {
                low = low.inf(&Vector2::new(east, north));
                high = high.sup(&Vector2::new(east, north));
            }
            (low, high)
        };
        match self {
            Self::Circle { radius_m: reach } | Self::Sector { range_m: reach, .. } => {
                (origin_m.add_scalar(-reach), origin_m.add_scalar(*reach))
            }
            Self::Polygon { points_m } => around(&mut points_m.iter().copied()),
            Self::Line { from_m, to_m } => around(&mut [*from_m, *to_m].into_iter()),
        }
    }

    /// Area in square metres; a line has none.
    pub(crate) fn area_m2(&self) -> f64 {
        match self {
            Self::Circle { radius_m } => core::f64::consts::PI * radius_m * radius_m,
            Self::Sector { range_m, min_range_m, width_rad, .. } => {
                0.5 * width_rad * (range_m * range_m - min_range_m * min_range_m)
            }
            Self::Polygon { points_m } => {
                let doubled: f64 = edges(points_m).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
                0.5 * doubled.abs()
            }
            Self::Line { .. } => 0.0,
        }
    }
}

/// The edges, the one that closes the polygon first.
pub(crate) fn edges(points_m: &[[f64; 2]]) -> impl Iterator<Item = ([f64; 2], [f64; 2])> + '_ {
    let mut from = points_m.last().copied().unwrap_or_default();
    points_m.iter().map(move |to| (core::mem::replace(&mut from, *to), *to))
}

fn signed_distance_to_polygon(points_m: &[[f64; 2]], point: Vector2<f64>) -> f64 {
    let (mut nearest_m2, mut inside) = (f64::INFINITY, false);
    for (from, to) in edges(points_m) {
        nearest_m2 = nearest_m2.min(squared_distance_to_segment(from, to, point));
        inside ^= is_left_through(from, to, point);
    }
    let nearest_m = libm::sqrt(nearest_m2);
    if inside { nearest_m } else { -nearest_m }
}

/// Whether a point is inside, if it is farther than the root of `reach_m2` from the straight lines through all edges, and so
/// from the edges: that takes no division, and is the case for most points of a large polygon. `None` otherwise.
fn is_well_inside_polygon(points_m: &[[f64; 2]], point: Vector2<f64>, reach_m2: f64) -> Option<bool> {
    let mut inside = false;
    let mut from = *points_m.last()?;
    for to in points_m {
        let (east, north) = (to[0] - from[0], to[1] - from[1]);
        // Twice the area of the triangle over the edge: positive for a point to the left of it.
        let area_m2 = east * (point.y - from[1]) - north * (point.x - from[0]);
        if area_m2 * area_m2 <= reach_m2 * (east * east + north * north) {
            return None;
        }
        let is_level = (from[1] > point.y) != (to[1] > point.y);
        inside ^= is_level && (area_m2 > 0.0) == (north > 0.0);
        from = *to;
    }
    Some(inside)
}

/// Whether a point is inside a polygon; nothing is in one of less than three corners.
pub(crate) fn is_in_polygon(points_m: &[[f64; 2]], point: Vector2<f64>) -> bool {
    edges(points_m).fold(false, |inside, (from, to)| inside ^ is_left_through(from, to, point))
}

/// Whether a ray to the east leaves or enters the polygon through this edge: from inside it does so an odd number of times.
fn is_left_through(from: [f64; 2], to: [f64; 2], point: Vector2<f64>) -> bool {
    (from[1] > point.y) != (to[1] > point.y)
        && point.x < (to[0] - from[0]) * (point.y - from[1]) / (to[1] - from[1]) + from[0]
}

fn squared_distance_to_segment(from_m: [f64; 2], to_m: [f64; 2], point: Vector2<f64>) -> f64 {
    let start = Vector2::new(from_m[0], from_m[1]);
    let along = Vector2::new(to_m[0], to_m[1]) - start;
    let share = ((point - start).dot(&along) / along.norm_squared().max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
    (point - start - along * share).norm_squared()
}

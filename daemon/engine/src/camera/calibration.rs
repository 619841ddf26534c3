//! Solves the homography from a camera's image to the ground, from at least four surveyed points.

use libm::sqrt;
use nalgebra::{Matrix2, Matrix3, SMatrix, SVector, SymmetricEigen, Vector2};

use super::{Camera, Ground};

/// Four points determine the eight numbers of a homography.
pub const LEAST_POINTS: usize = 4;
/// The second smallest eigenvalue of a well-posed system of normalised points is far above this share of the greatest.
const DEGENERATE: f64 = 1e-9;

/// Points whose spread across their longest extent is a smaller share of it lie on a line, but for errors of survey.
const NARROW: f64 = 0.02;
/// A point is doubted when the others fit each other so many times better without it.
const DOUBT_FACTOR: f64 = 2.0;
/// Five points must be left to judge one by.
const LEAST_TO_DOUBT: usize = 6;

/// One surveyed point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurveyedPoint {
    /// Where it is in the image: shares to the right and down.
    pub image: [f64; 2],
    /// Where it is on the ground: east and north in the site frame.
    pub ground_m: [f64; 2],
}

/// A solved camera with what is left over at each point.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The solution.
    pub ground: Ground,
    /// Distance on the ground between each point and where the solution puts it, metres.
    pub residuals_m: Vec<f64>,
    /// The same in the image, half widths.
    pub residuals: Vec<f64>,
    /// Standard deviation per axis in half widths; none for four points, which any homography fits.
    pub sd: Option<f64>,
}

/// Why there is no solution.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// Fewer than four.
    #[error("expected at least 4 surveyed points, got {got}")]
    TooFewPoints {
        /// How many there were.
        got: usize,
    },
    /// A number that is none.
    #[error("point {index}: expected finite coordinates inside the image")]
    NotAPoint {
        /// Number of the point, from 0.
        index: usize,
    },
    /// Three of four points on one line, or all of them.
    #[error("expected points that span an area of the image and of the ground, got points (nearly) on one line")]
    Degenerate,
    /// A point that the solution puts above the horizon.
    #[error("point {index}: the solution puts it above the horizon; two points may be exchanged")]
    AboveHorizon {
        /// Number of the point, from 0.
        index: usize,
    },
}

/// The homography whose points in the image are nearest to the given ones in the least-squares sense: begun by the direct
/// linear transformation with normalised coordinates (Hartley and Zisserman, algorithm 4.2), refined by Levenberg and
/// Marquardt's method. Errors are taken to be the image's: the survey of the ground is better than a mouse on a person's feet.
///
/// # Errors
/// When the points are too few, not finite, on one line, or contradict each other.
pub fn calibrate(camera: &Camera, points: &[SurveyedPoint]) -> Result<Calibration, CalibrationError> {
    if points.len() < LEAST_POINTS {
        return Err(CalibrationError::TooFewPoints { got: points.len() });
    }
    let sound = |point: &SurveyedPoint| {
        point.image.iter().all(|share| (-0.05..=1.05).contains(share))
            && point.ground_m.iter().all(|metres| metres.is_finite())
    };
    if let Some(index) = points.iter().position(|point| !sound(point)) {
        return Err(CalibrationError::NotAPoint { index });
    }
    let image: Vec<_> = points.iter().map(|point| camera.normalised(point.image[0], point.image[1])).collect();
    let ground: Vec<_> = points.iter().map(|point| Vector2::from(point.ground_m)).collect();
    if !spans_an_area(&image) || !spans_an_area(&ground) {
        return Err(CalibrationError::Degenerate);
    }
    let mut homography = solve(&image, &ground)?;
    // Up to here the sign is open; the points are in front of the camera.
    let depth = |homography: &Matrix3<f64>, point: &Vector2<f64>| (homography * point.push(1.0)).z;
    if image.iter().map(|point| depth(&homography, point)).sum::<f64>() < 0.0 {
        homography = -homography;
    }
    if let Some(index) = image.iter().position(|point| depth(&homography, point) <= 0.0) {
        return Err(CalibrationError::AboveHorizon { index });
    }
    let back = homography.try_inverse().ok_or(CalibrationError::Degenerate)?;
    let distance = |from: Vector2<f64>, to: &Vector2<f64>| sqrt((from - to).norm_squared());
    let residuals_m = image.iter().zip(&ground).map(|(from, to)| distance(apply(&homography, from), to)).collect();
    let residuals: Vec<f64> = ground.iter().zip(&image).map(|(from, to)| distance(apply(&back, from), to)).collect();
    // Two coordinates a point, less the eight numbers that were solved for.
    let freedom = points.iter().fold(-8.0, |freedom, _| freedom + 2.0);
    let squares: f64 = residuals.iter().map(|residual| residual * residual).sum();
    let sd = (freedom > 0.0).then(|| sqrt(squares / freedom));
    Ok(Calibration { ground: Ground { homography, sd: sd.unwrap_or(0.0) }, residuals_m, residuals, sd })
}

/// The one point without which the others agree: a slip of the survey, or two points exchanged.
#[must_use]
pub fn doubtful(camera: &Camera, points: &[SurveyedPoint]) -> Option<usize> {
    if points.len() < LEAST_TO_DOUBT {
        return None;
    }
    let sd_of = |points: &[SurveyedPoint]| calibrate(camera, points).ok().and_then(|solved| solved.sd);
    let with_all = sd_of(points).unwrap_or(f64::INFINITY);
    let without = |index: usize| {
        let others: Vec<SurveyedPoint> =
            points.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, point)| *point).collect();
        Some((sd_of(&others)?, index))
    };
    let best = (0..points.len()).filter_map(without).min_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(sd, _)| sd * DOUBT_FACTOR < with_all).map(|(_, index)| index)
}

fn apply(matrix: &Matrix3<f64>, point: &Vector2<f64>) -> Vector2<f64> {
    let homogeneous = matrix * point.push(1.0);
    homogeneous.xy() / homogeneous.z
}

fn spans_an_area(points: &[Vector2<f64>]) -> bool {
    let count = points.iter().fold(0.0, |count, _| count + 1.0);
    let centre = points.iter().sum::<Vector2<f64>>() / count;
    let spread = points.iter().fold(Matrix2::zeros(), |spread, point| {
        let offset = point - centre;
        spread + offset * offset.transpose()
    });
    let variances = SymmetricEigen::new(spread).eigenvalues;
    let (least, most) = (variances.min().max(0.0), variances.max());
    sqrt(least) >= NARROW * sqrt(most) && most > 0.0
}

/// Moves `back` (ground to image, both normalised) so that the squares of the distances in the image become least.
fn refine(mut back: Matrix3<f64>, ground: &[Vector2<f64>], image: &[Vector2<f64>]) -> Matrix3<f64> {
    const ROUNDS: u32 = 60;
    let cost = |back: &Matrix3<f64>| -> f64 {
        let squares: f64 = ground.iter().zip(image).map(|(from, to)| (apply(back, from) - to).norm_squared()).sum();
        if squares.is_finite() { squares } else { f64::INFINITY }
    };
    let (mut best, mut damping) = (cost(&back), 1e-3);
    for _ in 0..ROUNDS {
        let (mut squares, mut gradient) = (SMatrix::<f64, 9, 9>::zeros(), SVector::<f64, 9>::zeros());
        for (from, to) in ground.iter().zip(image) {
            let depth = (back * from.push(1.0)).z;
            let place = apply(&back, from);
            for (axis, off) in [(0, place.x - to.x), (1, place.y - to.y)] {
                let mut row = SVector::<f64, 9>::zeros();
                for (column, value) in [from.x, from.y, 1.0].into_iter().enumerate() {
                    row[axis * 3 + column] = value / depth;
                    row[6 + column] = -place[axis] * value / depth;
                }
                squares += row * row.transpose();
                gradient += row * off;
            }
        }
        // The scale of a homography means nothing; the damping keeps the system regular along it.
        let damped = squares + SMatrix::<f64, 9, 9>::identity() * (damping * squares.trace() / 9.0);
        let Some(step) = damped.cholesky().map(|factors| factors.solve(&gradient)) else { break };
        let moved = back - Matrix3::from_row_iterator(step.iter().copied());
        let moved = moved / sqrt(moved.norm_squared());
        let after = cost(&moved);
        if after < best {
            let is_settled = best - after <= 1e-14 * best;
            (back, best, damping) = (moved, after, (damping * 0.2).max(1e-12));
            if is_settled {
                break;
            }
        } else {
            damping *= 8.0;
        }
    }
    back
}

fn solve(image: &[Vector2<f64>], ground: &[Vector2<f64>]) -> Result<Matrix3<f64>, CalibrationError> {
    let (from, from_scaling) = normalise(image)?;
    let (to, to_scaling) = normalise(ground)?;
    let mut squares = SMatrix::<f64, 9, 9>::zeros();
    for (a, b) in from.iter().zip(&to) {
        let rows = [
            [0.0, 0.0, 0.0, -a.x, -a.y, -1.0, b.y * a.x, b.y * a.y, b.y],
            [a.x, a.y, 1.0, 0.0, 0.0, 0.0, -b.x * a.x, -b.x * a.y, -b.x],
        ];
        for row in rows {
            let row = SVector::<f64, 9>::from(row);
            squares += row * row.transpose();
        }
    }
    let eigen = SymmetricEigen::new(squares);
    let mut order: Vec<usize> = (0..9).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*a].total_cmp(&eigen.eigenvalues[*b]));
    if eigen.eigenvalues[order[1]] < DEGENERATE * eigen.eigenvalues[order[8]] {
        return Err(CalibrationError::Degenerate);
    }
    let solution = eigen.eigenvectors.column(order[0]);
    let normalised = Matrix3::from_row_iterator(solution.iter().copied());
    let back = normalised.try_inverse().ok_or(CalibrationError::Degenerate)?;
    let normalised = refine(back, &to, &from).try_inverse().ok_or(CalibrationError::Degenerate)?;
    let unscale = to_scaling.try_inverse().ok_or(CalibrationError::Degenerate)?;
    let homography = unscale * normalised * from_scaling;
    let length = sqrt(homography.norm_squared());
    let homography = homography / length;
    let regular = homography.iter().all(|number| number.is_finite()) && homography.determinant() != 0.0;
    if regular { Ok(homography) } else { Err(CalibrationError::Degenerate) }
}

/// Moves the points' centre to the origin and scales their mean square distance from it to 2; the matrix does the same.
fn normalise(points: &[Vector2<f64>]) -> Result<(Vec<Vector2<f64>>, Matrix3<f64>), CalibrationError> {
    let count = points.iter().fold(0.0, |count, _| count + 1.0);
    let centre = points.iter().sum::<Vector2<f64>>() / count;
    let spread = points.iter().map(|point| (point - centre).norm_squared()).sum::<f64>() / count;
    if spread <= 0.0 {
        return Err(CalibrationError::Degenerate);
    }
    let scale = sqrt(2.0 / spread);
    let matrix = Matrix3::new(scale, 0.0, -scale * centre.x, 0.0, scale, -scale * centre.y, 0.0, 0.0, 1.0);
    Ok((points.iter().map(|point| (point - centre) * scale).collect(), matrix))
}

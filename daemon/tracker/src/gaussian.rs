//! A Gaussian over the state `x = [east, north, east velocity, north velocity]` and its Kalman update.

use nalgebra::{Matrix2, Matrix4, SMatrix, SVector, Vector2, Vector4};
use serde::{Deserialize, Serialize};

/// Mean `x` and covariance `P` of a state in metres and metres a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gaussian {
    pub(crate) mean: Vector4<f64>,
    pub(crate) covariance: Matrix4<f64>,
}

impl Gaussian {
    /// Independent position and velocity.
    pub(crate) fn new(
        position_m: Vector2<f64>,
        position_covariance: Matrix2<f64>,
        velocity_mps: Vector2<f64>,
        velocity_covariance: Matrix2<f64>,
    ) -> Self {
        let mut covariance = Matrix4::zeros();
        covariance.fixed_view_mut::<2, 2>(0, 0).copy_from(&position_covariance);
        covariance.fixed_view_mut::<2, 2>(2, 2).copy_from(&velocity_covariance);
        Self { mean: Vector4::new(position_m.x, position_m.y, velocity_mps.x, velocity_mps.y), covariance }
    }

    pub(crate) fn position(&self) -> Vector2<f64> {
        Vector2::new(self.mean[0], self.mean[1])
    }

    pub(crate) fn velocity(&self) -> Vector2<f64> {
        Vector2::new(self.mean[2], self.mean[3])
    }

    pub(crate) fn position_covariance(&self) -> Matrix2<f64> {
        self.covariance.fixed_view::<2, 2>(0, 0).into_owned()
    }

    pub(crate) fn velocity_covariance(&self) -> Matrix2<f64> {
        self.covariance.fixed_view::<2, 2>(2, 2).into_owned()
    }

    /// The state `interval_s` later (or earlier) at constant velocity, without noise.
    pub(crate) fn shifted(&self, interval_s: f64) -> Self {
        let transition = constant_velocity(interval_s);
        let covariance = transition * self.covariance * transition.transpose();
        Self { mean: transition * self.mean, covariance: (covariance + covariance.transpose()) * 0.5 }
    }

    /// Position `interval_s` later at constant velocity, without noise, and its covariance.
    pub(crate) fn position_after(&self, interval_s: f64) -> (Vector2<f64>, Matrix2<f64>) {
        let cross = self.covariance.fixed_view::<2, 2>(0, 2) * interval_s;
        let spread = self.velocity_covariance() * (interval_s * interval_s);
        let covariance = self.position_covariance() + (cross + cross.transpose()) + spread;
        (self.position() + self.velocity() * interval_s, covariance)
    }

    /// The state when only its position is known better: the velocity follows through its regression on the position.
    pub(crate) fn with_position(&self, position_m: Vector2<f64>, covariance_m2: &Matrix2<f64>) -> Option<Self> {
        let before = self.position_covariance();
        let joint = self.covariance.fixed_view::<4, 2>(0, 0).into_owned();
        let gain = before.cholesky()?.solve(&joint.transpose()).transpose();
        let covariance = self.covariance + gain * (covariance_m2 - before) * gain.transpose();
        let covariance = (covariance + covariance.transpose()) * 0.5;
        Some(Self { mean: self.mean + gain * (position_m - self.position()), covariance })
    }

    /// The state when only `direction . x` is known better, as mean and variance.
    pub(crate) fn with_scalar(&self, direction: &Vector4<f64>, mean: f64, variance: f64) -> Self {
        let joint = self.covariance * direction;
        let before = direction.dot(&joint).max(f64::MIN_POSITIVE);
        let gain = joint / before;
        let covariance = self.covariance + gain * ((variance - before) * gain.transpose());
        let covariance = (covariance + covariance.transpose()) * 0.5;
        Self { mean: self.mean + gain * (mean - direction.dot(&self.mean)), covariance }
    }

    /// Mean and standard deviation of `direction . x`.
    pub(crate) fn scalar(&self, direction: &Vector4<f64>) -> (f64, f64) {
        let variance = direction.dot(&(self.covariance * direction));
        (direction.dot(&self.mean), libm::sqrt(variance.max(1e-12)))
    }

    /// Adds an independent velocity with this variance per axis, (m/s)².
    pub(crate) fn widen_velocity(&mut self, variance: f64) {
        self.covariance[(2, 2)] += variance;
        self.covariance[(3, 3)] += variance;
    }

    /// Larger standard deviation of the position over all directions.
    pub(crate) fn position_sd_m(&self) -> f64 {
        largest_sd(&self.position_covariance())
    }

    /// The Gaussian with the mean and covariance of a weighted sum; the weights need not sum to one.
    /// `None` when they sum to nothing.
    pub(crate) fn merged<'a>(parts: impl Iterator<Item = (f64, &'a Self)> + Clone) -> Option<Self> {
        let mut alone = parts.clone();
        if let (Some((weight, only)), None) = (alone.next(), alone.next()) {
            return (weight > 0.0).then_some(*only);
        }
        let total: f64 = parts.clone().map(|(weight, _)| weight).sum();
        if total <= 0.0 {
            return None;
        }
        let shares = parts.map(|(weight, part)| (weight / total, part));
        let mut first = shares.clone();
        if let (Some(one), Some(other), None) = (first.next(), first.next(), first.next()) {
            return Some(Self::of_two(one, other));
        }
        Some(Self::summed(shares))
    }

    /// The same of a fixed number of parts, those of weight zero included: the filter's most frequent sum, most often of two.
    #[inline]
    pub(crate) fn mixed<const N: usize>(weights: &[f64; N], all: &[Self; N]) -> Option<Self> {
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        if let Some(only) = all.iter().zip(weights).find_map(|(part, weight)| (*weight >= total).then_some(part)) {
            return Some(*only);
        }
        let shares = weights.map(|weight| weight / total);
        let mut parts = shares.iter().zip(all).filter(|(share, _)| **share > 0.0);
        if let (Some(one), Some(other), None) = (parts.next(), parts.next(), parts.next()) {
            return Some(Self::of_two((*one.0, one.1), (*other.0, other.1)));
        }
        Some(Self::summed(shares.into_iter().zip(all)))
    }

    /// The sum of two whose weights sum to one: they differ from its mean in one direction alone.
    #[inline]
    fn of_two((share, one): (f64, &Self), (rest, other): (f64, &Self)) -> Self {
        let apart: [f64; 4] = (one.mean - other.mean).into();
        let between = share * rest;
        let mut sum = Self { mean: one.mean * share + other.mean * rest, covariance: Matrix4::zeros() };
        let columns = one.covariance.data.0.iter().zip(&other.covariance.data.0);
        for ((sums, (of_one, of_other)), across) in sum.covariance.data.0.iter_mut().zip(columns).zip(&apart) {
            for ((sum, (of_one, of_other)), along) in sums.iter_mut().zip(of_one.iter().zip(of_other)).zip(&apart) {
                // The product of the two first: it is the same with rows and columns exchanged, to the last bit.
                *sum = of_one * share + of_other * rest + along * across * between;
            }
        }
        sum
    }

    /// Mean and covariance of a sum whose weights sum to one.
    #[inline]
    fn summed<'a>(parts: impl Iterator<Item = (f64, &'a Self)> + Clone) -> Self {
        let mut mean = Vector4::zeros();
        for (share, part) in parts.clone() {
            mean += part.mean * share;
        }
        // Written out by numbers: matrices of matrices take copies.
        let mut covariance = Matrix4::zeros();
        let sums: &mut [[f64; 4]; 4] = &mut covariance.data.0;
        for (share, part) in parts {
            let spread: [f64; 4] = (part.mean - mean).into();
            for ((sums, of_part), across) in sums.iter_mut().zip(&part.covariance.data.0).zip(&spread) {
                for ((sum, of_part), along) in sums.iter_mut().zip(of_part).zip(&spread) {
                    *sum += (of_part + along * across) * share;
                }
            }
        }
        Self { mean, covariance }
    }
}

/// The transition of constant velocity over an interval, which may be negative.
fn constant_velocity(interval_s: f64) -> Matrix4<f64> {
    let mut transition = Matrix4::identity();
    transition[(0, 2)] = interval_s;
    transition[(1, 3)] = interval_s;
    transition
}

/// Square root of the larger eigenvalue of a symmetric 2 x 2 matrix.
pub(crate) fn largest_sd(covariance: &Matrix2<f64>) -> f64 {
    let mean = 0.5 * (covariance[(0, 0)] + covariance[(1, 1)]);
    let half = 0.5 * (covariance[(0, 0)] - covariance[(1, 1)]);
    let off = covariance[(0, 1)];
    libm::sqrt(mean + libm::sqrt(half * half + off * off))
}

/// A measurement linearised at a prior: innovation `z - h(x)`, Jacobian `H`, noise `R`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Linearised<const D: usize> {
    pub(crate) innovation: SVector<f64, D>,
    pub(crate) jacobian: SMatrix<f64, D, 4>,
    pub(crate) noise: SMatrix<f64, D, D>,
}

impl<const D: usize> Linearised<D> {
    /// The same innovation in terms of the state `age_s` later, which moves with constant velocity.
    pub(crate) fn aged(self, age_s: f64) -> Self {
        Self { jacobian: self.jacobian * constant_velocity(-age_s), ..self }
    }

    /// Innovation covariance `S = H P H' + R`.
    pub(crate) fn innovation_covariance(&self, prior: &Gaussian) -> SMatrix<f64, D, D> {
        self.jacobian * prior.covariance * self.jacobian.transpose() + self.noise
    }

    /// Density `N(z; h(x), S)` and the normalised innovation squared. Zero density when `S` is not positive definite.
    pub(crate) fn likelihood(&self, prior: &Gaussian) -> (f64, f64) {
        self.likelihood_with(self.innovation_covariance(prior))
    }

    /// The same with the innovation covariance at hand.
    pub(crate) fn likelihood_with(&self, innovation_covariance: SMatrix<f64, D, D>) -> (f64, f64) {
        let Some(factor) = innovation_covariance.cholesky() else {
            return (0.0, f64::MAX);
        };
        density(&factor.l(), &self.innovation)
    }

    /// Kalman update in Joseph's form, which keeps the covariance symmetric positive definite, and the density.
    /// A measurement worth less than an independent one (`share` below 1) moves the state with noise `R / share`.
    /// `None` when `S` is not positive definite.
    pub(crate) fn update(&self, prior: &Gaussian, share: f64) -> Option<(Gaussian, f64)> {
        if share < 1.0 {
            let weak = Self { noise: self.noise / share, ..*self };
            let (posterior, _) = weak.update(prior, 1.0)?;
            return Some((posterior, self.likelihood(prior).0));
        }
        let cross = prior.covariance * self.jacobian.transpose();
        let factor = (self.jacobian * cross + self.noise).cholesky()?;
        let (likelihood, _) = density(&factor.l(), &self.innovation);
        let gain = factor.solve(&cross.transpose()).transpose();
        let keep = Matrix4::identity() - gain * self.jacobian;
        let covariance = keep * prior.covariance * keep.transpose() + gain * self.noise * gain.transpose();
        let covariance = (covariance + covariance.transpose()) * 0.5;
        Some((Gaussian { mean: prior.mean + gain * self.innovation, covariance }, likelihood))
    }
}

/// Density of a centred Gaussian with Cholesky factor `lower` at `innovation`, and the squared Mahalanobis distance.
fn density<const D: usize>(lower: &SMatrix<f64, D, D>, innovation: &SVector<f64, D>) -> (f64, f64) {
    let mut whitened = *innovation;
    let mut normaliser = 1.0;
    for row in 0..D {
        for column in 0..row {
            whitened[row] -= lower[(row, column)] * whitened[column];
        }
        whitened[row] /= lower[(row, row)];
        normaliser *= lower[(row, row)] * SQRT_TWO_PI;
    }
    let squared = whitened.norm_squared();
    (bell(squared) / normaliser, squared)
}

/// `exp(-d²/2)` of a squared Mahalanobis distance; nothing where it would be too small for a normal number: processors
/// take a hundred times as long over those, and in a crowd most plots are so far from most ways of moving.
pub(crate) fn bell(squared: f64) -> f64 {
    if squared > FARTHEST_SQUARED { 0.0 } else { libm::exp2(squared * (-0.5 * core::f64::consts::LOG2_E)) }
}

/// Even the product of two densities so far out is a normal number.
pub(crate) const FARTHEST_SQUARED: f64 = 100.0;

/// Square root of two pi.
pub(crate) const SQRT_TWO_PI: f64 = 2.506_628_274_631_000_5;

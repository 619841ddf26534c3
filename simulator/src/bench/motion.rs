//! Nearly constant velocity: white acceleration of density q on each axis, sampled exactly
//! (Bar-Shalom, Li, Kirubarajan 2001, section 6.2.2).

use crate::geometry::Point;
use crate::random::Random;

/// Power density of the acceleration, m²/s³ per axis.
pub(super) const ACCELERATION_DENSITY: f64 = 0.005;

/// Position and velocity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    pub(super) position_m: Point,
    pub(super) velocity_mps: Point,
}

impl Motion {
    /// One step of `dt_s` seconds on.
    pub(super) fn step(&mut self, dt_s: f64, random: &mut Random) {
        // Covariance of the step's noise: q [dt³/3, dt²/2; dt²/2, dt], by its Cholesky factor.
        let position_sd = libm::sqrt(ACCELERATION_DENSITY * dt_s * dt_s * dt_s / 3.0);
        let velocity_sd = libm::sqrt(ACCELERATION_DENSITY * dt_s);
        let correlation = libm::sqrt(3.0) / 2.0;
        for axis in 0..2 {
            let first = random.normal();
            let second = random.normal();
            self.position_m[axis] += self.velocity_mps[axis] * dt_s + position_sd * first;
            self.velocity_mps[axis] += velocity_sd * (correlation * first + 0.5 * second);
        }
    }
}

/// A velocity of the given speed and direction (radians, clockwise from north).
pub(super) fn velocity(speed_mps: f64, azimuth_rad: f64) -> Point {
    [speed_mps * libm::sin(azimuth_rad), speed_mps * libm::cos(azimuth_rad)]
}

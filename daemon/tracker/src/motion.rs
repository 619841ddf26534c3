//! How objects move: integrated Ornstein-Uhlenbeck motion, one parameter set per mode.
//!
//! The velocity relaxes to zero with time constant `persistence_s` and stationary standard deviation
//! `speed_sd_mps` per axis. With a long persistence this is nearly constant velocity with acceleration density
//! `q = 2 sd² / persistence`; with a short one, an object that stays where it is. Unlike nearly constant velocity
//! the velocity of an object nobody sees stays bounded.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};

use crate::gaussian::Gaussian;

/// One way of moving.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MotionModel {
    /// Standard deviation of the velocity per axis, over all objects that move this way.
    pub speed_sd_mps: f64,
    /// Time over which the velocity forgets itself.
    pub persistence_s: f64,
    /// Share of the objects that move this way, before anything is known about one.
    pub share: f64,
}

/// A motion model over one interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transition {
    /// Position gained per velocity, seconds.
    reach_s: f64,
    /// Velocity kept.
    kept: f64,
    noise_position: f64,
    noise_cross: f64,
    noise_velocity: f64,
}

impl MotionModel {
    /// The exact discretisation over `interval_s` (Gillespie, Physical Review E 54, 1996, for the process).
    pub(crate) fn over(&self, interval_s: f64) -> Transition {
        let (time, variance) = (self.persistence_s, self.speed_sd_mps * self.speed_sd_mps);
        let ratio = interval_s / time;
        let lost = -libm::expm1(-ratio);
        let kept = 1.0 - lost;
        // The closed form cancels to nothing for short intervals; its series does not.
        let position = if ratio < 0.02 {
            ratio * ratio * ratio * (2.0 / 3.0 - 0.5 * ratio + 7.0 / 30.0 * ratio * ratio)
        } else {
            2.0 * ratio - 3.0 + 4.0 * kept - kept * kept
        };
        Transition {
            reach_s: time * lost,
            kept,
            noise_position: variance * time * time * position,
            noise_cross: variance * time * lost * lost,
            noise_velocity: variance * lost * (1.0 + kept),
        }
    }

    /// Mean speed on the ground (Rayleigh).
    pub(crate) fn mean_speed_mps(&self) -> f64 {
        self.speed_sd_mps * libm::sqrt(core::f64::consts::FRAC_PI_2)
    }

    /// Variance per axis of what is known of the velocity of a new object.
    pub(crate) fn velocity_variance(&self) -> f64 {
        self.speed_sd_mps * self.speed_sd_mps
    }

    /// What is known of the velocity of a new object.
    pub(crate) fn velocity_covariance(&self) -> Matrix2<f64> {
        Matrix2::identity() * self.velocity_variance()
    }
}

impl Transition {
    /// Prediction `x <- F x`, `P <- F P F' + Q` with the block structure written out.
    pub(crate) fn predict(&self, prior: &Gaussian, predicted: &mut Gaussian) {
        let (position, velocity) = (prior.position(), prior.velocity());
        let pp = prior.position_covariance();
        let pv = prior.covariance.fixed_view::<2, 2>(0, 2).into_owned();
        let vv = prior.velocity_covariance();
        let eye = Matrix2::identity();
        let shift = pv * self.reach_s;
        // Summed first, so that rounding cannot make the covariance unsymmetric.
        let sheared = shift + shift.transpose();
        let new_pp = pp + sheared + vv * (self.reach_s * self.reach_s) + eye * self.noise_position;
        let new_pv = (pv + vv * self.reach_s) * self.kept + eye * self.noise_cross;
        let new_vv = vv * (self.kept * self.kept) + eye * self.noise_velocity;
        *predicted = Gaussian::new(self.carry(position, velocity), new_pp, velocity * self.kept, new_vv);
        predicted.covariance.fixed_view_mut::<2, 2>(0, 2).copy_from(&new_pv);
        predicted.covariance.fixed_view_mut::<2, 2>(2, 0).copy_from(&new_pv.transpose());
    }

    fn carry(&self, position: Vector2<f64>, velocity: Vector2<f64>) -> Vector2<f64> {
        position + velocity * self.reach_s
    }
}

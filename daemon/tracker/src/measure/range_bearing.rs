//! Range and bearing, with or without range rate: a radar in its own polar coordinates.

use nalgebra::{Matrix2, Matrix2x4, Matrix3, Matrix3x4, Vector2, Vector3};

use super::Plot;
use crate::angle::{azimuth_of, towards, wrap};
use crate::gaussian::{Gaussian, Linearised};

/// One polar measurement.
pub(crate) struct Polar {
    pub(crate) range_m: f64,
    pub(crate) range_sd_m: f64,
    pub(crate) azimuth_rad: f64,
    pub(crate) azimuth_sd_rad: f64,
}

impl Polar {
    /// `h(x) = [|d|, atan2(d_east, d_north)]` with `d` from the sensor to the object.
    pub(crate) fn linearise(&self, plot: &Plot<'_>, prior: &Gaussian) -> Linearised<2> {
        let offset = prior.position() - plot.origin_m;
        let range = offset.norm().max(1.0);
        let squared = range * range;
        Linearised {
            innovation: Vector2::new(self.range_m - range, wrap(self.azimuth_rad - azimuth_of(offset))),
            jacobian: Matrix2x4::new(
                offset.x / range,
                offset.y / range,
                0.0,
                0.0, //
                offset.y / squared,
                -offset.x / squared,
                0.0,
                0.0,
            ),
            noise: Matrix2::from_diagonal(&self.variances(plot, squared)),
        }
    }

    /// As above with a third row, the speed away from the sensor.
    pub(crate) fn linearise_with_rate(&self, rate: (f64, f64), plot: &Plot<'_>, prior: &Gaussian) -> Linearised<3> {
        let polar = self.linearise(plot, prior);
        let offset = prior.position() - plot.origin_m;
        let range = offset.norm().max(1.0);
        let direction = offset / range;
        let velocity = prior.velocity();
        let radial = velocity.dot(&direction);
        let by_position = (velocity - direction * radial) / range;
        let mut jacobian = Matrix3x4::zeros();
        jacobian.fixed_view_mut::<2, 4>(0, 0).copy_from(&polar.jacobian);
        jacobian.row_mut(2).copy_from(&nalgebra::RowVector4::new(
            by_position.x,
            by_position.y,
            direction.x,
            direction.y,
        ));
        let variances = self.variances(plot, range * range);
        Linearised {
            innovation: Vector3::new(polar.innovation.x, polar.innovation.y, rate.0 - radial),
            jacobian,
            noise: Matrix3::from_diagonal(&Vector3::new(variances.x, variances.y, rate.1 * rate.1)),
        }
    }

    /// Place and covariance on the ground.
    pub(crate) fn on_ground(&self, plot: &Plot<'_>) -> (Vector2<f64>, Matrix2<f64>) {
        let outwards = towards(self.azimuth_rad);
        let across = Vector2::new(outwards.y, -outwards.x);
        let across_sd = self.range_m * self.azimuth_sd_rad;
        let covariance = outwards * outwards.transpose() * (self.range_sd_m * self.range_sd_m)
            + across * across.transpose() * (across_sd * across_sd)
            + Matrix2::identity() * plot.origin_variance_m2;
        (plot.origin_m + outwards * self.range_m, covariance)
    }

    fn variances(&self, plot: &Plot<'_>, range_squared: f64) -> Vector2<f64> {
        Vector2::new(
            self.range_sd_m * self.range_sd_m + plot.origin_variance_m2,
            self.azimuth_sd_rad * self.azimuth_sd_rad + plot.origin_variance_m2 / range_squared,
        )
    }
}

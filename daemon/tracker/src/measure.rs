//! What a plot says about a state: one file per kind of measurement, all brought to a linearised innovation.
//!
//! Densities are in the measurement's own units: per m² for positions, per m rad for range and bearing, per rad, per
//! m; for presence and crossing, per second. Clutter and birth intensities use the same units, so that they compare.

mod bearing;
pub(crate) mod crossing;
mod position;
pub(crate) mod presence;
mod range;
mod range_bearing;

use nalgebra::{Matrix2, Vector2, Vector4};

use crate::detection::{ClassProbabilities, Measurement};
use crate::evidence::Evidence;
use crate::gaussian::{Gaussian, Linearised};
use crate::sensor::SensorModel;
use crate::strength::Nearness;
use crate::track::Contribution;

/// One detection ready for filtering: the measurement, where the sensor stood, and the shape it watches.
#[derive(Clone, Debug)]
pub(crate) struct Plot<'a> {
    pub(crate) measurement: Measurement,
    pub(crate) class: Option<ClassProbabilities>,
    /// The sensor's own number for the object.
    pub(crate) object: Option<u64>,
    pub(crate) origin_m: Vector2<f64>,
    /// Variance of the sensor's own position per axis.
    pub(crate) origin_variance_m2: f64,
    /// How long before the scan's time the object was where the plot shows it, by the sensor's delay and its clock.
    pub(crate) age_s: f64,
    /// Part of an independent measurement that this one is worth; the update weighs it so, the association does not.
    pub(crate) share: f64,
    /// What the strength of a presence says about its distance.
    pub(crate) nearness: Option<Nearness>,
    pub(crate) sensor: &'a SensorModel,
}

/// A measurement at a prior, of whichever dimension.
enum Innovation {
    One(Linearised<1>),
    Two(Linearised<2>),
    Three(Linearised<3>),
}

impl Innovation {
    /// The same innovation in terms of the state `age_s` after the moment measured.
    fn aged(self, age_s: f64) -> Self {
        match self {
            Self::One(one) => Self::One(one.aged(age_s)),
            Self::Two(two) => Self::Two(two.aged(age_s)),
            Self::Three(three) => Self::Three(three.aged(age_s)),
        }
    }
}

impl Plot<'_> {
    /// The linearised measurement. That of presence and crossing serves the record only.
    ///
    /// A plot that shows the past measures where the object was then: `h(F⁻¹ x)` with constant velocity over its age.
    fn linearise(&self, prior: &Gaussian) -> Innovation {
        if self.age_s.abs() > 0.0 {
            return self.linearise_present(&prior.shifted(-self.age_s)).aged(self.age_s);
        }
        self.linearise_present(prior)
    }

    fn linearise_present(&self, prior: &Gaussian) -> Innovation {
        match self.measurement {
            Measurement::Position { position_m, covariance_m2 } => {
                Innovation::Two(position::linearise(position_m, &covariance_m2, self.origin_variance_m2, prior))
            }
            Measurement::RangeBearing { range_m, range_sd_m, azimuth_rad, azimuth_sd_rad, range_rate_mps } => {
                let polar = range_bearing::Polar { range_m, range_sd_m, azimuth_rad, azimuth_sd_rad };
                match range_rate_mps {
                    Some(rate) => Innovation::Three(polar.linearise_with_rate(rate, self, prior)),
                    None => Innovation::Two(polar.linearise(self, prior)),
                }
            }
            Measurement::Bearing { azimuth_rad, azimuth_sd_rad } => {
                Innovation::One(bearing::linearise(azimuth_rad, azimuth_sd_rad, self, prior))
            }
            Measurement::Range { range_m, range_sd_m } => {
                Innovation::One(range::linearise(range_m, range_sd_m, self, prior))
            }
            Measurement::Presence { .. } => Innovation::Two(presence::linearise(self, prior)),
            Measurement::Crossing { .. } => Innovation::Two(crossing::linearise(self, prior)),
        }
    }

    /// Density of this plot if it comes from an object in this state.
    pub(crate) fn likelihood(&self, prior: &Gaussian) -> f64 {
        match self.measurement {
            Measurement::Presence { .. } => {
                presence::probability_inside(self, prior) * presence::rate_per_s(self.sensor)
            }
            Measurement::Crossing { direction } => self
                .segment()
                .and_then(|segment| crossing::update(direction, self, &segment, prior))
                .map_or(0.0, |(_, density)| density),
            Measurement::Position { position_m, covariance_m2 } if self.age_s.abs() <= 0.0 => {
                position::likelihood(position_m, &covariance_m2, self.origin_variance_m2, prior)
            }
            _ => match self.linearise(prior) {
                Innovation::One(one) => one.likelihood(prior).0,
                Innovation::Two(two) => two.likelihood(prior).0,
                Innovation::Three(three) => three.likelihood(prior).0,
            },
        }
    }

    /// What this plot counts for when states compete: its density, to the power of the part of it that is new.
    pub(crate) fn evidence(&self, prior: &Gaussian) -> f64 {
        self.new_part_of(self.likelihood(prior))
    }

    fn new_part_of(&self, density: f64) -> f64 {
        if self.share < 1.0 { libm::pow(density, self.share) } else { density }
    }

    /// Moves the state by this plot, and gives the plot's evidence. `None`, with nothing changed, when the plot is impossible.
    pub(crate) fn update(&self, state: &mut Gaussian) -> Option<f64> {
        if let Measurement::Position { position_m, covariance_m2 } = self.measurement
            && self.age_s.abs() <= 0.0
            && self.share >= 1.0
        {
            return position::update(position_m, &covariance_m2, self.origin_variance_m2, state);
        }
        let (posterior, density) = match self.measurement {
            Measurement::Presence { .. } => presence::update(self, state)?,
            Measurement::Crossing { direction } => crossing::update(direction, self, &self.segment()?, state)?,
            _ => match self.linearise(state) {
                Innovation::One(one) => one.update(state, self.share)?,
                Innovation::Two(two) => two.update(state, self.share)?,
                Innovation::Three(three) => three.update(state, self.share)?,
            },
        };
        *state = posterior;
        Some(self.new_part_of(density))
    }

    /// What this plot of a track says about its sensor's clock, the squared normalised innovation, and its dimensions.
    pub(crate) fn lag(&self, prior: &Gaussian) -> (Evidence, f64, f64) {
        fn of<const D: usize>(linearised: &Linearised<D>, prior: &Gaussian) -> (Evidence, f64, f64) {
            let Some(factor) = linearised.innovation_covariance(prior).cholesky() else {
                return (Evidence::default(), f64::MAX, 1.0);
            };
            let velocity = Vector4::new(prior.mean[2], prior.mean[3], 0.0, 0.0);
            let slope = -(linearised.jacobian * velocity);
            let weighed = factor.solve(&slope);
            let lag = Evidence { information: slope.dot(&weighed), score: linearised.innovation.dot(&weighed) };
            (lag, linearised.likelihood(prior).1, linearised.innovation.iter().map(|_| 1.0).sum())
        }
        match self.linearise(prior) {
            Innovation::One(one) => of(&one, prior),
            Innovation::Two(two) => of(&two, prior),
            Innovation::Three(three) => of(&three, prior),
        }
    }

    /// The innovation of a position, or of a range and bearing, as a multiple of what is expected of it, and the part of its
    /// covariance that is the sensor's own.
    pub(crate) fn surprise(&self, prior: &Gaussian) -> Option<(Vector2<f64>, f64)> {
        let (innovation, covariance, noise) = match self.linearise(prior) {
            Innovation::Two(two) => (two.innovation, two.innovation_covariance(prior), two.noise),
            Innovation::Three(three) => (
                three.innovation.fixed_rows::<2>(0).into_owned(),
                three.innovation_covariance(prior).fixed_view::<2, 2>(0, 0).into_owned(),
                three.noise.fixed_view::<2, 2>(0, 0).into_owned(),
            ),
            Innovation::One(_) => return None,
        };
        let factor = covariance.cholesky()?;
        Some((factor.l_dirty().solve_lower_triangular(&innovation)?, 0.5 * factor.solve(&noise).trace()))
    }

    /// Writes innovation, its covariance and its test ratio into the record.
    pub(crate) fn record(&self, prior: &Gaussian, record: &mut Contribution) {
        fn write<const D: usize>(linearised: &Linearised<D>, prior: &Gaussian, record: &mut Contribution) {
            record.innovation.clear();
            record.innovation.extend_from_slice(linearised.innovation.as_slice());
            record.innovation_covariance.clear();
            let covariance = linearised.innovation_covariance(prior);
            record.innovation_covariance.extend_from_slice(covariance.transpose().as_slice());
            record.test_ratio = linearised.likelihood_with(covariance).1;
        }
        match self.linearise(prior) {
            Innovation::One(one) => write(&one, prior, record),
            Innovation::Two(two) => write(&two, prior, record),
            Innovation::Three(three) => write(&three, prior, record),
        }
    }

    /// Place and spread of the plot on the ground, when it has one: what the spatial index and births use.
    pub(crate) fn on_ground(&self) -> Option<(Vector2<f64>, Matrix2<f64>)> {
        match self.measurement {
            Measurement::Position { position_m, covariance_m2 } => {
                Some((position_m, covariance_m2 + Matrix2::identity() * self.origin_variance_m2))
            }
            Measurement::RangeBearing { range_m, range_sd_m, azimuth_rad, azimuth_sd_rad, .. } => {
                let polar = range_bearing::Polar { range_m, range_sd_m, azimuth_rad, azimuth_sd_rad };
                Some(polar.on_ground(self))
            }
            Measurement::Presence { .. } => Some(presence::on_ground(self)),
            Measurement::Crossing { .. } => Some(crossing::on_ground(self)),
            Measurement::Bearing { .. } | Measurement::Range { .. } => None,
        }
    }

    /// Whether it is a direction without a distance.
    pub(crate) const fn is_ray(&self) -> bool {
        matches!(self.measurement, Measurement::Bearing { .. })
    }

    /// The segment of a line sensor.
    pub(crate) fn segment(&self) -> Option<crossing::Segment> {
        self.sensor.coverage.segment()
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    //! A sensor at the origin and its plots.

    use nalgebra::Vector2;

    use super::Plot;
    use crate::detection::Measurement;
    use crate::sensor::{Clutter, Coverage, SensorKind, SensorModel};

    pub(crate) fn sensor(kind: SensorKind, coverage: Coverage) -> SensorModel {
        SensorModel {
            id: "fixture".into(),
            kind,
            position_m: Vector2::zeros(),
            coverage,
            mobile: false,
            scan_period_s: None,
            reports_empty_scans: true,
            detection_probability: 0.9,
            clutter: Clutter::PerHour(1.0),
            rearm_s: 5.0,
            position_sd_m: 5.0,
            range_sd_m: 5.0,
            azimuth_sd_rad: 0.007,
            range_rate_sd_mps: 0.5,
            latency_s: 0.0,
            plot_age_s: 0.0,
            error_correlation_s: 0.0,
            initiates: true,
        }
    }

    pub(crate) fn plot_of(measurement: Measurement, sensor: &SensorModel) -> Plot<'_> {
        Plot {
            measurement,
            class: None,
            object: None,
            origin_m: Vector2::zeros(),
            origin_variance_m2: 0.0,
            age_s: sensor.plot_age_s,
            share: 1.0,
            nearness: None,
            sensor,
        }
    }
}

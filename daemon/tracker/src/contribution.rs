//! Who said what about a track: one record per sensor, the material of explanations.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use tinyvec::ArrayVec;

use crate::gaussian::Gaussian;
use crate::measure::Plot;
use crate::time::Timestamp;
use crate::track::Contribution;

/// An association less likely than this leaves no innovation in the record, and is no proof that the sensor saw the object.
const WORTH_RECORDING: f64 = 0.5;

/// Innovations farther apart than this are not in succession.
const SUCCESSION_S: f64 = 6.0;

/// The records of one track, by sensor index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Records {
    spoke: Vec<Contribution>,
    /// Sensors that should have seen the object at their last scan and did not, ascending.
    silent: SmallVec<[usize; 2]>,
    /// Sensors that have seen the object, ascending, and when each did last.
    #[serde(default)]
    seen: SmallVec<[(usize, Timestamp); 2]>,
}

impl Records {
    /// Notes that a plot was from this track with probability `share`, and what that did to the log-odds of existence.
    pub(crate) fn note(
        &mut self,
        sensor: usize,
        time: Timestamp,
        share: f64,
        log_ratio: f64,
        plot: &Plot<'_>,
        prior: &Gaussian,
    ) {
        let record = self.of(sensor, time);
        record.time = time;
        record.detections += share;
        record.log_likelihood += log_ratio;
        if share >= WORTH_RECORDING || record.innovation.is_empty() {
            plot.record(prior, record);
        }
        if share >= WORTH_RECORDING {
            match self.seen.binary_search_by_key(&sensor, |(sensor, _)| *sensor) {
                Ok(place) => self.seen[place].1 = self.seen[place].1.max(time),
                Err(place) => self.seen.insert(place, (sensor, time)),
            }
        }
    }

    /// Notes what a sensor's silence did to the log-odds of existence, if that sensor has contributed before.
    pub(crate) fn note_silence(&mut self, sensor: usize, log_ratio: f64) {
        if let Ok(found) = self.spoke.binary_search_by_key(&sensor, |record| record.sensor) {
            self.spoke[found].log_likelihood += log_ratio;
        }
    }

    /// Notes whether a sensor that should have seen the object did.
    pub(crate) fn note_presence(&mut self, sensor: usize, spoke: bool) {
        match self.silent.binary_search(&sensor) {
            Ok(place) if spoke => drop(self.silent.remove(place)),
            Err(place) if !spoke => self.silent.insert(place, sensor),
            _ => {}
        }
    }

    /// Sensors that should have seen the object at their last scan and did not.
    pub(crate) fn silent(&self) -> &[usize] {
        &self.silent
    }

    /// The sensors that have seen the object, and when each did last.
    pub(crate) fn seen_by(&self) -> &[(usize, Timestamp)] {
        &self.seen
    }

    /// The innovation that a sensor's last plot had, as a multiple of what was expected of it, if that was lately.
    pub(crate) fn last_innovation(&self, sensor: usize, now: Timestamp) -> Option<Vector2<f64>> {
        let place = self.spoke.binary_search_by_key(&sensor, |record| record.sensor).ok()?;
        let record = &self.spoke[place];
        let (innovation, covariance) = (record.innovation.as_slice(), record.innovation_covariance.as_slice());
        let (&[first, second, ..], dimensions) = (innovation, innovation.len()) else { return None };
        let covariance = Matrix2::new(covariance[0], covariance[1], covariance[dimensions], covariance[dimensions + 1]);
        let is_late = now.seconds_since(record.time) > SUCCESSION_S;
        let factor = covariance.cholesky().filter(|_| !is_late)?;
        factor.l_dirty().solve_lower_triangular(&Vector2::new(first, second))
    }

    pub(crate) fn as_slice(&self) -> &[Contribution] {
        &self.spoke
    }

    fn of(&mut self, sensor: usize, time: Timestamp) -> &mut Contribution {
        let place = match self.spoke.binary_search_by_key(&sensor, |record| record.sensor) {
            Ok(found) => found,
            Err(place) => {
                self.spoke.insert(
                    place,
                    Contribution {
                        sensor,
                        time,
                        detections: 0.0,
                        innovation: ArrayVec::new(),
                        innovation_covariance: ArrayVec::new(),
                        test_ratio: 0.0,
                        log_likelihood: 0.0,
                    },
                );
                place
            }
        };
        &mut self.spoke[place]
    }
}

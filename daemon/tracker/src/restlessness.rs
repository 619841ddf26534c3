//! How restless people on foot really are, from whether the plots of tracks that are sure keep coming to one side.
//!
//! The acceleration density `q` of the walkers' motion is multiplied by a ratio `r`. If `r` is right, one innovation says
//! nothing about the next (Mehra, IEEE Transactions on Automatic Control 15(2), 1970); where people turn more than they are
//! taken to, the track lags behind and `c = v̂ₖᵀ v̂ₖ₋₁ / 2`, of the innovations as multiples of what was expected of them, is
//! positive: it grows with `ln r` at a rate of about `k = 0.3 (1 - w)`, with `w` the part of the innovation's covariance that
//! is the sensor's error. (The rate is that of a filter in its steady state, from 0.27 where that part is large to 0.32 where
//! it is small.) In two dimensions `c` has the variance 1/2, so a plot is worth the information `2 k²` and says `2 k c`; a
//! scalar filter on `ln r` adds that up, as for the sensors' errors in `noise.rs`.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;

/// Growth of the correlation with `ln r`, for each part of the innovation that is the track's own.
const CORRELATION: f64 = 0.3;

/// Information about `ln r` that the configuration is worth, and the most that is remembered.
const PRIOR_INFORMATION: f64 = 10.0;
const MOST_INFORMATION: f64 = 200.0;

/// Bounds of `ln r`: a quarter and thirty times the configured density.
const LEAST: f64 = -1.386_294_361;
const MOST: f64 = 3.401_197_382;

/// No pair of innovations says more than this: who turns sharply is one of many.
const MOST_CORRELATED: f64 = 2.0;

/// The ratio of the acceleration density of walkers to what is configured, as its logarithm with the information about it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Restlessness {
    log_ratio: f64,
    information: f64,
}

impl Default for Restlessness {
    fn default() -> Self {
        Self { log_ratio: 0.0, information: PRIOR_INFORMATION }
    }
}

/// What two innovations of one track in succession say about the logarithm of the ratio, as multiples of what was expected.
/// `part` of the later one's covariance is the sensor's error.
pub(crate) fn swerving(before: Vector2<f64>, now: Vector2<f64>, part: f64) -> Evidence {
    let rate = CORRELATION * (1.0 - part);
    let correlation = (0.5 * before.dot(&now)).clamp(-MOST_CORRELATED, MOST_CORRELATED);
    Evidence { information: 2.0 * rate * rate, score: 2.0 * rate * correlation }
}

impl Restlessness {
    /// Of the densities.
    pub(crate) fn ratio(&self) -> f64 {
        libm::exp(self.log_ratio)
    }

    /// Takes in what one scan says.
    pub(crate) fn learn(&mut self, swerving: Evidence) {
        swerving.refine(&mut self.log_ratio, &mut self.information, MOST_INFORMATION);
        self.log_ratio = self.log_ratio.clamp(LEAST, MOST);
    }
}

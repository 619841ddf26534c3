//! Things that stay where they are: buoys, piers, parked cars. A sensor sees them as well as anything, and nobody wants
//! them reported.
//!
//! A track that has hardly moved since it was confirmed, for longer than an object of interest stays in one place, is
//! taken for a fixture; it is tracked on, and is an object again as soon as it moves.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};

use crate::gaussian::Gaussian;
use crate::time::Timestamp;

/// Slower than this on the whole is no movement: structures wander that fast in the sensors' eyes.
const NET_SPEED_MPS: f64 = 0.3;

/// Faster than this at the moment is movement.
const SPEED_MPS: f64 = 0.5;

/// Where and when a track was first confirmed, and whether it has stayed there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mooring {
    since: Timestamp,
    place_m: Vector2<f64>,
    pub(crate) is_fixture: bool,
}

impl Mooring {
    /// That of a track that has just been confirmed.
    pub(crate) fn new(time: Timestamp, state: &Gaussian) -> Self {
        Self { since: time, place_m: state.position(), is_fixture: false }
    }

    /// Decides anew, for an object that is of interest as long as it does not stay in one place for `fixture_after_s`.
    pub(crate) fn watch(&mut self, time: Timestamp, state: &Gaussian, fixture_after_s: f64) {
        let stay_s = time.seconds_since(self.since);
        let net_mps = (state.position() - self.place_m).norm() / stay_s.max(1.0);
        self.is_fixture = stay_s > fixture_after_s && net_mps < NET_SPEED_MPS && state.velocity().norm() < SPEED_MPS;
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::Matrix2;

    use super::*;

    fn at(east_m: f64, speed_mps: f64) -> Gaussian {
        let position = Vector2::new(east_m, 0.0);
        Gaussian::new(position, Matrix2::identity(), Vector2::new(speed_mps, 0.0), Matrix2::identity())
    }

    #[test]
    fn what_stays_is_a_fixture_until_it_moves() {
        let mut mooring = Mooring::new(Timestamp::from_seconds(0), &at(0.0, 0.0));
        mooring.watch(Timestamp::from_seconds(20), &at(2.0, 0.1), 30.0);
        assert!(!mooring.is_fixture, "not yet long enough");
        mooring.watch(Timestamp::from_seconds(40), &at(2.0, 0.1), 30.0);
        assert!(mooring.is_fixture);
        mooring.watch(Timestamp::from_seconds(42), &at(4.0, 1.5), 30.0);
        assert!(!mooring.is_fixture, "it casts off");
    }

    #[test]
    fn who_goes_slowly_but_steadily_is_no_fixture() {
        let mut mooring = Mooring::new(Timestamp::from_seconds(0), &at(0.0, 0.4));
        mooring.watch(Timestamp::from_seconds(100), &at(40.0, 0.4), 30.0);
        assert!(!mooring.is_fixture);
    }
}

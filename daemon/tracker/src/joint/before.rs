//! A member's state under one joint hypothesis before a scan, and what a plot makes of it.

use super::hypotheses::State;
use super::{Rival, places};
use crate::bernoulli::Bernoulli;
use crate::hint::Taken;
use crate::imm::{Hypothesis, move_by, updated_by};
use crate::measure::Plot;
use crate::mixture;
use crate::prospect::Prospect;

/// A member's state before the scan.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    pub(super) existence: f64,
    pub(super) hypothesis: &'a Hypothesis,
    /// Where else it may be, with weights.
    pub(super) others: &'a [Hypothesis],
    /// The sensors' own numbers that it has taken.
    pub(super) taken: &'a Taken,
    /// Detection probability in each place.
    pub(super) detected: &'a [f64],
    /// Probability of having no plot.
    pub(super) missed: f64,
}

impl<'a> Before<'a> {
    /// A track's state under each joint hypothesis, its own first. `prospect`: if the scan concerns the track.
    pub(super) fn all_of(track: &'a Bernoulli, prospect: Option<&'a Prospect>) -> impl Iterator<Item = Self> {
        let factors = move |state: usize| prospect.map_or((&[][..], 1.0), |prospect| prospect.of_state(state));
        let own = Before {
            existence: track.existence,
            hypothesis: &track.hypotheses[0],
            others: &track.hypotheses[1..],
            taken: &track.taken,
            detected: factors(0).0,
            missed: factors(0).1,
        };
        let rivals = track.rivals().enumerate();
        let rivals = rivals.map(move |(number, Rival { existence, hypothesis, others, taken })| Before {
            existence: *existence,
            hypothesis,
            others,
            taken,
            detected: factors(number + 1).0,
            missed: factors(number + 1).1,
        });
        std::iter::once(own).chain(rivals)
    }

    /// The state after a plot, or after none.
    pub(super) fn after(&self, existence: f64, seen: Option<&Plot<'_>>) -> State {
        if !self.others.is_empty() {
            return State::among(existence, self.places_after(seen), self.taken.clone());
        }
        let mut hypothesis = self.hypothesis.clone();
        if seen.is_some_and(|plot| !move_by(&mut hypothesis, plot, 1.0)) {
            hypothesis = self.hypothesis.clone();
        }
        State::new(existence, hypothesis, self.taken.clone())
    }

    /// The same of a member that may be in several places.
    fn places_after(&self, seen: Option<&Plot<'_>>) -> Vec<Hypothesis> {
        let all = || places(self.hypothesis, self.others);
        let mut before: Vec<Hypothesis> =
            all().map(|(share, place)| Hypothesis { weight: share, ..place.clone() }).collect();
        if let Some(plot) = seen {
            let parts = all().zip(self.detected).filter(|(_, detected)| **detected > 0.0);
            let parts = parts.filter_map(|((share, place), detected)| updated_by(place, plot, share * detected));
            let moved = mixture::reduced(parts.collect(), &before);
            // A plot that is impossible in every place says nothing.
            return if moved.is_empty() { before } else { moved };
        }
        // Where having no plot says nothing, it says nothing of any place.
        if self.missed < 1.0 {
            for (hypothesis, detected) in before.iter_mut().zip(self.detected) {
                hypothesis.weight *= 1.0 - detected;
            }
            mixture::drop_negligible(&mut before);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};

    use super::*;
    use crate::config::TrackerConfig;
    use crate::gaussian::Gaussian;
    use crate::measure::fixture::{plot_of, sensor};
    use crate::{Coverage, Measurement, SensorKind};

    fn place(weight: f64, north_m: f64) -> Hypothesis {
        let velocity = TrackerConfig::default().walking.velocity_covariance();
        let state = Gaussian::new(Vector2::new(0.0, north_m), Matrix2::identity(), Vector2::zeros(), velocity);
        Hypothesis { weight, mode_probability: [0.0, 1.0, 0.0], modes: [state; 3] }
    }

    /// The shares of a member's two places after a scan that gave it `seen`, with these factors.
    fn shares(detected: &[f64], missed: f64, seen: Option<&Plot<'_>>) -> Vec<f64> {
        let (first, others, taken) = (place(0.6, 100.0), [place(0.4, 300.0)], Taken::default());
        let before = Before { existence: 0.9, hypothesis: &first, others: &others, taken: &taken, detected, missed };
        before.after(0.9, seen).places().map(|(share, _)| share).collect()
    }

    #[test]
    fn an_event_elsewhere_leaves_all_places_as_they_were() {
        let shares = shares(&[1.0, 1.0], 1.0, None);
        assert!((shares[0] - 0.6).abs() < 1e-12 && (shares[1] - 0.4).abs() < 1e-12, "{shares:?}");
    }

    #[test]
    fn who_is_not_seen_is_likelier_where_nobody_would_be() {
        let shares = shares(&[0.9, 0.0], 0.46, None);
        assert!(shares.iter().any(|share| (share - 0.4 / 0.46).abs() < 1e-9), "{shares:?}");
    }

    #[test]
    fn an_impossible_plot_leaves_all_places_as_they_were() {
        let radar = sensor(SensorKind::Radar, Coverage::Circle { radius_m: 5_000.0 });
        let position_m = Vector2::new(4_000.0, 0.0);
        let plot = plot_of(Measurement::Position { position_m, covariance_m2: Matrix2::identity() }, &radar);
        assert_eq!(shares(&[0.9, 0.9], 0.1, Some(&plot)).len(), 2);
    }
}

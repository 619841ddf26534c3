//! A member's state under one joint hypothesis before a scan, and what a plot makes of it.

use super::hypotheses::State;
use super::{Rival, places};
use crate::bernoulli::{Bernoulli, move_by, updated_by};
use crate::hint::Taken;
use crate::imm::Hypothesis;
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
            return mixture::reduced(parts.collect(), &before);
        }
        for (hypothesis, detected) in before.iter_mut().zip(self.detected) {
            hypothesis.weight *= 1.0 - detected;
        }
        mixture::drop_negligible(&mut before);
        before
    }
}

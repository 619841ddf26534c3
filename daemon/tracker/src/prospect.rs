//! What a scan could mean for one track, before association.

use smallvec::{SmallVec, smallvec};

use crate::bernoulli::Bernoulli;
use crate::gaussian::Gaussian;

/// For each hypothesis of a track a factor on the density of a plot
/// (the detection probability there) and one on having no plot.
#[derive(Clone, Debug)]
pub(crate) struct Prospect {
    pub(crate) detected: SmallVec<[f64; 1]>,
    pub(crate) missed: SmallVec<[f64; 1]>,
    /// Mean of the latter over the hypotheses.
    pub(crate) mean_missed: f64,
    /// Probability that the object is visible to the sensor; the factors include it.
    pub(crate) visible: f64,
    /// Moments of the state, where there is only one hypothesis.
    pub(crate) state: Option<Gaussian>,
    /// Detection probability in each place, and probability of no plot, under each other joint hypothesis; empty where
    /// that is as under its own.
    rivals: Vec<(SmallVec<[f64; 1]>, f64)>,
}

impl Prospect {
    /// The factors of a sensor that scans, from its detection probability at a place, for an object that is visible to
    /// it with probability `visible`.
    pub(crate) fn of(track: &Bernoulli, visible: f64, detection_at: impl Fn(&Gaussian) -> f64) -> Self {
        let state = if let [only] = track.hypotheses.as_slice() { Some(only.moments()) } else { None };
        let detected: SmallVec<[f64; 1]> = match &state {
            Some(state) => smallvec![visible * detection_at(state)],
            None => track.hypotheses.iter().map(|hypothesis| visible * detection_at(hypothesis.likeliest())).collect(),
        };
        let missed: SmallVec<[f64; 1]> = detected.iter().map(|detection| 1.0 - detection).collect();
        let mean_missed = track.hypotheses.iter().zip(&missed).map(|(h, m)| h.weight * m).sum();
        let mut rivals = Vec::new();
        if track.bond.is_some() && track.may_be_anywhere() {
            rivals.extend(track.rivals().map(|rival| {
                let detected: SmallVec<[f64; 1]> =
                    rival.places().map(|(_, place)| visible * detection_at(place.likeliest())).collect();
                let missed = rival.places().zip(&detected).map(|((share, _), detected)| share * (1.0 - detected)).sum();
                (detected, missed)
            }));
        }
        Self { detected, missed, mean_missed, visible, state, rivals }
    }

    /// The factors of a sensor that reports events: its silence in this instant says nothing.
    pub(crate) fn of_event(track: &Bernoulli) -> Self {
        let ones: SmallVec<[f64; 1]> = smallvec![1.0; track.hypotheses.len()];
        let rivals = track.rivals().map(|rival| (smallvec![1.0; 1 + rival.others.len()], 1.0)).collect();
        Self { detected: ones.clone(), missed: ones, mean_missed: 1.0, visible: 1.0, state: None, rivals }
    }

    /// Detection probability in each place, and probability of no plot, under a joint hypothesis, the own first.
    pub(crate) fn of_state(&self, number: usize) -> (&[f64], f64) {
        let rival = number.checked_sub(1).and_then(|number| self.rivals.get(number));
        rival.map_or((&self.detected, self.mean_missed), |(detected, missed)| (detected, *missed))
    }

    /// The same, if having no plot says nothing.
    pub(crate) fn whatever_is_missed(mut self) -> Self {
        self.missed.fill(1.0);
        self.mean_missed = 1.0;
        self.rivals.iter_mut().for_each(|(_, missed)| *missed = 1.0);
        self
    }
}

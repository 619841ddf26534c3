//! Who is new: births of a scan's plots, the companions of who is known already, and the rate at which objects arrive.

use super::Filter;
use crate::bernoulli::{Bernoulli, Label, forgotten_below};
use crate::birth::Birth;
use crate::class;
use crate::companions::{self, Companions};
use crate::config::TrackerConfig;
use crate::gate::PlotIndex;
use crate::hint::Taken;
use crate::prospect::Prospect;
use crate::sensor::{SensorKind, SensorModel};
use crate::update::{MOST_CERTAIN, log_odds};
use crate::view::View;
use crate::visibility::Visibility;

/// An ambiguous birth costs many hypotheses: it must be likelier than this to be kept.
const LEAST_AMBIGUOUS: f64 = 1e-3;

/// Beginnings too unlikely to be kept may be so many objects a scan in all: among many false plots each is unlikely ..
const MOST_LOST: f64 = 1e-3;
/// .. and none of them is less likely than this part of the likeliest: where nobody has come for weeks each is unlikely.
const LEAST_PART: f64 = 0.01;

/// Fewer undetected companions than this are not worth looking for.
const NO_COMPANIONS: f64 = 1e-5;

impl Filter {
    /// Raises the births beside tracks that may have companions; what the scan could see of those is used up by it.
    pub(super) fn add_companions(
        &mut self,
        touched: &[usize],
        prospects: &[Prospect],
        view: &View<'_>,
        index: &PlotIndex,
        births: &mut [Birth],
    ) {
        if view.is_event {
            return;
        }
        let mut near = Vec::new();
        for (track, prospect) in touched.iter().zip(prospects) {
            let track = &mut self.tracks[*track];
            if track.existence * track.companions < NO_COMPANIONS {
                continue;
            }
            let state = track.moments_at(prospect);
            let detection = view.detection_at(&state);
            index.around(state.position(), companions::REACH_M, &mut near);
            for plot in &near {
                if let Some((place, noise)) = view.plots[*plot].on_ground() {
                    births[*plot].intensity += detection * Companions::beside(track, &state, place, &noise);
                }
            }
            track.companions *= 1.0 - detection;
        }
    }

    /// Begins a track with every plot that may be a new object.
    pub(super) fn give_birth(
        &mut self,
        config: &TrackerConfig,
        view: &View<'_>,
        births: Vec<Birth>,
        unclaimed: &[f64],
    ) {
        let newborn = self.companions.together(view, &births, unclaimed);
        let likeliest = newborn.iter().map(|newborn| newborn.if_unclaimed).fold(0.0, f64::max);
        let usual = config.forget_existence.min(MOST_LOST / unclaimed.iter().sum::<f64>());
        // What may be one more return of an object that is known comes again and again: it is no news.
        let least = |plot: usize| if view.further[plot].is_empty() { usual.min(LEAST_PART * likeliest) } else { usual };
        let first_plot = self.plots_before(view);
        for (plot, (birth, newborn)) in births.into_iter().zip(newborn).enumerate() {
            let existence = newborn.existence;
            // One that another track claims is not unlikely for lack of knowing better: it need not be kept for long.
            let of_itself = forgotten_below(config, newborn.if_unclaimed);
            let least = if birth.is_ambiguous() { LEAST_AMBIGUOUS } else { least(plot).max(of_itself) };
            if existence > least && birth.is_possible() {
                let label = Label { time: view.time, sensor: view.sensor, plot: first_plot + view.numbers[plot] };
                let class = class::fused(&class::PRIOR, view.plots[plot].class.as_ref(), 1.0);
                let visibility = Visibility::born(config, view.sensor, view.time);
                let existence = existence.min(MOST_CERTAIN);
                let hypotheses = birth.into_hypotheses(config, self.restlessness.ratio(), &view.plots[plot]);
                let mut track =
                    Bernoulli::born(label, (existence, newborn.if_unclaimed), hypotheses, class, visibility);
                let prior = track.moments();
                track.taken = Taken::born(view.sensor, view.time, view.plots[plot].object);
                track.companionship = Some(newborn.companionship);
                track.companions = self.companions.expected() * (1.0 - view.detection_probability);
                track.records.note(view.sensor, view.time, 1.0, log_odds(existence), &view.plots[plot], &prior);
                self.tracks.push(track);
            }
        }
    }

    /// How far the tracks are numbered that began with an earlier scan of the same look, one that came in several messages.
    fn plots_before(&self, view: &View<'_>) -> usize {
        let look = (view.time, view.sensor);
        let of_look = |label: &Label| (label.time, label.sensor);
        let end = self.tracks.partition_point(|track| of_look(&track.label) <= look);
        let last = self.tracks[..end].last().map(|track| track.label).filter(|label| of_look(label) == look);
        last.map_or(0, |label| label.plot + 1)
    }

    /// Learns how many new objects to expect, the first time from all that a sensor sees at its first look.
    pub(super) fn settle_arrivals(&mut self, view: &View<'_>, touched: &[usize], births: &mut [Birth]) {
        let promised = self.promise(view);
        let is_first_look = touched.is_empty() && self.sensors[view.sensor].last_scan.is_none();
        if is_first_look && !view.is_event && view.model.initiates {
            let look = self.companions.first_look(view, births);
            let factor = self.fields.of_mut(view.sensor).settle(promised, view.time, births.len(), look);
            births.iter_mut().for_each(|birth| birth.intensity *= factor);
        } else if proves_objects(view.model) {
            self.fields.of_mut(view.sensor).learn(promised, 0.0);
        }
    }

    /// New objects that the scan should find at a rate of one; they leave the intensity of undetected ones.
    fn promise(&mut self, view: &View<'_>) -> f64 {
        if view.is_event || !view.model.initiates {
            return 0.0;
        }
        self.fields.thin(view.sensor, view.model, view.origin_m, view.detection_probability)
    }
}

/// Whether the sensor's plots prove objects soon enough to count them. Of those whom only footprints, lines and bearings
/// see many are never proved: counted, they would make the rate too low.
pub(super) fn proves_objects(model: &SensorModel) -> bool {
    matches!(model.kind, SensorKind::Radar)
}

//! What a zone's counts are when nothing is unusual: a rate for each hour of the day, learned with forgetting.

use serde::{Deserialize, Serialize};

use super::Settings;
use super::counts::Counts;

/// Events that the prior on the zone's rate counts for: little, so that a day of data outweighs it.
const PRIOR_EVENTS: f64 = 0.5;
/// Events with which all hours together speak for a single hour (pooling): the hours of a day differ by a factor of
/// about 1 ± 0.7 before anything is known of them.
const POOLED_EVENTS: f64 = 2.0;
/// How much the hours beside one tell of it, nearest first: people come by night, not by the clock. Without them an hour with few
/// events is drawn so far to the day's mean that ordinary nights look busy.
const BESIDE: [f64; 3] = [0.75, 0.5, 0.25];
/// Slots of a day from which on neighbours are alike.
const ALIKE_FROM: usize = 12;
/// Time after which what was learned counts half, so that seasons are followed.
const HALF_LIFE_DAYS: f64 = 14.0;
/// Over-dispersion (variance beyond Poisson, as a part of the squared mean) before anything is known of it, and the
/// number of events at which the data count as much.
const PRIOR_DISPERSION: f64 = 0.1;
const DISPERSION_EVENTS: f64 = 30.0;
const DISPERSION_RANGE: (f64, f64) = (1e-3, 3.0);

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Slot {
    events: f64,
    /// In buckets fully watched.
    exposure: f64,
}

/// Gamma posteriors of the rates, one for each slot of the day, pooled through the zone's mean.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Baseline {
    slots: Vec<Slot>,
    /// Sum of (count - mean)² - mean, and of mean², and of counts, for the over-dispersion.
    excess: f64,
    squares: f64,
    events: f64,
}

/// The rate of one slot with what is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// Expected count of a bucket fully watched.
    pub(super) mean: f64,
    /// Events that only this slot's rate rests on.
    pub(super) own_events: f64,
}

impl Baseline {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { slots: vec![Slot::default(); settings.slots()], excess: 0.0, squares: 0.0, events: 0.0 }
    }

    fn pooled(&self, settings: &Settings) -> (f64, f64) {
        let prior_exposure = PRIOR_EVENTS / settings.expected_per_bucket();
        let events = self.slots.iter().map(|slot| slot.events).sum::<f64>() + PRIOR_EVENTS;
        let exposure = self.slots.iter().map(|slot| slot.exposure).sum::<f64>() + prior_exposure;
        (events / exposure, events)
    }

    /// The rate of a slot of the day.
    pub(super) fn rate(&self, slot: usize, settings: &Settings) -> Rate {
        let (mean, _) = self.pooled(settings);
        let Slot { events, exposure } = self.about(slot);
        Rate { mean: (POOLED_EVENTS + events) / (POOLED_EVENTS / mean + exposure), own_events: events }
    }

    /// What was learned of a slot and, with less weight, of those beside it.
    fn about(&self, slot: usize) -> Slot {
        let (slots, mut about) = (self.slots.len(), self.slots[slot]);
        if slots < ALIKE_FROM {
            return about;
        }
        for (index, weight) in BESIDE.into_iter().enumerate() {
            for beside in [slot + slots - index - 1, slot + index + 1] {
                let beside = self.slots[beside % slots];
                about.events += weight * beside.events;
                about.exposure += weight * beside.exposure;
            }
        }
        about
    }

    /// Events the zone's mean rests on.
    pub(super) fn pooled_events(&self, settings: &Settings) -> f64 {
        self.pooled(settings).1
    }

    /// Share of a slot's rate that comes from the zone's mean.
    pub(super) fn pooled_share(rate: Rate) -> f64 {
        POOLED_EVENTS / (POOLED_EVENTS + rate.own_events)
    }

    /// Variance of single buckets beyond Poisson, as a part of the squared mean.
    pub(super) fn dispersion(&self) -> f64 {
        // Weight by squared means, scaled such that the prior weighs as much as `DISPERSION_EVENTS` events would.
        let typical = if self.events > 0.0 { self.squares / self.events } else { 1.0 };
        let prior = DISPERSION_EVENTS * typical;
        let (least, most) = DISPERSION_RANGE;
        ((self.excess + prior * PRIOR_DISPERSION) / (self.squares + prior)).clamp(least, most)
    }

    /// The count of one bucket, were the rates known exactly.
    pub(super) fn in_control(&self, slot: usize, exposure: f64, settings: &Settings) -> Counts {
        Counts { mean: self.rate(slot, settings).mean * exposure, shape: 1.0 / self.dispersion() }
    }

    /// The count of several buckets (slot and exposure of each) with all that is not known: of the zone's rate, of the
    /// hours' rates, and from bucket to bucket.
    pub(super) fn predicted(&self, buckets: impl Iterator<Item = (usize, f64)>, settings: &Settings) -> Counts {
        let (_, pooled_events) = self.pooled(settings);
        let dispersion = self.dispersion();
        let (mut mean, mut shared, mut own) = (0.0, 0.0, 0.0);
        for (slot, exposure) in buckets {
            let rate = self.rate(slot, settings);
            let expected = rate.mean * exposure;
            mean += expected;
            shared += expected * Self::pooled_share(rate);
            own += expected * expected * (1.0 / (POOLED_EVENTS + rate.own_events) + dispersion);
        }
        let variance = shared * shared / pooled_events + own;
        Counts { mean, shape: if variance > 0.0 { mean * mean / variance } else { 1e9 } }
    }

    /// Learns one bucket.
    pub(super) fn learn(&mut self, slot: usize, count: u32, exposure: f64, settings: &Settings) {
        let mean = self.rate(slot, settings).mean * exposure;
        let deviation = f64::from(count) - mean;
        let keep = libm::exp2(-1.0 / (HALF_LIFE_DAYS * f64::from(settings.buckets_per_day)));
        for slot in &mut self.slots {
            slot.events *= keep;
            slot.exposure *= keep;
        }
        for sum in [&mut self.excess, &mut self.squares, &mut self.events] {
            *sum *= keep;
        }
        self.slots[slot].events += f64::from(count);
        self.slots[slot].exposure += exposure;
        self.excess += deviation * deviation - mean;
        self.squares += mean * mean;
        self.events += mean;
    }
}

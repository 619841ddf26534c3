//! The filter's recursion: predict, gate, associate, update, give birth, learn, forget.

use serde::{Deserialize, Serialize};

use crate::association::{Association, Verdict, associate};
use crate::belief::Pair;
use crate::bernoulli::{Bernoulli, Label, Prospect};
use crate::birth::{Birth, birth};
use crate::class;
use crate::companions::{self, Companions};
use crate::config::TrackerConfig;
use crate::detection::Scan;
use crate::gate::PlotIndex;
use crate::imm::MotionStep;
use crate::region::Region;
use crate::sensor::SensorModel;
use crate::sensor_state::SensorState;
use crate::time::Timestamp;
use crate::undetected::Undetected;
use crate::view::View;
use crate::watch;

/// A pair that weighs less than this against "missed, and the plot is nobody's" is not considered.
const SMALLEST_PAIR_WEIGHT: f64 = 1e-4;

/// Nothing is certain: one wrong model must not make a track immortal.
const MOST_CERTAIN: f64 = 1.0 - 1e-6;

/// A track this sure, wholly inside, is a chance to measure the sensor's detection probability.
const SURE_EXISTENCE: f64 = 0.95;
const SURELY_INSIDE: f64 = 0.99;

/// All that the recursion remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Filter {
    /// In the order of their labels.
    pub(crate) tracks: Vec<Bernoulli>,
    pub(crate) sensors: Vec<SensorState>,
    undetected: Undetected,
    companions: Companions,
    pub(crate) now: Timestamp,
}

/// What the recursion is told once: settings and sensors.
#[derive(Clone, Copy)]
pub(crate) struct Models<'a> {
    pub(crate) config: &'a TrackerConfig,
    pub(crate) sensors: &'a [SensorModel],
}

impl Filter {
    pub(crate) fn new(models: Models<'_>) -> Self {
        Self {
            tracks: Vec::new(),
            sensors: models.sensors.iter().map(SensorState::new).collect(),
            undetected: Undetected::new(models.config, models.sensors),
            companions: Companions::default(),
            now: Timestamp::MIN,
        }
    }

    /// One scan at its own time. Tracks that are ahead of it are moved back along their velocities. With a region,
    /// plots outside it are left out.
    pub(crate) fn step(&mut self, models: Models<'_>, scan: &Scan, region: Option<&Region>) {
        let Some(model) = models.sensors.get(scan.sensor) else { return };
        self.advance(models, scan.time);
        self.undetected.advance(scan.time);
        if let Some(pose) = scan.at {
            self.sensors[scan.sensor].origin_m = pose.position_m;
        }
        let view = View::new(scan, model, &self.sensors[scan.sensor], region);
        let touched = self.touched_by(&view);
        self.predict(models, &touched, scan.time);
        let prospects = self.prospects(&touched, &view);
        let mut births: Vec<_> =
            view.plots.iter().map(|plot| birth(models.config, &self.undetected, &view, plot)).collect();
        let promised = self.promise(&view);
        if touched.is_empty() && self.sensors[scan.sensor].last_scan.is_none() && !view.is_event() {
            let companions = self.companions;
            let factor = self.undetected.settle(promised, scan.time, |factor| companions.alone(&view, &births, factor));
            births.iter_mut().for_each(|birth| birth.intensity *= factor);
        } else {
            self.undetected.learn(promised, 0.0);
        }
        self.add_companions(&touched, &view, &mut births);
        let foreign: Vec<f64> = births.iter().zip(&view.clutter).map(|(b, clutter)| b.intensity + clutter).collect();
        let pairs = self.pairs(&touched, &prospects, &view, &foreign);
        let existence: Vec<f64> = touched.iter().map(|track| self.tracks[*track].existence).collect();
        let association = associate(&existence, view.plots.len(), &pairs);
        self.learn(&touched, &prospects, &view, &association, &foreign);
        for ((track, prospect), verdict) in touched.iter().zip(&prospects).zip(&association.tracks) {
            update(&mut self.tracks[*track], prospect, verdict, &view);
        }
        let newborn = self.companions.together(&view, &births, 1.0, &association.unclaimed);
        for (plot, (birth, newborn)) in births.into_iter().zip(newborn).enumerate() {
            let existence = newborn.existence;
            if existence > models.config.forget_existence && !birth.hypotheses.is_empty() {
                let label = Label { time: scan.time, sensor: scan.sensor, plot: view.numbers[plot] };
                let class = class::fused(&class::PRIOR, view.plots[plot].class.as_ref(), 1.0);
                let mut track = Bernoulli::born(label, existence.min(MOST_CERTAIN), birth.hypotheses, class);
                let prior = track.moments();
                track.companionship = Some(newborn.companionship);
                track.companions = self.companions.expected() * (1.0 - view.detection_probability);
                track.records.note(scan.sensor, scan.time, 1.0, log_odds(existence), &view.plots[plot], &prior);
                self.tracks.push(track);
            }
        }
        self.confirm(models.config);
        self.forget(models.config);
        self.sensors[scan.sensor].last_scan = Some(scan.time);
    }

    /// Lets time pass: tracks that nobody can see any more fade.
    pub(crate) fn advance(&mut self, models: Models<'_>, to: Timestamp) {
        let first = self.now == Timestamp::MIN;
        let swept = self.now.whole_seconds() != to.whole_seconds();
        self.now = self.now.max(to);
        if first || !swept {
            return;
        }
        let at = Timestamp::from_seconds(to.whole_seconds());
        let least = models.config.forget_existence;
        let sensors = &self.sensors;
        self.tracks.retain(|track| watch::existence_at(models, sensors, track, at) > least);
    }

    /// Tracks that the scan's sensor may see at all: the others are left alone, to the bit.
    fn touched_by(&self, view: &View<'_>) -> Vec<usize> {
        let (low, high) = view.model.coverage.bounds_m(view.origin_m);
        let near = |track: &Bernoulli| {
            let interval_s = view.time.seconds_since(track.time);
            track.hypotheses.iter().flat_map(|h| h.active()).any(|(_, state)| {
                let speed = libm::sqrt(state.velocity_covariance().trace());
                let sd = libm::sqrt(state.position_covariance().trace());
                let reach = 4.0 * (sd + speed * interval_s.abs()) + MARGIN_M;
                let place = state.position() + state.velocity() * interval_s;
                place.x > low.x - reach
                    && place.y > low.y - reach
                    && place.x < high.x + reach
                    && place.y < high.y + reach
            })
        };
        (0..self.tracks.len()).filter(|track| near(&self.tracks[*track])).collect()
    }

    fn predict(&mut self, models: Models<'_>, touched: &[usize], to: Timestamp) {
        let mut step: Option<MotionStep> = None;
        for track in touched {
            let track = &mut self.tracks[*track];
            let interval_s = to.seconds_since(track.time);
            if interval_s <= 0.0 {
                track.move_back(interval_s, to);
                continue;
            }
            let fitting = step.filter(|step| step.interval_s.total_cmp(&interval_s).is_eq());
            let used = fitting.unwrap_or_else(|| MotionStep::new(models.config, interval_s));
            let life_s = watch::life_s(models, &self.sensors, track);
            track.predict(&used, to, life_s);
            step = Some(used);
        }
    }

    fn prospects(&self, touched: &[usize], view: &View<'_>) -> Vec<Prospect> {
        touched
            .iter()
            .map(|track| {
                let track = &self.tracks[*track];
                if view.is_event() {
                    track.prospect_of_event()
                } else {
                    track.prospect(|state| view.detection_at(state))
                }
            })
            .collect()
    }

    /// All associations worth considering, sorted by track, then plot.
    fn pairs(&self, touched: &[usize], prospects: &[Prospect], view: &View<'_>, foreign: &[f64]) -> Vec<Pair> {
        let index = PlotIndex::new(&view.plots);
        let mut gated = Vec::new();
        let mut pairs = Vec::new();
        for (place, (track, prospect)) in touched.iter().zip(prospects).enumerate() {
            let track = &self.tracks[*track];
            let alone = 1.0 - track.existence + track.existence * prospect.mean_missed;
            index.gated(track, &mut gated);
            for plot in &gated {
                let density = track.likelihood(prospect, &view.plots[*plot]);
                let weight = track.existence * density / (alone * foreign[*plot]);
                if weight > SMALLEST_PAIR_WEIGHT {
                    pairs.push(Pair { track: place, plot: *plot, weight });
                }
            }
        }
        pairs
    }

    /// Raises the births beside tracks that may have companions; what the scan could see of those is used up by it.
    fn add_companions(&mut self, touched: &[usize], view: &View<'_>, births: &mut [Birth]) {
        if view.is_event() {
            return;
        }
        let index = PlotIndex::new(&view.plots);
        let mut near = Vec::new();
        for track in touched {
            let track = &mut self.tracks[*track];
            if track.existence * track.companions < NO_COMPANIONS {
                continue;
            }
            let state = track.moments();
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

    /// What the scan says about its sensor and about the rate of new objects.
    fn learn(
        &mut self,
        touched: &[usize],
        prospects: &[Prospect],
        view: &View<'_>,
        association: &Association,
        foreign: &[f64],
    ) {
        let (mut hits, mut chances) = (0.0, 0.0);
        for ((track, prospect), verdict) in touched.iter().zip(prospects).zip(&association.tracks) {
            let inside = 1.0 - prospect.mean_missed >= SURELY_INSIDE * view.detection_probability;
            if self.tracks[*track].existence >= SURE_EXISTENCE && inside && !view.is_event() {
                chances += 1.0;
                hits += 1.0 - verdict.missed;
            }
        }
        let parts = association.unclaimed.iter().zip(foreign).zip(&view.clutter);
        let false_plots: f64 = parts.map(|((unclaimed, foreign), clutter)| unclaimed * clutter / foreign).sum();
        if !view.is_event() {
            self.sensors[view.sensor].learn(hits, chances, false_plots);
        }
    }

    /// New objects that the scan should find at a rate of one; they leave the intensity of undetected ones.
    fn promise(&mut self, view: &View<'_>) -> f64 {
        if view.is_event() {
            return 0.0;
        }
        self.undetected.thin(view.sensor, view.model, view.origin_m, view.detection_probability)
    }

    /// Tracks become confirmed and tentative again, with a margin between.
    fn confirm(&mut self, config: &TrackerConfig) {
        for track in &mut self.tracks {
            if track.existence >= PROVEN_EXISTENCE
                && let Some(companionship) = track.companionship.take()
            {
                self.companions.learn(companionship);
                if !self.undetected.has_counted(track.label.time) {
                    self.undetected.learn(0.0, 1.0 - companionship);
                }
            }
            if track.existence >= config.confirm_existence {
                track.confirmed = true;
            } else if track.existence < config.doubt_existence {
                track.confirmed = false;
            }
        }
    }

    /// Drops the least likely tracks: those below the threshold, and those beyond the bound.
    fn forget(&mut self, config: &TrackerConfig) {
        self.tracks.retain(|track| track.existence > config.forget_existence);
        if self.tracks.len() > config.max_tracks {
            let mut ranked: Vec<f64> = self.tracks.iter().map(|track| track.existence).collect();
            ranked.sort_by(|a, b| b.total_cmp(a));
            let least = ranked[config.max_tracks];
            self.tracks.retain(|track| track.existence > least);
        }
    }
}

/// A track this sure has proved to be an object.
const PROVEN_EXISTENCE: f64 = 0.99;

/// Fewer undetected companions than this are not worth looking for.
const NO_COMPANIONS: f64 = 1e-5;

/// Beyond four standard deviations and this, a track cannot be in the coverage.
const MARGIN_M: f64 = 20.0;

/// Updates one track with what the association made of the scan.
fn update(track: &mut Bernoulli, prospect: &Prospect, verdict: &Verdict, view: &View<'_>) {
    let alive = verdict.missed * track.alive_if_missed(prospect);
    let claimed: f64 = verdict.claims.iter().map(|(_, share)| share).sum();
    note(track, prospect, verdict, view);
    let existence = (alive + claimed).min(MOST_CERTAIN);
    match verdict.best {
        Some(None) => track.update(prospect, 1.0, &[]),
        Some(Some(plot)) => track.update(prospect, 0.0, &[(1.0, &view.plots[plot])]),
        None => {
            let taken: Vec<_> = verdict.claims.iter().map(|(plot, share)| (*share, &view.plots[*plot])).collect();
            track.update(prospect, alive, &taken);
        }
    }
    for (plot, share) in &verdict.claims {
        track.class = class::fused(&track.class, view.plots[*plot].class.as_ref(), *share);
    }
    track.existence = existence;
    if claimed > 0.5 {
        track.last_seen = view.time;
    }
}

/// Writes the association into the track's records, before the state moves.
fn note(track: &mut Bernoulli, prospect: &Prospect, verdict: &Verdict, view: &View<'_>) {
    let silence = libm::log(prospect.mean_missed.max(1e-12));
    let likeliest = verdict.claims.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    match likeliest {
        Some((plot, share)) if *share > 0.05 => {
            let prior = track.moments();
            let density = track.likelihood(prospect, &view.plots[*plot]);
            let ratio = share * libm::log((density / view.clutter[*plot]).max(1e-12)) + (1.0 - share) * silence;
            track.records.note(view.sensor, view.time, *share, ratio, &view.plots[*plot], &prior);
        }
        _ => track.records.note_silence(view.sensor, silence),
    }
}

fn log_odds(probability: f64) -> f64 {
    libm::log(probability / (1.0 - probability).max(1e-12))
}

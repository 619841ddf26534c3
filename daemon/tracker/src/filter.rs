//! The filter's recursion: predict, gate, associate, update, give birth, learn, forget.

mod arrivals;
mod checkpoint;
mod confirm;
mod forget;
mod learn;
#[cfg(test)]
mod soundness;
mod twins;

use serde::{Deserialize, Serialize};

use self::arrivals::proves_objects;
use crate::association::associate;
use crate::belief::Pair;
use crate::bernoulli::{Bernoulli, Label, Whereabouts};
use crate::birth::birth;
use crate::cells::Cells;
use crate::companions::Companions;
use crate::config::TrackerConfig;
use crate::densities::Densities;
use crate::detection::Scan;
use crate::extent::FurtherReturns;
use crate::fields::Fields;
use crate::gate::{Gates, PlotIndex};
use crate::hint;
use crate::imm::{Hypothesis, MotionStep};
use crate::joint::{self, Scene};
use crate::party;
use crate::prospect::Prospect;
use crate::region::Region;
use crate::restlessness::Restlessness;
use crate::sensor::SensorModel;
use crate::sensor_state::SensorState;
use crate::sharpen::sharpen;
use crate::silence::{DELIVERED, EventSensors, reports_events};
use crate::time::Timestamp;
use crate::undetected::Intensity;
use crate::undetected::entry::EntryZone;
use crate::update::{follow, update};
use crate::view::View;
use crate::watch::{self, Watched};

/// A pair that weighs less than this against "missed, and the plot is nobody's" is not considered.
const SMALLEST_PAIR_WEIGHT: f64 = 1e-4;

/// Scans farther apart than this say no more of who ended between them.
const LONGEST_BETWEEN_S: f64 = 10.0;

/// Silence beyond this is not looked at second by second.
const LONGEST_SILENCE_S: f64 = 600.0;

/// All that the recursion remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Filter {
    /// In the order of their labels.
    pub(crate) tracks: Vec<Bernoulli>,
    pub(crate) sensors: Vec<SensorState>,
    /// What each sensor's coverage is like from place to place; empty in checkpoints.
    #[serde(default)]
    cells: Vec<Cells>,
    fields: Fields,
    /// Of each field; in checkpoints alone.
    #[serde(default)]
    intensities: Vec<Intensity>,
    companions: Companions,
    #[serde(default)]
    pub(crate) restlessness: Restlessness,
    events: EventSensors,
    pub(crate) now: Timestamp,
}

/// What the recursion is told once: settings and sensors.
#[derive(Clone, Copy)]
pub(crate) struct Models<'a> {
    pub(crate) config: &'a TrackerConfig,
    pub(crate) sensors: &'a [SensorModel],
    pub(crate) watched: &'a Watched,
}

impl Filter {
    pub(crate) fn new(models: Models<'_>) -> Self {
        Self {
            tracks: Vec::new(),
            sensors: models.sensors.iter().map(SensorState::new).collect(),
            cells: models.sensors.iter().map(Cells::new).collect(),
            fields: Fields::new(models.config, models.sensors),
            intensities: Vec::new(),
            companions: Companions::new(models.config),
            restlessness: Restlessness::default(),
            events: EventSensors::new(models.sensors),
            now: Timestamp::MIN,
        }
    }

    /// Where people come in inside the watched ground, see [`Fields::set_entries`].
    pub(crate) fn set_entries(&mut self, entries: &[EntryZone]) {
        self.fields.set_entries(entries);
    }

    /// Notes that an object came alone or as somebody's companion, once it is all but certain that there is one.
    pub(crate) fn note_arrival(&mut self, models: Models<'_>, label: Label, companionship: f64) {
        self.companions.learn(companionship);
        let field = self.fields.of_mut(label.sensor);
        if proves_objects(&models.sensors[label.sensor]) && !field.has_counted(label.time) {
            field.learn(0.0, 1.0 - companionship);
        }
    }

    /// One scan at its own time. Tracks that are ahead of it are moved back along their velocities. With a region,
    /// plots outside it are left out.
    pub(crate) fn step(&mut self, models: Models<'_>, scan: &Scan, region: Option<&Region>) {
        let Some(model) = models.sensors.get(scan.sensor) else { return };
        if region.is_none() && self.now > Timestamp::MIN {
            self.sensors[scan.sensor].note_delay(self.now.seconds_since(scan.time).max(0.0));
        }
        self.advance(models, scan.time);
        self.take_in(models, model, scan, region);
        if region.is_none() {
            self.sensors[scan.sensor].note_strengths(scan);
        }
        let reports_event = reports_events(model) && !scan.detections.is_empty();
        self.sensors[scan.sensor].note_scan(model, scan.time, reports_event);
    }

    /// The recursion itself, for a scan that arrived or for one that is known to have seen nothing.
    fn take_in(&mut self, models: Models<'_>, model: &SensorModel, scan: &Scan, region: Option<&Region>) {
        self.fields.advance(scan.sensor, scan.time);
        if let Some(pose) = scan.at {
            let state = &mut self.sensors[scan.sensor];
            if state.last_scan.is_none_or(|last| last <= scan.time) {
                state.origin_m = pose.position_m;
            }
        }
        let cells = self.cells.get_mut(scan.sensor).map(core::mem::take).unwrap_or_default();
        let mut view = View::new(models.config, scan, model, &self.sensors[scan.sensor], cells, region);
        let touched = self.touched_by(&view);
        let ahead = self.ahead_of(&touched, scan.time);
        self.predict(models, &touched, scan.time);
        touched.iter().for_each(|track| sharpen(&mut self.tracks[*track], &view));
        let prospects = self.prospects(models, &touched, &view);
        let index = PlotIndex::new(&view.plots);
        view.further = self.further_returns(models.config, &touched, &view, &index);
        let on_field = !model.mobile || self.fields.reach(scan.sensor, view.origin_m, models.sensors, &self.sensors);
        let undetected = self.fields.of(scan.sensor);
        let mut births: Vec<_> = view.plots.iter().map(|plot| birth(models.config, undetected, &view, plot)).collect();
        if on_field {
            self.settle_arrivals(&view, &touched, &mut births);
        }
        self.add_companions(&touched, &prospects, &view, &index, &mut births);
        let foreign: Vec<f64> =
            births.iter().enumerate().map(|(plot, birth)| birth.intensity + view.background(plot)).collect();
        let gates = self.gates(&touched, &index);
        let densities = Densities::of_scan(&self.tracks, &touched, &prospects, &gates, &view);
        let mut pairs = self.pairs(&touched, &prospects, (&gates, &densities), &view, &foreign);
        hint::weigh(&mut pairs, &self.tracks, &touched, &view, &self.sensors[view.sensor]);
        let are_points = models.config.object_extent_m <= 0.0;
        let existence: Vec<f64> = touched.iter().map(|track| self.tracks[*track].existence).collect();
        let association = associate(&existence, view.plots.len(), &pairs, are_points);
        self.learn(models, &touched, &prospects, &mut view, &association, &foreign);
        let numbering = self.sensors[view.sensor].numbering;
        let scene = Scene {
            models,
            touched: &touched,
            prospects: &prospects,
            gates: &gates,
            densities: &densities,
            verdicts: &association.tracks,
            foreign: &foreign,
            unclaimed: &association.unclaimed,
            numbering,
            view: &view,
        };
        let staying: Vec<usize> = ahead.iter().map(|(track, _)| *track).collect();
        self.update(&scene, are_points, &staying);
        ahead.into_iter().for_each(|(track, later)| later.take_back(&mut self.tracks[track]));
        self.merge_twins(models.config, &touched, &association.tracks);
        self.forget_touched(models.config, &touched);
        self.give_birth(models.config, &view, births, &association.unclaimed);
        if !self.tracks.is_sorted_by_key(|track| track.label) {
            self.tracks.sort_by_key(|track| track.label);
        }
        self.confirm(models);
        self.bound(models.config);
    }

    /// Updates the tracks by what the association made of the scan. `staying`: those that will be back where they were.
    fn update(&mut self, scene: &Scene<'_>, are_points: bool, staying: &[usize]) {
        let settled = if are_points { joint::settle(&self.tracks, scene, staying) } else { Vec::new() };
        let endings = self.endings(scene);
        let mut is_settled = vec![false; self.tracks.len()];
        settled.iter().for_each(|settled| is_settled[settled.track] = true);
        for (place, track) in scene.touched.iter().enumerate() {
            let bernoulli = &mut self.tracks[*track];
            let alive = update(scene, place, bernoulli);
            if !is_settled[*track] {
                follow(bernoulli, &scene.prospects[place], &scene.verdicts[place], alive, scene.view);
            }
        }
        let sensor = &mut self.sensors[scene.view.sensor];
        hint::remember(&mut self.tracks, scene.touched, scene.verdicts, scene.view, sensor);
        for settled in settled {
            let track = settled.track;
            settled.install(&mut self.tracks[track]);
        }
        endings.into_iter().for_each(|(place, odds)| self.tracks[scene.touched[place]].doubt(odds));
    }

    /// Tracks whose whole party may have ended, with the odds of that.
    fn endings(&self, scene: &Scene<'_>) -> Vec<(usize, f64)> {
        let in_company = self.companions.expected();
        let last = self.sensors[scene.view.sensor].last_scan;
        let Some(last) = last.filter(|_| in_company > 0.0 && !scene.view.is_event) else { return Vec::new() };
        let interval_s = scene.view.time.seconds_since(last).clamp(0.0, LONGEST_BETWEEN_S);
        let ended = -libm::expm1(-interval_s / scene.models.config.mean_life_s);
        party::endings(&self.tracks, scene, ended, in_company)
    }

    /// Lets time pass: silence is taken into account each whole second, absent scans when they are due.
    pub(crate) fn advance(&mut self, models: Models<'_>, to: Timestamp) {
        if self.now == Timestamp::MIN {
            self.now = to;
        }
        // After a longer pause nothing that could be said of each second of it matters.
        self.now = self.now.max(to.plus_seconds(-LONGEST_SILENCE_S));
        loop {
            let second = Timestamp::from_seconds(self.now.whole_seconds() + 1);
            let due = self.sensors.iter().enumerate().filter_map(|(index, state)| Some((state.absent_at?, index)));
            let absent = due.min().filter(|(at, _)| *at < second);
            let next = absent.map_or(second, |(at, _)| at);
            if next > to {
                break;
            }
            self.now = self.now.max(next);
            match absent {
                Some((at, sensor)) => {
                    let model = &models.sensors[sensor];
                    self.sensors[sensor].note_absent(model, at);
                    let nothing = Scan { sensor, time: self.now, at: None, detections: Vec::new() };
                    self.take_in(models, model, &nothing, None);
                }
                None => self.pass_second(models, second),
            }
        }
        self.now = self.now.max(to);
    }

    /// One second without a report of the event sensors; tracks that nobody can see any more fade.
    fn pass_second(&mut self, models: Models<'_>, at: Timestamp) {
        let sensors = &self.sensors;
        self.tracks.retain(|track| watch::outlasts(models, sensors, track, at));
        if self.events.is_empty() {
            return;
        }
        for (index, model) in models.sensors.iter().enumerate() {
            if reports_events(model) && self.sensors[index].is_armed(model, at) {
                let reported = DELIVERED * model.detection_probability;
                let origin_m = self.sensors[index].origin_m;
                self.fields.advance(index, at);
                self.fields.thin(index, model, origin_m, reported);
            }
        }
        let all: Vec<usize> = (0..self.tracks.len()).collect();
        self.predict(models, &all, at);
        for track in &mut self.tracks {
            self.events.listen(models.sensors, &self.sensors, track);
        }
        self.confirm(models);
        self.tracks.retain(|track| !watch::is_lost(track, at));
    }

    /// Tracks that the scan's sensor may see at all: the others are left alone, to the bit.
    fn touched_by(&self, view: &View<'_>) -> Vec<usize> {
        let (low, high) = view.model.coverage.bounds_m(view.origin_m);
        let near = |track: &Bernoulli| {
            let interval_s = view.time.seconds_since(track.time);
            track.hypotheses.iter().flat_map(Hypothesis::active).any(|(_, state)| {
                let place = state.position() + state.velocity() * interval_s;
                let is_within = |reach: f64| {
                    place.x > low.x - reach
                        && place.y > low.y - reach
                        && place.x < high.x + reach
                        && place.y < high.y + reach
                };
                // Most are in the middle of the coverage: how far they reach matters to the others alone.
                is_within(0.0) || {
                    let speed = libm::sqrt(state.velocity_covariance().trace());
                    let sd = libm::sqrt(state.position_covariance().trace());
                    is_within(4.0 * (sd + speed * interval_s.abs()) + MARGIN_M)
                }
            })
        };
        (0..self.tracks.len()).filter(|track| near(&self.tracks[*track])).collect()
    }

    /// Where the tracks are that have had a plot since `at`: a scan of that time, out of sequence, knows no better. Joint
    /// beliefs stay as they are as well: one of which a part stood still and a part moved would come to pieces.
    fn ahead_of(&self, touched: &[usize], at: Timestamp) -> Vec<(usize, Whereabouts)> {
        let seen_since = |track: usize| self.tracks[track].last_seen > at;
        if !touched.iter().any(|track| seen_since(*track)) {
            return Vec::new();
        }
        let stays = |track: &usize| {
            self.tracks[*track].bond.is_some() || seen_since(*track) && touched.binary_search(track).is_ok()
        };
        (0..self.tracks.len()).filter(stays).map(|track| (track, self.tracks[track].whereabouts())).collect()
    }

    fn predict(&mut self, models: Models<'_>, touched: &[usize], to: Timestamp) {
        let (restlessness, mut step) = (self.restlessness.ratio(), None);
        for track in touched {
            let track = &mut self.tracks[*track];
            let interval_s = to.seconds_since(track.time);
            if interval_s <= 0.0 {
                track.move_back(interval_s, to);
                continue;
            }
            let life_s = watch::life_s(models, &self.sensors, track, to);
            track.predict(MotionStep::over(models.config, restlessness, interval_s, &mut step), to, life_s);
        }
    }

    fn prospects(&self, models: Models<'_>, touched: &[usize], view: &View<'_>) -> Vec<Prospect> {
        touched
            .iter()
            .map(|track| {
                let track = &self.tracks[*track];
                if view.is_event {
                    Prospect::of_event(track)
                } else {
                    let visible = track.visibility.probability(models.config, view.sensor, view.time);
                    let prospect = Prospect::of(track, visible, |state| view.detection_at(state));
                    // Who was first seen later may not have been there yet.
                    if track.label.time > view.time { prospect.whatever_is_missed() } else { prospect }
                }
            })
            .collect()
    }

    /// For each plot, the tracks (by place in `touched`) of which it may be a further return, with the intensity.
    fn further_returns(
        &self,
        config: &TrackerConfig,
        touched: &[usize],
        view: &View<'_>,
        index: &PlotIndex,
    ) -> Vec<Vec<(usize, f64)>> {
        let mut further = vec![Vec::new(); view.plots.len()];
        let mut near = Vec::new();
        for (place, track) in touched.iter().enumerate() {
            let Some(returns) = FurtherReturns::of(config, &self.tracks[*track]) else { continue };
            near.clear();
            index.in_gate(&returns.spread, &mut near);
            for plot in &near {
                let density = returns.density(&view.plots[*plot]);
                if density > 0.0 {
                    further[*plot].push((place, density));
                }
            }
        }
        further
    }

    /// Plots in the gate of each track.
    fn gates(&self, touched: &[usize], index: &PlotIndex) -> Gates {
        let mut gates = Gates::default();
        touched.iter().for_each(|track| gates.add(&self.tracks[*track], index));
        gates
    }

    /// All associations worth considering, sorted by track, then plot.
    fn pairs(
        &self,
        touched: &[usize],
        prospects: &[Prospect],
        (gates, densities): (&Gates, &Densities),
        view: &View<'_>,
        foreign: &[f64],
    ) -> Vec<Pair> {
        let mut pairs = Vec::with_capacity(gates.count());
        for (place, (track, prospect)) in touched.iter().zip(prospects).enumerate() {
            let track = &self.tracks[*track];
            let existence = track.existence_of_all();
            let alone = 1.0 - existence + existence * prospect.mean_missed;
            for (gated, plot) in gates.of(place).iter().enumerate() {
                let density = track.density_of_all(densities.of(place, gated));
                let rivals = (foreign[*plot] - view.own_returns(place, *plot)).max(f64::MIN_POSITIVE);
                let weight = density / (alone * rivals);
                if weight > SMALLEST_PAIR_WEIGHT {
                    pairs.push(Pair { track: place, plot: *plot, weight });
                }
            }
        }
        pairs
    }
}

/// Beyond four standard deviations and this, a track cannot be in the coverage.
const MARGIN_M: f64 = 20.0;

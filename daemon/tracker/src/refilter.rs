//! Late scans: the recent past is kept, and filtered again with the late scan in its place.
//!
//! A bounded log of scans and a few checkpoints of the filter, close together in the near past and sparse in the far
//! one. A late scan is first applied to tracks moved back along their velocities. That is all it says about its sensor,
//! about objects nobody has seen yet, and about tracks that it missed; where a track is that has had a plot since, it does
//! not say, nor whether one still is that was surely there. Then the regions around its plots are filtered again, and their
//! tracks replaced; when the last pass was too recent, that is done with the first scan of any sensor after the rest. The
//! pass brings the checkpoints that it passes up to date, so that a sensor which is always late finds recent ones. Nothing
//! is logged before the first late scan, so a site where all is in order pays nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::bernoulli::{Bernoulli, Label};
use crate::config::TrackerConfig;
use crate::detection::Scan;
use crate::filter::{Filter, Models};
use crate::region::Region;
use crate::time::Timestamp;

/// Least time between two passes.
const PASS_INTERVAL_S: f64 = 0.5;

/// Least time between two checkpoints.
const CHECKPOINT_INTERVAL_S: f64 = 0.5;

/// Checkpoints of one density, before the next has half of it.
const THINNED_SPANS: f64 = 4.0;

/// Plots that the record of a scan is worth when memory is counted, beside its own.
const SCAN_WORTH_PLOTS: usize = 2;

/// What became of late scans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateScans {
    /// Filtered in at their own time.
    pub refiltered: u64,
    /// Applied out of sequence, because the last pass was too recent.
    pub out_of_sequence: u64,
    /// Older than the configured lag: not used.
    pub too_late: u64,
}

/// Late scans that were applied out of sequence since the last pass: checkpoints after them do not know of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    /// The time of the first.
    since: Timestamp,
    region: Region,
}

impl Pending {
    fn joined(self, other: Option<Self>) -> Self {
        match other {
            Some(other) => Self { since: self.since.min(other.since), region: self.region.joined(other.region) },
            None => self,
        }
    }
}

/// The recent past.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct History {
    scans: VecDeque<Scan>,
    /// What the scans are worth in plots.
    #[serde(default)]
    plots: usize,
    checkpoints: VecDeque<Filter>,
    /// Whether anything has come late yet.
    pub(crate) needed: bool,
    /// What the next pass has to put into its place.
    #[serde(default)]
    pending: Option<Pending>,
    last_pass: Option<Timestamp>,
    /// Tracks that the last pass gave up for others.
    #[serde(skip)]
    successions: Vec<(Label, Label)>,
    pub(crate) late: LateScans,
}

impl History {
    /// Notes a scan that comes in order and is about to be filtered.
    pub(crate) fn note(&mut self, models: Models<'_>, scan: &Scan, filter: &Filter) {
        if !self.needed {
            return;
        }
        if scan.time > filter.now {
            self.keep(filter);
        } else if self.checkpoints.back().is_some_and(|last| last.now >= scan.time) {
            // A checkpoint holds every scan up to its time.
            self.checkpoints.pop_back();
        }
        self.log(self.scans.len(), scan);
        self.bound(models.config, filter.now);
    }

    /// Takes a checkpoint, unless the last is young.
    fn keep(&mut self, filter: &Filter) {
        let since = |last: &Filter| filter.now.seconds_since(last.now) >= CHECKPOINT_INTERVAL_S;
        if self.checkpoints.back().is_none_or(since) {
            self.checkpoints.push_back(filter.checkpoint());
            self.thin_checkpoints(filter.now);
        }
    }

    fn log(&mut self, place: usize, scan: &Scan) {
        self.scans.insert(place, scan.clone());
        self.plots += worth(scan);
    }

    /// Forgets what is older than the lag, and the oldest beyond the configured memory.
    fn bound(&mut self, config: &TrackerConfig, now: Timestamp) {
        let mut oldest = now.plus_seconds(-config.max_lag_s);
        while self.scans.front().is_some_and(|scan| self.plots > config.max_logged_plots || scan.time < oldest) {
            let Some(gone) = self.scans.pop_front() else { break };
            self.plots = self.plots.saturating_sub(worth(&gone));
            // A state from before this scan could no longer be brought up to date.
            oldest = oldest.max(gone.time);
        }
        self.checkpoints.retain(|checkpoint| checkpoint.now >= oldest);
        let mut kept: usize = self.checkpoints.iter().map(|checkpoint| checkpoint.tracks.len()).sum();
        while kept > config.max_logged_tracks && self.checkpoints.len() > 1 {
            kept -= self.checkpoints.pop_front().map_or(0, |oldest| oldest.tracks.len());
        }
        let first = self.checkpoints.front().map(|checkpoint| checkpoint.now);
        self.pending.take_if(|pending| first.is_none_or(|first| first >= pending.since));
    }

    /// Takes in a scan from before the filter's present.
    pub(crate) fn late(&mut self, models: Models<'_>, scan: &Scan, filter: &mut Filter) {
        if filter.now.seconds_since(scan.time) > models.config.max_lag_s {
            self.late.too_late += 1;
            return;
        }
        let Some(model) = models.sensors.get(scan.sensor) else { return };
        self.needed = true;
        let place = self.scans.partition_point(|other| other.time <= scan.time);
        self.log(place, scan);
        filter.step(models, scan, None);
        let region = Region::of(scan, model, filter.sensors[scan.sensor].origin_m);
        self.pending = Some(Pending { since: scan.time, region }.joined(self.pending.take()));
        if self.catch_up(models, filter) {
            self.late.refiltered += 1;
        } else {
            self.late.out_of_sequence += 1;
        }
        // Where all is late, no scan in order takes a checkpoint.
        self.keep(filter);
        self.bound(models.config, filter.now);
    }

    /// Filters again what is pending, if the last pass is long enough ago; whether it did.
    pub(crate) fn catch_up(&mut self, models: Models<'_>, filter: &mut Filter) -> bool {
        let rested = self.last_pass.is_none_or(|last| filter.now.seconds_since(last) >= PASS_INTERVAL_S);
        let Some(pending) = self.pending.take_if(|_| rested) else { return false };
        let Some(from) = self.checkpoints.iter().rposition(|checkpoint| checkpoint.now < pending.since) else {
            self.pending = Some(pending);
            return false;
        };
        self.last_pass = Some(filter.now);
        self.refilter(models, &pending.region, filter, from);
        true
    }

    /// Who gave way to whom in the last pass; each is told once.
    pub(crate) fn successions(&mut self) -> Vec<(Label, Label)> {
        core::mem::take(&mut self.successions)
    }

    /// Filters the region again from a checkpoint on, and brings the later checkpoints up to date on the way.
    fn refilter(&mut self, models: Models<'_>, region: &Region, filter: &mut Filter, from: usize) {
        let mut past = filter.back_at(&self.checkpoints[from]);
        let reach = region.within_reach(filter.now.seconds_since(past.now));
        past.tracks.retain(|track| reach.holds(track.moments().position()));
        let pass = Pass {
            began: past.now,
            followed: past.tracks.iter().map(|track| track.label).collect(),
            concerned: region.within_reach(0.0),
        };
        let mut later = self.checkpoints.iter_mut().skip(from + 1).peekable();
        let renew = |past: &mut Filter, checkpoint: &mut Filter| {
            past.advance(models, checkpoint.now);
            pass.splice(&mut checkpoint.tracks, past.tracks.clone());
            checkpoint.renew_intensities(past);
        };
        let first = self.scans.partition_point(|scan| scan.time <= pass.began);
        for scan in self.scans.iter().skip(first) {
            while let Some(checkpoint) = later.next_if(|checkpoint| checkpoint.now < scan.time) {
                renew(&mut past, checkpoint);
            }
            past.step(models, scan, Some(&reach));
        }
        later.for_each(|checkpoint| renew(&mut past, checkpoint));
        filter.take_intensities(&past);
        self.successions = pass.successions(&filter.tracks, &past.tracks);
        let arrivals = pass.splice(&mut filter.tracks, past.tracks);
        arrivals.into_iter().for_each(|(label, companionship)| filter.note_arrival(models, label, companionship));
    }

    /// Keeps checkpoints denser the younger they are: the first in each span of a length that doubles with age.
    fn thin_checkpoints(&mut self, now: Timestamp) {
        let mut last_kept: Option<Timestamp> = None;
        self.checkpoints.retain(|checkpoint| {
            let mut span_micros = 500_000;
            while now.seconds_since(checkpoint.now)
                > THINNED_SPANS * Timestamp::from_micros(span_micros).seconds_since(Timestamp::from_micros(0))
            {
                span_micros *= 2;
            }
            let span = |time: Timestamp| time.as_micros().div_euclid(span_micros);
            let keep = last_kept.is_none_or(|last| span(last) != span(checkpoint.now));
            if keep {
                last_kept = Some(checkpoint.now);
            }
            keep
        });
    }
}

/// What a scan takes of the memory, in plots.
fn worth(scan: &Scan) -> usize {
    SCAN_WORTH_PLOTS + scan.detections.len()
}

/// What was filtered again.
struct Pass {
    began: Timestamp,
    /// The tracks that it began with.
    followed: BTreeSet<Label>,
    concerned: Region,
}

impl Pass {
    fn holds(&self, track: &Bernoulli) -> bool {
        self.concerned.holds(track.moments().position())
    }

    /// Whether the track is in the region, and not from so far away that the pass knows nothing of it.
    fn replaces(&self, track: &Bernoulli) -> bool {
        (track.label.time > self.began || self.followed.contains(&track.label)) && self.holds(track)
    }

    /// Who stood for an object until now and comes to nothing, with who stands for it instead: it was first seen by the late
    /// scan, and so its track begins with another plot.
    fn successions(&self, present: &[Bernoulli], again: &[Bernoulli]) -> Vec<(Label, Label)> {
        let is_likely = |track: &&Bernoulli| track.existence >= LIKELY && !track.is_ambiguous();
        let heirs: Vec<&Bernoulli> = again.iter().filter(is_likely).collect();
        let stays: BTreeSet<Label> = heirs.iter().map(|track| track.label).collect();
        let is_given_up = |track: &&Bernoulli| !stays.contains(&track.label) && self.replaces(track);
        let given_up = present.iter().filter(is_likely).filter(is_given_up);
        let heir = |track: &Bernoulli| {
            let state = track.moments();
            let apart = |other: &Bernoulli| {
                let other = other.moments();
                let spread = state.position_covariance() + other.position_covariance();
                let offset = state.position() - other.position();
                spread.try_inverse().map_or(f64::INFINITY, |inverse| offset.dot(&(inverse * offset)))
            };
            let nearest = heirs.iter().map(|heir| (apart(heir), heir.label)).min_by(|a, b| a.0.total_cmp(&b.0));
            nearest.filter(|(squared, _)| *squared < SAME_SQUARED).map(|(_, label)| label)
        };
        given_up.filter_map(|track| Some((track.label, heir(track)?))).collect()
    }

    /// Replaces the tracks of the region by those that were filtered again; the others stay, and those that came from so
    /// far away that the pass knows nothing of them. Gives the arrivals that only the pass has proved.
    fn splice(&self, present: &mut Vec<Bernoulli>, again: Vec<Bernoulli>) -> Vec<(Label, f64)> {
        let replaced = present.iter().filter(|track| self.replaces(track));
        let known: BTreeMap<Label, Option<f64>> = replaced.map(|track| (track.label, track.companionship)).collect();
        let mut arrivals = Vec::new();
        let mut taken: Vec<Bernoulli> =
            again.into_iter().filter(|track| known.contains_key(&track.label) || self.holds(track)).collect();
        for track in &mut taken {
            match (known.get(&track.label), track.is_proven()) {
                // What the present has counted is not counted again.
                (Some(None), false) => track.companionship = None,
                (Some(Some(companionship)), true) => arrivals.push((track.label, *companionship)),
                _ => {}
            }
        }
        let replaced: BTreeSet<Label> = taken.iter().map(|track| track.label).collect();
        present.retain(|track| !known.contains_key(&track.label) && !replaced.contains(&track.label));
        present.extend(taken);
        present.sort_by_key(|track| track.label);
        arrivals
    }
}

/// A track that is more likely an object than not.
const LIKELY: f64 = 0.5;

/// Squared distance, in standard deviations of both, within which two tracks are the same object.
const SAME_SQUARED: f64 = 9.0;

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix2, Vector2};

    use super::*;
    use crate::detection::{Detection, Measurement};
    use crate::measure::fixture::sensor;
    use crate::sensor::{Coverage, SensorKind, SensorModel};
    use crate::watch::Watched;

    const LAG_S: f64 = 20.0;
    const MOST_PLOTS: usize = 600;
    const MOST_TRACKS: usize = 150;

    /// Twelve people who stand in a row, as one of two radars sees them.
    fn scan(sensor: usize, time_s: f64) -> Scan {
        let time = Timestamp::from_seconds(0).plus_seconds(time_s);
        let plot = |number: u32| {
            let position_m = Vector2::new(30.0 * f64::from(number), libm::sin(3.0 * time_s + f64::from(number)));
            let measurement = Measurement::Position { position_m, covariance_m2: Matrix2::identity() * 4.0 };
            Detection { measurement, class: None, confidence: None, object: None }
        };
        Scan { sensor, time, at: None, detections: (0..12).map(plot).collect() }
    }

    /// Feeds scans in this order, and checks after each that nothing has outgrown its bound.
    fn feed(scans: impl Iterator<Item = Scan>) -> History {
        let config = TrackerConfig {
            max_lag_s: LAG_S,
            max_logged_plots: MOST_PLOTS,
            max_logged_tracks: MOST_TRACKS,
            ..TrackerConfig::default()
        };
        let radar = || SensorModel {
            scan_period_s: Some(0.25),
            ..sensor(SensorKind::Radar, Coverage::Circle { radius_m: 1000.0 })
        };
        let sensors = [radar(), radar()];
        let watched = Watched::new(&sensors);
        let models = Models { config: &config, sensors: &sensors, watched: &watched };
        let (mut filter, mut history) = (Filter::new(models), History::default());
        for scan in scans {
            if scan.time >= filter.now {
                history.note(models, &scan, &filter);
                filter.step(models, &scan, None);
            } else {
                history.late(models, &scan, &mut filter);
            }
            assert!(history.scans.iter().map(worth).sum::<usize>() <= MOST_PLOTS);
            assert!(history.scans.iter().is_sorted_by_key(|scan| scan.time));
            let tracks: usize = history.checkpoints.iter().map(|checkpoint| checkpoint.tracks.len()).sum();
            assert!(tracks <= MOST_TRACKS || history.checkpoints.len() == 1, "{tracks} tracks");
            let first_s = history.checkpoints.front().map_or(0.0, |first| filter.now.seconds_since(first.now));
            assert!(first_s <= LAG_S, "a state {first_s} s old");
        }
        history
    }

    /// One radar in time, the other two seconds late: more than the bounds could hold in the lag.
    #[test]
    fn memory_is_bounded_by_the_configuration() {
        let both = (1..2_000).flat_map(|tick| {
            let now_s = 0.25 * f64::from(tick);
            [scan(0, now_s), scan(1, now_s - 2.0)]
        });
        let late = feed(both).late;
        assert_eq!(late.refiltered + late.out_of_sequence, 1_999, "{late:?}");
        assert_eq!(late.too_late, 0);
    }

    /// Nothing in time ever comes again, and the late ones do not stop.
    #[test]
    fn a_flood_of_late_scans_is_bounded_too() {
        let flood = (0..500).map(|number| scan(1, 98.0 - 0.01 * f64::from(number % 300)));
        feed([scan(0, 99.0), scan(0, 100.0)].into_iter().chain(flood));
    }

    /// What has lost its first scans cannot be the start of a pass.
    #[test]
    fn no_state_is_older_than_the_first_scan_lost() {
        let both = (1..400).flat_map(|tick| [scan(0, 0.25 * f64::from(tick)), scan(1, 0.25 * f64::from(tick) - 1.0)]);
        let history = feed(both);
        let first = history.scans.front().expect("scans are kept").time;
        let before_first = history.checkpoints.iter().filter(|checkpoint| checkpoint.now < first);
        // Of those only one that holds all before.
        assert!(before_first.count() <= 1);
    }
}

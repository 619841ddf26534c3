//! Late scans: the recent past is kept, and filtered again with the late scan in its place.
//!
//! A bounded log of scans and a few checkpoints of the filter, close together in the near past and sparse in the far
//! one. Only the region that the late scan concerns is filtered again; elsewhere the tracks stay as they are. When the
//! last pass was too recent, the late scan is instead applied at once to tracks moved back along their velocities, and
//! the next pass puts it into its place. Nothing is logged before the first late scan, so a site where all
//! is in order pays nothing.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::bernoulli::{Bernoulli, Label};
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

/// Most scans logged; the oldest go first.
const MOST_SCANS: usize = 20_000;

/// Most tracks in all checkpoints together, of some kilobytes each; the oldest checkpoints go first.
const MOST_KEPT_TRACKS: usize = 4_000;

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

/// The recent past.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct History {
    scans: VecDeque<Scan>,
    checkpoints: VecDeque<Filter>,
    /// Whether anything has come late yet.
    needed: bool,
    last_pass: Option<Timestamp>,
    pub(crate) late: LateScans,
}

impl History {
    /// Notes a scan that comes in order and is about to be filtered.
    pub(crate) fn note(&mut self, models: Models<'_>, scan: &Scan, filter: &Filter) {
        if !self.needed {
            return;
        }
        // A checkpoint holds every scan up to its time, so it is taken when time moves on.
        let moves_on = scan.time > filter.now;
        let since = |last: &Filter| filter.now.seconds_since(last.now) >= CHECKPOINT_INTERVAL_S;
        if moves_on && self.checkpoints.back().is_none_or(since) {
            self.checkpoints.push_back(filter.checkpoint());
            self.thin_checkpoints(filter.now);
        }
        self.scans.push_back(scan.clone());
        let oldest = filter.now.plus_seconds(-models.config.max_lag_s);
        while self.scans.len() > MOST_SCANS || self.scans.front().is_some_and(|scan| scan.time < oldest) {
            self.scans.pop_front();
        }
        self.checkpoints.retain(|checkpoint| checkpoint.now >= oldest);
        let mut kept: usize = self.checkpoints.iter().map(|checkpoint| checkpoint.tracks.len()).sum();
        while kept > MOST_KEPT_TRACKS && self.checkpoints.len() > 1 {
            kept -= self.checkpoints.pop_front().map_or(0, |oldest| oldest.tracks.len());
        }
    }

    /// Takes in a scan from before the filter's present.
    pub(crate) fn late(&mut self, models: Models<'_>, scan: &Scan, filter: &mut Filter) {
        if filter.now.seconds_since(scan.time) > models.config.max_lag_s {
            self.late.too_late += 1;
            return;
        }
        self.needed = true;
        let place = self.scans.partition_point(|other| other.time <= scan.time);
        self.scans.insert(place, scan.clone());
        let rested = self.last_pass.is_none_or(|last| filter.now.seconds_since(last) >= PASS_INTERVAL_S);
        let from = self.checkpoints.iter().rposition(|checkpoint| checkpoint.now < scan.time);
        match from {
            Some(from) if rested => {
                self.late.refiltered += 1;
                self.last_pass = Some(filter.now);
                self.refilter(models, scan, filter, from);
            }
            _ => {
                self.late.out_of_sequence += 1;
                filter.step(models, scan, None);
            }
        }
        // Checkpoints after the scan's time do not know of it.
        self.checkpoints.retain(|checkpoint| checkpoint.now < scan.time);
    }

    fn refilter(&mut self, models: Models<'_>, late: &Scan, filter: &mut Filter, from: usize) {
        let Some(model) = models.sensors.get(late.sensor) else { return };
        let region = Region::of(late, model);
        let mut past = filter.back_at(&self.checkpoints[from]);
        let reach = region.within_reach(filter.now.seconds_since(past.now));
        past.tracks.retain(|track| reach.holds(track.moments().position()));
        let start = past.now;
        let first = self.scans.partition_point(|scan| scan.time <= start);
        for scan in self.scans.iter().skip(first) {
            past.step(models, scan, Some(&reach));
        }
        splice(&mut filter.tracks, past.tracks, &region.within_reach(0.0));
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

/// Replaces the tracks in `region` by those that were filtered again; the others stay.
fn splice(present: &mut Vec<Bernoulli>, again: Vec<Bernoulli>, region: &Region) {
    let inside = |track: &Bernoulli| region.holds(track.moments().position());
    let known: BTreeSet<Label> = present.iter().filter(|track| inside(track)).map(|track| track.label).collect();
    let taken: Vec<Bernoulli> =
        again.into_iter().filter(|track| inside(track) || known.contains(&track.label)).collect();
    let replaced: BTreeSet<Label> = taken.iter().map(|track| track.label).collect();
    present.retain(|track| !known.contains(&track.label) && !replaced.contains(&track.label));
    present.extend(taken);
    present.sort_by_key(|track| track.label);
}

//! Who is tracked by which track: switches, delays, and the best match of whole tracks with whole objects.

use std::collections::{BTreeMap, BTreeSet};

use super::{Places, assignment, number, squared_distances, total};

/// An object's life as far as tracks are concerned.
#[derive(Clone, Debug)]
struct Object {
    born_s: f64,
    last_s: f64,
    points: usize,
    first_tracked_s: Option<f64>,
    last_track: Option<usize>,
    held_by: BTreeMap<usize, usize>,
}

/// Collects, time after time.
pub(super) struct Identities {
    match_m: f64,
    objects: BTreeMap<usize, Object>,
    tracks: BTreeSet<usize>,
    /// Pairs of the last time, object to track: they stick as long as both are there and near.
    matched: BTreeMap<usize, usize>,
    overlaps: BTreeMap<(usize, usize), usize>,
    switches: usize,
    missed: usize,
    false_tracks: usize,
    objects_seen: usize,
    tracks_seen: usize,
}

/// What was collected.
pub(super) struct Identity {
    pub(super) objects_seen: usize,
    pub(super) switches: usize,
    pub(super) idf1: f64,
    pub(super) mota: f64,
    pub(super) tracks: usize,
    pub(super) objects: usize,
    pub(super) mean_delay_tracked_s: Option<f64>,
    pub(super) never_tracked: usize,
    pub(super) mean_delay_all_s: f64,
    pub(super) purity_longest: f64,
}

impl Identities {
    pub(super) fn new(match_m: f64) -> Self {
        Self {
            match_m,
            objects: BTreeMap::new(),
            tracks: BTreeSet::new(),
            matched: BTreeMap::new(),
            overlaps: BTreeMap::new(),
            switches: 0,
            missed: 0,
            false_tracks: 0,
            objects_seen: 0,
            tracks_seen: 0,
        }
    }

    pub(super) fn add(&mut self, time: f64, objects: &Places, tracks: &Places) {
        let limit = self.match_m * self.match_m;
        let costs = squared_distances(objects, tracks);
        self.objects_seen += objects.len();
        self.tracks_seen += tracks.len();
        self.tracks.extend(tracks.iter().map(|(track, _)| *track));
        for (row, (object, _)) in objects.iter().enumerate() {
            let life = self.objects.entry(*object).or_insert_with(|| Object {
                born_s: time,
                last_s: time,
                points: 0,
                first_tracked_s: None,
                last_track: None,
                held_by: BTreeMap::new(),
            });
            life.last_s = time;
            life.points += 1;
            for (column, (track, _)) in tracks.iter().enumerate() {
                if costs[row][column] < limit {
                    *self.overlaps.entry((*object, *track)).or_insert(0) += 1;
                }
            }
        }
        let pairs = self.sticky_pairs(objects, tracks, costs);
        self.missed += objects.len() - pairs.len();
        self.false_tracks += tracks.len() - pairs.len();
        self.matched = pairs.iter().map(|(row, column)| (objects[*row].0, tracks[*column].0)).collect();
        for (object, track) in &self.matched {
            let Some(life) = self.objects.get_mut(object) else { continue };
            life.first_tracked_s.get_or_insert(time);
            *life.held_by.entry(*track).or_insert(0) += 1;
            if life.last_track.is_some_and(|last| last != *track) {
                self.switches += 1;
            }
            life.last_track = Some(*track);
        }
    }

    /// The pairs of the last time that still hold, then the best of the rest.
    fn sticky_pairs(&self, objects: &Places, tracks: &Places, mut costs: Vec<Vec<f64>>) -> Vec<(usize, usize)> {
        let limit = self.match_m * self.match_m;
        let column_of: BTreeMap<usize, usize> =
            tracks.iter().enumerate().map(|(column, (track, _))| (*track, column)).collect();
        let mut pairs = Vec::new();
        for (row, (object, _)) in objects.iter().enumerate() {
            let Some(column) = self.matched.get(object).and_then(|track| column_of.get(track)) else { continue };
            // A line may have a number twice: once only one is left, it goes on with the first of its objects.
            if costs[row][*column] < limit && !pairs.iter().any(|(_, taken)| taken == column) {
                pairs.push((row, *column));
            }
        }
        for (row, column) in &pairs {
            costs[*row].fill(f64::INFINITY);
            costs.iter_mut().for_each(|row| row[*column] = f64::INFINITY);
        }
        pairs.extend(assignment::within(&costs, self.match_m));
        pairs
    }

    pub(super) fn finish(self) -> Identity {
        let lives: Vec<&Object> = self.objects.values().collect();
        let delays: Vec<f64> =
            lives.iter().filter_map(|life| life.first_tracked_s.map(|first| first - life.born_s)).collect();
        let delay_all: f64 = lives.iter().map(|life| life.first_tracked_s.unwrap_or(life.last_s) - life.born_s).sum();
        let purity: f64 = lives
            .iter()
            .map(|life| number(life.held_by.values().copied().max().unwrap_or(0)) / number(life.points))
            .sum();
        let errors = self.missed + self.false_tracks + self.switches;
        let points = self.objects_seen + self.tracks_seen;
        Identity {
            objects_seen: self.objects_seen,
            switches: self.switches,
            idf1: 2.0 * self.true_positives() / number(points.max(1)),
            mota: 1.0 - number(errors) / number(self.objects_seen.max(1)),
            tracks: self.tracks.len(),
            objects: lives.len(),
            mean_delay_tracked_s: (!delays.is_empty()).then(|| delays.iter().sum::<f64>() / number(delays.len())),
            never_tracked: lives.len() - delays.len(),
            mean_delay_all_s: delay_all / number(lives.len()),
            purity_longest: purity / number(lives.len()),
        }
    }

    /// Points at which tracks are near the objects they match best over the whole time.
    fn true_positives(&self) -> f64 {
        let rows: BTreeMap<usize, usize> =
            self.objects.keys().enumerate().map(|(row, object)| (*object, row)).collect();
        let columns: BTreeMap<usize, usize> =
            self.tracks.iter().enumerate().map(|(column, track)| (*track, column)).collect();
        let mut gains = vec![vec![0.0; columns.len()]; rows.len()];
        for ((object, track), count) in &self.overlaps {
            gains[rows[object]][columns[track]] = number(*count);
        }
        total(assignment::largest_total(&gains).into_iter().map(|(row, column)| gains[row][column]))
    }
}

//! How good tracks are, measured against the truth.
//!
//! The Generalised Optimal Sub-Pattern Assignment metric (Rahmathullah, García-Fernández and Svensson 2017,
//! <https://arxiv.org/abs/1601.05585>) with p = 2 and α = 2,
//!
//! ```text
//! d² = Σ over matched pairs min(distance, c)² + c²/2 · (missed + false),
//! ```
//!
//! identity switches and accuracy after CLEAR MOT (Bernardin and Stiefelhagen 2008), IDF1 (Ristani et al. 2016), and
//! the delay until an object is first tracked. A line of tracks counts only from the time it was written: looking
//! ahead earns nothing.

mod assignment;
mod crossing;
mod identity;
mod picture;

use nalgebra::Vector2;
use serde::Serialize;

pub use crossing::{
    CrossingOptions, CrossingReport, CrossingScore, CrossingTotals, TrueCrossing, crossings, direction_over, quantile,
    score_crossings,
};

use crate::Timestamp;
use identity::Identities;
use picture::Frames;

/// One object at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthPoint {
    /// Seconds after the truth's epoch.
    pub t: f64,
    /// The object.
    pub id: String,
    /// Where it is, in the site frame.
    pub position_m: Vector2<f64>,
}

/// One line of tracks: the confirmed ones with a position.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackLine {
    /// The time that the tracks are predicted to.
    pub t: Timestamp,
    /// When the line was written.
    pub now: Timestamp,
    /// Each track's number or name, and where it is.
    pub tracks: Vec<(String, Vector2<f64>)>,
}

/// What is counted how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreOptions {
    /// Zero of the truth's time column.
    pub epoch: Timestamp,
    /// GOSPA's cut-off distance c.
    pub cutoff_m: f64,
    /// Greatest distance at which a track counts as tracking an object, for everything about identity.
    pub match_m: f64,
    /// A line counts for a truth time if it was written no later than this after it.
    pub latency_s: f64,
    /// Truth later than this, in its own seconds, is left out.
    pub until_s: Option<f64>,
    /// Where only some of the real objects are in the truth: tracks farther than this from all of them are counted apart.
    pub near_m: Option<f64>,
}

impl Default for ScoreOptions {
    fn default() -> Self {
        Self {
            // 2026-03-01T00:00:00Z
            epoch: Timestamp::from_seconds(1_772_323_200),
            cutoff_m: 50.0,
            match_m: 25.0,
            latency_s: 0.3,
            until_s: None,
            near_m: None,
        }
    }
}

/// The measures; means are over truth times unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Number of truth times.
    pub scans: usize,
    /// Mean GOSPA, metres.
    pub gospa: f64,
    /// The same over the second half.
    pub gospa_last_half: f64,
    /// Root mean square distance of matched pairs, metres.
    pub loc_rmse: f64,
    /// Mean of the localisation part of GOSPA (square root of the sum of squared distances), metres.
    pub loc_part: f64,
    /// Mean number of objects without a track.
    pub missed: f64,
    /// Mean number of tracks without an object.
    #[serde(rename = "false")]
    pub false_tracks: f64,
    /// Mean number of tracks far from every object, not counted as false.
    pub far: f64,
    /// Mean number of objects.
    pub mean_truth: f64,
    /// Identity switches.
    pub idsw: usize,
    /// Identity switches for every 100 objects and scans.
    pub idsw_per_100tr_scan: f64,
    /// F1 score of the best one-to-one match of whole tracks and whole objects.
    pub idf1: f64,
    /// 1 - (missed + false + switches) / objects, within the match distance.
    pub mota: f64,
    /// Number of different tracks.
    pub n_tracks: usize,
    /// Number of different objects.
    pub n_truth: usize,
    /// Mean time from an object's beginning to its first track, over the objects ever tracked, seconds.
    pub mean_confirm_delay: Option<f64>,
    /// Objects never tracked.
    pub never_tracked: usize,
    /// The same delay over all objects; one never tracked counts with its whole life, seconds.
    pub mean_delay_all: f64,
    /// Mean share of an object's life held by its longest track.
    pub purity_longest: f64,
}

/// Why nothing could be scored.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// No truth within the time asked for.
    #[error("expected at least one truth point, got none")]
    NoTruth,
    /// An object in two places at once.
    #[error("expected object {id} once at t = {t}, got it again: points {first} and {second}, from 0")]
    ObjectTwice {
        /// The object.
        id: String,
        /// The time, as the second point has it.
        t: f64,
        /// The first of the two points, counted from 0.
        first: usize,
        /// The second.
        second: usize,
    },
}

/// Scores the lines against the truth. Neither needs to be in order of time.
///
/// # Errors
/// When there is no truth, or an object is in two places at once.
pub fn score(
    truth: impl IntoIterator<Item = TruthPoint>,
    lines: impl IntoIterator<Item = TrackLine>,
    options: &ScoreOptions,
) -> Result<Score, ScoreError> {
    let frames = Frames::new(truth, lines, options)?;
    if frames.times().is_empty() {
        return Err(ScoreError::NoTruth);
    }
    let mut sums = Sums::default();
    let mut identities = Identities::new(options.match_m);
    for time in frames.times() {
        let (objects, tracks, far) = frames.at(*time, options);
        sums.add(&objects, &tracks, far, options.cutoff_m);
        identities.add(*time, &objects, &tracks);
    }
    Ok(sums.score(identities))
}

/// Numbered objects or tracks with their places, at one time.
type Places = Vec<(usize, Vector2<f64>)>;

/// GOSPA and its parts, one entry for each truth time.
#[derive(Default)]
struct Sums {
    gospa: Vec<f64>,
    localisation: Vec<f64>,
    missed: Vec<f64>,
    false_tracks: Vec<f64>,
    squares: f64,
    matched: usize,
    far: usize,
}

#[expect(clippy::cast_precision_loss, reason = "counts of objects and scans are far below 2^52")]
fn number(count: usize) -> f64 {
    count as f64
}

/// The sum, which is 0 for no values: `sum` makes that -0.
fn total(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / number(values.len())
}

/// Squared distances, a row for each object and a column for each track.
fn squared_distances(objects: &Places, tracks: &Places) -> Vec<Vec<f64>> {
    objects.iter().map(|(_, a)| tracks.iter().map(|(_, b)| (a - b).norm_squared()).collect()).collect()
}

impl Sums {
    fn add(&mut self, objects: &Places, tracks: &Places, far: usize, cutoff_m: f64) {
        let costs = squared_distances(objects, tracks);
        let pairs = assignment::within(&costs, cutoff_m);
        let squares = total(pairs.iter().map(|(row, column)| costs[*row][*column]));
        let missed = number(objects.len() - pairs.len());
        let false_tracks = number(tracks.len() - pairs.len());
        self.gospa.push(libm::sqrt(squares + cutoff_m * cutoff_m / 2.0 * (missed + false_tracks)));
        self.localisation.push(libm::sqrt(squares));
        self.missed.push(missed);
        self.false_tracks.push(false_tracks);
        self.squares += squares;
        self.matched += pairs.len();
        self.far += far;
    }

    fn score(self, identities: Identities) -> Score {
        let scans = self.gospa.len();
        let identity = identities.finish();
        Score {
            scans,
            gospa: mean(&self.gospa),
            gospa_last_half: mean(&self.gospa[scans / 2..]),
            loc_rmse: libm::sqrt(self.squares / number(self.matched.max(1))),
            loc_part: mean(&self.localisation),
            missed: mean(&self.missed),
            false_tracks: mean(&self.false_tracks),
            far: number(self.far) / number(scans),
            mean_truth: number(identity.objects_seen) / number(scans),
            idsw: identity.switches,
            idsw_per_100tr_scan: 100.0 * number(identity.switches) / number(identity.objects_seen.max(1)),
            idf1: identity.idf1,
            mota: identity.mota,
            n_tracks: identity.tracks,
            n_truth: identity.objects,
            mean_confirm_delay: identity.mean_delay_tracked_s,
            never_tracked: identity.never_tracked,
            mean_delay_all: identity.mean_delay_all_s,
            purity_longest: identity.purity_longest,
        }
    }
}

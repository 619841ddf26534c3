//! Truth by time, and for each time the line of tracks that a reader of the output would have had.

use std::collections::BTreeMap;

use nalgebra::Vector2;

use super::{Places, ScoreError, ScoreOptions, TrackLine, TruthPoint};
use crate::Timestamp;

/// Clocks that round may disagree by this much.
const TOLERANCE_S: f64 = 0.002;
/// A line older than this says nothing about now.
const STALE_S: f64 = 5.0;

struct Line {
    t: f64,
    now: f64,
    tracks: Places,
}

/// All truth and all lines, names turned into numbers.
pub(super) struct Frames {
    times: Vec<f64>,
    objects: Vec<Places>,
    lines: Vec<Line>,
}

impl Frames {
    pub(super) fn new(
        truth: impl IntoIterator<Item = TruthPoint>,
        lines: impl IntoIterator<Item = TrackLine>,
        options: &ScoreOptions,
    ) -> Result<Self, ScoreError> {
        let mut names = Names::default();
        let mut by_time: BTreeMap<i64, Places> = BTreeMap::new();
        let mut told: BTreeMap<(i64, usize), usize> = BTreeMap::new();
        for (second, point) in truth.into_iter().enumerate() {
            let millis = millis(point.t);
            if options.until_s.is_none_or(|until| seconds(millis) <= until + 1e-9) {
                let object = names.number(&point.id);
                if let Some(first) = told.insert((millis, object), second) {
                    return Err(ScoreError::ObjectTwice { id: point.id, t: point.t, first, second });
                }
                by_time.entry(millis).or_default().push((object, point.position_m));
            }
        }
        let mut names = Names::default();
        let mut lines: Vec<Line> = lines
            .into_iter()
            .map(|line| Line {
                t: since(line.t, options.epoch),
                now: since(line.now, options.epoch),
                tracks: line.tracks.into_iter().map(|(id, position)| (names.number(&id), position)).collect(),
            })
            .collect();
        lines.sort_by(|a, b| a.t.total_cmp(&b.t));
        let times = by_time.keys().map(|millis| seconds(*millis)).collect();
        Ok(Self { times, objects: by_time.into_values().collect(), lines })
    }

    /// The truth times, in order.
    pub(super) fn times(&self) -> &[f64] {
        &self.times
    }

    /// Objects and tracks at a truth time, and how many tracks were far from every object.
    pub(super) fn at(&self, time: f64, options: &ScoreOptions) -> (Places, Places, usize) {
        let objects = self.objects[self.times.partition_point(|other| *other < time)].clone();
        let mut tracks = self.line(time, options.latency_s).map_or_else(Vec::new, |line| line.tracks.clone());
        let before = tracks.len();
        if let Some(near_m) = options.near_m {
            let is_near = |position: &Vector2<f64>| {
                objects.iter().any(|(_, object)| libm::hypot(position.x - object.x, position.y - object.y) <= near_m)
            };
            tracks.retain(|(_, position)| is_near(position));
        }
        let far = before - tracks.len();
        (objects, tracks, far)
    }

    /// The newest line not later than the time that was already written, if it is not stale.
    fn line(&self, time: f64, latency_s: f64) -> Option<&Line> {
        let not_later = self.lines.partition_point(|line| line.t <= time + TOLERANCE_S);
        let newest = self.lines[..not_later].iter().rev().find(|line| line.now <= time + latency_s + TOLERANCE_S)?;
        (time - newest.t < STALE_S).then_some(newest)
    }
}

/// Truth times are told apart by the millisecond.
#[expect(clippy::cast_possible_truncation, reason = "casts saturate; truth is seconds, not ages")]
fn millis(seconds: f64) -> i64 {
    libm::round(seconds * 1000.0) as i64
}

#[expect(clippy::cast_precision_loss, reason = "exact for any span below 285 000 years")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "exact for any span below 285 years")]
fn since(time: Timestamp, epoch: Timestamp) -> f64 {
    time.as_micros().saturating_sub(epoch.as_micros()) as f64 / 1e6
}

/// Names to numbers, counted up in order of appearance.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, usize>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let next = self.numbers.len();
        self.numbers.insert(name.to_owned(), next);
        next
    }
}

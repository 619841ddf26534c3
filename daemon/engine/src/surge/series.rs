//! One zone's counts: the baseline, what is not learned yet, and whether a surge is going on.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::threshold::Tail;
use super::{Method, Observation, Settings, Warning};
use crate::digest::fnv1a;

/// Counts are learned after this many days, the shorter while little is known.
const LEARNED_AFTER_DAYS: (u32, u32) = (1, 3);
/// A level that lasts this long is no surge but the new normal.
const NEW_NORMAL_AFTER_DAYS: u32 = 14;
/// A surge has ended when a day's count is no more than what was to be expected with this probability.
const ENDED_BELOW: f64 = 0.9;
/// The threshold is simulated anew this often.
const THRESHOLD_EVERY_DAYS: u32 = 28;
/// Lengths of the windows of the predictive bound, in parts of a day: an hour, six hours, a day.
const WINDOWS_PER_DAY: [u32; 3] = [24, 4, 1];

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Seen {
    bucket: i64,
    count: u32,
    exposure: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Series {
    baseline: Baseline,
    /// The first bucket the baseline speaks of.
    began: i64,
    seed: u64,
    /// Newest last; those learned already stay as long as windows need them.
    recent: VecDeque<Seen>,
    /// Buckets before this one are in the baseline or left out of it.
    learned_before: i64,
    /// Cumulated sum, and the bucket it left zero in.
    sum: f64,
    climbs_since: i64,
    tail: Option<(i64, Tail)>,
    /// The bucket the surge that goes on began in.
    surge: Option<i64>,
}

impl Series {
    pub(super) fn new(settings: &Settings, zone: &str, bucket: i64) -> Self {
        Self {
            baseline: Baseline::new(settings),
            began: bucket,
            seed: fnv1a(zone),
            recent: VecDeque::new(),
            learned_before: bucket,
            sum: 0.0,
            climbs_since: bucket,
            tail: None,
            surge: None,
        }
    }

    pub(super) fn is_surging(&self) -> bool {
        self.surge.is_some()
    }

    pub(super) fn expected(&self, settings: &Settings, bucket: i64) -> f64 {
        self.baseline.rate(slot(settings, bucket), settings).mean
    }

    /// Takes in a bucket; a warning when it is unusual (whether it is given is for all zones together to say).
    pub(super) fn observe(&mut self, settings: &Settings, bucket: i64, seen: Observation<'_>) -> Option<Warning> {
        let out_of_order = self.recent.back().is_some_and(|last| bucket <= last.bucket);
        if out_of_order || !(seen.exposure > 0.0 && seen.exposure.is_finite()) {
            return None;
        }
        self.recent.push_back(Seen { bucket, count: seen.count, exposure: seen.exposure });
        let age = bucket - self.began;
        let mature = age >= settings.days(settings.learning_days);
        if let Some(since) = self.surge {
            self.follow(settings, bucket, since);
            return None;
        }
        let warning = if mature { self.cumulate(settings, bucket, seen) } else { self.bound(settings, bucket, seen) };
        let (early, late) = LEARNED_AFTER_DAYS;
        self.learn_before(settings, bucket - settings.days(if mature { late } else { early }));
        self.forget(settings, bucket);
        warning
    }

    /// The unlikeliest of the last hour's, six hours' and day's counts.
    fn bound(&self, settings: &Settings, bucket: i64, seen: Observation<'_>) -> Option<Warning> {
        let lengths = WINDOWS_PER_DAY.map(|parts| (settings.buckets_per_day / parts).max(1));
        let tests = lengths.len() as f64;
        let warnings = lengths.into_iter().map(|buckets| {
            let window = || self.window(bucket - i64::from(buckets));
            let count = total(window());
            let predicted =
                self.baseline.predicted(window().map(|seen| (slot(settings, seen.bucket), seen.exposure)), settings);
            Warning {
                zone: seen.zone.to_owned(),
                bucket,
                buckets,
                count,
                expected: predicted.mean,
                chance: (predicted.at_least(count) * tests).min(1.0),
                method: Method::Bound,
            }
        });
        warnings.min_by(|a, b| a.chance.total_cmp(&b.chance)).filter(|warning| seen.count > 0 && warning.chance < 1.0)
    }

    fn cumulate(&mut self, settings: &Settings, bucket: i64, seen: Observation<'_>) -> Option<Warning> {
        let control = self.baseline.in_control(slot(settings, bucket), seen.exposure, settings);
        if self.sum <= 0.0 {
            self.climbs_since = bucket;
        }
        self.sum = (self.sum + control.log_ratio(seen.count, settings.rise)).max(0.0);
        let due = self.tail.is_none_or(|(at, _)| bucket - at >= settings.days(THRESHOLD_EVERY_DAYS));
        if due {
            let seed = self.seed ^ bucket.unsigned_abs();
            self.tail = Some((bucket, Tail::simulate(&self.baseline, settings, seed)));
        }
        let (_, tail) = self.tail?;
        if self.sum <= 0.0 || seen.count == 0 {
            return None;
        }
        let since = self.climbs_since;
        let window = || self.window(since - 1);
        let expected = window().map(|seen| self.expected(settings, seen.bucket) * seen.exposure).sum();
        Some(Warning {
            zone: seen.zone.to_owned(),
            bucket,
            buckets: u32::try_from(bucket - since + 1).unwrap_or(u32::MAX),
            count: total(window()),
            expected,
            chance: tail.rate_above(self.sum),
            method: Method::Cusum,
        })
    }

    /// What was seen after the bucket `after`.
    fn window(&self, after: i64) -> impl Iterator<Item = &Seen> {
        self.recent.iter().rev().take_while(move |seen| seen.bucket > after)
    }

    pub(super) fn surge_begins(&mut self, warning: &Warning) {
        let since = match warning.method {
            Method::Cusum => self.climbs_since,
            Method::Bound => warning.bucket - i64::from(warning.buckets) + 1,
        };
        self.surge = Some(since.max(self.learned_before));
        self.sum = 0.0;
    }

    /// While a surge goes on: does it end, or is it the new normal?
    fn follow(&mut self, settings: &Settings, bucket: i64, since: i64) {
        let day = || self.window(bucket - settings.days(1));
        let counted = total(day());
        let predicted =
            self.baseline.predicted(day().map(|seen| (slot(settings, seen.bucket), seen.exposure)), settings);
        if bucket - since >= settings.days(1) && counted <= predicted.quantile(ENDED_BELOW) {
            self.learn_before(settings, since);
            self.learned_before = bucket + 1;
            self.surge = None;
        } else if bucket - since >= settings.days(NEW_NORMAL_AFTER_DAYS) {
            // The old rates say nothing any more: two weeks are the first of a new life.
            self.baseline = Baseline::new(settings);
            self.began = since;
            self.learn_before(settings, bucket + 1);
            self.tail = None;
            self.surge = None;
        }
        self.forget(settings, bucket);
    }

    fn learn_before(&mut self, settings: &Settings, before: i64) {
        let from = self.learned_before;
        for seen in self.recent.iter().filter(|seen| (from..before).contains(&seen.bucket)) {
            self.baseline.learn(slot(settings, seen.bucket), seen.count, seen.exposure, settings);
        }
        self.learned_before = from.max(before);
    }

    /// Keeps what windows, learning or the judgement of a new normal still need.
    fn forget(&mut self, settings: &Settings, bucket: i64) {
        let keep_from = bucket - settings.days(NEW_NORMAL_AFTER_DAYS + LEARNED_AFTER_DAYS.1 + 1);
        while self.recent.front().is_some_and(|seen| seen.bucket < keep_from) {
            self.recent.pop_front();
        }
    }
}

/// Counts come from outside: more than a number holds is as many as it holds.
fn total<'a>(window: impl Iterator<Item = &'a Seen>) -> u32 {
    window.fold(0, |sum, seen| sum.saturating_add(seen.count))
}

fn slot(settings: &Settings, bucket: i64) -> usize {
    usize::try_from(bucket.rem_euclid(i64::from(settings.buckets_per_day))).unwrap_or(0)
}

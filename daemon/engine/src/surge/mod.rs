//! Early warning of surges: zones where more is counted than the time of day and the past explain.
//!
//! Counts of a zone come in buckets (hours, or days), each with its exposure: the part of the zone's sensor hours that
//! were really watched. The model of a bucket is a negative binomial whose mean is exposure times a rate for this hour of
//! the day; rates are gamma posteriors, shrunk to the zone's own mean (`baseline`).
//!
//! - From the first day: the predictive distribution bounds the counts of the last hour, six hours and day; the tail
//!   probability of the unlikeliest of the three counts, times three. (A Bayesian outbreak test: Riebler 2004.)
//! - After eight weeks: a negative binomial CUSUM (Höhle and Paul 2008, doi:10.1016/j.csda.2008.02.015, eq. 5) for a rise
//!   by [`Settings::rise`], whose threshold comes from simulating the sum for a stated number of false warnings a year
//!   (`threshold`), uncertainty of the rates included.
//! - All zones of a gateway are judged together by the step-up procedure of Benjamini and Hochberg (1995), with the level
//!   set such that a single zone alone has the stated number of false warnings a year.
//! - What belongs to a surge never enters the baseline: counts are learned with a delay, those since a surge began are
//!   left out, and only a level that lasts for two weeks is taken for the new normal.
//!
//! A warning speaks of a zone and of counts. Nothing here knows of tracks or persons.

mod baseline;
mod counts;
mod series;
mod threshold;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use series::Series;

/// Zones one watch keeps; what comes beyond is not watched.
pub const MAX_ZONES: usize = 256;

/// How sensitive the watch is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Count a zone is expected to have in a day before anything is known of it.
    pub expected_per_day: f64,
    /// False warnings a year and zone that are accepted.
    pub false_warnings_per_year: f64,
    /// Buckets of a day: 24 for hours, 1 for days. At most 24.
    pub buckets_per_day: u32,
    /// Ratio of rates the cumulated sum is designed for.
    pub rise: f64,
    /// Days of learning after which the cumulated sum takes over.
    pub learning_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { expected_per_day: 2.0, false_warnings_per_year: 1.0, buckets_per_day: 24, rise: 5.0, learning_days: 56 }
    }
}

impl Settings {
    fn slots(&self) -> usize {
        self.buckets_per_day as usize
    }

    fn expected_per_bucket(&self) -> f64 {
        self.expected_per_day / f64::from(self.buckets_per_day)
    }

    fn days(&self, days: u32) -> i64 {
        i64::from(days) * i64::from(self.buckets_per_day)
    }

    /// Probability per bucket and zone at which one zone alone is warned of.
    fn level(&self) -> f64 {
        self.false_warnings_per_year / (365.0 * f64::from(self.buckets_per_day))
    }
}

/// What was counted in one zone in one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation<'a> {
    /// The zone.
    pub zone: &'a str,
    /// Events counted.
    pub count: u32,
    /// Part of the zone's sensor hours that were watched, from 0; a bucket without any says nothing.
    pub exposure: f64,
}

/// How a warning was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The count exceeds the predictive bound.
    Bound,
    /// The cumulated sum exceeds its threshold.
    Cusum,
}

/// More than the past explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    /// The zone.
    pub zone: String,
    /// The bucket after which the warning is given.
    pub bucket: i64,
    /// Buckets the counts are from, up to that one.
    pub buckets: u32,
    /// Events counted in them.
    pub count: u32,
    /// Events expected in them.
    pub expected: f64,
    /// How often, per bucket, as much is seen when nothing is unusual.
    pub chance: f64,
    /// How it was found.
    pub method: Method,
}

/// Watches the counts of zones.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    zones: BTreeMap<String, Series>,
}

impl Watch {
    /// Takes in one bucket of every zone and returns the warnings that begin with it. `bucket` counts buckets without a
    /// break and rises; its remainder by [`Settings::buckets_per_day`] is the time of day. Missing buckets were not watched.
    pub fn observe(&mut self, settings: &Settings, bucket: i64, seen: &[Observation<'_>]) -> Vec<Warning> {
        let mut suspects: Vec<Warning> = Vec::new();
        let mut judged = 0_u32;
        for observation in seen {
            if !self.zones.contains_key(observation.zone) && self.zones.len() >= MAX_ZONES {
                continue;
            }
            let series = self
                .zones
                .entry(observation.zone.to_owned())
                .or_insert_with(|| Series::new(settings, observation.zone, bucket));
            judged += 1;
            suspects.extend(series.observe(settings, bucket, *observation));
        }
        discoveries(&mut suspects, settings.level(), judged);
        for warning in &suspects {
            if let Some(series) = self.zones.get_mut(&warning.zone) {
                series.surge_begins(warning);
            }
        }
        suspects
    }

    /// Whether a zone's surge is going on.
    #[must_use]
    pub fn is_surging(&self, zone: &str) -> bool {
        self.zones.get(zone).is_some_and(Series::is_surging)
    }

    /// Expected count of a zone in this bucket, fully watched; nothing for a zone never seen.
    #[must_use]
    pub fn expected(&self, settings: &Settings, zone: &str, bucket: i64) -> Option<f64> {
        Some(self.zones.get(zone)?.expected(settings, bucket))
    }
}

/// Keeps the warnings that the step-up procedure of Benjamini and Hochberg lets pass among `judged` zones: the `k`
/// unlikeliest, for the largest `k` whose `k`-th chance is at most `k` times the level of a single zone.
fn discoveries(suspects: &mut Vec<Warning>, level: f64, judged: u32) {
    suspects.sort_by(|a, b| a.chance.total_cmp(&b.chance).then_with(|| a.zone.cmp(&b.zone)));
    let passes = |(index, warning): (usize, &Warning)| {
        let rank = u32::try_from(index + 1).unwrap_or(judged).min(judged);
        warning.chance <= level * f64::from(rank)
    };
    let kept = suspects.iter().enumerate().rposition(passes).map_or(0, |index| index + 1);
    suspects.truncate(kept);
}

#[cfg(test)]
mod tests;

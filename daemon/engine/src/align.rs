//! Detections to scans in time order, with a bounded wait.
//!
//! A scan is released once no other sensor can be expected to deliver an earlier one. For each sensor the aligner knows
//! a time up to which everything has probably arrived: the time of its newest scan, plus most of a scan period where it
//! has one (the next scan cannot be nearer), or now minus the delay seen of it lately. The earliest of these is the
//! horizon. A look that comes in several messages is one scan: of a sensor that sends so, the last look waits as long
//! as its parts took lately, and of every sensor the first, of which that is not known. No scan waits longer than the
//! configured bound; what arrives behind the horizon is late, counted, and handed on at once with its own time. Of a
//! sensor whose clock is set while it runs the step is taken out (`align/stamps.rs`).

mod stamps;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vedette_tracker::{Scan, Timestamp};

use self::stamps::Stamps;
use crate::config::Site;

/// Scans held at one time; beyond it the oldest are released early.
const MAX_HELD: usize = 10_000;
/// Part of a scan period after which the next scan may come: rotation and clocks are not exact.
const PERIOD_SHARE: f64 = 0.75;
/// Added to the delay seen of a sensor, for its jitter.
const DELAY_MARGIN_S: f64 = 0.02;
/// A sensor unheard for this long is not waited for.
const FORGOTTEN_AFTER_S: f64 = 60.0;
/// Time in which the memory of a long delay halves.
const DELAY_HALF_LIFE_S: f64 = 60.0;
/// The parts of a look are waited for by so much longer than they took lately ..
const PARTS_SHARE: f64 = 1.5;
/// .. and by no more than this part of a scan period, nor this long.
const PARTS_MAX_SHARE: f64 = 0.5;
const PARTS_MAX_S: f64 = 0.5;
/// How long parts of a sensor's first look are waited for, when nobody knows yet whether there are any.
const FIRST_LOOK_S: f64 = 0.15;

/// Holds scans back until their time has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Aligner {
    /// By time, then sensor, then arrival.
    held: Vec<Held>,
    /// By sensor; none until its first scan.
    sensors: Vec<Option<Arrivals>>,
    /// Time of the newest scan that has been released.
    horizon: Timestamp,
    /// Everything up to this time was said to have been released.
    settled: Timestamp,
    /// By sensor, of those that scan: whether its clock was set.
    #[serde(default)]
    stamps: BTreeMap<usize, Stamps>,
    /// Of those whose clock was set: what has to be added to their stamps, seconds. Beside `stamps`, since each frame asks.
    #[serde(default)]
    clocks: Vec<(usize, f64)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    scan: Scan,
    arrived: Timestamp,
}

/// What is known about one sensor's arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Arrivals {
    newest: Timestamp,
    arrived: Timestamp,
    /// Longest delay seen lately.
    delay_s: f64,
    /// When the first message of the newest look arrived.
    #[serde(default)]
    look_began: Timestamp,
    /// Longest time seen lately from the first message of a look to the last; 0 where one message is one look.
    #[serde(default)]
    parts_s: f64,
    /// Whether the newest look is the first: nobody knows yet whether it comes in parts.
    #[serde(default)]
    is_first: bool,
}

/// A scan whose time has come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Released {
    pub(crate) scan: Scan,
    /// Behind scans that were released before.
    pub(crate) late: bool,
}

impl Aligner {
    pub(crate) fn new(site: &Site) -> Self {
        Self {
            held: Vec::new(),
            sensors: vec![None; site.sensors.len()],
            horizon: Timestamp::MIN,
            settled: Timestamp::MIN,
            stamps: BTreeMap::new(),
            clocks: Vec::new(),
        }
    }

    /// Sensors whose clock was set while they ran, with the seconds that have to be added to what they stamp.
    pub(crate) fn clocks(&self) -> &[(usize, f64)] {
        &self.clocks
    }

    /// Notes when a look was stamped that was not used because its stamp lies in the future. Gives the step of the clock, as
    /// [`Self::push`] does: the next looks will be used.
    pub(crate) fn refused(&mut self, sensor: usize, stamped: Timestamp, now: Timestamp, site: &Site) -> Option<f64> {
        self.corrected(sensor, stamped, now, site).1
    }

    /// The time of a look by the sensor's clock as it was at the start, and the step that this look has made sure.
    fn corrected(
        &mut self,
        sensor: usize,
        stamped: Timestamp,
        now: Timestamp,
        site: &Site,
    ) -> (Timestamp, Option<f64>) {
        let Some(period_s) = site.sensors[sensor].model.scan_period_s else { return (stamped, None) };
        let stamps = self.stamps.entry(sensor).or_default();
        let (time, step_s) = stamps.corrected(stamped, now, period_s);
        self.clocks.retain(|(other, _)| *other != sensor);
        if stamps.correction_s().abs() > 0.0 {
            self.clocks.push((sensor, stamps.correction_s()));
        }
        (time, step_s)
    }

    /// Takes in a scan that arrived at `now`. Gives by how many seconds its sensor's clock was found to be set back
    /// (negative: forward), when that has become sure.
    pub(crate) fn push(&mut self, mut scan: Scan, now: Timestamp, site: &Site) -> Option<f64> {
        let (time, step_s) = self.corrected(scan.sensor, scan.time, now, site);
        scan.time = time;
        let delay_s = f64::max(0.0, now.seconds_since(scan.time));
        let usual_s = site.sensors[scan.sensor].model.latency_s;
        let first = Arrivals {
            newest: scan.time,
            arrived: now,
            delay_s: usual_s,
            look_began: now,
            parts_s: 0.0,
            is_first: true,
        };
        let arrivals = self.sensors[scan.sensor].get_or_insert(first);
        let fading = libm::exp2(-now.seconds_since(arrivals.arrived) / DELAY_HALF_LIFE_S);
        if step_s.is_some() {
            // Part of what it seemed to take lately was the clock's.
            arrivals.delay_s = usual_s;
        }
        arrivals.delay_s = delay_s.max(usual_s).max(arrivals.delay_s * fading);
        arrivals.parts_s *= fading;
        if scan.time > arrivals.newest {
            (arrivals.newest, arrivals.look_began, arrivals.is_first) = (scan.time, now, false);
        } else if scan.time == arrivals.newest {
            arrivals.parts_s = arrivals.parts_s.max(now.seconds_since(arrivals.look_began));
        }
        arrivals.arrived = now;
        let at = self.held.partition_point(|held| (held.scan.time, held.scan.sensor) <= (scan.time, scan.sensor));
        match at.checked_sub(1).map(|before| &mut self.held[before].scan) {
            // One look of a radar, sent in several messages.
            Some(same) if (same.time, same.sensor, same.at) == (scan.time, scan.sensor, scan.at) => {
                same.detections.extend(scan.detections);
            }
            _ => self.held.insert(at, Held { scan, arrived: now }),
        }
        step_s
    }

    /// All scans whose time has come by `now`, in time order but for late ones.
    pub(crate) fn release(&mut self, now: Timestamp, site: &Site) -> Vec<Released> {
        let until = self.complete_until(now, site).max(self.settled);
        let overfull = self.held.len().saturating_sub(MAX_HELD);
        let ripe = self.held.partition_point(|held| held.scan.time <= until).max(overfull);
        let mut released = Vec::with_capacity(ripe);
        for held in self.held.drain(..ripe) {
            let late = held.scan.time < self.horizon;
            self.horizon = self.horizon.max(held.scan.time);
            released.push(Released { scan: held.scan, late });
        }
        self.settled = self.settled(now, site);
        released
    }

    /// When the next held scan comes of age if nothing else arrives.
    pub(crate) fn next_deadline(&self, site: &Site) -> Option<Timestamp> {
        let first = self.held.first()?;
        let patient_since = self.held.iter().map(|held| held.scan.time.min(held.arrived)).min()?;
        let bound = patient_since.plus_seconds(site.align.max_wait_s);
        // The last of the sensors waited for decides.
        let expected = self
            .waited_for(first.arrived)
            .filter(|(index, arrivals)| fed_until(*index, arrivals, site) < first.scan.time)
            .map(|(_, arrivals)| first.scan.time.plus_seconds(arrivals.delay_s + DELAY_MARGIN_S))
            .chain(self.in_parts(site).filter(|(look, _)| *look == first.scan.time).map(|(_, until)| until))
            .max();
        Some(expected.map_or(bound, |expected| expected.min(bound)))
    }

    /// Everything up to this time has been released, as far as is known at `now`. Never decreases.
    pub(crate) fn settled(&self, now: Timestamp, site: &Site) -> Timestamp {
        let complete = self.complete_until(now, site);
        let before_held = self.held.first().map_or(complete, |first| complete.min(first.scan.time.plus_micros(-1)));
        self.settled.max(self.horizon).max(before_held)
    }

    /// The time up to which all sensors have probably delivered, at least what the longest wait allows.
    fn complete_until(&self, now: Timestamp, site: &Site) -> Timestamp {
        let patience = now.plus_seconds(-site.align.max_wait_s);
        // A clock that runs ahead stamps later than the arrival: the wait counts from whichever is earlier.
        let overdue = self.held.iter().rev().find(|held| held.arrived <= patience).map(|held| held.scan.time);
        let delivered = |(index, arrivals): (usize, &Arrivals)| {
            fed_until(index, arrivals, site).max(now.plus_seconds(-(arrivals.delay_s + DELAY_MARGIN_S)))
        };
        let complete = self.waited_for(now).map(delivered).min().unwrap_or(now);
        let unfinished =
            self.in_parts(site).filter(|(_, until)| now < *until).map(|(look, _)| look.plus_micros(-1)).min();
        let complete = unfinished.map_or(complete, |before| complete.min(before));
        complete.max(overdue.unwrap_or(Timestamp::MIN)).max(patience)
    }

    /// The newest looks that have not been released, of sensors that send theirs in parts, each with the time until
    /// which more of it may come.
    fn in_parts(&self, site: &Site) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let unreleased = |arrivals: &Arrivals| arrivals.newest > self.horizon;
        let may_grow = |arrivals: &Arrivals| arrivals.parts_s > 0.0 || arrivals.is_first;
        self.heard().filter(move |(_, arrivals)| unreleased(arrivals) && may_grow(arrivals)).filter_map(
            |(index, arrivals)| {
                let most_s = f64::min(site.sensors[index].model.scan_period_s? * PARTS_MAX_SHARE, PARTS_MAX_S);
                let usual_s =
                    if arrivals.is_first { FIRST_LOOK_S } else { arrivals.parts_s * PARTS_SHARE + DELAY_MARGIN_S };
                Some((arrivals.newest, arrivals.look_began.plus_seconds(f64::min(usual_s, most_s))))
            },
        )
    }

    /// The sensors that have delivered something, by index.
    fn heard(&self) -> impl Iterator<Item = (usize, &Arrivals)> {
        self.sensors.iter().enumerate().filter_map(|(index, arrivals)| Some((index, arrivals.as_ref()?)))
    }

    /// Those of them that may still deliver something.
    fn waited_for(&self, now: Timestamp) -> impl Iterator<Item = (usize, &Arrivals)> {
        self.heard().filter(move |(_, arrivals)| now.seconds_since(arrivals.arrived) < FORGOTTEN_AFTER_S)
    }
}

/// No scan of this sensor before the returned time is still to come, if it delivers in order.
fn fed_until(index: usize, arrivals: &Arrivals, site: &Site) -> Timestamp {
    let model = &site.sensors[index].model;
    match model.scan_period_s {
        Some(period_s) if model.reports_empty_scans => arrivals.newest.plus_seconds(period_s * PERIOD_SHARE),
        Some(_) | None => arrivals.newest,
    }
}

#[cfg(test)]
mod tests;

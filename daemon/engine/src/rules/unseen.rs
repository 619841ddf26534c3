//! What it says that the radars and cameras which scan a tripwire's ground saw nobody when it reported.
//!
//! Either such a sensor does not see who passes there, or nobody did. How often it sees who passes is learned wire by wire, from
//! every report of the wire that a detector bears out, false ones too: a sensor that is blind at a wire loses its say there
//! after a few, and never hides anybody for long.

use std::collections::{BTreeMap, VecDeque};

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Coverage, Detection, Measurement, Scan, SensorKind, SensorModel, Timestamp};

use super::geometry::distance_to_segment_m;
use super::{Finding, Situation, Subject};
use crate::Contributor;
use crate::config::Site;

/// Who trips a wire is near it for so long before and after: 30 m at a walk.
const NEAR_S: f64 = 20.0;
/// The looks at who tripped it are complete so long after its report, their way to here included.
const COMPLETE_AFTER_S: f64 = NEAR_S + 5.0;
/// A plot within this distance of the wire, and within so many standard deviations of its bearings, is of somebody at it.
const NEAR_M: f64 = 40.0;
const NEAR_SDS: f64 = 3.0;
/// Plots in so many looks are somebody; a single one may be clutter.
const SEEN_FROM: usize = 2;
/// Looks kept, for reports that come late, and how near each other two count as one: errors of faster looks are alike.
const KEEP_S: f64 = 90.0;
const ONE_LOOK_S: f64 = 0.9;
/// Places along a wire that a coverage may hold or not.
const PLACES: u8 = 9;
const ALL_PLACES: u16 = (1 << PLACES) - 1;
/// What is expected of a sensor before it is known: so many who passed a wire in its coverage, and of these seen.
const PRIOR: (f64, f64) = (5.0, 4.0);
/// Passages that are remembered: places grow over and are cut.
const REMEMBERED: f64 = 50.0;

/// What scanning sensors missed of somebody at a wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Missed {
    /// Logarithm of how likely it is that so little was seen when somebody passed, against when nobody did: 0 where nothing scans
    /// or somebody was seen, else less.
    log_ratio: f64,
    /// The sensors that looked at all of the wire and saw nobody.
    by: Vec<usize>,
    /// That is final, and was learned from.
    complete: bool,
}

impl Missed {
    /// The finding, less sure for what was missed of it.
    pub(super) fn put_to(&self, mut found: Finding, site: &Site) -> Finding {
        found.unseen = self.log_ratio;
        if let Subject::Spot { contributors, .. } = &mut found.subject {
            let silent = self.by.iter().filter_map(|&index| site.sensors.get(index));
            contributors.extend(silent.map(|sensor| Contributor { sensor: sensor.model.id.clone(), share: None }));
        }
        found
    }
}

/// What scanning sensors saw at the tripwires in their coverage, by wire, then by sensor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Unseen(BTreeMap<usize, BTreeMap<usize, View>>);

/// One sensor's view of one wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct View {
    /// The places along the wire that it covers, a bit each.
    covered: u16,
    /// Its looks lately, and whether a plot was near the wire.
    looks: VecDeque<(Timestamp, bool)>,
    /// Passages, and those of them that it saw.
    passages: f64,
    seen: f64,
}

impl View {
    /// None of a sensor that covers nothing of the wire.
    fn of(wire: &SensorModel, sensor: &SensorModel) -> Option<Self> {
        let covers = |&place: &u8| sensor.coverage.covers(sensor.position_m, at(wire, place));
        let covered = (0..PLACES).filter(covers).fold(0, |bits, place| bits | 1 << place);
        (covered != 0).then(|| Self { covered, looks: VecDeque::new(), passages: PRIOR.0, seen: PRIOR.1 })
    }

    fn note(&mut self, time: Timestamp, seen: bool) {
        match self.looks.back_mut() {
            // Also a late scan, which must not take its place behind newer ones.
            Some(last) if time.seconds_since(last.0) < ONE_LOOK_S => last.1 |= seen,
            _ => self.looks.push_back((time, seen)),
        }
        while self.looks.front().is_some_and(|first| time.seconds_since(first.0) > KEEP_S) {
            self.looks.pop_front();
        }
    }

    /// Number of looks around the time, and of those that saw somebody at the wire.
    fn looks_at(&self, time: Timestamp) -> (usize, usize) {
        let around = self.looks.iter().filter(|look| look.0.seconds_since(time).abs() <= NEAR_S);
        around.fold((0, 0), |(looks, seen), look| (looks + 1, seen + usize::from(look.1)))
    }

    /// Probability of seeing as little as it did of somebody who passed at the time, against that of nobody.
    fn ratio(&self, model: &SensorModel, time: Timestamp) -> f64 {
        let (looks, seen) = self.looks_at(time);
        if seen >= SEEN_FROM {
            return 1.0;
        }
        let (p, looks) = (model.detection_probability, i32::try_from(looks).unwrap_or(i32::MAX));
        // No look, or one, of those that somebody in plain sight gets.
        let missed: f64 = (0..looks).fold(1.0, |missed, _| missed * (1.0 - p));
        let once = if looks > 0 { f64::from(looks) * p * missed / f64::max(1.0 - p, f64::MIN_POSITIVE) } else { 0.0 };
        let visible = self.seen / self.passages;
        1.0 - visible + visible * f64::min(missed + once, 1.0)
    }

    fn learn(&mut self, time: Timestamp) {
        let (looks, seen) = self.looks_at(time);
        if looks >= SEEN_FROM {
            let kept = f64::min(REMEMBERED / (self.passages + 1.0), 1.0);
            self.passages = (self.passages + 1.0) * kept;
            self.seen = (self.seen + f64::from(u8::from(seen >= SEEN_FROM))) * kept;
        }
    }
}

impl Unseen {
    /// Remembers what a scanning sensor sees at the wires that it covers.
    pub(super) fn observe(&mut self, scan: &Scan, site: &Site) {
        let model = &site.sensors[scan.sensor].model;
        if !matches!(model.kind, SensorKind::Radar | SensorKind::Camera) || model.mobile {
            return;
        }
        for (index, wire) in site.sensors.iter().enumerate() {
            let Some((from_m, to_m)) = ends(&wire.model) else { continue };
            let seen = || scan.detections.iter().any(|detection| is_at(detection, model, from_m, to_m));
            if let Some(view) = self.0.get_mut(&index).and_then(|views| views.get_mut(&scan.sensor)) {
                view.note(scan.time, seen());
            } else if let Some(mut view) = View::of(&wire.model, model) {
                view.note(scan.time, seen());
                self.0.entry(index).or_default().insert(scan.sensor, view);
            }
        }
    }

    /// Takes stock of what was missed of somebody who is said to have passed the wire at the time, until that is complete.
    pub(super) fn weigh(&mut self, missed: &mut Missed, wire: usize, time: Timestamp, situation: &Situation<'_>) {
        if missed.complete {
            return;
        }
        let complete = situation.now.seconds_since(time) >= COMPLETE_AFTER_S;
        *missed = Missed { complete, ..self.of(wire, time, situation.site) };
        if complete {
            let views = self.0.get_mut(&wire).into_iter().flat_map(BTreeMap::values_mut);
            views.for_each(|view| view.learn(time));
        }
    }

    /// What was seen, or not, of somebody who passed the wire at the time, anywhere along it.
    fn of(&self, wire: usize, time: Timestamp, site: &Site) -> Missed {
        let Some(views) = self.0.get(&wire) else { return Missed::default() };
        let ratios: Vec<(u16, f64)> =
            views.iter().map(|(&sensor, view)| (view.covered, view.ratio(&site.sensors[sensor].model, time))).collect();
        let at_place = |place: u8| -> f64 {
            ratios.iter().filter(|(covered, _)| covered & (1 << place) != 0).map(|(_, ratio)| ratio).product()
        };
        let in_vain = |view: &View| {
            let (looks, seen) = view.looks_at(time);
            view.covered == ALL_PLACES && looks >= SEEN_FROM && seen < SEEN_FROM
        };
        Missed {
            log_ratio: libm::log((0..PLACES).map(at_place).sum::<f64>() / f64::from(PLACES)),
            complete: false,
            by: views.iter().filter(|(_, view)| in_vain(view)).map(|(&sensor, _)| sensor).collect(),
        }
    }
}

fn ends(wire: &SensorModel) -> Option<(Vector2<f64>, Vector2<f64>)> {
    match &wire.coverage {
        Coverage::Line { from_m, to_m } if wire.kind == SensorKind::Tripwire => {
            Some(((*from_m).into(), (*to_m).into()))
        }
        _ => None,
    }
}

fn at(wire: &SensorModel, place: u8) -> Vector2<f64> {
    let (from_m, to_m) = ends(wire).unwrap_or((wire.position_m, wire.position_m));
    from_m + (to_m - from_m) * ((f64::from(place) + 0.5) / f64::from(PLACES))
}

/// Whether a plot may be of somebody at the wire.
fn is_at(detection: &Detection, sensor: &SensorModel, from_m: Vector2<f64>, to_m: Vector2<f64>) -> bool {
    let near = |place_m: Vector2<f64>| distance_to_segment_m(place_m, [from_m, to_m]) <= NEAR_M;
    match detection.measurement {
        Measurement::Position { position_m, .. } => near(position_m),
        Measurement::RangeBearing { range_m, azimuth_rad, .. } => {
            near(sensor.position_m + Vector2::new(libm::sin(azimuth_rad), libm::cos(azimuth_rad)) * range_m)
        }
        Measurement::Bearing { azimuth_rad, azimuth_sd_rad } => {
            let middle_m = (from_m + to_m) / 2.0 - sensor.position_m;
            let ahead = Vector2::new(libm::sin(azimuth_rad), libm::cos(azimuth_rad));
            let off_rad = |place_m: Vector2<f64>| {
                let to = place_m - sensor.position_m;
                libm::atan2(to.perp(&ahead), to.dot(&ahead))
            };
            let (a, b) = (off_rad(from_m), off_rad(to_m));
            let margin_rad = NEAR_SDS * azimuth_sd_rad + libm::atan2(NEAR_M, middle_m.norm());
            middle_m.dot(&ahead) > 0.0 && f64::min(a, b) <= margin_rad && f64::max(a, b) >= -margin_rad
        }
        Measurement::Range { .. } | Measurement::Presence { .. } | Measurement::Crossing { .. } => false,
    }
}

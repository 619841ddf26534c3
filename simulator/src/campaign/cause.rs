//! What stands behind an alert: who was there, by the truth.

use std::fmt;

use vedette_engine::{Alert, Place, Timestamp};

use super::drive::Run;
use crate::geometry::{self, Point};
use crate::scenario::{AgentKind, Scenario, Zone, ZoneShape};
use crate::truth::Walker;

/// What somebody walks in half a minute.
const WALKED_M: f64 = 45.0;
const HALF_A_MINUTE_S: f64 = 30.0;

/// Who was where an alert says somebody was; of several the first of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A person or a vehicle that crosses a border, at that time or another.
    Crosser,
    /// A person who does not cross.
    Person,
    /// A vehicle that does not cross.
    Vehicle,
    /// The own patrol.
    Patrol,
    /// A farmer at work.
    Farmer,
    /// Deer or boar.
    Animal,
    /// Nobody.
    Nothing,
}

impl Cause {
    /// Whether an operator is right to be told of it: somebody was there who is neither of the own, nor at work, nor game.
    #[must_use]
    pub const fn is_real(self) -> bool {
        matches!(self, Self::Crosser | Self::Person | Self::Vehicle)
    }

    fn of_walker(walker: &Walker, crosses: bool) -> Self {
        match walker.kind {
            AgentKind::Person | AgentKind::Vehicle if crosses => Self::Crosser,
            AgentKind::Person => Self::Person,
            AgentKind::Vehicle => Self::Vehicle,
            AgentKind::Patrol => Self::Patrol,
            AgentKind::Farmer => Self::Farmer,
            AgentKind::Deer | AgentKind::Boar => Self::Animal,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Crosser => "crosser",
            Self::Person => "person, no crossing",
            Self::Vehicle => "vehicle, no crossing",
            Self::Patrol => "own patrol",
            Self::Farmer => "farmer",
            Self::Animal => "animal",
            Self::Nothing => "nobody",
        })
    }
}

/// An alert when it first asked for attention, and what stands behind it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// When it was written.
    pub written: Timestamp,
    /// The alert.
    pub alert: Alert,
    /// Who was there; nothing for an alert that is about nobody.
    pub cause: Option<Cause>,
}

impl Judged {
    /// How far the nearest person or vehicle that is not an own one was from where the alert says, at the time it speaks of; none for
    /// an alert that names a zone alone, or when there was nobody.
    #[must_use]
    pub fn nearest_m(&self, scenario: &Scenario, run: &Run) -> Option<f64> {
        let Some(Place::Point { lat, lon, .. }) = &self.alert.place else { return None };
        let said: Point = run.engine.site().frame.to_site(*lat, *lon)?.into();
        let elapsed_s = self.alert.last_seen.seconds_since(scenario.layout.begins);
        let walkers = run.truth.walkers.iter().filter(|walker| Cause::of_walker(walker, false).is_real());
        walkers.filter_map(|walker| Some(geometry::distance(said, walker.at(elapsed_s)?))).min_by(f64::total_cmp)
    }
}

/// All alerts that asked for attention.
#[must_use]
pub fn judged(scenario: &Scenario, run: &Run) -> Vec<Judged> {
    run.asking().map(|told| judge(told, scenario, run)).collect()
}

/// One alert.
pub(super) fn judge((written, alert): &(Timestamp, Alert), scenario: &Scenario, run: &Run) -> Judged {
    let cause = alert.kind.is_about_somebody().then(|| cause(alert, scenario, run));
    Judged { written: *written, alert: alert.clone(), cause }
}

/// Who was, at the time the alert speaks of, where it says: within its 95 % ellipse and the distance somebody walks in half a
/// minute, or, for a zone, in the zone or as near to it. Who is said to be on the way to a zone must come as near within the time
/// that is said, and half a minute.
pub(super) fn cause(alert: &Alert, scenario: &Scenario, run: &Run) -> Cause {
    let elapsed_s = alert.last_seen.seconds_since(scenario.layout.begins);
    let crosses = |walker: &Walker| run.truth.crossings.iter().any(|crossing| crossing.walker == walker.id);
    let there = run.truth.walkers.iter().filter(|walker| is_there(alert, walker, elapsed_s, scenario, run));
    there.map(|walker| Cause::of_walker(walker, crosses(walker))).min().unwrap_or(Cause::Nothing)
}

fn is_there(alert: &Alert, walker: &Walker, elapsed_s: f64, scenario: &Scenario, run: &Run) -> bool {
    let Some(at_m) = walker.at(elapsed_s) else { return false };
    if let Some(Place::Point { lat, lon, ellipse }) = &alert.place {
        let said = run.engine.site().frame.to_site(*lat, *lon);
        let within_m = ellipse.major_m + WALKED_M;
        return said.is_some_and(|said| geometry::distance(said.into(), at_m) <= within_m);
    }
    let zone = scenario.layout.zones.iter().find(|zone| Some(&zone.name) == alert.zone.as_ref());
    let until_s = elapsed_s + alert.eta.map_or(0.0, |eta| eta.high_s + HALF_A_MINUTE_S);
    zone.is_none_or(|zone| walker.between(elapsed_s, until_s).any(|at_m| distance_m(zone, at_m) <= WALKED_M))
}

fn distance_m(zone: &Zone, at_m: Point) -> f64 {
    let (ZoneShape::Line(points) | ZoneShape::Polygon(points)) = &zone.shape;
    if matches!(zone.shape, ZoneShape::Polygon(_)) && geometry::inside(points, at_m) {
        return 0.0;
    }
    let edges = points.windows(2).map(|edge| geometry::distance_to_segment(at_m, edge[0], edge[1]));
    edges.fold(f64::INFINITY, f64::min)
}

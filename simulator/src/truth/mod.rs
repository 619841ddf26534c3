//! What really happened: who was where when, and who crossed which line.

mod route;

use serde::Serialize;

pub use route::walk;

use crate::geometry::{self, Point};
use crate::random::Random;
use crate::scenario::{Agent, AgentKind, Road, Scenario, Traffic, ZoneShape};

/// Time between two truth positions; between them motion is straight.
pub const STEP_S: f64 = 1.0;

/// One object's way.
#[derive(Clone, Debug, PartialEq)]
pub struct Walker {
    /// Its number, also its place in [`Truth::walkers`].
    pub id: usize,
    /// What it is.
    pub kind: AgentKind,
    /// Number of the first step at which it is there.
    pub first_step: usize,
    /// Its positions, one a step.
    pub path_m: Vec<Point>,
}

impl Walker {
    /// Where it is `elapsed_s` after the beginning; none before its first and after its last position.
    #[must_use]
    pub fn at(&self, elapsed_s: f64) -> Option<Point> {
        let steps = elapsed_s / STEP_S - step_number(self.first_step);
        if steps < 0.0 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and casts saturate")]
        let index = steps as usize;
        let here = *self.path_m.get(index)?;
        let share = steps - step_number(index);
        if share == 0.0 {
            return Some(here);
        }
        self.path_m.get(index + 1).map(|next| geometry::between(here, *next, share))
    }

    /// Its positions from one moment to another, one a step, the first at `from_s`.
    pub fn between(&self, from_s: f64, to_s: f64) -> impl Iterator<Item = Point> {
        let times = (0..).map(move |step| from_s + step_number(step) * STEP_S).take_while(move |&at_s| at_s <= to_s);
        times.map_while(|at_s| self.at(at_s))
    }

    /// First and last second at which it is there.
    #[must_use]
    pub fn life_s(&self) -> (f64, f64) {
        let last = self.first_step + self.path_m.len().saturating_sub(1);
        (step_number(self.first_step) * STEP_S, step_number(last) * STEP_S)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a scenario has far fewer than 2^52 steps")]
pub(crate) fn step_number(step: usize) -> f64 {
    step as f64
}

/// One passage of a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Crossing {
    /// Seconds after the scenario's beginning.
    pub elapsed_s: f64,
    /// Who.
    pub walker: usize,
    /// What it is.
    pub kind: AgentKind,
    /// Name of the line.
    pub line: String,
    /// From the line's left to its right.
    pub inward: bool,
    /// Where.
    pub at_m: Point,
}

/// All objects and what they did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// The objects, by number.
    pub walkers: Vec<Walker>,
    /// Passages of the scenario's border lines, in order of time.
    pub crossings: Vec<Crossing>,
    /// Who carries the radio of an own unit: its name, the walker, the time between two positions.
    pub units: Vec<(String, usize, f64)>,
}

impl Truth {
    /// Plays the scenario's agents for the seed.
    #[must_use]
    pub fn of(scenario: &Scenario, seed: u64) -> Self {
        let (mut walkers, mut units) = (Vec::new(), Vec::new());
        let rivers = &scenario.layout.rivers;
        for (index, agent) in scenario.agents.iter().enumerate() {
            let mut random = Random::stream(seed, &format!("agent {index}"));
            let party = walk(agent, rivers, scenario.layout.duration_s, walkers.len(), &mut random);
            if let (Some(unit), Some(first)) = (&agent.unit, party.first()) {
                units.push((unit.clone(), first.id, agent.position_every_s));
            }
            walkers.extend(party);
        }
        for (index, traffic) in scenario.traffic.iter().enumerate() {
            let mut random = Random::stream(seed, &format!("traffic {index}"));
            for party in parties(traffic, scenario.layout.duration_s, &mut random) {
                walkers.extend(walk(&party, rivers, scenario.layout.duration_s, walkers.len(), &mut random));
            }
        }
        for (index, road) in scenario.layout.roads.iter().enumerate() {
            let mut random = Random::stream(seed, &format!("road {index}"));
            for vehicle in vehicles(road, scenario.layout.duration_s, &mut random) {
                walkers.extend(walk(&vehicle, &[], scenario.layout.duration_s, walkers.len(), &mut random));
            }
        }
        let crossings = crossings(scenario, &walkers);
        Self { walkers, crossings, units }
    }
}

/// The traffic's parties, as agents: a Poisson process of arrivals.
fn parties(traffic: &Traffic, duration_s: f64, random: &mut Random) -> Vec<Agent> {
    let mut parties = Vec::new();
    if traffic.per_hour <= 0.0 {
        return parties;
    }
    let mut start_s = random.exponential(3600.0 / traffic.per_hour);
    while start_s < duration_s {
        let [from, to] = [traffic.from_m, traffic.to_m].map(|[a, b]| geometry::between(a, b, random.unit()));
        parties.push(Agent {
            kind: traffic.kind,
            count: traffic.count[0] + random.below(traffic.count[1] - traffic.count[0] + 1),
            spacing_m: 4.0,
            start_s: [start_s; 2],
            speed_mps: traffic.speed_mps,
            route_m: vec![from, to],
            route_sd_m: 0.0,
            wander_m: traffic.wander_m,
            unit: None,
            position_every_s: 10.0,
        });
        start_s += random.exponential(3600.0 / traffic.per_hour);
    }
    parties
}

/// A road's vehicles, each from one end to the other: a Poisson process of departures.
fn vehicles(road: &Road, duration_s: f64, random: &mut Random) -> Vec<Agent> {
    let mut vehicles = Vec::new();
    if road.vehicles_per_hour <= 0.0 {
        return vehicles;
    }
    let mut start_s = random.exponential(3600.0 / road.vehicles_per_hour);
    while start_s < duration_s {
        let mut route_m = road.line_m.clone();
        if random.chance(0.5) {
            route_m.reverse();
        }
        vehicles.push(Agent {
            kind: AgentKind::Vehicle,
            count: 1,
            spacing_m: 0.0,
            start_s: [start_s; 2],
            speed_mps: road.speed_mps,
            route_m,
            route_sd_m: 0.0,
            wander_m: 0.5,
            unit: None,
            position_every_s: 10.0,
        });
        start_s += random.exponential(3600.0 / road.vehicles_per_hour);
    }
    vehicles
}

fn crossings(scenario: &Scenario, walkers: &[Walker]) -> Vec<Crossing> {
    let mut crossings = Vec::new();
    for zone in scenario.layout.zones.iter().filter(|zone| zone.kind == "border") {
        let ZoneShape::Line(line) = &zone.shape else { continue };
        for (walker, segment) in walkers.iter().flat_map(|walker| line.windows(2).map(move |segment| (walker, segment)))
        {
            for (index, step) in walker.path_m.windows(2).enumerate() {
                let Some((share, inward)) = geometry::crossing(segment[0], segment[1], step[0], step[1]) else {
                    continue;
                };
                crossings.push(Crossing {
                    elapsed_s: (step_number(walker.first_step + index) + share) * STEP_S,
                    walker: walker.id,
                    kind: walker.kind,
                    line: zone.name.clone(),
                    inward,
                    at_m: geometry::between(step[0], step[1], share),
                });
            }
        }
    }
    crossings.sort_by(|a, b| a.elapsed_s.total_cmp(&b.elapsed_s).then(a.walker.cmp(&b.walker)));
    crossings
}

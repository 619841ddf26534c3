//! How a party moves along its route: each seed moves the way's points a little, speed breathes, and everyone wanders
//! slowly sideways.

use super::{STEP_S, Walker, step_number};
use crate::geometry::{Point, distance, distance_to_chain};
use crate::random::Random;
use crate::scenario::{Agent, River};

/// Correlation time of the sideways wander: people drift around bushes and puddles, not from step to step.
const WANDER_TIME_S: f64 = 30.0;
/// Correlation time and relative size of the changes of pace.
const PACE_TIME_S: f64 = 20.0;
const PACE_SD: f64 = 0.1;
/// Pace of somebody who wades hip-deep: water walking at equal effort is a third to a half as fast as on land (Evans, Cureton
/// and Purvis, Res. Q. 49, 1978).
const WADING_MPS: f64 = 0.5;

/// The party's members from start to the end of the way, or of the scenario; numbers count from `first_id`.
pub fn walk(agent: &Agent, rivers: &[River], duration_s: f64, first_id: usize, random: &mut Random) -> Vec<Walker> {
    let start_s = random.within(agent.start_s);
    let speed_mps = random.within(agent.speed_mps);
    let route: Vec<Point> =
        agent.route_m.iter().map(|point| point.map(|metres| metres + random.normal() * agent.route_sd_m)).collect();
    (0..agent.count)
        .map(|member| {
            let behind_s = step_number(member) * agent.spacing_m / speed_mps;
            Walker {
                id: first_id + member,
                kind: agent.kind,
                first_step: whole_steps(start_s + behind_s),
                path_m: path(&route, rivers, (speed_mps, agent.wander_m), duration_s - start_s - behind_s, random),
            }
        })
        .filter(|walker| !walker.path_m.is_empty())
        .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and casts saturate")]
fn whole_steps(seconds: f64) -> usize {
    libm::ceil(seconds / STEP_S) as usize
}

fn path(
    route: &[Point],
    rivers: &[River],
    (speed_mps, wander_m): (f64, f64),
    left_s: f64,
    random: &mut Random,
) -> Vec<Point> {
    let mut pace = Wander::new(PACE_SD, PACE_TIME_S, random);
    let mut aside = Wander::new(wander_m, WANDER_TIME_S, random);
    let mut along = Along::new(route);
    let mut points = Vec::new();
    while step_number(points.len()) * STEP_S <= left_s {
        let Some((point, normal)) = along.here() else { break };
        points.push([point[0] + normal[0] * aside.value, point[1] + normal[1] * aside.value]);
        aside.step(random);
        pace.step(random);
        let wades = rivers.iter().any(|river| distance_to_chain(point, &river.line_m) <= river.width_m / 2.0);
        let speed_mps = if wades { speed_mps.min(WADING_MPS) } else { speed_mps };
        along.advance(speed_mps * (1.0 + pace.value).max(0.2) * STEP_S);
    }
    points
}

/// A stationary Ornstein-Uhlenbeck process, sampled once a step.
struct Wander {
    value: f64,
    keep: f64,
    sd: f64,
}

impl Wander {
    fn new(sd: f64, time_s: f64, random: &mut Random) -> Self {
        Self { value: random.normal() * sd, keep: libm::exp(-STEP_S / time_s), sd }
    }

    fn step(&mut self, random: &mut Random) {
        let fresh = self.sd * libm::sqrt(1.0 - self.keep * self.keep);
        self.value = self.value * self.keep + random.normal() * fresh;
    }
}

/// A place on the route: the leg and how far along it.
struct Along<'a> {
    route: &'a [Point],
    leg: usize,
    done_m: f64,
}

impl<'a> Along<'a> {
    fn new(route: &'a [Point]) -> Self {
        Self { route, leg: 0, done_m: 0.0 }
    }

    /// The place and the direction to its left; none at the end of the way.
    fn here(&self) -> Option<(Point, Point)> {
        let [from, to] = [*self.route.get(self.leg)?, *self.route.get(self.leg + 1)?];
        let length = distance(from, to).max(f64::MIN_POSITIVE);
        let ahead = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
        let point = [from[0] + ahead[0] * self.done_m, from[1] + ahead[1] * self.done_m];
        Some((point, [-ahead[1], ahead[0]]))
    }

    fn advance(&mut self, mut metres: f64) {
        while let (Some(from), Some(to)) = (self.route.get(self.leg), self.route.get(self.leg + 1)) {
            let left = distance(*from, *to) - self.done_m;
            if metres < left {
                self.done_m += metres;
                return;
            }
            metres -= left;
            self.leg += 1;
            self.done_m = 0.0;
        }
    }
}

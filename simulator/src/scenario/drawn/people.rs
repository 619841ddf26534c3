//! Who is about on a drawn site: crossers either way, people who only pass, the own, people at work, and game, each there or not.

use super::{DEPTH_M, Ground, of_any_size};
use crate::geometry::Point;
use crate::random::Random;
use crate::scenario::{Agent, AgentKind, OwnUnit, Traffic};

/// Metres north of the border, south of it when negative.
type Strip = [f64; 2];

const FAR_OUTSIDE: Strip = [250.0, 0.45 * DEPTH_M];
const FAR_INSIDE: Strip = [-0.45 * DEPTH_M, -250.0];
const JUST_OUTSIDE: Strip = [20.0, 150.0];
const JUST_INSIDE: Strip = [-150.0, -20.0];

/// Agents with a way of their own, traffic, and own units whose radio tells where they are.
pub(super) fn draw(ground: &Ground, duration_s: f64, random: &mut Random) -> (Vec<Agent>, Vec<Traffic>, Vec<OwnUnit>) {
    let mut parties = Parties { ground, duration_s, random, traffic: Vec::new(), agents: Vec::new() };
    // Who an operator has to know of.
    parties.pass(0.8, AgentKind::Person, [0.5, 5.0], 6, [FAR_OUTSIDE, FAR_INSIDE]);
    parties.pass(0.3, AgentKind::Person, [0.5, 3.0], 3, [FAR_INSIDE, FAR_OUTSIDE]);
    parties.pass(0.2, AgentKind::Person, [0.3, 2.0], 3, [FAR_OUTSIDE, JUST_OUTSIDE]);
    parties.pass(0.2, AgentKind::Person, [0.3, 2.0], 3, [JUST_OUTSIDE, JUST_OUTSIDE]);
    parties.pass(0.2, AgentKind::Person, [0.3, 2.0], 3, [JUST_INSIDE, JUST_INSIDE]);
    // The own, without a radio that tells of them, and people at work.
    parties.pass(0.3, AgentKind::Patrol, [0.5, 4.0], 3, [FAR_INSIDE, JUST_INSIDE]);
    parties.pass(0.3, AgentKind::Patrol, [0.5, 4.0], 3, [JUST_INSIDE, JUST_INSIDE]);
    parties.pass(0.2, AgentKind::Farmer, [0.5, 4.0], 2, [FAR_INSIDE, JUST_INSIDE]);
    parties.pass(0.2, AgentKind::Farmer, [0.5, 4.0], 2, [JUST_INSIDE, FAR_INSIDE]);
    // Game goes where it likes.
    let anywhere = [FAR_INSIDE[0], FAR_OUTSIDE[1]];
    parties.pass(0.4, AgentKind::Deer, [0.5, 6.0], 5, [anywhere; 2]);
    parties.pass(0.4, AgentKind::Boar, [0.5, 6.0], 5, [anywhere; 2]);
    let units = if parties.random.chance(0.3) { vec![parties.own_unit()] } else { Vec::new() };
    (parties.agents, parties.traffic, units)
}

struct Parties<'a> {
    ground: &'a Ground,
    duration_s: f64,
    random: &'a mut Random,
    traffic: Vec<Traffic>,
    agents: Vec<Agent>,
}

impl Parties<'_> {
    /// Parties of up to so many that go from somewhere in one strip to somewhere in the other, with that chance.
    fn pass(&mut self, chance: f64, kind: AgentKind, per_hour: [f64; 2], most: usize, strips: [Strip; 2]) {
        if !self.random.chance(chance) {
            return;
        }
        let ground = self.ground;
        let mut ends = |strip: Strip| -> [Point; 2] {
            let north_m = self.random.within(strip);
            [0.05, 0.95].map(|share| ground.beside(share * ground.width_m, north_m))
        };
        let [from_m, to_m] = strips.map(&mut ends);
        let most = 1 + self.random.below(most);
        let slowest_mps = self.random.uniform(0.5, 1.2);
        self.traffic.push(Traffic {
            kind,
            per_hour: of_any_size(per_hour, self.random),
            count: [1, most],
            speed_mps: [slowest_mps, slowest_mps + self.random.uniform(0.2, 0.8)],
            from_m,
            to_m,
            wander_m: self.random.uniform(1.0, 5.0),
        });
    }

    /// A patrol whose radio tells where it is: up to the border, along it and back.
    fn own_unit(&mut self) -> OwnUnit {
        let id = "patrol-7".to_owned();
        let people = 2 + self.random.below(2);
        let at_border = [(); 2].map(|()| self.ground.somewhere(JUST_INSIDE, self.random));
        let home = self.ground.somewhere(FAR_INSIDE, self.random);
        self.agents.push(Agent {
            kind: AgentKind::Patrol,
            count: people,
            spacing_m: 4.0,
            start_s: [0.0, self.duration_s / 2.0],
            speed_mps: [1.0, 1.5],
            route_m: vec![home, at_border[0], at_border[1], home],
            route_sd_m: 10.0,
            wander_m: 3.0,
            unit: Some(id.clone()),
            position_every_s: self.random.uniform(10.0, 30.0),
        });
        OwnUnit { id, people }
    }
}

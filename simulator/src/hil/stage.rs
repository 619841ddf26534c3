//! What the nodes' inputs see of people who walk across the line, one after the other.

use vedette_wire::link::{Bench, MAX_SAMPLES};

use super::ground::{Ground, SAMPLE_RATE_HZ};
use crate::random::Random;

/// Walkers start and end this far from the line.
const APPROACH_M: f64 = 45.0;
/// Steps beyond this are lost in the ground's noise.
const HEARD_M: f64 = 80.0;
/// Reach of the infrared modules.
pub const INFRARED_M: f64 = 12.0;
/// A node's two beams run this far east, to a reflector, and this far to each side of the line between.
pub(super) const BEAM_M: f64 = 25.0;
const BEAM_OFFSET_M: f64 = 0.3;
/// Half the depth of a body.
const BODY_M: f64 = 0.15;
/// Length of one stimulus.
pub const SLICE_S: f64 = MAX_SAMPLES as f64 / SAMPLE_RATE_HZ;

/// Somebody who walks straight from north to south.
#[derive(Clone, Debug)]
pub struct Walker {
    starts_s: f64,
    /// Where the walker crosses the line.
    pub east_m: f64,
    speed_mps: f64,
    step_s: f64,
    next_step: u32,
}

impl Walker {
    fn place_m(&self, at_s: f64) -> Option<[f64; 2]> {
        let gone_m = (at_s - self.starts_s) * self.speed_mps;
        (0.0..=2.0 * APPROACH_M).contains(&gone_m).then_some([self.east_m, APPROACH_M - gone_m])
    }

    /// When the walker first sets a foot down where a geophone on the line may hear it.
    #[must_use]
    pub fn heard_s(&self) -> f64 {
        self.starts_s
    }

    /// When the walker is on the line.
    #[must_use]
    pub fn crosses_s(&self) -> f64 {
        self.starts_s + APPROACH_M / self.speed_mps
    }
}

/// One node's share of the world.
#[derive(Debug)]
struct Seat {
    place_m: [f64; 2],
    ground: Ground,
}

/// The world around the nodes.
#[derive(Debug)]
pub struct Stage {
    seats: Vec<Seat>,
    walkers: Vec<Walker>,
    slices: u32,
}

impl Stage {
    /// Nodes at these places, and a walker each `interval_s` from `first_s` on, somewhere along their beams.
    #[must_use]
    pub fn new(places_m: &[[f64; 2]], wind_mps: f64, seed: u64, first_s: f64, interval_s: f64, walkers: u32) -> Self {
        let mut random = Random::stream(seed, "walkers");
        let (west_m, east_m) =
            places_m.iter().fold((f64::MAX, f64::MIN), |(west, east), place| (west.min(place[0]), east.max(place[0])));
        let walkers = (0..walkers).map(|index| Walker {
            starts_s: first_s + interval_s * f64::from(index),
            east_m: random.uniform(west_m, east_m + BEAM_M),
            speed_mps: random.uniform(1.2, 1.5),
            step_s: random.uniform(0.52, 0.66),
            next_step: 0,
        });
        let walkers = walkers.collect();
        let seats = places_m.iter().enumerate().map(|(index, &place_m)| {
            let ground = Ground::new(seed, &format!("ground {index}"), wind_mps);
            Seat { place_m, ground }
        });
        Self { seats: seats.collect(), walkers, slices: 0 }
    }

    /// Who walks.
    #[must_use]
    pub fn walkers(&self) -> &[Walker] {
        &self.walkers
    }

    /// Time of the next slice's end.
    #[must_use]
    pub fn next_s(&self) -> f64 {
        f64::from(self.slices + 1) * SLICE_S
    }

    /// What each node's inputs see in the next slice of [`SLICE_S`].
    pub fn slice(&mut self) -> Vec<Bench> {
        self.slices += 1;
        let end_s = f64::from(self.slices) * SLICE_S;
        for walker in &mut self.walkers {
            loop {
                let at_s = walker.starts_s + walker.step_s * f64::from(walker.next_step);
                if at_s >= end_s {
                    break;
                }
                walker.next_step += 1;
                let Some(place_m) = walker.place_m(at_s) else { break };
                for seat in &mut self.seats {
                    let range_m = distance_m(place_m, seat.place_m);
                    if range_m <= HEARD_M {
                        seat.ground.step(at_s, range_m);
                    }
                }
            }
        }
        let places_m: Vec<[f64; 2]> = self.walkers.iter().filter_map(|walker| walker.place_m(end_s)).collect();
        let stimulus = |seat: &mut Seat| Bench::Stimulus {
            pir: places_m.iter().any(|&place_m| distance_m(place_m, seat.place_m) <= INFRARED_M),
            tamper: false,
            beam_left: places_m.iter().any(|&place_m| interrupts(place_m, seat.place_m, BEAM_OFFSET_M)),
            beam_right: places_m.iter().any(|&place_m| interrupts(place_m, seat.place_m, -BEAM_OFFSET_M)),
            samples: (0..MAX_SAMPLES).map(|_| seat.ground.sample()).collect(),
        };
        self.seats.iter_mut().map(stimulus).collect()
    }
}

/// Whether somebody stands in the beam that runs east at this offset north of a node.
fn interrupts([east_m, north_m]: [f64; 2], [node_east_m, node_north_m]: [f64; 2], offset_m: f64) -> bool {
    (0.0..BEAM_M).contains(&(east_m - node_east_m)) && (north_m - node_north_m - offset_m).abs() <= BODY_M
}

fn distance_m(a: [f64; 2], b: [f64; 2]) -> f64 {
    libm::hypot(a[0] - b[0], a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_crosses_is_seen_by_the_infrared_module_and_interrupts_the_left_beam_first() {
        let mut stage = Stage::new(&[[0.0, 0.0]], 0.0, 1, 5.0, 100.0, 1);
        let walker = stage.walkers()[0].clone();
        let (mut seen, mut left_s, mut right_s) = (0, Vec::new(), Vec::new());
        while stage.next_s() < 120.0 {
            let at_s = stage.next_s();
            let [Bench::Stimulus { pir, beam_left, beam_right, .. }] = &stage.slice()[..] else {
                panic!("no stimulus")
            };
            seen += u32::from(*pir);
            left_s.extend(beam_left.then_some(at_s));
            right_s.extend(beam_right.then_some(at_s));
        }
        assert!(seen > 0 || walker.east_m > INFRARED_M);
        assert!((left_s[0] - walker.crosses_s()).abs() < 1.0, "{left_s:?}, crosses at {}", walker.crosses_s());
        assert!(left_s[0] < right_s[0] && left_s.len() >= 3 && right_s.len() >= 3, "{left_s:?} {right_s:?}");
    }
}

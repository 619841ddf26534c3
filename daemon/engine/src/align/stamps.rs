//! A sensor's clock that is set while it runs, told from when its looks are stamped and when they arrive.
//!
//! Between the two lies how long a look was on its way, and how far the clock is behind. A link that stalls and a clock
//! that is set both make that delay another at once. But a stalled link breaks the rhythm of the arrivals and leaves
//! that of the stamps, and its queue drains, so that the delay shrinks again by the time that passes. A clock that is
//! set leaves the rhythm of the arrivals, stamps what no transport in order would bring, and the delay stays. Such a
//! step is believed once it has lasted for a few looks, and is then taken out of the stamps, to keep the delay's floor
//! where it was. What is ambiguous (clock set while the link was down) is left as stamped.

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

/// What is known of a sensor's delays spans at least so many looks and so long; with fewer looks nothing is said.
const KNOWN_LOOKS: u32 = 8;
const KNOWN_S: f64 = 30.0;
/// Delays within this of what is known are no step: smaller ones are for the tracker's estimate of the clock's offset.
const MARGIN_S: f64 = 0.3;
/// A step is believed when so many looks over so long have kept to it.
const LASTS_LOOKS: u32 = 3;
const LASTS_S: f64 = 1.5;
/// Arrivals are in rhythm when their interval is off by less than this part of the delay's change.
const RHYTHM_SHARE: f64 = 0.5;

/// What a sensor's stamps and arrivals were lately.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Stamps {
    /// Delays of late, as corrected, and those of the time before.
    current: Option<Delays>,
    previous: Option<Delays>,
    /// Those of the looks since then that have kept to another delay.
    odd: Option<Delays>,
    newest: Option<Look>,
    /// Added to what the sensor stamps, seconds: how far its clock was set back since the start.
    correction_s: f64,
    /// The shortest delay before the last step.
    floor_s: f64,
}

/// When a look was stamped, and when it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Look {
    stamped: Timestamp,
    arrived: Timestamp,
}

/// The delays of some looks, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Delays {
    since: Timestamp,
    looks: u32,
    shortest_s: f64,
    longest_s: f64,
}

impl Delays {
    fn of(arrived: Timestamp, delay_s: f64) -> Self {
        Self { since: arrived, looks: 1, shortest_s: delay_s, longest_s: delay_s }
    }

    fn joined(self, other: Self) -> Self {
        Self {
            since: self.since.min(other.since),
            looks: self.looks.saturating_add(other.looks),
            shortest_s: self.shortest_s.min(other.shortest_s),
            longest_s: self.longest_s.max(other.longest_s),
        }
    }

    fn spread_s(self) -> f64 {
        self.longest_s - self.shortest_s
    }

    fn have_lasted(self, looks: u32, seconds: f64, now: Timestamp) -> bool {
        self.looks >= looks && now.seconds_since(self.since) >= seconds
    }
}

impl Stamps {
    /// What has to be added to what the sensor stamps, seconds.
    pub(super) const fn correction_s(&self) -> f64 {
        self.correction_s
    }

    /// The time of a look by the clock as it was at the start, and by how many seconds this look has made sure that the
    /// clock was set back, if it has. `period_s`: time between two looks.
    pub(super) fn corrected(
        &mut self,
        stamped: Timestamp,
        arrived: Timestamp,
        period_s: f64,
    ) -> (Timestamp, Option<f64>) {
        let look = Look { stamped, arrived };
        let before = self.newest.replace(look);
        // A further part of the same look.
        if before.is_some_and(|before| before.stamped == stamped) {
            return (stamped.plus_seconds(self.correction_s), None);
        }
        let stamped_delay_s = arrived.seconds_since(stamped);
        let is_set = before.is_some_and(|before| is_set(before, look, period_s));
        // No transport is faster than it was, save by its queue: the clock has been set forward again.
        if is_set && self.correction_s > 0.0 && stamped_delay_s - self.correction_s < self.floor_s - MARGIN_S {
            self.correction_s = (stamped_delay_s - self.floor_s).max(0.0);
        }
        // One that was set forward shows what it showed before: it has been set right.
        if is_set && self.correction_s < 0.0 && (stamped_delay_s - self.floor_s).abs() < MARGIN_S {
            self.correction_s = 0.0;
        }
        let delays = Delays::of(arrived, stamped_delay_s - self.correction_s);
        let step_s = self.step(delays, is_set);
        self.correction_s += step_s.unwrap_or(0.0);
        (stamped.plus_seconds(self.correction_s), step_s)
    }

    /// Takes in the delay of one look; gives the step of the clock, positive when it was set back, once it is sure.
    /// `is_set`: whether the delay became another because of the stamp.
    fn step(&mut self, new: Delays, is_set: bool) -> Option<f64> {
        let known = [self.current, self.previous].into_iter().flatten().reduce(Delays::joined);
        let Some(known) = known.filter(|known| known.looks >= KNOWN_LOOKS) else {
            self.note(new);
            return None;
        };
        let is_odd = new.shortest_s < known.shortest_s - MARGIN_S || new.longest_s > known.longest_s + MARGIN_S;
        let before = self.odd.take();
        let odd = match before {
            Some(odd) => Some(odd.joined(new)).filter(|odd| is_odd && odd.spread_s() <= known.spread_s() + MARGIN_S),
            None => Some(new).filter(|_| is_odd && is_set),
        };
        match odd {
            Some(odd) if odd.have_lasted(LASTS_LOOKS, LASTS_S, new.since) => {
                self.floor_s = known.shortest_s;
                return Some(odd.shortest_s - known.shortest_s);
            }
            Some(_) => self.odd = odd,
            // Who sends some looks late, or twice, has both delays.
            None => before.into_iter().chain([new]).for_each(|delays| self.note(delays)),
        }
        None
    }

    fn note(&mut self, new: Delays) {
        match self.current {
            Some(current) if current.have_lasted(KNOWN_LOOKS, KNOWN_S, new.since) => {
                (self.previous, self.current) = (Some(current), Some(new));
            }
            current => self.current = Some(current.map_or(new, |current| current.joined(new))),
        }
    }
}

/// Whether the change of delay from one look to the next is one of the stamps rather than of the arrivals.
fn is_set(before: Look, look: Look, period_s: f64) -> bool {
    let arrivals_s = look.arrived.seconds_since(before.arrived);
    let stamps_s = look.stamped.seconds_since(before.stamped);
    stamps_s < 0.0 || (arrivals_s - period_s).abs() < RHYTHM_SHARE * (arrivals_s - stamps_s).abs()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_seconds(1_772_000_000).plus_seconds(seconds)
    }

    /// By how much the corrected stamps of these looks (stamped, arrived; seconds) differ from what was stamped.
    fn corrections(looks: impl IntoIterator<Item = (f64, f64)>) -> Vec<f64> {
        let mut stamps = Stamps::default();
        let correction = |(stamped, arrived): (f64, f64)| {
            let (corrected, _) = stamps.corrected(at(stamped), at(arrived), 1.0);
            corrected.seconds_since(at(stamped))
        };
        looks.into_iter().map(correction).collect()
    }

    /// A look each second; from the 40th on the clock is set by `step_s`.
    fn stepped(step_s: f64, jitter_s: &[f64]) -> impl Iterator<Item = (f64, f64)> {
        (0..80_u32).zip(jitter_s.iter().cycle()).map(move |(look, jitter_s)| {
            let time = f64::from(look);
            (time + if look < 40 { 0.0 } else { step_s }, time + 1.2 + jitter_s)
        })
    }

    #[test]
    fn a_clock_set_forward_is_followed_back_at_once() {
        let looks = (0..120_u32).map(|look| {
            let time = f64::from(look);
            (time - if (40..80).contains(&look) { 20.0 } else { 0.0 }, time + 0.1)
        });
        let corrections = corrections(looks);
        assert!((corrections[79] - 20.0).abs() < 1e-3, "{}", corrections[79]);
        assert!(corrections[80].abs() < 1e-3, "{}", corrections[80]);
    }

    #[test]
    fn a_slower_path_that_was_used_beside_the_fast_one_is_no_step() {
        let fast = (0..40_u32).map(|look| (f64::from(look), f64::from(look) + 0.1));
        let slow = (0..80_u32).map(|look| (f64::from(look), f64::from(look) + 6.4));
        let mut looks: Vec<(f64, f64)> = fast.chain(slow).collect();
        looks.sort_by(|a, b| a.1.total_cmp(&b.1));
        assert!(corrections(looks).iter().all(|correction| correction.abs() < 1e-9));
    }

    #[test]
    fn a_queue_that_drains_after_a_step_is_no_second_one() {
        let mut arrived = 0.0_f64;
        let looks = (0..200_u32).map(|look| {
            let time = f64::from(look);
            // Five seconds behind all the while; from the hundredth look on two arrive a second, until none waits.
            arrived = if look < 100 { time + 5.0 } else { (arrived + 0.5).max(time + 0.1) };
            (time - if look < 40 { 0.0 } else { 20.0 }, arrived)
        });
        let corrections = corrections(looks);
        assert!((corrections[99] - 20.0).abs() < 1e-3, "{}", corrections[99]);
        assert!((corrections[199] - 20.0).abs() < 1e-3, "{}", corrections[199]);
    }

    proptest! {
        #[test]
        fn a_step_is_taken_out_of_the_stamps(
            forth in prop::bool::ANY, size_s in 0.8..100.0_f64, jitter_s in prop::collection::vec(0.0..0.1_f64, 1..30),
        ) {
            let step_s = if forth { size_s } else { -size_s };
            let corrections = corrections(stepped(step_s, &jitter_s));
            prop_assert!(corrections[..42].iter().all(|correction| correction.abs() < 1e-9));
            for correction in &corrections[43..] {
                prop_assert!((correction + step_s).abs() < 0.11, "{correction} for a step of {step_s}");
            }
        }

        /// The link is down for a while; then all that waited comes at `pace` times the rate of looks, or in one burst.
        #[test]
        fn a_queue_that_drains_is_no_step(
            down_s in 1.0..300.0_f64, pace in 1.0..50.0_f64, jitter_s in prop::collection::vec(0.0..0.1_f64, 1..30),
        ) {
            let up_s = 40.0 + down_s;
            let mut sent = 0.0_f64;
            let looks = (0..800_u32).zip(jitter_s.iter().cycle()).map(|(look, jitter_s)| {
                let time = f64::from(look);
                sent = if time < 40.0 { time } else { time.max(up_s).max(sent + 1.0 / pace) };
                (time, sent + 0.2 + jitter_s)
            });
            prop_assert!(corrections(looks.collect::<Vec<_>>()).iter().all(|correction| correction.abs() < 1e-9));
        }

        /// Store and forward: bursts in any order, after any time, between looks that come at once.
        #[test]
        fn bursts_of_old_looks_are_no_step(bursts in prop::collection::vec((20_u32..90, 1.0..90.0_f64, 1_u32..20), 1..6)) {
            let mut looks: Vec<(f64, f64)> = (0..100_u32).map(|look| (f64::from(look), f64::from(look) + 0.1)).collect();
            for (burst, (first, age_s, count)) in (0_u32..).zip(bursts) {
                let began = f64::from(first) + 0.003 * f64::from(burst);
                looks.extend((0..count).map(|look| {
                    (began - age_s + f64::from(look), began + 0.12 + 0.01 * f64::from(look))
                }));
            }
            looks.sort_by(|a, b| a.1.total_cmp(&b.1));
            prop_assert!(corrections(looks).iter().all(|correction| correction.abs() < 1e-9));
        }
    }
}

//! Detectors on digital inputs: infrared module, beams, tamper switch.

use vedette_wire::payload::{Crossing, EventKind, TamperCause};

use super::Detection;

/// A level has to last this long to count.
const SETTLE_MS: u64 = 20;
/// Two beams interrupted within this time are one crossing.
const BEAM_PAIR_MS: u64 = 2_000;
/// An infrared module that reports motion for so long without a pause is stuck.
const STUCK_MS: u64 = 900_000;

/// A debounced input.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    settled: bool,
    since_ms: Option<u64>,
}

impl Level {
    /// Takes a reading; gives the time of the edge when the input has newly settled on high.
    fn rise(&mut self, now_ms: u64, high: bool) -> Option<u64> {
        if high == self.settled {
            self.since_ms = None;
            return None;
        }
        let since_ms = *self.since_ms.get_or_insert(now_ms);
        if now_ms - since_ms < SETTLE_MS {
            return None;
        }
        self.settled = high;
        self.since_ms = None;
        high.then_some(since_ms)
    }

    /// When to look again, for a level that has not settled.
    fn look_again_ms(&self) -> Option<u64> {
        self.since_ms.map(|since_ms| since_ms + SETTLE_MS)
    }
}

/// Passive infrared: one detection, then silent until the module was quiet for the re-arm time; while motion goes on, one more
/// each re-arm time.
#[derive(Clone, Copy, Debug)]
pub struct Pir {
    rearm_ms: u64,
    level: Level,
    high_since_ms: Option<u64>,
    reported_ms: Option<u64>,
}

impl Pir {
    /// A detector that reports at most once each `rearm_ms`.
    #[must_use]
    pub const fn new(rearm_ms: u64) -> Self {
        let level = Level { settled: false, since_ms: None };
        Self { rearm_ms, level, high_since_ms: None, reported_ms: None }
    }

    /// Takes a reading of the input.
    pub fn read(&mut self, now_ms: u64, high: bool) -> Option<Detection> {
        if let Some(edge_ms) = self.level.rise(now_ms, high) {
            self.high_since_ms = Some(edge_ms);
        }
        if !self.level.settled {
            self.high_since_ms = None;
            return None;
        }
        let began_ms = self.high_since_ms?;
        if self.is_stuck(now_ms) || self.reported_ms.is_some_and(|at| now_ms - at < self.rearm_ms) {
            return None;
        }
        let first = self.reported_ms.is_none_or(|at| at < began_ms);
        self.reported_ms = Some(now_ms);
        Some(Detection::instant(EventKind::Pir, if first { began_ms } else { now_ms }))
    }

    /// Whether the module has reported motion for so long that it must be broken.
    #[must_use]
    pub fn is_stuck(&self, now_ms: u64) -> bool {
        self.high_since_ms.is_some_and(|since| now_ms - since >= STUCK_MS)
    }

    pub(crate) fn look_again_ms(&self) -> Option<u64> {
        let rearmed = self.high_since_ms.and(self.reported_ms).map(|at| at + self.rearm_ms);
        self.level.look_again_ms().into_iter().chain(rearmed).min()
    }
}

/// One or two beams; two tell the direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tripwire {
    left: Level,
    right: Level,
    /// The first beam of a pair: left or not, and when.
    first: Option<(bool, u64)>,
}

impl Tripwire {
    /// A detector with both beams clear.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a reading of both inputs. With a single beam fitted the other input stays clear, and each crossing is reported
    /// without direction when no second beam followed.
    pub fn read(&mut self, now_ms: u64, left: bool, right: bool) -> Option<Detection> {
        let edges =
            [self.left.rise(now_ms, left).map(|at| (true, at)), self.right.rise(now_ms, right).map(|at| (false, at))];
        let mut found = None;
        for (is_left, at_ms) in edges.into_iter().flatten() {
            found = match self.first.take() {
                Some((was_left, first_ms)) if was_left != is_left && at_ms.abs_diff(first_ms) <= BEAM_PAIR_MS => {
                    let left_first = if at_ms < first_ms { is_left } else { was_left };
                    let direction = match at_ms.cmp(&first_ms) {
                        core::cmp::Ordering::Equal => None,
                        _ if left_first => Some(Crossing::In),
                        _ => Some(Crossing::Out),
                    };
                    Some(Detection::instant(EventKind::Tripwire(direction), first_ms.min(at_ms)))
                }
                earlier => {
                    self.first = Some((is_left, at_ms));
                    earlier.map(|(_, at_ms)| Detection::instant(EventKind::Tripwire(None), at_ms)).or(found)
                }
            };
        }
        if found.is_some() {
            return found;
        }
        let (_, at_ms) = self.first.filter(|(_, at_ms)| now_ms - at_ms > BEAM_PAIR_MS)?;
        self.first = None;
        Some(Detection::instant(EventKind::Tripwire(None), at_ms))
    }

    pub(crate) fn look_again_ms(&self) -> Option<u64> {
        let pair = self.first.map(|(_, at_ms)| at_ms + BEAM_PAIR_MS + 1);
        [self.left.look_again_ms(), self.right.look_again_ms(), pair].into_iter().flatten().min()
    }
}

/// The housing's switch: one detection each time it opens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tamper {
    level: Level,
}

impl Tamper {
    /// A detector with the housing closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a reading of the switch.
    pub fn read(&mut self, now_ms: u64, open: bool) -> Option<Detection> {
        let at_ms = self.level.rise(now_ms, open)?;
        Some(Detection::instant(EventKind::Tamper(TamperCause::Opened), at_ms))
    }

    /// Whether the housing is open now.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.level.settled
    }

    pub(crate) fn look_again_ms(&self) -> Option<u64> {
        self.level.look_again_ms()
    }
}

//! Steps from single impulses: a train of impulses with the even cadence of somebody walking.

/// Shortest time between the steps of a walker, milliseconds.
const STEP_MIN_MS: u64 = 430;
/// Longest time between the steps of a walker, milliseconds.
const STEP_MAX_MS: u64 = 780;
/// How far an interval may be off the train's mean, as a divisor of the mean.
const TOLERANCE: u64 = 6;
/// Impulses that make a train.
const TRAIN: u8 = 6;
/// Impulses within [`BUSY_SPAN_MS`] that are reported without a cadence: several walkers, or a running animal.
const BUSY: usize = 10;
const BUSY_SPAN_MS: u64 = 5_000;

/// What the impulses so far add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// Nothing yet.
    None,
    /// Even steps since this time.
    Walking { since_ms: u64 },
    /// Many impulses without a cadence, since this time.
    Busy { since_ms: u64 },
}

/// The train of steps under way and the latest impulses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cadence {
    began_ms: u64,
    last_ms: u64,
    period_ms: u64,
    steps: u8,
    latest_ms: [Option<u64>; BUSY],
}

impl Cadence {
    pub(super) const fn new() -> Self {
        Self { began_ms: 0, last_ms: 0, period_ms: 0, steps: 0, latest_ms: [None; BUSY] }
    }

    /// Takes the time of an impulse's peak.
    pub(super) fn impulse(&mut self, at_ms: u64) -> Rhythm {
        self.latest_ms.rotate_left(1);
        self.latest_ms[BUSY - 1] = Some(at_ms);
        self.step(at_ms);
        if self.steps >= TRAIN {
            return Rhythm::Walking { since_ms: self.began_ms };
        }
        match self.latest_ms[0] {
            Some(since_ms) if at_ms - since_ms <= BUSY_SPAN_MS => Rhythm::Busy { since_ms },
            _ => Rhythm::None,
        }
    }

    fn step(&mut self, at_ms: u64) {
        let interval = at_ms.saturating_sub(self.last_ms);
        if self.steps == 0 || interval > 2 * STEP_MAX_MS {
            return self.begin(at_ms);
        }
        if interval < STEP_MIN_MS / 2 {
            // Heel and toe of one step, or its echo.
            return;
        }
        // A step may be missed: then the interval holds two.
        let strides = if interval > STEP_MAX_MS { 2 } else { 1 };
        let period = interval / strides;
        if !(STEP_MIN_MS..=STEP_MAX_MS).contains(&period) {
            return self.begin(at_ms);
        }
        if self.steps == 1 {
            self.period_ms = period;
        } else if period.abs_diff(self.period_ms) > self.period_ms / TOLERANCE {
            return self.begin(at_ms);
        }
        self.period_ms = (3 * self.period_ms + period) / 4;
        self.last_ms = at_ms;
        self.steps = self.steps.saturating_add(1);
    }

    fn begin(&mut self, at_ms: u64) {
        (self.began_ms, self.last_ms, self.steps) = (at_ms, at_ms, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(times_ms: &[u64]) -> Rhythm {
        let mut cadence = Cadence::new();
        times_ms.iter().fold(Rhythm::None, |_, &at_ms| cadence.impulse(at_ms))
    }

    #[test]
    fn even_steps_are_a_walker_from_the_sixth_on() {
        assert_eq!(last(&[1000, 1560, 2130, 2690, 3240]), Rhythm::None);
        assert_eq!(last(&[1000, 1560, 2130, 2690, 3240, 3800]), Rhythm::Walking { since_ms: 1000 });
    }

    #[test]
    fn one_missed_step_and_an_echo_do_not_end_a_train() {
        let steps = [1000, 1560, 1640, 2130, 3240, 3800, 4360];
        assert_eq!(last(&steps), Rhythm::Walking { since_ms: 1000 });
    }

    #[test]
    fn uneven_impulses_are_no_walker() {
        assert_eq!(last(&[1000, 1500, 2250, 2700, 3450, 3900, 4650]), Rhythm::None);
        assert_eq!(last(&[1000, 3000, 5000, 7000, 9000, 11_000]), Rhythm::None);
    }

    #[test]
    fn many_impulses_without_cadence_are_reported_as_such() {
        let uneven = [1000, 1300, 1500, 2250, 2400, 2900, 3500, 3700, 4000, 4350];
        assert_eq!(last(&uneven), Rhythm::Busy { since_ms: 1000 });
    }
}

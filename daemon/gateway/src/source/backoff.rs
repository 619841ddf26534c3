//! Waiting times between attempts: doubling, bounded, and spread so that many gateways do not come back at once.

use std::time::Duration;

use vedette_engine::digest::fnv1a;

/// First and longest waiting time.
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);

/// The waiting times of one device or connection.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    spread: u64,
}

impl Backoff {
    /// Waiting times spread by the name of what is waited for, which differs between gateways.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { next: FIRST, spread: fnv1a(name) }
    }

    /// How long to wait before the next attempt: between three quarters of the step and all of it.
    pub fn pause(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(LONGEST);
        // xorshift64
        self.spread ^= self.spread << 13;
        self.spread ^= self.spread >> 7;
        self.spread ^= self.spread << 17;
        let share = u32::try_from(self.spread % 1024).unwrap_or(0);
        step - step / 4 * share / 1024
    }

    /// The device or connection works: the next failure waits shortly again.
    pub fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_start_again() {
        let mut backoff = Backoff::new("gateway-1");
        let pauses: Vec<_> = (0..12).map(|_| backoff.pause()).collect();
        assert!(pauses[0] <= FIRST && pauses[0] >= FIRST * 3 / 4);
        assert!(pauses[11] <= LONGEST && pauses[11] >= LONGEST * 3 / 4);
        assert!(pauses.windows(2).take(6).all(|pair| pair[0] < pair[1]));
        backoff.reset();
        assert!(backoff.pause() <= FIRST);
    }
}

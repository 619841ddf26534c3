//! When to send: byte budget, window, retry timer, back-off between connections.

use vedette_engine::Timestamp;

/// Byte budget of a slow line. Each message is paid after it was allowed: the budget may run into debt by one message,
/// so that none is too long to be sent at all.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    bytes_per_s: Option<f64>,
    /// Bytes that may be sent now; negative: in debt.
    left: f64,
    at: Timestamp,
}

/// MQTT header and properties, TLS record, TCP and IP headers: what a message costs beside topic and payload.
const OVERHEAD_BYTES: usize = 100;

impl Budget {
    pub(crate) fn new(rate_limit_bps: Option<u32>) -> Self {
        let bytes_per_s = rate_limit_bps.filter(|&bps| bps > 0).map(|bps| f64::from(bps) / 8.0);
        Self { bytes_per_s, left: 0.0, at: Timestamp::MIN }
    }

    pub(crate) fn allows(&mut self, now: Timestamp) -> bool {
        let Some(rate) = self.bytes_per_s else { return true };
        if now > self.at {
            // One second's worth is the most that is saved: what is already in the line delays what is urgent.
            self.left = (self.left + now.seconds_since(self.at).min(3600.0) * rate).min(rate);
            self.at = now;
        }
        self.left > 0.0
    }

    pub(crate) fn pay(&mut self, topic: &str, payload: &[u8], properties: &[(String, String)]) {
        if self.bytes_per_s.is_some() {
            let properties: usize = properties.iter().map(|(key, value)| key.len() + value.len() + 5).sum();
            #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
            let cost = (topic.len() + payload.len() + properties + OVERHEAD_BYTES) as f64;
            self.left -= cost;
        }
    }

    /// When the debt is paid.
    pub(crate) fn allowed_at(&self) -> Option<Timestamp> {
        let rate = self.bytes_per_s?;
        (self.left <= 0.0).then(|| self.at.plus_seconds(-self.left / rate + 1e-3))
    }
}

/// How many rows may be on their way, and when those are sent again. Everything here moves on acknowledgements of the
/// centre only: traffic of any other kind proves nothing about delivery.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    max_window: usize,
    window: usize,
    retry_min_s: f64,
    retry_max_s: f64,
    retry_s: f64,
    since: Timestamp,
}

impl Pace {
    /// A slow line shall not be filled before it is known to be fast.
    const FIRST_WINDOW: usize = 4;

    pub(crate) fn new(max_window: usize, retry_min_s: f64, retry_max_s: f64) -> Self {
        let max_window = max_window.max(1);
        Self {
            max_window,
            window: max_window.min(Self::FIRST_WINDOW),
            retry_min_s,
            retry_max_s,
            retry_s: retry_min_s,
            since: Timestamp::MIN,
        }
    }

    pub(crate) fn reset(&mut self, now: Timestamp) {
        *self = Self { since: now, ..Self::new(self.max_window, self.retry_min_s, self.retry_max_s) };
    }

    pub(crate) const fn window(&self) -> usize {
        self.window
    }

    /// The first row after a time without any is on its way.
    pub(crate) const fn started(&mut self, now: Timestamp) {
        self.since = now;
    }

    /// Acknowledgements advanced by `rows`, the slowest of which took `took_s`.
    pub(crate) fn advanced(&mut self, now: Timestamp, rows: usize, took_s: f64) {
        self.since = now;
        self.retry_s = self.retry_min_s;
        self.window = if took_s > self.retry_min_s / 2.0 {
            (self.window / 2).max(1)
        } else {
            (self.window + rows).min(self.max_window)
        };
    }

    pub(crate) fn retry_at(&self) -> Timestamp {
        self.since.plus_seconds(self.retry_s)
    }

    pub(crate) const fn retry_s(&self) -> f64 {
        self.retry_s
    }

    /// Nothing was acknowledged in time.
    pub(crate) fn timed_out(&mut self, now: Timestamp) {
        self.since = now;
        self.retry_s = (self.retry_s * 2.0).min(self.retry_max_s);
        self.window = (self.window / 4).max(1);
    }
}

/// Waiting times between connections: doubling, with jitter, so that gateways do not come back all at once.
#[derive(Clone, Debug)]
pub struct Backoff {
    min_s: f64,
    max_s: f64,
    next_s: f64,
    state: u64,
}

impl Backoff {
    /// Waits between `min_s` and `max_s`; the seed makes the jitter, different for every gateway and start.
    #[must_use]
    pub const fn new(min_s: f64, max_s: f64, seed: u64) -> Self {
        Self { min_s, max_s, next_s: min_s, state: seed }
    }

    /// All is well: the next wait is short again.
    pub const fn reset(&mut self) {
        self.next_s = self.min_s;
    }

    /// Between half and all of the current step.
    pub fn wait_s(&mut self) -> f64 {
        let step = self.next_s;
        self.next_s = (self.next_s * 2.0).min(self.max_s);
        step * (0.5 + 0.5 * self.fraction())
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), as a fraction of one.
    fn fraction(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let fraction = (z >> 11) as f64 / (1_u64 << 53) as f64;
        fraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_holds_over_a_long_time() {
        let mut budget = Budget::new(Some(9_600));
        let (mut now, mut bytes) = (Timestamp::from_seconds(0), 0);
        while now < Timestamp::from_seconds(600) {
            if budget.allows(now) {
                budget.pay("t", &[0; 899], &[]);
                bytes += 1000;
            }
            now = budget.allowed_at().unwrap_or(now.plus_seconds(0.01)).max(now.plus_micros(1));
        }
        assert!((719_000..=722_500).contains(&bytes), "{bytes} bytes in 600 s at 1,200 bytes a second");
    }

    #[test]
    fn waiting_times_double_with_jitter_up_to_the_limit() {
        let mut backoff = Backoff::new(1.0, 60.0, 1);
        let waits: Vec<f64> = (0..9).map(|_| backoff.wait_s()).collect();
        for (n, wait) in waits.iter().enumerate() {
            let step = f64::from(1_u32 << n).min(60.0);
            assert!((step / 2.0..=step).contains(wait), "{n}: {wait}");
        }
        let mut other = Backoff::new(1.0, 60.0, 2);
        assert_ne!(waits, (0..9).map(|_| other.wait_s()).collect::<Vec<_>>());
    }
}

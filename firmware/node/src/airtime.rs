//! How much of its time a sender may be on the air.

/// The airtime a sender may use: a bucket that holds an hour's allowance and fills evenly.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    duty_permille: u32,
    left_us: u64,
    filled_at_ms: u64,
}

impl Budget {
    /// A full bucket.
    #[must_use]
    pub const fn new(duty_permille: u16, now_ms: u64) -> Self {
        let duty_permille = duty_permille as u32;
        Self { duty_permille, left_us: Self::allowance_us(duty_permille), filled_at_ms: now_ms }
    }

    const fn allowance_us(duty_permille: u32) -> u64 {
        duty_permille as u64 * 3_600_000
    }

    fn fill(&mut self, now_ms: u64) {
        // One per mille of a millisecond is a microsecond.
        let gained = now_ms.saturating_sub(self.filled_at_ms) * u64::from(self.duty_permille);
        self.left_us = self.left_us.saturating_add(gained).min(Self::allowance_us(self.duty_permille));
        self.filled_at_ms = self.filled_at_ms.max(now_ms);
    }

    /// Takes `cost_us` out, or tells when there will be enough.
    ///
    /// # Errors
    /// The time, in milliseconds, from which the same call succeeds.
    pub fn take(&mut self, now_ms: u64, cost_us: u64) -> Result<(), u64> {
        self.fill(now_ms);
        match self.left_us.checked_sub(cost_us) {
            Some(left) => {
                self.left_us = left;
                Ok(())
            }
            None => Err(now_ms + (cost_us - self.left_us).div_ceil(u64::from(self.duty_permille.max(1)))),
        }
    }

    /// Share of the allowance that is used, per cent.
    pub fn used_percent(&mut self, now_ms: u64) -> u8 {
        self.fill(now_ms);
        let allowance = Self::allowance_us(self.duty_permille).max(1);
        (100 - self.left_us * 100 / allowance) as u8
    }
}

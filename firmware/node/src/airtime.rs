//! How long a frame takes on the air, and how much of that the duty cycle leaves.

/// LoRa settings that decide a frame's time on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoRa {
    /// Spreading factor, 7 to 12.
    pub spreading_factor: u8,
    /// Bandwidth, kilohertz: 125, 250 or 500.
    pub bandwidth_khz: u16,
}

/// Symbols of the preamble that are ours to choose.
const PREAMBLE_SYMBOLS: u64 = 8;
/// Coding rate 4/5.
const CODED_BITS: u64 = 5;

impl LoRa {
    /// Time on the air of a frame of `len` bytes, with explicit header and checksum, microseconds
    /// (Semtech AN1200.13, "LoRa Modem Designer's Guide", section 4).
    #[must_use]
    pub const fn airtime_us(&self, len: usize) -> u64 {
        let factor = if self.spreading_factor < 7 { 7 } else { self.spreading_factor as u64 };
        let symbol_us = (1000 << factor) / self.bandwidth_khz as u64;
        // Symbols longer than 16 ms are sent with the low data rate optimisation.
        let optimised = if symbol_us > 16_000 { 2 } else { 0 };
        let bits = (8 * len as u64 + 28 + 16).saturating_sub(4 * factor);
        let payload = 8 + bits.div_ceil(4 * (factor - optimised)) * CODED_BITS;
        // The preamble is four and a quarter symbols longer than chosen.
        ((PREAMBLE_SYMBOLS + payload) * 4 + 17) * symbol_us / 4
    }
}

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

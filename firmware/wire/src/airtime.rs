//! How long a frame takes on the air.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn airtime_is_that_of_the_calculator() {
        let airtime_us = |spreading_factor, len| LoRa { spreading_factor, bandwidth_khz: 125 }.airtime_us(len);
        // Values of Semtech's airtime calculator: 8 symbols of preamble, explicit header, checksum, coding rate 4/5.
        assert_eq!(airtime_us(7, 24), 61_696);
        assert_eq!(airtime_us(9, 24), 205_824);
        assert_eq!(airtime_us(12, 24), 1_482_752);
        assert_eq!(airtime_us(7, 51), 102_656);
    }
}

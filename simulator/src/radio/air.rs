//! The shared channel: how long a frame takes, and what overlaps.

use vedette_wire::{HEADER_LEN, LoRa, PayloadBytes, TAG_LEN};

use crate::random::Random;

/// A frame survives an overlap when it is this much stronger: the capture effect of LoRa
/// (Bor et al. 2016, "Do LoRa low-power wide-area networks scale?", section 3.2).
const CAPTURE_DB: i16 = 6;

/// Settings of the channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AirOptions {
    /// Settings that decide how long a frame takes.
    pub lora: LoRa,
    /// Number of channels that nodes choose from at random.
    pub channels: usize,
    /// Probability that a frame is lost for other reasons than an overlap; in both directions.
    pub loss: f64,
    /// Greatest share of time on the air (ETSI EN 300 220: 1 % in the band 868.0 to 868.6 MHz).
    pub duty: f64,
}

impl Default for AirOptions {
    fn default() -> Self {
        Self { lora: LoRa { spreading_factor: 7, bandwidth_khz: 125 }, channels: 3, loss: 0.03, duty: 0.01 }
    }
}

/// A frame on the air.
#[derive(Clone, Debug)]
pub(super) struct Transmission {
    pub(super) node: usize,
    pub(super) counter: u32,
    pub(super) payload: PayloadBytes,
    pub(super) rssi_dbm: i16,
    pub(super) end_s: f64,
    pub(super) collided: bool,
    channel: usize,
}

impl Transmission {
    pub(super) fn new(node: usize, counter: u32, payload: PayloadBytes, rssi_dbm: i16) -> Self {
        Self { node, counter, payload, rssi_dbm, end_s: 0.0, collided: false, channel: 0 }
    }
}

/// The frames that are on the air now.
#[derive(Debug)]
pub(super) struct Air {
    options: AirOptions,
    on_air: Vec<Transmission>,
}

impl Air {
    pub(super) fn new(options: AirOptions) -> Self {
        Self { options, on_air: Vec::new() }
    }

    pub(super) fn options(&self) -> &AirOptions {
        &self.options
    }

    /// Puts a frame on the air and says how long it takes.
    pub(super) fn begin(&mut self, now_s: f64, mut frame: Transmission, random: &mut Random) -> f64 {
        let airtime_us = self.options.lora.airtime_us(HEADER_LEN + frame.payload.len() + TAG_LEN);
        #[expect(clippy::cast_precision_loss, reason = "a frame takes seconds")]
        let airtime_s = airtime_us as f64 / 1e6;
        frame.end_s = now_s + airtime_s;
        frame.channel = random.below(self.options.channels.max(1));
        for other in self.on_air.iter_mut().filter(|other| other.channel == frame.channel) {
            let stronger_db = frame.rssi_dbm - other.rssi_dbm;
            other.collided |= stronger_db > -CAPTURE_DB;
            frame.collided |= stronger_db < CAPTURE_DB;
        }
        self.on_air.push(frame);
        airtime_s
    }

    pub(super) fn next_end_s(&self) -> f64 {
        self.on_air.iter().map(|frame| frame.end_s).fold(f64::INFINITY, f64::min)
    }

    /// Takes one frame off the air that has ended by now.
    pub(super) fn end(&mut self, now_s: f64) -> Option<Transmission> {
        let index = self.on_air.iter().position(|frame| frame.end_s <= now_s)?;
        Some(self.on_air.swap_remove(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_frames_only_a_much_stronger_one_survives() {
        let mut random = Random::stream(1, "air");
        for (first_dbm, second_dbm, lost) in
            [(-100, -100, [true, true]), (-100, -90, [true, false]), (-90, -100, [false, true])]
        {
            let mut air = Air::new(AirOptions { channels: 1, ..AirOptions::default() });
            air.begin(0.0, Transmission::new(0, 0, PayloadBytes::new(), first_dbm), &mut random);
            air.begin(0.01, Transmission::new(1, 0, PayloadBytes::new(), second_dbm), &mut random);
            let ended = [air.end(9.0), air.end(9.0)].map(Option::unwrap);
            for frame in ended {
                assert_eq!(frame.collided, lost[frame.node], "{first_dbm} and {second_dbm} dBm");
            }
        }
    }
}

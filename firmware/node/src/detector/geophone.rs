//! The geophone chain: band-pass, energy against an adaptive floor, then steps by cadence and vehicles by spectrum.
//!
//! The floor follows the median of the short-time level at up to 3 dB a second. Wind raises and lowers it; a step lasts a tenth
//! of a second each half second and hardly moves a median. So impulses are judged against the wind of the moment.

use vedette_wire::payload::{EventKind, GroundSource};

use super::Detection;
use super::cadence::{Cadence, Rhythm};
use super::filter::BandPass;
use super::spectrum::{Line, Spectrum};

/// Samples per second the chain expects.
pub const SAMPLE_RATE_HZ: u32 = 500;

/// Where steps are sought: walking shakes the ground at 20 to 90 Hz, wind mostly below.
const STEP_LOW_HZ: f32 = 16.0;
const STEP_HIGH_HZ: f32 = 70.0;
/// Samples of an energy block: 10 ms.
const BLOCK: usize = 5;
const BLOCK_MS: u64 = 10;
/// Share of the newest block in the short-time level: 40 ms.
const SHORT_TIME: f32 = 0.25;
/// Step of the floor for each block, in octaves of power: 3 dB a second.
const FLOOR_STEP: f32 = 0.01;
/// Least power, squared counts: below that the converter's own noise rules.
const LEAST_POWER: f32 = 0.1;
/// An impulse begins this far above the floor, octaves of power (6.6 dB): noise alone gets there about once in ten seconds, and a train
/// of even steps takes six.
const IMPULSE_ON: f32 = 2.2;
/// And ends here (3 dB), or this far below its peak (5 dB): close by, the ground rings longer than a step takes.
const IMPULSE_OFF: f32 = 1.0;
const IMPULSE_FALL: f32 = 1.6;
/// A step's impulse is not longer than this, blocks.
const IMPULSE_MAX_BLOCKS: u16 = 30;
/// Blocks until the floor has settled after the start: 10 s.
const WARM_UP_BLOCKS: u32 = 1000;
/// Identical samples in a row that mean a broken input: 10 s.
const STUCK_SAMPLES: u32 = 5000;

/// An impulse under way, or the wait for the next.
#[derive(Clone, Copy, Debug)]
enum Impulse {
    /// None; the next begins this far above the lowest level since the last.
    Waiting { trough: f32 },
    /// One.
    Rising { blocks: u16, peak: f32, peak_ms: u64 },
}

/// The detector chain of one geophone.
#[derive(Clone, Copy, Debug)]
pub struct Geophone {
    rearm_ms: u64,
    band_pass: BandPass,
    /// Steps again, narrower: between wind below and the converter's noise above.
    step_band: BandPass,
    spectrum: Spectrum,
    cadence: Cadence,
    /// Band-passed sample that waits for its neighbour: the spectrum runs at half the rate.
    half: Option<f32>,
    power_sum: f32,
    in_block: usize,
    blocks: u32,
    level: f32,
    /// Octaves of power.
    floor: f32,
    impulse: Impulse,
    reported_ms: [Option<u64>; 3],
    last_sample: i16,
    same_samples: u32,
}

impl Geophone {
    /// A chain that reports each kind of source at most once each `rearm_ms` while it lasts.
    #[must_use]
    pub fn new(rearm_ms: u64) -> Self {
        let rate_hz = SAMPLE_RATE_HZ as f32;
        Self {
            rearm_ms,
            band_pass: BandPass::new(8.0, 100.0, rate_hz),
            step_band: BandPass::new(STEP_LOW_HZ, STEP_HIGH_HZ, rate_hz),
            spectrum: Spectrum::new(rate_hz / 2.0),
            cadence: Cadence::new(),
            half: None,
            power_sum: 0.0,
            in_block: 0,
            blocks: 0,
            level: LEAST_POWER,
            floor: libm::log2f(LEAST_POWER),
            impulse: Impulse::Waiting { trough: 0.0 },
            reported_ms: [None; 3],
            last_sample: 0,
            same_samples: 0,
        }
    }

    /// Takes one sample in converter counts, taken at `now_ms`.
    pub fn sample(&mut self, now_ms: u64, counts: i16) -> Option<Detection> {
        self.same_samples = if counts == self.last_sample { self.same_samples.saturating_add(1) } else { 0 };
        self.last_sample = counts;
        let y = self.band_pass.filter(counts.into());
        let step = self.step_band.filter(y);
        self.power_sum += step * step;
        self.in_block += 1;
        let line = if let Some(before) = self.half.take() {
            self.spectrum.sample((before + y) / 2.0)
        } else {
            self.half = Some(y);
            None
        };
        let vehicle = line.and_then(|line| self.vehicle(now_ms, line));
        if self.in_block < BLOCK {
            return vehicle;
        }
        let power = self.power_sum / BLOCK as f32;
        (self.power_sum, self.in_block) = (0.0, 0);
        vehicle.or_else(|| self.block(now_ms, power))
    }

    /// Whether the input has not moved for so long that it must be broken.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        self.same_samples >= STUCK_SAMPLES
    }

    /// The floor as it stands, decibels over one squared count.
    #[must_use]
    pub fn floor_db(&self) -> f32 {
        self.floor * 3.010_3
    }

    fn block(&mut self, now_ms: u64, power: f32) -> Option<Detection> {
        self.level += SHORT_TIME * (power - self.level);
        let level = libm::log2f(self.level.max(LEAST_POWER));
        self.blocks = self.blocks.saturating_add(1);
        if self.blocks <= WARM_UP_BLOCKS {
            // Ten times as fast, to be there when the warm-up ends.
            self.move_floor(level, 10.0 * FLOOR_STEP);
            return None;
        }
        self.move_floor(level, FLOOR_STEP);
        let above = level - self.floor;
        match self.impulse {
            Impulse::Waiting { trough } if above > IMPULSE_ON && above > trough + IMPULSE_FALL => {
                self.impulse = Impulse::Rising { blocks: 1, peak: above, peak_ms: now_ms };
                None
            }
            Impulse::Waiting { trough } => {
                self.impulse = Impulse::Waiting { trough: trough.min(above) };
                None
            }
            Impulse::Rising { blocks, peak, peak_ms } if above > IMPULSE_OFF && above > peak - IMPULSE_FALL => {
                let (peak, peak_ms) = if above > peak { (above, now_ms) } else { (peak, peak_ms) };
                self.impulse = Impulse::Rising { blocks: blocks.saturating_add(1), peak, peak_ms };
                None
            }
            Impulse::Rising { blocks, peak, peak_ms } => {
                self.impulse = Impulse::Waiting { trough: above };
                if blocks <= IMPULSE_MAX_BLOCKS { self.step(now_ms, peak_ms, peak) } else { None }
            }
        }
    }

    fn move_floor(&mut self, level: f32, step: f32) {
        self.floor += if level > self.floor { step } else { -step };
    }

    fn step(&mut self, now_ms: u64, peak_ms: u64, peak: f32) -> Option<Detection> {
        let (source, since_ms) = match self.cadence.impulse(peak_ms) {
            Rhythm::None => return None,
            Rhythm::Walking { since_ms } => (GroundSource::Footsteps, since_ms),
            Rhythm::Busy { since_ms } => (GroundSource::Unclassified, since_ms),
        };
        self.report(now_ms, source, since_ms, peak)
    }

    fn vehicle(&mut self, now_ms: u64, line: Line) -> Option<Detection> {
        if self.blocks <= WARM_UP_BLOCKS {
            return None;
        }
        let windows_ms = u64::from(line.windows) * 1000;
        self.report(now_ms, GroundSource::Vehicle, now_ms.saturating_sub(windows_ms), libm::log2f(line.ratio))
    }

    /// A detection, unless this source was reported within the re-arm time. The first one tells since when; later ones are
    /// about the time since the one before.
    fn report(&mut self, now_ms: u64, source: GroundSource, since_ms: u64, octaves: f32) -> Option<Detection> {
        let reported = &mut self.reported_ms[match source {
            GroundSource::Unclassified => 0,
            GroundSource::Footsteps => 1,
            GroundSource::Vehicle => 2,
        }];
        if reported.is_some_and(|at_ms| now_ms - at_ms < self.rearm_ms) {
            return None;
        }
        let began_ms = since_ms.max(reported.unwrap_or(0)).max(now_ms.saturating_sub(self.rearm_ms));
        *reported = Some(now_ms);
        Some(Detection {
            kind: EventKind::Seismic(source),
            began_ms,
            duration_ms: now_ms - began_ms,
            // An octave of power is 3.01 dB. The cast saturates.
            strength_half_db: (octaves * 6.02) as u8,
        })
    }

    /// Milliseconds from a sample to the end of its block, at most.
    pub const LATENCY_MS: u64 = BLOCK_MS;
}

//! Ground motion at a geophone: steps, a vehicle, wind and the site's own noise, as converter counts at 500 Hz.
//!
//! A step is a burst of a damped oscillation, heel then toe; its amplitude falls with distance by spreading and absorption
//! (Succi et al. 2000, "Problems in seismic detection and tracking", report exponents about 1 and absorption over tens of
//! metres for steps on soil). A vehicle is an engine line with its second harmonic and rolling noise. Wind comes in gusts, shakes
//! mostly below the band of steps, and throws twigs. One count is 10 nm/s.

use crate::random::Random;

/// Samples per second.
pub const SAMPLE_RATE_HZ: f64 = 500.0;

/// A step's peak at one metre, counts (80 um/s).
const STEP_COUNTS: f64 = 8_000.0;
const STEP_SPREADING: f64 = 1.2;
const STEP_ABSORPTION_M: f64 = 60.0;
/// A light vehicle at ten metres, counts (10 um/s).
const VEHICLE_COUNTS: f64 = 1_000.0;
const VEHICLE_ABSORPTION_M: f64 = 300.0;
/// The site without wind, root mean square in counts.
const QUIET_COUNTS: f64 = 6.0;
/// Speed of surface waves in soil.
const WAVE_MPS: f64 = 150.0;
/// Bursts that are heard now or will be; more displace the oldest.
const MAX_BURSTS: usize = 256;
/// A burst is over after so many of its decay times.
const BURST_DECAYS: f64 = 8.0;

#[derive(Clone, Copy, Debug)]
struct Burst {
    at_s: f64,
    counts: f64,
    hz: f64,
    decay_s: f64,
}

impl Burst {
    fn value(&self, at_s: f64) -> f64 {
        let since_s = at_s - self.at_s;
        if !(0.0..BURST_DECAYS * self.decay_s).contains(&since_s) {
            return 0.0;
        }
        self.counts * libm::exp(-since_s / self.decay_s) * libm::sin(core::f64::consts::TAU * self.hz * since_s)
    }
}

/// The ground under one geophone.
#[derive(Clone, Debug)]
pub struct Ground {
    random: Random,
    wind_mps: f64,
    samples: u64,
    bursts: Vec<Burst>,
    vehicle_range_m: Option<f64>,
    engine_hz: f64,
    engine_phase: f64,
    /// Logarithm of the gust factor, a slow random walk around zero.
    gust: f64,
    /// Low-passed noise of the wind.
    sway: f64,
}

impl Ground {
    /// Ground with a steady mean wind.
    #[must_use]
    pub fn new(seed: u64, label: &str, wind_mps: f64) -> Self {
        Self {
            random: Random::stream(seed, label),
            wind_mps,
            samples: 0,
            bursts: Vec::new(),
            vehicle_range_m: None,
            engine_hz: 33.0,
            engine_phase: 0.0,
            gust: 0.0,
            sway: 0.0,
        }
    }

    /// Time of the next sample, seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact for 500,000 years")]
    pub fn now_s(&self) -> f64 {
        self.samples as f64 / SAMPLE_RATE_HZ
    }

    /// Somebody sets a foot down at this time and distance.
    pub fn step(&mut self, at_s: f64, range_m: f64) {
        let range_m = range_m.max(1.0);
        let level = STEP_COUNTS * libm::pow(range_m, -STEP_SPREADING) * libm::exp(-range_m / STEP_ABSORPTION_M);
        // Feet come down differently: 2 dB.
        let counts = level * libm::pow(10.0, 0.1 * self.random.normal());
        let hz = self.random.uniform(22.0, 38.0);
        let at_s = at_s + range_m / WAVE_MPS;
        self.burst(Burst { at_s, counts, hz, decay_s: 0.025 });
        let toe_s = at_s + self.random.uniform(0.09, 0.14);
        self.burst(Burst { at_s: toe_s, counts: 0.4 * counts, hz, decay_s: 0.025 });
    }

    /// Where the vehicle is from now on; `None` for nowhere near.
    pub fn vehicle(&mut self, range_m: Option<f64>) {
        self.vehicle_range_m = range_m;
    }

    fn burst(&mut self, burst: Burst) {
        if self.bursts.len() == MAX_BURSTS {
            self.bursts.remove(0);
        }
        self.bursts.push(burst);
    }

    /// The next sample.
    pub fn sample(&mut self) -> i16 {
        let now_s = self.now_s();
        self.samples += 1;
        let mut counts = QUIET_COUNTS * self.random.normal() + self.wind(now_s) + self.engine();
        counts += self.bursts.iter().map(|burst| burst.value(now_s)).sum::<f64>();
        if self.samples.is_multiple_of(64) {
            self.bursts.retain(|burst| now_s - burst.at_s < BURST_DECAYS * burst.decay_s);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the converter saturates, too")]
        {
            libm::round(counts) as i16
        }
    }

    fn wind(&mut self, now_s: f64) -> f64 {
        if self.wind_mps <= 0.0 {
            return 0.0;
        }
        // Drag goes with the square of the speed; gusts of 3 dB come and go in about ten seconds.
        let relaxation = 1.0 / (10.0 * SAMPLE_RATE_HZ);
        self.gust += -relaxation * self.gust + 0.35 * libm::sqrt(2.0 * relaxation) * self.random.normal();
        let level = 10.0 * (self.wind_mps / 5.0) * (self.wind_mps / 5.0) * libm::exp(self.gust);
        // A pole at 4 Hz: five times the level below the band of steps.
        let pole = libm::exp(-core::f64::consts::TAU * 4.0 / SAMPLE_RATE_HZ);
        self.sway = pole * self.sway + libm::sqrt(1.0 - pole * pole) * 5.0 * self.random.normal();
        let twigs_per_s = 0.015 * self.wind_mps * self.wind_mps / 25.0 * self.wind_mps / 5.0;
        if self.random.chance(twigs_per_s / SAMPLE_RATE_HZ) {
            let counts = 8.0 * level * libm::pow(10.0, 0.2 * self.random.normal());
            let hz = self.random.uniform(15.0, 60.0);
            self.burst(Burst { at_s: now_s, counts, hz, decay_s: 0.03 });
        }
        level * (self.sway + self.random.normal())
    }

    fn engine(&mut self) -> f64 {
        let Some(range_m) = self.vehicle_range_m else { return 0.0 };
        // Revolutions wander by a few per cent over a minute.
        self.engine_hz += 0.002 * self.random.normal() + 2e-5 * (33.0 - self.engine_hz);
        self.engine_phase = libm::fmod(self.engine_phase + self.engine_hz / SAMPLE_RATE_HZ, 1.0);
        let range_m = range_m.max(3.0);
        let level = VEHICLE_COUNTS * 10.0 / range_m * libm::exp(-range_m / VEHICLE_ABSORPTION_M);
        let angle = core::f64::consts::TAU * self.engine_phase;
        level * (libm::sin(angle) + 0.3 * libm::sin(2.0 * angle) + 0.5 * self.random.normal())
    }
}

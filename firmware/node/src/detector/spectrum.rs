//! Vehicles by their spectrum: engine and wheels make lines that stay put, wind and steps do not.

use core::f32::consts::PI;

/// Lowest frequency of the bank, hertz.
const FIRST_HZ: f32 = 12.0;
/// Spacing of the bank, hertz; the window of half a second to a second resolves it.
const SPACING_HZ: f32 = 2.0;
const BINS: usize = 30;
/// Samples of a window.
const WINDOW: usize = 250;
/// Share of the newest window in the averaged spectrum.
const SMOOTHING: f32 = 0.3;
/// Share of the newest window in the background of each bin: lines older than minutes, such as mains hum, belong to it.
const BACKGROUND: f32 = 1.0 / 240.0;
/// Windows until the background is known.
const WARM_UP: u16 = 60;
/// A line stands out by this power ratio (9 dB).
const LINE_RATIO: f32 = 8.0;
/// Windows in a row with the line in place.
const PERSISTENCE: u8 = 4;
/// Bins at this distance on both sides are a line's surroundings: a step's resonance is broader than that.
const SURROUNDINGS: [usize; 2] = [3, 4];

/// A vehicle's line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    /// Power over the surroundings.
    pub(super) ratio: f32,
    /// Windows in a row it has been there.
    pub(super) windows: u8,
}

/// A bank of Goertzel filters over successive windows of the band-passed, halved-rate signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spectrum {
    coefficients: [f32; BINS],
    states: [[f32; 2]; BINS],
    samples: usize,
    /// Cosine and sine of the place in the window, and of one step.
    hann: (f32, f32),
    hann_step: (f32, f32),
    average: [f32; BINS],
    background: [f32; BINS],
    windows_seen: u16,
    line_bin: usize,
    persistence: u8,
}

impl Spectrum {
    pub(super) fn new(rate_hz: f32) -> Self {
        let coefficient = |bin: usize| 2.0 * libm::cosf(2.0 * PI * (FIRST_HZ + SPACING_HZ * bin as f32) / rate_hz);
        Self {
            coefficients: core::array::from_fn(coefficient),
            states: [[0.0; 2]; BINS],
            samples: 0,
            hann: (1.0, 0.0),
            hann_step: (libm::cosf(2.0 * PI / WINDOW as f32), libm::sinf(2.0 * PI / WINDOW as f32)),
            average: [0.0; BINS],
            background: [0.0; BINS],
            windows_seen: 0,
            line_bin: 0,
            persistence: 0,
        }
    }

    /// Takes a sample; at the end of a window tells the line that has stayed in place long enough.
    pub(super) fn sample(&mut self, x: f32) -> Option<Line> {
        // A Hann window keeps a strong line out of its surroundings.
        let weight = 0.5 - 0.5 * self.hann.0;
        self.hann = turn(self.hann, self.hann_step);
        for (coefficient, [s1, s2]) in self.coefficients.iter().zip(&mut self.states) {
            let s0 = weight * x + coefficient * *s1 - *s2;
            (*s2, *s1) = (*s1, s0);
        }
        self.samples += 1;
        if self.samples < WINDOW {
            return None;
        }
        (self.samples, self.hann) = (0, (1.0, 0.0));
        self.end_window();
        self.judge()
    }

    fn end_window(&mut self) {
        let first = self.windows_seen == 0;
        self.windows_seen = self.windows_seen.saturating_add(1);
        for (bin, [s1, s2]) in self.states.iter_mut().enumerate() {
            let power = *s1 * *s1 + *s2 * *s2 - self.coefficients[bin] * *s1 * *s2;
            let (average, background) = (&mut self.average[bin], &mut self.background[bin]);
            *average += (power - *average) * if first { 1.0 } else { SMOOTHING };
            // The mean over all windows so far, until that is longer than the memory.
            let share = (1.0 / f32::from(self.windows_seen)).max(BACKGROUND);
            *background += (power - *background) * share;
            (*s1, *s2) = (0.0, 0.0);
        }
    }

    fn judge(&mut self) -> Option<Line> {
        if self.windows_seen < WARM_UP {
            return None;
        }
        let contrast = |bin: usize| {
            let sides = SURROUNDINGS.iter().flat_map(|&away| [bin.checked_sub(away), Some(bin + away)]);
            let sides = sides.flatten().filter_map(|bin| self.average.get(bin));
            let (sum, count) = sides.fold((0.0, 0.0), |(sum, count), power| (sum + power, count + 1.0));
            // The background is this bin's own; the vehicle itself has been in it for a while, so a part of it counts.
            let floor = (sum / count).max(0.5 * self.background[bin]).max(f32::MIN_POSITIVE);
            self.average[bin] / floor
        };
        let (bin, ratio) =
            (0..BINS).map(|bin| (bin, contrast(bin))).max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or((0, 0.0));
        if ratio < LINE_RATIO {
            self.persistence = 0;
            return None;
        }
        let stays = bin.abs_diff(self.line_bin) <= 1;
        self.persistence = if stays { self.persistence.saturating_add(1) } else { 1 };
        self.line_bin = bin;
        (self.persistence >= PERSISTENCE).then_some(Line { ratio, windows: self.persistence })
    }
}

/// Adds two angles given by cosine and sine: four products instead of a cosine for each sample.
fn turn((cos, sin): (f32, f32), (step_cos, step_sin): (f32, f32)) -> (f32, f32) {
    (cos * step_cos - sin * step_sin, sin * step_cos + cos * step_sin)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: f32 = 250.0;

    /// Reproducible noise, uniform in -1 to 1.
    struct Noise(u32);

    impl Noise {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) as f32 / 8_388_608.0 - 1.0
        }
    }

    fn lines(seconds: usize, signal: impl Fn(f32) -> f32) -> usize {
        let (mut spectrum, mut noise) = (Spectrum::new(RATE_HZ), Noise(7));
        let samples = seconds * 250;
        (0..samples).filter(|&index| spectrum.sample(signal(index as f32 / RATE_HZ) + noise.next()).is_some()).count()
    }

    #[test]
    fn a_line_is_found_and_noise_is_not() {
        assert_eq!(lines(3600, |_| 0.0), 0);
        let engine = |t: f32| if t > 90.0 { 0.6 * libm::sinf(2.0 * PI * 33.0 * t) } else { 0.0 };
        assert!(lines(105, engine) > 0);
    }

    #[test]
    fn a_line_that_was_always_there_is_background() {
        let hum = |t: f32| 0.6 * libm::sinf(2.0 * PI * 50.0 * t);
        assert_eq!(lines(600, hum), 0);
    }
}

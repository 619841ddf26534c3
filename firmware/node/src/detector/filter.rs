//! Second-order filter sections and the band-pass made of them.

use core::f32::consts::{FRAC_1_SQRT_2, PI};

/// One second-order section, transposed direct form II.
#[derive(Clone, Copy, Debug)]
struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
    z: [f32; 2],
}

impl Biquad {
    /// Butterworth by the bilinear transform (R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter
    /// coefficients", with Q = 1/sqrt 2).
    fn butterworth(corner_hz: f32, rate_hz: f32, high_pass: bool) -> Self {
        let omega = 2.0 * PI * corner_hz / rate_hz;
        let (sin, cos) = (libm::sinf(omega), libm::cosf(omega));
        let alpha = sin * FRAC_1_SQRT_2;
        let a0 = 1.0 + alpha;
        let edge = if high_pass { 1.0 + cos } else { 1.0 - cos };
        let middle = if high_pass { -edge } else { edge };
        let b = [edge / 2.0 / a0, middle / a0, edge / 2.0 / a0];
        Self { b, a: [-2.0 * cos / a0, (1.0 - alpha) / a0], z: [0.0; 2] }
    }

    fn filter(&mut self, x: f32) -> f32 {
        let [b0, b1, b2] = self.b;
        let [a1, a2] = self.a;
        let [z0, z1] = self.z;
        let y = b0 * x + z0;
        self.z = [b1 * x - a1 * y + z1, b2 * x - a2 * y];
        y
    }
}

/// A band-pass: one high-pass and one low-pass section.
#[derive(Clone, Copy, Debug)]
pub(super) struct BandPass {
    sections: [Biquad; 2],
}

impl BandPass {
    pub(super) fn new(low_hz: f32, high_hz: f32, rate_hz: f32) -> Self {
        Self { sections: [Biquad::butterworth(low_hz, rate_hz, true), Biquad::butterworth(high_hz, rate_hz, false)] }
    }

    pub(super) fn filter(&mut self, x: f32) -> f32 {
        let [high_pass, low_pass] = &mut self.sections;
        low_pass.filter(high_pass.filter(x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Root mean square gain for a sine, after the transient.
    fn gain(frequency_hz: f32) -> f32 {
        let mut filter = BandPass::new(8.0, 100.0, 500.0);
        let output = |index: i16| filter.filter(libm::sinf(2.0 * PI * frequency_hz * f32::from(index) / 500.0));
        let power: f32 = (0..4000).map(output).skip(1000).map(|y| y * y).sum();
        libm::sqrtf(power / 3000.0 * 2.0)
    }

    #[test]
    fn the_pass_band_passes_and_wind_frequencies_do_not() {
        assert!((0.95..1.05).contains(&gain(30.0)), "{}", gain(30.0));
        assert!((0.65..0.75).contains(&gain(8.0)), "half power at the corner: {}", gain(8.0));
        assert!((0.65..0.75).contains(&gain(100.0)), "half power at the corner: {}", gain(100.0));
        assert!(gain(1.0) < 0.02, "{}", gain(1.0));
        assert!(gain(200.0) < 0.2, "{}", gain(200.0));
    }
}

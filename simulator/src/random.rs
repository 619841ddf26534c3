//! Seeded random numbers that are the same on every machine.
//!
//! xoshiro256++ (Blackman and Vigna 2021, <https://doi.org/10.1145/3460772>) seeded through SplitMix64. Every purpose
//! draws from a stream of its own, derived from the seed and a label: adding a sensor leaves the other sensors' draws
//! alone. Transcendentals come from `libm`, because the platform's differ in the last bit.

use vedette_engine::digest::fnv1a;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

/// Largest mean that [`Random::poisson`] draws by multiplication at once; exp(-30) is far from underflow.
const POISSON_CHUNK: f64 = 30.0;

impl Random {
    /// The stream `label` of the seed.
    #[must_use]
    pub fn stream(seed: u64, label: &str) -> Self {
        let mut mixer = seed ^ fnv1a(label);
        let state = core::array::from_fn(|_| split_mix(&mut mixer));
        Self { state }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let result = s0.wrapping_add(*s3).rotate_left(23).wrapping_add(*s0);
        let shifted = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= shifted;
        *s3 = s3.rotate_left(45);
        result
    }

    /// Uniform in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "the upper 53 bits are exact in a double")]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in the pair's range.
    pub fn within(&mut self, range: [f64; 2]) -> f64 {
        self.uniform(range[0], range[1])
    }

    /// A whole number below `bound`, which must be above zero.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.bits()) * bound as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Normal with mean 0 and standard deviation 1 (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let u = self.uniform(-1.0, 1.0);
            let v = self.uniform(-1.0, 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * libm::sqrt(-2.0 * libm::log(s) / s);
            }
        }
    }

    /// Exponential with the given mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// Poisson with the given mean (Knuth's product, in chunks for large means).
    pub fn poisson(&mut self, mean: f64) -> usize {
        let mut left = mean;
        let mut count = 0;
        while left > 0.0 {
            let chunk = left.min(POISSON_CHUNK);
            left -= chunk;
            let limit = libm::exp(-chunk);
            let mut product = self.unit();
            while product > limit {
                count += 1;
                product *= self.unit();
            }
        }
        count
    }

    /// Puts the items in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_the_same_everywhere() {
        let mut random = Random::stream(1, "golden");
        let drawn: Vec<u64> = (0..3).map(|_| random.bits()).collect();
        let mut again = Random::stream(1, "golden");
        assert_eq!(drawn, (0..3).map(|_| again.bits()).collect::<Vec<_>>());
        assert_eq!(drawn, GOLDEN);
        assert_ne!(Random::stream(1, "other").bits(), drawn[0]);
        assert_ne!(Random::stream(2, "golden").bits(), drawn[0]);
    }

    const GOLDEN: [u64; 3] = [1_133_341_388_166_874_614, 10_573_295_835_203_909_205, 17_408_802_519_861_206_546];

    #[test]
    fn moments_are_right() {
        let mut random = Random::stream(7, "moments");
        let n = 100_000;
        let (mut sum, mut squares, mut exponential, mut poisson) = (0.0, 0.0, 0.0, 0_usize);
        for _ in 0..n {
            let x = random.normal();
            sum += x;
            squares += x * x;
            exponential += random.exponential(3.0);
            poisson += random.poisson(75.0);
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.02, "mean {}", sum / n);
        assert!((squares / n - 1.0).abs() < 0.02, "variance {}", squares / n);
        assert!((exponential / n - 3.0).abs() < 0.05, "mean {}", exponential / n);
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let mean = poisson as f64 / n;
        assert!((mean - 75.0).abs() < 0.15, "mean {mean}");
    }
}

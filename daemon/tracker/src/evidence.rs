//! What plots say about a quantity that is learned as a scalar filter learns it: information, and that times what is missing.

use core::ops::AddAssign;

/// Information in one over the quantity's unit squared, and in one over the unit the information times how far what is believed
/// now falls short.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) information: f64,
    pub(crate) score: f64,
}

impl Evidence {
    /// The same, worth only a part.
    pub(crate) fn scaled(self, part: f64) -> Self {
        Self { information: part * self.information, score: part * self.score }
    }

    /// Moves an estimate that rests on so much information, of which no more than `most` is remembered.
    pub(crate) fn refine(self, estimate: &mut f64, information: &mut f64, most: f64) {
        *information = (*information + self.information).min(most);
        *estimate += self.score / *information;
    }
}

impl AddAssign for Evidence {
    fn add_assign(&mut self, other: Self) {
        self.information += other.information;
        self.score += other.score;
    }
}

//! What alerts were closed as.

use serde::{Deserialize, Serialize};

use super::interval;
use crate::CloseReason;

/// Alerts by the reason an operator closed them for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worth {
    /// It was what it said.
    pub real: usize,
    /// There was something, but nothing that needed anybody.
    pub nuisance: usize,
    /// There was nothing.
    pub wrong: usize,
    /// It was an exercise.
    pub exercise: usize,
}

impl Worth {
    /// Counts one closed alert; what the gateway ended by itself is no judgement.
    pub fn count(&mut self, reason: CloseReason) {
        if let Some(count) = self.of(reason) {
            *count += 1;
        }
    }

    /// Takes back what was counted: somebody corrected what the alert was closed as.
    pub fn take_back(&mut self, reason: CloseReason) {
        if let Some(count) = self.of(reason) {
            *count = count.saturating_sub(1);
        }
    }

    fn of(&mut self, reason: CloseReason) -> Option<&mut usize> {
        match reason {
            CloseReason::Real => Some(&mut self.real),
            CloseReason::Nuisance => Some(&mut self.nuisance),
            CloseReason::False => Some(&mut self.wrong),
            CloseReason::Exercise => Some(&mut self.exercise),
            CloseReason::Cleared | CloseReason::Retracted => None,
        }
    }

    /// Alerts that were judged, exercises left out.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.real + self.nuisance + self.wrong
    }

    /// Share of the judged that were real, and its 95 % interval; nothing when none was judged.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn precision(&self) -> Option<(f64, (f64, f64))> {
        let judged = self.judged();
        (judged > 0).then(|| (self.real as f64 / judged as f64, interval(self.real, judged)))
    }
}

//! Detectors: from input levels and samples to detections.

mod cadence;
mod filter;
mod geophone;
mod spectrum;
mod switch;

use vedette_wire::payload::EventKind;

pub use self::geophone::{Geophone, SAMPLE_RATE_HZ};
pub use self::switch::{Pir, Tamper, Tripwire};

/// One thing a detector saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detection {
    /// What it was.
    pub kind: EventKind,
    /// When it began, milliseconds of uptime.
    pub began_ms: u64,
    /// How long it had gone on when it was reported, milliseconds.
    pub duration_ms: u64,
    /// Level above the detector's floor, half decibels; 0 when it measures none.
    pub strength_half_db: u8,
}

impl Detection {
    /// A detection without extent and level.
    const fn instant(kind: EventKind, began_ms: u64) -> Self {
        Self { kind, began_ms, duration_ms: 0, strength_half_db: 0 }
    }
}

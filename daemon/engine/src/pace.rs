//! How often a sensor reports, and whether it says anything new.

use serde::{Deserialize, Serialize};
use vedette_tracker::{Detection, Measurement, Timestamp};

/// Length of one counted span.
const SPAN_S: i64 = 60;
/// Spans counted.
const SPANS: usize = 10;
/// Equal reports in a row that make a sensor stuck: no measurement repeats to the last digit.
const STUCK_FROM: u32 = 30;

/// Reports by minute for ten minutes, and the last one's digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pace {
    /// Reports by minute modulo ten.
    counts: [u32; SPANS],
    /// The newest minute counted.
    minute: i64,
    digest: u64,
    repeated: u32,
    /// When it was stuck last.
    #[serde(default)]
    stuck_at: Option<Timestamp>,
}

impl Pace {
    /// Counts a report.
    pub(crate) fn count(&mut self, now: Timestamp, detections: &[Detection]) {
        self.turn(now);
        let slot = slot(self.minute);
        self.counts[slot] = self.counts[slot].saturating_add(1);
        match digest(detections) {
            Some(digest) if digest == self.digest => self.repeated = self.repeated.saturating_add(1),
            Some(digest) => (self.digest, self.repeated) = (digest, 0),
            // It looked and saw nothing for once: coarse numbers of something that stands still, not a sensor that hangs.
            None if detections.is_empty() => self.repeated = 0,
            None => {}
        }
        if self.is_stuck() {
            self.stuck_at = Some(now);
        }
    }

    /// Whether it says the very same thing again and again.
    pub(crate) fn is_stuck(&self) -> bool {
        self.repeated >= STUCK_FROM
    }

    /// Whether a report of this time is one that it may have repeated.
    pub(crate) fn may_be_stale(&self, time: Timestamp) -> bool {
        self.stuck_at.is_some_and(|stuck_at| time <= stuck_at)
    }

    /// Reports in the ten minutes before `now`.
    pub(crate) fn in_ten_minutes(&self, now: Timestamp) -> u32 {
        let mut turned = self.clone();
        turned.turn(now);
        turned.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Equal reports in a row.
    pub(crate) fn repeated(&self) -> u32 {
        self.repeated
    }

    fn turn(&mut self, now: Timestamp) {
        let minute = now.as_micros().div_euclid(SPAN_S * 1_000_000);
        if minute.saturating_sub(self.minute) >= 10 {
            self.counts = [0; SPANS];
        } else {
            for passed in self.minute + 1..=minute {
                self.counts[slot(passed)] = 0;
            }
        }
        self.minute = self.minute.max(minute);
    }
}

fn slot(minute: i64) -> usize {
    usize::try_from(minute.rem_euclid(10)).unwrap_or(0)
}

/// A number that is equal for equal positions, ranges and bearings (FNV-1a over their bits); none for an empty scan and
/// for presences and crossings, which have nothing to differ in.
fn digest(detections: &[Detection]) -> Option<u64> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut any = false;
    let mut take = |value: f64| {
        any = true;
        hash = (hash ^ value.to_bits()).wrapping_mul(0x0100_0000_01b3);
    };
    for detection in detections {
        match detection.measurement {
            Measurement::Position { position_m, .. } => {
                take(position_m.x);
                take(position_m.y);
            }
            Measurement::RangeBearing { range_m, azimuth_rad, .. } => {
                take(range_m);
                take(azimuth_rad);
            }
            Measurement::Bearing { azimuth_rad, .. } => take(azimuth_rad),
            Measurement::Range { range_m, .. } => take(range_m),
            Measurement::Presence { .. } | Measurement::Crossing { .. } => {}
        }
    }
    any.then_some(hash)
}

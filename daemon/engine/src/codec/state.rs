//! What codecs remember from one message to the next; part of the engine's snapshot, and bounded.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;

/// Memory of all codecs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CodecState {
    /// By sensor: number and time of its newest numbered messages.
    recent: BTreeMap<usize, VecDeque<(u64, Timestamp)>>,
}

impl CodecState {
    /// Numbered messages remembered for each sensor. Brokers repeat what was in flight, and in flight are few.
    const RECENT: usize = 32;

    /// Whether this sensor's message with this number and time was here before; remembers it if not.
    pub(super) fn is_duplicate(&mut self, sensor: usize, number: u64, time: Timestamp) -> bool {
        let recent = self.recent.entry(sensor).or_default();
        if recent.contains(&(number, time)) {
            return true;
        }
        if recent.len() == Self::RECENT {
            recent.pop_front();
        }
        recent.push_back((number, time));
        false
    }
}

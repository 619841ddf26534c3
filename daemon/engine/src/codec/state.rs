//! What codecs remember from one message to the next; part of the engine's snapshot, and bounded.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use vedette_tracker::Timestamp;
use vedette_wire::payload::{Admitted, EventCursor};

use super::{Spot, Stand};

/// Memory of all codecs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CodecState {
    /// By sensor: number and time of its newest numbered messages.
    recent: BTreeMap<usize, VecDeque<(u64, Timestamp)>>,
    /// By own unit: numbers of its newest packets.
    #[serde(default)]
    recent_of_units: BTreeMap<usize, VecDeque<u32>>,
    /// By configured node: the number expected of its next event.
    next_event: BTreeMap<u32, u16>,
    /// By sensor: whether it was triggered when it last told its state.
    #[serde(default)]
    triggered: BTreeMap<usize, bool>,
    /// By sensor: time of the last event that was no repeat.
    #[serde(default)]
    last_event: BTreeMap<usize, Timestamp>,
    /// By mobile sensor: latitude, longitude and standard deviation of the place it told last.
    #[serde(default)]
    stands: BTreeMap<usize, (f64, f64, Option<f64>)>,
}

/// Numbered messages remembered for each sensor and each unit. Brokers repeat what was in flight, and in flight are few.
const RECENT: usize = 32;

impl CodecState {
    /// Whether this sensor's message with this number and time was here before; remembers it if not.
    pub(super) fn is_duplicate(&mut self, sensor: usize, number: u64, time: Timestamp) -> bool {
        is_among(self.recent.entry(sensor).or_default(), (number, time))
    }

    /// Whether this unit's packet with this number was here before; remembers it if not.
    pub(super) fn is_duplicate_of_unit(&mut self, unit: usize, number: u32) -> bool {
        is_among(self.recent_of_units.entry(unit).or_default(), number)
    }

    /// Whether this state of a sensor is a change from quiet to triggered; remembers it.
    pub(super) fn turns_on(&mut self, sensor: usize, triggered: bool) -> bool {
        let before = self.triggered.insert(sensor, triggered);
        triggered && before != Some(true)
    }

    /// Whether the sensor's last event was less than this before; if not, this one is the last now.
    pub(super) fn is_repeat(&mut self, sensor: usize, time: Timestamp, within_s: f64) -> bool {
        let last = self.last_event.entry(sensor).or_insert(Timestamp::MIN);
        if time.seconds_since(*last).abs() < within_s {
            return true;
        }
        *last = time;
        false
    }

    /// Where a mobile sensor said last that it stands, in a message of its own.
    pub(super) fn stand_of(&self, sensor: usize) -> Option<Stand> {
        let &(lat, lon, sd_m) = self.stands.get(&sensor)?;
        Some(Stand { spot: Spot::Wgs84 { lat, lon }, heading_deg: None, sd_m })
    }

    /// Remembers where a mobile sensor says that it stands.
    pub(super) fn set_stand(&mut self, sensor: usize, stand: Stand) {
        if let Spot::Wgs84 { lat, lon } = stand.spot {
            self.stands.insert(sensor, (lat, lon, stand.sd_m));
        }
    }

    /// Judges the number of a node's event and remembers it. Only for nodes of the configuration: they are few.
    pub(super) fn admit_event(&mut self, node: u32, number: u16) -> Admitted {
        let mut cursor = EventCursor::starting_at(self.next_event.get(&node).copied());
        let admitted = cursor.admit(number);
        if let Some(next) = cursor.next() {
            self.next_event.insert(node, next);
        }
        admitted
    }
}

/// Whether one is among the newest; it is from now on.
fn is_among<T: PartialEq>(recent: &mut VecDeque<T>, one: T) -> bool {
    let is_there = recent.contains(&one);
    if !is_there {
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(one);
    }
    is_there
}

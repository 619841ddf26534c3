//! What a concentrator and its nodes are told beside acknowledgements: radio settings, and the time.
//!
//! A node listens only after it has sent something, so it is told the time behind an acknowledgement: behind that of its hello, and
//! then about once an hour. That frame is bound to a moment of the concentrator's clock, so that it says the time of its own end.

use std::collections::{BTreeMap, VecDeque};

use vedette_engine::Timestamp;
use vedette_wire::link::{Configure, Downward, Outcome, TICK_US, Transmit, Transmitted};
use vedette_wire::payload::{TICKS_PER_SECOND, Time};
use vedette_wire::{HEADER_LEN, LoRa, SealedFrame, TAG_LEN};

/// A node is told the time again after so long: the worst crystal is off by a second then.
const TELL_AGAIN_S: f64 = 3_600.0;
/// It is told at once when the clock has moved so far since.
const MOVED_S: f64 = 0.5;
/// Time for the acknowledgement to be sent before the frame with the time.
const LEAD_MS: u32 = 300;
/// Bytes of a payload with the time.
const TIME_PAYLOAD_LEN: usize = 7;
/// Standard deviation of what is said: the serial line, and the start of sending.
const SD_TICKS: u8 = 1;
/// Frames whose outcome is still to come.
const MAX_UNDECIDED: usize = 64;

/// The state of the conversation with one concentrator.
#[derive(Debug)]
pub(super) struct Dialogue {
    settings: Configure,
    next_id: u16,
    /// A reading of the concentrator's clock, and the gateway's time at it.
    tie: Option<(u32, Timestamp)>,
    told: BTreeMap<u32, Told>,
    /// Ids of the frames with the time that are still to be sent, and their nodes.
    undecided: VecDeque<(u16, u32)>,
}

/// When a node was told the time, by the boot clock and as it was told.
#[derive(Clone, Copy, Debug)]
struct Told {
    uptime_s: f64,
    time: Timestamp,
}

impl Dialogue {
    pub(super) const fn new(settings: Configure) -> Self {
        Self { settings, next_id: 0, tie: None, told: BTreeMap::new(), undecided: VecDeque::new() }
    }

    /// What a concentrator is told when the line is opened and after its reset. Its clock may have begun anew.
    pub(super) fn greet(&mut self, now: Timestamp) -> [Downward; 2] {
        self.tie = None;
        self.undecided.clear();
        [Downward::Configure(self.settings), Downward::Time(on_the_wire(now))]
    }

    /// The concentrator's clock showed this when its message was written, which is now.
    pub(super) fn heard_ticks(&mut self, ticks: u32, now: Timestamp) {
        self.tie = Some((ticks, now));
    }

    /// A node has started or changed its key: it does not know the time.
    pub(super) fn heard_hello(&mut self, node: u32) {
        self.told.remove(&node);
    }

    /// A frame that is to go out as soon as the channel is free.
    pub(super) fn transmit(&mut self, frame: SealedFrame) -> Downward {
        Downward::Transmit(Transmit { id: self.take_id(), at_ticks: None, frame })
    }

    /// What a node is to be told now, behind an acknowledgement, if anything.
    pub(super) fn time_due(&self, node: u32, now: Timestamp, uptime_s: f64) -> Option<Time> {
        self.tie?;
        let due = self.told.get(&node).is_none_or(|told| {
            let since_s = uptime_s - told.uptime_s;
            since_s >= TELL_AGAIN_S || (now.seconds_since(told.time) - since_s).abs() > MOVED_S
        });
        let Configure { spreading_factor, bandwidth_khz, .. } = self.settings;
        let len = HEADER_LEN + TIME_PAYLOAD_LEN + TAG_LEN;
        let airtime_us = LoRa { spreading_factor, bandwidth_khz }.airtime_us(len);
        let until_end_us = i64::from(LEAD_MS) * TICK_US.cast_signed() + airtime_us.cast_signed();
        due.then(|| on_the_wire(now.plus_micros(until_end_us)))
    }

    /// Sends the sealed answer to [`Self::time_due`], at its moment.
    pub(super) fn tell_time(&mut self, node: u32, frame: SealedFrame, now: Timestamp, uptime_s: f64) -> Downward {
        let id = self.take_id();
        let at_ticks = self.tie.map(|(ticks, at)| {
            let since_ms = now.as_micros().saturating_sub(at.as_micros()) / TICK_US.cast_signed();
            // The concentrator's clock wraps.
            ticks.wrapping_add(since_ms as u32).wrapping_add(LEAD_MS)
        });
        self.told.insert(node, Told { uptime_s, time: now });
        if self.undecided.len() == MAX_UNDECIDED {
            self.undecided.pop_front();
        }
        self.undecided.push_back((id, node));
        Downward::Transmit(Transmit { id, at_ticks, frame })
    }

    /// What became of a frame; a node whose time was not sent is told with its next frame.
    pub(super) fn decided(&mut self, transmitted: Transmitted) {
        let Some(index) = self.undecided.iter().position(|(id, _)| *id == transmitted.id) else { return };
        if let Some((_, node)) = self.undecided.remove(index).filter(|_| transmitted.outcome != Outcome::Sent) {
            self.told.remove(&node);
        }
    }

    fn take_id(&mut self) -> u16 {
        self.next_id = self.next_id.wrapping_add(1);
        self.next_id
    }
}

/// A time as messages carry it. Years outside 1970 to 2106 become the nearest of them.
pub(super) fn on_the_wire(time: Timestamp) -> Time {
    let per_second = i64::from(TICKS_PER_SECOND);
    let ticks = time.as_micros().saturating_add(500_000 / per_second).saturating_mul(per_second) / 1_000_000;
    let unix_s = u32::try_from((ticks / per_second).max(0)).unwrap_or(u32::MAX);
    let sixteenths = u8::try_from(ticks.rem_euclid(per_second)).unwrap_or(0);
    Time { unix_s, sixteenths, sd_ticks: SD_TICKS }
}

#[cfg(test)]
mod tests {
    use vedette_wire::Payload;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn frame() -> SealedFrame {
        SealedFrame::from_iter([7; 30])
    }

    fn transmitted(id: u16, outcome: Outcome) -> Transmitted {
        Transmitted { id, ticks: 0, outcome }
    }

    #[test]
    fn times_are_rounded_to_ticks() {
        assert_eq!(on_the_wire(NOW), Time { unix_s: 1_800_000_000, sixteenths: 0, sd_ticks: 1 });
        assert_eq!(on_the_wire(NOW.plus_micros(970_000)).ticks(), 1_800_000_001 * 16);
        assert_eq!(on_the_wire(NOW.plus_micros(93_000)).sixteenths, 1);
        assert_eq!(on_the_wire(Timestamp::from_seconds(-5)).unix_s, 0);
    }

    #[test]
    fn the_length_assumed_for_a_frame_with_the_time_is_right() {
        let payload = Payload::Time(on_the_wire(NOW)).encode().expect("in range");
        assert_eq!(payload.len(), TIME_PAYLOAD_LEN);
    }

    #[test]
    fn a_node_is_told_the_time_once_an_hour_and_when_it_starts_or_the_clock_moves() {
        let mut dialogue = Dialogue::new(Configure::DEFAULT);
        assert_eq!(dialogue.time_due(9, NOW, 0.0), None, "the concentrator's clock is not known yet");
        dialogue.heard_ticks(5_000, NOW);
        let time = dialogue.time_due(9, NOW, 0.0).expect("never told");
        // 300 ms of lead and 62 ms on the air are six ticks.
        assert_eq!(time.ticks(), 1_800_000_000 * 16 + 6);
        dialogue.tell_time(9, frame(), NOW, 0.0);
        let later = |seconds: i64| NOW.plus_micros(seconds * 1_000_000);
        assert_eq!(dialogue.time_due(9, later(3_599), 3_599.0), None);
        assert!(dialogue.time_due(9, later(3_600), 3_600.0).is_some());
        assert!(dialogue.time_due(9, later(70), 60.0).is_some(), "the clock was set ahead by ten seconds");
        assert!(dialogue.time_due(8, later(1), 1.0).is_some(), "another node");
        dialogue.heard_hello(9);
        assert!(dialogue.time_due(9, later(1), 1.0).is_some());
    }

    #[test]
    fn a_frame_with_the_time_is_bound_to_its_moment_even_where_the_clock_wraps() {
        let mut dialogue = Dialogue::new(Configure::DEFAULT);
        dialogue.heard_ticks(u32::MAX - 99, NOW);
        let told = dialogue.tell_time(9, frame(), NOW.plus_micros(50_000), 0.0);
        let Downward::Transmit(transmit) = told else { panic!("{told:?}") };
        assert_eq!(transmit.at_ticks, Some(250));
    }

    #[test]
    fn a_time_that_was_not_sent_is_told_again() {
        let mut dialogue = Dialogue::new(Configure::DEFAULT);
        dialogue.heard_ticks(0, NOW);
        let Downward::Transmit(first) = dialogue.tell_time(9, frame(), NOW, 0.0) else { panic!() };
        dialogue.decided(transmitted(first.id, Outcome::Late));
        assert!(dialogue.time_due(9, NOW, 0.0).is_some());
        let Downward::Transmit(second) = dialogue.tell_time(9, frame(), NOW, 0.0) else { panic!() };
        dialogue.decided(transmitted(second.id, Outcome::Sent));
        dialogue.decided(transmitted(second.id, Outcome::Late));
        assert_eq!(dialogue.time_due(9, NOW, 0.0), None);
    }

    #[test]
    fn after_a_reset_of_the_concentrator_no_moment_is_known() {
        let mut dialogue = Dialogue::new(Configure::DEFAULT);
        dialogue.heard_ticks(0, NOW);
        assert!(matches!(dialogue.greet(NOW), [Downward::Configure(Configure::DEFAULT), Downward::Time(_)]));
        assert_eq!(dialogue.time_due(9, NOW, 0.0), None);
    }
}

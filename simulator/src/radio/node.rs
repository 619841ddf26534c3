//! One node: events wait in its memory until a frame that carried them is acknowledged.

use std::collections::VecDeque;

use vedette_wire::payload::{
    Event, EventKind, Events, Hello, MAX_AGE_TICKS, MAX_EVENTS, ResetCause, Sensors, TICKS_PER_SECOND, Telemetry,
    TelemetryFlags,
};
use vedette_wire::{Payload, version};

use vedette_engine::Timestamp;

use super::Frame;
use super::air::Air;
use crate::random::Random;
use crate::scenario::{EPOCH, Weather};

/// Most events a node keeps; the oldest go first.
const MEMORY_EVENTS: usize = 512;
/// Frames that an acknowledgement may still come for.
const OPEN_FRAMES: usize = 8;

/// How nodes behave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeOptions {
    /// Random wait before a first try: spreads nodes that notice the same thing.
    pub gather_s: [f64; 2],
    /// Wait for an acknowledgement before the first repetition; doubles with each, up to `retry_max_s`.
    pub retry_s: f64,
    /// Longest wait between repetitions.
    pub retry_max_s: f64,
    /// Time between two telemetry frames.
    pub telemetry_s: f64,
    /// Battery when the scenario begins, and what it loses in a day.
    pub battery_mv: f64,
    /// Loss of battery voltage in a day.
    pub battery_mv_per_day: f64,
    /// Temperature, degrees Celsius.
    pub temperature_c: f64,
    /// Counter of the first frame, and number of the first event.
    pub first_counter: u32,
}

impl NodeOptions {
    /// Nodes whose life goes on at this time: their counters are above those of any earlier run, since no node sends
    /// four frames a second for long.
    #[must_use]
    pub fn starting_at(time: Timestamp) -> Self {
        let quarters = time.as_micros().saturating_sub(EPOCH.as_micros()) / 250_000;
        Self { first_counter: u32::try_from(quarters).unwrap_or(0), ..Self::default() }
    }

    /// The same nodes where it is as cold as the weather begins; without weather nothing changes.
    #[must_use]
    pub fn in_weather(self, weather: &[Weather]) -> Self {
        let temperature_c = weather.first().map_or(self.temperature_c, |weather| weather.temperature_c);
        Self { temperature_c, ..self }
    }
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            gather_s: [0.05, 0.3],
            retry_s: 2.0,
            retry_max_s: 300.0,
            telemetry_s: 1_800.0,
            battery_mv: 3_900.0,
            battery_mv_per_day: 2.0,
            temperature_c: 4.0,
            first_counter: 0,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Noticed {
    at_s: f64,
    kind: EventKind,
    strength_half_db: u8,
}

#[derive(Debug)]
pub(super) struct Node {
    number: u32,
    options: NodeOptions,
    rssi_dbm: i16,
    planned: VecDeque<Noticed>,
    memory: VecDeque<Noticed>,
    /// Number of the oldest event in memory.
    first_event: u16,
    next_counter: u32,
    /// Sent frames: counter, and how far an acknowledgement of it releases (number behind its last event).
    open: VecDeque<(u32, Option<u16>)>,
    /// Next try to send events; infinite when none wait.
    try_s: f64,
    tries: u32,
    telemetry_s: f64,
    /// When it says hello; infinite once it has.
    hello_s: f64,
    /// Sending is not possible before this: the radio is busy, or the duty cycle forbids it.
    free_s: f64,
    /// Time on the air that the running hour still allows, as of `budget_at_s`.
    budget_s: f64,
    budget_at_s: f64,
    repeated: u16,
    dead_s: f64,
    dropped: u64,
}

impl Node {
    pub(super) fn new(number: u32, options: NodeOptions, random: &mut Random) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "small numbers, and casts saturate")]
        let rssi_dbm = random.uniform(-115.0, -80.0) as i16;
        Self {
            number,
            options,
            rssi_dbm,
            planned: VecDeque::new(),
            memory: VecDeque::new(),
            first_event: 0,
            hello_s: random.uniform(0.0, 2.0),
            next_counter: options.first_counter,
            open: VecDeque::new(),
            try_s: f64::INFINITY,
            tries: 0,
            telemetry_s: random.uniform(0.0, options.telemetry_s),
            free_s: 0.0,
            budget_s: f64::INFINITY,
            budget_at_s: 0.0,
            repeated: 0,
            dead_s: f64::INFINITY,
            dropped: 0,
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn rssi_dbm(&self) -> i16 {
        self.rssi_dbm
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn waiting(&self) -> usize {
        self.memory.len()
    }

    pub(super) fn plan(&mut self, at_s: f64, kind: EventKind, strength_half_db: u8) {
        self.planned.push_back(Noticed { at_s, kind, strength_half_db });
    }

    pub(super) fn dies_at(&mut self, at_s: f64) {
        self.dead_s = self.dead_s.min(at_s);
    }

    /// When it next does something; infinite when dead.
    pub(super) fn next_s(&self) -> f64 {
        let notices = self.planned.front().map_or(f64::INFINITY, |noticed| noticed.at_s);
        let sends = self.try_s.min(self.telemetry_s).min(self.hello_s).max(self.free_s);
        let next = notices.min(sends);
        if next < self.dead_s { next } else { f64::INFINITY }
    }

    /// Does what is due: notes an event, or makes a frame to be sent.
    pub(super) fn act(&mut self, now_s: f64, air: &Air, random: &mut Random) -> Option<Frame> {
        if self.planned.front().is_some_and(|noticed| noticed.at_s <= now_s) {
            self.memory.extend(self.planned.pop_front());
            if self.memory.len() > MEMORY_EVENTS {
                self.memory.pop_front();
                self.first_event = self.first_event.wrapping_add(1);
                self.dropped += 1;
            }
            if self.try_s.is_infinite() {
                self.try_s = now_s + random.within(self.options.gather_s);
            }
            return None;
        }
        let counter = self.next_counter;
        let greets = self.hello_s <= now_s;
        let events = !greets && self.try_s <= now_s;
        let (payload, releases) = if greets {
            self.hello_s = f64::INFINITY;
            (self.hello(), None)
        } else if events {
            (self.events(now_s), Some(self.first_event.wrapping_add(sent_events(self.memory.len()))))
        } else {
            self.telemetry_s = now_s + self.options.telemetry_s;
            (self.telemetry(now_s, air), None)
        };
        self.next_counter = counter.saturating_add(1);
        self.open.push_back((counter, releases));
        if self.open.len() > OPEN_FRAMES {
            self.open.pop_front();
        }
        let repeated = events && self.tries > 0;
        self.tries += u32::from(events);
        self.repeated = self.repeated.wrapping_add(u16::from(repeated));
        Some(Frame { counter, payload, repeated })
    }

    /// The frame of [`Self::act`] is on the air until `end_s`.
    pub(super) fn sent(&mut self, end_s: f64, airtime_s: f64, duty: f64, random: &mut Random) {
        // A token bucket that holds an hour's allowance.
        let refilled_s = self.budget_s + (end_s - self.budget_at_s) * duty;
        self.budget_s = refilled_s.min(3_600.0 * duty) - airtime_s;
        self.budget_at_s = end_s;
        self.free_s = end_s + ((airtime_s - self.budget_s) / duty).max(0.0);
        if self.memory.is_empty() {
            return;
        }
        let doubled = self.options.retry_s * libm::exp2(f64::from(self.tries.saturating_sub(1).min(16)));
        self.try_s = end_s + airtime_s + doubled.min(self.options.retry_max_s) * random.uniform(0.8, 1.2);
    }

    pub(super) fn acknowledged(&mut self, now_s: f64, counter: u32) {
        let Some(index) = self.open.iter().position(|(open, _)| *open == counter) else { return };
        let Some(releases) = self.open[index].1 else { return };
        self.open.drain(..=index);
        let count = releases.wrapping_sub(self.first_event);
        if usize::from(count) > self.memory.len() {
            return;
        }
        self.memory.drain(..usize::from(count));
        self.first_event = releases;
        self.tries = 0;
        self.try_s = if self.memory.is_empty() { f64::INFINITY } else { now_s.max(self.free_s) };
    }

    fn hello(&self) -> Payload {
        Payload::Hello(Hello {
            min_version: version::MIN,
            current_version: version::CURRENT,
            firmware_major: 0,
            firmware_minor: 1,
            sensors: Sensors::default(),
            reset: ResetCause::PowerOn,
            resets: 1,
            next_event: self.first_event,
        })
    }

    fn events(&self, now_s: f64) -> Payload {
        let events = self.memory.iter().take(MAX_EVENTS).map(|noticed| Event {
            kind: noticed.kind,
            age_ticks: age_ticks(now_s - noticed.at_s),
            age_at_least: false,
            strength_half_db: noticed.strength_half_db,
            duration_ticks: 0,
        });
        Payload::Events(Events { first: self.first_event, events: events.collect() })
    }

    fn telemetry(&self, now_s: f64, air: &Air) -> Payload {
        let lost_mv = self.options.battery_mv_per_day * now_s / 86_400.0;
        let allowance_s = 3_600.0 * air.options().duty;
        let used = if self.budget_s.is_finite() { 1.0 - self.budget_s / allowance_s } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
        let (temperature_cdeg, uptime_s, airtime_percent) = (
            libm::round(self.options.temperature_c * 100.0) as i16,
            now_s as u32,
            (used * 100.0).clamp(0.0, 100.0) as u8,
        );
        Payload::Telemetry(Telemetry {
            battery_mv: whole(self.options.battery_mv - lost_mv),
            temperature_cdeg,
            uptime_s,
            resets: 0,
            queued: u16::try_from(self.memory.len()).unwrap_or(u16::MAX),
            dropped: u16::try_from(self.dropped).unwrap_or(u16::MAX),
            retransmitted: self.repeated,
            refused: 0,
            airtime_percent,
            flags: TelemetryFlags { time_known: true, ..TelemetryFlags::default() },
        })
    }
}

fn sent_events(waiting: usize) -> u16 {
    u16::try_from(waiting.min(MAX_EVENTS)).unwrap_or(u16::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
fn age_ticks(age_s: f64) -> u32 {
    (libm::round(age_s * f64::from(TICKS_PER_SECOND)) as u32).min(MAX_AGE_TICKS)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
fn whole(value: f64) -> u16 {
    libm::round(value) as u16
}

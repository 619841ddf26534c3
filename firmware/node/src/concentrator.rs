//! The concentrator: passes radio frames on to the gateway and the gateway's to the air. It holds no keys and makes no frames.
//!
//! Acknowledgements and time beacons are sealed by the gateway; a frame that has to go out at a certain moment, as a beacon does,
//! carries that moment in the concentrator's own ticks.

use heapless::Vec;
use vedette_wire::link::{
    Configure, Downward, Outcome, Received, Started, Status, ToModem, Transmit, Transmitted, Upward,
};
use vedette_wire::payload::ResetCause;
use vedette_wire::{LoRa, SealedFrame, TAG_LEN, version};

use crate::airtime::Budget;
use crate::node::FIRMWARE;

/// Frames that can wait to be sent.
const QUEUE: usize = 16;
/// Frames remembered to tell echoes.
const RECENT: usize = 32;
/// A frame that comes again within this time is an echo of a repeater or of a second antenna, not a retransmission: nodes seal
/// those anew.
const ECHO_MS: u64 = 5_000;
/// A frame for a certain moment may go out this much after it.
const LATE_MS: u64 = 50;
/// A frame without a moment waits this long for the channel; its node then listens no more.
const PATIENCE_MS: u64 = 2_000;
/// The modem reports each frame's end; when it does not for so long, it was reset.
const MODEM_MS: u64 = 5_000;
/// Time between two looks at a busy channel.
const LISTEN_AGAIN_MS: u64 = 10;

/// What the concentrator wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this to the serial link.
    ToGateway(Upward),
    /// Write this to the modem.
    ToModem(ToModem),
}

/// A frame that waits to be sent.
#[derive(Clone, Debug)]
struct Waiting {
    id: u16,
    begin_ms: u64,
    end_ms: u64,
    frame: SealedFrame,
}

/// The concentrator's state.
#[derive(Clone, Debug)]
pub struct Concentrator {
    settings: Configure,
    budget: Budget,
    waiting: Vec<Waiting, QUEUE>,
    /// The frame on the air: its id and when it was given to the modem.
    on_air: Option<u64>,
    carrier: bool,
    recent: [Option<(u64, [u8; TAG_LEN])>; RECENT],
    oldest_recent: usize,
    status: Status,
    status_at_ms: u64,
}

/// The wrapping 32-bit clock of the link.
const fn ticks(now_ms: u64) -> u32 {
    now_ms as u32
}

impl Concentrator {
    /// Starts after a reset: tells the gateway, and tunes the modem.
    pub fn start(now_ms: u64, reset: ResetCause, out: &mut impl FnMut(Output)) -> Self {
        out(Output::ToGateway(Upward::Started(Started {
            ticks: ticks(now_ms),
            min_version: version::MIN,
            current_version: version::CURRENT,
            firmware_major: FIRMWARE.0,
            firmware_minor: FIRMWARE.1,
            reset,
        })));
        out(Output::ToModem(ToModem::Tune(Configure::DEFAULT)));
        Self {
            settings: Configure::DEFAULT,
            budget: Budget::new(Configure::DEFAULT.duty_permille, now_ms),
            waiting: Vec::new(),
            on_air: None,
            carrier: false,
            recent: [None; RECENT],
            oldest_recent: 0,
            status: Status::default(),
            status_at_ms: now_ms,
        }
    }

    /// The modem heard a frame.
    pub fn heard(
        &mut self,
        now_ms: u64,
        rssi_dbm: i16,
        snr_qdb: i16,
        frame: SealedFrame,
        out: &mut impl FnMut(Output),
    ) {
        let Some(tag) = frame.last_chunk::<TAG_LEN>().copied() else {
            self.status.damaged = self.status.damaged.wrapping_add(1);
            return;
        };
        let is_echo = |(at_ms, of): &(u64, [u8; TAG_LEN])| *of == tag && now_ms - at_ms < ECHO_MS;
        if self.recent.iter().flatten().any(is_echo) {
            self.status.duplicates = self.status.duplicates.wrapping_add(1);
            return;
        }
        self.recent[self.oldest_recent] = Some((now_ms, tag));
        self.oldest_recent = (self.oldest_recent + 1) % RECENT;
        self.status.received = self.status.received.wrapping_add(1);
        out(Output::ToGateway(Upward::Received(Received { ticks: ticks(now_ms), rssi_dbm, snr_qdb, frame })));
    }

    /// The modem hears somebody, or nobody any more.
    pub fn carrier(&mut self, busy: bool) {
        self.carrier = busy;
    }

    /// The modem has sent the frame given to it.
    pub fn sent(&mut self) {
        self.on_air = None;
    }

    /// A frame of the serial link or of the modem was damaged.
    pub fn link_error(&mut self) {
        self.status.link_errors = self.status.link_errors.wrapping_add(1);
    }

    /// The gateway says something.
    pub fn command(&mut self, now_ms: u64, message: Downward, out: &mut impl FnMut(Output)) {
        match message {
            Downward::Transmit(Transmit { id, at_ticks, frame }) => {
                // Up to half a wrap ahead is the future, up to half a wrap behind the past.
                let ahead = at_ticks.map(|at| at.wrapping_sub(ticks(now_ms)).cast_signed());
                let (begin_ms, end_ms) = match ahead {
                    None => (now_ms, now_ms + PATIENCE_MS),
                    Some(ahead) => {
                        let begin_ms = now_ms.saturating_add_signed(ahead.into());
                        (begin_ms, begin_ms + LATE_MS)
                    }
                };
                if self.waiting.push(Waiting { id, begin_ms, end_ms, frame }).is_err() {
                    self.answer(now_ms, id, Outcome::QueueFull, out);
                }
            }
            Downward::Configure(settings) => {
                if settings.duty_permille != self.settings.duty_permille {
                    self.budget = Budget::new(settings.duty_permille, now_ms);
                }
                self.settings = settings;
                out(Output::ToModem(ToModem::Tune(settings)));
            }
            // The gateway's sign of life; nodes get their time from sealed frames.
            Downward::Time(_) => {}
        }
    }

    /// Does what is due; gives the time to be called again.
    pub fn poll(&mut self, now_ms: u64, out: &mut impl FnMut(Output)) -> u64 {
        if self.on_air.is_some_and(|since_ms| now_ms - since_ms >= MODEM_MS) {
            self.on_air = None;
        }
        self.send_due(now_ms, out);
        if now_ms >= self.status_at_ms {
            self.report(now_ms, out);
        }
        let looks_again = |waiting: &Waiting| waiting.begin_ms.max(now_ms + LISTEN_AGAIN_MS);
        self.waiting.iter().map(looks_again).chain([self.status_at_ms]).min().unwrap_or(self.status_at_ms)
    }

    fn send_due(&mut self, now_ms: u64, out: &mut impl FnMut(Output)) {
        while let Some(late) = self.waiting.iter().position(|waiting| now_ms > waiting.end_ms) {
            let Waiting { id, begin_ms, end_ms, .. } = self.waiting.remove(late);
            let outcome = if end_ms - begin_ms == LATE_MS { Outcome::Late } else { Outcome::Radio };
            self.answer(now_ms, id, outcome, out);
        }
        if self.on_air.is_some() || self.carrier {
            return;
        }
        let due = self.waiting.iter().enumerate().filter(|(_, waiting)| waiting.begin_ms <= now_ms);
        // Those bound to a moment first, then the one that waits longest.
        let Some((index, _)) = due.min_by_key(|(_, waiting)| waiting.end_ms) else { return };
        let Waiting { id, frame, .. } = self.waiting.remove(index);
        let Configure { spreading_factor, bandwidth_khz, .. } = self.settings;
        let airtime_us = LoRa { spreading_factor, bandwidth_khz }.airtime_us(frame.len());
        if self.budget.take(now_ms, airtime_us).is_err() {
            return self.answer(now_ms, id, Outcome::DutyCycle, out);
        }
        self.on_air = Some(now_ms);
        out(Output::ToModem(ToModem::Send { frame }));
        self.answer(now_ms, id, Outcome::Sent, out);
    }

    fn answer(&mut self, now_ms: u64, id: u16, outcome: Outcome, out: &mut impl FnMut(Output)) {
        let counter = match outcome {
            Outcome::Sent => &mut self.status.transmitted,
            Outcome::Late | Outcome::DutyCycle | Outcome::QueueFull | Outcome::Radio => &mut self.status.refused,
        };
        *counter = counter.wrapping_add(1);
        out(Output::ToGateway(Upward::Transmitted(Transmitted { id, ticks: ticks(now_ms), outcome })));
    }

    fn report(&mut self, now_ms: u64, out: &mut impl FnMut(Output)) {
        let used_percent = u32::from(self.budget.used_percent(now_ms));
        self.status.ticks = ticks(now_ms);
        self.status.duty_permille = (used_percent * u32::from(self.settings.duty_permille) / 100) as u16;
        self.status.queued = self.waiting.len() as u16;
        out(Output::ToGateway(Upward::Status(self.status)));
        self.status_at_ms = now_ms + u64::from(self.settings.status_period_s) * 1000;
    }
}

//! The node: detectors, journal, uplink and downlink put together, driven by its board's main loop.

mod position;
mod send;

use vedette_wire::payload::{EventKind, ResetCause, Sensors, TICKS_PER_SECOND, Time};
use vedette_wire::{OpenError, version};

use crate::board::Board;
use crate::clock::{SiteClock, ticks};
use crate::detector::{Detection, Geophone, Pir, Tamper, Tripwire};
use crate::downlink::{Downlink, Heard, Order, Refused};
use crate::journal::Journal;
use crate::record::StoredEvent;
use crate::uplink::{Batch, NodeError, Sending, Uplink};

/// Firmware release, major and minor.
pub const FIRMWARE: (u8, u8) = (0, 1);
/// Hellos without an answer before waiting events go first.
const HELLO_ATTEMPTS: u8 = 4;
/// A time for all nodes is believed when it is this close to the node's own.
const BROADCAST_TRUST_TICKS: u64 = 60 * TICKS_PER_SECOND as u64;
/// How often the supply is measured.
const BATTERY_PERIOD_MS: u64 = 60_000;
/// The supply has to rise this far above a level to leave the state below it.
const BATTERY_HYSTERESIS_MV: u16 = 100;

/// How a node behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Detectors fitted.
    pub sensors: Sensors,
    /// Radio use.
    pub sending: Sending,
    /// Time between telemetry frames; four times as long on a low battery.
    pub telemetry_ms: u64,
    /// Time between two places of a node that somebody carries, where its board knows them; 0: it tells none.
    pub position_ms: u64,
    /// How long an event waits for others to share its frame, while the airtime budget is ample.
    pub gather_ms: u64,
    /// Least time between two infrared detections.
    pub pir_rearm_ms: u64,
    /// Least time between two seismic detections of one kind.
    pub seismic_rearm_ms: u64,
    /// Supply below which the node says so and saves energy, millivolts.
    pub battery_low_mv: u16,
    /// Supply below which only beams and the tamper switch are watched, millivolts.
    pub battery_critical_mv: u16,
}

/// The supply, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Supply {
    Critical,
    Low,
    Good,
}

/// A sensor node.
#[derive(Clone, Debug)]
pub struct Node {
    config: Config,
    journal: Journal,
    uplink: Uplink,
    downlink: Downlink,
    clock: SiteClock,
    pir: Pir,
    tripwire: Tripwire,
    tamper: Tamper,
    geophone: Geophone,
    reset: ResetCause,
    hello_due: bool,
    hello_attempts: u8,
    telemetry_at_ms: u64,
    position_at_ms: u64,
    /// When the oldest event of the next frame was kept.
    gathering_since_ms: Option<u64>,
    supply: Supply,
    battery_mv: u16,
    battery_at_ms: u64,
    refused: u16,
}

impl Node {
    /// Starts after a reset.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn start<B: Board>(
        config: Config,
        journal: Journal,
        reset: ResetCause,
        board: &mut B,
    ) -> Result<Self, NodeError> {
        let mut journal = journal;
        journal.update(board, |state| state.resets = state.resets.wrapping_add(1))?;
        let now_ms = board.uptime_ms();
        let uplink = Uplink::new(config.sending, &journal, now_ms)?;
        let downlink = downlink(&journal)?;
        let gathering_since_ms = (journal.waiting() > 0).then_some(now_ms);
        Ok(Self {
            config,
            journal,
            uplink,
            downlink,
            clock: SiteClock::new(),
            pir: Pir::new(config.pir_rearm_ms),
            tripwire: Tripwire::new(),
            tamper: Tamper::new(),
            geophone: Geophone::new(config.seismic_rearm_ms),
            reset,
            hello_due: true,
            hello_attempts: 0,
            telemetry_at_ms: now_ms,
            position_at_ms: now_ms,
            gathering_since_ms,
            supply: Supply::Good,
            battery_mv: 0,
            battery_at_ms: now_ms,
            refused: 0,
        })
    }

    /// What the node keeps in flash.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The node's time.
    #[must_use]
    pub const fn clock(&self) -> &SiteClock {
        &self.clock
    }

    /// Whether the receiver has to be on: the gateway speaks to a node only in answer to a frame of it.
    #[must_use]
    pub fn listens(&self, now_ms: u64) -> bool {
        now_ms < self.uplink.listens_until_ms()
    }

    /// Does what is due; to be called on every edge of an input and at the time returned, in milliseconds of uptime.
    ///
    /// # Errors
    /// [`NodeError`]: the board should record it and reset.
    pub fn poll<B: Board>(&mut self, board: &mut B) -> Result<u64, NodeError> {
        board.feed_watchdog();
        let now_ms = board.uptime_ms();
        if now_ms >= self.battery_at_ms {
            self.measure_supply(board, now_ms);
        }
        self.read_inputs(board, now_ms)?;
        if now_ms >= self.uplink.due_ms() {
            self.send_next(board, now_ms)?;
        }
        Ok(self.next_due_ms(now_ms))
    }

    /// Takes geophone samples, [`crate::detector::SAMPLE_RATE_HZ`] a second, the last of them taken now.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn samples<B: Board>(&mut self, board: &mut B, counts: &[i16]) -> Result<(), NodeError> {
        if !self.config.sensors.seismic || self.supply == Supply::Critical {
            return Ok(());
        }
        let now_ms = board.uptime_ms();
        let period_ms = 1000 / u64::from(crate::detector::SAMPLE_RATE_HZ);
        for (later, &sample) in (0..counts.len() as u64).rev().zip(counts) {
            if let Some(detection) = self.geophone.sample(now_ms.saturating_sub(later * period_ms), sample) {
                self.keep(board, detection)?;
            }
        }
        Ok(())
    }

    /// Takes a frame the radio heard. A refusal is counted in telemetry and returned for the board's log.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn received<B: Board>(&mut self, board: &mut B, frame: &[u8]) -> Result<Option<Refused>, NodeError> {
        let Self { uplink, downlink, .. } = self;
        let refusal = match downlink.open(frame, |counter| uplink.awaits(counter)) {
            Ok(heard) => self.obey(board, heard)?,
            // The air is shared: what is said to others is no fault.
            Err(Refused::Open(OpenError::UnknownNode { .. })) => None,
            Err(refused) => Some(refused),
        };
        self.refused = self.refused.wrapping_add(u16::from(refusal.is_some()));
        Ok(refusal)
    }

    fn obey<B: Board>(&mut self, board: &mut B, heard: Heard) -> Result<Option<Refused>, NodeError> {
        let now_ms = board.uptime_ms();
        let out_of_place = Refused::OutOfPlace { counter: heard.counter };
        match heard.order {
            Order::Nothing => {}
            Order::Time { time, to_all: true } if !self.trusts(now_ms, time) => return Ok(Some(out_of_place)),
            Order::Time { time, .. } => self.clock.set(now_ms, time),
            Order::NewKey(new_key) => {
                // Epochs only go forward, modulo 256: an old key cannot be brought back.
                if !is_newer(new_key.epoch, self.journal.state().epoch) {
                    return Ok(Some(out_of_place));
                }
                self.journal.add_key(board, new_key.epoch, new_key.key)?;
                let current = self.journal.state().epoch;
                self.downlink
                    .add_key(current, new_key.epoch, &new_key.key)
                    .map_err(|_| NodeError::NoKey { epoch: new_key.epoch })?;
                (self.hello_due, self.hello_attempts) = (true, 0);
            }
            Order::Acknowledged { acknowledgement, epoch } => {
                self.uplink.speak(acknowledgement.version.min(version::CURRENT));
                self.hello_attempts = 0;
                match self.uplink.acknowledged() {
                    Some(Batch::Hello) => self.hello_acknowledged(board, epoch)?,
                    Some(Batch::Events { upto }) => {
                        self.journal.acknowledge(board, upto)?;
                        self.gathering_since_ms = (self.journal.waiting() > 0).then_some(0);
                    }
                    None => {}
                }
            }
        }
        Ok(None)
    }

    fn hello_acknowledged<B: Board>(&mut self, board: &mut B, epoch: u8) -> Result<(), NodeError> {
        // A hello under the old key leaves the new one still to be said; it is tried again with the next telemetry.
        self.hello_due = false;
        if epoch != self.journal.state().epoch {
            self.journal.update(board, |state| state.epoch = epoch)?;
            self.downlink.keep_only(epoch);
        }
        Ok(())
    }

    fn newer_key(&self) -> Option<u8> {
        let current = self.journal.state().epoch;
        self.journal.other_key().map(|(epoch, _)| epoch).filter(|&epoch| is_newer(epoch, current))
    }

    fn trusts(&self, now_ms: u64, time: Time) -> bool {
        self.clock.unix_ticks(now_ms).is_some_and(|own| own.abs_diff(time.ticks()) <= BROADCAST_TRUST_TICKS)
    }

    fn measure_supply<B: Board>(&mut self, board: &mut B, now_ms: u64) {
        self.battery_mv = board.battery_mv();
        self.battery_at_ms = now_ms + BATTERY_PERIOD_MS;
        let judge = |mv: u16| match mv {
            mv if mv < self.config.battery_critical_mv => Supply::Critical,
            mv if mv < self.config.battery_low_mv => Supply::Low,
            _ => Supply::Good,
        };
        let down = judge(self.battery_mv);
        let up = judge(self.battery_mv.saturating_sub(BATTERY_HYSTERESIS_MV));
        self.supply = self.supply.clamp(up.min(down), down);
    }

    fn read_inputs<B: Board>(&mut self, board: &mut B, now_ms: u64) -> Result<(), NodeError> {
        let inputs = board.inputs();
        let sensors = self.config.sensors;
        let found = [
            self.tamper.read(now_ms, inputs.tamper),
            if sensors.tripwire { self.tripwire.read(now_ms, inputs.beam_left, inputs.beam_right) } else { None },
            if sensors.pir && self.supply > Supply::Critical { self.pir.read(now_ms, inputs.pir) } else { None },
        ];
        for detection in found.into_iter().flatten() {
            self.keep(board, detection)?;
        }
        Ok(())
    }

    /// Makes a detection durable; from here on it is not lost by a reset.
    fn keep<B: Board>(&mut self, board: &mut B, detection: Detection) -> Result<(), NodeError> {
        let Detection { kind, began_ms, duration_ms, strength_half_db } = detection;
        let event = StoredEvent {
            number: 0,
            kind,
            strength_half_db,
            duration_ticks: u16::try_from(ticks(duration_ms)).unwrap_or(u16::MAX),
            resets: self.journal.state().resets,
            uptime_ticks: u32::try_from(ticks(began_ms)).unwrap_or(u32::MAX),
            unix_ticks: self.clock.unix_ticks(began_ms),
        };
        self.journal.append_event(board, event)?;
        let urgent = matches!(kind, EventKind::Tamper(_) | EventKind::Tripwire(_));
        let since_ms = if urgent { 0 } else { board.uptime_ms() };
        self.gathering_since_ms = Some(self.gathering_since_ms.map_or(since_ms, |at_ms| at_ms.min(since_ms)));
        Ok(())
    }
}

/// Whether key epoch `a` comes after `b`, on the circle of 256.
const fn is_newer(a: u8, b: u8) -> bool {
    let ahead = a.wrapping_sub(b);
    ahead > 0 && ahead < 128
}

fn downlink(journal: &Journal) -> Result<Downlink, NodeError> {
    let current = journal.state().epoch;
    let key = journal.key(current).ok_or(NodeError::NoKey { epoch: current })?;
    let no_key = |_| NodeError::NoKey { epoch: current };
    let mut downlink = Downlink::new(journal.state().node, journal.broadcast()).map_err(no_key)?;
    downlink.add_key(current, current, &key).map_err(no_key)?;
    if let Some((epoch, key)) = journal.other_key().filter(|(epoch, _)| is_newer(*epoch, current)) {
        downlink.add_key(current, epoch, &key).map_err(no_key)?;
    }
    Ok(downlink)
}

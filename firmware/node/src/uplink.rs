//! Sending: one frame at a time until it is acknowledged, under counters reserved ahead and within the airtime allowed.

use thiserror::Error;
use vedette_wire::{Direction, Key, LoRa, Payload, PayloadError, SealError, Sealer};

use crate::airtime::Budget;
use crate::board::{Board, FlashError};
use crate::journal::Journal;

/// Frame counters reserved in flash at once: so many are skipped by a reset, and one flash record serves so many frames.
pub const RESERVED_AHEAD: u32 = 256;

/// Why a node cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NodeError {
    /// The flash failed; a reset may help, for the journal begins a new page then.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// A frame could not be sealed: its counter is used up.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A value of the board is outside what a payload can say.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The key in use is not in flash.
    #[error("the key of epoch {epoch} is not in flash")]
    NoKey {
        /// The key epoch.
        epoch: u8,
    },
}

/// How frames are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Radio settings.
    pub lora: LoRa,
    /// Greatest share of an hour on the air, per mille.
    pub duty_permille: u16,
    /// Time to wait for the first acknowledgement before sending again; doubles with each attempt.
    pub acknowledgement_ms: u64,
    /// Longest time between attempts.
    pub retry_max_ms: u64,
}

/// What waits for its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    /// The first frame after a reset or of a new key.
    Hello,
    /// Events before this number.
    Events { upto: u16 },
}

/// Frames sent for one batch: an acknowledgement of any of them is one of the batch.
#[derive(Clone, Copy, Debug)]
struct Pending {
    batch: Batch,
    first: u32,
    last: u32,
    attempts: u8,
    again_ms: u64,
}

/// The sending half of a node.
#[derive(Clone, Debug)]
pub(crate) struct Uplink {
    sending: Sending,
    sealer: Sealer,
    budget: Budget,
    pending: Option<Pending>,
    /// The channel was busy or the budget spent: nothing before this time.
    not_before_ms: u64,
    listens_until_ms: u64,
    pub(crate) retransmitted: u16,
}

impl Uplink {
    pub(crate) fn new(sending: Sending, journal: &Journal, now_ms: u64) -> Result<Self, NodeError> {
        let state = journal.state();
        let key = journal.key(state.epoch).ok_or(NodeError::NoKey { epoch: state.epoch })?;
        // Counters below the limit may have been used before the reset; none is reserved yet.
        let limit = state.counter_limit;
        let sealer = Sealer::new(&key, Direction::Up, state.epoch, state.node, limit, limit);
        let budget = Budget::new(sending.duty_permille, now_ms);
        Ok(Self {
            sending,
            sealer,
            budget,
            pending: None,
            not_before_ms: now_ms,
            listens_until_ms: 0,
            retransmitted: 0,
        })
    }

    /// Seals under another key from now on. The counter goes on: one counter for life.
    pub(crate) fn use_key(&mut self, node: u32, epoch: u8, key: &Key) {
        if self.sealer.epoch() != epoch {
            let (next, version) = (self.sealer.next_counter(), self.sealer.version());
            self.sealer = Sealer::new(key, Direction::Up, epoch, node, next, next + self.sealer.reserved());
            self.sealer.speak(version);
        }
    }

    pub(crate) fn speak(&mut self, version: u8) {
        self.sealer.speak(version);
    }

    /// The version that the gateway is known to understand.
    pub(crate) fn version(&self) -> u8 {
        self.sealer.version()
    }

    pub(crate) fn airtime_percent(&mut self, now_ms: u64) -> u8 {
        self.budget.used_percent(now_ms)
    }

    /// What is being sent, and how often it was.
    pub(crate) fn pending(&self) -> Option<(Batch, u8)> {
        self.pending.map(|pending| (pending.batch, pending.attempts))
    }

    pub(crate) fn awaits(&self, counter: u32) -> bool {
        self.pending.is_some_and(|pending| (pending.first..=pending.last).contains(&counter))
    }

    /// The batch under way is acknowledged.
    pub(crate) fn acknowledged(&mut self) -> Option<Batch> {
        self.pending.take().map(|pending| pending.batch)
    }

    /// Gives up waiting, for something more urgent.
    pub(crate) fn abandon(&mut self) {
        self.pending = None;
    }

    /// Until when an answer to the last frame may come.
    pub(crate) fn listens_until_ms(&self) -> u64 {
        self.listens_until_ms
    }

    /// When the next attempt is due.
    pub(crate) fn due_ms(&self) -> u64 {
        self.not_before_ms.max(self.pending.map_or(0, |pending| pending.again_ms))
    }

    /// Seals and sends one frame, now; false when channel or budget did not allow it. A `batch` then waits for its
    /// acknowledgement; without one the frame is sent once.
    pub(crate) fn send<B: Board>(
        &mut self,
        board: &mut B,
        journal: &mut Journal,
        payload: &Payload,
        batch: Option<Batch>,
    ) -> Result<bool, NodeError> {
        let now_ms = board.uptime_ms();
        let bytes = payload.encode()?;
        if board.channel_busy() {
            self.not_before_ms = now_ms + 20 + u64::from(board.random() % 256);
            return Ok(false);
        }
        let frame_len = vedette_wire::HEADER_LEN + bytes.len() + vedette_wire::TAG_LEN;
        if let Err(later_ms) = self.budget.take(now_ms, self.sending.lora.airtime_us(frame_len)) {
            self.not_before_ms = later_ms;
            return Ok(false);
        }
        if self.sealer.reserved() == 0 {
            let limit = self.sealer.next_counter().saturating_add(RESERVED_AHEAD);
            journal.update(board, |state| state.counter_limit = limit)?;
            self.sealer.extend(limit);
        }
        let counter = self.sealer.next_counter();
        let frame = self.sealer.seal(&bytes)?;
        board.transmit(&frame);
        self.listens_until_ms = now_ms + self.sending.acknowledgement_ms;
        if let Some(batch) = batch {
            self.wait_for(now_ms, board.random(), batch, counter);
        }
        Ok(true)
    }

    fn wait_for(&mut self, now_ms: u64, random: u32, batch: Batch, counter: u32) {
        let before = self.pending.filter(|pending| pending.batch == batch);
        let (first, attempts) = before.map_or((counter, 0), |pending| (pending.first, pending.attempts));
        self.retransmitted = self.retransmitted.wrapping_add(u16::from(attempts > 0));
        let wait_ms = self.sending.acknowledgement_ms << attempts.min(16);
        let wait_ms = wait_ms.min(self.sending.retry_max_ms).max(1);
        // Up to half as long again, so that nodes that collided do not meet again.
        let again_ms = now_ms + wait_ms + u64::from(random) % (wait_ms / 2 + 1);
        self.pending = Some(Pending { batch, first, last: counter, attempts: attempts.saturating_add(1), again_ms });
    }
}

//! The sending end: turns payloads into sealed frames under a counter that never repeats.

use thiserror::Error;

use crate::frame::{Direction, HEADER_LEN, Header, MAX_PAYLOAD, SealedFrame, TAG_LEN};
use crate::key::{Cipher, Key};
use crate::version;

/// Why a payload was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// The payload does not fit a frame.
    #[error("expected a payload of 1 to {MAX_PAYLOAD} bytes, got {got}")]
    Length {
        /// Bytes of the payload.
        got: usize,
    },
    /// Every reserved counter is used: reserve more in durable storage, then [`Sealer::extend`].
    #[error("frame counter {next} of node {node} is not reserved yet")]
    NotReserved {
        /// The node.
        node: u32,
        /// The counter the frame would have had.
        next: u32,
    },
    /// The counter is at its end; only a new key may go on.
    #[error("frame counter of node {node} in key epoch {epoch} is used up")]
    Exhausted {
        /// The node.
        node: u32,
        /// The key epoch that has to end.
        epoch: u8,
    },
}

impl SealError {
    /// One stable word for counters and logs.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Length { .. } => "length",
            Self::NotReserved { .. } => "not_reserved",
            Self::Exhausted { .. } => "counter_exhausted",
        }
    }
}

/// Seals payloads of one sender under one key.
///
/// A nonce is the frame's header; under one key it is unique while the counter never repeats. So the sealer counts up only,
/// stays below a limit that its owner has made durable beforehand, and ends at `u32::MAX` instead of wrapping.
#[derive(Clone, Debug)]
pub struct Sealer {
    cipher: Cipher,
    version: u8,
    direction: Direction,
    epoch: u8,
    node: u32,
    next: u32,
    limit: u32,
}

impl Sealer {
    /// A sealer that starts with counter `next` and may use counters below `limit`, and speaks the oldest version until it is
    /// told to speak another. After a restart, `next` is the durable limit of the time before.
    #[must_use]
    pub fn new(key: &Key, direction: Direction, epoch: u8, node: u32, next: u32, limit: u32) -> Self {
        Self { cipher: Cipher::new(key), version: version::MIN, direction, epoch, node, next, limit }
    }

    /// Speaks this version from now on; out of range values are brought into [`version::MIN`] to [`version::CURRENT`].
    pub fn speak(&mut self, version: u8) {
        self.version = version.clamp(version::MIN, version::CURRENT);
    }

    /// The version it speaks.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// Raises the limit once the reservation of all counters below it is durable. A lower limit changes nothing.
    pub fn extend(&mut self, limit: u32) {
        self.limit = self.limit.max(limit);
    }

    /// The counter of the next frame.
    #[must_use]
    pub const fn next_counter(&self) -> u32 {
        self.next
    }

    /// How many frames can be sealed before [`Sealer::extend`] is needed.
    #[must_use]
    pub const fn reserved(&self) -> u32 {
        self.limit.saturating_sub(self.next)
    }

    /// The key epoch this sealer seals under.
    #[must_use]
    pub const fn epoch(&self) -> u8 {
        self.epoch
    }

    /// Seals one payload under the next counter.
    ///
    /// # Errors
    /// [`SealError`]; the counter is not used up by a refusal.
    pub fn seal(&mut self, payload: &[u8]) -> Result<SealedFrame, SealError> {
        let length = SealError::Length { got: payload.len() };
        if payload.is_empty() {
            return Err(length);
        }
        if self.next == u32::MAX {
            return Err(SealError::Exhausted { node: self.node, epoch: self.epoch });
        }
        if self.next >= self.limit {
            return Err(SealError::NotReserved { node: self.node, next: self.next });
        }
        let (version, direction, epoch, node) = (self.version, self.direction, self.epoch, self.node);
        let header = Header { version, direction, epoch, node, counter: self.next }.to_bytes();
        if payload.len() > MAX_PAYLOAD {
            return Err(length);
        }
        let mut frame = [0; HEADER_LEN + MAX_PAYLOAD + TAG_LEN];
        let end = HEADER_LEN + payload.len();
        frame[..HEADER_LEN].copy_from_slice(&header);
        frame[HEADER_LEN..end].copy_from_slice(payload);
        let tag = self.cipher.seal(&header, &mut frame[HEADER_LEN..end]).ok_or(length)?;
        frame[end..end + TAG_LEN].copy_from_slice(&tag);
        let sealed = SealedFrame::from_slice(&frame[..end + TAG_LEN]).map_err(|_| length)?;
        self.next += 1;
        Ok(sealed)
    }
}

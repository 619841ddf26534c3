//! Sliding replay window: which counters of a sender were already taken in.

use thiserror::Error;

/// How far behind the newest counter a frame may arrive.
pub const WINDOW: u32 = 64;

/// What the window knows about a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never taken in: to be processed.
    Fresh,
    /// Taken in before: to be acknowledged again, not to be processed again.
    Repeat,
    /// So far behind that the window cannot tell; refused.
    TooOld {
        /// The oldest counter the window still tells.
        oldest: u32,
    },
}

/// The newest counter taken in and a bit for each of the [`WINDOW`] counters up to it (RFC 6479 without the ring, as 64 are
/// enough: a node waits for its acknowledgement before it counts on).
///
/// A plain value: it changes only by [`ReplayWindow::accept`], and [`ReplayWindow::to_bytes`] is what a store keeps in the
/// transaction of the data it guards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayWindow {
    newest: u32,
    /// Bit `i` stands for counter `newest - i`. Zero before the first counter, never zero after.
    seen: u64,
}

/// Stored bytes that no window ever wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("stored replay window is damaged: newest {newest}, seen {seen:#018x}")]
pub struct WindowError {
    /// The newest counter as stored.
    pub newest: u32,
    /// The bits as stored.
    pub seen: u64,
}

impl ReplayWindow {
    /// Length of the stored form.
    pub const STORED_LEN: usize = 12;

    /// A window that has taken in nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { newest: 0, seen: 0 }
    }

    /// A window that has taken in everything up to `counter`: for a receiver without a store, which lets a frame that must be
    /// fresh by its content close the door behind itself.
    #[must_use]
    pub const fn through(counter: u32) -> Self {
        let seen = if counter < WINDOW - 1 { (1 << (counter + 1)) - 1 } else { u64::MAX };
        Self { newest: counter, seen }
    }

    /// The newest counter taken in.
    #[must_use]
    pub const fn newest(&self) -> Option<u32> {
        if self.seen == 0 { None } else { Some(self.newest) }
    }

    /// What is known about `counter`.
    #[must_use]
    pub const fn standing(&self, counter: u32) -> Standing {
        if self.seen == 0 || counter > self.newest {
            return Standing::Fresh;
        }
        let behind = self.newest - counter;
        if behind >= WINDOW {
            Standing::TooOld { oldest: self.newest - (WINDOW - 1) }
        } else if self.seen >> behind & 1 == 1 {
            Standing::Repeat
        } else {
            Standing::Fresh
        }
    }

    /// Takes `counter` in. A repeat or a counter too old to tell changes nothing.
    pub const fn accept(&mut self, counter: u32) {
        if self.seen == 0 {
            self.newest = counter;
            self.seen = 1;
        } else if counter > self.newest {
            let ahead = counter - self.newest;
            self.seen = if ahead < WINDOW { self.seen << ahead | 1 } else { 1 };
            self.newest = counter;
        } else if self.newest - counter < WINDOW {
            self.seen |= 1 << (self.newest - counter);
        }
    }

    /// The stored form: newest counter (u32), then the bits (u64), little-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::STORED_LEN] {
        let mut bytes = [0; Self::STORED_LEN];
        bytes[..4].copy_from_slice(&self.newest.to_le_bytes());
        bytes[4..].copy_from_slice(&self.seen.to_le_bytes());
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`WindowError`] when no sequence of [`ReplayWindow::accept`] leads to these bytes.
    pub fn from_bytes(bytes: [u8; Self::STORED_LEN]) -> Result<Self, WindowError> {
        let [n0, n1, n2, n3, s @ ..] = bytes;
        let (newest, seen) = (u32::from_le_bytes([n0, n1, n2, n3]), u64::from_le_bytes(s));
        let empty = newest == 0 && seen == 0;
        let before_zero = if newest < WINDOW - 1 { seen >> (newest + 1) } else { 0 };
        if empty || (seen & 1 == 1 && before_zero == 0) {
            Ok(Self { newest, seen })
        } else {
            Err(WindowError { newest, seen })
        }
    }
}

//! The receiving end: authenticates frames of one node and tells fresh ones from repeats.

use heapless::Vec;
use thiserror::Error;

use crate::frame::{Direction, HEADER_LEN, Header, MAX_FRAME, PayloadBytes, TAG_LEN};
use crate::key::{Cipher, Key};
use crate::version;
use crate::window::{ReplayWindow, Standing};

/// How many keys of a node are known at once: the one in use, the one before, the one to come.
pub const MAX_EPOCHS: usize = 3;

/// Why a frame was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Too few bytes for header and tag.
    #[error("expected at least {} bytes, got {got}", HEADER_LEN + TAG_LEN + 1)]
    TooShort {
        /// Bytes of the frame.
        got: usize,
    },
    /// More bytes than a frame can have.
    #[error("expected at most {MAX_FRAME} bytes, got {got}")]
    TooLong {
        /// Bytes of the frame.
        got: usize,
    },
    /// A version this build does not understand.
    #[error("expected version {} to {}, got {got}", version::MIN, version::CURRENT)]
    Version {
        /// The version of the frame.
        got: u8,
    },
    /// Bits that have to be zero are not.
    #[error("reserved bits are set in first byte {got:#04x}")]
    Reserved {
        /// The first byte of the frame.
        got: u8,
    },
    /// A frame that travels the other way, such as our own echo.
    #[error("frame travels {got:?}, which is not received here")]
    Direction {
        /// The direction of the frame.
        got: Direction,
    },
    /// No keys are known for this node.
    #[error("node {node} is not known")]
    UnknownNode {
        /// The node id of the frame.
        node: u32,
    },
    /// The node is known, this key of it is not.
    #[error("key epoch {epoch} of node {node} is not known")]
    UnknownEpoch {
        /// The node id of the frame.
        node: u32,
        /// The key epoch of the frame.
        epoch: u8,
    },
    /// The tag does not fit: damaged, forged, or sealed with another key.
    #[error("frame {counter} of node {node}, key epoch {epoch}, does not authenticate")]
    Forged {
        /// The node id of the frame.
        node: u32,
        /// The key epoch of the frame.
        epoch: u8,
        /// The counter of the frame.
        counter: u32,
    },
    /// Authentic, but too far behind the newest counter to tell whether it is a replay.
    #[error("frame {counter} of node {node} is behind the replay window, which begins at {oldest}")]
    TooOld {
        /// The node id of the frame.
        node: u32,
        /// The counter of the frame.
        counter: u32,
        /// The oldest counter that can still be told.
        oldest: u32,
    },
}

impl OpenError {
    /// One stable word for counters and logs.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::Version { .. } => "version",
            Self::Reserved { .. } => "reserved_bits",
            Self::Direction { .. } => "direction",
            Self::UnknownNode { .. } => "unknown_node",
            Self::UnknownEpoch { .. } => "unknown_epoch",
            Self::Forged { .. } => "forged",
            Self::TooOld { .. } => "too_old",
        }
    }
}

/// An authentic frame, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its header.
    pub header: Header,
    /// Its payload in the clear, encoded.
    pub payload: PayloadBytes,
    /// Its counter was taken in before: acknowledge it again, do not process it again.
    pub repeat: bool,
}

/// A key with the window of the counters seen under it.
#[derive(Clone, Debug)]
struct Epoch {
    epoch: u8,
    cipher: Cipher,
    window: ReplayWindow,
}

/// Opens the frames of one node in one direction.
///
/// Opening changes nothing. Once the frame's consequences are durable, [`Opener::accept`] takes its counter in; a store that
/// wants both in one transaction asks [`Opener::window_after`] first. Each key epoch has its own window, for a node that got
/// a new key may begin to count anew.
///
/// `EPOCHS` is the number of keys it has room for; a node, where memory is scarce, needs fewer than a gateway.
#[derive(Clone, Debug)]
pub struct Opener<const EPOCHS: usize = MAX_EPOCHS> {
    node: u32,
    direction: Direction,
    epochs: Vec<Epoch, EPOCHS>,
}

/// More keys than an opener has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("node {node} has as many keys as there is room for; remove one before adding key epoch {epoch}")]
pub struct TooManyEpochs {
    /// The node.
    pub node: u32,
    /// The key epoch that found no room.
    pub epoch: u8,
}

impl Opener {
    /// An opener without keys for the frames of `node` that travel in `direction`, with room for [`MAX_EPOCHS`].
    #[must_use]
    pub const fn new(node: u32, direction: Direction) -> Self {
        Self::with_room(node, direction)
    }
}

impl<const EPOCHS: usize> Opener<EPOCHS> {
    /// An opener without keys for the frames of `node` that travel in `direction`, with room for `EPOCHS`.
    #[must_use]
    pub const fn with_room(node: u32, direction: Direction) -> Self {
        Self { node, direction, epochs: Vec::new() }
    }

    /// Adds a key, or replaces the one of that epoch, with the window restored from the store or a new one.
    ///
    /// # Errors
    /// [`TooManyEpochs`].
    pub fn add_key(&mut self, epoch: u8, key: &Key, window: ReplayWindow) -> Result<(), TooManyEpochs> {
        self.remove_key(epoch);
        let entry = Epoch { epoch, cipher: Cipher::new(key), window };
        self.epochs.push(entry).map_err(|_| TooManyEpochs { node: self.node, epoch })
    }

    /// Forgets a key and its window; whether it was known.
    pub fn remove_key(&mut self, epoch: u8) -> bool {
        let before = self.epochs.len();
        self.epochs.retain(|entry| entry.epoch != epoch);
        self.epochs.len() < before
    }

    /// The node whose frames this opens.
    #[must_use]
    pub const fn node(&self) -> u32 {
        self.node
    }

    /// Known key epochs with their windows.
    pub fn windows(&self) -> impl Iterator<Item = (u8, ReplayWindow)> {
        self.epochs.iter().map(|entry| (entry.epoch, entry.window))
    }

    /// Authenticates and decrypts one frame. The tag is checked before the window, so every answer about a counter is about a
    /// frame its node really sent.
    ///
    /// # Errors
    /// [`OpenError`]; the opener is unchanged in any case.
    pub fn open(&self, frame: &[u8]) -> Result<Opened, OpenError> {
        let header = Header::parse(frame)?;
        let Header { node, epoch, counter, direction, .. } = header;
        if direction != self.direction {
            return Err(OpenError::Direction { got: direction });
        }
        if node != self.node {
            return Err(OpenError::UnknownNode { node });
        }
        let entry = self.entry(epoch).ok_or(OpenError::UnknownEpoch { node, epoch })?;
        let payload = authenticate(&entry.cipher, header, frame)?;
        match entry.window.standing(counter) {
            Standing::Fresh => Ok(Opened { header, payload, repeat: false }),
            Standing::Repeat => Ok(Opened { header, payload, repeat: true }),
            Standing::TooOld { oldest } => Err(OpenError::TooOld { node, counter, oldest }),
        }
    }

    /// The window as it will be once `opened` is accepted: what a store commits together with the frame's consequences.
    /// `None` when the frame's key has been removed since.
    #[must_use]
    pub fn window_after(&self, opened: &Opened) -> Option<ReplayWindow> {
        let mut window = self.entry(opened.header.epoch)?.window;
        window.accept(opened.header.counter);
        Some(window)
    }

    /// Takes the counter of an opened frame in; from now on it is a repeat.
    pub fn accept(&mut self, opened: &Opened) {
        if let Some(entry) = self.epochs.iter_mut().find(|entry| entry.epoch == opened.header.epoch) {
            entry.window.accept(opened.header.counter);
        }
    }

    /// Takes everything up to `counter` under the key of `epoch` in: see [`ReplayWindow::through`].
    pub fn close(&mut self, epoch: u8, counter: u32) {
        if let Some(entry) = self.epochs.iter_mut().find(|entry| entry.epoch == epoch) {
            entry.window = ReplayWindow::through(counter);
        }
    }

    fn entry(&self, epoch: u8) -> Option<&Epoch> {
        self.epochs.iter().find(|entry| entry.epoch == epoch)
    }
}

fn authenticate(cipher: &Cipher, header: Header, frame: &[u8]) -> Result<PayloadBytes, OpenError> {
    let too_short = OpenError::TooShort { got: frame.len() };
    let (clear, sealed) = frame.split_first_chunk::<HEADER_LEN>().ok_or(too_short)?;
    let (text, tag) = sealed.split_last_chunk::<TAG_LEN>().ok_or(too_short)?;
    if text.is_empty() {
        return Err(too_short);
    }
    let mut payload = PayloadBytes::from_slice(text).map_err(|_| OpenError::TooLong { got: frame.len() })?;
    if cipher.open(clear, &mut payload, *tag) {
        Ok(payload)
    } else {
        let Header { node, epoch, counter, .. } = header;
        Err(OpenError::Forged { node, epoch, counter })
    }
}

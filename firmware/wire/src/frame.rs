//! The radio frame's header and its sizes.

use heapless::Vec;

use crate::open::OpenError;
use crate::version;

/// Longest radio frame: the smallest payload any LoRa regional plan guarantees, at its slowest data rate.
pub const MAX_FRAME: usize = 51;
/// Bytes before the sealed payload.
pub const HEADER_LEN: usize = 10;
/// Bytes of the authentication tag at the end.
pub const TAG_LEN: usize = 8;
/// Longest payload before sealing.
pub const MAX_PAYLOAD: usize = MAX_FRAME - HEADER_LEN - TAG_LEN;
/// Bytes of the CCM nonce.
pub(crate) const NONCE_LEN: usize = 13;

/// The node id of frames to every node; it has a key of its own, which every node of a site holds.
pub const BROADCAST: u32 = 0;

/// A sealed frame, ready for the radio.
pub type SealedFrame = Vec<u8, MAX_FRAME>;
/// An encoded payload, before sealing or after opening.
pub type PayloadBytes = Vec<u8, MAX_PAYLOAD>;

/// Which way a frame travels; part of the nonce, so that both ends may count from zero under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From a node to the gateway.
    Up,
    /// From the gateway to a node.
    Down,
}

/// The clear but authenticated start of a radio frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Protocol version, within [`version::MIN`] to [`version::CURRENT`].
    pub version: u8,
    /// Which way the frame travels.
    pub direction: Direction,
    /// Which of the node's keys sealed it.
    pub epoch: u8,
    /// Sender of an upward, receiver of a downward frame.
    pub node: u32,
    /// The sender's frame counter.
    pub counter: u32,
}

impl Header {
    /// Reads the header of a whole frame. Nothing in it is authenticated yet.
    ///
    /// # Errors
    /// [`OpenError::TooShort`], [`OpenError::TooLong`], [`OpenError::Version`] or [`OpenError::Reserved`].
    pub fn parse(frame: &[u8]) -> Result<Self, OpenError> {
        if frame.len() > MAX_FRAME {
            return Err(OpenError::TooLong { got: frame.len() });
        }
        let Some(([first, epoch, id @ .., c0, c1, c2, c3], _)) = frame.split_first_chunk::<HEADER_LEN>() else {
            return Err(OpenError::TooShort { got: frame.len() });
        };
        if frame.len() < HEADER_LEN + TAG_LEN {
            return Err(OpenError::TooShort { got: frame.len() });
        }
        let version = first >> 4;
        if !(version::MIN..=version::CURRENT).contains(&version) {
            return Err(OpenError::Version { got: version });
        }
        let direction = match first & 0x0F {
            0 => Direction::Up,
            1 => Direction::Down,
            _ => return Err(OpenError::Reserved { got: *first }),
        };
        Ok(Self {
            version,
            direction,
            epoch: *epoch,
            node: u32::from_le_bytes(*id),
            counter: u32::from_le_bytes([*c0, *c1, *c2, *c3]),
        })
    }

    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let direction = match self.direction {
            Direction::Up => 0,
            Direction::Down => 1,
        };
        let [n0, n1, n2, n3] = self.node.to_le_bytes();
        let [c0, c1, c2, c3] = self.counter.to_le_bytes();
        [self.version << 4 | direction, self.epoch, n0, n1, n2, n3, c0, c1, c2, c3]
    }
}

//! Serial lines: COBS frames with a checksum, and the messages between concentrator and gateway, host and modem, bench and node.

mod accumulator;
mod bench;
mod downward;
mod modem;
mod ticks;
mod upward;

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use heapless::Vec;
use thiserror::Error;

pub use self::accumulator::{Accumulator, Fed};
pub use self::bench::{Bench, MAX_SAMPLES};
pub use self::downward::{Configure, Downward, Transmit};
pub use self::modem::{FromModem, ToModem};
pub use self::ticks::{TICK_US, TickClock};
pub use self::upward::{Outcome, Received, Started, Status, Transmitted, Upward};

use crate::bytes::{Reader, Writer};
use crate::frame::MAX_FRAME;
use crate::version;

/// Ends each frame on the line, and begins the first.
pub const DELIMITER: u8 = 0;
/// Longest message, with version, kind and checksum, before stuffing.
pub const MAX_MESSAGE: usize = 2 + 10 + MAX_FRAME + 4;
/// Longest frame on the line: COBS adds one byte (below 254), the delimiter another.
pub const MAX_LINE: usize = MAX_MESSAGE + 2;

/// A frame for the line, stuffed, with its delimiter.
pub type LineFrame = Vec<u8, MAX_LINE>;

const CHECKSUM_LEN: usize = 4;
const CHECKSUM: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// Why a frame on the line was refused, or a message has no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// Bytes before the first delimiter: the line was opened within a frame, or carried noise.
    #[error("{len} bytes before the first delimiter")]
    Noise {
        /// How many bytes.
        len: usize,
    },
    /// No delimiter within the longest frame; what follows up to the next one is skipped.
    #[error("frame is longer than {MAX_LINE} bytes")]
    Overlong,
    /// Not a COBS frame.
    #[error("{len} bytes are not a stuffed frame")]
    Stuffing {
        /// Bytes between the delimiters.
        len: usize,
    },
    /// Too short for version, kind and checksum.
    #[error("frame of {got} bytes is too short")]
    TooShort {
        /// Bytes after removing the stuffing.
        got: usize,
    },
    /// The checksum differs.
    #[error("checksum is {got:#010x}, calculated {calculated:#010x}")]
    Checksum {
        /// As it came.
        got: u32,
        /// As the bytes have it.
        calculated: u32,
    },
    /// A version this build does not understand.
    #[error("expected version {} to {}, got {got}", version::MIN, version::LINK)]
    Version {
        /// As it came.
        got: u8,
    },
    /// A message kind this build does not know in this direction.
    #[error("message kind {got} is not known")]
    Kind {
        /// As it came.
        got: u8,
    },
    /// The message ends within its fields, has bytes left over, or a radio frame too long.
    #[error("message of kind {kind} cannot have {got} bytes")]
    Length {
        /// The message kind.
        kind: u8,
        /// Bytes of the message behind its kind.
        got: usize,
    },
    /// A field holds a value outside its range.
    #[error("{field} is {got}, outside its range")]
    Range {
        /// The field, with its unit.
        field: &'static str,
        /// The value.
        got: i64,
    },
}

impl LinkError {
    /// One stable word for counters and logs.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Noise { .. } => "noise",
            Self::Overlong => "overlong",
            Self::Stuffing { .. } => "stuffing",
            Self::TooShort { .. } => "link_too_short",
            Self::Checksum { .. } => "checksum",
            Self::Version { .. } => "link_version",
            Self::Kind { .. } => "link_kind",
            Self::Length { .. } => "link_length",
            Self::Range { .. } => "link_range",
        }
    }
}

/// Room for one message before stuffing.
pub(crate) type MessageWriter = Writer<MAX_MESSAGE>;

/// A message of one direction of the link.
pub trait Message: Sized + sealed::Fields {
    /// The frame to be written to the line, delimiter included.
    ///
    /// # Errors
    /// [`LinkError::Range`] for a value that has no encoding.
    fn encode(&self) -> Result<LineFrame, LinkError> {
        let mut out = MessageWriter::new();
        out.u8(version::LINK);
        self.write(&mut out)?;
        let overlong = LinkError::Overlong;
        let mut message = out.finish().ok_or(overlong)?;
        let checksum = CHECKSUM.checksum(&message);
        message.extend_from_slice(&checksum.to_le_bytes()).map_err(|_| overlong)?;
        let mut stuffed = [0; MAX_LINE];
        let len = cobs::try_encode(&message, &mut stuffed).map_err(|_| overlong)?;
        // One byte behind the stuffing is still zero: the delimiter.
        LineFrame::from_slice(&stuffed[..=len]).map_err(|_| overlong)
    }

    /// Reads what stood between two delimiters; removes the stuffing in place.
    ///
    /// # Errors
    /// [`LinkError`], for any bytes that [`Message::encode`] does not make.
    fn decode(stuffed: &mut [u8]) -> Result<Self, LinkError> {
        let stuffing = LinkError::Stuffing { len: stuffed.len() };
        let canonical = canonical_stuffing(stuffed);
        let len = cobs::decode_in_place(stuffed).map_err(|_| stuffing)?;
        let message = stuffed.get(..len).filter(|_| canonical).ok_or(stuffing)?;
        let too_short = LinkError::TooShort { got: len };
        let (body, checksum) = message.split_last_chunk::<CHECKSUM_LEN>().ok_or(too_short)?;
        let got = u32::from_le_bytes(*checksum);
        let calculated = CHECKSUM.checksum(body);
        if got != calculated {
            return Err(LinkError::Checksum { got, calculated });
        }
        let [version, kind, fields @ ..] = body else { return Err(too_short) };
        if !(version::MIN..=version::LINK).contains(version) {
            return Err(LinkError::Version { got: *version });
        }
        let mut reader = Reader::new(fields);
        let length = LinkError::Length { kind: *kind, got: fields.len() };
        let message = Self::read(*kind, &mut reader).ok_or(length)??;
        if reader.left() > 0 { Err(length) } else { Ok(message) }
    }
}

/// Whether each code byte leads exactly to the next and the last to the end.
fn canonical_stuffing(stuffed: &[u8]) -> bool {
    let mut rest = stuffed;
    while let Some((&code, _)) = rest.split_first() {
        match rest.get(usize::from(code)..) {
            Some(next) if code != 0 => rest = next,
            _ => return false,
        }
    }
    !stuffed.is_empty()
}

mod sealed {
    use super::{LinkError, MessageWriter};
    use crate::bytes::Reader;

    /// Fields of a message; `None` when the bytes end within them.
    pub trait Fields: Sized {
        #[expect(private_interfaces, reason = "the trait is sealed")]
        fn write(&self, out: &mut MessageWriter) -> Result<(), LinkError>;
        #[expect(private_interfaces, reason = "the trait is sealed")]
        fn read(kind: u8, reader: &mut Reader<'_>) -> Option<Result<Self, LinkError>>;
    }
}

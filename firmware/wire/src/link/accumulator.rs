//! Bytes of a serial line in, however they are split, messages and faults out.

use core::marker::PhantomData;

use heapless::Vec;

use super::{DELIMITER, LinkError, MAX_LINE, Message};

/// Collects the bytes of one frame at a time in a fixed buffer.
///
/// ```
/// use vedette_wire::link::{Accumulator, Fed, Upward};
/// let mut accumulator = Accumulator::<Upward>::new();
/// let mut input: &[u8] = b"\x00noise\x00";
/// let mut faults = 0;
/// loop {
///     match accumulator.feed(input) {
///         Fed::Consumed => break,
///         Fed::Message { rest, .. } => input = rest,
///         Fed::Fault { rest, .. } => (input, faults) = (rest, faults + 1),
///     }
/// }
/// assert_eq!(faults, 1);
/// ```
#[derive(Clone, Debug)]
pub struct Accumulator<M> {
    buffer: Vec<u8, MAX_LINE>,
    /// A delimiter was seen: what is in the buffer began at a frame's start.
    aligned: bool,
    /// The frame is too long and was reported; skip to its delimiter.
    skipping: bool,
    message: PhantomData<M>,
}

/// What feeding bytes led to. After `Message` and `Fault`, feed `rest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fed<'a, M> {
    /// All bytes are taken in; more are needed.
    Consumed,
    /// A message is complete.
    Message {
        /// The message.
        message: M,
        /// Bytes behind it.
        rest: &'a [u8],
    },
    /// A frame was refused; the next begins in `rest` or later.
    Fault {
        /// Why.
        error: LinkError,
        /// Bytes behind the refused ones.
        rest: &'a [u8],
    },
}

impl<M: Message> Default for Accumulator<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Message> Accumulator<M> {
    /// An accumulator for a line just opened.
    #[must_use]
    pub const fn new() -> Self {
        Self { buffer: Vec::new(), aligned: false, skipping: false, message: PhantomData }
    }

    /// Takes bytes in up to the first complete frame or fault.
    pub fn feed<'a>(&mut self, input: &'a [u8]) -> Fed<'a, M> {
        let mut rest = input;
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            if byte == DELIMITER {
                let aligned = core::mem::replace(&mut self.aligned, true);
                if core::mem::take(&mut self.skipping) || self.buffer.is_empty() {
                    continue;
                }
                let len = self.buffer.len();
                let decoded = M::decode(&mut self.buffer);
                self.buffer.clear();
                return match decoded {
                    Ok(message) => Fed::Message { message, rest },
                    Err(_) if !aligned => Fed::Fault { error: LinkError::Noise { len }, rest },
                    Err(error) => Fed::Fault { error, rest },
                };
            }
            if !self.skipping && self.buffer.push(byte).is_err() {
                self.buffer.clear();
                self.skipping = true;
                return Fed::Fault { error: LinkError::Overlong, rest };
            }
        }
        Fed::Consumed
    }
}

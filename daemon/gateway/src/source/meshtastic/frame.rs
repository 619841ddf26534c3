//! The stream protocol: `94 C3`, a big-endian length up to 512, then the protobuf; anything may lie between frames.

use vedette_engine::codec::meshtastic::{Said, said_by};

const START: [u8; 2] = [0x94, 0xc3];
const HEADER_BYTES: usize = 4;
/// Longest payload, by the protocol.
const MAX_BYTES: usize = 512;

/// What came out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed<'a> {
    /// A whole frame.
    Frame { said: Said, bytes: &'a [u8] },
    /// A start that no frame followed: cut off, or part of something else. The bytes behind it are looked at again.
    NoFrame,
}

/// Finds frames in a stream, whatever lies between them and however it is split. Holds less than two frames.
#[derive(Debug, Default)]
pub(super) struct Accumulator {
    held: Vec<u8>,
}

impl Accumulator {
    /// Takes in the next bytes and tells of each frame.
    pub(super) fn feed(&mut self, bytes: &[u8], mut tell: impl FnMut(Fed<'_>)) {
        self.held.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            let rest = &self.held[at..];
            let Some(start) = rest.iter().position(|byte| *byte == START[0]) else {
                at = self.held.len();
                break;
            };
            at += start;
            let rest = &self.held[at..];
            if rest.len() >= 2 && rest[1] != START[1] {
                at += 1;
                continue;
            }
            let Some(&[_, _, high, low]) = rest.get(..HEADER_BYTES).and_then(|header| header.first_chunk::<4>()) else {
                break;
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            if length > MAX_BYTES {
                at += START.len();
                tell(Fed::NoFrame);
                continue;
            }
            let Some(payload) = rest.get(HEADER_BYTES..HEADER_BYTES + length) else { break };
            if let Some(said) = said_by(payload) {
                tell(Fed::Frame { said, bytes: payload });
                at += HEADER_BYTES + length;
            } else {
                // A frame that was cut off swallows the beginning of the next: look for that one inside.
                tell(Fed::NoFrame);
                at += START.len();
            }
        }
        self.held.drain(..at);
    }
}

/// The payload with its header.
pub(super) fn framed(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    [&START[..], &length.to_be_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A packet: `FromRadio { packet { from, decoded { portnum 10, payload } } }`.
    fn packet(text: &[u8]) -> Vec<u8> {
        let mut data = vec![1 << 3, 10, 2 << 3 | 2, u8::try_from(text.len()).expect("short")];
        data.extend_from_slice(text);
        let mut packet = vec![1 << 3 | 5, 1, 2, 3, 4, 4 << 3 | 2, u8::try_from(data.len()).expect("short")];
        packet.extend(data);
        let mut frame = vec![2 << 3 | 2, u8::try_from(packet.len()).expect("short")];
        frame.extend(packet);
        frame
    }

    fn packets(parts: &[&[u8]]) -> (Vec<Vec<u8>>, usize) {
        let (mut accumulator, mut frames, mut faults) = (Accumulator::default(), Vec::new(), 0);
        for part in parts {
            accumulator.feed(part, |fed| match fed {
                Fed::Frame { bytes, .. } => frames.push(bytes.to_vec()),
                Fed::NoFrame => faults += 1,
            });
        }
        (frames, faults)
    }

    #[test]
    fn a_frame_behind_one_that_was_cut_off_is_found() {
        let whole = framed(&packet(b"PIR-N3 detected"));
        let stream = [b"DEBUG | boot noise\r\n", &whole[..], &whole[..9], &whole[..]].concat();
        let (frames, faults) = packets(&[&stream]);
        assert_eq!((frames.len(), faults), (2, 1));
        assert_eq!(frames[1], packet(b"PIR-N3 detected"));
    }

    #[test]
    fn a_length_beyond_the_protocol_is_no_frame() {
        let whole = framed(&packet(b"x detected"));
        let (frames, faults) = packets(&[&[0x94, 0xc3, 0x02, 0x01], &whole]);
        assert_eq!((frames.len(), faults), (1, 1));
    }

    proptest! {
        #[test]
        fn frames_are_found_however_the_stream_is_split_and_whatever_text_is_between(
            texts in proptest::collection::vec("[a-z ]{0,40}", 1..6), noise in "[ -~\r\n]{0,60}", size in 1_usize..70,
        ) {
            let mut stream = Vec::new();
            for text in &texts {
                stream.extend_from_slice(noise.as_bytes());
                stream.extend(framed(&packet(text.as_bytes())));
            }
            let parts: Vec<&[u8]> = stream.chunks(size).collect();
            let (frames, faults) = packets(&parts);
            let expected: Vec<_> = texts.iter().map(|text| packet(text.as_bytes())).collect();
            prop_assert_eq!((frames, faults), (expected, 0));
        }

        #[test]
        fn nothing_is_held_for_ever(bytes in proptest::collection::vec(any::<u8>(), 0..4_000)) {
            let mut accumulator = Accumulator::default();
            for part in bytes.chunks(97) {
                accumulator.feed(part, |_| {});
                prop_assert!(accumulator.held.len() < HEADER_BYTES + MAX_BYTES);
            }
        }
    }
}

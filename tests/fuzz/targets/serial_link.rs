//! Any bytes on the serial line, in any pieces and in both directions: no panic, every byte is consumed, and what is read
//! is written the same way again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vedette_wire::link::{Accumulator, Downward, Fed, Message, Upward};

fn feed<M: Message + PartialEq + std::fmt::Debug>(bytes: &[u8], piece: usize) {
    let mut accumulator = Accumulator::<M>::new();
    for chunk in bytes.chunks(piece.clamp(1, 64)) {
        let mut left = chunk;
        loop {
            let before = left.len();
            left = match accumulator.feed(left) {
                Fed::Consumed => break,
                Fed::Fault { rest, .. } => rest,
                Fed::Message { message, rest } => {
                    let line = message.encode().expect("what was read can be written");
                    let mut again = Accumulator::<M>::new();
                    match again.feed(&line) {
                        Fed::Message { message: same, .. } => assert_eq!(same, message),
                        other => panic!("written and not read again: {other:?}"),
                    }
                    rest
                }
            };
            assert!(left.len() < before, "a message was made of nothing");
        }
    }
}

fuzz_target!(|data: (Vec<u8>, usize)| {
    let (bytes, piece) = data;
    feed::<Upward>(&bytes, piece);
    feed::<Downward>(&bytes, piece);
});

//! Mutated and replayed radio frames: nothing opens that its sealer did not make, and nothing opens twice as new.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vedette_wire::{Direction, Key, Opener, ReplayWindow, Sealer};

fuzz_target!(|data: (u32, Vec<u8>, Vec<(u8, u8)>, Vec<u8>)| {
    let (counter, payload, flips, foreign) = data;
    let key = Key::from_hex("000102030405060708090a0b0c0d0e0f").expect("a valid key");
    let mut opener = Opener::new(17, Direction::Up);
    opener.add_key(0, &key, ReplayWindow::new()).expect("room for one key");
    assert!(opener.open(&foreign).is_err());

    let counter = counter.min(u32::MAX - 2);
    let mut sealer = Sealer::new(&key, Direction::Up, 0, 17, counter, u32::MAX);
    let Ok(frame) = sealer.seal(&payload) else { return };
    let mut mutated = frame.to_vec();
    for (place, flip) in flips {
        let place = usize::from(place) % mutated.len();
        mutated[place] ^= flip;
    }
    if mutated != frame[..] {
        assert!(opener.open(&mutated).is_err());
    }
    let opened = opener.open(&frame).expect("its own frame opens");
    assert!(!opened.repeat);
    opener.accept(&opened);
    assert!(opener.open(&frame).expect("a repeat is known as one").repeat);
});

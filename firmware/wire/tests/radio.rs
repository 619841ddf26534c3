//! Sealing and opening: round trips hold, and whatever was tampered with is refused.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proptest::prelude::*;
use vedette_wire::{
    Direction, HEADER_LEN, Header, Key, MAX_FRAME, MAX_PAYLOAD, OpenError, Opener, ReplayWindow, SealError, Sealer,
    TAG_LEN, version,
};

const KEY: Key = Key::new([7; 16]);
const NODE: u32 = 0xA1B2_C3D4;

fn sealer(next: u32) -> Sealer {
    Sealer::new(&KEY, Direction::Up, 3, NODE, next, u32::MAX)
}

fn opener() -> Opener {
    let mut opener = Opener::new(NODE, Direction::Up);
    opener.add_key(3, &KEY, ReplayWindow::new()).unwrap();
    opener
}

proptest! {
    #[test]
    fn a_sealed_payload_opens_to_itself(
        payload in prop::collection::vec(any::<u8>(), 1..=MAX_PAYLOAD),
        counter in 0..u32::MAX,
        node: u32,
        epoch: u8,
        key: [u8; 16],
        down: bool,
    ) {
        let direction = if down { Direction::Down } else { Direction::Up };
        let mut sealer = Sealer::new(&Key::new(key), direction, epoch, node, counter, u32::MAX);
        let frame = sealer.seal(&payload).unwrap();
        prop_assert!(frame.len() <= MAX_FRAME);
        prop_assert_eq!(frame.len(), HEADER_LEN + payload.len() + TAG_LEN);
        let mut opener = Opener::new(node, direction);
        opener.add_key(epoch, &Key::new(key), ReplayWindow::new()).unwrap();
        let opened = opener.open(&frame).unwrap();
        prop_assert_eq!(&opened.payload[..], &payload[..]);
        prop_assert_eq!(opened.header, Header { version: 1, direction, epoch, node, counter });
        prop_assert!(!opened.repeat);
    }

    #[test]
    fn no_bytes_panic_or_open(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(opener().open(&bytes).is_err());
    }

    #[test]
    fn no_bytes_behind_a_good_header_open(tail in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut frame = sealer(5).seal(&[1, 2, 3]).unwrap().to_vec();
        frame.truncate(HEADER_LEN);
        frame.extend(tail);
        prop_assert!(opener().open(&frame).is_err());
    }

    #[test]
    fn every_damage_of_a_frame_is_refused(
        payload in prop::collection::vec(any::<u8>(), 1..=MAX_PAYLOAD),
        counter in 0..u32::MAX,
    ) {
        let frame = sealer(counter).seal(&payload).unwrap();
        let opener = opener();
        for bit in 0..frame.len() * 8 {
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(opener.open(&flipped).is_err(), "bit {} flipped", bit);
        }
        for len in 0..frame.len() {
            prop_assert!(opener.open(&frame[..len]).is_err(), "cut to {} bytes", len);
        }
        for extra in [&[0][..], &[0; 8], &frame[frame.len() - 8..]] {
            prop_assert!(opener.open(&[&frame, extra].concat()).is_err());
        }
    }
}

#[test]
fn the_two_directions_share_no_keystream() {
    let text = [0; MAX_PAYLOAD];
    let up = Sealer::new(&KEY, Direction::Up, 0, NODE, 9, 10).seal(&text).unwrap();
    let down = Sealer::new(&KEY, Direction::Down, 0, NODE, 9, 10).seal(&text).unwrap();
    assert_ne!(up[HEADER_LEN..], down[HEADER_LEN..]);
    let mut turned = up.clone();
    turned[0] ^= 1;
    let mut opener = Opener::new(NODE, Direction::Down);
    opener.add_key(0, &KEY, ReplayWindow::new()).unwrap();
    assert_eq!(opener.open(&turned), Err(OpenError::Forged { node: NODE, epoch: 0, counter: 9 }));
    assert_eq!(opener.open(&up), Err(OpenError::Direction { got: Direction::Up }));
}

#[test]
fn a_sealer_uses_each_counter_once_and_refuses_to_wrap() {
    let mut sealer = sealer(u32::MAX - 2);
    let counters: Vec<u32> = (0..2).map(|_| Header::parse(&sealer.seal(b"x").unwrap()).unwrap().counter).collect();
    assert_eq!(counters, [u32::MAX - 2, u32::MAX - 1]);
    for _ in 0..3 {
        assert_eq!(sealer.seal(b"x"), Err(SealError::Exhausted { node: NODE, epoch: 3 }));
    }
}

#[test]
fn a_sealer_stays_within_its_reservation() {
    let mut sealer = Sealer::new(&KEY, Direction::Up, 0, NODE, 10, 11);
    assert_eq!(sealer.reserved(), 1);
    sealer.seal(b"x").unwrap();
    assert_eq!(sealer.seal(b"x"), Err(SealError::NotReserved { node: NODE, next: 11 }));
    sealer.extend(5);
    assert_eq!(sealer.reserved(), 0);
    sealer.extend(12);
    assert_eq!(Header::parse(&sealer.seal(b"x").unwrap()).unwrap().counter, 11);
}

#[test]
fn a_refused_payload_uses_no_counter() {
    let mut sealer = sealer(0);
    assert_eq!(sealer.seal(&[]), Err(SealError::Length { got: 0 }));
    assert_eq!(sealer.seal(&[0; MAX_PAYLOAD + 1]), Err(SealError::Length { got: MAX_PAYLOAD + 1 }));
    assert_eq!(sealer.next_counter(), 0);
}

#[test]
fn refusals_name_their_cause() {
    let frame = sealer(77).seal(b"abc").unwrap();
    let opener = opener();
    let with = |at: usize, value: u8| {
        let mut changed = frame.clone();
        changed[at] = value;
        opener.open(&changed).unwrap_err().reason()
    };
    assert_eq!(with(0, (version::CURRENT + 1) << 4), "version");
    assert_eq!(with(0, version::CURRENT << 4), "forged", "a frame of another version is another frame");
    assert_eq!(with(0, 0x12), "reserved_bits");
    assert_eq!(with(0, 0x11), "direction");
    assert_eq!(with(1, 9), "unknown_epoch");
    assert_eq!(with(2, 0), "unknown_node");
    assert_eq!(with(6, 0), "forged");
    assert_eq!(opener.open(&frame[..17]).unwrap_err().reason(), "too_short");
    assert_eq!(opener.open(&[0x10; 52]).unwrap_err().reason(), "too_long");
}

#[test]
fn opening_changes_nothing_and_accepting_makes_a_repeat() {
    let mut sealer = sealer(100);
    let mut opener = opener();
    let frame = sealer.seal(b"abc").unwrap();
    let opened = opener.open(&frame).unwrap();
    assert!(!opener.open(&frame).unwrap().repeat);
    let after = opener.window_after(&opened).unwrap();
    opener.accept(&opened);
    assert_eq!(opener.windows().collect::<Vec<_>>(), [(3, after)]);
    let repeat = opener.open(&frame).unwrap();
    assert!(repeat.repeat);
    assert_eq!(repeat.payload, opened.payload);

    for _ in 0..64 {
        let later = opener.open(&sealer.seal(b"x").unwrap()).unwrap();
        opener.accept(&later);
    }
    assert_eq!(opener.open(&frame), Err(OpenError::TooOld { node: NODE, counter: 100, oldest: 101 }));
}

#[test]
fn a_closed_opener_takes_nothing_from_before() {
    let mut sealer = sealer(0);
    let frames: Vec<_> = (0..10).map(|_| sealer.seal(b"x").unwrap()).collect();
    let mut opener = opener();
    opener.close(3, 5);
    let repeats: Vec<bool> = frames.iter().map(|frame| opener.open(frame).unwrap().repeat).collect();
    assert_eq!(repeats, [true, true, true, true, true, true, false, false, false, false]);
}

#[test]
fn a_new_key_counts_anew_and_the_old_one_stays_guarded() {
    let new_key = Key::new([9; 16]);
    let mut opener = opener();
    let old = sealer(5_000).seal(b"old").unwrap();
    let opened = opener.open(&old).unwrap();
    opener.accept(&opened);
    opener.add_key(4, &new_key, ReplayWindow::new()).unwrap();
    let first = Sealer::new(&new_key, Direction::Up, 4, NODE, 0, 1).seal(b"new").unwrap();
    assert!(!opener.open(&first).unwrap().repeat);
    assert!(opener.open(&old).unwrap().repeat);
    assert!(opener.remove_key(3));
    assert_eq!(opener.open(&old), Err(OpenError::UnknownEpoch { node: NODE, epoch: 3 }));
    assert_eq!(opener.window_after(&opened), None);
}

#[test]
fn keys_are_read_from_hex_and_not_shown() {
    let key = Key::from_hex("000102030405060708090a0b0c0d0E0F").unwrap();
    assert_eq!(key.expose(), &core::array::from_fn(|index| index as u8));
    assert_eq!(format!("{key:?}"), "Key(..)");
    assert!(Key::from_hex("00").is_err());
    assert!(Key::from_hex("0001020304050607080g0a0b0c0d0e0f").is_err());
    assert!(Key::from_hex("ä0102030405060708090a0b0c0d0e0f").is_err());
}

//! The bytes that version 2 added, as released, from `golden_v2.txt`, and what version 1 makes of them. When a test here fails,
//! revert the change that made it fail; do not edit the file.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod golden;

use golden::hex;
use vedette_wire::payload::{Call, Payload, Position};
use vedette_wire::{Direction, Key, Opener, ReplayWindow, Sealer, version};

fn vector(name: &str) -> Vec<u8> {
    golden::vectors(include_str!("golden_v2.txt")).remove(name).unwrap_or_else(|| panic!("no vector `{name}`"))
}

fn key() -> Key {
    Key::from_hex("2b7e151628aed2a6abf7158809cf4f3c").unwrap()
}

fn position() -> Payload {
    Payload::Position(Position { lat_e7: 520_123_456, lon_e7: 236_017_500, sd_dm: 35, age_ticks: 40, call: Call::Help })
}

#[test]
fn a_position_keeps_its_bytes() {
    let bytes = vector("payload position");
    assert_eq!(hex(&position().encode().unwrap()), hex(&bytes));
    assert_eq!(Payload::decode(&bytes).unwrap(), position());
    assert_eq!((position().direction(), position().since()), (Direction::Up, 2));
}

#[test]
fn a_frame_of_version_2_keeps_its_bytes() {
    let mut sealer = Sealer::new(&key(), Direction::Up, 1, 17, 42, 43);
    sealer.speak(2);
    assert_eq!(hex(&sealer.seal(&vector("payload position")).unwrap()), hex(&vector("frame position")));
    let mut opener = Opener::new(17, Direction::Up);
    opener.add_key(1, &key(), ReplayWindow::new()).unwrap();
    let opened = opener.open(&vector("frame position")).unwrap();
    assert_eq!((opened.header.version, opened.header.counter), (2, 42));
    assert_eq!(Payload::decode(&opened.payload).unwrap(), position());
}

#[test]
fn who_has_not_heard_from_the_other_side_speaks_the_oldest_version() {
    let mut sealer = Sealer::new(&key(), Direction::Up, 1, 17, 0, 9);
    assert_eq!(sealer.seal(&[1]).unwrap()[0], version::MIN << 4);
    for (told, speaks) in [(2, 2), (9, version::CURRENT), (0, version::MIN), (1, 1)] {
        sealer.speak(told);
        assert_eq!((sealer.version(), sealer.seal(&[1]).unwrap()[0]), (speaks, speaks << 4));
    }
}

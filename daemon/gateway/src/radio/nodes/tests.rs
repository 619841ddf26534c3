use super::*;
use crate::radio::NodeKeys;

const KEY: Key = Key::new([7; 16]);

fn ring() -> KeyRing {
    KeyRing::from([(9, NodeKeys { node: 9, exercise: false, keys: vec![(1, KEY)] })])
}

fn fresh_state(heard: Option<Heard>) -> Vec<u8> {
    let Some(Heard::Fresh { state, .. }) = heard else { panic!("{heard:?} is not fresh") };
    state
}

fn acknowledged_counter(sealed: Sealed) -> u32 {
    let Sealed::Send(frame) = sealed else { panic!("{sealed:?} is no frame") };
    Header::parse(&frame).expect("a header").counter
}

#[test]
fn a_restart_knows_what_was_committed_and_uses_no_counter_twice() {
    let mut node = Sealer::new(&KEY, Direction::Up, 1, 9, 0, 100);
    let frames = [node.seal(b"a").expect("sealed"), node.seal(b"b").expect("sealed")];
    let nodes = Nodes::new(&ring(), [], 0).expect("no states");
    let state = fresh_state(nodes.hear(&frames[0], || true).expect("authentic"));
    assert!(matches!(nodes.acknowledge(9, 0), Ok(Sealed::Reserve(_))), "nothing is durable yet");
    nodes.committed(9, &state);
    let used = acknowledged_counter(nodes.acknowledge(9, 0).expect("a key"));

    let restarted = Nodes::new(&ring(), [(9, state.as_slice())], 0).expect("our own state");
    assert_eq!(restarted.hear(&frames[0], || true), Ok(Some(Heard::Repeat { node: 9, counter: 0 })));
    let state = fresh_state(restarted.hear(&frames[1], || true).expect("authentic"));
    restarted.committed(9, &state);
    assert!(acknowledged_counter(restarted.acknowledge(9, 0).expect("a key")) > used);
}

#[test]
fn a_frame_without_room_is_as_if_not_heard() {
    let mut node = Sealer::new(&KEY, Direction::Up, 1, 9, 5, 100);
    let frame = node.seal(b"a").expect("sealed");
    let nodes = Nodes::new(&ring(), [], 0).expect("no states");
    assert_eq!(nodes.hear(&frame, || false), Ok(None));
    assert!(matches!(nodes.hear(&frame, || true), Ok(Some(Heard::Fresh { counter: 5, .. }))));
    assert_eq!(nodes.hear(&frame, || false), Ok(Some(Heard::Repeat { node: 9, counter: 5 })));
}

#[test]
fn strangers_and_forgers_are_refused() {
    let nodes = Nodes::new(&ring(), [], 0).expect("no states");
    let stranger = Sealer::new(&KEY, Direction::Up, 1, 8, 0, 9).seal(b"a").expect("sealed");
    assert_eq!(nodes.hear(&stranger, || true), Err(OpenError::UnknownNode { node: 8 }));
    let forged = Sealer::new(&Key::new([8; 16]), Direction::Up, 1, 9, 0, 9).seal(b"a").expect("sealed");
    assert_eq!(nodes.hear(&forged, || true), Err(OpenError::Forged { node: 9, epoch: 1, counter: 0 }));
}

#[test]
fn a_store_that_comes_back_adds_what_it_knew() {
    let mut node = Sealer::new(&KEY, Direction::Up, 1, 9, 0, 100);
    let frames: Vec<_> = (0..80).map(|_| node.seal(b"a").expect("sealed")).collect();
    let before = Nodes::new(&ring(), [], 0).expect("no states");
    before.hear(&frames[0], || true).expect("authentic");
    let state = fresh_state(before.hear(&frames[2], || true).expect("authentic"));
    before.committed(9, &state);
    let used = acknowledged_counter(before.acknowledge(9, 2).expect("a key"));

    let without_store = Nodes::new(&ring(), [], 0).expect("no states");
    without_store.hear(&frames[3], || true).expect("authentic");
    without_store.absorb([(9, state.as_slice())]).expect("our own state");
    for (counter, repeat) in [(0, true), (1, false), (2, true), (3, true), (4, false)] {
        let heard = without_store.hear(&frames[counter], || true).expect("authentic");
        assert_eq!(matches!(heard, Some(Heard::Repeat { .. })), repeat, "counter {counter}");
    }
    let (_, state) = without_store.states().remove(0);
    without_store.committed(9, &state);
    assert!(acknowledged_counter(without_store.acknowledge(9, 3).expect("a key")) > used);
}

#[test]
fn a_damaged_state_is_refused() {
    for state in [
        &[][..],
        &[2, 0, 0, 0, 0],
        &[1, 0, 0, 0],
        &[1, 0, 0, 0, 0, 1],
        &[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0],
    ] {
        assert!(Nodes::new(&ring(), [(9, state)], 0).is_err(), "{state:?}");
    }
}

/// The bytes that nodes in the field speak, shared with the firmware's tests.
const GOLDEN: &str = include_str!("../../../../../firmware/wire/tests/golden_v1.txt");

fn golden(name: &str) -> Vec<u8> {
    let line = GOLDEN.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).expect("a vector");
    let digits: Vec<char> = line.chars().filter(|digit| *digit != ' ').collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).expect("two digits");
    digits.chunks(2).map(byte).collect()
}

#[test]
fn a_frame_of_a_node_in_the_field_is_opened_to_the_payload_it_sealed() {
    let key = Key::new(golden("key").try_into().expect("16 bytes"));
    let ring = KeyRing::from([(17, NodeKeys { node: 17, exercise: false, keys: vec![(1, key)] })]);
    let nodes = Nodes::new(&ring, [], 0).expect("no states");
    let heard = nodes.hear(&golden("frame events"), || true).expect("authentic").expect("room");
    let Heard::Fresh { node: 17, counter: 41, payload, .. } = heard else { panic!("{heard:?}") };
    assert_eq!(payload, golden("payload events"));
}

//! All nodes of a site: opens their frames, seals what goes back.
//!
//! A node's state (replay windows, and how far our own counters towards it are reserved) is committed together with the
//! frames it let in. Our counter is only used up to the reservation that is durable, so that no restart repeats a nonce.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vedette_wire::payload::Acknowledgement;
use vedette_wire::{
    Direction, Header, Key, OpenError, Opener, Payload, PayloadError, ReplayWindow, SealError, SealedFrame, Sealer,
    Standing, WINDOW, WindowError, version,
};

use super::keys::KeyRing;

/// First byte of a stored state.
const STATE_VERSION: u8 = 1;
/// How many counters towards a node are reserved ahead.
const RESERVE: u32 = 256;

/// What a received frame was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Never taken in before; it is now.
    Fresh {
        /// The node.
        node: u32,
        /// Its counter.
        counter: u32,
        /// The node is one of an exercise, by its key.
        exercise: bool,
        /// The opened payload.
        payload: Vec<u8>,
        /// The node's state to commit with it.
        state: Vec<u8>,
    },
    /// Taken in before.
    Repeat {
        /// The node.
        node: u32,
        /// Its counter.
        counter: u32,
    },
}

/// What became of a payload for a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// Send this frame.
    Send(SealedFrame),
    /// No counter is reserved: commit this state first, then ask again.
    Reserve(Vec<u8>),
}

/// Why nothing can be sent to a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RadioError {
    /// The node has no key.
    #[error("node {node} is not known")]
    UnknownNode {
        /// The node.
        node: u32,
    },
    /// The payload has no encoding.
    #[error("payload for node {node}: {error}")]
    Payload {
        /// The node.
        node: u32,
        /// Why.
        error: PayloadError,
    },
    /// The frame cannot be sealed.
    #[error("frame for node {node}: {error}")]
    Seal {
        /// The node.
        node: u32,
        /// Why.
        error: SealError,
    },
}

/// A stored state that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowStateError {
    /// Not a state of this program.
    #[error("stored radio state of node {node}: expected version {STATE_VERSION} and whole windows, got {len} bytes")]
    Layout {
        /// The node.
        node: u32,
        /// Length of the state.
        len: usize,
    },
    /// A window no sequence of frames leads to.
    #[error("stored radio state of node {node}, key epoch {epoch}: {error}")]
    Window {
        /// The node.
        node: u32,
        /// The key's epoch.
        epoch: u8,
        /// What is wrong.
        error: WindowError,
    },
}

/// Keys, windows and counters of all nodes; shared by all radio sources, for two concentrators may hear one frame.
#[derive(Debug)]
pub struct Nodes {
    nodes: Mutex<BTreeMap<u32, Node>>,
    /// The first counter towards a node of which nothing is known.
    first_down: u32,
}

#[derive(Debug)]
struct Node {
    opener: Opener,
    exercise: bool,
    keys: Vec<(u8, Key)>,
    /// The key the node used last.
    epoch: u8,
    next_down: u32,
    durable_down: u32,
}

impl Nodes {
    /// All nodes of the ring, with the states a store kept of them. Counters towards a node of which no state was kept
    /// begin with `first_down`.
    ///
    /// # Errors
    /// When a stored state cannot be used: a window that is guessed would let replays in.
    pub fn new<'a>(
        ring: &KeyRing,
        states: impl IntoIterator<Item = (u32, &'a [u8])>,
        first_down: u32,
    ) -> Result<Self, WindowStateError> {
        let mut nodes = BTreeMap::new();
        let mut stored = BTreeMap::new();
        for (node, state) in states {
            stored.insert(node, decode_state(node, state)?);
        }
        for keys in ring.values() {
            let (reserved, windows) = stored.remove(&keys.node).unwrap_or((first_down, BTreeMap::new()));
            let mut opener = Opener::new(keys.node, Direction::Up);
            for (epoch, key) in &keys.keys {
                let window = windows.get(epoch).copied().unwrap_or_default();
                // The ring holds at most as many keys as an opener.
                let _ = opener.add_key(*epoch, key, window);
            }
            let epoch = keys.keys.last().map_or(0, |&(epoch, _)| epoch);
            let node = Node {
                opener,
                exercise: keys.exercise,
                keys: keys.keys.clone(),
                epoch,
                next_down: reserved,
                durable_down: reserved,
            };
            nodes.insert(keys.node, node);
        }
        Ok(Self { nodes: Mutex::new(nodes), first_down })
    }

    /// Opens a frame and, when it is fresh and `room` says that it can be kept, takes its counter in. A fresh frame that cannot
    /// be kept is left as if it had not been heard: its node sends it again.
    ///
    /// # Errors
    /// When the frame is refused.
    pub fn hear(&self, frame: &[u8], room: impl FnOnce() -> bool) -> Result<Option<Heard>, OpenError> {
        let Header { node: id, .. } = Header::parse(frame)?;
        let mut nodes = self.lock();
        let node = nodes.get_mut(&id).ok_or(OpenError::UnknownNode { node: id })?;
        let opened = node.opener.open(frame)?;
        let counter = opened.header.counter;
        node.epoch = opened.header.epoch;
        if opened.repeat {
            return Ok(Some(Heard::Repeat { node: id, counter }));
        }
        if !room() {
            return Ok(None);
        }
        node.opener.accept(&opened);
        Ok(Some(Heard::Fresh {
            node: id,
            counter,
            exercise: node.exercise,
            payload: opened.payload.to_vec(),
            state: node.state(),
        }))
    }

    /// Takes note that a state was committed: counters up to its reservation may be used.
    pub fn committed(&self, id: u32, state: &[u8]) {
        if let (Some(node), Ok((reserved, _))) = (self.lock().get_mut(&id), decode_state(id, state)) {
            node.durable_down = node.durable_down.max(reserved);
        }
    }

    /// The sealed acknowledgement of a node's frame, which is durable.
    ///
    /// # Errors
    /// When the node is not known or its key is used up.
    pub fn acknowledge(&self, id: u32, counter: u32) -> Result<Sealed, RadioError> {
        self.seal(id, &Payload::Acknowledgement(Acknowledgement { counter, version: version::CURRENT }))
    }

    /// A payload for a node, sealed under the key it used last.
    ///
    /// # Errors
    /// When the node is not known, its key is used up, or the payload has no encoding.
    pub fn seal(&self, id: u32, payload: &Payload) -> Result<Sealed, RadioError> {
        let mut nodes = self.lock();
        let unknown = RadioError::UnknownNode { node: id };
        let node = nodes.get_mut(&id).ok_or_else(|| unknown.clone())?;
        let payload = payload.encode().map_err(|error| RadioError::Payload { node: id, error })?;
        let (_, key) = node.keys.iter().find(|&&(epoch, _)| epoch == node.epoch).ok_or(unknown)?;
        let mut sealer = Sealer::new(key, Direction::Down, node.epoch, id, node.next_down, node.durable_down);
        match sealer.seal(&payload) {
            Ok(frame) => {
                node.next_down = sealer.next_counter();
                Ok(Sealed::Send(frame))
            }
            Err(SealError::NotReserved { .. }) => Ok(Sealed::Reserve(node.state())),
            Err(error) => Err(RadioError::Seal { node: id, error }),
        }
    }

    /// Takes in the states of a store that was out of reach until now: what it had let in is never let in again, and
    /// none of the counters it had reserved is used.
    ///
    /// # Errors
    /// When a state cannot be used; the states before it are taken in.
    pub fn absorb<'a>(&self, states: impl IntoIterator<Item = (u32, &'a [u8])>) -> Result<(), WindowStateError> {
        let mut nodes = self.lock();
        for (id, state) in states {
            let (reserved, windows) = decode_state(id, state)?;
            let Some(node) = nodes.get_mut(&id) else { continue };
            for (epoch, key) in &node.keys {
                if let Some(stored) = windows.get(epoch) {
                    let heard = node.opener.windows().find(|(other, _)| other == epoch).map(|(_, window)| window);
                    // The key is there already: it is replaced.
                    let _ = node.opener.add_key(*epoch, key, union(*stored, heard.unwrap_or_default()));
                }
            }
            node.next_down = node.next_down.max(reserved);
            node.durable_down = node.durable_down.max(reserved);
        }
        Ok(())
    }

    /// Takes a changed ring of keys: windows and counters of keys that stay, stay. What changed, for people.
    pub fn change_keys(&self, ring: &KeyRing) -> Vec<String> {
        let mut nodes = self.lock();
        let mut done = Vec::new();
        nodes.retain(|id, _| {
            let stays = ring.contains_key(id);
            if !stays {
                done.push(format!("node {id} has no key any more"));
            }
            stays
        });
        for keys in ring.values() {
            let fresh = || Node {
                opener: Opener::new(keys.node, Direction::Up),
                exercise: keys.exercise,
                keys: Vec::new(),
                epoch: 0,
                next_down: self.first_down,
                durable_down: self.first_down,
            };
            let node = nodes.entry(keys.node).or_insert_with(fresh);
            if node.keys == keys.keys {
                continue;
            }
            done.push(format!("keys of node {} changed", keys.node));
            for (epoch, _) in std::mem::replace(&mut node.keys, keys.keys.clone()) {
                if keys.keys.iter().all(|&(other, _)| other != epoch) {
                    node.opener.remove_key(epoch);
                }
            }
            for (epoch, key) in &keys.keys {
                let window = node.opener.windows().find(|(other, _)| other == epoch).map(|(_, window)| window);
                // The ring holds at most as many keys as an opener.
                let _ = node.opener.add_key(*epoch, key, window.unwrap_or_default());
            }
            node.epoch = keys.keys.last().map_or(0, |&(epoch, _)| epoch);
        }
        done
    }

    /// The states of all nodes, to be committed.
    #[must_use]
    pub fn states(&self) -> Vec<(u32, Vec<u8>)> {
        self.lock().iter().map(|(&id, node)| (id, node.state())).collect()
    }

    /// How many nodes have keys.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// No code panics with the lock held.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Version, reservation (u32, little-endian), then for each key its epoch and window.
    fn state(&self) -> Vec<u8> {
        let mut bytes = vec![STATE_VERSION];
        bytes.extend_from_slice(&self.next_down.saturating_add(RESERVE).to_le_bytes());
        for (epoch, window) in self.opener.windows() {
            bytes.push(epoch);
            bytes.extend_from_slice(&window.to_bytes());
        }
        bytes
    }
}

/// A window that has taken in what either has.
fn union(mut window: ReplayWindow, other: ReplayWindow) -> ReplayWindow {
    let Some(newest) = other.newest() else { return window };
    for counter in newest.saturating_sub(WINDOW - 1)..=newest {
        if other.standing(counter) == Standing::Repeat {
            window.accept(counter);
        }
    }
    window
}

type State = (u32, BTreeMap<u8, ReplayWindow>);

fn decode_state(node: u32, state: &[u8]) -> Result<State, WindowStateError> {
    let layout = WindowStateError::Layout { node, len: state.len() };
    let Some(([STATE_VERSION, reserved @ ..], rest)) = state.split_first_chunk::<5>() else { return Err(layout) };
    let (entries, []) = rest.as_chunks::<{ 1 + ReplayWindow::STORED_LEN }>() else { return Err(layout) };
    let mut windows = BTreeMap::new();
    for [epoch, window @ ..] in entries {
        let window = ReplayWindow::from_bytes(*window).map_err(|error| WindowStateError::Window {
            node,
            epoch: *epoch,
            error,
        })?;
        windows.insert(*epoch, window);
    }
    Ok((u32::from_le_bytes(*reserved), windows))
}

#[cfg(test)]
mod tests {
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
    const GOLDEN: &str = include_str!("../../../../firmware/wire/tests/golden_v1.txt");

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
}

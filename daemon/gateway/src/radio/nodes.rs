//! All nodes of a site: opens their frames, seals what goes back.
//!
//! A node's state (replay windows, and how far our own counters towards it are reserved) is committed together with the
//! frames it let in. Our counter is only used up to the reservation that is durable, so that no restart repeats a nonce.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vedette_wire::payload::Acknowledgement;
use vedette_wire::{
    Direction, Header, Key, OpenError, Opener, Payload, PayloadError, SealError, SealedFrame, Sealer, version,
};

use super::keys::KeyRing;
use super::state::{self, State, WindowStateError};

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
            stored.insert(node, State::read(node, state)?);
        }
        for keys in ring.values() {
            let unknown = State { reserved: first_down, windows: BTreeMap::new() };
            let State { reserved, windows } = stored.remove(&keys.node).unwrap_or(unknown);
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
        if let (Some(node), Ok(state)) = (self.lock().get_mut(&id), State::read(id, state)) {
            node.durable_down = node.durable_down.max(state.reserved);
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
            let State { reserved, windows } = State::read(id, state)?;
            let Some(node) = nodes.get_mut(&id) else { continue };
            for (epoch, key) in &node.keys {
                if let Some(stored) = windows.get(epoch) {
                    let heard = node.opener.windows().find(|(other, _)| other == epoch).map(|(_, window)| window);
                    // The key is there already: it is replaced.
                    let _ = node.opener.add_key(*epoch, key, state::union(*stored, heard.unwrap_or_default()));
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
    /// What the store is to keep of it.
    fn state(&self) -> Vec<u8> {
        state::write(self.next_down.saturating_add(RESERVE), self.opener.windows())
    }
}

#[cfg(test)]
mod tests;

//! The sealed radio channel of a run, and an adversary on it.
//!
//! Every frame is sealed as its node does and opened as the gateway does, so that what a forged or a replayed frame meets
//! is the real thing.

use std::collections::BTreeMap;

use vedette_wire::{Direction, Key, Opened, Opener, ReplayWindow, SealError, SealedFrame, Sealer};

use crate::live::node_key;
use crate::radio::Arrival;
use crate::scenario::{Attack, AttackKind};

/// What the gateway makes of a frame.
pub(super) enum Verdict {
    /// New: to be handled.
    Fresh(Opened),
    /// Handled before: only acknowledged again.
    Repeat,
    /// Refused, with the reason that is counted.
    Refused(&'static str),
}

/// Keys and windows of all nodes.
pub(super) struct Channel {
    keys: BTreeMap<u32, Key>,
    openers: BTreeMap<u32, Opener>,
    /// The last frame of each node on the air, for whoever listens.
    overheard: BTreeMap<u32, SealedFrame>,
    attacks: Vec<(f64, AttackKind, u32)>,
}

impl Channel {
    pub(super) fn new(nodes: &[u32], attacks: &[Attack], seed: u64) -> Self {
        let mut openers = BTreeMap::new();
        for &node in nodes {
            let mut opener = Opener::new(node, Direction::Up);
            // A fresh opener has room for a key.
            let _ = opener.add_key(0, &node_key(seed, node), ReplayWindow::new());
            openers.insert(node, opener);
        }
        let burst = |attack: &Attack| {
            let attack = *attack;
            (0..attack.count).map(move |frame| (attack.at_s + f64::from(frame), attack.kind, attack.node))
        };
        let mut attacks: Vec<(f64, AttackKind, u32)> = attacks.iter().flat_map(burst).collect();
        attacks.sort_by(|a, b| b.0.total_cmp(&a.0));
        let keys = nodes.iter().map(|&node| (node, node_key(seed, node))).collect();
        Self { keys, openers, overheard: BTreeMap::new(), attacks }
    }

    /// When the adversary sends next.
    pub(super) fn next_attack_s(&self) -> f64 {
        self.attacks.last().map_or(f64::INFINITY, |attack| attack.0)
    }

    /// A node's frame arrives.
    pub(super) fn receive(&mut self, arrival: &Arrival) -> Result<Verdict, SealError> {
        let Some(key) = self.keys.get(&arrival.node) else { return Ok(Verdict::Refused("unknown_node")) };
        let limit = arrival.counter.saturating_add(1);
        let mut sealer = Sealer::new(key, Direction::Up, 0, arrival.node, arrival.counter, limit);
        let frame = sealer.seal(&arrival.payload)?;
        self.overheard.insert(arrival.node, frame.clone());
        Ok(self.open(arrival.node, &frame))
    }

    /// The adversary's next frame arrives; none when there was nothing to record yet.
    pub(super) fn attack(&mut self) -> Result<Option<(u32, Verdict)>, SealError> {
        let Some((_, kind, node)) = self.attacks.pop() else { return Ok(None) };
        let frame = match kind {
            AttackKind::Replayed => self.overheard.get(&node).cloned(),
            AttackKind::Forged => {
                let counter = 1_000_000;
                let guess = Key::new([0x5a; 16]);
                Some(Sealer::new(&guess, Direction::Up, 0, node, counter, counter + 1).seal(b"forged")?)
            }
        };
        Ok(frame.map(|frame| (node, self.open(node, &frame))))
    }

    fn open(&mut self, node: u32, frame: &[u8]) -> Verdict {
        let Some(opener) = self.openers.get_mut(&node) else { return Verdict::Refused("unknown_node") };
        match opener.open(frame) {
            Ok(opened) if opened.repeat => Verdict::Repeat,
            Ok(opened) => {
                opener.accept(&opened);
                Verdict::Fresh(opened)
            }
            Err(error) => Verdict::Refused(error.reason()),
        }
    }
}

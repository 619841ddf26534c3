//! What a store keeps of a node: how far our counters towards it are reserved, and the replay window of each of its keys.

use std::collections::BTreeMap;

use vedette_wire::{ReplayWindow, Standing, WINDOW, WindowError};

/// First byte of a stored state.
const VERSION: u8 = 1;

/// A stored state that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowStateError {
    /// Not a state of this program.
    #[error("stored radio state of node {node}: expected version {VERSION} and whole windows, got {len} bytes")]
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

/// A stored state, read.
pub(super) struct State {
    /// Counters towards the node up to here may have been used.
    pub(super) reserved: u32,
    /// The window of each key, by its epoch.
    pub(super) windows: BTreeMap<u8, ReplayWindow>,
}

impl State {
    pub(super) fn read(node: u32, bytes: &[u8]) -> Result<Self, WindowStateError> {
        let layout = WindowStateError::Layout { node, len: bytes.len() };
        let Some(([VERSION, reserved @ ..], rest)) = bytes.split_first_chunk::<5>() else { return Err(layout) };
        let (entries, []) = rest.as_chunks::<{ 1 + ReplayWindow::STORED_LEN }>() else { return Err(layout) };
        let mut windows = BTreeMap::new();
        for &[epoch, ref window @ ..] in entries {
            let window =
                ReplayWindow::from_bytes(*window).map_err(|error| WindowStateError::Window { node, epoch, error })?;
            windows.insert(epoch, window);
        }
        Ok(Self { reserved: u32::from_le_bytes(*reserved), windows })
    }
}

/// Version, reservation (u32, little-endian), then for each key its epoch and window.
pub(super) fn write(reserved: u32, windows: impl Iterator<Item = (u8, ReplayWindow)>) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&reserved.to_le_bytes());
    for (epoch, window) in windows {
        bytes.push(epoch);
        bytes.extend_from_slice(&window.to_bytes());
    }
    bytes
}

/// A window that has taken in what either has.
pub(super) fn union(mut window: ReplayWindow, other: ReplayWindow) -> ReplayWindow {
    let Some(newest) = other.newest() else { return window };
    for counter in newest.saturating_sub(WINDOW - 1)..=newest {
        if other.standing(counter) == Standing::Repeat {
            window.accept(counter);
        }
    }
    window
}

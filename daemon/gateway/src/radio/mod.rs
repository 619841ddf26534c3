//! The radio's security at the gateway: node keys, replay windows, acknowledgements.

mod keys;
mod nodes;
mod state;

pub use keys::{KeyFileError, KeyRing, NewKey, NodeKeys, read_ring, ring_of};
pub use nodes::{Heard, Nodes, RadioError, Sealed};
pub use state::WindowStateError;

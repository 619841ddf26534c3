//! The radio's security at the gateway: node keys, replay windows, acknowledgements.

mod keys;
mod nodes;

pub use keys::{KeyFileError, KeyRing, NodeKeys, read_ring};
pub use nodes::{Heard, Nodes, RadioError, Sealed, WindowStateError};

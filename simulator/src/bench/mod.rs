//! The synthetic benchmark scenes of multi-target tracking, with any seed and any size.
//!
//! Position scenes: walkers with nearly constant velocity on a plain watched by one radar that measures positions.
//! Heterogeneous scene: rows of PIRs, tripwires and bearing-only cameras, nothing that measures a position.

mod heterogeneous;
mod motion;
mod position;

pub use heterogeneous::heterogeneous;
pub use position::{PositionScene, position};

//! Replays what a gateway was told, through the same engine calls as the live daemon.
//!
//! A log is a sequence of `(now, Input)`. The log of a recorder holds the live run's ticks too; in a JSONL log of native
//! detections there are none, and the driver makes them at the engine's own deadlines.

mod driver;
mod jsonl;
mod topic;
mod tracks;

pub use driver::{Driver, Jump, Saying, Ticks};
pub use jsonl::{JsonLines, LogError, Told};
pub use topic::topic;
pub use tracks::TrackWriter;

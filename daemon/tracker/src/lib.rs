//! Pure multi-sensor multi-target tracker: scans of detections in, tracks out.
//!
//! No I/O and no clock: the time is an argument everywhere, in UTC microseconds ([`Timestamp`]). Positions and
//! velocities are metres and metres a second in the site frame, east first and north second.

mod detection;
pub mod metric;
mod sensor;
mod time;
mod track;
mod tracker;

pub use detection::{ClassProbabilities, Detection, Direction, Measurement, Pose, Scan};
pub use sensor::{Clutter, Coverage, SensorKind, SensorModel};
pub use time::Timestamp;
pub use track::{Contribution, Track, TrackId, TrackStatus};
pub use tracker::{ModelError, Tracker, TrackerConfig};

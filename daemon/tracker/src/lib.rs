//! Pure multi-sensor multi-target tracker: scans of detections in, tracks out.
//!
//! No I/O and no clock: the time is an argument everywhere, in UTC microseconds ([`Timestamp`]). Positions and
//! velocities are metres and metres a second in the site frame, east first and north second.

mod angle;
mod assignment;
mod association;
mod belief;
mod bernoulli;
mod birth;
mod class;
mod cluster;
mod companions;
mod config;
mod contribution;
mod coverage;
mod detection;
mod extent;
mod filter;
mod gate;
mod gaussian;
mod imm;
mod measure;
pub mod metric;
mod mixture;
mod motion;
mod refilter;
mod region;
mod report;
mod sensor;
mod sensor_state;
mod time;
mod track;
mod tracker;
mod undetected;
mod update;
mod view;
mod visibility;
mod watch;

pub use config::TrackerConfig;
pub use detection::{ClassProbabilities, Detection, Direction, Measurement, Pose, Scan};
pub use motion::MotionModel;
pub use refilter::LateScans;
pub use sensor::{Clutter, Coverage, SensorKind, SensorModel};
pub use time::Timestamp;
pub use track::{Contribution, Track, TrackId, TrackStatus};
pub use tracker::{ModelError, Tracker};

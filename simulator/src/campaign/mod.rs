//! Scenarios through the real engine, many seeds each, scored at the level of crossings.

mod drive;
mod reliability;
mod security;
mod tally;

pub use drive::{DriveError, Observer, Run, drive, drive_observed, engine_config};
pub use reliability::{Claim, Diagram, claims, fit};
pub use tally::Tally;
pub use vedette_engine::budget::lower_bound;

//! Scenarios through the real engine, many seeds each, scored at the level of crossings.

mod binomial;
mod drive;
mod tally;

pub use binomial::lower_bound;
pub use drive::{DriveError, Observer, Run, drive, drive_observed, engine_config};
pub use tally::Tally;

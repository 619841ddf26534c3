//! Scenarios through the real engine, many seeds each, scored at the level of crossings.

mod calibration;
mod cause;
mod drive;
mod fit;
mod operator;
mod places;
mod reliability;
mod security;
mod tally;

pub use calibration::Calibration;
pub use cause::{Cause, Judged, judged};
pub use drive::{DriveError, Observer, Run, drive, drive_inspected, drive_observed, drive_taught, engine_config};
pub use fit::{fit, refit};
pub use operator::close_all;
pub use places::places;
pub use reliability::{Claim, Diagram, Discrimination, claims};
pub use tally::Tally;
pub use vedette_engine::budget::{interval, lower_bound};

//! What alerts cost the people who read them, and what they were worth.
//!
//! The anchors are EEMUA 191's: an operator can deal with one alert in ten minutes, and ten in ten minutes are a flood in
//! which alerts are missed. What an alert was worth is what an operator closed it as.

mod load;
mod sensors;
mod share;
mod worth;

pub use load::{Load, WINDOW_S};
pub(crate) use sensors::setting;
pub use sensors::{Claim, Judged, LISTED, SUGGESTED, SensorWorth, Weather, rank};
pub use share::{interval, lower_bound};
pub use worth::Worth;

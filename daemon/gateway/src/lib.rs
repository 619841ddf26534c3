//! The daemon at the checkpoint: sources, store, uplink, configuration.

pub mod broker;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod discover;
pub mod http;
pub mod intake;
mod net;
pub mod progress;
pub mod radio;
pub mod random;
pub mod record;
pub mod rejects;
pub mod replay;
pub mod retention;
mod sapient;
pub mod signing;
pub mod sink;
pub mod source;
pub mod status;
pub mod store;

pub use vedette_delivery::{certificate, words};
pub use vedette_engine as engine;

//! Sensor-node logic over one board trait, without I/O of its own.
//!
//! A board's main loop owns a [`Node`] and a [`Board`]: it calls [`Node::poll`] at the times it is told and on input edges,
//! [`Node::samples`] with geophone samples and [`Node::received`] with what the radio heard. Everything else (detectors, flash
//! journal, counters, sending, keys, time) is in here, and runs the same on hardware, in tests and in the simulator.
//!
//! What a node promises:
//!
//! - An event that was kept is sent until it is acknowledged, over any number of resets and days of radio silence; only a full
//!   flash drops events, the oldest first, and says how many.
//! - No frame counter is used twice, whatever moment a reset strikes.
//! - Memory is bounded and static; there is no allocator.
#![no_std]

pub mod airtime;
mod board;
pub mod clock;
pub mod concentrator;
pub mod detector;
mod downlink;
mod journal;
mod node;
mod record;
mod uplink;

pub use self::board::{Board, Fix, FlashError, Inputs, UNIT};
pub use self::downlink::Refused;
pub use self::journal::{Identity, Journal, OpenError};
pub use self::node::{Config, FIRMWARE, Node};
pub use self::record::{State, StoredEvent};
pub use self::uplink::{NodeError, RESERVED_AHEAD, Sending};

//! End-to-end tests: real processes, real pseudo terminals, real brokers.
//!
//! A [`Bench`] is a folder with the configurations of one gateway and one centre; both run as processes of the built
//! program. Sensors are this process: a [`Node`] on a pseudo terminal, a [`Publisher`] at the broker.

mod authority;
mod bench;
mod broker;
mod node;
mod process;
mod publisher;
mod relay;

pub use authority::Authority;
pub use bench::{Bench, NODE, Sources};
pub use broker::{Mosquitto, embedded_broker, free_port};
pub use node::Node;
pub use process::{Process, program};
pub use publisher::{Publisher, radar_message};
pub use relay::Relay;

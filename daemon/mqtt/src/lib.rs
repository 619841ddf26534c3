//! One MQTT 5 connection with the discipline an unattended client needs; the only place that knows the client library.
//!
//! - A [`Connection`] is one TCP connection with a clean start. It is never reused: whoever wants to go on opens a new
//!   one and publishes again from its own store, so no stale packet and no old acknowledgement can be carried over.
//! - One task polls the socket and nothing else. Events are handed to the caller's function, which must not block; it
//!   puts them into a queue of its own with a bound and a policy of its own.
//! - A connection on which nothing happens for three keep-alives is closed: a broker that stopped reading leaves the
//!   client library waiting for a full socket without an error.
//! - A publication is answered by a [`Event::Receipt`] with the broker's reason code. A receipt is not delivery.

mod connection;
mod options;
mod renewal;

pub use connection::{CloseReason, Connection, Event, Message, Publication, PublishError, Quality, Receipt};
pub use options::{LastWill, Options, OptionsError, Tls};
pub use renewal::Renewal;

//! Outbox, uplink and centre ledger without I/O, and the messages between gateway and centre.
//!
//! The way of an alert: [`Uplink::commit`] writes it through a [`Store`] and gives it a number; [`Uplink::handle`]
//! publishes it, again and again, until an [`Ack`] of the centre covers that number. A broker's receipt is not delivery.
//! Nothing here opens a socket, reads a clock or draws a random number: time, events and seeds are arguments.

pub mod audit;
pub mod certificate;
pub mod ledger;
pub mod memory;
pub mod message;
mod outbox;
mod ranges;
pub mod recovery;
pub mod signature;
pub mod store;
pub mod topic;
mod trail;
pub mod uplink;
pub mod words;
mod work;

pub use ledger::{Ledger, LedgerConfig};
pub use message::{Ack, Answer, Envelope, EnvelopeHead, Epoch, MessageError, Order, Status, Void, VoidReason};
pub use outbox::{CommitError, Committed, Limits, Outbox, Sealed, Settled, Standing};
pub use ranges::Ranges;
pub use signature::{KeyError, Keyring, Signer, Verdict};
pub use store::{Batch, EngineState, JournalEntry, Store, StoreError, Window};
pub use topic::{Channel, GatewayId};
pub use trail::Trail;
pub use uplink::{Uplink, UplinkConfig};
pub use work::Work;

pub use vedette_engine as engine;

//! What the driver tells the ledger, and what the ledger asks of it.

use vedette_engine::{Alert, Timestamp};

use super::{Entry, VoidEntry};
use crate::GatewayId;
use crate::message::{Answer, Order, Status};
use crate::store::StoreError;
use crate::uplink::Publication;

/// What the driver tells the ledger.
#[derive(Clone, Debug, PartialEq)]
pub enum LedgerEvent {
    /// Time has come to the deadline.
    Tick,
    /// Connected, with all subscriptions granted.
    Connected,
    /// The connection is gone.
    Closed,
    /// Why there is no connection, as the last attempt to make one told.
    Unreachable {
        /// The reason.
        reason: String,
    },
    /// The broker lets the centre in, but not hear or answer.
    Unheard {
        /// How that shows.
        reason: String,
    },
    /// How long the centre's certificate is valid, told when it is read.
    Certificate {
        /// The file's name.
        name: String,
        /// Not valid after this time.
        expires_at: Timestamp,
    },
    /// The ledger's file was damaged, and a new one was begun with what could be read.
    Damaged {
        /// What was damaged, where it is kept, and how much was read.
        detail: String,
    },
    /// Somebody did something that belongs in the audit log.
    Audit {
        /// Who.
        by: String,
        /// What, in one word.
        act: String,
        /// To what.
        detail: String,
    },
    /// A message came.
    Message {
        /// Topic.
        topic: String,
        /// Payload.
        payload: Vec<u8>,
        /// The broker had it in store.
        retained: bool,
        /// MQTT 5 user properties.
        properties: Vec<(String, String)>,
    },
    /// Somebody at the centre orders something.
    Order {
        /// To whom.
        gateway: GatewayId,
        /// What.
        order: Order,
    },
}

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum LedgerAction {
    /// Publish; receipts need not be reported: whoever misses an acknowledgement sends its alert again.
    Publish(Publication),
    /// Tell people.
    Announce(Announcement),
}

/// Something for people, after its commit.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Announcement {
    /// An alert.
    Alert {
        /// Its entry.
        entry: Entry,
        /// The alert, unless this program is too old to read it.
        alert: Option<Box<Alert>>,
    },
    /// Alerts that will never come.
    Void(VoidEntry),
    /// A gateway came or went, by its own word or its last will.
    Gateway {
        /// Which.
        gateway: GatewayId,
        /// What it said.
        status: Status,
    },
    /// The newest picture of a gateway, as it came.
    Tracks {
        /// Which gateway.
        gateway: GatewayId,
        /// A [`crate::message::Tracks`] message.
        bytes: Vec<u8>,
    },
    /// What became of an order.
    Answer {
        /// Which gateway.
        gateway: GatewayId,
        /// Its answer.
        answer: Answer,
    },
    /// A message that was not accepted.
    Refused {
        /// Its topic.
        topic: String,
        /// Why.
        reason: String,
    },
    /// The ledger's store failed; nothing was acknowledged.
    Store(StoreError),
}

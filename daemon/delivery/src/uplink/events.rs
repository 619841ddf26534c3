//! What the driver tells the uplink, and what the uplink asks of it.

use vedette_engine::Command;

use crate::message::Answer;
use crate::store::StoreError;

/// What the driver tells the uplink.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Time has come to the deadline, or something was committed.
    Tick,
    /// CONNACK with success.
    Connected,
    /// The broker answered one of the filters of [`Action::Subscribe`].
    Subscribed {
        /// Whether it was granted.
        granted: bool,
    },
    /// The broker answered a publication.
    Receipt {
        /// Which.
        id: u64,
        /// Its answer.
        receipt: Receipt,
    },
    /// A message came.
    Message {
        /// Topic.
        topic: String,
        /// Payload.
        payload: Vec<u8>,
        /// MQTT 5 user properties.
        properties: Vec<(String, String)>,
    },
    /// The connection is gone, or was never made.
    Closed,
    /// The newest picture, as a [`crate::message::Tracks`] message; replaces the one before.
    Tracks(Vec<u8>),
    /// The answer to an order.
    Answer(Answer),
}

/// The broker's answer to a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It has it.
    Taken,
    /// It has it, and nobody subscribes (0x10).
    NoSubscriber,
    /// This client may not publish there (0x87).
    NotAuthorised,
    /// Refused with another reason code.
    Refused {
        /// The code.
        code: u8,
    },
}

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Open a new connection, with a new client and a clean start.
    Connect,
    /// Ask for these topic filters.
    Subscribe(Vec<String>),
    /// Publish; a publication with `reliable` is QoS 1 and answered by [`Event::Receipt`].
    Publish(Publication),
    /// Drop the connection; [`Event::Closed`] need not follow.
    Disconnect,
    /// An order to be carried out, or answered where it has expired.
    Order(Command),
    /// Something the gateway should know: a count, a log line, often a `Fact` for the engine.
    Report(Report),
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Named in the receipt.
    pub id: u64,
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// QoS 1, else QoS 0.
    pub reliable: bool,
    /// Whether the broker keeps it.
    pub retain: bool,
    /// MQTT 5 user properties.
    pub properties: Vec<(String, String)>,
}

/// What the uplink noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// Acknowledgements of the centre arrive, or stopped arriving.
    Centre {
        /// Whether they arrive.
        up: bool,
    },
    /// Alerts have been on their way for three keep-alives on a connection that lives, and the centre has acknowledged none.
    Unacknowledged {
        /// How many wait.
        waiting: u64,
    },
    /// The broker lives and nobody listens there.
    NoSubscriber {
        /// The topic.
        topic: String,
    },
    /// The broker does not let this gateway publish or subscribe: a matter for a person.
    NotAuthorised {
        /// The topic, or the topic filters.
        topic: String,
    },
    /// No answer of the broker for three keep-alives.
    Stalled,
    /// An alert the broker refused for good: dropped.
    Quarantined {
        /// Its number.
        seq: u64,
        /// The broker's reason code.
        code: u8,
    },
    /// An alert with which connections broke several times: it is sent alone and last from now on.
    Isolated {
        /// Its number.
        seq: u64,
    },
    /// A message that could not be read, or an order that was not proven.
    Refused {
        /// Topic.
        topic: String,
        /// Why.
        reason: String,
    },
    /// The centre no longer knows what it acknowledged; it is sent again.
    Forgotten {
        /// How many numbers.
        numbers: u64,
    },
    /// The centre knows numbers this store never gave: call [`crate::Uplink::renew`].
    StoreIsOld,
    /// The store failed.
    Store(StoreError),
}

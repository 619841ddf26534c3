//! Frames from the gateway: authenticated, and known to be fresh although a reset forgets every counter.
//!
//! The node keeps no replay window in flash. Instead, after a reset it believes one thing only: an acknowledgement of a frame it
//! sent since then, which nobody can have recorded before. That closes the window behind itself; everything later has to carry
//! a higher counter.

use thiserror::Error;
use vedette_wire::payload::{Acknowledgement, NewKey, Time};
use vedette_wire::{Direction, Header, Key, OpenError, Opener, Payload, PayloadError, ReplayWindow, TooManyEpochs};

/// The key in use and the one to come.
const OWN_KEYS: usize = 2;

/// Something the gateway said, authentic and fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// A frame is durable; with the key epoch the gateway said it under.
    Acknowledged { acknowledgement: Acknowledgement, epoch: u8 },
    /// Its time, said to this node or to all.
    Time { time: Time, to_all: bool },
    /// The next key.
    NewKey(NewKey),
    /// Nothing that matters any more.
    Nothing,
}

/// An order with the counter of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) counter: u32,
    pub(crate) order: Order,
}

/// Why a downward frame was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// It did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What it carries is no payload.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Its counter was taken in before.
    #[error("downward frame {counter} is a repeat")]
    Repeat {
        /// Its counter.
        counter: u32,
    },
    /// The node has no proof yet that the gateway is answering: see the module.
    #[error("downward frame {counter} came before the first acknowledgement since the reset")]
    NotFresh {
        /// Its counter.
        counter: u32,
    },
    /// A payload that does not travel downward, an acknowledgement of a frame not sent since the reset, or a time for all nodes that is
    /// too far from the one the node was told itself.
    #[error("downward frame {counter} is not for now")]
    OutOfPlace {
        /// Its counter.
        counter: u32,
    },
}

impl Refused {
    /// One stable word for counters and logs.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Open(error) => error.reason(),
            Self::Payload(error) => error.reason(),
            Self::Repeat { .. } => "repeat",
            Self::NotFresh { .. } => "not_fresh",
            Self::OutOfPlace { .. } => "out_of_place",
        }
    }
}

/// The openers of a node: for its own frames and for those to all nodes.
#[derive(Clone, Debug)]
pub(crate) struct Downlink {
    own: Opener<OWN_KEYS>,
    broadcast: Option<Opener<1>>,
}

impl Downlink {
    pub(crate) fn new(node: u32, broadcast: Option<(u8, Key)>) -> Result<Self, TooManyEpochs> {
        let broadcast = match broadcast {
            None => None,
            Some((epoch, key)) => {
                let mut opener = Opener::with_room(vedette_wire::BROADCAST, Direction::Down);
                opener.add_key(epoch, &key, ReplayWindow::new())?;
                Some(opener)
            }
        };
        Ok(Self { own: Opener::with_room(node, Direction::Down), broadcast })
    }

    /// Adds the key in use, or the one to come; another one to come is forgotten.
    pub(crate) fn add_key(&mut self, current: u8, epoch: u8, key: &Key) -> Result<(), TooManyEpochs> {
        self.keep_only(current);
        self.own.add_key(epoch, key, ReplayWindow::new())
    }

    pub(crate) fn keep_only(&mut self, epoch: u8) {
        let others = self.own.windows().map(|(of, _)| of).filter(|&of| of != epoch);
        let others: heapless::Vec<u8, OWN_KEYS> = others.collect();
        for other in others {
            self.own.remove_key(other);
        }
    }

    /// Whether an acknowledgement has closed the window of this key since the reset; of any key for `None`.
    fn is_fresh(&self, epoch: Option<u8>) -> bool {
        let mut windows = self.own.windows().filter(|(of, _)| epoch.is_none_or(|epoch| epoch == *of));
        windows.any(|(_, window)| window.newest().is_some())
    }

    /// Opens a frame; `awaits` tells whether the acknowledgement of a counter is waited for.
    pub(crate) fn open(&mut self, frame: &[u8], awaits: impl Fn(u32) -> bool) -> Result<Heard, Refused> {
        let header = Header::parse(frame)?;
        let heard = |order| Heard { counter: header.counter, order };
        if self.broadcast.is_some() && header.node == vedette_wire::BROADCAST {
            let time = self.open_broadcast(frame)?;
            return Ok(heard(Order::Time { time, to_all: true }));
        }
        let counter = header.counter;
        let opened = self.own.open(frame)?;
        if opened.repeat {
            return Err(Refused::Repeat { counter });
        }
        let is_fresh = self.is_fresh(Some(header.epoch));
        let order = match Payload::decode(&opened.payload)? {
            Payload::Acknowledgement(acknowledgement) if awaits(acknowledgement.counter) => {
                if !is_fresh {
                    self.own.close(header.epoch, counter);
                }
                Order::Acknowledged { acknowledgement, epoch: header.epoch }
            }
            // Of a frame that was not waited for, as telemetry is not, or that another acknowledgement overtook.
            Payload::Acknowledgement(_) if is_fresh => Order::Nothing,
            Payload::Acknowledgement(_)
            | Payload::Events(_)
            | Payload::Telemetry(_)
            | Payload::Hello(_)
            | Payload::Position(_) => {
                return Err(Refused::OutOfPlace { counter });
            }
            Payload::Time(_) | Payload::NewKey(_) if !is_fresh => return Err(Refused::NotFresh { counter }),
            Payload::Time(time) => Order::Time { time, to_all: false },
            Payload::NewKey(new_key) => Order::NewKey(new_key),
        };
        self.own.accept(&opened);
        Ok(heard(order))
    }

    /// Whoever holds one node can forge frames to all: only the time is taken from them, and only after the own key spoke.
    fn open_broadcast(&mut self, frame: &[u8]) -> Result<Time, Refused> {
        let is_fresh = self.is_fresh(None);
        let node = vedette_wire::BROADCAST;
        let opener = self.broadcast.as_mut().ok_or(OpenError::UnknownNode { node })?;
        let opened = opener.open(frame)?;
        let counter = opened.header.counter;
        if opened.repeat {
            return Err(Refused::Repeat { counter });
        }
        let Payload::Time(time) = Payload::decode(&opened.payload)? else {
            return Err(Refused::OutOfPlace { counter });
        };
        if !is_fresh {
            return Err(Refused::NotFresh { counter });
        }
        opener.accept(&opened);
        Ok(time)
    }
}

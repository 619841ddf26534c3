//! What a radio frame carries, once opened: one kind byte, then the fields of that kind.

mod control;
mod event;
mod position;
mod telemetry;

use thiserror::Error;

pub use self::control::{Acknowledgement, Hello, NewKey, ResetCause, Sensors, Time};
pub use self::event::{
    Admitted, Crossing, EVENT_LEN, Event, EventCursor, EventKind, Events, GroundSource, MAX_AGE_TICKS, MAX_EVENTS,
    TICKS_PER_SECOND, TamperCause,
};
pub use self::position::{Call, Position};
pub use self::telemetry::{Telemetry, TelemetryFlags};

use crate::bytes::{Reader, Writer};
use crate::frame::{Direction, MAX_PAYLOAD, PayloadBytes};

const EVENTS: u8 = 1;
const TELEMETRY: u8 = 2;
const HELLO: u8 = 3;
const ACKNOWLEDGEMENT: u8 = 4;
const TIME: u8 = 5;
const NEW_KEY: u8 = 6;
const POSITION: u8 = 7;

/// The content of a radio frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Up: what the node's detectors saw.
    Events(Events),
    /// Up: how the node is.
    Telemetry(Telemetry),
    /// Up: first frame after a reset or a new key.
    Hello(Hello),
    /// Down: a frame of the node is durable at the gateway.
    Acknowledgement(Acknowledgement),
    /// Down: the gateway's time, for one node or as the beacon for all.
    Time(Time),
    /// Down: the node's next key.
    NewKey(NewKey),
    /// Up, from version 2 on: where a node is that somebody carries.
    Position(Position),
}

/// Why bytes are not a payload, or a payload has no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PayloadError {
    /// Nothing to decode.
    #[error("payload is empty")]
    Empty,
    /// A kind number this build does not know.
    #[error("payload kind {got} is not known")]
    Kind {
        /// The kind number.
        got: u8,
    },
    /// The bytes end within the payload.
    #[error("payload of kind {kind} ends after {got} bytes")]
    Truncated {
        /// The kind number.
        kind: u8,
        /// Bytes of the payload.
        got: usize,
    },
    /// Bytes are left over behind the payload.
    #[error("payload of kind {kind} has {extra} bytes too many")]
    Trailing {
        /// The kind number.
        kind: u8,
        /// Bytes left over.
        extra: usize,
    },
    /// A field holds a value outside its range.
    #[error("{field} is {got}, outside its range")]
    Range {
        /// The field, with its unit.
        field: &'static str,
        /// The value.
        got: i64,
    },
    /// More events than a frame holds, or none.
    #[error("expected 1 to {MAX_EVENTS} events, got {got}")]
    EventCount {
        /// Number of events.
        got: usize,
    },
}

impl PayloadError {
    /// One stable word for counters and logs.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Kind { .. } => "payload_kind",
            Self::Truncated { .. } => "payload_truncated",
            Self::Trailing { .. } => "payload_trailing",
            Self::Range { .. } => "payload_range",
            Self::EventCount { .. } => "event_count",
        }
    }
}

/// The writer payloads are encoded into.
type PayloadWriter = Writer<MAX_PAYLOAD>;

impl Payload {
    /// Which way a payload of this kind travels.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self {
            Self::Events(_) | Self::Telemetry(_) | Self::Hello(_) | Self::Position(_) => Direction::Up,
            Self::Acknowledgement(_) | Self::Time(_) | Self::NewKey(_) => Direction::Down,
        }
    }

    /// The oldest version of the protocol that has payloads of this kind.
    #[must_use]
    pub const fn since(&self) -> u8 {
        match self {
            Self::Position(_) => 2,
            Self::Events(_)
            | Self::Telemetry(_)
            | Self::Hello(_)
            | Self::Acknowledgement(_)
            | Self::Time(_)
            | Self::NewKey(_) => 1,
        }
    }

    /// The bytes to be sealed.
    ///
    /// # Errors
    /// [`PayloadError::Range`] or [`PayloadError::EventCount`] for a value that has no encoding.
    pub fn encode(&self) -> Result<PayloadBytes, PayloadError> {
        let mut out = PayloadWriter::new();
        let kind = match self {
            Self::Events(_) => EVENTS,
            Self::Telemetry(_) => TELEMETRY,
            Self::Hello(_) => HELLO,
            Self::Acknowledgement(_) => ACKNOWLEDGEMENT,
            Self::Time(_) => TIME,
            Self::NewKey(_) => NEW_KEY,
            Self::Position(_) => POSITION,
        };
        out.u8(kind);
        match self {
            Self::Events(events) => events.write(&mut out)?,
            Self::Telemetry(telemetry) => telemetry.write(&mut out)?,
            Self::Hello(hello) => hello.write(&mut out)?,
            Self::Acknowledgement(acknowledgement) => acknowledgement.write(&mut out),
            Self::Time(time) => time.write(&mut out)?,
            Self::NewKey(new_key) => new_key.write(&mut out),
            Self::Position(position) => position.write(&mut out)?,
        }
        out.finish().ok_or(PayloadError::Trailing { kind, extra: 1 })
    }

    /// Reads opened bytes, strictly: every byte is accounted for and every field in its range, so that encoding the result
    /// gives the same bytes again.
    ///
    /// # Errors
    /// [`PayloadError`], for any bytes that [`Payload::encode`] does not make.
    pub fn decode(bytes: &[u8]) -> Result<Self, PayloadError> {
        let mut reader = Reader::new(bytes);
        let kind = reader.u8().ok_or(PayloadError::Empty)?;
        let field = |result: Option<Result<Self, PayloadError>>| {
            result.unwrap_or(Err(PayloadError::Truncated { kind, got: bytes.len() }))
        };
        let payload = match kind {
            EVENTS => field(Events::read(&mut reader).map(|events| events.map(Self::Events))),
            TELEMETRY => field(Telemetry::read(&mut reader).map(|telemetry| telemetry.map(Self::Telemetry))),
            HELLO => field(Hello::read(&mut reader).map(|hello| hello.map(Self::Hello))),
            ACKNOWLEDGEMENT => field(Acknowledgement::read(&mut reader).map(|ack| Ok(Self::Acknowledgement(ack)))),
            TIME => field(Time::read(&mut reader).map(|time| time.map(Self::Time))),
            NEW_KEY => field(NewKey::read(&mut reader).map(|new_key| Ok(Self::NewKey(new_key)))),
            POSITION => field(Position::read(&mut reader).map(|position| position.map(Self::Position))),
            got => Err(PayloadError::Kind { got }),
        }?;
        match reader.left() {
            0 => Ok(payload),
            extra => Err(PayloadError::Trailing { kind, extra }),
        }
    }
}

/// The value when it is within the range, the typed error when not.
fn within<T: Copy + PartialOrd + Into<i64>>(
    field: &'static str,
    value: T,
    range: &core::ops::RangeInclusive<T>,
) -> Result<T, PayloadError> {
    if range.contains(&value) { Ok(value) } else { Err(PayloadError::Range { field, got: value.into() }) }
}

/// The mask when the flag is on.
const fn flag(on: bool, mask: u8) -> u8 {
    if on { mask } else { 0 }
}

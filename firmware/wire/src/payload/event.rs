//! Detector events: several to a frame, each with its age instead of a time, each numbered for life.

use heapless::Vec;

use super::{PayloadError, PayloadWriter, within};
use crate::bytes::Reader;
use crate::frame::MAX_PAYLOAD;

/// Ticks of a node's clock in ages and durations.
pub const TICKS_PER_SECOND: u32 = 16;
/// Greatest age an event can be sent with: 12 days. A node sends older ones with this age and `age_at_least`.
pub const MAX_AGE_TICKS: u32 = 0x00FF_FFFF;
/// Bytes of one event in a frame.
pub const EVENT_LEN: usize = 7;
/// Most events in one frame.
pub const MAX_EVENTS: usize = (MAX_PAYLOAD - 3) / EVENT_LEN;

/// Events of one frame, oldest first.
///
/// Each event of a node has a number, counted up by one for life and kept in the node's flash; a frame tells its first event's
/// number. A node that got no acknowledgement sends its events again in a new frame with their ages as they are then, so the
/// receiver tells events apart by number, not by frame: see [`EventCursor`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// Number of the first event, modulo 2^16.
    pub first: u16,
    /// The events, 1 to [`MAX_EVENTS`], with consecutive numbers.
    pub events: Vec<Event, MAX_EVENTS>,
}

/// One thing a node's detector saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which detector, and what it made of it.
    pub kind: EventKind,
    /// Time from the event's start to the sealing of the frame, in ticks of 1/16 s, at most [`MAX_AGE_TICKS`].
    pub age_ticks: u32,
    /// The age is a lower bound: the node was reset in between, and did not know the time before and after.
    pub age_at_least: bool,
    /// Level above the detector's floor in half decibels; 0 when the detector measures none.
    pub strength_half_db: u8,
    /// How long it went on, in ticks of 1/16 s; 0 for an instant.
    pub duration_ticks: u16,
}

/// Which detector made an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// A passive infrared detector saw warmth move.
    Pir,
    /// A geophone felt the ground move.
    Seismic(GroundSource),
    /// Something went through the beam or over the wire; with the direction where two beams tell it.
    Tripwire(Option<Crossing>),
    /// Somebody is at the node itself.
    Tamper(TamperCause),
}

/// What the ground motion looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroundSource {
    /// Above the floor, but nothing known.
    Unclassified,
    /// Impulses with the cadence of steps.
    Footsteps,
    /// The steady spectrum of an engine and wheels.
    Vehicle,
}

/// Which way a line was crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Crossing {
    /// From left to right of the line's first to second point.
    In,
    /// From right to left.
    Out,
}

/// What the tamper switch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TamperCause {
    /// The housing was opened.
    Opened,
    /// The node was moved or tilted.
    Moved,
}

const PIR: u8 = 1;
const SEISMIC: u8 = 2;
const TRIPWIRE: u8 = 3;
const TAMPER: u8 = 4;
const AT_LEAST: u8 = 0x80;

impl EventKind {
    /// The number of this kind on the wire and in a node's flash: kind in the low nibble, detail in the three bits above.
    #[must_use]
    pub const fn code(self) -> u8 {
        let (kind, detail) = match self {
            Self::Pir => (PIR, 0),
            Self::Seismic(GroundSource::Unclassified) => (SEISMIC, 0),
            Self::Seismic(GroundSource::Footsteps) => (SEISMIC, 1),
            Self::Seismic(GroundSource::Vehicle) => (SEISMIC, 2),
            Self::Tripwire(None) => (TRIPWIRE, 0),
            Self::Tripwire(Some(Crossing::In)) => (TRIPWIRE, 1),
            Self::Tripwire(Some(Crossing::Out)) => (TRIPWIRE, 2),
            Self::Tamper(TamperCause::Opened) => (TAMPER, 0),
            Self::Tamper(TamperCause::Moved) => (TAMPER, 1),
        };
        detail << 4 | kind
    }

    /// The kind of a number.
    ///
    /// # Errors
    /// [`PayloadError::Range`] for a number without a kind.
    pub fn of_code(code: u8) -> Result<Self, PayloadError> {
        Ok(match (code & 0x0F, code >> 4) {
            (PIR, 0) => Self::Pir,
            (SEISMIC, 0) => Self::Seismic(GroundSource::Unclassified),
            (SEISMIC, 1) => Self::Seismic(GroundSource::Footsteps),
            (SEISMIC, 2) => Self::Seismic(GroundSource::Vehicle),
            (TRIPWIRE, 0) => Self::Tripwire(None),
            (TRIPWIRE, 1) => Self::Tripwire(Some(Crossing::In)),
            (TRIPWIRE, 2) => Self::Tripwire(Some(Crossing::Out)),
            (TAMPER, 0) => Self::Tamper(TamperCause::Opened),
            (TAMPER, 1) => Self::Tamper(TamperCause::Moved),
            _ => return Err(PayloadError::Range { field: "event kind", got: code.into() }),
        })
    }
}

impl Events {
    /// The events with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (u16, &Event)> {
        (0..).zip(&self.events).map(|(index, event)| (self.first.wrapping_add(index), event))
    }

    pub(super) fn write(&self, out: &mut PayloadWriter) -> Result<(), PayloadError> {
        if self.events.is_empty() {
            return Err(PayloadError::EventCount { got: 0 });
        }
        out.u16(self.first);
        for event in &self.events {
            let age_ticks = within("age in ticks", event.age_ticks, &(0..=MAX_AGE_TICKS))?;
            let at_least = if event.age_at_least { AT_LEAST } else { 0 };
            out.u8(event.kind.code() | at_least).u24(age_ticks).u8(event.strength_half_db).u16(event.duration_ticks);
        }
        Ok(())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Result<Self, PayloadError>> {
        let first = reader.u16()?;
        let mut events = Vec::new();
        while reader.left() > 0 {
            let code = reader.u8()?;
            let (age_ticks, strength_half_db, duration_ticks) = (reader.u24()?, reader.u8()?, reader.u16()?);
            let kind = match EventKind::of_code(code & !AT_LEAST) {
                Ok(kind) => kind,
                Err(error) => return Some(Err(error)),
            };
            let age_at_least = code & AT_LEAST != 0;
            let event = Event { kind, age_ticks, age_at_least, strength_half_db, duration_ticks };
            if events.push(event).is_err() {
                return Some(Err(PayloadError::EventCount { got: MAX_EVENTS + 1 }));
            }
        }
        if events.is_empty() {
            return Some(Err(PayloadError::EventCount { got: 0 }));
        }
        Some(Ok(Self { first, events }))
    }
}

/// The receiver's memory of one node's event numbers: tells a new event from one already taken in under an earlier frame.
///
/// A node sends its oldest events until they are acknowledged, one frame at a time. So a number that comes again lies less
/// than a frame's worth behind the newest; any other jump is a gap, which counts lost events, or a node that was wiped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCursor {
    next: Option<u16>,
}

/// What [`EventCursor::admit`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// Not seen before; `missed` numbers lie between it and the one before.
    New {
        /// Events the node had to drop, or that were lost, before this one.
        missed: u16,
    },
    /// Taken in before.
    Repeat,
}

impl EventCursor {
    /// How far back a number counts as a repeat; larger than any frame's worth of events.
    const REPEAT_SPAN: u16 = 16;

    /// A cursor that continues after a stored [`EventCursor::next`].
    #[must_use]
    pub const fn starting_at(next: Option<u16>) -> Self {
        Self { next }
    }

    /// The number expected next, to be stored; `None` before the first event.
    #[must_use]
    pub const fn next(&self) -> Option<u16> {
        self.next
    }

    /// Judges one event number and moves on.
    pub fn admit(&mut self, number: u16) -> Admitted {
        let missed = match self.next {
            None => 0,
            Some(next) => {
                let behind = next.wrapping_sub(number);
                if (1..=Self::REPEAT_SPAN).contains(&behind) {
                    return Admitted::Repeat;
                }
                let ahead = number.wrapping_sub(next);
                // More than half the circle ahead is a node that began anew, not half a circle of losses.
                if ahead < 0x8000 { ahead } else { 0 }
            }
        };
        self.next = Some(number.wrapping_add(1));
        Admitted::New { missed }
    }
}

//! Messages from a concentrator to its gateway.

use super::{LinkError, Message, MessageWriter, sealed::Fields};
use crate::bytes::Reader;
use crate::frame::SealedFrame;
use crate::payload::ResetCause;

const RECEIVED: u8 = 0x01;
const TRANSMITTED: u8 = 0x02;
const STATUS: u8 = 0x03;
const STARTED: u8 = 0x04;

/// A message from a concentrator to its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upward {
    /// A radio frame came in. The concentrator has no keys: nothing in it is authenticated.
    Received(Received),
    /// What became of a frame to be sent.
    Transmitted(Transmitted),
    /// Counters, about once a minute.
    Status(Status),
    /// The concentrator was reset: its ticks begin anew and its configuration is the built-in one.
    Started(Started),
}

/// A radio frame as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Concentrator clock at the end of the frame, milliseconds, wrapping.
    pub ticks: u32,
    /// Received signal strength, dBm.
    pub rssi_dbm: i16,
    /// Signal to noise ratio, quarter decibels.
    pub snr_qdb: i16,
    /// The sealed frame.
    pub frame: SealedFrame,
}

/// What became of a [`super::Transmit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmitted {
    /// The id given with it.
    pub id: u16,
    /// Concentrator clock at the start of sending, or at the refusal, milliseconds, wrapping.
    pub ticks: u32,
    /// What happened.
    pub outcome: Outcome,
}

/// How sending went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// On the air.
    Sent,
    /// Its time had passed.
    Late,
    /// The duty cycle allows no more now.
    DutyCycle,
    /// The queue is full.
    QueueFull,
    /// The radio refused it, or the channel was never free.
    Radio,
}

/// Counters of a concentrator since its start, each modulo 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Concentrator clock, milliseconds, wrapping.
    pub ticks: u32,
    /// Radio frames received and passed on.
    pub received: u32,
    /// Radio frames dropped as echoes of one just passed on.
    pub duplicates: u32,
    /// Radio frames whose own checksum was wrong.
    pub damaged: u32,
    /// Frames sent.
    pub transmitted: u32,
    /// Frames not sent, for whatever reason.
    pub refused: u32,
    /// Bad frames on the serial line.
    pub link_errors: u32,
    /// Duty cycle used in the running hour, per mille of it.
    pub duty_permille: u16,
    /// Frames that wait to be sent.
    pub queued: u16,
}

/// A concentrator's first words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Concentrator clock, milliseconds.
    pub ticks: u32,
    /// Oldest protocol version it understands.
    pub min_version: u8,
    /// Newest protocol version it understands.
    pub current_version: u8,
    /// Firmware release: major.
    pub firmware_major: u8,
    /// Firmware release: minor.
    pub firmware_minor: u8,
    /// Why it was reset.
    pub reset: ResetCause,
}

impl Outcome {
    const fn code(self) -> u8 {
        match self {
            Self::Sent => 0,
            Self::Late => 1,
            Self::DutyCycle => 2,
            Self::QueueFull => 3,
            Self::Radio => 4,
        }
    }

    const fn of_code(code: u8) -> Result<Self, LinkError> {
        Ok(match code {
            0 => Self::Sent,
            1 => Self::Late,
            2 => Self::DutyCycle,
            3 => Self::QueueFull,
            4 => Self::Radio,
            _ => return Err(LinkError::Range { field: "outcome", got: code as i64 }),
        })
    }
}

impl Message for Upward {}

#[expect(private_interfaces, reason = "the trait is sealed")]
impl Fields for Upward {
    fn write(&self, out: &mut MessageWriter) -> Result<(), LinkError> {
        match self {
            Self::Received(received) => {
                out.u8(RECEIVED).u32(received.ticks).i16(received.rssi_dbm).i16(received.snr_qdb);
                out.bytes(&received.frame);
            }
            Self::Transmitted(transmitted) => {
                out.u8(TRANSMITTED).u16(transmitted.id).u32(transmitted.ticks).u8(transmitted.outcome.code());
            }
            Self::Status(status) => {
                out.u8(STATUS)
                    .u32(status.ticks)
                    .u32(status.received)
                    .u32(status.duplicates)
                    .u32(status.damaged)
                    .u32(status.transmitted)
                    .u32(status.refused)
                    .u32(status.link_errors)
                    .u16(status.duty_permille)
                    .u16(status.queued);
            }
            Self::Started(started) => {
                out.u8(STARTED)
                    .u32(started.ticks)
                    .u8(started.min_version)
                    .u8(started.current_version)
                    .u8(started.firmware_major)
                    .u8(started.firmware_minor)
                    .u8(started.reset.code());
            }
        }
        Ok(())
    }

    fn read(kind: u8, reader: &mut Reader<'_>) -> Option<Result<Self, LinkError>> {
        Some(match kind {
            RECEIVED => {
                let (ticks, rssi_dbm, snr_qdb) = (reader.u32()?, reader.i16()?, reader.i16()?);
                let frame = SealedFrame::from_slice(reader.rest()).ok().filter(|frame| !frame.is_empty())?;
                Ok(Self::Received(Received { ticks, rssi_dbm, snr_qdb, frame }))
            }
            TRANSMITTED => {
                let (id, ticks, outcome) = (reader.u16()?, reader.u32()?, reader.u8()?);
                Outcome::of_code(outcome).map(|outcome| Self::Transmitted(Transmitted { id, ticks, outcome }))
            }
            STATUS => Ok(Self::Status(Status {
                ticks: reader.u32()?,
                received: reader.u32()?,
                duplicates: reader.u32()?,
                damaged: reader.u32()?,
                transmitted: reader.u32()?,
                refused: reader.u32()?,
                link_errors: reader.u32()?,
                duty_permille: reader.u16()?,
                queued: reader.u16()?,
            })),
            STARTED => {
                let (ticks, min_version, current_version) = (reader.u32()?, reader.u8()?, reader.u8()?);
                let (firmware_major, firmware_minor, code) = (reader.u8()?, reader.u8()?, reader.u8()?);
                let reset = ResetCause::of_code(code);
                reset.ok_or(LinkError::Range { field: "reset cause", got: code.into() }).map(|reset| {
                    Self::Started(Started {
                        ticks,
                        min_version,
                        current_version,
                        firmware_major,
                        firmware_minor,
                        reset,
                    })
                })
            }
            got => Err(LinkError::Kind { got }),
        })
    }
}

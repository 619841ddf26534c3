//! The UART of a radio modem: frames to send, frames heard, and whether the channel is in use.

use super::{Configure, LinkError, Message, MessageWriter, sealed::Fields};
use crate::bytes::Reader;
use crate::frame::SealedFrame;

const HEARD: u8 = 0x21;
const CARRIER: u8 = 0x22;
const SENT: u8 = 0x23;
const SEND: u8 = 0xA1;
const TUNE: u8 = 0xA2;

/// A message from a modem to its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromModem {
    /// A frame whose radio checksum was right.
    Heard {
        /// Received signal strength, dBm.
        rssi_dbm: i16,
        /// Signal to noise ratio, quarter decibels.
        snr_qdb: i16,
        /// The frame.
        frame: SealedFrame,
    },
    /// Somebody began or stopped to be heard.
    Carrier {
        /// Whether somebody is heard now.
        busy: bool,
    },
    /// The frame given last is on the air no more; its time on the air in milliseconds.
    Sent {
        /// Time on the air, milliseconds, rounded up.
        airtime_ms: u16,
    },
}

/// A message from a host to its modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToModem {
    /// Send this frame now.
    Send {
        /// The frame.
        frame: SealedFrame,
    },
    /// Use these radio settings.
    Tune(Configure),
}

impl Message for FromModem {}

#[expect(private_interfaces, reason = "the trait is sealed")]
impl Fields for FromModem {
    fn write(&self, out: &mut MessageWriter) -> Result<(), LinkError> {
        match self {
            Self::Heard { rssi_dbm, snr_qdb, frame } => {
                out.u8(HEARD).i16(*rssi_dbm).i16(*snr_qdb).bytes(frame);
            }
            Self::Carrier { busy } => {
                out.u8(CARRIER).u8(u8::from(*busy));
            }
            Self::Sent { airtime_ms } => {
                out.u8(SENT).u16(*airtime_ms);
            }
        }
        Ok(())
    }

    fn read(kind: u8, reader: &mut Reader<'_>) -> Option<Result<Self, LinkError>> {
        Some(match kind {
            HEARD => {
                let (rssi_dbm, snr_qdb) = (reader.i16()?, reader.i16()?);
                let frame = SealedFrame::from_slice(reader.rest()).ok().filter(|frame| !frame.is_empty())?;
                Ok(Self::Heard { rssi_dbm, snr_qdb, frame })
            }
            CARRIER => match reader.u8()? {
                busy @ (0 | 1) => Ok(Self::Carrier { busy: busy == 1 }),
                got => Err(LinkError::Range { field: "carrier", got: got.into() }),
            },
            SENT => Ok(Self::Sent { airtime_ms: reader.u16()? }),
            got => Err(LinkError::Kind { got }),
        })
    }
}

impl Message for ToModem {}

#[expect(private_interfaces, reason = "the trait is sealed")]
impl Fields for ToModem {
    fn write(&self, out: &mut MessageWriter) -> Result<(), LinkError> {
        match self {
            Self::Send { frame } => {
                out.u8(SEND).bytes(frame);
                Ok(())
            }
            Self::Tune(settings) => {
                out.u8(TUNE);
                settings.write(out)
            }
        }
    }

    fn read(kind: u8, reader: &mut Reader<'_>) -> Option<Result<Self, LinkError>> {
        Some(match kind {
            SEND => {
                let frame = SealedFrame::from_slice(reader.rest()).ok().filter(|frame| !frame.is_empty())?;
                Ok(Self::Send { frame })
            }
            TUNE => Configure::read(reader)?.map(Self::Tune),
            got => Err(LinkError::Kind { got }),
        })
    }
}

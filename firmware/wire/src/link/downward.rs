//! Messages from a gateway to its concentrator.

use super::{LinkError, Message, MessageWriter, sealed::Fields};
use crate::bytes::Reader;
use crate::frame::SealedFrame;
use crate::payload::Time;

const TRANSMIT: u8 = 0x81;
const CONFIGURE: u8 = 0x82;
const TIME: u8 = 0x83;

/// A message from a gateway to its concentrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Downward {
    /// Send a frame. Acknowledgements and beacons alike: the concentrator has no keys and makes no frames of its own.
    Transmit(Transmit),
    /// Radio settings, to be used from now on.
    Configure(Configure),
    /// The gateway's time when this message was written.
    Time(Time),
}

/// A frame to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Chosen by the gateway; [`super::Transmitted`] repeats it.
    pub id: u16,
    /// When to begin, concentrator clock in milliseconds, wrapping; `None`: as soon as the channel is free.
    pub at_ticks: Option<u32>,
    /// The sealed frame.
    pub frame: SealedFrame,
}

/// Radio settings of a concentrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configure {
    /// Carrier, kilohertz, 137,000 to 1,020,000.
    pub frequency_khz: u32,
    /// LoRa spreading factor, 7 to 12.
    pub spreading_factor: u8,
    /// Bandwidth in kilohertz: 125, 250 or 500.
    pub bandwidth_khz: u16,
    /// Transmit power, dBm, -9 to 30.
    pub power_dbm: i8,
    /// Greatest share of an hour on the air, per mille, 1 to 1000.
    pub duty_permille: u16,
    /// Seconds between [`super::Status`] messages, 1 to 3600.
    pub status_period_s: u16,
}

impl Configure {
    fn check(&self) -> Result<(), LinkError> {
        let checks = [
            ("carrier in kilohertz", i64::from(self.frequency_khz), 137_000..=1_020_000),
            ("spreading factor", i64::from(self.spreading_factor), 7..=12),
            ("power in dBm", i64::from(self.power_dbm), -9..=30),
            ("duty cycle in per mille", i64::from(self.duty_permille), 1..=1000),
            ("status period in seconds", i64::from(self.status_period_s), 1..=3600),
        ];
        for (field, got, range) in checks {
            if !range.contains(&got) {
                return Err(LinkError::Range { field, got });
            }
        }
        match self.bandwidth_khz {
            125 | 250 | 500 => Ok(()),
            got => Err(LinkError::Range { field: "bandwidth in kilohertz", got: got.into() }),
        }
    }

    pub(super) fn write(&self, out: &mut MessageWriter) -> Result<(), LinkError> {
        self.check()?;
        let [power] = self.power_dbm.to_le_bytes();
        out.u32(self.frequency_khz)
            .u8(self.spreading_factor)
            .u16(self.bandwidth_khz)
            .u8(power)
            .u16(self.duty_permille)
            .u16(self.status_period_s);
        Ok(())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Result<Self, LinkError>> {
        let configure = Self {
            frequency_khz: reader.u32()?,
            spreading_factor: reader.u8()?,
            bandwidth_khz: reader.u16()?,
            power_dbm: i8::from_le_bytes([reader.u8()?]),
            duty_permille: reader.u16()?,
            status_period_s: reader.u16()?,
        };
        Some(configure.check().map(|()| configure))
    }
}

impl Message for Downward {}

#[expect(private_interfaces, reason = "the trait is sealed")]
impl Fields for Downward {
    fn write(&self, out: &mut MessageWriter) -> Result<(), LinkError> {
        match self {
            Self::Transmit(transmit) => {
                out.u8(TRANSMIT).u16(transmit.id).u8(u8::from(transmit.at_ticks.is_some()));
                out.u32(transmit.at_ticks.unwrap_or(0)).bytes(&transmit.frame);
            }
            Self::Configure(configure) => {
                out.u8(CONFIGURE);
                configure.write(out)?;
            }
            Self::Time(time) => {
                out.u8(TIME).u32(time.unix_s).u8(time.sixteenths).u8(time.sd_ticks);
                if time.sixteenths > 15 {
                    return Err(LinkError::Range { field: "sixteenths of a second", got: time.sixteenths.into() });
                }
            }
        }
        Ok(())
    }

    fn read(kind: u8, reader: &mut Reader<'_>) -> Option<Result<Self, LinkError>> {
        Some(match kind {
            TRANSMIT => {
                let (id, timed, at) = (reader.u16()?, reader.u8()?, reader.u32()?);
                let frame = SealedFrame::from_slice(reader.rest()).ok().filter(|frame| !frame.is_empty())?;
                match (timed, at) {
                    (0, 0) => Ok(Self::Transmit(Transmit { id, at_ticks: None, frame })),
                    (1, at) => Ok(Self::Transmit(Transmit { id, at_ticks: Some(at), frame })),
                    (got, _) => Err(LinkError::Range { field: "timed", got: got.into() }),
                }
            }
            CONFIGURE => Configure::read(reader)?.map(Self::Configure),
            TIME => {
                let time = Time { unix_s: reader.u32()?, sixteenths: reader.u8()?, sd_ticks: reader.u8()? };
                if time.sixteenths > 15 {
                    Err(LinkError::Range { field: "sixteenths of a second", got: time.sixteenths.into() })
                } else {
                    Ok(Self::Time(time))
                }
            }
            got => Err(LinkError::Kind { got }),
        })
    }
}

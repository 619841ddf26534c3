//! Messages from a gateway to its concentrator.

use core::ops::RangeInclusive;

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
    /// Carrier, kilohertz.
    pub frequency_khz: u32,
    /// LoRa spreading factor.
    pub spreading_factor: u8,
    /// Bandwidth in kilohertz.
    pub bandwidth_khz: u16,
    /// Transmit power, dBm.
    pub power_dbm: i8,
    /// Greatest share of an hour on the air, per mille.
    pub duty_permille: u16,
    /// Seconds between [`super::Status`] messages.
    pub status_period_s: u16,
}

impl Configure {
    /// What a concentrator, and a node, begin with: the usual European channel, within its duty cycle.
    pub const DEFAULT: Self = Self {
        frequency_khz: 868_100,
        spreading_factor: 7,
        bandwidth_khz: 125,
        power_dbm: 14,
        duty_permille: 10,
        status_period_s: 60,
    };
    /// Carriers, kilohertz.
    pub const FREQUENCY_KHZ: RangeInclusive<u32> = 137_000..=1_020_000;
    /// LoRa spreading factors.
    pub const SPREADING_FACTOR: RangeInclusive<u8> = 7..=12;
    /// Bandwidths, kilohertz.
    pub const BANDWIDTH_KHZ: [u16; 3] = [125, 250, 500];
    /// Transmit powers, dBm.
    pub const POWER_DBM: RangeInclusive<i8> = -9..=30;
    /// Duty cycles, per mille.
    pub const DUTY_PERMILLE: RangeInclusive<u16> = 1..=1000;
    /// Times between status messages, seconds.
    pub const STATUS_PERIOD_S: RangeInclusive<u16> = 1..=3600;

    fn check(&self) -> Result<(), LinkError> {
        within("carrier in kilohertz", self.frequency_khz, &Self::FREQUENCY_KHZ)?;
        within("spreading factor", self.spreading_factor, &Self::SPREADING_FACTOR)?;
        within("power in dBm", self.power_dbm, &Self::POWER_DBM)?;
        within("duty cycle in per mille", self.duty_permille, &Self::DUTY_PERMILLE)?;
        within("status period in seconds", self.status_period_s, &Self::STATUS_PERIOD_S)?;
        if Self::BANDWIDTH_KHZ.contains(&self.bandwidth_khz) {
            return Ok(());
        }
        Err(LinkError::Range { field: "bandwidth in kilohertz", got: self.bandwidth_khz.into() })
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

fn within<T: Copy + Into<i64> + PartialOrd>(
    field: &'static str,
    got: T,
    range: &RangeInclusive<T>,
) -> Result<(), LinkError> {
    if range.contains(&got) { Ok(()) } else { Err(LinkError::Range { field, got: got.into() }) }
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

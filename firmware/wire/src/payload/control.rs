//! Messages that keep a node and the gateway together: hello, acknowledgement, time, new key.

use super::{PayloadError, PayloadWriter, flag, within};
use crate::bytes::Reader;
use crate::key::Key;

/// First frame of a node after a reset or under a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Oldest protocol version the node understands.
    pub min_version: u8,
    /// Newest protocol version the node understands.
    pub current_version: u8,
    /// Firmware release: major.
    pub firmware_major: u8,
    /// Firmware release: minor.
    pub firmware_minor: u8,
    /// Which detectors are fitted.
    pub sensors: Sensors,
    /// Why the node was reset.
    pub reset: ResetCause,
    /// Resets in the node's life, modulo 2^16.
    pub resets: u16,
    /// Number the node's next event will have, unless older ones still wait.
    pub next_event: u16,
}

/// Which detectors a node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sensors {
    /// Passive infrared.
    pub pir: bool,
    /// Geophone.
    pub seismic: bool,
    /// Beam or wire.
    pub tripwire: bool,
}

/// Why a node started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResetCause {
    /// Supply was connected.
    PowerOn,
    /// Reset pin.
    Pin,
    /// The watchdog was not fed.
    Watchdog,
    /// The firmware asked for it, after an error it could not go on from.
    Software,
    /// Supply sagged.
    BrownOut,
}

const PIR: u8 = 1;
const SEISMIC: u8 = 2;
const TRIPWIRE: u8 = 4;

impl Sensors {
    const fn code(self) -> u8 {
        flag(self.pir, PIR) | flag(self.seismic, SEISMIC) | flag(self.tripwire, TRIPWIRE)
    }

    fn of_code(code: u8) -> Result<Self, PayloadError> {
        within("sensors", code, &(0..=PIR | SEISMIC | TRIPWIRE))?;
        Ok(Self { pir: code & PIR != 0, seismic: code & SEISMIC != 0, tripwire: code & TRIPWIRE != 0 })
    }
}

impl ResetCause {
    /// The number of this cause on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::PowerOn => 0,
            Self::Pin => 1,
            Self::Watchdog => 2,
            Self::Software => 3,
            Self::BrownOut => 4,
        }
    }

    /// The cause of a number.
    #[must_use]
    pub const fn of_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::PowerOn,
            1 => Self::Pin,
            2 => Self::Watchdog,
            3 => Self::Software,
            4 => Self::BrownOut,
            _ => return None,
        })
    }
}

impl Hello {
    fn check(&self) -> Result<(), PayloadError> {
        within("newest version", self.current_version, &(1..=15))?;
        within("oldest version", self.min_version, &(1..=self.current_version))?;
        Ok(())
    }

    pub(super) fn write(&self, out: &mut PayloadWriter) -> Result<(), PayloadError> {
        self.check()?;
        out.u8(self.min_version)
            .u8(self.current_version)
            .u8(self.firmware_major)
            .u8(self.firmware_minor)
            .u8(self.sensors.code())
            .u8(self.reset.code())
            .u16(self.resets)
            .u16(self.next_event);
        Ok(())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Result<Self, PayloadError>> {
        let (min_version, current_version) = (reader.u8()?, reader.u8()?);
        let (firmware_major, firmware_minor) = (reader.u8()?, reader.u8()?);
        let (sensors, reset) = (reader.u8()?, reader.u8()?);
        let (resets, next_event) = (reader.u16()?, reader.u16()?);
        let hello = || {
            let sensors = Sensors::of_code(sensors)?;
            let reset =
                ResetCause::of_code(reset).ok_or(PayloadError::Range { field: "reset cause", got: reset.into() })?;
            let hello = Self {
                min_version,
                current_version,
                firmware_major,
                firmware_minor,
                sensors,
                reset,
                resets,
                next_event,
            };
            hello.check().map(|()| hello)
        };
        Some(hello())
    }
}

/// A frame of the node, and everything it reported, is durable at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Counter of the acknowledged frame.
    pub counter: u32,
    /// Newest protocol version the gateway understands; the node sends nothing newer.
    pub version: u8,
}

impl Acknowledgement {
    pub(super) fn write(self, out: &mut PayloadWriter) {
        out.u32(self.counter).u8(self.version);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { counter: reader.u32()?, version: reader.u8()? })
    }
}

/// The gateway's time when this arrives: at the end of a radio frame, or of a message on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Whole seconds since 1970-01-01T00:00:00Z; ends in 2106.
    pub unix_s: u32,
    /// Sixteenths of a second on top, 0 to 15.
    pub sixteenths: u8,
    /// Standard deviation, in ticks of 1/16 s; 255 when greater.
    pub sd_ticks: u8,
}

impl Time {
    /// The time in ticks of 1/16 s since 1970.
    #[must_use]
    pub const fn ticks(&self) -> u64 {
        self.unix_s as u64 * 16 + self.sixteenths as u64
    }

    pub(super) fn write(self, out: &mut PayloadWriter) -> Result<(), PayloadError> {
        out.u32(self.unix_s).u8(within("sixteenths of a second", self.sixteenths, &(0..=15))?).u8(self.sd_ticks);
        Ok(())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Result<Self, PayloadError>> {
        let (unix_s, sixteenths, sd_ticks) = (reader.u32()?, reader.u8()?, reader.u8()?);
        let sixteenths = within("sixteenths of a second", sixteenths, &(0..=15));
        Some(sixteenths.map(|sixteenths| Self { unix_s, sixteenths, sd_ticks }))
    }
}

/// The node's next key, sealed under the present one. The node stores it, says hello under it, and drops the old key when
/// that hello is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Epoch of the new key; differs from the present one.
    pub epoch: u8,
    /// The key.
    pub key: Key,
}

impl NewKey {
    pub(super) fn write(&self, out: &mut PayloadWriter) {
        out.u8(self.epoch).bytes(self.key.expose());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { epoch: reader.u8()?, key: Key::new(reader.array()?) })
    }
}

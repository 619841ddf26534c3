//! Where a node is that somebody carries.

use super::{PayloadError, PayloadWriter, within};
use crate::bytes::Reader;

/// A place from a satellite receiver, and whether who carries it calls for help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Latitude, WGS 84, 1e-7 of a degree, north positive.
    pub lat_e7: i32,
    /// Longitude, WGS 84, 1e-7 of a degree, east positive.
    pub lon_e7: i32,
    /// Standard deviation per axis, tenths of a metre, 1 to 10000.
    pub sd_dm: u16,
    /// Time since the place was measured, ticks of 1/16 s; 65535 when longer.
    pub age_ticks: u16,
    /// Whether who carries it calls for help.
    pub call: Call,
}

/// What who carries a node says with its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Nothing.
    #[default]
    None,
    /// Help is needed.
    Help,
    /// Help is no longer needed.
    CalledOff,
}

impl Call {
    const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Help => 1,
            Self::CalledOff => 2,
        }
    }

    const fn of_code(code: u8) -> Result<Self, PayloadError> {
        Ok(match code {
            0 => Self::None,
            1 => Self::Help,
            2 => Self::CalledOff,
            _ => return Err(PayloadError::Range { field: "call", got: code as i64 }),
        })
    }
}

impl Position {
    /// The greatest standard deviation that can be said, tenths of a metre.
    pub const MAX_SD_DM: u16 = 10_000;

    fn check(&self) -> Result<(), PayloadError> {
        within("latitude in 1e-7 of a degree", self.lat_e7, &(-900_000_000..=900_000_000))?;
        within("longitude in 1e-7 of a degree", self.lon_e7, &(-1_800_000_000..=1_800_000_000))?;
        within("standard deviation in tenths of a metre", self.sd_dm, &(1..=Self::MAX_SD_DM))?;
        Ok(())
    }

    pub(super) fn write(&self, out: &mut PayloadWriter) -> Result<(), PayloadError> {
        self.check()?;
        out.i32(self.lat_e7).i32(self.lon_e7).u16(self.sd_dm).u16(self.age_ticks).u8(self.call.code());
        Ok(())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Result<Self, PayloadError>> {
        let (lat_e7, lon_e7) = (reader.i32()?, reader.i32()?);
        let (sd_dm, age_ticks, call) = (reader.u16()?, reader.u16()?, reader.u8()?);
        Some(Call::of_code(call).and_then(|call| {
            let position = Self { lat_e7, lon_e7, sd_dm, age_ticks, call };
            position.check().map(|()| position)
        }))
    }
}

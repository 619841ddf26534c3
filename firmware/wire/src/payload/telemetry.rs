//! How a node is: supply, temperature, counters since its last reset.

use super::{PayloadError, PayloadWriter, flag, within};
use crate::bytes::Reader;

/// A node's state of health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// Supply voltage, millivolts.
    pub battery_mv: u16,
    /// Temperature of the board, hundredths of a degree Celsius, -6000 to 15000.
    pub temperature_cdeg: i16,
    /// Time since the last reset, seconds.
    pub uptime_s: u32,
    /// Resets in the node's life, modulo 2^16.
    pub resets: u16,
    /// Events that wait in the node's flash.
    pub queued: u16,
    /// Events dropped in the node's life because its flash was full, modulo 2^16.
    pub dropped: u16,
    /// Frames sent again since the last reset because no acknowledgement came, modulo 2^16.
    pub retransmitted: u16,
    /// Downward frames refused since the last reset, modulo 2^16.
    pub refused: u16,
    /// Airtime used of the allowance in the running hour, per cent; above 100 does not happen.
    pub airtime_percent: u8,
    /// States that are on or off.
    pub flags: TelemetryFlags,
}

/// States in telemetry that are on or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TelemetryFlags {
    /// The tamper switch is open now.
    pub tamper: bool,
    /// The supply is below its warning level and the node saves energy.
    pub low_battery: bool,
    /// The node has the gateway's time.
    pub time_known: bool,
    /// A detector's input is stuck or out of range; the node's events may be missing.
    pub detector_fault: bool,
}

const TAMPER: u8 = 1;
const LOW_BATTERY: u8 = 2;
const TIME_KNOWN: u8 = 4;
const DETECTOR_FAULT: u8 = 8;

impl TelemetryFlags {
    const fn code(self) -> u8 {
        flag(self.tamper, TAMPER)
            | flag(self.low_battery, LOW_BATTERY)
            | flag(self.time_known, TIME_KNOWN)
            | flag(self.detector_fault, DETECTOR_FAULT)
    }

    fn of_code(code: u8) -> Result<Self, PayloadError> {
        within("telemetry flags", code, &(0..=TAMPER | LOW_BATTERY | TIME_KNOWN | DETECTOR_FAULT))?;
        Ok(Self {
            tamper: code & TAMPER != 0,
            low_battery: code & LOW_BATTERY != 0,
            time_known: code & TIME_KNOWN != 0,
            detector_fault: code & DETECTOR_FAULT != 0,
        })
    }
}

impl Telemetry {
    fn check(&self) -> Result<(), PayloadError> {
        within("temperature in hundredths of a degree", self.temperature_cdeg, &(-6_000..=15_000))?;
        within("airtime in per cent", self.airtime_percent, &(0..=100))?;
        Ok(())
    }

    pub(super) fn write(&self, out: &mut PayloadWriter) -> Result<(), PayloadError> {
        self.check()?;
        out.u16(self.battery_mv)
            .i16(self.temperature_cdeg)
            .u32(self.uptime_s)
            .u16(self.resets)
            .u16(self.queued)
            .u16(self.dropped)
            .u16(self.retransmitted)
            .u16(self.refused)
            .u8(self.airtime_percent)
            .u8(self.flags.code());
        Ok(())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Result<Self, PayloadError>> {
        let mut telemetry = Self {
            battery_mv: reader.u16()?,
            temperature_cdeg: reader.i16()?,
            uptime_s: reader.u32()?,
            resets: reader.u16()?,
            queued: reader.u16()?,
            dropped: reader.u16()?,
            retransmitted: reader.u16()?,
            refused: reader.u16()?,
            airtime_percent: reader.u8()?,
            flags: TelemetryFlags::default(),
        };
        let flags = reader.u8()?;
        Some(TelemetryFlags::of_code(flags).and_then(|flags| {
            telemetry.flags = flags;
            telemetry.check().map(|()| telemetry)
        }))
    }
}

//! What the node logic needs of its board; the only place where hardware enters.

use thiserror::Error;
use vedette_wire::payload::Call;

/// Bytes written to flash at once; each such unit is written once between two erasures.
pub const UNIT: usize = 8;

/// The flash refused or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("flash page {page} failed at offset {offset}")]
pub struct FlashError {
    /// The page.
    pub page: usize,
    /// Byte offset in the page; 0 for an erasure.
    pub offset: usize,
}

/// Levels of the digital inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The passive infrared module reports warmth that moves.
    pub pir: bool,
    /// The housing's tamper switch is open.
    pub tamper: bool,
    /// The beam on the line's left side is interrupted.
    pub beam_left: bool,
    /// The beam on the line's right side is interrupted.
    pub beam_right: bool,
}

/// A place from a satellite receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Latitude, WGS 84, 1e-7 of a degree.
    pub lat_e7: i32,
    /// Longitude, WGS 84, 1e-7 of a degree.
    pub lon_e7: i32,
    /// Standard deviation per axis, tenths of a metre.
    pub sd_dm: u16,
    /// Uptime at which it was measured, milliseconds.
    pub at_ms: u64,
    /// Whether who carries the node calls for help, by a button.
    pub call: Call,
}

/// The hardware of a node.
///
/// Flash is `FLASH_PAGES` pages of `PAGE_LEN` bytes. Erasing makes a page all ones; a unit of [`UNIT`] bytes may then be written
/// once. A reset may strike at any moment: a unit or an erasure under way is then left in any state.
pub trait Board {
    /// Number of flash pages for the node's journal, at least 3.
    const FLASH_PAGES: usize;
    /// Bytes of a flash page, at least 512.
    const PAGE_LEN: usize;

    /// Milliseconds since the last reset, by the board's own, drifting clock.
    fn uptime_ms(&self) -> u64;

    /// A number nobody can predict from outside; spreads retransmissions.
    fn random(&mut self) -> u32;

    /// Whether somebody else is heard on the channel now: listen before talk.
    fn channel_busy(&mut self) -> bool;

    /// Hands a frame to the radio. Whether anybody hears it only an acknowledgement can tell.
    fn transmit(&mut self, frame: &[u8]);

    /// Supply voltage, millivolts.
    fn battery_mv(&mut self) -> u16;

    /// Temperature, hundredths of a degree Celsius.
    fn temperature_cdeg(&mut self) -> i16;

    /// Levels of the digital inputs.
    fn inputs(&mut self) -> Inputs;

    /// Where a node is that somebody carries, while its receiver knows; most boards have none.
    fn fix(&mut self) -> Option<Fix> {
        None
    }

    /// Tells the watchdog that the node is alive.
    fn feed_watchdog(&mut self);

    /// Reads flash bytes.
    fn flash_read(&self, page: usize, offset: usize, bytes: &mut [u8]);

    /// Writes one unit, at an offset that is a multiple of [`UNIT`].
    ///
    /// # Errors
    /// [`FlashError`] when the hardware reports a failure.
    fn flash_write(&mut self, page: usize, offset: usize, unit: [u8; UNIT]) -> Result<(), FlashError>;

    /// Erases one page.
    ///
    /// # Errors
    /// [`FlashError`] when the hardware reports a failure.
    fn flash_erase(&mut self, page: usize) -> Result<(), FlashError>;
}

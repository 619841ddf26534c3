//! Uptime from the system timer.

use core::cell::Cell;

use cortex_m::interrupt::{Mutex, free};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;

/// The board's clock, hertz.
pub const CLOCK_HZ: u32 = 25_000_000;
/// Time between two timer interrupts: the resolution of uptime, and the longest sleep.
const PERIOD_MS: u32 = 5;

static UPTIME_MS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// Starts counting.
pub fn start(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(CLOCK_HZ / 1000 * PERIOD_MS - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

/// Milliseconds since the reset.
pub fn uptime_ms() -> u64 {
    free(|cs| UPTIME_MS.borrow(cs).get())
}

#[exception]
fn SysTick() {
    free(|cs| {
        let uptime = UPTIME_MS.borrow(cs);
        uptime.set(uptime.get() + u64::from(PERIOD_MS));
    });
}

//! The board: clock, serial ports and a stand-in for the flash pages of a small part.
//!
//! What the emulated board lacks is replaced at its ports: the radio is a modem on UART1, and UART2 carries what a bench says about
//! the world at the geophone and the digital inputs. UART0 is the link to the gateway, or a node's console.
#![no_std]

pub mod clock;
pub mod flash;
pub mod uart;

use core::panic::PanicInfo;

/// A panic is a bug; the reset that follows keeps everything the journal holds.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

//! The board: clock, serial ports and a stand-in for the flash pages of a small part.
//!
//! What the emulated board lacks is replaced at its ports: the radio is a modem on UART1, and UART2 carries what a bench says about
//! the world at the geophone and the digital inputs. UART0 is the link to the gateway, or a node's console; a concentrator's console is
//! UART2.
#![no_std]

pub mod clock;
mod console;
pub mod flash;
pub mod stack;
pub mod uart;

use core::panic::PanicInfo;

pub use console::Console;
use uart::Port;
use vedette_wire::link::{Accumulator, Fed, LinkError, Message};

/// Paints the stack, starts the clock and opens all ports.
pub fn start() {
    stack::paint();
    if let Some(peripherals) = cortex_m::Peripherals::take() {
        clock::start(peripherals.SYST);
    }
    for port in [Port::Uart0, Port::Uart1, Port::Uart2] {
        port.open();
    }
}

/// Gives each message of a port, and each damaged frame, to `handle`.
pub fn receive<M: Message>(port: Port, accumulator: &mut Accumulator<M>, mut handle: impl FnMut(Result<M, LinkError>)) {
    let mut bytes = [0; 128];
    loop {
        let len = port.read(&mut bytes);
        if len == 0 {
            return;
        }
        let mut input = &bytes[..len];
        loop {
            match accumulator.feed(input) {
                Fed::Consumed => break,
                Fed::Message { message, rest } => {
                    handle(Ok(message));
                    input = rest;
                }
                Fed::Fault { error, rest } => {
                    handle(Err(error));
                    input = rest;
                }
            }
        }
    }
}

/// A panic is a bug; the reset that follows keeps everything the journal holds.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

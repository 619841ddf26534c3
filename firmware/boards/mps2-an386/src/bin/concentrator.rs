//! The concentrator: gateway on UART0, radio modem on UART1, console on UART2.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use vedette_mps2_an386::uart::Port;
use vedette_mps2_an386::{Console, clock, receive, start};
use vedette_node::concentrator::{Concentrator, Output};
use vedette_wire::link::{Accumulator, DELIMITER, Downward, FromModem, Message};
use vedette_wire::payload::ResetCause;

/// Writes an output to its port. Every value the concentrator makes has an encoding.
fn put(output: Output) {
    let (port, line) = match output {
        Output::ToGateway(message) => (Port::Uart0, message.encode()),
        Output::ToModem(message) => (Port::Uart1, message.encode()),
    };
    if let Ok(line) = line {
        port.write(&line);
    }
}

#[entry]
fn main() -> ! {
    start();
    for port in [Port::Uart0, Port::Uart1] {
        port.write(&[DELIMITER]);
    }
    let mut console = Console::new(Port::Uart2);
    let (mut gateway, mut modem) = (Accumulator::<Downward>::new(), Accumulator::<FromModem>::new());
    let mut concentrator = Concentrator::start(clock::uptime_ms(), ResetCause::PowerOn, &mut put);
    loop {
        receive(Port::Uart1, &mut modem, |message| match message {
            Ok(FromModem::Heard { rssi_dbm, snr_qdb, frame }) => {
                concentrator.heard(clock::uptime_ms(), rssi_dbm, snr_qdb, frame, &mut put);
            }
            Ok(FromModem::Carrier { busy }) => concentrator.carrier(busy),
            Ok(FromModem::Sent { .. }) => concentrator.sent(),
            Err(_) => concentrator.link_error(),
        });
        receive(Port::Uart0, &mut gateway, |message| match message {
            Ok(message) => concentrator.command(clock::uptime_ms(), message, &mut put),
            Err(_) => concentrator.link_error(),
        });
        concentrator.poll(clock::uptime_ms(), &mut put);
        console.tell_stack();
        cortex_m::asm::wfi();
    }
}

//! The concentrator: gateway on UART0, radio modem on UART1.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use vedette_mps2_an386::{clock, uart::Port};
use vedette_node::concentrator::{Concentrator, Output};
use vedette_wire::link::{Accumulator, DELIMITER, Downward, Fed, FromModem, Message};
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

/// Gives each message of a port to `handle`, and `None` for each damaged frame.
fn receive<M: Message>(port: Port, accumulator: &mut Accumulator<M>, mut handle: impl FnMut(Option<M>)) {
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
                    handle(Some(message));
                    input = rest;
                }
                Fed::Fault { rest, .. } => {
                    handle(None);
                    input = rest;
                }
            }
        }
    }
}

#[entry]
fn main() -> ! {
    if let Some(peripherals) = cortex_m::Peripherals::take() {
        clock::start(peripherals.SYST);
    }
    for port in [Port::Uart0, Port::Uart1] {
        port.open();
        port.write(&[DELIMITER]);
    }
    let (mut gateway, mut modem) = (Accumulator::<Downward>::new(), Accumulator::<FromModem>::new());
    let mut concentrator = Concentrator::start(clock::uptime_ms(), ResetCause::PowerOn, &mut put);
    loop {
        receive(Port::Uart1, &mut modem, |message| match message {
            Some(FromModem::Heard { rssi_dbm, snr_qdb, frame }) => {
                concentrator.heard(clock::uptime_ms(), rssi_dbm, snr_qdb, frame, &mut put);
            }
            Some(FromModem::Carrier { busy }) => concentrator.carrier(busy),
            Some(FromModem::Sent { .. }) => concentrator.sent(),
            None => concentrator.link_error(),
        });
        receive(Port::Uart0, &mut gateway, |message| match message {
            Some(message) => concentrator.command(clock::uptime_ms(), message, &mut put),
            None => concentrator.link_error(),
        });
        concentrator.poll(clock::uptime_ms(), &mut put);
        cortex_m::asm::wfi();
    }
}

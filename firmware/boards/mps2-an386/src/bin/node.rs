//! A sensor node: detectors fed by the bench on UART2, radio on UART1, console on UART0.
#![no_std]
#![no_main]

use core::fmt::Write;

use cortex_m_rt::entry;
use vedette_mps2_an386::flash::{self, Flash};
use vedette_mps2_an386::uart::Port;
use vedette_mps2_an386::{Console, clock, receive, start};
use vedette_node::{Board, Config, FlashError, Identity, Inputs, Journal, Node, NodeError, Sending, UNIT};
use vedette_wire::link::{Accumulator, Bench, FromModem, Message, ToModem};
use vedette_wire::payload::{ResetCause, Sensors};
use vedette_wire::{LoRa, SealedFrame};

const CONFIG: Config = Config {
    sensors: Sensors { pir: true, seismic: true, tripwire: true },
    sending: Sending {
        lora: LoRa { spreading_factor: 7, bandwidth_khz: 125 },
        duty_permille: 10,
        acknowledgement_ms: 2_000,
        retry_max_ms: 600_000,
    },
    telemetry_ms: 600_000,
    position_ms: 0,
    gather_ms: 300,
    pir_rearm_ms: 5_000,
    seismic_rearm_ms: 10_000,
    battery_low_mv: 3_300,
    battery_critical_mv: 3_000,
};

/// The board as the node sees it.
struct Emulated {
    flash: Flash,
    inputs: Inputs,
    carrier: bool,
    random: u32,
}

impl Board for Emulated {
    const FLASH_PAGES: usize = flash::PAGES;
    const PAGE_LEN: usize = flash::PAGE_LEN;

    fn uptime_ms(&self) -> u64 {
        clock::uptime_ms()
    }

    /// Marsaglia's xorshift, stirred by the timer: the board has no better source.
    fn random(&mut self) -> u32 {
        self.random ^= cortex_m::peripheral::SYST::get_current() | 1;
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }

    fn channel_busy(&mut self) -> bool {
        self.carrier
    }

    fn transmit(&mut self, frame: &[u8]) {
        let message = SealedFrame::from_slice(frame).ok().map(|frame| ToModem::Send { frame });
        if let Some(Ok(line)) = message.map(|message| message.encode()) {
            Port::Uart1.write(&line);
        }
    }

    fn battery_mv(&mut self) -> u16 {
        3_600
    }

    fn temperature_cdeg(&mut self) -> i16 {
        1_500
    }

    fn inputs(&mut self) -> Inputs {
        self.inputs
    }

    fn feed_watchdog(&mut self) {}

    fn flash_read(&self, page: usize, offset: usize, bytes: &mut [u8]) {
        self.flash.read(page, offset, bytes);
    }

    fn flash_write(&mut self, page: usize, offset: usize, unit: [u8; UNIT]) -> Result<(), FlashError> {
        self.flash.write(page, offset, unit);
        Ok(())
    }

    fn flash_erase(&mut self, page: usize) -> Result<(), FlashError> {
        self.flash.erase(page);
        Ok(())
    }
}

/// Waits until the workshop has said who this node is, unless the flash knows.
fn identify(board: &mut Emulated, console: &mut Console, bench: &mut Accumulator<Bench>) -> Result<Journal, NodeError> {
    if let Ok(journal) = Journal::open(board) {
        return Ok(journal);
    }
    let _ = writeln!(console, "no identity: waiting to be provisioned on UART2");
    loop {
        let mut identity = None;
        receive(Port::Uart2, bench, |message| {
            if let Ok(Bench::Provision { node, epoch, key, site_epoch, site_key, first_counter }) = message {
                identity =
                    Some((Identity { node, epoch, key, broadcast: Some((site_epoch, site_key)) }, first_counter));
            }
        });
        if let Some((identity, first_counter)) = identity {
            return Ok(Journal::provision(board, &identity, first_counter)?);
        }
        cortex_m::asm::wfi();
    }
}

fn run(board: &mut Emulated) -> Result<(), NodeError> {
    let (mut bench, mut modem) = (Accumulator::new(), Accumulator::new());
    let mut console = Console::new(Port::Uart0);
    let journal = identify(board, &mut console, &mut bench)?;
    // Boards that start together must not send together.
    board.random ^= journal.state().node.rotate_left(16) ^ 0x9E37_79B9;
    let _ = writeln!(console, "node {} starts, key epoch {}", journal.state().node, journal.state().epoch);
    let mut node = Node::start(CONFIG, journal, ResetCause::PowerOn, board)?;
    let mut wake_ms = 0;
    let mut kept = node.journal().state().head;
    loop {
        let mut failed = None;
        receive(Port::Uart2, &mut bench, |message| {
            if let Ok(Bench::Stimulus { pir, tamper, beam_left, beam_right, samples }) = message {
                let inputs = Inputs { pir, tamper, beam_left, beam_right };
                if inputs != board.inputs {
                    (board.inputs, wake_ms) = (inputs, 0);
                }
                failed = failed.or(node.samples(board, &samples).err());
            }
        });
        receive(Port::Uart1, &mut modem, |message| match message {
            Ok(FromModem::Heard { frame, .. }) => {
                wake_ms = 0;
                match node.received(board, &frame) {
                    Ok(Some(refused)) => drop(writeln!(console, "downward frame refused: {refused}")),
                    Ok(None) => {}
                    Err(error) => failed = Some(error),
                }
            }
            Ok(FromModem::Carrier { busy }) => board.carrier = busy,
            Ok(FromModem::Sent { .. }) | Err(_) => {}
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let head = node.journal().state().head;
        if head != kept {
            (kept, wake_ms) = (head, 0);
            let _ = writeln!(console, "event {} kept, {} waiting", head.wrapping_sub(1), node.journal().waiting());
        }
        if clock::uptime_ms() >= wake_ms {
            wake_ms = node.poll(board)?;
        }
        console.tell_stack();
        cortex_m::asm::wfi();
    }
}

#[entry]
fn main() -> ! {
    start();
    // SAFETY: called once.
    let flash = unsafe { Flash::take() };
    let mut board = Emulated { flash, inputs: Inputs::default(), carrier: false, random: 0x6C07_8965 };
    if let Err(error) = run(&mut board) {
        let _ = writeln!(Console::new(Port::Uart0), "node stops: {error}");
    }
    cortex_m::peripheral::SCB::sys_reset()
}

//! The three serial ports (CMSDK APB UART, Arm DDI 0479, section 4.3): received by interrupt, sent by waiting.

use core::cell::RefCell;

use cortex_m::interrupt::{Mutex, free};
use heapless::Deque;

/// Bytes that wait to be read, of each port. What comes when it is full is lost, and the frame's checksum will say so.
const BUFFER: usize = 512;

const DATA: usize = 0x0;
const STATE: usize = 0x4;
const CONTROL: usize = 0x8;
const INTERRUPT: usize = 0xC;
const BAUD_DIVIDER: usize = 0x10;

const STATE_SEND_FULL: u32 = 1;
const STATE_RECEIVED: u32 = 2;
const CONTROL_SEND: u32 = 1;
const CONTROL_RECEIVE: u32 = 2;
const CONTROL_RECEIVE_INTERRUPT: u32 = 8;
const INTERRUPT_RECEIVED: u32 = 2;

/// 25 MHz over this is 115,200 baud.
const DIVIDER: u32 = 217;

/// A serial port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// The link to the gateway, or the console.
    Uart0 = 0,
    /// The radio modem.
    Uart1 = 1,
    /// The bench.
    Uart2 = 2,
}

type Buffer = Mutex<RefCell<Deque<u8, BUFFER>>>;

static RECEIVED: [Buffer; 3] = [const { Mutex::new(RefCell::new(Deque::new())) }; 3];

impl Port {
    const fn base(self) -> usize {
        match self {
            Self::Uart0 => 0x4000_4000,
            Self::Uart1 => 0x4000_5000,
            Self::Uart2 => 0x4000_6000,
        }
    }

    const fn interrupt(self) -> Interrupt {
        match self {
            Self::Uart0 => Interrupt(0),
            Self::Uart1 => Interrupt(2),
            Self::Uart2 => Interrupt(4),
        }
    }

    fn read_register(self, offset: usize) -> u32 {
        // SAFETY: the three ports lie at these addresses on this board, and their registers are words.
        unsafe { core::ptr::with_exposed_provenance::<u32>(self.base() + offset).read_volatile() }
    }

    fn write_register(self, offset: usize, value: u32) {
        // SAFETY: as above; no register of a port reaches memory.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(self.base() + offset).write_volatile(value) }
    }

    /// Begins to receive.
    pub fn open(self) {
        self.write_register(BAUD_DIVIDER, DIVIDER);
        self.write_register(CONTROL, CONTROL_SEND | CONTROL_RECEIVE | CONTROL_RECEIVE_INTERRUPT);
        // SAFETY: the handlers below are safe to run from now on; no critical section relies on this mask.
        unsafe { cortex_m::peripheral::NVIC::unmask(self.interrupt()) };
    }

    /// Sends, and waits until the last byte is on its way.
    pub fn write(self, bytes: &[u8]) {
        for &byte in bytes {
            while self.read_register(STATE) & STATE_SEND_FULL != 0 {}
            self.write_register(DATA, byte.into());
        }
    }

    /// Takes what was received, up to a buffer's length; the number of bytes.
    pub fn read(self, bytes: &mut [u8]) -> usize {
        free(|cs| {
            let mut received = RECEIVED[self as usize].borrow(cs).borrow_mut();
            let mut len = 0;
            for (place, byte) in bytes.iter_mut().zip(core::iter::from_fn(|| received.pop_front())) {
                *place = byte;
                len += 1;
            }
            len
        })
    }

    fn take(self) {
        // Cleared before the last look: a byte that comes after it raises the interrupt anew, instead of being cleared with it
        // and stopping the port for good.
        self.write_register(INTERRUPT, INTERRUPT_RECEIVED);
        while self.read_register(STATE) & STATE_RECEIVED != 0 {
            let byte = self.read_register(DATA) as u8;
            // A full buffer drops the byte.
            free(|cs| RECEIVED[self as usize].borrow(cs).borrow_mut().push_back(byte).ok());
        }
    }
}

/// Number of an interrupt line.
#[derive(Clone, Copy)]
struct Interrupt(u16);

// SAFETY: the number is fixed and within the board's 32 lines.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self.0
    }
}

/// All lines share this handler: only the three ports are unmasked.
#[cortex_m_rt::exception]
unsafe fn DefaultHandler(_: i16) {
    for port in [Port::Uart0, Port::Uart1, Port::Uart2] {
        port.take();
    }
}

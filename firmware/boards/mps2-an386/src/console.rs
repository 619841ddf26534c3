//! Lines for people.

use core::fmt::{Result, Write};

use crate::uart::Port;
use crate::{clock, stack};

/// How often the depth of the stack is looked at.
const PERIOD_MS: u64 = 1_000;

/// The port that people read.
#[derive(Debug)]
pub struct Console {
    port: Port,
    deepest: usize,
    look_ms: u64,
}

impl Console {
    /// A console on this port.
    #[must_use]
    pub const fn new(port: Port) -> Self {
        Self { port, deepest: 0, look_ms: 0 }
    }

    /// Tells now and then how deep the stack has been, when it has become deeper.
    pub fn tell_stack(&mut self) {
        let now_ms = clock::uptime_ms();
        if now_ms < self.look_ms {
            return;
        }
        self.look_ms = now_ms + PERIOD_MS;
        let (deepest, room) = stack::depth();
        if deepest > self.deepest {
            self.deepest = deepest;
            // The port takes everything.
            let _ = writeln!(self, "stack {deepest} of {room} bytes");
        }
    }
}

impl Write for Console {
    fn write_str(&mut self, text: &str) -> Result {
        self.port.write(text.as_bytes());
        Ok(())
    }
}

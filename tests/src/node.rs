//! A sensor node and its concentrator on the other end of a pseudo terminal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::{SerialPort, SerialStream};
use vedette_wire::link::{Accumulator, Downward, Fed, Message, Received, Upward};
use vedette_wire::payload::{Event, EventKind, Events, Hello, ResetCause, Sensors, TamperCause};
use vedette_wire::{Direction, Key, Opener, Payload, ReplayWindow, SealedFrame, Sealer, version};

/// A node that seals with one key, and hears the gateway's acknowledgements.
#[derive(Debug)]
pub struct Node {
    near: SerialStream,
    /// Kept open, so that the terminal lives on while no gateway has it open.
    far: SerialStream,
    path: PathBuf,
    sealer: Sealer,
    opener: Opener,
    incoming: Accumulator<Downward>,
    next_event: u16,
}

impl Node {
    /// A node with this number and key on a new pseudo terminal.
    ///
    /// # Errors
    /// When the system has no pseudo terminal.
    pub fn new(number: u32, key: &Key) -> anyhow::Result<Self> {
        let (near, far) = SerialStream::pair().context("pseudo terminal")?;
        let path = far.name().context("the pseudo terminal has no path")?.into();
        let mut opener = Opener::new(number, Direction::Down);
        opener.add_key(0, key, ReplayWindow::new())?;
        let sealer = Sealer::new(key, Direction::Up, 0, number, 0, u32::MAX);
        Ok(Self { near, far, path, sealer, opener, incoming: Accumulator::new(), next_event: 0 })
    }

    /// The device a gateway opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Pulls the plug: the device is gone, and a new one with another path takes its place.
    ///
    /// # Errors
    /// When the system has no pseudo terminal.
    pub fn replug(&mut self) -> anyhow::Result<()> {
        let (near, far) = SerialStream::pair().context("pseudo terminal")?;
        self.path = far.name().context("the pseudo terminal has no path")?.into();
        (self.near, self.far, self.incoming) = (near, far, Accumulator::new());
        Ok(())
    }

    /// A sealed frame that tells of an opened housing.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn tamper_frame(&mut self) -> anyhow::Result<SealedFrame> {
        let frame = self.tamper_frame_again(self.next_event)?;
        self.next_event = self.next_event.wrapping_add(1);
        Ok(frame)
    }

    /// A new frame that tells of the event with this number, as a node sends it until it is acknowledged.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn tamper_frame_again(&mut self, number: u16) -> anyhow::Result<SealedFrame> {
        let kind = EventKind::Tamper(TamperCause::Opened);
        let event = Event { kind, age_ticks: 0, age_at_least: false, strength_half_db: 0, duration_ticks: 0 };
        let events = [event].into_iter().collect();
        let payload = Payload::Events(Events { first: number, events }).encode()?;
        Ok(self.sealer.seal(&payload)?)
    }

    /// A sealed frame with which a node begins to speak.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn hello_frame(&mut self) -> anyhow::Result<SealedFrame> {
        let payload = Payload::Hello(Hello {
            min_version: version::MIN,
            current_version: version::CURRENT,
            firmware_major: 0,
            firmware_minor: 1,
            sensors: Sensors { pir: true, seismic: false, tripwire: false },
            reset: ResetCause::PowerOn,
            resets: 1,
            next_event: self.next_event,
        });
        Ok(self.sealer.seal(&payload.encode()?)?)
    }

    /// Passes a radio frame on to the gateway.
    ///
    /// # Errors
    /// When the line is gone.
    pub async fn send(&mut self, frame: &SealedFrame) -> anyhow::Result<()> {
        let received = Received { ticks: 0, rssi_dbm: -90, snr_qdb: 20, frame: frame.clone() };
        self.write(&Upward::Received(received).encode()?).await
    }

    /// Writes bytes to the line as they are.
    ///
    /// # Errors
    /// When the line is gone.
    pub async fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.near.write_all(bytes).await?)
    }

    /// Waits for the next authentic acknowledgement and returns the counter it is for.
    ///
    /// # Errors
    /// When none comes within the limit.
    pub async fn acknowledged(&mut self, limit: Duration) -> anyhow::Result<u32> {
        tokio::time::timeout(limit, self.next_acknowledgement()).await.context("no acknowledgement in time")?
    }

    async fn next_acknowledgement(&mut self) -> anyhow::Result<u32> {
        loop {
            let Downward::Transmit(transmit) = self.next_message().await? else { continue };
            if let Payload::Acknowledgement(acknowledgement) = self.open(&transmit.frame)? {
                return Ok(acknowledgement.counter);
            }
        }
    }

    /// What the gateway tells the node in a frame.
    ///
    /// # Errors
    /// When the frame is not authentic or its counter was used before.
    pub fn open(&mut self, frame: &SealedFrame) -> anyhow::Result<Payload> {
        let opened = self.opener.open(frame)?;
        anyhow::ensure!(!opened.repeat, "the gateway used a counter twice");
        self.opener.accept(&opened);
        Ok(Payload::decode(&opened.payload)?)
    }

    /// Waits for the next message to the concentrator.
    ///
    /// # Errors
    /// When none comes within the limit.
    pub async fn message(&mut self, limit: Duration) -> anyhow::Result<Downward> {
        tokio::time::timeout(limit, self.next_message()).await.context("no message in time")?
    }

    async fn next_message(&mut self) -> anyhow::Result<Downward> {
        loop {
            let byte = [self.byte().await?];
            match self.incoming.feed(&byte) {
                Fed::Consumed => {}
                Fed::Message { message, .. } => return Ok(message),
                Fed::Fault { error, .. } => return Err(error.into()),
            }
        }
    }

    /// The next byte of the line: one at a time, so that nothing behind a frame is lost between two calls.
    ///
    /// # Errors
    /// When the line is gone.
    pub async fn byte(&mut self) -> anyhow::Result<u8> {
        Ok(self.near.read_u8().await?)
    }
}

//! A radio concentrator on a serial line: link frames in, authenticated radio frames out, acknowledgements down.
//!
//! A device that goes away (zero bytes read, or an error) is opened again by its path with growing pauses, for as long as
//! the daemon runs.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_serial::{SerialPortBuilderExt, SerialStream};
use vedette_engine::{Frame, FrameContent, Input, RadioFrame};
use vedette_wire::SealedFrame;
use vedette_wire::link::{Accumulator, Downward, Fed, Message, Outcome, Received, Transmit, Upward};

use super::{Backoff, Surroundings};
use crate::config::SerialSource;
use crate::intake::{Port, Taken};
use crate::radio::{Heard, Nodes};

/// Most bytes read at once.
const READ_BYTES: usize = 4096;

/// One concentrator.
#[derive(Debug)]
pub struct Serial {
    source: SerialSource,
    port: Port,
    nodes: Arc<Nodes>,
    surroundings: Surroundings,
    down: mpsc::Receiver<SealedFrame>,
    transmit_id: u16,
}

impl Serial {
    /// A source that opens its frames with the keys of `nodes` and sends what comes through `down`.
    #[must_use]
    pub fn new(
        source: SerialSource,
        port: Port,
        nodes: Arc<Nodes>,
        surroundings: Surroundings,
        down: mpsc::Receiver<SealedFrame>,
    ) -> Self {
        Self { source, port, nodes, surroundings, down, transmit_id: 0 }
    }

    /// Keeps the line open for as long as the daemon runs.
    pub async fn run(mut self) {
        let mut backoff = Backoff::new(&self.source.name);
        loop {
            let trouble = match self.open() {
                Ok(line) => {
                    self.surroundings.links.set(&self.source.name, Ok(()));
                    self.serve(line, &mut backoff).await.to_string()
                }
                Err(error) => error.to_string(),
            };
            self.surroundings.links.set(&self.source.name, Err(format!("{}: {trouble}", self.source.device.display())));
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    fn open(&self) -> tokio_serial::Result<SerialStream> {
        tokio_serial::new(self.source.device.to_string_lossy(), self.source.baud).open_native_async()
    }

    /// Reads and writes until the device goes away; why it went.
    async fn serve(&mut self, line: SerialStream, backoff: &mut Backoff) -> std::io::Error {
        let (mut reader, mut writer): (ReadHalf<_>, WriteHalf<_>) = tokio::io::split(line);
        let mut accumulator = Accumulator::new();
        let mut buffer = vec![0; READ_BYTES];
        // Acknowledgements for a line that was away: their nodes have repeated the frames since.
        while self.down.try_recv().is_ok() {}
        loop {
            tokio::select! {
                read = reader.read(&mut buffer) => match read {
                    Ok(0) => return std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "device is unplugged"),
                    Ok(count) => {
                        backoff.reset();
                        self.take_bytes(&mut accumulator, &buffer[..count]);
                    }
                    Err(error) => return error,
                },
                Some(frame) = self.down.recv() => {
                    if let Err(error) = self.send(&mut writer, frame).await {
                        return error;
                    }
                }
            }
        }
    }

    fn take_bytes(&self, accumulator: &mut Accumulator<Upward>, mut bytes: &[u8]) {
        loop {
            match accumulator.feed(bytes) {
                Fed::Consumed => return,
                Fed::Message { message, rest } => {
                    self.take_message(message);
                    bytes = rest;
                }
                Fed::Fault { error, rest } => {
                    self.surroundings.rejects.count(&self.source.name, error.reason(), &error);
                    bytes = rest;
                }
            }
        }
    }

    fn take_message(&self, message: Upward) {
        let source = &self.source.name;
        match message {
            Upward::Received(received) => self.take_radio(&received),
            Upward::Transmitted(transmitted) if transmitted.outcome != Outcome::Sent => {
                tracing::debug!(source, outcome = ?transmitted.outcome, "acknowledgement not sent; its node will repeat");
            }
            Upward::Transmitted(_) => {}
            Upward::Status(status) => tracing::debug!(source, ?status, "concentrator status"),
            Upward::Started(started) => tracing::info!(source, ?started, "concentrator started"),
        }
    }

    fn take_radio(&self, received: &Received) {
        let Surroundings { intake, rejects, clock, .. } = &self.surroundings;
        let source = &self.source.name;
        let taken = match self.nodes.hear(&received.frame, || intake.has_room(self.port)) {
            Ok(Some(Heard::Fresh { node, counter, payload, state })) => {
                let (rssi_dbm, snr_qdb) = (received.rssi_dbm, received.snr_qdb);
                let content = FrameContent::Radio(RadioFrame { node, counter, payload, rssi_dbm, snr_qdb });
                let frame = Frame { source: source.clone(), received: clock.now(), content };
                Taken::Radio { input: Input::Frame(frame), node, window: state }
            }
            Ok(Some(Heard::Repeat { node, counter })) => {
                tracing::debug!(source, node, counter, "repeat");
                Taken::Repeat { source: source.clone(), node, counter }
            }
            Ok(None) => return rejects.count(source, "queue_full", &"radio queue is full; the node will repeat"),
            Err(error) => return rejects.count(source, error.reason(), &error),
        };
        // This task alone fills the queue, so a fresh frame finds the room that was there; a repeat is repeated again.
        let _ = intake.push(self.port, taken);
    }

    async fn send(&mut self, writer: &mut WriteHalf<SerialStream>, frame: SealedFrame) -> std::io::Result<()> {
        self.transmit_id = self.transmit_id.wrapping_add(1);
        let message = Downward::Transmit(Transmit { id: self.transmit_id, at_ticks: None, frame });
        match message.encode() {
            Ok(line) => writer.write_all(&line).await,
            Err(error) => {
                tracing::error!(source = self.source.name, "message to the concentrator: {error}");
                Ok(())
            }
        }
    }
}

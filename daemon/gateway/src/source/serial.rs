//! A radio concentrator on a serial line: link frames in, authenticated radio frames out, acknowledgements, settings and time down.
//!
//! A device that goes away (zero bytes read, or an error) is opened again by its path with growing pauses, for as long as
//! the daemon runs.

mod dialogue;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_serial::{SerialPortBuilderExt, SerialStream};
use vedette_engine::{Frame, FrameContent, Input, RadioFrame};
use vedette_wire::link::{Accumulator, Configure, DELIMITER, Downward, Fed, Message, Outcome, Received, Upward};
use vedette_wire::{Header, Payload, SealedFrame};

use super::{Backoff, Surroundings, stage};
use crate::config::SerialSource;
use crate::intake::{Port, Taken};
use crate::progress::Beat;
use crate::radio::{Heard, Nodes, Sealed};
use dialogue::{Dialogue, on_the_wire};

/// Time between two signs of life to the concentrator.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// Most bytes read at once.
const READ_BYTES: usize = 4096;
/// Longest time between two signs of life on a quiet line.
const QUIET: Duration = Duration::from_secs(1);
/// A line that takes no bytes for this long is opened again.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// One concentrator.
#[derive(Debug)]
pub struct Serial {
    source: SerialSource,
    port: Port,
    nodes: Arc<Nodes>,
    surroundings: Surroundings,
    down: mpsc::Receiver<SealedFrame>,
    dialogue: Dialogue,
    started: Instant,
}

impl Serial {
    /// A source that opens its frames with the keys of `nodes`, sends what comes through `down`, and uses these radio settings.
    #[must_use]
    pub fn new(
        source: SerialSource,
        settings: Configure,
        port: Port,
        nodes: Arc<Nodes>,
        surroundings: Surroundings,
        down: mpsc::Receiver<SealedFrame>,
    ) -> Self {
        let dialogue = Dialogue::new(settings);
        Self { source, port, nodes, surroundings, down, dialogue, started: Instant::now() }
    }

    /// Keeps the line open for as long as the daemon runs.
    pub async fn run(mut self) {
        let mut backoff = Backoff::new(&self.source.name);
        let beat = self.surroundings.progress.stage(&stage(&self.source.name));
        loop {
            let trouble = match self.open() {
                Ok(line) => {
                    self.surroundings.links.set(&self.source.name, Ok(()));
                    self.serve(line, &mut backoff, &beat).await.to_string()
                }
                Err(error) => error.to_string(),
            };
            self.surroundings.links.set(&self.source.name, Err(format!("{}: {trouble}", self.source.device.display())));
            beat.while_waiting(tokio::time::sleep(backoff.pause())).await;
        }
    }

    fn open(&self) -> tokio_serial::Result<SerialStream> {
        tokio_serial::new(self.source.device.to_string_lossy(), self.source.baud).open_native_async()
    }

    /// Reads and writes until the device goes away; why it went.
    async fn serve(&mut self, line: SerialStream, backoff: &mut Backoff, beat: &Beat) -> std::io::Error {
        match self.converse(line, backoff, beat).await {
            Ok(()) => std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "device is unplugged"),
            Err(error) => error,
        }
    }

    async fn converse(&mut self, line: SerialStream, backoff: &mut Backoff, beat: &Beat) -> std::io::Result<()> {
        let (mut reader, mut writer): (ReadHalf<_>, WriteHalf<_>) = tokio::io::split(line);
        let mut accumulator = Accumulator::new();
        let mut buffer = vec![0; READ_BYTES];
        // Acknowledgements for a line that was away: their nodes have repeated the frames since.
        while self.down.try_recv().is_ok() {}
        // Ends whatever the concentrator has received of a message that was cut off.
        writer.write_all(&[DELIMITER]).await?;
        self.greet(&mut writer).await?;
        let mut sign_of_life = tokio::time::interval_at(tokio::time::Instant::now() + SIGN_OF_LIFE, SIGN_OF_LIFE);
        loop {
            beat.beat();
            tokio::select! {
                read = reader.read(&mut buffer) => match read? {
                    0 => return Ok(()),
                    count => {
                        backoff.reset();
                        if self.take_bytes(&mut accumulator, &buffer[..count]) {
                            self.greet(&mut writer).await?;
                        }
                    }
                },
                Some(frame) = self.down.recv() => self.answer(&mut writer, frame).await?,
                _ = sign_of_life.tick() => {
                    let time = on_the_wire(self.surroundings.clock.now());
                    self.write(&mut writer, &Downward::Time(time)).await?;
                }
                // A quiet line is no dead task.
                () = tokio::time::sleep(QUIET) => {}
            }
        }
    }

    /// Whether the concentrator has started, and has to be told everything.
    fn take_bytes(&mut self, accumulator: &mut Accumulator<Upward>, mut bytes: &[u8]) -> bool {
        let mut started = false;
        loop {
            match accumulator.feed(bytes) {
                Fed::Consumed => return started,
                Fed::Message { message, rest } => {
                    started |= matches!(message, Upward::Started(_));
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

    fn take_message(&mut self, message: Upward) {
        let now = self.surroundings.clock.now();
        let source = &self.source.name;
        match message {
            Upward::Received(received) => {
                self.dialogue.heard_ticks(received.ticks, now);
                self.take_radio(&received);
            }
            Upward::Transmitted(transmitted) => {
                if transmitted.outcome != Outcome::Sent {
                    let outcome = transmitted.outcome;
                    tracing::debug!(source, ?outcome, "frame not sent; its node will repeat");
                }
                self.dialogue.decided(transmitted);
            }
            Upward::Status(status) => {
                tracing::debug!(source, ?status, "concentrator status");
                self.dialogue.heard_ticks(status.ticks, now);
            }
            Upward::Started(started) => tracing::info!(source, ?started, "concentrator started"),
        }
    }

    fn take_radio(&mut self, received: &Received) {
        let Surroundings { intake, rejects, clock, .. } = &self.surroundings;
        let source = &self.source.name;
        let taken = match self.nodes.hear(&received.frame, || intake.has_room(self.port)) {
            Ok(Some(Heard::Fresh { node, counter, exercise, payload, state })) => {
                if matches!(Payload::decode(&payload), Ok(Payload::Hello(_))) {
                    self.dialogue.heard_hello(node);
                }
                let (rssi_dbm, snr_qdb) = (received.rssi_dbm, received.snr_qdb);
                let content = FrameContent::Radio(RadioFrame { node, counter, exercise, payload, rssi_dbm, snr_qdb });
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

    async fn greet(&mut self, writer: &mut WriteHalf<SerialStream>) -> std::io::Result<()> {
        for message in self.dialogue.greet(self.surroundings.clock.now()) {
            self.write(writer, &message).await?;
        }
        Ok(())
    }

    /// Sends an acknowledgement, and the time behind it when its node should know it anew.
    async fn answer(&mut self, writer: &mut WriteHalf<SerialStream>, frame: SealedFrame) -> std::io::Result<()> {
        let node = Header::parse(&frame).map(|header| header.node);
        let acknowledgement = self.dialogue.transmit(frame);
        self.write(writer, &acknowledgement).await?;
        let Ok(node) = node else { return Ok(()) };
        let (clock, uptime_s) = (&self.surroundings.clock, self.started.elapsed().as_secs_f64());
        let now = clock.now();
        let Some(time) = self.dialogue.time_due(node, now, uptime_s).filter(|_| clock.is_set()) else { return Ok(()) };
        match self.nodes.seal(node, &Payload::Time(time)) {
            Ok(Sealed::Send(frame)) => {
                let message = self.dialogue.tell_time(node, frame, now, uptime_s);
                self.write(writer, &message).await
            }
            // The next acknowledgement reserves counters; the time goes behind it.
            Ok(Sealed::Reserve(_)) => Ok(()),
            Err(error) => {
                self.surroundings.rejects.count(&self.source.name, "time", &error);
                Ok(())
            }
        }
    }

    async fn write(&self, writer: &mut WriteHalf<SerialStream>, message: &Downward) -> std::io::Result<()> {
        match message.encode() {
            Ok(line) => tokio::time::timeout(WRITE_PATIENCE, writer.write_all(&line))
                .await
                .unwrap_or_else(|_| Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "the line takes no bytes"))),
            Err(error) => {
                tracing::error!(source = self.source.name, "message to the concentrator: {error}");
                Ok(())
            }
        }
    }
}

//! The concentrator at the other end of the gateway's serial line, and the nodes' ends of the sealed channel.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vedette_wire::link::{
    Accumulator, Downward, Fed, LineFrame, Message, Outcome, Received, Started, Transmitted, Upward,
};
use vedette_wire::payload::ResetCause;
use vedette_wire::{BROADCAST, Direction, Header, Key, Opener, Payload, ReplayWindow, Sealer, version};

use super::{Line, LiveError};
use crate::radio::Arrival;
use crate::random::Random;

/// A line whose reader has gone is given this long to take a frame; then the frame is lost, as on a full buffer.
const WRITE_LIMIT: Duration = Duration::from_millis(200);

/// The key of a simulated node: known to everyone who knows the seed, and good for nothing else.
#[must_use]
pub fn node_key(seed: u64, node: u32) -> Key {
    let mut random = Random::stream(seed, &format!("key {node}"));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random.bits().to_le_bytes());
    bytes[8..].copy_from_slice(&random.bits().to_le_bytes());
    Key::new(bytes)
}

pub(super) struct Concentrator {
    line: Line,
    started: Instant,
    keys: BTreeMap<u32, Key>,
    openers: BTreeMap<u32, Opener>,
    incoming: Accumulator<Downward>,
    /// A frame was cut off: the next one begins with a delimiter.
    torn: bool,
}

/// What the gateway had to say to the nodes.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Node and frame counter.
    pub(super) acknowledged: Vec<(u32, u32)>,
    /// Frames that no node could open.
    pub(super) refused: usize,
}

impl Concentrator {
    pub(super) async fn start(line: Line, nodes: &[u32], seed: u64) -> Result<Self, LiveError> {
        let mut keys = BTreeMap::new();
        let mut openers = BTreeMap::new();
        for node in nodes {
            let key = node_key(seed, *node);
            let mut opener = Opener::new(*node, Direction::Down);
            opener.add_key(0, &key, ReplayWindow::new()).map_err(|_| io::Error::other("a fresh opener takes a key"))?;
            openers.insert(*node, opener);
            keys.insert(*node, key);
        }
        let started = Instant::now();
        let mut concentrator = Self { line, started, keys, openers, incoming: Accumulator::new(), torn: true };
        concentrator.send(&concentrator.greeting()).await?;
        Ok(concentrator)
    }

    /// Waits for bytes from the gateway; for ever without a concentrator. Safe to cancel.
    pub(super) async fn hear(concentrator: &mut Option<Self>) -> io::Result<Vec<u8>> {
        let Some(concentrator) = concentrator else { return std::future::pending().await };
        let mut buffer = [0; 512];
        let count = concentrator.line.near.read(&mut buffer).await?;
        Ok(buffer[..count].to_vec())
    }

    fn greeting(&self) -> Upward {
        Upward::Started(Started {
            ticks: self.ticks(),
            min_version: version::MIN,
            current_version: version::CURRENT,
            firmware_major: 0,
            firmware_minor: 1,
            reset: ResetCause::PowerOn,
        })
    }

    #[expect(clippy::cast_possible_truncation, reason = "the concentrator's clock wraps")]
    fn ticks(&self) -> u32 {
        self.started.elapsed().as_millis() as u32
    }

    /// Seals the frame as its node would have and passes it up.
    pub(super) async fn pass_on(&mut self, arrival: &Arrival) -> Result<(), LiveError> {
        let Some(key) = self.keys.get(&arrival.node) else { return Ok(()) };
        let limit = arrival.counter.saturating_add(1);
        let mut sealer = Sealer::new(key, Direction::Up, 0, arrival.node, arrival.counter, limit);
        let frame = sealer.seal(&arrival.payload)?;
        let (ticks, rssi_dbm, snr_qdb) = (self.ticks(), arrival.rssi_dbm, arrival.snr_qdb);
        self.send(&Upward::Received(Received { ticks, rssi_dbm, snr_qdb, frame })).await
    }

    async fn send(&mut self, message: &Upward) -> Result<(), LiveError> {
        let frame: LineFrame = message.encode().map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(frame.len() + 1);
        if self.torn {
            bytes.push(0);
        }
        bytes.extend_from_slice(&frame);
        self.torn = true;
        if let Ok(written) = tokio::time::timeout(WRITE_LIMIT, self.line.near.write_all(&bytes)).await {
            written?;
            self.torn = false;
        }
        Ok(())
    }

    /// Takes bytes of the gateway in; frames for nodes are opened with the nodes' keys.
    pub(super) async fn take(&mut self, mut bytes: &[u8]) -> Result<Answers, LiveError> {
        let mut answers = Answers::default();
        loop {
            let message = match self.incoming.feed(bytes) {
                Fed::Consumed => return Ok(answers),
                Fed::Fault { rest, .. } => {
                    bytes = rest;
                    continue;
                }
                Fed::Message { message, rest } => {
                    bytes = rest;
                    message
                }
            };
            match message {
                Downward::Transmit(transmit) => {
                    let ticks = self.ticks();
                    self.send(&Upward::Transmitted(Transmitted { id: transmit.id, ticks, outcome: Outcome::Sent }))
                        .await?;
                    self.open(&transmit.frame, &mut answers);
                }
                Downward::Configure(_) | Downward::Time(_) => {}
            }
        }
    }

    fn open(&mut self, frame: &[u8], answers: &mut Answers) {
        let node = Header::parse(frame).map(|header| header.node).unwrap_or(BROADCAST);
        let Some(opener) = self.openers.get_mut(&node) else {
            answers.refused += usize::from(node != BROADCAST);
            return;
        };
        match opener.open(frame) {
            Ok(opened) => {
                if let Ok(Payload::Acknowledgement(acknowledgement)) = Payload::decode(&opened.payload) {
                    answers.acknowledged.push((node, acknowledgement.counter));
                }
                opener.accept(&opened);
            }
            Err(_) => answers.refused += 1,
        }
    }
}

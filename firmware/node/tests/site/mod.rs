//! A fake board, whose power can fail at any flash operation, and a gateway to talk to.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part of it; helpers of tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use vedette_node::{Board, Config, Fix, FlashError, Identity, Inputs, Journal, Node, NodeError, Sending, UNIT};
use vedette_wire::payload::{
    Acknowledgement, Admitted, Event, EventCursor, Hello, NewKey, Position, ResetCause, Sensors, Telemetry, Time,
};
use vedette_wire::{BROADCAST, Direction, Header, Key, LoRa, Opener, Payload, ReplayWindow, Sealer, version};

pub const NODE: u32 = 0x0101;
pub const KEY: Key = Key::new([0x42; 16]);
pub const POSITION_MS: u64 = 20_000;
pub const SITE_KEY: Key = Key::new([0x24; 16]);
/// 2026-03-01T00:00:00Z.
pub const START_UNIX_MS: u64 = 1_772_323_200_000;

pub fn identity() -> Identity {
    Identity { node: NODE, epoch: 0, key: KEY, broadcast: Some((0, SITE_KEY)) }
}

pub fn config() -> Config {
    Config {
        sensors: Sensors { pir: true, seismic: true, tripwire: true },
        sending: Sending {
            lora: LoRa { spreading_factor: 7, bandwidth_khz: 125 },
            duty_permille: 10,
            acknowledgement_ms: 2_000,
            retry_max_ms: 600_000,
        },
        telemetry_ms: 3_600_000,
        position_ms: 0,
        gather_ms: 300,
        pir_rearm_ms: 5_000,
        seismic_rearm_ms: 10_000,
        battery_low_mv: 3_300,
        battery_critical_mv: 3_000,
    }
}

/// How a power failure leaves the flash operation it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    Before,
    Half,
    After,
}

/// Flash of `PAGES` pages of `LEN` bytes that checks that units are written once.
#[derive(Clone)]
pub struct FakeBoard<const PAGES: usize, const LEN: usize> {
    pub flash: Vec<u8>,
    pub erasures: [u32; PAGES],
    pub uptime_ms: u64,
    pub inputs: Inputs,
    pub battery_mv: u16,
    pub channel_busy: bool,
    /// Where it is carried.
    pub fix: Option<Fix>,
    pub sent: VecDeque<Vec<u8>>,
    pub operations: u32,
    /// Power fails at this operation.
    pub fails_at: Option<(u32, Tear)>,
    pub dead: bool,
    random: u32,
}

impl<const PAGES: usize, const LEN: usize> FakeBoard<PAGES, LEN> {
    pub fn new(seed: u32) -> Self {
        Self {
            flash: vec![0xFF; PAGES * LEN],
            erasures: [0; PAGES],
            uptime_ms: 0,
            inputs: Inputs::default(),
            battery_mv: 3_600,
            channel_busy: false,
            fix: None,
            sent: VecDeque::new(),
            operations: 0,
            fails_at: None,
            dead: false,
            random: seed | 1,
        }
    }

    /// The board after a reset: flash stays, everything else is new.
    pub fn reset(&self) -> Self {
        let mut board = Self::new(self.random);
        board.flash.clone_from(&self.flash);
        board.erasures = self.erasures;
        board.fix = self.fix;
        board
    }

    /// What of an operation happens.
    fn operation(&mut self, page: usize, offset: usize) -> Result<Tear, FlashError> {
        let error = FlashError { page, offset };
        if self.dead {
            return Err(error);
        }
        self.operations += 1;
        match self.fails_at {
            Some((at, tear)) if at == self.operations => {
                self.dead = true;
                Ok(tear)
            }
            _ => Ok(Tear::After),
        }
    }
}

impl<const PAGES: usize, const LEN: usize> Board for FakeBoard<PAGES, LEN> {
    const FLASH_PAGES: usize = PAGES;
    const PAGE_LEN: usize = LEN;

    fn uptime_ms(&self) -> u64 {
        self.uptime_ms
    }

    fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }

    fn channel_busy(&mut self) -> bool {
        self.channel_busy
    }

    fn transmit(&mut self, frame: &[u8]) {
        if !self.dead {
            self.sent.push_back(frame.to_vec());
        }
    }

    fn battery_mv(&mut self) -> u16 {
        self.battery_mv
    }

    fn temperature_cdeg(&mut self) -> i16 {
        1_250
    }

    fn inputs(&mut self) -> Inputs {
        self.inputs
    }

    fn fix(&mut self) -> Option<Fix> {
        self.fix
    }

    fn feed_watchdog(&mut self) {}

    fn flash_read(&self, page: usize, offset: usize, bytes: &mut [u8]) {
        let at = page * LEN + offset;
        bytes.copy_from_slice(&self.flash[at..at + bytes.len()]);
    }

    fn flash_write(&mut self, page: usize, offset: usize, unit: [u8; UNIT]) -> Result<(), FlashError> {
        assert!(offset.is_multiple_of(UNIT) && offset + UNIT <= LEN, "write at {offset}");
        let tear = self.operation(page, offset)?;
        let place = &mut self.flash[page * LEN + offset..][..UNIT];
        assert!(place.iter().all(|&byte| byte == 0xFF), "unit at page {page}, offset {offset} is written twice");
        match tear {
            Tear::Before => {}
            Tear::Half => place[..UNIT / 2].copy_from_slice(&unit[..UNIT / 2]),
            Tear::After => place.copy_from_slice(&unit),
        }
        if self.dead { Err(FlashError { page, offset }) } else { Ok(()) }
    }

    fn flash_erase(&mut self, page: usize) -> Result<(), FlashError> {
        let tear = self.operation(page, 0)?;
        self.erasures[page] += 1;
        let place = &mut self.flash[page * LEN..][..LEN];
        match tear {
            Tear::Before => {}
            Tear::Half => place[LEN / 2..].fill(0xFF),
            Tear::After => place.fill(0xFF),
        }
        if self.dead { Err(FlashError { page, offset: 0 }) } else { Ok(()) }
    }
}

/// A gateway that remembers everything.
pub struct Gateway {
    opener: Opener,
    sealer: Sealer,
    broadcast: Sealer,
    cursor: EventCursor,
    pub counters: BTreeSet<u32>,
    /// Number of an event to the event and the time it was received, milliseconds since 1970.
    pub events: BTreeMap<u16, (Event, u64)>,
    pub missed: u32,
    pub hellos: Vec<Hello>,
    pub telemetry: Vec<Telemetry>,
    pub positions: Vec<Position>,
    /// The newest version of the protocol that it understands.
    pub version: u8,
}

impl Gateway {
    pub fn new() -> Self {
        let mut opener = Opener::new(NODE, Direction::Up);
        opener.add_key(0, &KEY, ReplayWindow::new()).unwrap();
        Self {
            opener,
            sealer: Sealer::new(&KEY, Direction::Down, 0, NODE, 0, u32::MAX),
            broadcast: Sealer::new(&SITE_KEY, Direction::Down, 0, BROADCAST, 0, u32::MAX),
            cursor: EventCursor::default(),
            counters: BTreeSet::new(),
            events: BTreeMap::new(),
            missed: 0,
            hellos: Vec::new(),
            telemetry: Vec::new(),
            positions: Vec::new(),
            version: version::CURRENT,
        }
    }

    pub fn add_key(&mut self, epoch: u8, key: &Key) {
        self.opener.add_key(epoch, key, ReplayWindow::new()).unwrap();
    }

    /// Seals under another key from now on.
    pub fn use_key(&mut self, epoch: u8, key: &Key) {
        self.sealer = Sealer::new(key, Direction::Down, epoch, NODE, self.sealer.next_counter(), u32::MAX);
    }

    /// Frames on the air, received or not: no counter may come twice.
    pub fn overhear(&mut self, frame: &[u8]) {
        let counter = Header::parse(frame).unwrap().counter;
        assert!(self.counters.insert(counter), "counter {counter} is used twice");
    }

    /// Takes a frame in and gives the answers.
    pub fn receive(&mut self, unix_ms: u64, frame: &[u8]) -> Vec<Vec<u8>> {
        let opened = self.opener.open(frame).unwrap();
        assert!(opened.header.version <= self.version, "a gateway of version {} cannot read this", self.version);
        assert!(!opened.repeat);
        self.opener.accept(&opened);
        let Header { counter, epoch, .. } = opened.header;
        assert_eq!(epoch, self.sealer.epoch(), "the tests answer under the key they expect");
        let acknowledgement = Acknowledgement { counter, version: self.version };
        let mut answers = vec![self.seal(&Payload::Acknowledgement(acknowledgement))];
        match Payload::decode(&opened.payload).unwrap() {
            Payload::Events(events) => {
                for (number, event) in events.numbered() {
                    match self.cursor.admit(number) {
                        Admitted::New { missed } => {
                            self.missed += u32::from(missed);
                            assert!(self.events.insert(number, (*event, unix_ms)).is_none(), "{number} twice");
                        }
                        Admitted::Repeat => assert!(self.events.contains_key(&number)),
                    }
                }
            }
            Payload::Hello(hello) => {
                self.hellos.push(hello);
                answers.push(self.time(unix_ms));
            }
            Payload::Telemetry(telemetry) => self.telemetry.push(telemetry),
            Payload::Position(position) => self.positions.push(position),
            other => panic!("{other:?} does not travel upward"),
        }
        answers
    }

    pub fn seal(&mut self, payload: &Payload) -> Vec<u8> {
        self.sealer.seal(&payload.encode().unwrap()).unwrap().to_vec()
    }

    pub fn time(&mut self, unix_ms: u64) -> Vec<u8> {
        self.seal(&Payload::Time(site_time(unix_ms)))
    }

    pub fn beacon(&mut self, unix_ms: u64) -> Vec<u8> {
        let payload = Payload::Time(site_time(unix_ms)).encode().unwrap();
        self.broadcast.seal(&payload).unwrap().to_vec()
    }

    pub fn new_key(&mut self, epoch: u8, key: Key) -> Vec<u8> {
        self.seal(&Payload::NewKey(NewKey { epoch, key }))
    }
}

pub fn site_time(unix_ms: u64) -> Time {
    Time { unix_s: (unix_ms / 1000) as u32, sixteenths: (unix_ms % 1000 * 2 / 125) as u8, sd_ticks: 1 }
}

pub fn start<const P: usize, const L: usize>(board: &mut FakeBoard<P, L>) -> Result<Node, NodeError> {
    let journal = Journal::open(board).unwrap();
    let position_ms = if board.fix.is_some() { POSITION_MS } else { 0 };
    Node::start(Config { position_ms, ..config() }, journal, ResetCause::PowerOn, board)
}

pub fn provisioned<const P: usize, const L: usize>(seed: u32) -> FakeBoard<P, L> {
    let mut board = FakeBoard::new(seed);
    Journal::provision(&mut board, &identity(), 0).unwrap();
    board
}

/// A node, its gateway and true time.
pub struct Site<const P: usize, const L: usize> {
    pub board: FakeBoard<P, L>,
    pub node: Node,
    pub gateway: Gateway,
    /// True time since the start, milliseconds.
    pub true_ms: u64,
    booted_ms: u64,
    /// How much the node's clock gains on true time, parts per million.
    pub drift_ppm: i64,
    pub link_up: bool,
    wake_ms: u64,
}

impl<const P: usize, const L: usize> Site<P, L> {
    pub fn new(seed: u32) -> Self {
        let mut board = provisioned(seed);
        let node = start(&mut board).unwrap();
        Self { board, node, gateway: Gateway::new(), true_ms: 0, booted_ms: 0, drift_ppm: 0, link_up: true, wake_ms: 0 }
    }

    /// One that somebody carries, from here.
    pub fn carried(seed: u32, fix: Fix) -> Self {
        let mut site = Self::new(seed);
        site.board = provisioned(seed);
        site.board.fix = Some(fix);
        site.node = start(&mut site.board).unwrap();
        site
    }

    pub fn unix_ms(&self) -> u64 {
        START_UNIX_MS + self.true_ms
    }

    fn uptime_ms(&self) -> u64 {
        let own_ms = self.true_ms - self.booted_ms;
        own_ms.saturating_add_signed(own_ms as i64 * self.drift_ppm / 1_000_000)
    }

    /// Lets the node run up to a true time.
    pub fn run_until(&mut self, end_ms: u64) -> Result<(), NodeError> {
        loop {
            self.board.uptime_ms = self.uptime_ms();
            if self.board.uptime_ms >= self.wake_ms {
                self.wake_ms = self.node.poll(&mut self.board)?;
                self.exchange()?;
                continue;
            }
            if self.true_ms >= end_ms {
                return Ok(());
            }
            let wait_ms = (self.wake_ms - self.board.uptime_ms).max(1);
            self.true_ms = (self.true_ms + wait_ms).min(end_ms);
        }
    }

    pub fn run_for(&mut self, duration_ms: u64) -> Result<(), NodeError> {
        self.run_until(self.true_ms + duration_ms)
    }

    fn exchange(&mut self) -> Result<(), NodeError> {
        while let Some(frame) = self.board.sent.pop_front() {
            self.gateway.overhear(&frame);
            if !self.link_up {
                continue;
            }
            for answer in self.gateway.receive(self.unix_ms(), &frame) {
                self.hear(&answer)?;
            }
        }
        Ok(())
    }

    /// The node's radio hears a frame.
    pub fn hear(&mut self, frame: &[u8]) -> Result<Option<vedette_node::Refused>, NodeError> {
        self.board.uptime_ms = self.uptime_ms();
        let refused = self.node.received(&mut self.board, frame)?;
        self.wake_ms = 0;
        Ok(refused)
    }

    /// Sets the inputs and lets the node see them for `duration_ms`.
    pub fn inputs(&mut self, inputs: Inputs, duration_ms: u64) -> Result<(), NodeError> {
        self.board.inputs = inputs;
        self.wake_ms = 0;
        self.run_for(duration_ms)
    }

    /// Somebody walks by: one infrared detection.
    pub fn walk_by(&mut self) -> Result<(), NodeError> {
        self.inputs(Inputs { pir: true, ..Inputs::default() }, 500)?;
        self.inputs(Inputs::default(), 6_000)
    }

    /// Reset: everything but the flash is lost. Off for a second.
    pub fn reset(&mut self) -> Result<(), NodeError> {
        for frame in core::mem::take(&mut self.board.sent) {
            self.gateway.overhear(&frame);
        }
        self.board = self.board.reset();
        self.true_ms += 1_000;
        self.booted_ms = self.true_ms;
        self.wake_ms = 0;
        self.node = start(&mut self.board)?;
        Ok(())
    }
}

//! The loop itself: boards, air and ground, run against the wall clock.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use vedette_wire::link::{Bench, FromModem, ToModem};
use vedette_wire::payload::{Admitted, EventCursor};
use vedette_wire::{Direction, Header, LoRa, Opener, Payload, ReplayWindow, SealedFrame};

use super::emulator::{Port, Process, start_node};
use super::medium::{Medium, MediumCounts, MediumOptions, Reception};
use super::site::Site;
use super::stage::Stage;

/// Time between two looks at the ports.
const PACE: Duration = Duration::from_millis(2);

const MEDIUM: MediumOptions = MediumOptions {
    lora: LoRa { spreading_factor: 7, bandwidth_khz: 125 },
    power_dbm: 14.0,
    path_exponent: 3.3,
    shadowing_db: 4.0,
    fading_db: 2.0,
};

/// What the nodes said, read with their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Frames nodes sent.
    pub frames: u64,
    /// Of these, with nothing that an earlier one had not said.
    pub retransmitted: u64,
    /// Events, each counted once.
    pub events: u64,
    /// Hellos.
    pub hellos: u64,
    /// Events that reached the concentrator's modem, each counted once.
    pub events_heard: u64,
}

impl Said {
    /// Whether every event said has reached the concentrator.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.events_heard >= self.events
    }
}

/// How the loop went.
#[derive(Clone, Debug)]
pub struct RigReport {
    /// The air.
    pub air: MediumCounts,
    /// The nodes.
    pub said: Said,
    /// Damaged frames on the boards' serial ports.
    pub port_faults: usize,
    /// Longest the loop was behind the wall clock.
    pub worst_lag: Duration,
}

/// Follows what one node says.
#[derive(Debug)]
struct Listener {
    opener: Opener,
    sent: EventCursor,
    heard: EventCursor,
}

/// A modem, its board, and for a node the bench.
#[derive(Debug)]
struct Station {
    _process: Process,
    modem: Port<ToModem>,
    bench: Option<Port<Bench>>,
    busy: bool,
}

/// All boards and what is between them.
#[derive(Debug)]
pub struct Rig {
    stations: Vec<Station>,
    listeners: Vec<Listener>,
    medium: Medium,
    stage: Stage,
    said: Said,
    worst_lag: Duration,
}

impl Rig {
    /// Starts and provisions the nodes' boards around a concentrator that runs already.
    ///
    /// # Errors
    /// When an emulator cannot be started.
    pub fn new(
        site: &Site,
        stage: Stage,
        image: &Path,
        folder: &Path,
        concentrator: (Process, Port<ToModem>),
        seed: u64,
    ) -> io::Result<Self> {
        let places_m: Vec<[f64; 2]> = site.nodes.iter().map(|node| node.place_m).chain([site.concentrator_m]).collect();
        let (mut stations, mut listeners) = (Vec::new(), Vec::new());
        for node in &site.nodes {
            let console = folder.join(format!("node-{}.log", node.id));
            let (process, modem, mut bench) = start_node::<ToModem, Bench>(image, &console)?;
            bench.send(&Bench::Provision {
                node: node.id,
                epoch: 0,
                key: node.key,
                site_epoch: 0,
                site_key: site.site_key,
                first_counter: 0,
            })?;
            let mut opener = Opener::new(node.id, Direction::Up);
            opener.add_key(0, &node.key, ReplayWindow::new()).map_err(io::Error::other)?;
            listeners.push(Listener { opener, sent: EventCursor::default(), heard: EventCursor::default() });
            stations.push(Station { _process: process, modem, bench: Some(bench), busy: false });
        }
        let (process, modem) = concentrator;
        stations.push(Station { _process: process, modem, bench: None, busy: false });
        let medium = Medium::new(MEDIUM, &places_m, seed);
        Ok(Self { stations, listeners, medium, stage, said: Said::default(), worst_lag: Duration::ZERO })
    }

    /// The world.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Runs against the wall clock since `start`, and asks after each slice of the stage whether that is enough.
    ///
    /// # Errors
    /// When a board ends.
    pub fn run(&mut self, start: Instant, mut enough: impl FnMut(&Self) -> bool) -> io::Result<()> {
        loop {
            let now_us = start.elapsed().as_micros() as u64;
            self.radio(now_us)?;
            let due = Duration::from_secs_f64(self.stage.next_s());
            if let Some(lag) = start.elapsed().checked_sub(due) {
                self.worst_lag = self.worst_lag.max(lag);
                let slice = self.stage.slice();
                for (station, stimulus) in self.stations.iter_mut().zip(slice) {
                    if let Some(bench) = &mut station.bench {
                        bench.send(&stimulus)?;
                    }
                }
                if enough(self) {
                    return Ok(());
                }
            }
            std::thread::sleep(PACE);
        }
    }

    /// The result so far.
    #[must_use]
    pub fn report(&self) -> RigReport {
        let port_faults = self.stations.iter().map(|station| station.modem.faults.len()).sum();
        RigReport { air: self.medium.counts().clone(), said: self.said, port_faults, worst_lag: self.worst_lag }
    }

    fn radio(&mut self, now_us: u64) -> io::Result<()> {
        for from in 0..self.stations.len() {
            for message in self.stations[from].modem.receive()? {
                match message {
                    ToModem::Send { frame } => {
                        self.overhear(from, &frame);
                        let to = self.addressee(from, &frame);
                        self.medium.transmit(now_us, from, to, frame);
                    }
                    // One channel for all: settings are the medium's.
                    ToModem::Tune(_) => {}
                }
            }
        }
        while let Some((from, receptions)) = self.medium.end(now_us) {
            let airtime_ms = u16::try_from(MEDIUM.lora.airtime_us(vedette_wire::MAX_FRAME) / 1000).unwrap_or(u16::MAX);
            self.stations[from].modem.send(&FromModem::Sent { airtime_ms })?;
            for Reception { station, rssi_dbm, snr_qdb, frame } in receptions {
                if station + 1 == self.stations.len() {
                    self.heard(&frame);
                }
                // Modems pass on what is addressed to their side of the air.
                let up = Header::parse(&frame).is_ok_and(|header| header.direction == Direction::Up);
                if up == (station + 1 == self.stations.len()) {
                    self.stations[station].modem.send(&FromModem::Heard { rssi_dbm, snr_qdb, frame })?;
                }
            }
        }
        for (index, station) in self.stations.iter_mut().enumerate() {
            let busy = self.medium.is_busy(now_us, index);
            if busy != station.busy {
                station.busy = busy;
                station.modem.send(&FromModem::Carrier { busy })?;
            }
        }
        Ok(())
    }

    /// The station a frame is for: the concentrator for frames of nodes.
    fn addressee(&self, from: usize, frame: &SealedFrame) -> Option<usize> {
        if from < self.listeners.len() {
            return Some(self.listeners.len());
        }
        let node = Header::parse(frame).ok()?.node;
        self.listeners.iter().position(|listener| listener.opener.node() == node)
    }

    /// Notes what a node says when it says it.
    fn overhear(&mut self, from: usize, frame: &SealedFrame) {
        let Some(listener) = self.listeners.get_mut(from) else { return };
        self.said.frames += 1;
        let Ok(opened) = listener.opener.open(frame) else { return };
        match Payload::decode(&opened.payload) {
            Ok(Payload::Events(events)) => {
                let new = events.numbered().filter(|(number, _)| listener.sent.admit(*number) != Admitted::Repeat);
                let new = new.count() as u64;
                self.said.events += new;
                self.said.retransmitted += u64::from(new == 0);
            }
            Ok(Payload::Hello(_)) => {
                self.said.retransmitted += u64::from(self.said.hellos >= self.listeners.len() as u64);
                self.said.hellos += 1;
            }
            _ => {}
        }
    }

    /// Notes what reaches the concentrator.
    fn heard(&mut self, frame: &SealedFrame) {
        let node = Header::parse(frame).map(|header| header.node);
        let listener =
            self.listeners.iter_mut().find(|listener| node.as_ref().is_ok_and(|node| *node == listener.opener.node()));
        let Some(listener) = listener else { return };
        let opened = listener.opener.open(frame);
        if let Some(Ok(Payload::Events(events))) = opened.ok().map(|opened| Payload::decode(&opened.payload)) {
            let new = events.numbered().filter(|(number, _)| listener.heard.admit(*number) != Admitted::Repeat);
            self.said.events_heard += new.count() as u64;
        }
    }
}

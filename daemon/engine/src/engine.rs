//! The engine: one driver contract for the live daemon, replay and simulation.

mod ingest;
mod state;

use serde::{Deserialize, Serialize};
use vedette_tracker::{ModelError, Timestamp, Track, TrackStatus};

use crate::config::{ConfigFault, EngineConfig, Site};
use crate::inspect::Notes;
use crate::status::Status;
use crate::{Alert, Counters, Input, Learned, Mode, Output, Volatile};
use state::State;

/// All tracks at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// The time the tracks are predicted to.
    pub at: Timestamp,
    /// The engine's time when the picture was made.
    pub now: Timestamp,
    /// The tracks, in the order of their numbers.
    pub tracks: Vec<Track>,
}

/// When the engine gives out [`Volatile::Tracks`] unasked. It changes no other output and is no part of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PictureRate {
    /// After every processed scan time.
    #[default]
    EveryScanTime,
    /// Never: the driver calls [`Engine::picture`].
    OnRequest,
}

/// All the engine remembers, versioned. [`Snapshot::to_bytes`] is the form to keep.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    version: u32,
    state: Box<State>,
}

impl Snapshot {
    /// Version of the layout written by this program.
    pub const VERSION: u32 = 1;

    /// MessagePack, exact to the last bit of every number.
    ///
    /// # Errors
    /// When the encoder fails, which needs more memory than there is.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EngineError> {
        rmp_serde::to_vec_named(self).map_err(|error| EngineError::SnapshotWrite { error: error.to_string() })
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the version is another one, or the bytes are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let damaged = |error: rmp_serde::decode::Error| EngineError::SnapshotDamaged { error: error.to_string() };
        let Version { version } = rmp_serde::from_slice(bytes).map_err(damaged)?;
        if version != Self::VERSION {
            return Err(EngineError::SnapshotVersion { got: version, expected: Self::VERSION });
        }
        rmp_serde::from_slice(bytes).map_err(damaged)
    }
}

/// Why an engine could not be made or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The configuration contradicts itself or has values out of range.
    #[error("configuration: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Config(Vec<ConfigFault>),
    /// The filter cannot work with a sensor or a setting.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The snapshot is of another layout.
    #[error("snapshot version {got}, expected {expected}")]
    SnapshotVersion {
        /// What it says.
        got: u32,
        /// What this program reads.
        expected: u32,
    },
    /// The snapshot is of another set of sensors.
    #[error("snapshot of {got} sensors, expected {expected} as configured")]
    SnapshotSensors {
        /// Sensors in the snapshot.
        got: usize,
        /// Sensors in the configuration.
        expected: usize,
    },
    /// The snapshot is of an exercise and the configuration is not, or the other way round.
    #[error("snapshot of {} and a configuration for {}: give each a [store] of its own", told(*.got), told(!.got))]
    SnapshotMode {
        /// Whether the snapshot is of an exercise.
        got: bool,
    },
    /// The snapshot could not be written.
    #[error("snapshot not written: {error}")]
    SnapshotWrite {
        /// The encoder's message.
        error: String,
    },
    /// An input could not be written.
    #[error("input not written: {error}")]
    InputWrite {
        /// The encoder's message.
        error: String,
    },
    /// What should be an input is none.
    #[error("an input of {length} bytes cannot be read: {error}")]
    InputDamaged {
        /// Its length.
        length: usize,
        /// The decoder's message.
        error: String,
    },
    /// The snapshot could not be read.
    #[error("snapshot damaged: {error}")]
    SnapshotDamaged {
        /// The decoder's message.
        error: String,
    },
}

/// A gateway's mind: everything between a received frame and an alert.
#[derive(Debug)]
pub struct Engine {
    site: Site,
    pictures: PictureRate,
    inspected: bool,
    /// The rules look at what happens.
    judges: bool,
    state: State,
}

impl Engine {
    /// An engine that has seen nothing.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub fn new(config: &EngineConfig) -> Result<Self, EngineError> {
        let site = config.resolve().map_err(EngineError::Config)?;
        let state = State::new(&site)?;
        Ok(Self { site, pictures: PictureRate::default(), inspected: false, judges: true, state })
    }

    /// The same engine, which gives its next alert this ordinal. For one that has forgotten what it raised: ids must not
    /// come again.
    #[must_use]
    pub fn with_ordinals_from(mut self, first: u64) -> Self {
        self.state.begin_ordinals(first);
        self
    }

    /// The same engine with another rate of unasked pictures.
    #[must_use]
    pub fn with_pictures(self, pictures: PictureRate) -> Self {
        Self { pictures, ..self }
    }

    /// What operators' reasons for closing alerts have taught it.
    #[must_use]
    pub const fn learned(&self) -> &Learned {
        self.state.learned()
    }

    /// The same engine with what another one has been taught, at the same border before it.
    #[must_use]
    pub fn taught(mut self, learned: Learned) -> Self {
        self.state.learn(learned);
        self
    }

    /// The same engine, giving out [`Volatile::Seen`] and [`Volatile::Judged`] too. They change no other output, cost time, and
    /// are no part of a snapshot.
    #[must_use]
    pub fn inspected(self) -> Self {
        Self { inspected: true, ..self }
    }

    /// The same engine without its rules, for a driver that asks for tracks alone: it raises no alert, and its tracks are the
    /// same.
    #[must_use]
    pub fn without_rules(self) -> Self {
        Self { judges: false, ..self }
    }

    /// Takes in one thing at the time `now` (never earlier than before; an earlier one counts as the last) and appends
    /// what follows from it.
    pub fn handle(&mut self, now: Timestamp, input: Input, out: &mut Vec<Output>) {
        let now = self.state.begin(now);
        match input {
            Input::Frame(frame) => self.state.take_frame(frame, &self.site, out),
            Input::Tick => self.state.count("ticks"),
            Input::Command(command) => self.state.take_command(&command, &self.site, out),
            Input::Fact(fact) => self.state.take_fact(fact),
            Input::Clock { offset_micros, sd_s } => self.state.take_clock(offset_micros, sd_s),
            Input::Reconfigure(config) => self.reconfigure(&config, out),
        }
        self.process(now, out);
    }

    /// Hands ripe scans to the tracker, one scan time after the other.
    fn process(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        for time in self.state.step_tracker(&self.site, self.inspected, out) {
            if self.pictures == PictureRate::EveryScanTime {
                let tracks = self.state.tracks_at(time);
                out.push(Output::Volatile(Volatile::Tracks(Picture { at: time, now, tracks })));
            }
        }
        if self.state.begin_assessment(&self.site) && self.judges {
            self.state.assess(&self.site, Notes::new(self.inspected), out);
        }
    }

    fn reconfigure(&mut self, config: &EngineConfig, out: &mut Vec<Output>) {
        match config.resolve() {
            Ok(site) if site.mode != self.site.mode => {
                let fault = ConfigFault {
                    path: vec!["site".to_owned(), "exercise".to_owned()],
                    expected: format!("{}, as at the start", !config.site.exercise),
                    got: config.site.exercise.to_string(),
                    fix: Some("start another gateway for the exercise, with a store of its own".to_owned()),
                };
                self.state.refuse_configuration(&[fault], out);
            }
            Ok(site) => {
                self.state.reconfigure(&self.site, &site, out);
                self.site = site;
            }
            Err(faults) => self.state.refuse_configuration(&faults, out),
        }
    }

    /// When the engine wants an [`Input::Tick`] if nothing else comes before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.state.next_deadline(&self.site)
    }

    /// The longest time a scan is held back for others that may be earlier, in seconds.
    #[must_use]
    pub fn wait(&self) -> f64 {
        self.site.align.max_wait_s
    }

    /// Every scan up to this time has been handed to the tracker. Never decreases.
    #[must_use]
    pub fn settled(&self) -> Timestamp {
        self.state.settled(&self.site)
    }

    /// The tracks predicted to `at`. Asking never changes a later answer.
    #[must_use]
    pub fn picture(&self, at: Timestamp) -> Picture {
        Picture { at, now: self.state.now(), tracks: self.state.tracks_at(at) }
    }

    /// Health and counts. Asking changes nothing.
    #[must_use]
    pub fn status(&self) -> Status {
        let confirmed = self
            .state
            .tracks_at(self.state.now())
            .iter()
            .filter(|track| track.status == TrackStatus::Confirmed)
            .count();
        self.state.status(&self.site, confirmed)
    }

    /// The open alerts as last emitted, by dedup key.
    pub fn open_alerts(&self) -> impl Iterator<Item = &Alert> {
        self.state.open_alerts()
    }

    /// Counters since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        self.state.counters()
    }

    /// The configuration as meant.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// All the engine remembers.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { version: Snapshot::VERSION, state: Box::new(self.state.clone()) }
    }

    /// [`Self::snapshot`] as [`Snapshot::to_bytes`] gives it, without a copy of the state.
    ///
    /// # Errors
    /// When the encoder fails, which needs more memory than there is.
    pub fn snapshot_bytes(&self) -> Result<Vec<u8>, EngineError> {
        #[derive(Serialize)]
        struct Borrowed<'a> {
            version: u32,
            state: &'a State,
        }
        rmp_serde::to_vec_named(&Borrowed { version: Snapshot::VERSION, state: &self.state })
            .map_err(|error| EngineError::SnapshotWrite { error: error.to_string() })
    }

    /// An engine that goes on where the snapshot was taken.
    ///
    /// # Errors
    /// When the configuration contradicts itself, or the snapshot does not fit it.
    pub fn restore(config: &EngineConfig, snapshot: Snapshot) -> Result<Self, EngineError> {
        if snapshot.version != Snapshot::VERSION {
            return Err(EngineError::SnapshotVersion { got: snapshot.version, expected: Snapshot::VERSION });
        }
        let site = config.resolve().map_err(EngineError::Config)?;
        let (got, expected) = (snapshot.state.sensor_count(), site.sensors.len());
        if got != expected {
            return Err(EngineError::SnapshotSensors { got, expected });
        }
        if snapshot.state.exercise != (site.mode == Mode::Exercise) {
            return Err(EngineError::SnapshotMode { got: snapshot.state.exercise });
        }
        let mut state = *snapshot.state;
        state.tracker.survey();
        state.tracker.set_entries(&site.entries());
        Ok(Self { site, pictures: PictureRate::default(), inspected: false, judges: true, state })
    }
}

const fn told(exercise: bool) -> &'static str {
    if exercise { "an exercise" } else { "what is actual" }
}

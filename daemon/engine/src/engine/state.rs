//! All the engine remembers between two inputs; serialising it is the snapshot.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, Track, Tracker};

use super::EngineError;
use crate::align::Aligner;
use crate::codec::{CodecState, Fault};
use crate::config::{ConfigFault, Site};
use crate::input::{Command, Fact};
use crate::status::{Counters, SensorStatus, Status, UnknownSensor};
use crate::{AuditRecord, Durable, Output};

/// Names of unknown sensors kept for `status`.
pub(super) const MAX_UNKNOWN_SENSORS: usize = 64;
/// Faults kept for `status`.
pub(super) const MAX_RECENT_FAULTS: usize = 32;
/// A deadline is never nearer than this, so that no rounding keeps a driver busy.
const DEADLINE_STEP_MICROS: i64 = 1_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(super) now: Timestamp,
    pub(super) started: Option<Timestamp>,
    pub(super) codecs: CodecState,
    pub(super) aligner: Aligner,
    pub(super) tracker: Tracker,
    pub(super) counters: Counters,
    pub(super) sensors: Vec<SensorStatus>,
    pub(super) unknown_sensors: BTreeMap<String, UnknownSensor>,
    pub(super) recent_faults: VecDeque<(Timestamp, String, Fault)>,
}

impl State {
    pub(super) fn new(site: &Site) -> Result<Self, EngineError> {
        Ok(Self {
            now: Timestamp::MIN,
            started: None,
            codecs: CodecState::default(),
            aligner: Aligner::new(site),
            tracker: tracker(site)?,
            counters: Counters::default(),
            sensors: sensors(site),
            unknown_sensors: BTreeMap::new(),
            recent_faults: VecDeque::new(),
        })
    }

    /// Lets `now` pass; returns the time that counts.
    pub(super) fn begin(&mut self, now: Timestamp) -> Timestamp {
        self.now = self.now.max(now);
        self.started.get_or_insert(self.now);
        self.now
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn count(&mut self, name: &str) {
        self.counters.add(name, 1);
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) fn sensor_count(&self) -> usize {
        self.sensors.len()
    }

    /// Hands ripe scans to the tracker; returns the scan times that are complete now.
    pub(super) fn step_tracker(&mut self, site: &Site) -> Vec<Timestamp> {
        let mut times: Vec<Timestamp> = Vec::new();
        for released in self.aligner.release(self.now, site) {
            self.counters.add("scans", 1);
            self.tracker.step(&released.scan);
            if released.late {
                self.counters.add("scans_late", 1);
            } else if times.last() != Some(&released.scan.time) {
                times.push(released.scan.time);
            }
        }
        times
    }

    pub(super) fn tracks_at(&self, at: Timestamp) -> Vec<Track> {
        self.tracker.tracks_at(at)
    }

    pub(super) fn next_deadline(&self, site: &Site) -> Option<Timestamp> {
        let deadline = self.aligner.next_deadline(site)?;
        Some(deadline.max(self.now.plus_micros(DEADLINE_STEP_MICROS)))
    }

    pub(super) fn settled(&self, site: &Site) -> Timestamp {
        self.aligner.settled(self.now, site)
    }

    pub(super) fn take_command(&mut self, _command: Command, _out: &mut Vec<Output>) {
        self.count("commands");
    }

    pub(super) fn take_fact(&mut self, _fact: Fact) {
        self.count("facts");
    }

    pub(super) fn take_clock(&mut self, _offset_micros: i64, _sd_s: f64) {
        self.count("clock_moves");
    }

    /// Takes a new configuration. Tracks survive when the sensors and the filter's settings are the same.
    pub(super) fn reconfigure(&mut self, site: &Site, out: &mut Vec<Output>) {
        if let Ok(tracker) = tracker(site) {
            self.tracker = tracker;
            self.aligner = Aligner::new(site);
            self.codecs = CodecState::default();
            self.sensors = sensors(site);
        }
        self.audit(
            "gateway",
            "reconfigure",
            format!("{} sensors, {} zones", site.sensors.len(), site.zones.len()),
            out,
        );
    }

    pub(super) fn refuse_configuration(&mut self, faults: &[ConfigFault], out: &mut Vec<Output>) {
        self.count("configurations_refused");
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        self.audit("gateway", "reconfigure", format!("refused: {first}"), out);
    }

    fn audit(&self, by: &str, act: &str, detail: String, out: &mut Vec<Output>) {
        let record = AuditRecord { at: self.now, by: by.to_owned(), act: act.to_owned(), detail };
        out.push(Output::Durable(Durable::Audit(record)));
    }

    pub(super) fn status(&self, confirmed_tracks: usize) -> Status {
        Status {
            now: self.now,
            counters: self.counters.clone(),
            sensors: self.sensors.clone(),
            unknown_sensors: self.unknown_sensors.values().cloned().collect(),
            recent_faults: self.recent_faults.iter().cloned().collect(),
            open_alerts: 0,
            confirmed_tracks,
        }
    }
}

fn tracker(site: &Site) -> Result<Tracker, EngineError> {
    let models = site.sensors.iter().map(|sensor| sensor.model.clone()).collect();
    Ok(Tracker::new(site.tracker.clone(), models)?)
}

fn sensors(site: &Site) -> Vec<SensorStatus> {
    let status = |id: &String| SensorStatus { id: id.clone(), ..SensorStatus::default() };
    site.sensors.iter().map(|sensor| status(&sensor.model.id)).collect()
}

//! All the engine remembers between two inputs; serialising it is the snapshot.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, Track, Tracker};

use super::EngineError;
use crate::align::Aligner;
use crate::book::Book;
use crate::calls::Calls;
use crate::codec::{CodecState, Fault};
use crate::config::{ConfigFault, Site};
use crate::input::{Command, Fact};
use crate::inspect::Notes;
use crate::rules::{Link, Loss, Rules, SINK, Situation, StoreLost, UPLINK};
use crate::status::{Counters, SensorStatus, Shelved, Status, UnknownSensor};
use crate::units::Units;
use crate::weather::Sky;
use crate::{Alert, AlertKind, AuditRecord, Durable, Learned, Mode, Output, Seen, Volatile};

/// Names of unknown sensors kept for `status`.
pub(super) const MAX_UNKNOWN_SENSORS: usize = 64;
/// Faults kept for `status`.
pub(super) const MAX_RECENT_FAULTS: usize = 32;
/// Links, and kinds of losses, remembered: a gateway has few of either.
const MAX_LINKS: usize = 256;
/// A loss is told as one with the next when no more than this lies between.
const LOSS_FORGOTTEN_AFTER_S: f64 = 3_600.0;
/// The rules look at most this often ..
const ASSESS_AFTER_NEWS_S: f64 = 0.1;
/// .. and at least this often, for what happens when nothing happens.
const ASSESS_EVERY_S: f64 = 5.0;
/// Who is not heard for less than this because nothing drove the engine is not missed for it.
const OUTAGE_S: f64 = 10.0;
/// A deadline is never nearer than this, so that no rounding keeps a driver busy.
const DEADLINE_STEP_MICROS: i64 = 1_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(super) now: Timestamp,
    pub(super) started: Option<Timestamp>,
    /// When a process began to drive this after a while in which none did, and how long the last pause between two inputs was.
    #[serde(default)]
    woke: Option<Timestamp>,
    #[serde(default)]
    paused_s: f64,
    pub(super) codecs: CodecState,
    pub(super) aligner: Aligner,
    pub(super) tracker: Tracker,
    pub(super) counters: Counters,
    pub(super) sensors: Vec<SensorStatus>,
    pub(super) unknown_sensors: BTreeMap<String, UnknownSensor>,
    pub(super) recent_faults: VecDeque<(Timestamp, String, Fault)>,
    rules: Rules,
    book: Book,
    links: BTreeMap<String, Link>,
    losses: BTreeMap<String, Loss>,
    /// Since when the durable store cannot be used, and why.
    #[serde(default)]
    store_lost: Option<StoreLost>,
    /// The ends of the certificates' validity.
    #[serde(default)]
    certificates: BTreeMap<String, Timestamp>,
    /// When the rules looked last, and whether there is news since.
    assessed: Timestamp,
    pub(super) news: bool,
    pub(super) units: Units,
    #[serde(default)]
    pub(super) calls: Calls,
    #[serde(default)]
    pub(super) sky: Sky,
    /// Offset of UTC against the boot clock in microseconds, and its standard deviation in seconds.
    clock: Option<(i64, f64)>,
    /// All of this is an exercise.
    #[serde(default)]
    pub(super) exercise: bool,
}

impl State {
    pub(super) fn new(site: &Site) -> Result<Self, EngineError> {
        Ok(Self {
            now: Timestamp::MIN,
            started: None,
            woke: None,
            paused_s: 0.0,
            codecs: CodecState::default(),
            aligner: Aligner::new(site),
            tracker: tracker(site)?,
            counters: Counters::default(),
            sensors: sensors(site),
            unknown_sensors: BTreeMap::new(),
            recent_faults: VecDeque::new(),
            rules: Rules::default(),
            book: Book::default(),
            links: BTreeMap::new(),
            losses: BTreeMap::new(),
            store_lost: None,
            certificates: BTreeMap::new(),
            assessed: Timestamp::MIN,
            news: false,
            units: Units::default(),
            calls: Calls::default(),
            sky: Sky::default(),
            clock: None,
            exercise: site.mode == Mode::Exercise,
        })
    }

    /// Lets `now` pass; returns the time that counts.
    pub(super) fn begin(&mut self, now: Timestamp) -> Timestamp {
        self.paused_s = if self.started.is_some() { f64::max(now.seconds_since(self.now), 0.0) } else { 0.0 };
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

    pub(super) fn open_alerts(&self) -> impl Iterator<Item = &Alert> {
        self.book.open_alerts()
    }

    pub(super) fn sensor_count(&self) -> usize {
        self.sensors.len()
    }

    /// Hands ripe scans to the tracker; returns the scan times that are complete now.
    pub(super) fn step_tracker(&mut self, site: &Site, inspected: bool, out: &mut Vec<Output>) -> Vec<Timestamp> {
        let mut times: Vec<Timestamp> = Vec::new();
        for released in self.aligner.release(self.now, site) {
            self.counters.add("scans", 1);
            let before = self.tracker.late_scans();
            self.tracker.step(&released.scan);
            let late = self.tracker.late_scans();
            self.counters.add("scans_refiltered", late.refiltered - before.refiltered);
            self.counters.add("scans_out_of_sequence", late.out_of_sequence - before.out_of_sequence);
            self.counters.add("scans_too_late", late.too_late - before.too_late);
            self.rules.observe(&released.scan, site);
            self.news = true;
            if inspected {
                let tracks = self.tracker.tracks_at(released.scan.time);
                let seen = Seen { now: self.now, scan: released.scan.clone(), late: released.late, tracks };
                out.push(Output::Volatile(Volatile::Seen(Box::new(seen))));
            }
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

    /// Whether there is news or time has passed, so that the rules have to look; if so, the tracks are made ready for that.
    pub(super) fn begin_assessment(&mut self, site: &Site) -> bool {
        if self.next_assessment().is_none_or(|due| self.now < due) {
            return false;
        }
        self.assessed = self.now;
        self.news = false;
        let settled = self.aligner.settled(self.now, site);
        self.tracker.advance(settled);
        true
    }

    /// Lets the rules look, and turns what they find into alerts.
    pub(super) fn assess(&mut self, site: &Site, mut notes: Notes, out: &mut Vec<Output>) {
        let tracks = self.tracker.tracks_at(self.now);
        let explained = self.units.explain(&tracks, self.now, site);
        let situation = Situation {
            now: self.now,
            started: self.started.unwrap_or(self.now),
            woke: self.woke.or(self.started).unwrap_or(self.now),
            site,
            tracks: &tracks,
            sensors: &self.sensors,
            links: &self.links,
            losses: &self.losses,
            store_lost: self.store_lost.as_ref(),
            certificates: &self.certificates,
            units: &self.units,
            calls: &self.calls,
            weather: self.sky.now(self.now),
            explained: &explained,
        };
        let findings = self.rules.assess(&situation, &mut notes);
        self.book.reconcile(&situation, findings, &mut self.counters, &mut notes, out);
        out.extend(
            notes.into_vec().into_iter().map(|judgement| Output::Volatile(Volatile::Judged(Box::new(judgement)))),
        );
        let now = self.now;
        self.losses.retain(|_, loss| now.seconds_since(loss.last) < LOSS_FORGOTTEN_AFTER_S);
    }

    /// When the rules want to look again.
    fn next_assessment(&self) -> Option<Timestamp> {
        self.started?;
        let after_s = if self.news { ASSESS_AFTER_NEWS_S } else { ASSESS_EVERY_S };
        Some(self.assessed.plus_seconds(after_s))
    }

    pub(super) fn next_deadline(&self, site: &Site) -> Option<Timestamp> {
        let deadline = [self.aligner.next_deadline(site), self.next_assessment()].into_iter().flatten().min()?;
        Some(deadline.max(self.now.plus_micros(DEADLINE_STEP_MICROS)))
    }

    pub(super) fn settled(&self, site: &Site) -> Timestamp {
        self.aligner.settled(self.now, site)
    }

    pub(super) fn take_command(&mut self, command: &Command, site: &Site, out: &mut Vec<Output>) {
        self.book.take_command(command, self.now, site, &mut self.counters, out);
    }

    pub(super) fn take_fact(&mut self, fact: Fact) {
        self.news = true;
        match fact {
            Fact::FramesDropped { source, count } => {
                self.counters.add_labelled("frames_dropped", "source", &source, count);
                let what = format!("frames of {source} dropped");
                self.lose(format!("frames/{source}"), what, "its queue was full", AlertKind::DataLoss, count);
            }
            Fact::FramesRejected { source: _, reason, count } => {
                self.counters.add_labelled("frames_rejected", "reason", &reason, count);
            }
            Fact::SourceLink { source, up } => self.set_link(source, up),
            Fact::SinkLink { sink, up } => self.set_link(format!("{SINK}{sink}"), up),
            Fact::UplinkState { up } => self.set_link(UPLINK.to_owned(), up),
            Fact::OutboxDropped { count } => {
                self.counters.add("outbox_dropped", count);
                let what = "alerts of low severity dropped".to_owned();
                self.lose("outbox".to_owned(), what, "the store was full", AlertKind::DataLoss, count);
            }
            Fact::AlertRefused { code } => {
                self.counters.add("alerts_refused", 1);
                let why = format!("the centre's broker refuses them with code {code:#04x}");
                self.lose("refused".to_owned(), "alerts dropped".to_owned(), &why, AlertKind::DataLoss, 1);
            }
            Fact::StorageFault { what, error } => {
                self.counters.add("storage_faults", 1);
                let told: String = error.chars().take(120).collect();
                self.lose(format!("storage/{what}"), format!("faults of {what}"), &told, AlertKind::StorageFault, 1);
            }
            Fact::StoreState { usable: true, error: _ } => self.store_lost = None,
            Fact::StoreState { usable: false, error } => {
                self.counters.add("store_lost", 1);
                let since = self.store_lost.as_ref().map_or(self.now, |lost| lost.since);
                self.store_lost = Some(StoreLost { since, why: error.chars().take(160).collect() });
            }
            Fact::Started { nonce } => {
                if self.paused_s >= OUTAGE_S {
                    self.woke = Some(self.now);
                }
                self.book.renew_ordinals(nonce);
            }
            Fact::Certificates { names } => self.certificates.retain(|name, _| names.contains(name)),
            Fact::Certificate { name, expires_at } => {
                if self.certificates.len() < MAX_LINKS || self.certificates.contains_key(&name) {
                    self.certificates.insert(name, expires_at);
                }
            }
        }
    }

    fn set_link(&mut self, name: String, up: bool) {
        if self.links.len() < MAX_LINKS || self.links.contains_key(&name) {
            let link = self.links.entry(name).or_insert(Link { up, since: self.now });
            if link.up != up {
                *link = Link { up, since: self.now };
            }
        }
    }

    fn lose(&mut self, name: String, what: String, why: &str, kind: AlertKind, count: u64) {
        if self.losses.len() < MAX_LINKS || self.losses.contains_key(&name) {
            let fresh = Loss { what, why: String::new(), kind, count: 0, first: self.now, last: self.now };
            let loss = self.losses.entry(name).or_insert(fresh);
            why.clone_into(&mut loss.why);
            loss.count = loss.count.saturating_add(count);
            loss.last = self.now;
        }
    }

    pub(super) fn take_clock(&mut self, offset_micros: i64, sd_s: f64) {
        self.counters.add("clock_moves", 1);
        self.clock = Some((offset_micros, sd_s));
    }

    /// Takes a new configuration. Open alerts and the memory of what was counted stay; tracks and the rules' memories
    /// begin anew when the sensors or zones that they refer to are others.
    pub(super) fn reconfigure(&mut self, before: &Site, site: &Site, out: &mut Vec<Output>) {
        if (&before.sensors, &before.tracker) != (&site.sensors, &site.tracker)
            && let Ok(tracker) = tracker(site)
        {
            self.tracker = tracker;
            self.aligner = Aligner::new(site);
            self.codecs = CodecState::default();
            self.sensors = sensors(site);
            self.rules.begin_anew();
            self.calls = Calls::default();
        }
        if before.units != site.units {
            self.units = Units::default();
            self.calls = Calls::default();
        }
        if before.zones != site.zones {
            self.tracker.set_entries(&site.entries());
            self.rules.begin_anew();
        }
        self.news = true;
        let detail = format!("{} sensors, {} zones", site.sensors.len(), site.zones.len());
        self.audit("gateway", "reconfigure", detail, out);
    }

    pub(super) const fn learned(&self) -> &Learned {
        self.book.learned()
    }

    pub(super) fn learn(&mut self, learned: Learned) {
        self.book.learn(learned);
    }

    pub(super) fn begin_ordinals(&mut self, first: u64) {
        self.book.begin_ordinals(first);
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

    fn sensors_with_estimates(&self) -> Vec<SensorStatus> {
        let learned = self.sensors.iter().zip(self.tracker.sensor_estimates());
        learned.map(|(sensor, estimate)| SensorStatus { estimate: Some(estimate), ..sensor.clone() }).collect()
    }

    pub(super) fn status(&self, site: &Site, confirmed_tracks: usize) -> Status {
        let (worth, unjudged) = self.book.worth();
        Status {
            now: self.now,
            counters: self.counters.clone(),
            sensors: self.sensors_with_estimates(),
            unknown_sensors: self.unknown_sensors.values().cloned().collect(),
            recent_faults: self.recent_faults.iter().cloned().collect(),
            open_alerts: self.book.open_count(),
            shelved: self.book.shelved(self.now).map(Shelved::of).collect(),
            load: self.book.load(self.started.unwrap_or(self.now), self.now),
            worth,
            unjudged,
            weather: self.sky.now(self.now),
            nuisance: self.book.nuisance(self.now, site, &self.sky.hours()),
            clock_sd_s: self.clock.map(|(_, sd_s)| sd_s),
            confirmed_tracks,
        }
    }
}

fn tracker(site: &Site) -> Result<Tracker, EngineError> {
    let models = site.sensors.iter().map(|sensor| sensor.model.clone()).collect();
    let mut tracker = Tracker::new(site.tracker.clone(), models)?;
    tracker.set_entries(&site.entries());
    Ok(tracker)
}

fn sensors(site: &Site) -> Vec<SensorStatus> {
    let status = |id: &String| SensorStatus { id: id.clone(), ..SensorStatus::default() };
    site.sensors.iter().map(|sensor| status(&sensor.model.id)).collect()
}

//! The tracker: one call per scan, one call to ask what is where.

use serde::{Deserialize, Serialize};

use crate::bernoulli::{Label, Outlook};
use crate::config::TrackerConfig;
use crate::filter::{Filter, Models};
use crate::group;
use crate::imm::MotionStep;
use crate::refilter::{History, LateScans};
use crate::report::report;
use crate::sensor_state::SensorEstimate;
use crate::validity::{self, ModelError};
use crate::watch::{self, Watched};
use crate::{EntryZone, Scan, SensorModel, Timestamp, Track, TrackId};

/// Tracks less likely than this have no number and are not shown.
const SHOWN_EXISTENCE: f64 = 0.1;

/// The filter and all it remembers; serialising it is the snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tracker {
    config: TrackerConfig,
    sensors: Vec<SensorModel>,
    watched: Watched,
    filter: Filter,
    history: History,
    /// Numbers of the tracks that have been shown, in the order of their labels.
    numbers: Vec<(Label, TrackId)>,
    next_number: u64,
    /// Numbers of tracks that are gone, and since when: filtering again may bring them back.
    #[serde(default)]
    gone: Vec<(Label, TrackId, Timestamp)>,
}

impl Tracker {
    /// An empty filter over these sensors; `Scan::sensor` indexes this list.
    ///
    /// # Errors
    /// When a model's value is out of range.
    pub fn new(config: TrackerConfig, sensors: Vec<SensorModel>) -> Result<Self, ModelError> {
        Self::check(&config, &sensors)?;
        let watched = Watched::new(&sensors);
        let filter = Filter::new(Models { config: &config, sensors: &sensors, watched: &watched });
        Ok(Self {
            config,
            sensors,
            watched,
            filter,
            history: History::default(),
            numbers: Vec::new(),
            next_number: 1,
            gone: Vec::new(),
        })
    }

    /// Whether a filter can work with these settings and sensors, without making one.
    ///
    /// # Errors
    /// When a model's value is out of range.
    pub fn check<'a>(
        config: &TrackerConfig,
        sensors: impl IntoIterator<Item = &'a SensorModel>,
    ) -> Result<(), ModelError> {
        validity::check(config, sensors)
    }

    /// Says where people come in inside the watched ground; what was said before no longer holds.
    pub fn set_entries(&mut self, entries: &[EntryZone]) {
        self.filter.set_entries(entries);
    }

    /// Derives anew what follows from the sensors alone: the snapshot of an older program may lack a part of it.
    pub fn survey(&mut self) {
        self.watched = Watched::new(&self.sensors);
    }

    /// Takes in one scan. Scans should come in time order; a late one is used as far as the configured lag allows.
    pub fn step(&mut self, scan: &Scan) {
        let models = Models { config: &self.config, sensors: &self.sensors, watched: &self.watched };
        if scan.time >= self.filter.now {
            self.history.note(models, scan, &self.filter);
            self.filter.step(models, scan, None);
            self.history.catch_up(models, &mut self.filter);
        } else {
            self.history.late(models, scan, &mut self.filter);
        }
        self.number_tracks();
    }

    /// Lets time pass without a scan: silence is accounted for, dead tracks are dropped.
    pub fn advance(&mut self, to: Timestamp) {
        let models = Models { config: &self.config, sensors: &self.sensors, watched: &self.watched };
        self.filter.advance(models, to);
    }

    /// What became of scans that came late.
    #[must_use]
    pub const fn late_scans(&self) -> LateScans {
        self.history.late
    }

    /// What has been learned of each sensor, in the order of the tracker's list.
    pub fn sensor_estimates(&self) -> impl Iterator<Item = SensorEstimate> + '_ {
        self.filter.sensors.iter().map(|sensor| sensor.estimate(self.filter.now))
    }

    /// How much more people on foot change their velocity than configured, as it has been learned: a ratio of acceleration
    /// densities.
    #[must_use]
    pub fn restlessness(&self) -> f64 {
        self.filter.restlessness.ratio()
    }

    /// All tracks predicted to `at`, in the order of their numbers. Read only.
    #[must_use]
    pub fn tracks_at(&self, at: Timestamp) -> Vec<Track> {
        let models = Models { config: &self.config, sensors: &self.sensors, watched: &self.watched };
        let (restlessness, mut step) = (self.filter.restlessness.ratio(), None);
        let mut numbers = self.numbers.iter().peekable();
        let mut ids = Vec::with_capacity(self.numbers.len());
        let mut outlooks: Vec<Outlook<'_>> = Vec::with_capacity(self.numbers.len());
        for track in &self.filter.tracks {
            while numbers.next_if(|(label, _)| *label < track.label).is_some() {}
            let Some((_, id)) = numbers.next_if(|(label, _)| *label == track.label) else { continue };
            ids.push(*id);
            outlooks.push(if at <= track.time {
                track.outlook()
            } else {
                let life_s = watch::life_s(models, &self.filter.sensors, track, at);
                let step = MotionStep::over(&self.config, restlessness, at.seconds_since(track.time), &mut step);
                track.outlook_after(step, at, life_s)
            });
        }
        let counts = group::counts(&outlooks);
        let reports = ids.into_iter().zip(&outlooks).zip(counts);
        let mut tracks: Vec<Track> =
            reports.map(|((id, outlook), count)| report(&self.config, id, outlook, count)).collect();
        tracks.sort_by_key(|track| track.id);
        tracks
    }

    /// Gives the number of one track to another that stands for the same object, unless that has the older one.
    fn hand_over(&mut self, from: Label, to: Label) {
        let place = |numbers: &[(Label, TrackId)], label: Label| numbers.binary_search_by_key(&label, |entry| entry.0);
        let Ok(given) = place(&self.numbers, from) else { return };
        let id = self.numbers[given].1;
        match place(&self.numbers, to) {
            Ok(known) if id < self.numbers[known].1 => {
                self.numbers[given].1 = core::mem::replace(&mut self.numbers[known].1, id);
            }
            Ok(_) => {}
            Err(_) => {
                self.numbers.remove(given);
                self.numbers.insert(place(&self.numbers, to).unwrap_or_else(|free| free), (to, id));
            }
        }
    }

    /// Gives numbers to tracks that have become worth showing, and takes away those of tracks that are gone. Both lists
    /// are in the order of labels, so one walk along them does it.
    fn number_tracks(&mut self) {
        for (from, to) in self.history.successions() {
            self.hand_over(from, to);
        }
        let now = self.filter.now;
        let mut numbers = Vec::with_capacity(self.numbers.len() + 1);
        let mut gone = Vec::new();
        let mut known = self.numbers.iter().peekable();
        for track in &self.filter.tracks {
            while let Some((label, id)) = known.next_if(|(label, _)| *label < track.label) {
                gone.push((*label, *id, now));
            }
            if let Some(found) = known.next_if(|(label, _)| *label == track.label) {
                numbers.push(*found);
            } else if track.existence >= SHOWN_EXISTENCE {
                let before = self.gone.iter().position(|(label, ..)| *label == track.label);
                let id = before.map_or_else(
                    || {
                        self.next_number += 1;
                        TrackId(self.next_number - 1)
                    },
                    |place| self.gone.swap_remove(place).1,
                );
                numbers.push((track.label, id));
            }
        }
        gone.extend(known.map(|(label, id)| (*label, *id, now)));
        self.numbers = numbers;
        // Where nothing is filtered again, nothing comes back.
        self.gone.retain(|(.., since)| now.seconds_since(*since) <= self.config.max_lag_s);
        if self.history.needed {
            self.gone.extend(gone);
        }
    }
}

//! The tracker: one call per scan, one call to ask what is where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bernoulli::{Bernoulli, Label};
use crate::config::TrackerConfig;
use crate::filter::{Filter, Models};
use crate::group;
use crate::refilter::{History, LateScans};
use crate::report::report;
use crate::validity::{self, ModelError};
use crate::watch::{self, Watched};
use crate::{Scan, SensorModel, Timestamp, Track, TrackId};

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
    /// Numbers given to tracks so far. Serialised as a list: JSON knows only strings as keys.
    #[serde(with = "numbers_as_list")]
    numbers: BTreeMap<Label, TrackId>,
    next_number: u64,
}

impl Tracker {
    /// An empty filter over these sensors; `Scan::sensor` indexes this list.
    ///
    /// # Errors
    /// When a model's value is out of range.
    pub fn new(config: TrackerConfig, sensors: Vec<SensorModel>) -> Result<Self, ModelError> {
        validity::check(&config, &sensors)?;
        let watched = Watched::new(&sensors);
        let filter = Filter::new(Models { config: &config, sensors: &sensors, watched: &watched });
        Ok(Self {
            config,
            sensors,
            watched,
            filter,
            history: History::default(),
            numbers: BTreeMap::new(),
            next_number: 1,
        })
    }

    /// Takes in one scan. Scans should come in time order; a late one is used as far as the configured lag allows.
    pub fn step(&mut self, scan: &Scan) {
        let models = Models { config: &self.config, sensors: &self.sensors, watched: &self.watched };
        if scan.time >= self.filter.now {
            self.history.note(models, scan, &self.filter);
            self.filter.step(models, scan, None);
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

    /// All tracks predicted to `at`, in the order of their numbers. Read only.
    #[must_use]
    pub fn tracks_at(&self, at: Timestamp) -> Vec<Track> {
        let models = Models { config: &self.config, sensors: &self.sensors, watched: &self.watched };
        let shown: Vec<(TrackId, Bernoulli)> = self
            .filter
            .tracks
            .iter()
            .filter_map(|track| {
                let id = *self.numbers.get(&track.label)?;
                let life_s = watch::life_s(models, &self.filter.sensors, track);
                Some((id, track.predicted(&self.config, at, life_s)))
            })
            .collect();
        let counts = group::counts(&shown.iter().map(|(_, track)| track).collect::<Vec<_>>());
        let reports = shown.iter().zip(counts);
        let mut tracks: Vec<Track> =
            reports.map(|((id, track), count)| report(&self.config, *id, track, count)).collect();
        tracks.sort_by_key(|track| track.id);
        tracks
    }

    /// Gives numbers to tracks that have become worth showing, and forgets those of tracks that are gone.
    fn number_tracks(&mut self) {
        let mut numbers = BTreeMap::new();
        for track in &self.filter.tracks {
            if let Some(number) = self.numbers.get(&track.label) {
                numbers.insert(track.label, *number);
            } else if track.existence >= SHOWN_EXISTENCE {
                numbers.insert(track.label, TrackId(self.next_number));
                self.next_number += 1;
            }
        }
        self.numbers = numbers;
    }
}

mod numbers_as_list {
    //! A map keyed by labels, as a list of pairs.

    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::TrackId;
    use crate::bernoulli::Label;

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<Label, TrackId>, to: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Label, TrackId>, D::Error> {
        Ok(Vec::<(Label, TrackId)>::deserialize(from)?.into_iter().collect())
    }
}

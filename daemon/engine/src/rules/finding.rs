//! What a rule found to be the case.

use nalgebra::{Matrix2, Vector2};
use serde::{Deserialize, Serialize};
use vedette_tracker::{ClassProbabilities, Timestamp, TrackId};

use super::evidence::Evidence;
use crate::book::Lesson;
use crate::{AlertKind, Contributor, Eta, Severity};

/// Whether a finding raises an alert or only keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    /// Enough to keep an alert open.
    Holds,
    /// Enough to raise one.
    Raises,
}

/// How an alert ends when its finding does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Lasting {
    /// It is closed: the state is over.
    State,
    /// It stays open until it expires: something happened, and that stays true.
    Event,
}

/// A track as an alert shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Surrounding {
    pub(crate) track: TrackId,
    pub(crate) position_m: Vector2<f64>,
    /// Where it was when it was last seen.
    pub(crate) seen_m: Vector2<f64>,
    pub(crate) covariance_m2: Matrix2<f64>,
    /// Position and covariance describe where it is; otherwise only that it is.
    pub(crate) localised: bool,
    pub(crate) velocity_mps: Vector2<f64>,
    /// Standard deviation of the speed, of both axes together.
    pub(crate) velocity_sd_mps: f64,
    pub(crate) existence: f64,
    pub(crate) class: ClassProbabilities,
    pub(crate) count: (u32, u32),
    pub(crate) contributors: Vec<Contributor>,
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Subject {
    /// A track.
    Track(Box<Surrounding>),
    /// A place where sensors saw something that is no track.
    Spot {
        /// Where.
        position_m: Vector2<f64>,
        /// Standard deviation per axis.
        sd_m: f64,
        /// The sensors.
        contributors: Vec<Contributor>,
    },
    /// A configured sensor, by index.
    Sensor(usize),
    /// The gateway itself.
    Gateway,
}

/// A possible need of help.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Need {
    /// For people.
    pub(crate) reason: String,
    /// So long it lasts before it is told, and again before it is told anew to who has only acknowledged it.
    pub(crate) after_s: f64,
}

/// One thing that is the case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    /// Name of the rule.
    pub(crate) rule: &'static str,
    /// The cause: findings with one key share one alert, and the most severe of them names it.
    pub(crate) key: String,
    pub(crate) certainty: Certainty,
    pub(crate) lasting: Lasting,
    pub(crate) kind: AlertKind,
    pub(crate) severity: Severity,
    pub(crate) zone: Option<String>,
    pub(crate) subject: Subject,
    /// Probability that it is so.
    pub(crate) confidence: f64,
    /// Which way over a border.
    pub(crate) inward: Option<bool>,
    /// Sensors reported it as such: what becomes of its track takes nothing of it back.
    pub(crate) witnessed: bool,
    /// Logarithm of how much less likely it is for what radars and cameras at the place did not see: 0 where none looked.
    pub(crate) unseen: f64,
    /// What bears it out, for a finding about movement.
    pub(crate) evidence: Option<Evidence>,
    /// What operators said of earlier alerts like it.
    pub(crate) lesson: Lesson,
    pub(crate) eta: Option<Eta>,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
    pub(crate) help: Option<Need>,
    /// The own unit, by index, that says it was at the spot when it happened.
    pub(crate) own_unit: Option<usize>,
    /// Name of the rule that explains it away.
    pub(crate) explained: Option<String>,
    /// Name of the rule that makes it less severe.
    pub(crate) lowered_by: Option<String>,
    /// What it would be if no rule explained it or made it less severe.
    pub(crate) unlessened: Option<(Severity, Certainty)>,
    /// An operator has released it from such rules: it stands on its own.
    pub(crate) released: bool,
    /// The findings that it tells of together.
    pub(crate) members: Vec<Self>,
    /// What happened, for people: "crossed Bug line inward".
    pub(crate) what: String,
    /// What else a reader must know, or nothing.
    pub(crate) note: String,
}

impl Finding {
    /// Keeps what it would be, before the first rule makes it less.
    pub(crate) fn keep_unlessened(&mut self) {
        self.unlessened.get_or_insert((self.severity, self.certainty));
    }

    /// How severe it would be if no rule made it less.
    pub(crate) fn full_severity(&self) -> Severity {
        self.unlessened.map_or(self.severity, |(severity, _)| severity)
    }

    /// Undoes what rules made less of it.
    pub(crate) fn release(&mut self) {
        (self.severity, self.certainty) = self.unlessened.take().unwrap_or((self.severity, self.certainty));
        (self.explained, self.lowered_by) = (None, None);
        self.released = true;
    }
}

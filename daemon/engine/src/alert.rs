//! The alert: what happened, where, how sure, why; the only thing operators see.
//!
//! Its JSON form travels to the centre and lives in ledgers: fields are only added, and absent ones are left out, so
//! that the first message of a critical alert stays within 1,024 bytes.

use serde::{Deserialize, Serialize};
use vedette_tracker::{ClassProbabilities, Timestamp};

use crate::{AlertKind, Grade, WeatherThen};

/// One revision of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Hash of site, rule, dedup key and ordinal, in hexadecimal: the same for every revision.
    pub id: String,
    /// Counts up from 1 with every revision.
    pub rev: u32,
    /// One cause, one key; while an alert with this key is open no second one is raised.
    pub dedup_key: String,
    /// Whether it is meant.
    pub mode: Mode,
    /// How soon a person must act.
    pub severity: Severity,
    /// What happened.
    pub kind: AlertKind,
    /// The zone or line it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Where in its life it is.
    pub state: AlertState,
    /// Shelved by an operator until this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelved_until: Option<Timestamp>,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// What an operator thinks of source and content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// Held back by a rule, which is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
    /// A rule that makes it less severe than it would be, which is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered_by: Option<String>,
    /// Those that it tells of together, in the order in which they joined: the members of a storm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// How many more members there are than are listed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub members_more: u32,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Direction of movement, degrees clockwise from north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heading_deg: Option<f64>,
    /// Speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_mps: Option<f64>,
    /// Time until the line, for an approach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Eta>,
    /// How many: a 95 % range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<(u32, u32)>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ClassProbabilities>,
    /// Probability that this is real.
    pub confidence: f64,
    /// Who says so, strongest first; and who was expected to say so and did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contributors: Vec<Contributor>,
    /// First plot of the cause.
    pub first_seen: Timestamp,
    /// Last plot of the cause.
    pub last_seen: Timestamp,
    /// When it expires if nothing more happens.
    pub expires_at: Timestamp,
    /// When every copy must be erased.
    pub erase_at: Timestamp,
    /// A possible need of help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub humanitarian: Option<Humanitarian>,
    /// The weather at the site when this revision was made, where a station is heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weather: Option<WeatherThen>,
    /// For people: short, what, where, which way, how sure, why.
    pub text: String,
}

/// What every alert says from the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Headline {
    /// See [`Alert::id`].
    pub id: String,
    /// See [`Alert::dedup_key`].
    pub dedup_key: String,
    /// What happened.
    pub kind: AlertKind,
    /// How soon a person must act.
    pub severity: Severity,
    /// First plot of the cause.
    pub first_seen: Timestamp,
    /// Last plot of the cause.
    pub last_seen: Timestamp,
    /// For people.
    pub text: String,
}

impl Alert {
    /// The first revision, meant, sure, and without a place; it expires when its cause was last seen until somebody sets a
    /// later time.
    #[must_use]
    pub fn raised(headline: Headline) -> Self {
        let Headline { id, dedup_key, kind, severity, first_seen, last_seen, text } = headline;
        Self {
            id,
            rev: 1,
            dedup_key,
            mode: Mode::Actual,
            severity,
            kind,
            zone: None,
            state: AlertState::Raised,
            shelved_until: None,
            assigned_to: None,
            grade: None,
            suppressed: None,
            lowered_by: None,
            members: Vec::new(),
            members_more: 0,
            place: None,
            heading_deg: None,
            speed_mps: None,
            eta: None,
            count: None,
            class: None,
            confidence: 1.0,
            contributors: Vec::new(),
            first_seen,
            last_seen,
            expires_at: last_seen,
            erase_at: last_seen,
            humanitarian: None,
            weather: None,
            text,
        }
    }
}

impl Alert {
    /// Whether somebody must look at it: it is more than a record, and no rule holds it back.
    #[must_use]
    pub fn asks_attention(&self) -> bool {
        self.severity > Severity::Info && self.suppressed.is_none()
    }

    /// Whether an operator does not want to hear of it now.
    #[must_use]
    pub fn is_shelved(&self, now: Timestamp) -> bool {
        self.shelved_until.is_some_and(|until| now < until)
    }

    /// The confidence as people are told it, in whole percent: that somebody is there is never certain. What a sensor says of
    /// itself is.
    #[must_use]
    pub fn percent_sure(&self) -> f64 {
        let percent = libm::round(100.0 * self.confidence);
        if self.kind.is_about_somebody() { percent.clamp(1.0, 99.0) } else { percent }
    }
}

/// Whether an alert is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Real.
    Actual,
    /// Part of an exercise: simulated inputs.
    Exercise,
    /// Tests the way to the centre.
    Test,
}

/// How soon a person must act. Ordered: critical is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Info,
    /// Today.
    Low,
    /// Within the hour.
    Medium,
    /// Within minutes.
    High,
    /// Now.
    Critical,
}

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// New.
    Raised,
    /// Something about it changed.
    Updated,
    /// An operator has seen it.
    Acknowledged,
    /// An operator works on it.
    Assigned,
    /// Over.
    Closed {
        /// Why.
        reason: CloseReason,
    },
    /// Over because nothing more happened.
    Expired,
}

impl AlertState {
    /// Whether it is at its end.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Expired)
    }
}

/// Why an alert was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The cause went away by itself.
    Cleared,
    /// It was what it said.
    Real,
    /// There was something, but nothing that needed anybody.
    Nuisance,
    /// There was nothing.
    False,
    /// It was an exercise.
    Exercise,
    /// Later data took it back.
    Retracted,
}

impl CloseReason {
    /// Its name in orders, answers and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cleared => "cleared",
            Self::Real => "real",
            Self::Nuisance => "nuisance",
            Self::False => "false",
            Self::Exercise => "exercise",
            Self::Retracted => "retracted",
        }
    }

    /// Whether an operator gives it: a gateway gives the others by itself.
    #[must_use]
    pub const fn is_of_an_operator(self) -> bool {
        matches!(self, Self::Real | Self::Nuisance | Self::False | Self::Exercise)
    }

    /// Whether an operator says by it that the alert was real or was not; none where it says nothing of that.
    #[must_use]
    pub const fn says_real(self) -> Option<bool> {
        match self {
            Self::Real => Some(true),
            Self::Nuisance | Self::False => Some(false),
            Self::Exercise | Self::Cleared | Self::Retracted => None,
        }
    }
}

/// One of those that an alert tells of together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The [`Alert::dedup_key`] that an alert about it alone has.
    pub key: String,
    /// For people: a track or a sensor.
    pub name: String,
    /// First plot of it.
    pub first_seen: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

/// The rule that holds an alert back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Name of the rule.
    pub rule: String,
}

/// Where: a point with its 95 % ellipse, or a zone's name when the point is too uncertain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A point.
    Point {
        /// Latitude, WGS 84, degrees.
        lat: f64,
        /// Longitude, WGS 84, degrees.
        lon: f64,
        /// Its 95 % ellipse.
        ellipse: Ellipse,
    },
    /// Somewhere in a named zone or in a sensor's coverage.
    Area {
        /// The zone's or the sensor's name.
        name: String,
    },
}

/// A 95 % ellipse.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ellipse {
    /// Half of the long axis.
    pub major_m: f64,
    /// Half of the short axis.
    pub minor_m: f64,
    /// Direction of the long axis, degrees clockwise from north, 0 to 180.
    pub orientation_deg: f64,
}

/// Time to the line with its 95 % interval, from `last_seen`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eta {
    /// Most likely.
    pub s: f64,
    /// Early end.
    pub low_s: f64,
    /// Late end.
    pub high_s: f64,
}

/// What a sensor has to do with an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contributor {
    /// The sensor.
    pub sensor: String,
    /// Its share of the evidence (log-likelihood), 0 to 1; none for a sensor that was expected to see it and was silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// A possible need of help and the reason to think so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Humanitarian {
    /// For people.
    pub reason: String,
}

//! What the engine saw and decided on its way to an alert: the material of explanations, made only when it is wanted.

use serde::{Deserialize, Serialize};
use vedette_tracker::{Scan, Timestamp, Track, TrackId};

use crate::rules::{Evidence, Finding, Subject};
use crate::{AlertKind, Severity};

/// A scan as the tracker took it, and the tracks right after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The engine's time when it was handed on.
    pub now: Timestamp,
    /// The scan.
    pub scan: Scan,
    /// It came behind scans that had been handed on before.
    pub late: bool,
    /// The tracks at the scan's time.
    pub tracks: Vec<Track>,
}

/// What a rule found, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// When.
    pub at: Timestamp,
    /// The rule.
    pub rule: String,
    /// The cause: findings with one key share one alert.
    pub key: String,
    /// What it would be called.
    pub kind: AlertKind,
    /// How severe it would be.
    pub severity: Severity,
    /// The zone or line.
    pub zone: Option<String>,
    /// The track, if it is about one.
    pub track: Option<TrackId>,
    /// Probability that it is so.
    pub confidence: f64,
    /// What bears it out, for what is about movement.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// For people.
    pub what: String,
    /// The alert that it belongs to, if there is one.
    pub alert: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What becomes of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It raised an alert.
    Raised,
    /// It keeps its alert open.
    Carried,
    /// Too uncertain to raise an alert; it would keep one open.
    Doubted,
    /// Something harmless explains it.
    Explained {
        /// What.
        by: String,
    },
    /// Another finding about the same cause weighs more.
    Outranked {
        /// The other's rule.
        by: String,
    },
    /// One of many of its kind at once, told together.
    Folded,
    /// On ground where nothing counts.
    Ignored,
    /// An operator has closed its alert, and the cause lasts.
    Answered,
    /// The book was full of what is more severe.
    NoRoom,
}

impl Verdict {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Raised => "raised the alert".to_owned(),
            Self::Carried => "kept the alert open".to_owned(),
            Self::Doubted => "suppressed: not sure enough to raise an alert".to_owned(),
            Self::Explained { by } => format!("suppressed: explained by {by}"),
            Self::Outranked { by } => format!("suppressed: {by} says more about the same cause"),
            Self::Folded => "suppressed: told together with others of its kind".to_owned(),
            Self::Ignored => "suppressed: on ground where nothing counts".to_owned(),
            Self::Answered => "suppressed: an operator has closed the alert".to_owned(),
            Self::NoRoom => "suppressed: too many open alerts that are more severe".to_owned(),
        }
    }
}

/// Judgements, kept only while somebody wants them.
#[derive(Debug, Default)]
pub(crate) struct Notes(Option<Vec<Judgement>>);

impl Notes {
    pub(crate) fn new(wanted: bool) -> Self {
        Self(wanted.then(Vec::new))
    }

    pub(crate) fn note(&mut self, finding: &Finding, at: Timestamp, alert: Option<&str>, verdict: Verdict) {
        let Some(notes) = &mut self.0 else { return };
        notes.push(Judgement {
            at,
            rule: finding.rule.to_owned(),
            key: finding.key.clone(),
            kind: finding.kind,
            severity: finding.severity,
            zone: finding.zone.clone(),
            track: match &finding.subject {
                Subject::Track(track) => Some(track.track),
                Subject::Spot { .. } | Subject::Sensor(_) | Subject::Gateway => None,
            },
            confidence: finding.confidence,
            evidence: finding.evidence,
            what: finding.what.clone(),
            alert: alert.map(str::to_owned),
            verdict,
        });
    }

    pub(crate) fn into_vec(self) -> Vec<Judgement> {
        self.0.unwrap_or_default()
    }
}

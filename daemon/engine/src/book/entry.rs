//! One alert as the book keeps it.

use nalgebra::Vector2;
use serde::{Deserialize, Serialize};
use vedette_tracker::{Timestamp, TrackId};

use super::learned::Claimed;
use super::members::Members;
use super::storm::Told;
use crate::rules::{Finding, Lasting, Subject};
use crate::{Alert, AlertState, Severity};

/// One open alert, or one that an operator closed while its cause lasts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// As last emitted.
    pub(super) alert: Alert,
    pub(super) lasting: Lasting,
    pub(super) track: Option<TrackId>,
    pub(super) position_m: Option<Vector2<f64>>,
    /// Existence of its track when it was last seen.
    pub(super) existence: f64,
    /// Sensors reported what it is about, whatever becomes of its track.
    #[serde(default)]
    pub(super) witnessed: bool,
    /// When its finding was last there.
    pub(super) found_at: Timestamp,
    /// When who it is about was last seen.
    #[serde(default)]
    pub(super) seen_at: Timestamp,
    pub(super) raised_at: Timestamp,
    pub(super) emitted_at: Timestamp,
    /// What it claimed when it first asked for attention; a rehearsal claims nothing.
    #[serde(default)]
    pub(super) claimed: Option<Claimed>,
    /// How severe it would be at its worst if no rule made it less.
    #[serde(default)]
    pub(super) full_severity: Option<Severity>,
    /// An operator has released it from such rules.
    #[serde(default)]
    pub(super) released: bool,
    /// When an operator acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acknowledged_at: Option<Timestamp>,
    /// Whom it tells of together.
    #[serde(default, skip_serializing_if = "Members::is_empty")]
    pub(super) members: Members,
}

impl Entry {
    pub(super) fn is_over(&self) -> bool {
        self.alert.state.is_over()
    }

    pub(super) fn needs_help(&self) -> bool {
        self.alert.humanitarian.is_some()
    }

    /// When a need was acknowledged, if nobody has been sent and it lasts for so long again that it is to be told anew.
    pub(super) fn lasts_since(&self, finding: &Finding, now: Timestamp) -> Option<Timestamp> {
        let need = finding.help.as_ref().filter(|_| self.alert.state == AlertState::Acknowledged)?;
        self.acknowledged_at.filter(|at| now.seconds_since(*at) >= need.after_s)
    }

    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.alert.state, AlertState::Raised | AlertState::Updated)
    }

    /// What storms need to know of it.
    pub(super) fn told(&self) -> Told {
        Told { raised_at: Some(self.raised_at), is_open: !self.is_over(), released: self.released }
    }

    pub(super) fn new(alert: Alert, finding: &Finding, now: Timestamp) -> Self {
        let mut entry = Self::of(alert, finding.lasting, now);
        entry.seen_at = finding.last_seen;
        entry.follow(finding, now);
        entry
    }

    /// About nothing that is seen.
    pub(super) fn of(alert: Alert, lasting: Lasting, now: Timestamp) -> Self {
        Self {
            alert,
            lasting,
            track: None,
            position_m: None,
            existence: 1.0,
            witnessed: false,
            found_at: now,
            seen_at: now,
            raised_at: now,
            emitted_at: now,
            claimed: None,
            full_severity: None,
            released: false,
            acknowledged_at: None,
            members: Members::default(),
        }
    }

    pub(super) fn follow(&mut self, finding: &Finding, now: Timestamp) {
        self.found_at = now;
        self.seen_at = self.seen_at.max(finding.last_seen);
        self.lasting = finding.lasting;
        self.witnessed |= finding.witnessed;
        self.full_severity = self.full_severity.max(Some(finding.full_severity()));
        match &finding.subject {
            Subject::Track(track) => {
                self.track = Some(track.track);
                self.position_m = Some(track.position_m);
                self.existence = track.existence;
            }
            Subject::Spot { position_m, .. } => self.position_m = Some(*position_m),
            Subject::Sensor(_) | Subject::Gateway => {}
        }
    }
}

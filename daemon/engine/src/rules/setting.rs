//! What surrounds a finding and changes its weight: ground where nothing counts, and ground where people work.

use super::geometry::relation;
use super::{Finding, Situation, Subject};
use crate::Severity;
use crate::config::ZoneKind;

/// Probability of being inside from which on a zone's meaning holds.
const INSIDE: f64 = 0.8;

/// Lowers the severity of what happens where people work at their hours, and names the zone in which nothing counts.
/// A possible need of help is never made less.
pub(super) fn apply(situation: &Situation<'_>, finding: &mut Finding) {
    let Subject::Track(track) = &finding.subject else { return };
    if finding.help.is_some() {
        return;
    }
    for zone in &situation.site.zones {
        let matters = matches!(zone.kind, ZoneKind::Ignore | ZoneKind::Work)
            && zone.schedule.covers(situation.now, &situation.site.timezone)
            && relation(&zone.ground, track.position_m, &track.covariance_m2)
                .is_some_and(|relation| relation.probability_in() >= INSIDE);
        if !matters {
            continue;
        }
        if zone.kind == ZoneKind::Ignore {
            finding.explained = Some(format!("ignore zone {}", zone.name));
        } else {
            finding.severity = lowered(finding.severity);
            finding.note = format!("Work is scheduled in {} now.", zone.name);
        }
    }
}

/// Two steps less severe.
fn lowered(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::Medium,
        Severity::High => Severity::Low,
        Severity::Medium | Severity::Low | Severity::Info => Severity::Info,
    }
}

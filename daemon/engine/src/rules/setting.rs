//! What surrounds a finding and changes its weight: ground where nothing counts, and ground where people work.

use super::geometry::relation;
use super::{Finding, Situation, Subject};
use crate::Severity;
use crate::config::ZoneKind;

/// Probability of being inside from which on a zone's meaning holds.
const INSIDE: f64 = 0.8;

/// Whether the finding counts: not where nothing does. Lowers the severity of what happens where people work at their
/// hours, and of what an own unit explains, and says so. A possible need of help is never made less.
pub(super) fn counts(situation: &Situation<'_>, finding: &mut Finding) -> bool {
    let Subject::Track(track) = &finding.subject else { return true };
    if finding.help.is_some() {
        return true;
    }
    if let Some(unit) = situation.explained.get(&track.track).and_then(|&index| situation.site.units.get(index)) {
        finding.severity = Severity::Info;
        finding.explained = Some(format!("unit {}", unit.id));
        finding.note = format!("Explained by own unit {}.", unit.id);
    }
    for zone in &situation.site.zones {
        let matters = matches!(zone.kind, ZoneKind::Ignore | ZoneKind::Work)
            && zone.schedule.covers(situation.now, &situation.site.timezone)
            && relation(&zone.ground, track.position_m, &track.covariance_m2)
                .is_some_and(|relation| relation.probability_in() >= INSIDE);
        match zone.kind {
            ZoneKind::Ignore if matters => return false,
            ZoneKind::Work if matters => {
                finding.severity = lowered(finding.severity);
                finding.note = format!("Work is scheduled in {} now.", zone.name);
            }
            _ => {}
        }
    }
    true
}

/// Two steps less severe.
fn lowered(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::Medium,
        Severity::High => Severity::Low,
        Severity::Medium | Severity::Low | Severity::Info => Severity::Info,
    }
}

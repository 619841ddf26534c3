//! What surrounds a finding and changes its weight: ground where nothing counts, and ground where people work.

use nalgebra::{Matrix2, Vector2};

use super::geometry::relation;
use super::{Certainty, Finding, Situation, Subject};
use crate::Severity;
use crate::config::{Class, ZoneKind};

/// Probability of being inside from which on a zone's meaning holds.
const INSIDE: f64 = 0.8;
/// Probability of being an animal from which on nobody is alerted, unless the zone is watched for animals.
const ANIMAL_FROM: f64 = 0.9;

/// Whether the finding counts: not where nothing does. Lowers the severity of what happens where people work at their
/// hours, and of what an own unit explains, and says so. A possible need of help is never made less.
pub(super) fn counts(situation: &Situation<'_>, finding: &mut Finding) -> bool {
    let Some((position_m, covariance_m2)) = whereabouts(finding) else { return true };
    if let Subject::Track(track) = &finding.subject
        && situation.tracks.iter().any(|known| known.id == track.track && !situation.is_fresh(known))
    {
        finding.certainty = Certainty::Holds;
        finding.note = "Only a sensor that is stuck shows it.".to_owned();
    }
    if let Some(unit) = own_unit(situation, finding).and_then(|index| situation.site.units.get(index)) {
        finding.keep_unlessened();
        finding.severity = Severity::Info;
        finding.explained = Some(format!("unit {}", unit.id));
        finding.note = format!("Explained by own unit {}.", unit.id);
    }
    // Held, not dropped: what is open goes on, and whoever turns out to be a person after all raises an alert then.
    if is_an_animal(&finding.subject) && !animals_matter(situation, finding) {
        finding.keep_unlessened();
        finding.certainty = Certainty::Holds;
        finding.severity = Severity::Info;
        finding.explained = Some("animal".to_owned());
        finding.note = "By its looks an animal.".to_owned();
    }
    for zone in &situation.site.zones {
        let matters = matches!(zone.kind, ZoneKind::Ignore | ZoneKind::Work)
            && zone.schedule.covers(situation.now, &situation.site.timezone)
            && relation(&zone.ground, position_m, &covariance_m2)
                .is_some_and(|relation| relation.probability_in() >= INSIDE);
        match zone.kind {
            ZoneKind::Ignore if matters => return false,
            ZoneKind::Work if matters => {
                finding.keep_unlessened();
                finding.severity = lowered(finding.severity);
                finding.lowered_by = Some(format!("work in {}", zone.name));
                finding.note = format!("Work is scheduled in {} now.", zone.name);
            }
            _ => {}
        }
    }
    true
}

/// Where somebody is, or was when only detectors told of it; none for what is about nobody, and for who may need help.
fn whereabouts(finding: &Finding) -> Option<(Vector2<f64>, Matrix2<f64>)> {
    match &finding.subject {
        _ if finding.help.is_some() => None,
        Subject::Track(track) => Some((track.position_m, track.covariance_m2)),
        Subject::Spot { position_m, sd_m, .. } if finding.kind.is_about_somebody() => {
            Some((*position_m, Matrix2::identity() * (sd_m * sd_m)))
        }
        Subject::Spot { .. } | Subject::Sensor(_) | Subject::Gateway => None,
    }
}

/// The own unit that explains the track, or that says it was at the spot then.
fn own_unit(situation: &Situation<'_>, finding: &Finding) -> Option<usize> {
    match &finding.subject {
        Subject::Track(track) => situation.explained.get(&track.track).copied(),
        Subject::Spot { .. } => finding.own_unit,
        Subject::Sensor(_) | Subject::Gateway => None,
    }
}

fn is_an_animal(subject: &Subject) -> bool {
    matches!(subject, Subject::Track(track) if track.class.animal >= ANIMAL_FROM)
}

/// Whether the finding's zone is watched for animals too.
fn animals_matter(situation: &Situation<'_>, finding: &Finding) -> bool {
    let zone = situation.site.zones.iter().find(|zone| Some(&zone.name) == finding.zone.as_ref());
    zone.is_some_and(|zone| zone.classes.contains(&Class::Animal))
}

/// Two steps less severe.
fn lowered(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::Medium,
        Severity::High => Severity::Low,
        Severity::Medium | Severity::Low | Severity::Info => Severity::Info,
    }
}

//! What memory held, in parts that a small file takes one after the other: each makes room for the next by being sent.

use std::collections::BTreeMap;

use vedette_delivery::Batch;
use vedette_engine::{Alert, AuditRecord, Severity, Timestamp};

/// Alerts in one part.
const PART_ALERTS: usize = 64;
/// Lines of the audit log in one part.
const PART_LINES: usize = 256;

/// The parts in the order in which they are to be committed, at least one. Alerts come first, the most severe first of all;
/// the last part has the engine's state and the radio windows: what those let in must not be taken for safe before.
pub(super) fn parts(mut whole: Batch) -> Vec<Batch> {
    // Little goes in one transaction.
    if whole.alerts.len() <= PART_ALERTS && whole.audit.len() <= PART_LINES {
        return vec![whole];
    }
    let mut parts: Vec<Batch> = Vec::new();
    for group in groups(std::mem::take(&mut whole.alerts)) {
        match parts.last_mut() {
            Some(part) if part.alerts.len() + group.len() <= PART_ALERTS => part.alerts.extend(group),
            _ => parts.push(Batch { alerts: group, ..Batch::default() }),
        }
    }
    let audit = std::mem::take(&mut whole.audit);
    parts.extend(audit.chunks(PART_LINES).map(|lines| Batch { audit: lines.to_vec(), ..Batch::default() }));
    parts.push(whole);
    parts
}

/// The revisions of each alert together, so that the newest takes the place of the others; the most severe alerts first.
fn groups(alerts: Vec<Alert>) -> Vec<Vec<Alert>> {
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<Alert>> = Vec::new();
    for alert in alerts {
        let at = *index.entry(alert.id.clone()).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(alert),
            None => groups.push(vec![alert]),
        }
    }
    groups.sort_by_key(|group| {
        std::cmp::Reverse(group.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Info))
    });
    groups
}

/// Keeps the newest lines of the audit log that may be so many; a line says how many are missing.
pub(super) fn shorten(audit: &mut Vec<AuditRecord>, missing: u64, most: usize, now: Timestamp) {
    let excess = audit.len().saturating_sub(most);
    audit.drain(..excess);
    let missing = missing + excess as u64;
    if missing > 0 {
        let detail = format!("{missing} lines of the time without a usable store, for want of room");
        audit.insert(0, AuditRecord { at: now, by: "gateway".into(), act: "audit_shortened".into(), detail });
    }
}

//! Alerts as reports of crossings, to be scored.

use std::collections::BTreeSet;

use nalgebra::Vector2;
use vedette_tracker::Timestamp;
use vedette_tracker::metric::{CrossingReport, direction_over};

use crate::geo::SiteFrame;
use crate::{Alert, Place};

/// What the alerts, each with the time it was written and in that order, say of crossings of the line: movement, from the first
/// revision that asks for attention on.
pub fn crossing_reports<'a>(
    alerts: impl IntoIterator<Item = (Timestamp, &'a Alert)>,
    line_m: &[Vector2<f64>],
    frame: &SiteFrame,
) -> Vec<CrossingReport> {
    let mut asking = BTreeSet::new();
    let mut reports = Vec::new();
    for (written, alert) in alerts {
        if alert.asks_attention() {
            asking.insert(&alert.id);
        }
        if alert.kind.is_movement() && asking.contains(&alert.id) {
            reports.push(report(written, alert, line_m, frame));
        }
    }
    reports
}

fn report(written: Timestamp, alert: &Alert, line_m: &[Vector2<f64>], frame: &SiteFrame) -> CrossingReport {
    let position_m = match &alert.place {
        Some(Place::Point { lat, lon, .. }) => frame.to_site(*lat, *lon),
        _ => None,
    };
    CrossingReport {
        alert: alert.id.clone(),
        written,
        seen: alert.last_seen,
        position_m,
        direction: alert.heading_deg.and_then(|heading_deg| direction_over(line_m, heading_deg)),
        expected: alert.eta.map(|eta| alert.last_seen.plus_seconds(eta.s)),
    }
}

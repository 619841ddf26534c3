//! Alerts to test with.

use vedette_delivery::engine::{Alert, AlertKind, AlertState, Contributor, Ellipse, Mode, Place, Severity, Timestamp};

/// 2026-03-01T00:00:00Z.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_seconds(1_772_323_200)
}

/// An alert as a rule would raise it.
pub(crate) fn alert(id: &str, rev: u32, severity: Severity) -> Alert {
    Alert {
        id: id.to_owned(),
        rev,
        dedup_key: format!("crossing/{id}"),
        mode: Mode::Actual,
        severity,
        kind: AlertKind::Crossing,
        zone: Some("north line".to_owned()),
        state: if rev == 1 { AlertState::Raised } else { AlertState::Updated },
        shelved_until: None,
        assigned_to: None,
        grade: None,
        suppressed: None,
        lowered_by: None,
        members: Vec::new(),
        members_more: 0,
        weather: None,
        place: Some(Place::Point {
            lat: 52.123_456_7,
            lon: 23.765_432_1,
            ellipse: Ellipse { major_m: 12.5, minor_m: 8.25, orientation_deg: 33.0 },
        }),
        heading_deg: Some(87.5),
        speed_mps: Some(1.4),
        eta: None,
        count: Some((2, 4)),
        class: None,
        confidence: 0.93,
        contributors: vec![Contributor { sensor: "pir-3".to_owned(), share: Some(0.6) }],
        first_seen: start(),
        last_seen: start().plus_seconds(12.5),
        expires_at: start().plus_seconds(600.0),
        erase_at: start().plus_seconds(30.0 * 86_400.0),
        humanitarian: None,
        text: "2 to 4 persons crossed north line eastwards".to_owned(),
    }
}

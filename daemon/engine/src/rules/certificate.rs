//! A certificate of the gateway expires soon: without it, nothing reaches the centre any more.

use serde::{Deserialize, Serialize};

use vedette_tracker::Timestamp;

use super::{Finding, Rule, Situation};
use crate::{AlertKind, Severity};

const DAY_S: f64 = 86_400.0;
/// An alert is raised this long ahead ..
const AHEAD_S: f64 = 30.0 * DAY_S;
/// .. and becomes more severe this long ahead.
const SOON_S: f64 = 7.0 * DAY_S;

/// Needs no memory: the certificates stand in the situation.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Certificate;

impl Rule for Certificate {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (name, expires_at) in situation.certificates {
            let Some((severity, expires)) = expiry(*expires_at, situation.now) else { continue };
            let what = format!("certificate {name} {expires}");
            let key = format!("certificate/{name}");
            let mut finding = situation.own_finding("certificate", AlertKind::CertificateExpiry, key, what);
            finding.severity = severity;
            finding.note = "A new one takes effect when its file is replaced.".to_owned();
            findings.push(finding);
        }
    }
}

/// How grave it is that a certificate ends then, and when that is, for people. `None` while it is valid for long.
#[must_use]
pub fn expiry(expires_at: Timestamp, now: Timestamp) -> Option<(Severity, String)> {
    let left_s = expires_at.seconds_since(now);
    if left_s >= AHEAD_S {
        return None;
    }
    let day = crate::time::format_rfc3339(expires_at);
    let day = day.split('T').next().unwrap_or_default();
    let severity = if left_s < SOON_S { Severity::High } else { Severity::Medium };
    let days = left_s / DAY_S;
    let told = if days > 0.0 { format!("expires on {day}, in {days:.0} days") } else { format!("expired on {day}") };
    Some((severity, told))
}

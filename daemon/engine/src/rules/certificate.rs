//! A certificate of the gateway expires soon: without it, nothing reaches the centre any more.

use serde::{Deserialize, Serialize};

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
            let left_s = expires_at.seconds_since(situation.now);
            if left_s >= AHEAD_S {
                continue;
            }
            let day = crate::time::format_rfc3339(*expires_at);
            let day = day.split('T').next().unwrap_or_default();
            let what = if left_s > 0.0 {
                format!("certificate {name} expires on {day}, in {:.0} days", left_s / DAY_S)
            } else {
                format!("certificate {name} expired on {day}")
            };
            let key = format!("certificate/{name}");
            let mut finding = situation.own_finding("certificate", AlertKind::CertificateExpiry, key, what);
            finding.severity = if left_s < SOON_S { Severity::High } else { Severity::Medium };
            finding.note = "A new one takes effect when its file is replaced.".to_owned();
            findings.push(finding);
        }
    }
}

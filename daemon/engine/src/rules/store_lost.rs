//! The durable store cannot be used: what is known is known in memory only.

use serde::{Deserialize, Serialize};

use super::{Finding, Rule, Situation};
use crate::book::text;
use crate::{AlertKind, Severity};

/// Needs no memory: the store's state stands in the situation.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NoStore;

impl Rule for NoStore {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        let Some(lost) = situation.store_lost else { return };
        let since = text::clock(lost.since, situation.site);
        let what = format!("no usable store since {since}: {}", lost.why);
        let mut finding = situation.own_finding("no_store", AlertKind::StorageFault, "store".to_owned(), what);
        finding.severity = Severity::High;
        finding.first_seen = lost.since;
        finding.note = "Alerts are kept in memory only, and radio frames are not acknowledged.".to_owned();
        findings.push(finding);
    }
}

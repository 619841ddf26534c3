//! Data were dropped, or could not be written.

use serde::{Deserialize, Serialize};

use super::{Finding, Lasting, Rule, Situation};
use crate::Severity;
use crate::book::text;

/// A loss is news for this long; its alert stays open until it expires.
const NEWS_S: f64 = 60.0;

/// Needs no memory: the losses stand in the situation.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct DataLoss;

impl Rule for DataLoss {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (name, loss) in situation.losses {
            if situation.now.seconds_since(loss.last) > NEWS_S {
                continue;
            }
            let since = text::clock(loss.first, situation.site);
            let lost = if loss.count == 1 { loss.what.replacen("s ", " ", 1) } else { loss.what.clone() };
            let what = format!("{} {lost} since {since}: {}", loss.count, loss.why);
            let mut finding = situation.own_finding("data_loss", loss.kind, format!("loss/{name}"), what);
            finding.lasting = Lasting::Event;
            finding.severity = Severity::High;
            finding.first_seen = loss.first;
            finding.last_seen = loss.last;
            findings.push(finding);
        }
    }
}

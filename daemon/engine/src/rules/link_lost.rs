//! A source, a sink or the way to the centre is gone.

use serde::{Deserialize, Serialize};

use super::{Finding, Rule, Situation};
use crate::book::text;
use crate::{AlertKind, Severity};

/// The name of the way to the centre among the links; no source can be called so.
pub(crate) const UPLINK: &str = "<uplink>";
/// What the names of sinks begin with among the links; no source's does.
pub(crate) const SINK: &str = "<sink>";

/// Whether the link of this name is that of a source.
pub(super) fn is_of_source(name: &str) -> bool {
    name != UPLINK && !name.starts_with(SINK)
}

/// Needs no memory: the links stand in the situation.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LinkLost;

impl Rule for LinkLost {
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
        for (name, link) in situation.links {
            if link.up || situation.now.seconds_since(link.since) < situation.site.rules.link_lost_after_s {
                continue;
            }
            let since = text::clock(link.since, situation.site);
            let (key, what, note) = if name == UPLINK {
                let note = "Alerts are kept and sent when it is back.";
                ("link/uplink".to_owned(), format!("no answer from the centre since {since}"), note)
            } else if let Some(sink) = name.strip_prefix(SINK) {
                let note = "Alerts for it wait until it is back.";
                (format!("link/sink/{sink}"), format!("sink {sink} gone since {since}"), note)
            } else {
                let note = "Its sensors are not heard.";
                (format!("link/source/{name}"), format!("source {name} gone since {since}"), note)
            };
            let mut finding = situation.own_finding("link_lost", AlertKind::LinkLost, key, what);
            finding.severity = Severity::Medium;
            finding.first_seen = link.since;
            finding.note = note.to_owned();
            findings.push(finding);
        }
    }
}

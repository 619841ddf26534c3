//! Tracks and health to findings: one file per rule, one line each in the table below.
//!
//! A rule says what is the case now; it does not know whether an alert about it is open. Raising, updating, closing and
//! the rates of all that are the book's. Where a rule needs a memory (a side of a line, a time of entry), it is part of
//! the snapshot and holds only what is still tracked.

mod approach;
mod battery;
mod battery_forecast;
mod blinded;
mod certificate;
mod chattering;
mod corroborated;
mod coverage_gap;
mod crossing;
mod data_loss;
mod doubt;
mod entry;
pub(crate) mod evidence;
mod finding;
mod geometry;
mod group;
mod help;
mod jammed;
mod link_lost;
mod loitering;
mod lost;
mod returned;
mod setting;
mod sides;
mod silent;
mod situation;
mod store_lost;
mod stuck;
mod surge;
mod tamper;
mod unseen;
mod vehicle_stop;

use serde::{Deserialize, Serialize};
use vedette_tracker::Scan;

use crate::config::Site;
use crate::inspect::{Notes, Verdict};

pub use certificate::expiry as certificate_expiry;
pub use evidence::{Evidence, NAMES as EVIDENCE_NAMES, RETIRED as EVIDENCE_RETIRED, TERMS as EVIDENCE_TERMS};
pub(crate) use finding::{Certainty, Finding, Lasting, Need, Subject, Surrounding};
pub(crate) use geometry::distance_to_segment_m;
pub(crate) use link_lost::{SINK, UPLINK};
pub(crate) use situation::{Link, Loss, Situation, StoreLost, Tamper};

/// One rule.
trait Rule {
    /// Appends what is the case. `Certainty::Holds` keeps an open alert open, but raises none: the hysteresis.
    fn assess(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>);
}

macro_rules! rules {
    ($($name:ident: $rule:ty,)*) => {
        /// All rules with their memories.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub(crate) struct Rules {
            $($name: $rule,)*
            /// Counts what the others found.
            surge: surge::Surge,
        }

        impl Rules {
            fn assess_each(&mut self, situation: &Situation<'_>, findings: &mut Vec<Finding>) {
                $(self.$name.assess(situation, findings);)*
            }
        }
    };
}

rules! {
    approach: approach::Approach,
    crossing: crossing::Crossing,
    returned: returned::Returned,
    corroborated: corroborated::Corroborated,
    entry: entry::Entry,
    loitering: loitering::Loitering,
    lost: lost::Lost,
    group: group::Group,
    vehicle_stop: vehicle_stop::VehicleStop,
    silent: silent::Silent,
    tamper: tamper::Tampered,
    battery: battery::Battery,
    battery_forecast: battery_forecast::BatteryForecast,
    blinded: blinded::Blinded,
    coverage_gap: coverage_gap::CoverageGap,
    jammed: jammed::Jammed,
    link_lost: link_lost::LinkLost,
    data_loss: data_loss::DataLoss,
    store_lost: store_lost::NoStore,
    certificate: certificate::Certificate,
    chattering: chattering::Chattering,
    stuck: stuck::Stuck,
    doubt: doubt::Doubt,
    help: help::Help,
}

impl Rules {
    /// Forgets what hangs on sensors and zones; the counts of weeks stay.
    pub(crate) fn begin_anew(&mut self) {
        let surge = std::mem::take(&mut self.surge);
        *self = Self { surge, ..Self::default() };
    }

    /// Lets rules that look at single reports see a scan.
    pub(crate) fn observe(&mut self, scan: &Scan, site: &Site) {
        self.corroborated.observe(scan, site);
    }

    /// What is the case, set against the surroundings that make it less severe or explain it.
    pub(crate) fn assess(&mut self, situation: &Situation<'_>, notes: &mut Notes) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.assess_each(situation, &mut findings);
        findings.retain_mut(|finding| {
            let counts = setting::counts(situation, finding);
            if !counts {
                notes.note(finding, situation.now, None, Verdict::Ignored);
            }
            counts
        });
        self.surge.assess(situation, &mut findings);
        for finding in &mut findings {
            finding.evidence = finding.evidence.or_else(|| Evidence::of(finding, situation));
            if is_doubtful(finding, situation.site) {
                finding.certainty = Certainty::Holds;
            }
        }
        findings
    }
}

/// Whether the finding's zone wants more sureness than there is.
fn is_doubtful(finding: &Finding, site: &Site) -> bool {
    let zone = site.zones.iter().find(|zone| Some(&zone.name) == finding.zone.as_ref());
    let least = zone.and_then(|zone| zone.min_confidence);
    let sure = finding.evidence.map(|evidence| evidence.confidence(&site.rules.confidence_weights));
    least.zip(sure).is_some_and(|(least, sure)| sure < least)
}

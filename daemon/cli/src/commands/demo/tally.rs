//! What the demonstration measured: true crossings against what reached the centre.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use vedette_centre::{Announcement, VoidReason};
use vedette_gateway::engine::{AlertKind, Timestamp};
use vedette_sim::live::{LiveEvent, LiveSummary};

/// A crossing alert belongs to a true crossing at most this far away in time.
const NEAR_S: f64 = 10.0;

/// A true crossing.
struct True {
    at: Timestamp,
    outward: bool,
}

/// Counts of one demonstration.
#[derive(Default)]
pub(super) struct Tally {
    crossings: Vec<True>,
    /// First revision of each alert that says "crossed": the last plot it needed, and how many objects it may be about.
    reported: BTreeMap<String, (Timestamp, u32)>,
    seen: BTreeSet<(String, u64)>,
    /// Each alert's newest kind.
    alerts: BTreeMap<String, AlertKind>,
    revisions: u64,
    duplicates: u64,
    lost: u64,
    delays_s: Vec<f64>,
}

impl Tally {
    /// Takes in what really happened.
    pub(super) fn happened(&mut self, event: &LiveEvent) {
        if let LiveEvent::Crossing { at, crossing } = event {
            self.crossings.push(True { at: *at, outward: !crossing.inward });
        }
    }

    /// Takes in what the centre announced.
    pub(super) fn hear(&mut self, announcement: &Announcement) {
        match announcement {
            Announcement::Alert { entry, alert } => {
                if !self.seen.insert((entry.epoch.to_string(), entry.seq)) {
                    self.duplicates += 1;
                }
                let Some(alert) = alert else { return };
                self.revisions += 1;
                // An approach that becomes a crossing stays the same alert and says something new.
                if self.alerts.insert(alert.id.clone(), alert.kind) == Some(alert.kind) {
                    return;
                }
                if matches!(alert.kind, AlertKind::Crossing | AlertKind::Approach | AlertKind::Entry) {
                    self.delays_s.push(entry.received_at.seconds_since(alert.last_seen));
                }
                if alert.kind == AlertKind::Crossing {
                    let most = alert.count.map_or(1, |(_, most)| most.max(1));
                    self.reported.insert(alert.id.clone(), (alert.last_seen, most));
                }
            }
            Announcement::Void(void) if void.why == VoidReason::Dropped => {
                self.lost += void.ranges.count();
            }
            _ => {}
        }
    }

    /// Whether every alert came, and came once.
    pub(super) fn is_whole(&self) -> bool {
        self.lost == 0 && self.duplicates == 0
    }

    /// The summary for people.
    pub(super) fn summary(&self, played: &LiveSummary) -> String {
        let mut text = String::new();
        let outward = self.crossings.iter().filter(|crossing| crossing.outward).count();
        let _ = writeln!(text, "crossings simulated   {} ({outward} outward)", self.crossings.len());
        let _ = writeln!(text, "crossings detected    {} by {} crossing alerts", self.detected(), self.reported.len());
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for &newest in self.alerts.values() {
            *kinds.entry(kind(newest)).or_default() += 1;
        }
        let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let (alerts, revisions) = (self.alerts.len(), self.revisions);
        let _ = writeln!(text, "alerts delivered      {alerts} in {revisions} revisions ({})", kinds.join(", "));
        let _ = writeln!(text, "messages duplicated   {}, lost {}", self.duplicates, self.lost);
        let radio = &played.radio;
        let _ = writeln!(
            text,
            "sensor messages       {} through the broker, {} of {} radio frames ({} sent again)",
            played.published, radio.arrived, radio.sent, radio.repeated
        );
        let mut delays_s = self.delays_s.clone();
        delays_s.sort_by(f64::total_cmp);
        let _ = match (quantile(&delays_s, 0.5), quantile(&delays_s, 0.99)) {
            (Some(median), Some(p99)) => {
                write!(
                    text,
                    "last plot to ledger   median {median:.2} s, p99 {p99:.2} s over {} reports",
                    delays_s.len()
                )
            }
            _ => write!(text, "last plot to ledger   no alert to measure"),
        };
        text
    }

    /// True crossings that an alert tells of: each alert, in order of time, accounts for as many near ones as it says it may.
    fn detected(&self) -> usize {
        let mut open: Vec<Timestamp> = self.crossings.iter().map(|crossing| crossing.at).collect();
        let mut reports: Vec<(Timestamp, u32)> = self.reported.values().copied().collect();
        reports.sort_unstable();
        let total = open.len();
        for (at, most) in reports {
            for _ in 0..most {
                let near = open.iter().enumerate().map(|(index, crossing)| (crossing.seconds_since(at).abs(), index));
                let Some((distance_s, index)) = near.min_by(|a, b| a.0.total_cmp(&b.0)) else { break };
                if distance_s > NEAR_S {
                    break;
                }
                open.remove(index);
            }
        }
        total - open.len()
    }
}

fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a small index"
    )]
    let index = (share * (sorted.len().checked_sub(1)? as f64)).ceil() as usize;
    sorted.get(index).copied()
}

fn kind(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Approach => "approach",
        AlertKind::Crossing => "crossing",
        AlertKind::Returned => "returned",
        AlertKind::Entry => "entry",
        AlertKind::Loitering => "loitering",
        AlertKind::SensorTamper => "tamper",
        AlertKind::SensorSilent => "sensor silent",
        AlertKind::SensorBattery => "battery",
        AlertKind::LinkLost => "link lost",
        AlertKind::DataLoss => "data loss",
        AlertKind::Test => "test",
        _ => "other",
    }
}

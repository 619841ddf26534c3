//! What the gateway has to say: alerts that are raised, updated and closed, more of them at times.

use vedette_engine::{Alert, AlertKind, AlertState, CloseReason, Mode, Severity, Timestamp};

use crate::random::Random;

/// Open alerts, and the numbers of those to come.
#[derive(Debug)]
pub(super) struct Workload {
    random: Random,
    open: Vec<Alert>,
    raised: u64,
    drops: u32,
}

const SEVERITIES: [Severity; 5] = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

impl Workload {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random::stream(seed, "workload"), open: Vec::new(), raised: 0, drops: 0 }
    }

    /// Time to the next group of alerts, seconds.
    pub(super) fn pause_s(&mut self) -> f64 {
        let mean_s = if self.random.chance(0.2) { 0.5 } else { 25.0 };
        self.random.exponential(mean_s)
    }

    /// The alerts of one group.
    pub(super) fn group(&mut self, now: Timestamp) -> Vec<Alert> {
        (0..1 + self.random.below(3)).map(|_| self.next(now)).collect()
    }

    fn next(&mut self, now: Timestamp) -> Alert {
        if self.open.is_empty() || self.random.chance(0.5) {
            self.raised += 1;
            let severity = SEVERITIES[self.random.below(SEVERITIES.len())];
            let raised = alert(format!("alert-{}", self.raised), severity, AlertKind::Crossing, now);
            self.open.push(raised.clone());
            return raised;
        }
        let at = self.random.below(self.open.len());
        let alert = &mut self.open[at];
        alert.rev += 1;
        alert.last_seen = now;
        if self.random.chance(0.3) {
            alert.state = AlertState::Closed { reason: CloseReason::Cleared };
            return self.open.swap_remove(at);
        }
        alert.state = AlertState::Updated;
        alert.clone()
    }

    /// The alert that tells of dropped ones.
    pub(super) fn data_loss(&mut self, now: Timestamp, count: u64) -> Alert {
        self.drops += 1;
        let mut alert = alert("data-loss".to_owned(), Severity::High, AlertKind::DataLoss, now);
        alert.rev = self.drops;
        alert.text = format!("{count} alerts dropped for want of room");
        alert
    }
}

fn alert(id: String, severity: Severity, kind: AlertKind, now: Timestamp) -> Alert {
    Alert {
        dedup_key: id.clone(),
        text: format!("{id}: somebody crossed the north line"),
        id,
        rev: 1,
        mode: Mode::Exercise,
        severity,
        kind,
        zone: Some("north line".to_owned()),
        state: AlertState::Raised,
        assigned_to: None,
        shelved_until: None,
        suppressed: None,
        place: None,
        heading_deg: Some(135.0),
        speed_mps: Some(1.4),
        eta: None,
        count: None,
        class: None,
        confidence: 0.9,
        contributors: Vec::new(),
        first_seen: now,
        last_seen: now,
        expires_at: now.plus_seconds(600.0),
        erase_at: now.plus_seconds(86_400.0 * 30.0),
        humanitarian: None,
    }
}

//! What the centre notices by itself: told once, graver when it gets worse, closed when it is over; its log of acts.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use vedette_delivery::audit::{Anchor, Verifier};
use vedette_delivery::ledger::{LedgerAction, LedgerEvent, MemoryLedger};
use vedette_delivery::{Channel, Envelope, Epoch, GatewayId, Ledger, LedgerConfig, Order, Status, message};
use vedette_engine::{Act, Alert, AlertKind, AlertState, AuditRecord, CloseReason, Command, Severity, Timestamp};

struct Centre {
    file: MemoryLedger,
    ledger: Ledger,
    now: Timestamp,
}

fn config() -> LedgerConfig {
    let mut config = LedgerConfig::new(GatewayId::new("centre-1").unwrap());
    config.keep_s = 100.0 * 86_400.0;
    config
}

impl Centre {
    fn new() -> Self {
        let (mut file, now) = (MemoryLedger::new(), Timestamp::from_seconds(1_800_000_000));
        let ledger = Ledger::start(config(), now, &mut file).unwrap();
        Self { file, ledger, now }
    }

    /// A new process on the same file.
    fn restart(&mut self) {
        self.ledger = Ledger::start(config(), self.now, &mut self.file).unwrap();
    }

    fn take(&mut self, event: LedgerEvent) -> Vec<LedgerAction> {
        let mut actions = Vec::new();
        self.ledger.handle(self.now, &mut self.file, event, &mut actions);
        actions
    }

    fn pass(&mut self, seconds: f64) -> Vec<LedgerAction> {
        self.now = self.now.plus_seconds(seconds);
        self.take(LedgerEvent::Tick)
    }

    fn status(&mut self, audit: Option<Anchor>) {
        let status = Status { online: true, epoch: Some(Epoch("e".to_owned())), audit, ..Status::offline() };
        self.message(Channel::Status, message::write(&status));
    }

    fn message(&mut self, channel: Channel, payload: Vec<u8>) {
        let topic = channel.topic(&GatewayId::new("gate-1").unwrap());
        self.take(LedgerEvent::Message { topic, payload, retained: false, properties: Vec::new() });
        self.pass(1.0);
    }

    fn order(&mut self, to: &str, act: Act) {
        let command =
            Command { id: format!("op-{}", self.now.as_micros()), by: "anna".to_owned(), expires_at: None, act };
        let order = Order { v: 1, command, expires_at: self.now.plus_seconds(600.0) };
        self.take(LedgerEvent::Order { gateway: GatewayId::new(to).unwrap(), order });
        self.pass(1.0);
    }

    fn alerts(&self, kind: AlertKind) -> Vec<Alert> {
        let entries = self.file.entries().iter().filter(|entry| entry.gateway.as_str() == "centre-1");
        let alerts = entries.filter_map(|entry| Envelope::read(&entry.bytes).ok()).map(|envelope| envelope.alert);
        alerts.filter(|alert| alert.kind == kind).collect()
    }

    fn log(&self) -> Vec<String> {
        let mut verifier = Verifier::new();
        self.file.audit().iter().for_each(|line| verifier.check(line).unwrap());
        let record = |bytes: &[u8]| serde_json::from_slice::<AuditRecord>(bytes).unwrap();
        let records = self.file.audit().iter().map(|line| record(&line.record));
        records.map(|AuditRecord { by, act, detail, .. }| format!("{by} {act} {detail}")).collect()
    }
}

const CLEARED: AlertState = AlertState::Closed { reason: CloseReason::Cleared };

#[test]
fn a_centre_cut_off_from_its_broker_says_so_once_also_after_a_restart() {
    let mut centre = Centre::new();
    centre.pass(100.0);
    assert_eq!(centre.alerts(AlertKind::LinkLost), []);
    centre.pass(90.0);
    centre.pass(90.0);
    centre.restart();
    centre.pass(200.0);
    let alerts = centre.alerts(AlertKind::LinkLost);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(alerts[0].severity == Severity::High && alerts[0].text.contains("no connection to its broker"));
    centre.take(LedgerEvent::Connected);
    centre.pass(1.0);
    let alerts = centre.alerts(AlertKind::LinkLost);
    assert_eq!((alerts.len(), alerts[1].rev, alerts[1].state), (2, 2, CLEARED));
    assert_eq!(alerts[0].id, alerts[1].id);
}

#[test]
fn a_broker_that_lets_the_centre_say_nothing_is_an_alert_until_it_does() {
    let mut centre = Centre::new();
    centre.take(LedgerEvent::Unheard { reason: "the broker lets centre-1 acknowledge nothing".to_owned() });
    centre.pass(2.0);
    centre.take(LedgerEvent::Connected);
    centre.pass(2.0);
    let alerts = centre.alerts(AlertKind::LinkLost);
    assert!(alerts.len() == 2 && alerts[0].text.contains("acknowledge nothing"), "{alerts:?}");
    assert_eq!(alerts[1].state, CLEARED);
}

#[test]
fn the_end_of_the_centres_certificate_is_told_30_days_ahead_graver_at_7_and_over_with_a_new_one() {
    let mut centre = Centre::new();
    centre.take(LedgerEvent::Connected);
    let (day, name) = (86_400.0, "centre-1.pem");
    let certificate = |expires_at| LedgerEvent::Certificate { name: name.to_owned(), expires_at };
    let start = centre.now;
    centre.take(certificate(start.plus_seconds(40.0 * day)));
    let severities = |centre: &Centre| {
        let alerts = centre.alerts(AlertKind::CertificateExpiry);
        alerts.iter().map(|alert| (alert.rev, alert.severity)).collect::<Vec<_>>()
    };
    centre.pass(9.0 * day);
    assert_eq!(severities(&centre), []);
    centre.pass(2.0 * day);
    centre.pass(2.0 * day);
    assert_eq!(severities(&centre), [(1, Severity::Medium)]);
    centre.pass(21.0 * day);
    assert_eq!(severities(&centre).last(), Some(&(2, Severity::High)));
    let told = centre.now;
    centre.take(certificate(told.plus_seconds(400.0 * day)));
    centre.pass(1.0);
    let alerts = centre.alerts(AlertKind::CertificateExpiry);
    assert!(alerts.last().is_some_and(|alert| alert.rev == 3 && alert.state == CLEARED), "{alerts:?}");
}

#[test]
fn the_centre_answers_orders_about_its_own_alerts_and_remembers_them() {
    let mut centre = Centre::new();
    centre.pass(1.0);
    centre.pass(200.0);
    let alert = centre.alerts(AlertKind::LinkLost).remove(0).id;
    centre.order("centre-1", Act::Acknowledge { alert: alert.clone() });
    centre.restart();
    centre.order("centre-1", Act::Comment { alert: alert.clone(), text: "power\ncut".to_owned() });
    centre.order("centre-1", Act::Close { alert: alert.clone(), reason: CloseReason::Nuisance });
    centre.order("centre-1", Act::Acknowledge { alert: alert.clone() });
    let states: Vec<_> = centre.alerts(AlertKind::LinkLost).iter().map(|alert| (alert.rev, alert.state)).collect();
    let closed = AlertState::Closed { reason: CloseReason::Nuisance };
    assert_eq!(states, [(1, AlertState::Raised), (2, AlertState::Acknowledged), (3, closed)]);
    assert!(centre.file.orders().all(|record| record.answer.is_some()));
    let refused = centre.file.orders().filter(|record| record.answer.as_ref().is_some_and(|answer| !answer.done));
    assert_eq!(refused.count(), 1, "it is closed");
    // The end of the condition takes nothing back, and the next one is told anew.
    centre.take(LedgerEvent::Connected);
    centre.pass(1.0);
    centre.take(LedgerEvent::Closed);
    centre.pass(1.0);
    centre.pass(300.0);
    assert_eq!(centre.alerts(AlertKind::LinkLost).len(), 4);
    let log = centre.log();
    for line in ["anna acknowledge alert", "anna comment alert", "power\u{fffd}cut", "anna close", "centre-1 answer"] {
        assert!(log.iter().any(|logged| logged.contains(line)), "no {line:?} in {log:?}");
    }
}

#[test]
fn orders_to_gateways_and_erasures_are_in_the_chain_also_after_failed_commits() {
    let mut centre = Centre::new();
    centre.take(LedgerEvent::Connected);
    centre.status(None);
    let envelope = br#"{"v":1,"epoch":"e","seq":1,"alert":{"id":"a1","rev":1,"dedup_key":"k","mode":"test","severity":"high",
        "kind":"test","state":"raised","confidence":1.0,"first_seen":1,"last_seen":1,"expires_at":2,"erase_at":3,"text":"x"}}"#;
    centre.message(Channel::Alert, envelope.to_vec());
    centre.file.faults.push(vedette_delivery::memory::Fault::Before);
    centre.order("gate-1", Act::Acknowledge { alert: "lost".to_owned() });
    centre.pass(5.0);
    centre.order("gate-1", Act::Acknowledge { alert: "a1".to_owned() });
    centre.pass(3_700.0);
    centre.pass(9_000_000.0);
    centre.pass(5.0);
    let log = centre.log();
    assert!(log.iter().any(|line| line.starts_with("anna acknowledge alert a1")), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("alert lost")), "{log:?}");
    assert!(log.iter().any(|line| line.contains("expired without an answer")), "{log:?}");
    let erased = log.iter().filter(|line| line.starts_with("centre-1 erase contents of ")).count();
    assert!(erased >= 1, "{log:?}");
    assert!(centre.file.entries().iter().any(|entry| entry.seq == 1 && entry.bytes.is_empty()));
}

#[test]
fn a_gateways_audit_log_that_was_cut_or_rewritten_is_an_alert() {
    let mut centre = Centre::new();
    centre.take(LedgerEvent::Connected);
    let anchor = |n, byte| Some(Anchor { n, hash: [byte; 32] });
    centre.status(anchor(7, 1));
    centre.restart();
    centre.take(LedgerEvent::Connected);
    centre.status(anchor(9, 2));
    centre.status(anchor(9, 2));
    assert_eq!(centre.alerts(AlertKind::DataLoss), []);
    centre.status(anchor(9, 3));
    centre.status(anchor(4, 4));
    centre.status(None);
    centre.status(anchor(5, 5));
    let alerts = centre.alerts(AlertKind::DataLoss);
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    assert!(alerts[0].text.contains("was rewritten: line 9"), "{}", alerts[0].text);
    assert!(alerts[1].text.contains("ends with line 4, but line 9"), "{}", alerts[1].text);
}

#[test]
fn what_people_were_not_told_is_announced_again_by_the_next_process() {
    let mut centre = Centre::new();
    centre.pass(1.0);
    let told =
        |actions: &[LedgerAction]| actions.iter().filter(|action| matches!(action, LedgerAction::Announce(_))).count();
    assert_eq!(told(&centre.pass(200.0)), 1);
    for _ in 0..2 {
        centre.restart();
        assert_eq!(told(&centre.take(LedgerEvent::Tick)), 1, "nobody said that it was told");
    }
    centre.ledger.told(1);
    centre.ledger.finish(&mut centre.file).unwrap();
    centre.restart();
    assert_eq!(told(&centre.take(LedgerEvent::Tick)), 0);
}

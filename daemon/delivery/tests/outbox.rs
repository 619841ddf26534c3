//! What the outbox keeps, gives up and repeats; how the uplink takes a broker's and a centre's answers.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;
mod gateway;

use common::{alert, start};
use gateway::Gateway;
use vedette_delivery::engine::{AlertKind, Contributor, Severity, Timestamp};
use vedette_delivery::memory::Fault;
use vedette_delivery::message;
use vedette_delivery::uplink::{Action, Event, Publication, Receipt, Report};
use vedette_delivery::{
    Ack, Batch, Channel, Envelope, Epoch, GatewayId, Limits, Ranges, Signer, Standing, Verdict, Void, VoidReason,
};

/// Connects and subscribes; what is published then.
fn connect(gateway: &mut Gateway, now: Timestamp) -> Vec<Publication> {
    publications(connect_all(gateway, now))
}

/// Connects and subscribes; what is to be done then.
fn connect_all(gateway: &mut Gateway, now: Timestamp) -> Vec<Action> {
    gateway.handle(now, Event::Tick);
    gateway.handle(now, Event::Connected);
    gateway.handle(now, Event::Subscribed { granted: true });
    gateway.handle(now, Event::Subscribed { granted: true })
}

fn publications(actions: Vec<Action>) -> Vec<Publication> {
    let publication = |action| match action {
        Action::Publish(publication) => Some(publication),
        _ => None,
    };
    actions.into_iter().filter_map(publication).collect()
}

fn ids(publications: &[Publication]) -> Vec<String> {
    let alerts = publications.iter().filter(|publication| publication.topic.ends_with("/alert"));
    alerts.map(|publication| Envelope::read(&publication.payload).unwrap().alert.id).collect()
}

fn at(seconds: f64) -> Timestamp {
    start().plus_seconds(seconds)
}

fn acknowledge(gateway: &mut Gateway, now: Timestamp, numbers: &[u64]) -> Vec<Action> {
    let settled: Ranges = numbers.iter().copied().collect();
    let ack = Ack::new(gateway.uplink.outbox().epoch().clone(), &settled, &Ranges::new(), 0);
    let topic = Channel::Ack.topic(&GatewayId::new("gate-1").unwrap());
    gateway.handle(now, Event::Message { topic, payload: message::write(&ack), properties: Vec::new() })
}

#[test]
fn the_most_urgent_leaves_first_and_only_the_centre_makes_room() {
    let mut gateway = Gateway::new(|config| config.window = 4);
    let severities = [Severity::Low, Severity::Critical, Severity::Medium, Severity::High, Severity::Info];
    let alerts = severities.iter().enumerate().map(|(n, &severity)| alert(&format!("a{n}"), 1, severity));
    gateway.commit(start(), alerts.collect());
    let sent = connect(&mut gateway, at(1.0));
    assert_eq!(ids(&sent), ["a1", "a3", "a2", "a0"]);
    for publication in &sent {
        let actions = gateway.handle(at(1.5), Event::Receipt { id: publication.id, receipt: Receipt::Taken });
        assert_eq!(publications(actions), [], "a receipt is not delivery");
    }
    assert_eq!(gateway.uplink.outbox().depth(), 5);
    let actions = acknowledge(&mut gateway, at(2.0), &[2, 4]);
    assert!(actions.contains(&Action::Report(Report::Centre { up: true })));
    assert_eq!(ids(&publications(actions)), ["a4"]);
    assert_eq!(gateway.uplink.outbox().depth(), 3);
}

#[test]
fn a_newer_revision_takes_the_place_of_one_never_sent() {
    let mut gateway = Gateway::new(|_| {});
    gateway.commit(start(), vec![alert("a", 1, Severity::Critical), alert("b", 1, Severity::Critical)]);
    let committed = gateway.commit(at(1.0), vec![alert("a", 2, Severity::Low), alert("a", 3, Severity::Low)]);
    assert_eq!((committed.alerts, committed.folded), (1, 1));
    assert_eq!(gateway.uplink.outbox().standing(1), Standing::Void);
    let sent = connect(&mut gateway, at(2.0));
    assert_eq!(ids(&sent), ["a", "b"], "it keeps urgency and place of the revision before");
    let void = sent.iter().find(|publication| publication.topic.ends_with("/void")).unwrap();
    let void = Void::read(&void.payload).unwrap();
    assert_eq!((void.ranges.numbers().collect::<Vec<_>>(), void.why), (vec![1], VoidReason::Folded));
    let committed = gateway.commit(at(3.0), vec![alert("a", 4, Severity::Low)]);
    assert_eq!(committed.folded, 0, "what has left is not folded");
}

#[test]
fn what_a_failed_commit_wrote_after_all_leaves_in_its_place() {
    for (written, expected) in
        [(alert("urgent", 1, Severity::Low), ["urgent", "info"]), (alert("info", 2, Severity::Info), ["info", "last"])]
    {
        let mut gateway = Gateway::new(|_| {});
        gateway.commit(start(), vec![alert("info", 1, Severity::Info), alert("last", 1, Severity::Info)]);
        let sealed = gateway.uplink.seal(Batch { alerts: vec![written], ..Batch::default() });
        gateway.store.faults.push(Fault::After);
        gateway.uplink.commit(start(), &mut gateway.store, &sealed).unwrap_err();
        let actions = connect_all(&mut gateway, at(1.0));
        let failures = actions.iter().filter(|action| matches!(action, Action::Report(Report::Store(_)))).count();
        assert_eq!((failures, &ids(&publications(actions))[..2]), (0, &expected.map(str::to_owned)[..]));
    }
}

#[test]
fn over_the_quota_the_least_urgent_goes_and_the_loss_is_told_until_it_is_an_alert() {
    let limits = Limits { max_rows: 3, ..Limits::default() };
    let mut gateway = Gateway::new(|config| config.limits = limits);
    gateway.commit(start(), vec![alert("old", 1, Severity::Low), alert("new", 1, Severity::Low)]);
    let committed = gateway.commit(at(1.0), vec![alert("x", 1, Severity::High), alert("y", 1, Severity::Critical)]);
    assert_eq!(committed.dropped, 1);
    assert_eq!(ids(&connect(&mut gateway, at(2.0))), ["y", "x", "new"]);

    // The process dies before the loss is an alert: the next one is told again.
    let config = vedette_delivery::UplinkConfig::new(GatewayId::new("gate-1").unwrap());
    let (uplink, restart) = vedette_delivery::Uplink::start(config, at(3.0), &mut gateway.store).unwrap();
    assert_eq!((restart.dropped, restart.reported), (1, 0));
    gateway.uplink = uplink;
    assert_eq!(gateway.commit(at(4.0), vec![]).dropped, 1);
    let mut loss = alert("loss", 1, Severity::High);
    loss.kind = AlertKind::DataLoss;
    assert_eq!(gateway.commit(at(5.0), vec![loss]).dropped, 0);
    let config = vedette_delivery::UplinkConfig::new(GatewayId::new("gate-1").unwrap());
    let (mut uplink, _) = vedette_delivery::Uplink::start(config, at(6.0), &mut gateway.store).unwrap();
    let sealed = uplink.seal(Batch::default());
    assert_eq!(uplink.commit(at(6.0), &mut gateway.store, &sealed).unwrap().dropped, 0);
}

#[test]
fn the_first_message_of_a_critical_alert_fits_1024_bytes() {
    let mut gateway = Gateway::new(|_| {});
    let mut long = alert("a", 1, Severity::Critical);
    long.text = "somebody crossed, ".repeat(60);
    long.contributors =
        (0..40).map(|n| Contributor { sensor: format!("sensor-{n}"), share: (n % 2 == 0).then_some(0.025) }).collect();
    let mut update = long.clone();
    update.rev = 2;
    gateway.commit(start(), vec![long]);
    let first = connect(&mut gateway, at(1.0));
    let first = first.iter().find(|publication| publication.topic.ends_with("/alert")).unwrap();
    assert!(first.payload.len() <= 1024, "{} bytes", first.payload.len());
    let shortened = Envelope::read(&first.payload).unwrap().alert;
    assert_eq!((shortened.id.as_str(), shortened.place.is_some()), ("a", true));
    gateway.commit(at(2.0), vec![update.clone()]);
    let second = publications(gateway.handle(at(2.0), Event::Tick));
    assert_eq!(Envelope::read(&second[0].payload).unwrap().alert, update, "later revisions are complete");
}

#[test]
fn alerts_go_again_when_acknowledgements_stop_and_only_then() {
    let mut gateway = Gateway::new(|config| config.retry_min_s = 10.0);
    gateway.commit(start(), vec![alert("a", 1, Severity::High), alert("b", 1, Severity::Low)]);
    for publication in connect(&mut gateway, at(0.0)) {
        gateway.handle(at(0.1), Event::Receipt { id: publication.id, receipt: Receipt::Taken });
    }
    assert_eq!(ids(&publications(gateway.handle(at(9.9), Event::Tick))), [""; 0]);
    assert_eq!(ids(&publications(gateway.handle(at(10.1), Event::Tick))), ["a"], "the window has closed to one");
    assert_eq!(ids(&publications(gateway.handle(at(29.0), Event::Tick))), [""; 0], "and the retry time has doubled");
}

#[test]
fn a_refused_alert_is_given_up_after_three_times_and_the_others_go_on() {
    let mut gateway = Gateway::new(|_| {});
    gateway.commit(start(), vec![alert("poison", 1, Severity::Critical), alert("b", 1, Severity::Low)]);
    let mut sent = connect(&mut gateway, at(0.0));
    let mut reports = Vec::new();
    for n in 1..10 {
        let mut next = Vec::new();
        for publication in sent {
            let poison = ids(std::slice::from_ref(&publication)) == ["poison"];
            let receipt = if poison { Receipt::Refused { code: 0x99 } } else { Receipt::Taken };
            let actions = gateway.handle(at(f64::from(n)), Event::Receipt { id: publication.id, receipt });
            reports.extend(actions.iter().filter(|action| matches!(action, Action::Report(_))).cloned());
            next.extend(publications(actions));
        }
        sent = next;
    }
    assert_eq!(reports, [Action::Report(Report::Quarantined { seq: 1, code: 0x99 })]);
    assert_eq!(gateway.uplink.outbox().standing(1), Standing::Void);
    assert_eq!(gateway.uplink.outbox().depth(), 1);
}

#[test]
fn nobody_listening_and_not_allowed_are_said_and_wait() {
    for (receipt, expected) in [
        (Receipt::NoSubscriber, "NoSubscriber { topic: \"vedette/v1/gate-1/alert\" }"),
        (Receipt::NotAuthorised, "NotAuthorised { topic: \"vedette/v1/gate-1/alert\" }"),
    ] {
        let mut gateway = Gateway::new(|_| {});
        gateway.commit(start(), vec![alert("a", 1, Severity::High)]);
        let sent = connect(&mut gateway, at(0.0));
        let id = sent.iter().find(|publication| publication.topic.ends_with("/alert")).unwrap().id;
        let actions = gateway.handle(at(0.5), Event::Receipt { id, receipt });
        let reported =
            actions.iter().any(|action| matches!(action, Action::Report(report) if format!("{report:?}") == expected));
        assert!(reported, "{actions:?}");
        assert_eq!(ids(&publications(gateway.handle(at(1.0), Event::Tick))), [""; 0]);
        assert_eq!(gateway.uplink.outbox().depth(), 1, "{receipt:?} is not delivery");
    }
}

#[test]
fn a_silent_broker_is_left_after_three_keep_alives() {
    let mut gateway = Gateway::new(|config| config.stall_s = 60.0);
    gateway.commit(start(), vec![alert("a", 1, Severity::High)]);
    connect(&mut gateway, at(0.0));
    assert!(!gateway.handle(at(59.0), Event::Tick).contains(&Action::Disconnect));
    let actions = gateway.handle(at(60.1), Event::Tick);
    assert!(actions.contains(&Action::Disconnect) && actions.contains(&Action::Report(Report::Stalled)), "{actions:?}");
    let again = gateway.handle(at(62.0), Event::Tick);
    assert!(again.contains(&Action::Connect), "{again:?}");
}

#[test]
fn what_a_restored_centre_has_forgotten_comes_again_or_is_void() {
    let mut gateway = Gateway::new(|config| config.limits.keep_acked_s = 3600.0);
    for n in 1..=4_u64 {
        gateway.commit(at(n as f64 * 1000.0), vec![alert(&format!("a{n}"), 1, Severity::High)]);
        connect(&mut gateway, at(n as f64 * 1000.0));
        acknowledge(&mut gateway, at(n as f64 * 1000.0 + 1.0), &(1..=n).collect::<Vec<_>>());
        gateway.handle(at(n as f64 * 1000.0 + 3.0), Event::Tick);
        gateway.handle(at(n as f64 * 1000.0 + 4.0), Event::Closed);
    }
    gateway.commit(at(5500.0), vec![]);
    connect(&mut gateway, at(6000.0));
    acknowledge(&mut gateway, at(6001.0), &[]);
    let actions = gateway.handle(at(6007.0), Event::Tick);
    assert!(actions.contains(&Action::Report(Report::Forgotten { numbers: 4 })), "{actions:?}");
    let sent = publications(actions);
    assert_eq!(ids(&sent), ["a2", "a3", "a4"], "one hour of acknowledged alerts is kept");
    let void = sent.iter().find(|publication| publication.topic.ends_with("/void")).unwrap();
    assert_eq!(Void::read(&void.payload).unwrap().why, VoidReason::Erased);
}

#[test]
fn a_store_older_than_the_centre_begins_a_new_epoch() {
    let mut gateway = Gateway::new(|_| {});
    gateway.commit(start(), vec![alert("a", 1, Severity::High)]);
    connect(&mut gateway, at(0.0));
    let actions = acknowledge(&mut gateway, at(1.0), &[1, 2, 3]);
    assert!(actions.contains(&Action::Report(Report::StoreIsOld)), "{actions:?}");
    assert_eq!(gateway.uplink.outbox().depth(), 1, "number 1 of the centre is another alert");
    gateway.uplink.renew(&mut gateway.store, Epoch("e2".to_owned())).unwrap();
    let sent = publications(gateway.handle(at(1.5), Event::Tick));
    let again = sent.iter().find(|publication| publication.topic.ends_with("/alert")).unwrap();
    let again = Envelope::read(&again.payload).unwrap();
    assert_eq!((again.epoch.0.as_str(), again.seq, again.alert.id.as_str()), ("e2", 1, "a"));
}

#[test]
fn signed_alerts_are_proven_and_unproven_orders_refused() {
    let signer = Signer::new("gate-1-key", &[1; 32]);
    let mut ring = vedette_delivery::Keyring::new();
    ring.add("gate-1-key", &signer.public()).unwrap();
    let mut orders = vedette_delivery::Keyring::new();
    orders.add("centre-key", &Signer::new("centre-key", &[2; 32]).public()).unwrap();
    let mut gateway = Gateway::new(|config| (config.signer, config.orders) = (Some(signer), orders));
    gateway.commit(start(), vec![alert("a", 1, Severity::High)]);
    let sent = connect(&mut gateway, at(0.0));
    let sent = sent.iter().find(|publication| publication.topic.ends_with("/alert")).unwrap();
    let verdict = ring.check(&sent.topic, &sent.payload, &sent.properties);
    assert_eq!(verdict, Verdict::Signed { kid: "gate-1-key".to_owned() });

    let topic = "vedette/v1/gate-1/command".to_owned();
    let order = br#"{"v":1,"command":{"id":"1","by":"x","act":{"act":"acknowledge","alert":"a"}},"expires_at":1900000000000000}"#;
    let payload = order.to_vec();
    let unsigned = Event::Message { topic: topic.clone(), payload: payload.clone(), properties: Vec::new() };
    let actions = gateway.handle(at(1.0), unsigned);
    assert!(matches!(&actions[..], [Action::Report(Report::Refused { .. })]), "{actions:?}");
    let properties = Signer::new("centre-key", &[2; 32]).properties(&topic, &payload);
    let actions = gateway.handle(at(2.0), Event::Message { topic, payload, properties });
    assert!(
        matches!(&actions[..], [Action::Order(command)] if command.id == "1" && command.expires_at == Some(Timestamp::from_micros(1_900_000_000_000_000))),
        "{actions:?}"
    );

    // Nor may others say that the centre has an alert.
    let ack = Ack::new(gateway.uplink.outbox().epoch().clone(), &Ranges::from_iter([1]), &Ranges::new(), 0);
    let (topic, payload) = ("vedette/v1/gate-1/ack".to_owned(), message::write(&ack));
    let unsigned = Event::Message { topic: topic.clone(), payload: payload.clone(), properties: Vec::new() };
    let actions = gateway.handle(at(3.0), unsigned);
    assert!(matches!(&actions[..], [Action::Report(Report::Refused { .. })]), "{actions:?}");
    assert_eq!(gateway.uplink.outbox().depth(), 1);
    let properties = Signer::new("centre-key", &[2; 32]).properties(&topic, &payload);
    gateway.handle(at(4.0), Event::Message { topic, payload, properties });
    assert_eq!(gateway.uplink.outbox().depth(), 0);
}

/// Its disk may be full, or it refuses what this gateway signs: that answers go on coming says nothing about the alerts.
#[test]
fn a_centre_that_answers_and_acknowledges_nothing_counts_as_gone() {
    let mut gateway = Gateway::new(|config| config.stall_s = 60.0);
    gateway.commit(start(), vec![alert("a", 1, Severity::Critical)]);
    let centre = |actions: &[Action]| {
        let mut ups = actions.iter().filter_map(|action| match action {
            Action::Report(Report::Centre { up }) => Some(*up),
            _ => None,
        });
        ups.next()
    };
    let mut told = Vec::new();
    let mut sent = connect(&mut gateway, at(0.0));
    for second in 1..=130 {
        let now = at(f64::from(second));
        let mut actions = Vec::new();
        for publication in sent.drain(..) {
            actions.extend(gateway.handle(now, Event::Receipt { id: publication.id, receipt: Receipt::Taken }));
        }
        actions.extend(acknowledge(&mut gateway, now, &[]));
        told.extend(centre(&actions).map(|up| (second, up)));
        let silent = Action::Report(Report::Unacknowledged { waiting: 1 });
        assert_eq!(actions.contains(&silent), second == 60, "second {second}");
        sent = publications(actions);
    }
    assert_eq!(told, [(1, true), (60, false)]);
    let actions = acknowledge(&mut gateway, at(131.0), &[1]);
    assert_eq!(centre(&actions), Some(true));
}

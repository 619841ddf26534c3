//! The engine end to end, through its driver contract.

use vedette_engine::config::EngineConfig;
use vedette_engine::time::parse_rfc3339;
use vedette_engine::{
    Act, AlertKind, AlertState, Command, Durable, Engine, Fact, Frame, FrameContent, Input, Output, Severity,
    Timestamp, Volatile,
};

fn engine() -> Engine {
    let config: EngineConfig = toml::from_str(include_str!("fixtures/radar.toml")).expect("valid TOML");
    Engine::new(&config).expect("valid configuration")
}

fn at(second: i64) -> Timestamp {
    parse_rfc3339("2026-03-01T00:00:00Z").expect("a time").plus_micros(second * 1_000_000)
}

fn frame(received: Timestamp, message: &str) -> Input {
    let content = FrameContent::Message { codec: "native".into(), topic: None, retained: false, bytes: message.into() };
    Input::Frame(Frame { source: "log".into(), received, content })
}

#[test]
fn a_scan_of_the_only_sensor_is_processed_at_once_after_its_first() {
    let mut engine = engine();
    let mut out = Vec::new();
    let plots = |second: i64| {
        let t = format!("2026-03-01T00:00:0{second}.000000Z");
        format!(r#"{{"v":1,"sensor":"radar-1","t":"{t}","plots":[{{"kind":"position","east_m":1,"north_m":2}}]}}"#)
    };
    let now = at(1).plus_micros(50_000);
    engine.handle(now, frame(now, &plots(1)), &mut out);
    // More of the first look may come.
    assert_eq!(out, []);
    let due = engine.next_deadline().expect("the look is waited for");
    assert_eq!(due, at(1).plus_micros(200_000));
    engine.handle(due, Input::Tick, &mut out);
    let [Output::Volatile(Volatile::Tracks(picture))] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!((picture.at, picture.now), (at(1), due));
    out.clear();
    let now = at(2).plus_micros(50_000);
    engine.handle(now, frame(now, &plots(2)), &mut out);
    let pictures: Vec<_> = out
        .iter()
        .filter_map(|output| match output {
            Output::Volatile(Volatile::Tracks(picture)) => Some((picture.at, picture.now)),
            _ => None,
        })
        .collect();
    assert_eq!(pictures, [(at(2), now)]);
    assert_eq!(engine.counters().get("plots"), 2);
    assert!(engine.settled() >= at(2));
    // Nothing waits; the rules want to look again for what happens when nothing happens.
    assert_eq!(engine.next_deadline(), Some(now.plus_seconds(5.0)));
}

#[test]
fn an_unknown_sensor_is_counted_and_listed() {
    let mut engine = engine();
    let mut out = Vec::new();
    for second in 1..=3 {
        let message = format!(r#"{{"v":1,"sensor":"radar-9","t":"2026-03-01T00:00:0{second}Z","plots":[]}}"#);
        engine.handle(at(second), frame(at(second), &message), &mut out);
    }
    assert_eq!(out, []);
    let status = engine.status();
    assert_eq!(status.counters.get("faults{reason=\"unknown_sensor\"}"), 3);
    assert_eq!((status.unknown_sensors[0].id.as_str(), status.unknown_sensors[0].messages), ("radar-9", 3));
}

/// What is said of the gateway itself; the radar, which says nothing here, is another matter.
fn alerts(engine: &mut Engine, now: Timestamp, input: Input) -> Vec<(AlertKind, AlertState, String)> {
    let mut out = Vec::new();
    engine.handle(now, input, &mut out);
    let alert = |output| match output {
        Output::Durable(Durable::Alert(alert)) if alert.kind != AlertKind::SensorSilent => {
            Some((alert.kind, alert.state, alert.text))
        }
        _ => None,
    };
    out.into_iter().filter_map(alert).collect()
}

#[test]
fn a_lost_store_is_one_alert_until_it_is_back() {
    let mut engine = engine();
    let lost = || Fact::StoreState { usable: false, error: "disk is full".to_owned() };
    let raised = alerts(&mut engine, at(1), Input::Fact(lost()));
    let [(AlertKind::StorageFault, AlertState::Raised, text)] = raised.as_slice() else { panic!("{raised:?}") };
    assert!(text.contains("No usable store since") && text.contains("disk is full"), "{text}");
    assert_eq!(alerts(&mut engine, at(60), Input::Fact(lost())), [], "said once");

    let restored =
        Engine::restore(&toml::from_str(include_str!("fixtures/radar.toml")).expect("valid TOML"), engine.snapshot());
    let mut engine = restored.expect("the same configuration");
    let back = Fact::StoreState { usable: true, error: String::new() };
    let mut closed = alerts(&mut engine, at(61), Input::Fact(back));
    for second in 62..200 {
        closed.extend(alerts(&mut engine, at(second), Input::Tick));
    }
    assert!(matches!(closed.as_slice(), [(AlertKind::StorageFault, AlertState::Closed { .. }, _)]), "{closed:?}");
}

#[test]
fn a_certificate_is_an_alert_thirty_days_ahead_and_graver_in_the_last_week() {
    const DAY: i64 = 86_400;
    let mut engine = engine();
    let fact = |day| Input::Fact(Fact::Certificate { name: "gateway.pem".to_owned(), expires_at: at(day * DAY) });
    assert_eq!(alerts(&mut engine, at(0), fact(31)), []);
    let raised = alerts(&mut engine, at(DAY + 60), Input::Tick);
    let [(AlertKind::CertificateExpiry, AlertState::Raised, text)] = raised.as_slice() else { panic!("{raised:?}") };
    assert!(text.contains("Certificate gateway.pem expires on 2026-04-01, in 30 days"), "{text}");
    let open = |engine: &Engine| {
        let certificates = engine.open_alerts().filter(|alert| alert.kind == AlertKind::CertificateExpiry);
        certificates.map(|alert| alert.severity).collect::<Vec<_>>()
    };
    assert_eq!(open(&engine), [Severity::Medium]);
    alerts(&mut engine, at(25 * DAY), Input::Tick);
    assert_eq!(open(&engine), [Severity::High]);

    let mut renewed = alerts(&mut engine, at(25 * DAY + 10), fact(400));
    for second in (20..300).step_by(10) {
        renewed.extend(alerts(&mut engine, at(25 * DAY + second), Input::Tick));
    }
    assert!(matches!(renewed.last(), Some((_, AlertState::Closed { .. }, _))), "{renewed:?}");
}

#[test]
fn a_certificate_that_is_no_longer_named_is_forgotten() {
    let mut engine = engine();
    let expires_at = at(10 * 86_400);
    alerts(&mut engine, at(0), Input::Fact(Fact::Certificate { name: "old.pem".to_owned(), expires_at }));
    let names = vec!["new.pem".to_owned()];
    let mut closed = alerts(&mut engine, at(60), Input::Fact(Fact::Certificates { names }));
    for second in 61..200 {
        closed.extend(alerts(&mut engine, at(second), Input::Tick));
    }
    assert!(matches!(closed.last(), Some((AlertKind::CertificateExpiry, AlertState::Closed { .. }, _))), "{closed:?}");
}

fn order(id: &str, act: Act) -> Input {
    Input::Command(Command { id: id.to_owned(), by: "operator".to_owned(), act, expires_at: None })
}

/// A process that died may have shown alerts that nothing kept; another one begins where the store was.
#[test]
fn alerts_of_another_process_have_other_ids() {
    let id = |nonce: Option<u64>| {
        let mut engine = engine();
        let mut out = Vec::new();
        if let Some(nonce) = nonce {
            engine.handle(at(0), Input::Fact(Fact::Started { nonce }), &mut out);
        }
        engine.handle(at(1), order("a", Act::TestAlert { severity: Severity::Low }), &mut out);
        let mut ids = out.into_iter().filter_map(|output| match output {
            Output::Durable(Durable::Alert(alert)) => Some(alert.id),
            _ => None,
        });
        ids.next().expect("an alert")
    };
    assert_eq!(id(Some(1)), id(Some(1)), "a replay gives the same");
    let ids = std::collections::BTreeSet::from([id(None), id(Some(1)), id(Some(2))]);
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[test]
fn a_flood_of_refused_orders_does_not_fill_the_audit_log() {
    let mut engine = engine();
    let mut audit = Vec::new();
    for number in 0..5000_i64 {
        let mut out = Vec::new();
        let by = "x".repeat(900);
        let act = Act::Acknowledge { alert: "none".to_owned() };
        let command = Command { id: format!("o{number}"), by, act, expires_at: None };
        engine.handle(at(number), Input::Command(command), &mut out);
        assert!(out.iter().any(|output| matches!(output, Output::Transmit(_))), "each is answered");
        audit.extend(out.into_iter().filter_map(|output| match output {
            Output::Durable(Durable::Audit(record)) => Some(record),
            _ => None,
        }));
    }
    assert!((100..=110).contains(&audit.len()), "{} lines in 84 minutes", audit.len());
    assert!(audit.iter().all(|record| record.by.len() <= 200));
    assert!(audit.iter().any(|record| record.detail == "3550 more orders were refused before"), "{audit:#?}");
}

/// A clock that was set two seconds ahead while it could not be heard, so that nobody can tell it from a slow link before: its
/// reports are refused, and the sensor is not silent for want of power or a network.
#[test]
fn a_sensor_whose_clock_is_ahead_is_told_so() {
    let mut engine = engine();
    let mut told = Vec::new();
    for second in (0..20).chain(35..120) {
        let mut out = Vec::new();
        let ahead = if second < 20 { 0 } else { 2 };
        let stamped = vedette_engine::time::format_rfc3339(at(second + ahead));
        let message = format!(r#"{{"v":1,"sensor":"radar-1","t":"{stamped}","plots":[]}}"#);
        engine.handle(at(second), frame(at(second), &message), &mut out);
        told.extend(out.into_iter().filter_map(|output| match output {
            Output::Durable(Durable::Alert(alert)) => Some((alert.kind, alert.text)),
            _ => None,
        }));
    }
    let text = "Nothing that sensor radar-1 reports is used since 01:00:19: its clock is 2 s ahead. Set its clock, or that of \
                what receives it. What moves in its ground is not seen by it.";
    assert_eq!(told, [(AlertKind::SensorSilent, text.to_owned())]);
}

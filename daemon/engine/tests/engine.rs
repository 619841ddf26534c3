//! The engine end to end, through its driver contract.

use vedette_engine::config::EngineConfig;
use vedette_engine::time::parse_rfc3339;
use vedette_engine::{
    AlertKind, AlertState, Durable, Engine, Fact, Frame, FrameContent, Input, Output, Severity, Timestamp, Volatile,
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
fn a_scan_of_the_only_sensor_is_processed_at_once() {
    let mut engine = engine();
    let mut out = Vec::new();
    let now = at(1).plus_micros(50_000);
    let plots = r#"{"v":1,"sensor":"radar-1","t":"2026-03-01T00:00:01.000000Z","plots":[{"kind":"position","east_m":1,"north_m":2}]}"#;
    engine.handle(now, frame(now, plots), &mut out);
    let [Output::Volatile(Volatile::Tracks(picture))] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!((picture.at, picture.now), (at(1), now));
    assert_eq!(engine.counters().get("plots"), 1);
    assert!(engine.settled() >= at(1));
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

/// A clock two seconds ahead: its reports are refused, and the sensor is not silent for want of power or a network.
#[test]
fn a_sensor_whose_clock_is_ahead_is_told_so() {
    let mut engine = engine();
    let mut told = Vec::new();
    for second in 0..120 {
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
    let text = "Nothing that sensor radar-1 reports is used since 01:00:19: its clock is 2 s ahead. Set its clock. What moves in its \
                ground is not seen by it.";
    assert_eq!(told, [(AlertKind::SensorSilent, text.to_owned())]);
}

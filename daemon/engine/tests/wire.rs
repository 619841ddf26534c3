//! Radio payloads of nodes, from bytes to plots and health.

use vedette_engine::config::EngineConfig;
use vedette_engine::time::parse_rfc3339;
use vedette_engine::{AlertKind, Durable, Engine, Frame, FrameContent, Input, Output, RadioFrame, Timestamp, Transmit};
use vedette_wire::payload::{Event, EventKind, Events, Payload, TamperCause, Telemetry, TelemetryFlags};

fn engine() -> Engine {
    let config: EngineConfig = toml::from_str(include_str!("fixtures/mixed.toml")).expect("valid TOML");
    Engine::new(&config).expect("valid configuration")
}

fn now() -> Timestamp {
    parse_rfc3339("2026-03-01T02:14:07Z").expect("a time")
}

fn event(kind: EventKind, age_ticks: u32) -> Event {
    Event { kind, age_ticks, age_at_least: false, strength_half_db: 12, duration_ticks: 8 }
}

fn take(engine: &mut Engine, node: u32, counter: u32, payload: &[u8]) -> Vec<Output> {
    let radio = RadioFrame { node, counter, exercise: false, payload: payload.to_vec(), rssi_dbm: -90, snr_qdb: 20 };
    let frame = Frame { source: "radio-1".into(), received: now(), content: FrameContent::Radio(radio) };
    let mut out = Vec::new();
    engine.handle(now(), Input::Frame(frame), &mut out);
    let acknowledged = Transmit::RadioAck { source: "radio-1".into(), node, counter };
    assert!(out.contains(&Output::Transmit(acknowledged)), "{out:?}");
    out
}

fn events(first: u16, events: &[Event]) -> Vec<u8> {
    let events = Events { first, events: events.iter().copied().collect() };
    Payload::Events(events).encode().expect("a payload").to_vec()
}

#[test]
fn an_event_sent_again_in_a_new_frame_counts_once() {
    let mut engine = engine();
    let pir = event(EventKind::Pir, 32);
    take(&mut engine, 17, 1, &events(5, &[pir]));
    take(&mut engine, 17, 2, &events(5, &[pir, event(EventKind::Pir, 16)]));
    take(&mut engine, 17, 3, &events(9, &[pir]));
    let counters = engine.counters();
    assert_eq!(counters.get("plots"), 3);
    assert_eq!(counters.get("faults{reason=\"duplicate\"}"), 1);
    assert_eq!(counters.get("node_events_missed"), 2);
}

#[test]
fn the_time_of_an_event_is_its_age_before_the_reception() {
    let mut engine = engine();
    take(&mut engine, 17, 1, &events(5, &[event(EventKind::Pir, 32)]));
    // Later than any wait: the scan has been processed at its own time.
    assert!(engine.settled() >= now().plus_seconds(-2.0));
    let status = engine.status();
    assert_eq!((status.sensors[2].plots, status.sensors[2].last_heard), (1, Some(now())));
}

#[test]
fn what_no_sensor_of_the_node_can_see_is_refused() {
    let mut engine = engine();
    take(&mut engine, 17, 1, &events(1, &[event(EventKind::Tripwire(None), 0)]));
    take(&mut engine, 17, 2, &events(2, &[event(EventKind::Pir, 16 * 3_601)]));
    take(&mut engine, 17, 3, &events(3, &[Event { age_at_least: true, ..event(EventKind::Pir, 16) }]));
    take(&mut engine, 17, 4, &[250, 1, 2]);
    take(&mut engine, 99, 1, &events(1, &[event(EventKind::Pir, 0)]));
    let faults: Vec<_> =
        engine.status().recent_faults.iter().map(|(_, codec, fault)| format!("{codec}: {fault}")).collect();
    insta::assert_debug_snapshot!(faults);
    assert_eq!(engine.counters().get("plots"), 0);
    assert_eq!(engine.status().unknown_sensors[0].id, "node 99");
}

#[test]
fn telemetry_and_tamper_become_alerts() {
    let mut engine = engine();
    let flags = TelemetryFlags { tamper: false, low_battery: true, time_known: true, detector_fault: false };
    let telemetry = Telemetry {
        battery_mv: 3_100,
        temperature_cdeg: -725,
        uptime_s: 60,
        resets: 1,
        queued: 0,
        dropped: 0,
        retransmitted: 0,
        refused: 0,
        airtime_percent: 1,
        flags,
    };
    let mut out = take(&mut engine, 17, 1, &Payload::Telemetry(telemetry).encode().expect("a payload"));
    out.extend(take(&mut engine, 18, 1, &events(1, &[event(EventKind::Tamper(TamperCause::Opened), 48)])));
    engine.handle(now().plus_seconds(5.0), Input::Tick, &mut out);
    let kinds: Vec<_> = out
        .iter()
        .filter_map(|output| match output {
            Output::Durable(Durable::Alert(alert)) => Some((alert.kind, alert.text.as_str())),
            _ => None,
        })
        .collect();
    insta::assert_debug_snapshot!(kinds);
    assert!(kinds.iter().any(|(kind, _)| *kind == AlertKind::SensorTamper));
    assert_eq!(engine.status().sensors[2].temperature_c, Some(-7.25));
}

//! The engine end to end, through its driver contract.

use vedette_engine::config::EngineConfig;
use vedette_engine::time::parse_rfc3339;
use vedette_engine::{Engine, Frame, FrameContent, Input, Output, Timestamp, Volatile};

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

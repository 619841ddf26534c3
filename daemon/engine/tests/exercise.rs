//! An exercise and what is actual never mix: not in inputs, not in snapshots, not in a running engine.

use vedette_engine::config::EngineConfig;
use vedette_engine::time::parse_rfc3339;
use vedette_engine::{
    Alert, AlertKind, Durable, Engine, EngineError, Frame, FrameContent, Input, Mode, Output, RadioFrame, Snapshot,
    Timestamp, Transmit,
};
use vedette_wire::payload::{Event, EventKind, Events, Payload, TamperCause};

const SITE: &str = r#"
[site]
id = "post-4"
origin = { lat = 52.0, lon = 23.6 }
exercise = EXERCISE

[[sensor]]
id = "radar-1"
kind = "radar"
position = { east_m = 0.0, north_m = -300.0 }
coverage = { shape = "circle", radius_m = 900.0 }
clutter_per_scan = 0.1
position_sd_m = 2.0

[[sensor]]
id = "pir-1"
kind = "pir"
node = 17
position = { east_m = 0.0, north_m = 0.0 }

[[zone]]
name = "Bug line"
kind = "border"
line_m = [[-500.0, 0.0], [500.0, 0.0]]
"#;

fn config(exercise: bool) -> EngineConfig {
    toml::from_str(&SITE.replace("EXERCISE", if exercise { "true" } else { "false" })).expect("valid TOML")
}

fn at(second: u32) -> Timestamp {
    parse_rfc3339("2026-03-01T00:00:00Z").expect("a time").plus_seconds(f64::from(second))
}

fn frame(second: u32, codec: &str, bytes: &str) -> Input {
    let content =
        FrameContent::Message { codec: codec.into(), topic: None, retained: false, bytes: bytes.as_bytes().to_vec() };
    Input::Frame(Frame { source: "field".into(), received: at(second), content })
}

/// Somebody walks south over the line for two minutes; `mode` is part of each message.
fn walk(engine: &mut Engine, mode: &str) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for second in 0..120_u32 {
        let (minutes, seconds) = (second / 60, second % 60);
        let north_m = 80.0 - 1.5 * f64::from(second);
        let message = format!(
            r#"{{"v":1{mode},"sensor":"radar-1","t":"2026-03-01T00:{minutes:02}:{seconds:02}Z","plots":[{{"kind":"position","east_m":3,"north_m":{north_m}}}]}}"#
        );
        let mut out = Vec::new();
        engine.handle(at(second), frame(second, "native", &message), &mut out);
        engine.handle(at(second), Input::Tick, &mut out);
        alerts.extend(out.into_iter().filter_map(|output| match output {
            Output::Durable(Durable::Alert(alert)) => Some(*alert),
            _ => None,
        }));
    }
    alerts
}

fn wrong_mode(engine: &Engine) -> u64 {
    engine.counters().get("faults{reason=\"wrong_mode\"}")
}

#[test]
fn alerts_of_an_exercise_say_so_and_others_do_not() {
    let mut engine = Engine::new(&config(true)).expect("valid");
    let alerts = walk(&mut engine, r#","mode":"exercise""#);
    assert!(!alerts.is_empty());
    assert!(alerts.iter().all(|alert| alert.mode == Mode::Exercise), "{alerts:?}");
    assert!(alerts[0].text.starts_with("EXERCISE: "), "{}", alerts[0].text);
    let mut engine = Engine::new(&config(false)).expect("valid");
    let alerts = walk(&mut engine, "");
    assert!(!alerts.is_empty());
    assert!(alerts.iter().all(|alert| alert.mode == Mode::Actual && !alert.text.contains("EXERCISE")), "{alerts:?}");
    assert_eq!(wrong_mode(&engine), 0);
}

#[test]
fn simulated_inputs_are_refused_where_it_is_meant_and_actual_ones_in_an_exercise() {
    for (exercise, mode) in
        [(false, r#","mode":"exercise""#), (true, ""), (true, r#","mode":"actual""#), (false, r#","mode":7"#)]
    {
        let mut engine = Engine::new(&config(exercise)).expect("valid");
        // A sensor of which nothing is taken is a silent one, and its ground is not seen; nothing else may come of it.
        let alerts = walk(&mut engine, mode);
        let of_silence = [AlertKind::SensorSilent, AlertKind::CoverageGap];
        assert!(alerts.iter().all(|alert| of_silence.contains(&alert.kind)), "{exercise} {mode}: {alerts:?}");
        assert_eq!(wrong_mode(&engine), 120, "{exercise} {mode}");
    }
}

#[test]
fn formats_that_cannot_say_it_are_refused_in_an_exercise() {
    let mut engine = Engine::new(&config(true)).expect("valid");
    engine.handle(at(1), frame(1, "frigate", "{}"), &mut Vec::new());
    assert_eq!(wrong_mode(&engine), 1);
}

#[test]
fn a_snapshot_goes_on_in_its_own_mode_only() {
    let engine = Engine::new(&config(true)).expect("valid");
    let bytes = engine.snapshot().to_bytes().expect("written");
    let snapshot = || Snapshot::from_bytes(&bytes).expect("read");
    assert!(Engine::restore(&config(true), snapshot()).is_ok());
    let refused = Engine::restore(&config(false), snapshot()).expect_err("another mode");
    assert!(matches!(refused, EngineError::SnapshotMode { got: true }), "{refused}");
}

#[test]
fn a_running_engine_does_not_change_its_mode() {
    let mut engine = Engine::new(&config(false)).expect("valid");
    engine.handle(at(0), Input::Reconfigure(Box::new(config(true))), &mut Vec::new());
    let alerts = walk(&mut engine, "");
    assert!(!alerts.is_empty());
    assert!(alerts.iter().all(|alert| alert.mode == Mode::Actual));
}

/// A node's housing is opened, over a key that says whether the node is one of an exercise.
fn opened(engine: &mut Engine, exercise: bool) -> (Vec<Alert>, bool) {
    let kind = EventKind::Tamper(TamperCause::Opened);
    let event = Event { kind, age_ticks: 16, age_at_least: false, strength_half_db: 0, duration_ticks: 0 };
    let events = Events { first: 1, events: [event].into_iter().collect() };
    let payload = Payload::Events(events).encode().expect("a payload").to_vec();
    let radio = RadioFrame { node: 17, counter: 1, exercise, payload, rssi_dbm: -90, snr_qdb: 20 };
    let frame = Frame { source: "radio".into(), received: at(1), content: FrameContent::Radio(radio) };
    let mut out = Vec::new();
    engine.handle(at(1), Input::Frame(frame), &mut out);
    engine.handle(at(6), Input::Tick, &mut out);
    let acknowledged = Transmit::RadioAck { source: "radio".into(), node: 17, counter: 1 };
    let acknowledged = out.contains(&Output::Transmit(acknowledged));
    let alerts = out.into_iter().filter_map(|output| match output {
        Output::Durable(Durable::Alert(alert)) if alert.kind == AlertKind::SensorTamper => Some(*alert),
        _ => None,
    });
    (alerts.collect(), acknowledged)
}

#[test]
fn radio_of_an_exercise_is_marked_from_the_frame_to_the_alert() {
    for (exercise, mode) in [(true, Mode::Exercise), (false, Mode::Actual)] {
        let mut engine = Engine::new(&config(exercise)).expect("valid");
        let (alerts, acknowledged) = opened(&mut engine, exercise);
        assert!(acknowledged && alerts.len() == 1, "{alerts:?}");
        assert_eq!(alerts[0].mode, mode);
        assert_eq!(alerts[0].text.starts_with("EXERCISE: "), exercise, "{}", alerts[0].text);
        assert_eq!(wrong_mode(&engine), 0);
    }
}

#[test]
fn radio_of_the_other_kind_is_neither_taken_nor_acknowledged() {
    for exercise in [true, false] {
        let mut engine = Engine::new(&config(exercise)).expect("valid");
        assert_eq!(opened(&mut engine, !exercise), (Vec::new(), false), "its own gateway must still get it");
        assert_eq!(wrong_mode(&engine), 1);
    }
}

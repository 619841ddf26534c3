//! An exercise and what is actual never mix: not in inputs, not in snapshots, not in a running engine.

use vedette_engine::config::EngineConfig;
use vedette_engine::time::parse_rfc3339;
use vedette_engine::{
    Alert, AlertKind, Durable, Engine, EngineError, Frame, FrameContent, Input, Mode, Output, Snapshot, Timestamp,
};

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

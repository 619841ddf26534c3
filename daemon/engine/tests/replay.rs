//! A scene through the whole engine: alerts come, and a restart in the middle changes nothing of what follows.

use proptest::prelude::*;
use vedette_engine::config::EngineConfig;
use vedette_engine::time::{format_rfc3339, parse_rfc3339};
use vedette_engine::{
    Act, AlertKind, Command, Durable, Engine, Fact, Frame, FrameContent, Input, Output, Snapshot, Timestamp,
};

const SITE: &str = r#"
[site]
id = "post-4"
origin = { lat = 52.0, lon = 23.6 }
timezone = "Europe/Warsaw"
[[sensor]]
id = "radar-7"
kind = "radar"
position = { east_m = 0.0, north_m = -300.0 }
coverage = { shape = "circle", radius_m = 900.0 }
detection_probability = 0.95
clutter_per_scan = 0.5
position_sd_m = 3.0
[[sensor]]
id = "cam-2"
kind = "camera"
position = { east_m = 50.0, north_m = -50.0 }
coverage = { shape = "sector", range_m = 400.0, heading_deg = 0.0, width_deg = 120.0 }
[[zone]]
name = "Bug line"
kind = "border"
line_m = [[-500.0, 0.0], [500.0, 0.0]]
"#;

fn config() -> EngineConfig {
    toml::from_str(SITE).expect("valid TOML")
}

fn at(second: f64) -> Timestamp {
    parse_rfc3339("2026-03-01T01:14:00Z").expect("a time").plus_seconds(second)
}

fn frame(received: Timestamp, message: String) -> (Timestamp, Input) {
    let bytes = message.into_bytes();
    let content = FrameContent::Message { codec: "native".into(), topic: None, retained: false, bytes };
    (received, Input::Frame(Frame { source: "broker".into(), received, content }))
}

/// A walker southwards over the line, seen by a radar (three metres of error that a seed scatters) and a camera;
/// with some of everything else that can reach an engine.
fn inputs(seed: u64) -> Vec<(Timestamp, Input)> {
    let mut noise = seed;
    let mut scatter = || {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((noise >> 33) as f64 / f64::from(1_u32 << 31) - 0.5) * 10.0
    };
    let mut inputs = Vec::new();
    for second in 1..=100 {
        let time = f64::from(second);
        let (east_m, north_m) = (30.0 + scatter(), 70.0 - 1.4 * time + scatter());
        let t = format_rfc3339(at(time));
        let plot = format!(r#"{{"kind":"position","east_m":{east_m:.2},"north_m":{north_m:.2}}}"#);
        let radar = format!(r#"{{"v":1,"sensor":"radar-7","t":"{t}","seq":{second},"plots":[{plot}]}}"#);
        inputs.push(frame(at(time + 0.05), radar));
        let azimuth_deg = libm::atan2(-20.0, 120.0 - 1.4 * time).to_degrees();
        let plot = format!(r#"{{"kind":"bearing","azimuth_deg":{azimuth_deg:.2},"class":{{"person":0.9}}}}"#);
        let camera =
            format!(r#"{{"v":1,"sensor":"cam-2","t":"{}","plots":[{plot}]}}"#, format_rfc3339(at(time + 0.02)));
        inputs.push(frame(at(time + 0.12), camera));
        match second {
            20 => inputs.push((at(time + 0.2), Input::Fact(Fact::SourceLink { source: "radio".into(), up: false }))),
            30 => inputs.push(frame(at(time + 0.3), "{\"v\":1,\"sensor\":\"nobody\"}".into())),
            40 => {
                let act = Act::TestAlert { severity: vedette_engine::Severity::Low };
                let command = Command { id: "c1".into(), by: "anna".into(), expires_at: None, act };
                inputs.push((at(time + 0.4), Input::Command(command)));
            }
            50 => inputs.push((at(time + 0.5), Input::Clock { offset_micros: 5, sd_s: 0.25 })),
            _ => {}
        }
    }
    inputs
}

/// Drives as every driver must: a tick at each deadline before the next input.
fn drive(engine: &mut Engine, inputs: &[(Timestamp, Input)]) -> Vec<Output> {
    let mut out = Vec::new();
    for (now, input) in inputs {
        while let Some(deadline) = engine.next_deadline().filter(|deadline| deadline < now) {
            engine.handle(deadline, Input::Tick, &mut out);
        }
        engine.handle(*now, input.clone(), &mut out);
    }
    out
}

fn json(out: &[Output]) -> String {
    out.iter().map(|output| serde_json::to_string(output).expect("JSON") + "\n").collect()
}

#[test]
fn a_walker_over_the_line_is_one_alert_that_ends_as_a_crossing() {
    let mut engine = Engine::new(&config()).expect("valid configuration");
    let out = drive(&mut engine, &inputs(7));
    let alerts: Vec<_> = out
        .iter()
        .filter_map(|output| match output {
            Output::Durable(Durable::Alert(alert)) if alert.zone.is_some() => Some(alert),
            _ => None,
        })
        .collect();
    let texts: String =
        alerts.iter().map(|alert| format!("{:?} rev {} {}\n", alert.kind, alert.rev, alert.text)).collect();
    assert!(!alerts.is_empty(), "{texts}");
    assert!(alerts.iter().all(|alert| alert.id == alerts[0].id), "{texts}");
    let crossing = alerts.iter().find(|alert| alert.kind == AlertKind::Crossing).expect("a crossing");
    assert!(crossing.text.contains("crossed Bug line inward"), "{texts}");
    // On the line at 50 s; told within ten.
    assert!(crossing.last_seen >= at(50.0) && crossing.last_seen <= at(60.0), "{texts}");
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let run = || json(&drive(&mut Engine::new(&config()).expect("valid configuration"), &inputs(11)));
    assert_eq!(run(), run());
}

#[test]
fn tracks_are_the_same_without_the_rules() {
    let volatile = |mut engine: Engine| {
        let mut out = drive(&mut engine, &inputs(5));
        out.retain(|output| matches!(output, Output::Volatile(_)));
        (json(&out), engine.open_alerts().filter(|alert| alert.zone.is_some()).count())
    };
    let engine = || Engine::new(&config()).expect("valid configuration");
    let ((with, some), (without, none)) = (volatile(engine()), volatile(engine().without_rules()));
    assert_eq!(with, without);
    assert!(some > 0 && none == 0, "{some} and {none} alerts");
}

#[test]
fn a_snapshot_of_another_version_is_refused() {
    let engine = Engine::new(&config()).expect("valid configuration");
    let mut bytes = engine.snapshot().to_bytes().expect("bytes");
    let at = bytes.windows(7).position(|window| window == b"version").expect("the key") + 7;
    bytes[at] = 9;
    assert_eq!(Snapshot::from_bytes(&bytes).expect_err("refused").to_string(), "snapshot version 9, expected 1");
    assert!(Snapshot::from_bytes(&bytes[..at]).is_err());
}

#[test]
fn asking_changes_nothing() {
    let inputs = inputs(3);
    let mut asked = Engine::new(&config()).expect("valid configuration");
    let mut left_alone = Engine::new(&config()).expect("valid configuration");
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (now, input) in inputs {
        let _ = (asked.picture(now.plus_seconds(60.0)), asked.status(), asked.settled(), asked.snapshot());
        asked.handle(now, input.clone(), &mut first);
        left_alone.handle(now, input, &mut second);
    }
    assert_eq!(json(&first), json(&second));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_restart_anywhere_changes_nothing_of_what_follows(seed in any::<u64>(), cut in 0_usize..200) {
        let inputs = inputs(seed);
        let mut whole = Engine::new(&config()).expect("valid configuration");
        drive(&mut whole, &inputs[..cut]);
        let bytes = whole.snapshot().to_bytes().expect("bytes");
        let expected = json(&drive(&mut whole, &inputs[cut..]));
        let snapshot = Snapshot::from_bytes(&bytes).expect("the snapshot");
        let mut restored = Engine::restore(&config(), snapshot).expect("an engine");
        prop_assert_eq!(json(&drive(&mut restored, &inputs[cut..])), expected);
    }
}

//! Calls for help: of a button or a beacon that a sensor hears, and of an own unit. Nobody's movement, and never silenced.

mod listener;

use listener::{good, received};
use vedette_engine::config::EngineConfig;
use vedette_engine::{Alert, AlertKind, Durable, Engine, Frame, FrameContent, Input, Output, Severity};

const SENSORS: &str = r#"
[[sensor]]
id = "button-3"
kind = "rf"
aliases = ["Generic-Remote:77"]
distress = true
position = { east_m = 100.0, north_m = 40.0 }
coverage = { shape = "circle", radius_m = 20.0 }

[[sensor]]
id = "beacons"
kind = "rf"
distress = true
position = { east_m = 0.0, north_m = 0.0 }
"#;

fn engine() -> Engine {
    let config: EngineConfig = toml::from_str(&format!("{}{SENSORS}", listener::SITE)).expect("valid TOML");
    Engine::new(&config).expect("valid configuration")
}

fn hear(engine: &mut Engine, codec: &str, bytes: &str, delay_s: f64) -> Vec<Alert> {
    let now = received().plus_seconds(delay_s);
    let content =
        FrameContent::Message { codec: codec.into(), topic: None, retained: false, bytes: bytes.as_bytes().to_vec() };
    let mut out = Vec::new();
    engine.handle(now, Input::Frame(Frame { source: "x".into(), received: now, content }), &mut out);
    engine.handle(now.plus_seconds(1.0), Input::Tick, &mut out);
    calls(out)
}

fn calls(out: Vec<Output>) -> Vec<Alert> {
    let calls = out.into_iter().filter_map(|output| match output {
        Output::Durable(Durable::Alert(alert)) if alert.kind == AlertKind::PossibleNeed => Some(*alert),
        _ => None,
    });
    calls.collect()
}

fn texts(alerts: &[Alert]) -> String {
    assert!(alerts.iter().all(|alert| {
        (alert.kind, alert.severity) == (AlertKind::PossibleNeed, Severity::Critical)
            && alert.humanitarian.is_some()
            && alert.asks_attention()
    }));
    alerts.iter().map(|alert| format!("{}\n", alert.text)).collect()
}

#[test]
fn a_button_a_beacon_and_a_patrol_call_for_help() {
    let mut engine = engine();
    let button = r#"{"time":"2026-03-01T02:14:07.5Z","model":"Generic-Remote","id":77,"button":1}"#;
    let mut all = hear(&mut engine, "rtl_433", button, 0.0);
    let bearing =
        r#"{"v":1,"sensor":"beacons","t":"2026-03-01T02:14:08Z","plots":[{"kind":"bearing","azimuth_deg":213}]}"#;
    all.extend(hear(&mut engine, "native", bearing, 2.0));
    let patrol = r#"{"v":1,"unit":"patrol-3","t":"2026-03-01T02:14:10Z","east_m":5,"north_m":900,"distress":true}"#;
    all.extend(hear(&mut engine, "own_position", patrol, 4.0));
    insta::assert_snapshot!(texts(&all));
    // A button that is pressed is no movement: nothing of it reaches the tracker.
    assert_eq!(engine.counters().get("scans"), 0);
    assert_eq!(engine.counters().get("calls_for_help"), 3);
}

/// As handhelds send it: an alarm of its own with a link to who sends it, and the end of it.
#[test]
fn an_emergency_of_a_handheld_is_a_call_whatever_its_clock_says() {
    let emergency = |kind: &str, what: &str| {
        let text = good("cot").text().replace("a-f-G-U-C", kind).replace("ANDROID-3c1f", "ANDROID-3c1f-9-1-1");
        let link = r#"<link uid="ANDROID-3c1f" type="a-f-G-U-C" relation="p-p"/>"#;
        text.replace("<detail>", &format!("<detail>{link}{what}")).replace("Wolf 3", "Wolf 3-Alert")
    };
    let mut engine = engine();
    let call = emergency("b-a-o-tbl", r#"<emergency type="911 Alert">Wolf 3</emergency>"#);
    let first = hear(&mut engine, "cot", &call, 7_200.0);
    assert_eq!(first.len(), 1, "{first:?}");
    let off = emergency("b-a-o-can", r#"<emergency cancel="true">Wolf 3</emergency>"#);
    hear(&mut engine, "cot", &off.replace("02:15:00", "09:00:00").replace("02:14:07.5", "04:14:30"), 7_230.0);
    let mut out = Vec::new();
    for second in 1..40 {
        engine.handle(received().plus_seconds(7_230.0 + 10.0 * f64::from(second)), Input::Tick, &mut out);
    }
    let repeated = calls(out);
    assert!(repeated.iter().all(|alert| alert.id == first[0].id && !alert.state.is_over()), "{repeated:?}");
    insta::assert_snapshot!(texts(&[first, repeated].concat()));
    let stranger = call.replace("ANDROID-3c1f", "X").replace("Wolf 3-Alert", "Bear");
    assert_eq!(hear(&mut engine, "cot", &stranger, 7_700.0), []);
}

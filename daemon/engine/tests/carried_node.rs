//! A radio node of our own that a patrol carries: its places explain the patrol's tracks, and nobody else's.

use vedette_engine::config::EngineConfig;
use vedette_engine::time::{format_rfc3339, parse_rfc3339};
use vedette_engine::{Alert, AlertKind, Durable, Engine, Frame, FrameContent, Input, Output, RadioFrame, Timestamp};
use vedette_wire::payload::{Call, Event, EventKind, Events, Payload, Position, TamperCause};

const SITE: &str = r#"
[site]
id = "carried"
origin = { lat = 52.0, lon = 23.6 }

[[sensor]]
id = "radar-1"
kind = "radar"
position = { east_m = 0.0, north_m = -300.0 }
coverage = { shape = "sector", range_m = 900.0, heading_deg = 0.0, width_deg = 120.0 }
scan_period_s = 1.0
detection_probability = 0.95
clutter_per_scan = 0.01
position_sd_m = 3.0

[[sensor]]
id = "pir-17"
kind = "pir"
node = 17
position = { east_m = 300.0, north_m = 0.0 }

[[zone]]
name = "border"
kind = "border"
line_m = [[-400.0, 0.0], [400.0, 0.0]]

[[unit]]
id = "patrol-3"
node = 42
"#;
const OWN_NODE: u32 = 42;

fn start() -> Timestamp {
    parse_rfc3339("2026-03-01T02:14:08Z").expect("a time")
}

fn engine() -> Engine {
    let config: EngineConfig = toml::from_str(SITE).expect("valid TOML");
    Engine::new(&config).expect("valid configuration")
}

fn place(north_m: f64) -> Position {
    let lat_e7 = (520_000_000.0 + north_m / 0.011_126_6) as i32;
    Position { lat_e7, lon_e7: 236_000_000, sd_dm: 50, age_ticks: 16, call: Call::None }
}

/// Hands over one frame; the alerts that come of it.
fn hear(engine: &mut Engine, now: Timestamp, content: FrameContent) -> Vec<Alert> {
    let mut out = Vec::new();
    engine.handle(now, Input::Frame(Frame { source: "x".into(), received: now, content }), &mut out);
    let alert = |output| match output {
        Output::Durable(Durable::Alert(alert)) => Some(*alert),
        _ => None,
    };
    out.into_iter().filter_map(alert).collect()
}

fn radio(node: u32, counter: u32, payload: &Payload) -> FrameContent {
    let payload = payload.encode().expect("a payload").to_vec();
    FrameContent::Radio(RadioFrame { node, counter, exercise: false, payload, rssi_dbm: -90, snr_qdb: 20 })
}

/// A radar sees a walker from south to north across the line; a node tells its places each ten seconds.
fn walk(tells: impl Fn(f64) -> Option<(u32, f64)>) -> (Engine, Vec<Alert>) {
    let (mut engine, mut alerts) = (engine(), Vec::new());
    for second in 0_u32..90 {
        let (now, north_m) = (start().plus_seconds(f64::from(second)), 1.5 * f64::from(second) - 70.0);
        let stamp = format_rfc3339(now);
        let scan = format!(
            r#"{{"v":1,"sensor":"radar-1","t":"{stamp}","plots":[{{"kind":"position","east_m":0,"north_m":{north_m}}}]}}"#
        );
        let scan =
            FrameContent::Message { codec: "native".into(), topic: None, retained: false, bytes: scan.into_bytes() };
        alerts.extend(hear(&mut engine, now, scan));
        if let Some((node, node_m)) = tells(north_m).filter(|_| second % 10 == 0) {
            // A second old when it comes.
            let payload = Payload::Position(place(node_m - 1.5));
            alerts.extend(hear(&mut engine, now, radio(node, second, &payload)));
        }
    }
    (engine, alerts)
}

fn crossings(alerts: &[Alert]) -> Vec<Option<&str>> {
    let crossings = alerts.iter().filter(|alert| alert.kind == AlertKind::Crossing);
    crossings.map(|alert| alert.suppressed.as_ref().map(|by| by.rule.as_str())).collect()
}

#[test]
fn a_track_beside_the_node_of_an_own_unit_is_explained() {
    let (engine, alerts) = walk(|north_m| Some((OWN_NODE, north_m + 8.0)));
    let told = crossings(&alerts);
    assert!(!told.is_empty() && told.iter().all(|by| *by == Some("unit patrol-3")), "{told:?}");
    assert_eq!(engine.counters().get("own_positions"), 9);
    assert!(engine.status().recent_faults.is_empty() && engine.status().unknown_sensors.is_empty());
}

#[test]
fn a_track_is_told_in_full_without_the_node_beside_others_and_far_from_it() {
    for (node, places) in [(77, 0), (17, 0)] {
        let (engine, alerts) = walk(|north_m| Some((node, north_m)));
        assert!(crossings(&alerts).contains(&None), "{alerts:#?}");
        assert_eq!(engine.counters().get("own_positions"), places);
        let faults = engine.status().recent_faults;
        assert!(
            !faults.is_empty() && faults.iter().all(|(.., fault)| !fault.to_string().contains("52.")),
            "{faults:?}"
        );
    }
    for told in [None, Some((OWN_NODE, 4_000.0))] {
        assert!(crossings(&walk(|_| told).1).contains(&None));
    }
    // It fell silent before the line: its last place has had its time when the walker is beyond.
    let (_, alerts) = walk(|north_m| Some((OWN_NODE, north_m)).filter(|_| north_m < -65.0));
    assert!(crossings(&alerts).contains(&None), "{alerts:#?}");
}

#[test]
fn a_node_that_jumps_onto_the_walker_is_doubted_and_hides_nobody() {
    let (engine, alerts) = walk(|north_m| Some((OWN_NODE, if north_m < -30.0 { 2_000.0 } else { north_m })));
    assert!(crossings(&alerts).contains(&None), "{alerts:#?}");
    let doubt = alerts.iter().find(|alert| alert.kind == AlertKind::PositionDoubt).expect("an alert");
    assert!(doubt.text.contains("own unit patrol-3 jumps"), "{}", doubt.text);
    assert!(engine.counters().get("own_positions_doubted") >= 1);
}

#[test]
fn whoever_carries_it_can_call_for_help_and_take_that_back() {
    let mut engine = engine();
    let call = |call| Payload::Position(Position { call, ..place(50.0) });
    let texts = |alerts: Vec<Alert>| alerts.into_iter().map(|alert| (alert.kind, alert.text)).collect::<Vec<_>>();
    let told = texts(hear(&mut engine, start(), radio(OWN_NODE, 1, &call(Call::Help))));
    let [(AlertKind::PossibleNeed, text)] = &told[..] else { panic!("{told:?}") };
    assert!(text.contains("own unit patrol-3 calls for help"), "{text}");
    let later = start().plus_seconds(40.0);
    let told = texts(hear(&mut engine, later, radio(OWN_NODE, 2, &call(Call::CalledOff))));
    assert!(told.iter().any(|(_, text)| text.contains("Called off at")), "{told:?}");
}

#[test]
fn what_a_carried_node_detects_is_nobodys() {
    let mut engine = engine();
    let tamper = Event {
        kind: EventKind::Tamper(TamperCause::Moved),
        age_ticks: 0,
        age_at_least: false,
        strength_half_db: 0,
        duration_ticks: 0,
    };
    let events = Payload::Events(Events { first: 1, events: [tamper].into_iter().collect() });
    assert_eq!(hear(&mut engine, start(), radio(OWN_NODE, 1, &events)), []);
    let faults: Vec<String> = engine.status().recent_faults.iter().map(|(.., fault)| fault.to_string()).collect();
    assert!(faults.len() == 1 && faults[0].contains("which unit patrol-3 carries"), "{faults:?}");
}

#[test]
fn a_node_is_of_one_unit_and_of_no_sensor() {
    let faults = |text: &str| {
        let config: EngineConfig = toml::from_str(&format!("{SITE}{text}")).expect("valid TOML");
        config.faults().into_iter().map(|fault| fault.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(faults("[[unit]]\nid = \"b\"\nnode = 43\n"), [""; 0]);
    for (node, got) in [(42, "the node of unit 0"), (17, "the node of sensor \"pir-17\""), (0, "0, which is all nodes")]
    {
        let told = faults(&format!("[[unit]]\nid = \"b\"\nnode = {node}\n"));
        assert!(told.len() == 1 && told[0].contains(got), "{told:?}");
    }
}

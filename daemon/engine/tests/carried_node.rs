//! A radio node of our own that a patrol carries: its places explain the patrol's tracks, and nobody else's.

mod patrol;

use vedette_engine::config::EngineConfig;
use vedette_engine::{Alert, AlertKind, Engine, FrameContent, RadioFrame};
use vedette_wire::payload::{Call, Event, EventKind, Events, Payload, Position, TamperCause};

use patrol::{SITE, crossings, hear, latitude_e7, start};

/// A sensor with a node of its own, and a unit that carries one.
const NODES: &str = r#"
[[sensor]]
id = "pir-17"
kind = "pir"
node = 17
position = { east_m = 300.0, north_m = 0.0 }

[[unit]]
id = "patrol-3"
node = 42
"#;
const OWN_NODE: u32 = 42;

fn engine() -> Engine {
    let config: EngineConfig = toml::from_str(&format!("{SITE}{NODES}")).expect("valid TOML");
    Engine::new(&config).expect("valid configuration")
}

fn place(north_m: f64) -> Position {
    Position { lat_e7: latitude_e7(north_m) as i32, lon_e7: 236_000_000, sd_dm: 50, age_ticks: 16, call: Call::None }
}

fn radio(node: u32, counter: u32, payload: &Payload) -> FrameContent {
    let payload = payload.encode().expect("a payload").to_vec();
    FrameContent::Radio(RadioFrame { node, counter, exercise: false, payload, rssi_dbm: -90, snr_qdb: 20 })
}

/// The walk, with a node that tells its places.
fn walk(tells: impl Fn(f64) -> Option<(u32, f64)>) -> (Engine, Vec<Alert>) {
    let mut engine = engine();
    let alerts = patrol::walk(&mut engine, |second, north_m| {
        // A second old when it comes.
        let (node, node_m) = tells(north_m)?;
        Some(radio(node, second, &Payload::Position(place(node_m - 1.5))))
    });
    (engine, alerts)
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
        let config: EngineConfig = toml::from_str(&format!("{SITE}{NODES}{text}")).expect("valid TOML");
        config.faults().into_iter().map(|fault| fault.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(faults("[[unit]]\nid = \"b\"\nnode = 43\n"), [""; 0]);
    for (node, got) in [(42, "the node of unit 0"), (17, "the node of sensor \"pir-17\""), (0, "0, which is all nodes")]
    {
        let told = faults(&format!("[[unit]]\nid = \"b\"\nnode = {node}\n"));
        assert!(told.len() == 1 && told[0].contains(got), "{told:?}");
    }
}

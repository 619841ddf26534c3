//! Places that nodes of a mesh tell: those of own units explain tracks, those of everybody else are not looked at.

mod patrol;

use vedette_engine::codec::{CodecState, Context, OwnPosition, Reading, Reason, Report, Spot, codec_named};
use vedette_engine::config::EngineConfig;
use vedette_engine::{Alert, AlertKind, Engine, Frame, Input};

use patrol::{SITE, crossings, latitude_e7, message, start as received, take};

/// A unit that carries a node of the mesh.
const UNIT: &str = "\n[[unit]]\nid = \"patrol-3\"\nmeshtastic = \"!a1b2c3d4\"\n";

/// A packet as the package meshtastic 2.7.11 writes it, with the fields that firmware sends beside those that are used.
const PACKET: &str = "0dd4c3b2a115ffffffff2228080312220d10b9fe1e150013110e18960125efa0a3693deea0a36958b4017801980109b80120480135ceab3412\
                      3defa0a369450000e840480360a4ffffffffffffffff01";
const ENVELOPE: (&str, &str) = ("0a50", "12084c6f6e67466173741a09213433336431613263");
const FROM_RADIO: (&str, &str) = ("08071250", "");

/// As firmware 2.7 publishes it.
const JSON: &str = r#"{"channel":0,"from":2712847316,"hops_away":0,"id":305441742,"payload":{"PDOP":180,"altitude":150,
"ground_speed":1,"latitude_i":520010000,"longitude_i":236000000,"precision_bits":32,"sats_in_view":9,"time":1772331247,
"timestamp":1772331246},"rssi":-92,"sender":"!433d1a2c","snr":7.25,"timestamp":1772331247,"to":4294967295,"type":"position"}"#;

fn config() -> EngineConfig {
    toml::from_str(&format!("{SITE}{UNIT}")).expect("valid TOML")
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// The three ways of one packet, and its bytes.
fn ways() -> [(&'static str, Vec<u8>); 3] {
    let wrapped = |(before, after): (&str, &str)| bytes(&format!("{before}{PACKET}{after}"));
    [
        ("meshtastic", JSON.into()),
        ("meshtastic_protobuf", wrapped(ENVELOPE)),
        ("meshtastic_serial", wrapped(FROM_RADIO)),
    ]
}

fn hear_with(state: &mut CodecState, codec: &str, message: &[u8]) -> (Vec<Reading>, Report) {
    let site = config().resolve().expect("valid configuration");
    let context = Context { site: &site, topic: None, retained: false, received: received(), clocks: &[] };
    let mut readings = Vec::new();
    let report = (codec_named(codec).expect("a codec").decode)(message, &context, state, &mut readings);
    (readings, report)
}

fn hear(codec: &str, message: &[u8]) -> (Vec<Reading>, Report) {
    hear_with(&mut CodecState::default(), codec, message)
}

/// The JSON message with other text in it; the old text must be there.
fn with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(JSON.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old} in {text}");
        text.replacen(old, new, 1)
    })
}

fn own(readings: &[Reading]) -> OwnPosition {
    let [Reading::OwnPosition(own)] = readings else { panic!("{readings:?}") };
    *own
}

#[test]
fn a_place_is_the_units_whatever_way_it_comes_and_counts_as_of_its_fix() {
    for (codec, message) in ways() {
        let (readings, report) = hear(codec, &message);
        assert_eq!(report, Report::default(), "{codec}");
        let spot = Spot::Wgs84 { lat: 52.001, lon: 23.6 };
        let time = received().plus_seconds(-2.0);
        assert_eq!(own(&readings), OwnPosition { unit: 0, time, spot, sd_m: 10.0, distress: None }, "{codec}");
    }
}

#[test]
fn one_packet_counts_once_whatever_ways_it_comes() {
    let mut state = CodecState::default();
    let heard = ways().map(|(codec, message)| hear_with(&mut state, codec, &message));
    assert_eq!(heard.each_ref().map(|(readings, _)| readings.len()), [1, 0, 0]);
    assert!(heard[1..].iter().all(|(_, report)| report.faults[0].reason == Reason::Duplicate), "{heard:?}");
}

#[test]
fn nobody_elses_place_is_looked_at() {
    for (codec, message) in ways() {
        // Another node's number, in whatever form; and nothing of the place is told, not even as a fault.
        let text =
            String::from_utf8_lossy(&message).replace("2712847316", "2712847317").replace("520010000", "\"north\"");
        let other = if codec == "meshtastic" {
            text.into_bytes()
        } else {
            let at = message.windows(4).position(|part| part == [0xd4, 0xc3, 0xb2, 0xa1]).expect("the node's number");
            let mut other = message.clone();
            other[at] = 0xd5;
            other
        };
        assert_eq!(hear(codec, &other), (Vec::new(), Report::default()), "{codec}");
    }
}

#[test]
fn a_place_that_others_may_have_put_into_the_mesh_is_not_taken() {
    // Field 14 of the packet, with the lengths of what holds it.
    let through_a_broker = bytes(&format!("08071252{PACKET}7001"));
    let (readings, report) = hear("meshtastic_serial", &through_a_broker);
    assert_eq!((readings.len(), report.faults[0].reason), (0, Reason::Untrusted));
    // Field 5 of what it carries: another node speaks in the unit's name, or the unit in another's.
    let of_another = PACKET.replacen("2228", "222d", 1).replacen("b80120", "b801202d01000000", 1);
    assert_eq!(hear("meshtastic_serial", &bytes(&format!("08071255{of_another}"))), (Vec::new(), Report::default()));
    let (_, report) = hear(
        "meshtastic_serial",
        &bytes(&format!(
            "08071252{}",
            PACKET.replacen("2228", "222a", 1).replacen("1222", "1224", 1).replacen("b80120", "b801202801", 1)
        )),
    );
    assert_eq!(report.faults[0].field, "location_source", "{report:?}");
}

#[test]
fn a_packet_without_a_place_is_nothing() {
    for changes in [
        [("\"latitude_i\":520010000", "\"latitude_i\":0"), ("\"longitude_i\":236000000", "\"longitude_i\":0")],
        [("\"latitude_i\":520010000,", ""), ("\"longitude_i\":236000000,", "")],
    ] {
        assert_eq!(hear("meshtastic", with(&changes).as_bytes()), (Vec::new(), Report::default()));
    }
    let (_, report) = hear("meshtastic", with(&[("520010000", "\"north\"")]).as_bytes());
    assert_eq!((report.faults[0].reason, report.faults[0].field.as_str()), (Reason::WrongType, "payload.latitude_i"));
}

#[test]
fn a_place_counts_as_of_its_reception_by_the_mesh_when_its_node_does_not_know_the_time() {
    let (no_fix, fix) = (("\"time\":1772331247,", "\"time\":1772331245,"), ("\"timestamp\":1772331246", "\"x\":0"));
    let (none, unset) = (("\"time\":1772331247,", ""), ("\"time\":1772331247,", "\"time\":77,"));
    let received_by = ("\"timestamp\":1772331247", "\"timestamp\":0");
    for (changes, delay_s) in
        [(vec![no_fix, fix], 3.0), (vec![none, fix], 1.0), (vec![unset, fix], 1.0), (vec![none, fix, received_by], 0.0)]
    {
        let own = own(&hear("meshtastic", with(&changes).as_bytes()).0);
        assert_eq!(received().seconds_since(own.time), delay_s, "{changes:?}");
    }
}

#[test]
fn a_coarse_place_is_as_uncertain_as_its_square_and_one_too_coarse_explains_nothing() {
    let sd_m = |changes: &[(&str, &str)]| own(&hear("meshtastic", with(changes).as_bytes()).0).sd_m;
    let bits = |bits: &'static str| ("\"precision_bits\":32", bits);
    // A square of 91 m: 26 m, and the receiver's 10 m.
    assert!((sd_m(&[bits("\"precision_bits\":19")]) - 28.1).abs() < 0.1);
    assert!((sd_m(&[bits("\"precision_bits\":18")]) - 53.6).abs() < 0.1);
    assert_eq!(sd_m(&[bits("\"x\":0")]), 10.0, "a node that does not know of the setting");
    assert_eq!(sd_m(&[bits("\"precision_bits\":40")]), 10.0);
    assert_eq!(sd_m(&[("\"PDOP\":180", "\"PDOP\":600")]), 30.0);
    assert_eq!(sd_m(&[("\"PDOP\":180", "\"PDOP\":600,\"HDOP\":400")]), 20.0);
    let refused = |changes: &[(&str, &str)]| {
        let (readings, report) = hear("meshtastic", with(changes).as_bytes());
        assert_eq!(readings, []);
        report.faults[0].to_string()
    };
    let told = [
        refused(&[bits("\"precision_bits\":17")]),
        refused(&[bits("\"precision_bits\":10")]),
        refused(&[("\"PDOP\":180", "\"PDOP\":4000")]),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

/// The walk, with a beacon that tells its places.
fn walk(beacon: impl Fn(f64) -> Option<(u32, f64)>) -> (Engine, Vec<Alert>) {
    let mut engine = Engine::new(&config()).expect("valid configuration");
    let alerts = patrol::walk(&mut engine, |second, north_m| {
        let (node, beacon_m) = beacon(north_m)?;
        let latitude = format!("{:.0}", latitude_e7(beacon_m));
        let time = (1_772_331_248 + second).to_string();
        let id = format!("\"id\":{second}");
        let changes = [
            ("520010000", latitude.as_str()),
            ("1772331247", &time),
            ("1772331246", &time),
            ("\"id\":305441742", &id),
            ("2712847316", &node.to_string()),
        ];
        Some(message("meshtastic", with(&changes)))
    });
    (engine, alerts)
}

const OWN_NODE: u32 = 2_712_847_316;

#[test]
fn a_track_beside_the_beacon_of_an_own_unit_is_explained() {
    let (engine, alerts) = walk(|north_m| Some((OWN_NODE, north_m + 8.0)));
    let told = crossings(&alerts);
    assert!(!told.is_empty() && told.iter().all(|by| *by == Some("unit patrol-3")), "{told:?}");
    assert_eq!(engine.counters().get("own_positions"), 9);
}

#[test]
fn a_track_is_told_in_full_without_a_beacon_beside_a_strangers_and_far_from_the_own() {
    let (engine, alerts) = walk(|north_m| Some((77, north_m)));
    assert!(crossings(&alerts).contains(&None), "{alerts:#?}");
    assert_eq!(engine.counters().get("own_positions"), 0);
    assert!(engine.status().recent_faults.is_empty(), "nothing is told of a stranger's place");
    for beacon in [None, Some((OWN_NODE, 4_000.0))] {
        assert!(crossings(&walk(|_| beacon).1).contains(&None));
    }
}

#[test]
fn a_beacon_that_jumps_onto_the_walker_is_doubted_and_hides_nobody() {
    let (engine, alerts) = walk(|north_m| Some((OWN_NODE, if north_m < -30.0 { 2_000.0 } else { north_m })));
    assert!(crossings(&alerts).contains(&None), "{alerts:#?}");
    let doubt = alerts.iter().find(|alert| alert.kind == AlertKind::PositionDoubt).expect("an alert");
    assert!(doubt.text.contains("own unit patrol-3 jumps"), "{}", doubt.text);
    assert!(engine.counters().get("own_positions_doubted") >= 1);
}

#[test]
fn a_beacon_whose_clock_is_wrong_is_told() {
    let mut engine = Engine::new(&config()).expect("valid configuration");
    let mut alerts = Vec::new();
    for second in [-400.0, -370.0, -330.0] {
        let now = received().plus_seconds(second);
        let content = message("meshtastic", with(&[("\"id\":305441742", &format!("\"id\":{}", 1_000.0 + second))]));
        for input in [Input::Frame(Frame { source: "x".into(), received: now, content }), Input::Tick] {
            alerts.extend(take(&mut engine, now, input));
        }
    }
    let told = alerts.into_iter().find(|alert| alert.kind == AlertKind::PositionDoubt).map(|alert| alert.text);
    let told = told.expect("an alert");
    assert!(told.contains("own unit patrol-3") && told.contains("its clock is 5 min ahead"), "{told}");
}

//! Codecs of other systems on messages of their shape: what is taken, what is a repeat, what is a state.

mod listener;

use listener::{Listener, Message, all_good, azimuth_deg, envelope, good, plots, received};
use vedette_engine::codec::{Measured, Reading, Reason, Spot};
use vedette_engine::{Direction, Engine, Frame, FrameContent, Input};

fn hear(message: &Message) -> Vec<(usize, Measured)> {
    plots(&Listener::new().hear(message).0)
}

#[test]
fn a_good_message_of_each_format_is_one_reading_of_its_time() {
    for message in all_good() {
        let (readings, report) = Listener::new().hear(&message);
        assert_eq!(report.faults, [], "{}", message.codec);
        let times: Vec<f64> = readings
            .iter()
            .filter_map(|reading| match reading {
                Reading::Plots(plots) => Some(received().seconds_since(plots.time)),
                Reading::OwnPosition(own) => Some(received().seconds_since(own.time)),
                Reading::Weather(_) => None,
                Reading::Health(_) => None,
            })
            .collect();
        let whole_seconds = message.codec == "meshtastic_protobuf" || message.codec == "meshtastic_serial";
        let expected_s = if message.codec == "zigbee2mqtt" {
            0.0
        } else if whole_seconds {
            1.0
        } else {
            0.5
        };
        assert!(matches!(times[..], [delay_s] if (delay_s - expected_s).abs() < 1e-6), "{}: {times:?}", message.codec);
    }
}

#[test]
fn what_a_broker_had_kept_is_no_detection_in_any_format() {
    for message in all_good() {
        let (readings, report) = Listener::new().hear_as(&message, true);
        assert_eq!(readings, [], "{}", message.codec);
        assert_eq!(report.faults[0].reason, Reason::Retained, "{}", message.codec);
    }
}

#[test]
fn the_middle_of_the_image_is_the_heading_and_its_edge_half_the_view() {
    for codec in ["onvif", "axis", "frigate"] {
        let (readings, _) = Listener::new().hear(&good(codec));
        assert!((azimuth_deg(&readings) - 90.0).abs() < 1e-9, "{codec}: {readings:?}");
    }
    let edge = good("frigate").with("600,100,680,300", "1280,0,1280,10");
    assert!((azimuth_deg(&Listener::new().hear(&edge).0) - 120.0).abs() < 1e-9);
}

#[test]
fn each_format_drops_what_comes_again_by_its_own_key() {
    for message in all_good().into_iter().filter(|message| !["zigbee2mqtt", "cot"].contains(&message.codec)) {
        let mut listener = Listener::new();
        let first = listener.hear(&message);
        let second = listener.hear(&message);
        assert_eq!((plots(&first.0).len(), plots(&second.0).len()), (1, 0), "{}", message.codec);
        assert_eq!(second.1.faults[0].reason, Reason::Duplicate, "{}", message.codec);
    }
}

#[test]
fn a_packet_that_two_gateways_bring_is_one_even_with_two_times() {
    let mut listener = Listener::new();
    let (first, other) = (good("meshtastic"), good("meshtastic").with("1772331247.5", "1772331244"));
    assert_eq!(plots(&listener.hear(&first).0).len(), 1);
    assert_eq!(listener.hear(&other).1.faults[0].reason, Reason::Duplicate);
    assert_eq!(listener.hear(&good("meshtastic_protobuf")).1.faults[0].reason, Reason::Duplicate);
    let uplink = good("chirpstack");
    assert_eq!(plots(&listener.hear(&uplink).0).len(), 1);
    assert_eq!(listener.hear(&uplink.with("07.500", "06.000")).1.faults[0].reason, Reason::Duplicate);
}

#[test]
fn a_receiver_that_never_knew_the_time_still_hands_over_detections() {
    for stamp in ["0", "77", "null"] {
        let message = good("meshtastic").with("1772331247.5", stamp);
        let (readings, report) = Listener::new().hear(&message);
        assert_eq!((plots(&readings).len(), report.faults.len()), (1, 0), "{stamp}");
    }
}

#[test]
fn a_state_counts_when_it_begins_and_a_kept_one_only_sets_the_edge() {
    let mut listener = Listener::new();
    let mut hear = |(state, retained)| {
        let message = good("zigbee2mqtt").with("\"occupancy\":true", &format!("\"occupancy\":{state}"));
        plots(&listener.hear_as(&message, retained).0).len()
    };
    let told = [(true, true), (true, false), (false, false), (true, false), (true, false)];
    assert_eq!(told.map(&mut hear), [0, 0, 0, 1, 0]);
}

#[test]
fn a_property_of_a_camera_counts_when_it_turns_true() {
    let topic = "cams/onvif-ej/VideoAnalytics/profile-1/CellMotionDetector/Motion";
    let event = |value: &str| {
        let text = format!(r#"{{"UtcTime":"2026-03-01T02:14:07.5","Source":{{}},"Data":{{"IsMotion":{value}}}}}"#);
        Message { bytes: text.into_bytes(), ..good("onvif").at(topic) }
    };
    let mut listener = Listener::new();
    let told = ["true", "\"true\"", "false", "1"].map(|value| plots(&listener.hear(&event(value)).0));
    assert_eq!(told.map(|plots| plots.len()), [1, 0, 0, 1]);
    let (readings, report) = listener.hear(&event("{}"));
    assert_eq!(
        (readings.len(), report.faults[0].to_string()),
        (0, "Data.IsMotion: expected true or false, got an object".into())
    );
    let crossed = Message { topic: topic.replace("CellMotionDetector/Motion", "LineDetector/Crossed"), ..event("{}") };
    let crossed = crossed.with("\"IsMotion\":{}", "\"ObjectId\":\"15\"");
    assert_eq!(plots(&Listener::new().hear(&crossed).0).len(), 1);
}

#[test]
fn an_uplink_means_what_the_configuration_says() {
    let uplink =
        |eui: &str, object: &str| good("chirpstack").with("70b3d57ed0001234", eui).with("\"motion\":true", object);
    let crossing = |direction| vec![(2, Measured::Crossing { direction })];
    assert_eq!(hear(&uplink("70b3d57ed0005678", "\"beam\":2")), crossing(None));
    assert_eq!(hear(&uplink("70b3d57ed0005678", "\"beam\":1,\"way\":\"out\"")), crossing(Some(Direction::Out)));
    assert_eq!(hear(&uplink("70b3d57ed0005678", "\"beam\":0")), []);
    assert_eq!(hear(&uplink("70b3d57ed0005678", "\"other\":1")), []);
    assert_eq!(hear(&uplink("70b3d57ed0009abc", "\"x\":1")), [(3, Measured::Presence { strength: None })]);
    assert_eq!(hear(&uplink("70b3d57ed0009abc", "\"x\":1").with("qgQ=", "qgA=")), []);
    let measured = hear(&uplink("70b3d57ed000def0", "\"level\":52.5,\"echo\":{\"m\":31.5,\"deg\":270}"));
    assert!(
        matches!(measured[..], [(4, Measured::RangeBearing { range_m: 31.5, azimuth_deg: 270.0, .. })]),
        "{measured:?}"
    );
    assert_eq!(hear(&uplink("70b3d57ed000def0", "\"level\":39,\"echo\":{\"m\":31.5}")), []);
    let tampered = good("chirpstack").with("\"open\":false", "\"open\":true");
    let (readings, _) = Listener::new().hear(&tampered);
    assert!(format!("{readings:?}").contains("tamper: Some"), "{readings:?}");
}

#[test]
fn a_repeated_press_is_one_event_and_the_next_one_is_another() {
    let mut listener = Listener::new();
    let mut press = |second: &str| plots(&listener.hear(&good("rtl_433").with("07.5Z", second)).0).len();
    assert_eq!(["01.0Z", "01.3Z", "03.5Z", "05.0Z"].map(&mut press), [1, 0, 0, 1]);
    for quiet in ["\"motion\":0", "\"heartbeat\":1", "\"tamper\":1", "\"state\":\"closed\""] {
        let message = good("rtl_433").with("\"battery_ok\":1", quiet);
        assert_eq!(hear(&message), [], "{quiet}");
    }
    let local = good("rtl_433").with("2026-03-01T02:14:07.5Z", "2026-03-01 07:14:07");
    assert_eq!(hear(&local).len(), 1, "a local time is not believed, the reception is");
}

#[test]
fn both_forms_of_a_direction_finder_agree_and_its_heading_is_added() {
    for codec in ["kraken", "kraken_csv"] {
        let (readings, _) = Listener::new().hear(&good(codec));
        assert!((azimuth_deg(&readings) - 282.0).abs() < 1e-9, "{codec}");
    }
    let mobile = good("kraken").with("KR01", "KR02");
    let (readings, _) = Listener::new().hear(&mobile);
    let Some(Reading::Plots(plots)) = readings.first() else { panic!("{readings:?}") };
    let stand = plots.at.expect("a place");
    assert_eq!((stand.spot, stand.heading_deg), (Spot::Wgs84 { lat: 52.001, lon: 23.6 }, Some(12.0)));
}

#[test]
fn a_patrol_is_known_by_its_uid_or_its_callsign_and_others_are_not_followed() {
    let own = |message: &Message| Listener::new().hear(message);
    let (readings, _) = own(&good("cot").with("ANDROID-3c1f", "ANDROID-ffff"));
    let Some(Reading::OwnPosition(position)) = readings.first() else { panic!("{readings:?}") };
    assert_eq!((position.unit, position.spot), (0, Spot::Wgs84 { lat: 52.001, lon: 23.6 }));
    assert!((position.sd_m - 8.0 / 2.0_f64.sqrt()).abs() < 1e-12);
    let stranger = good("cot").with("ANDROID-3c1f", "X").with("Wolf 3", "Bear 1");
    assert_eq!(own(&stranger).1.faults[0].reason, Reason::UnknownUnit);
    assert_eq!(own(&good("cot").with("a-f-G-U-C", "a-h-G")), (Vec::new(), vedette_engine::codec::Report::default()));
}

#[test]
fn a_message_of_the_mesh_that_is_no_detection_is_passed_over() {
    let chat = good("meshtastic").with("\"type\":\"detection\"", "\"type\":\"text\"");
    let (readings, report) = Listener::new().hear(&chat);
    assert_eq!((readings.len(), report.faults.len()), (0, 0));
    let heartbeat = Message { bytes: envelope(2, b"PIR-N3 state: 0"), ..good("meshtastic_serial") };
    let (readings, report) = Listener::new().hear(&heartbeat);
    assert!(matches!(readings[..], [Reading::Health(_)]) && report.faults.is_empty(), "{readings:?}");
    // Field 7 of what a node says: the end of its configuration.
    let configured = Message { bytes: vec![7 << 3, 5], ..good("meshtastic_serial") };
    assert_eq!(Listener::new().hear(&configured), (Vec::new(), vedette_engine::codec::Report::default()));
}

#[test]
fn objects_keep_a_number_of_their_own_as_a_hint() {
    let objects = |message: &Message| -> Vec<Option<u64>> {
        let (readings, _) = Listener::new().hear(message);
        readings
            .iter()
            .flat_map(|reading| match reading {
                Reading::Plots(plots) => plots.plots.iter().map(|plot| plot.object).collect(),
                _ => Vec::new(),
            })
            .collect()
    };
    for (codec, other) in
        [("onvif", "\"@ObjectId\":16"), ("axis", "\"track_id\":\"8\""), ("frigate", "\"id\":\"1.5-b\"")]
    {
        let old = ["\"@ObjectId\":15", "\"track_id\":\"7\"", "\"id\":\"1.5-a\""].into_iter();
        let message = good(codec);
        let old = old.into_iter().find(|old| message.text().contains(old)).expect("an object's name");
        let (first, second) = (objects(&message), objects(&message.with(old, other)));
        assert!(first[0].is_some() && first != second, "{codec}: {first:?} {second:?}");
    }
}

#[test]
fn a_sensor_nobody_configured_is_listed_with_the_lines_that_admit_it() {
    let names = [
        ("front_door", "back_door"),
        ("profile-1", "profile-9"),
        ("gate-cam", "B8A44F000000"),
        ("70b3d57ed0001234", "70b3d57ed000ffff"),
        ("hall_sensor", "field/pir 9"),
        ("800a2", "800ff"),
        ("1128077868", "77"),
        ("KR01", "KR09"),
    ];
    let mut engine = Engine::new(&listener::config()).expect("valid configuration");
    for message in
        all_good().into_iter().filter(|message| !message.codec.starts_with("meshtastic_") && message.codec != "cot")
    {
        let strange = |text: &str| names.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new));
        let topic = Some(strange(&message.topic));
        let bytes = strange(message.text()).into_bytes();
        let content = FrameContent::Message { codec: message.codec.into(), topic, retained: false, bytes };
        let frame = Frame { source: message.codec.into(), received: received(), content };
        engine.handle(received(), Input::Frame(frame), &mut Vec::new());
    }
    let unknown = engine.status().unknown_sensors;
    let told: String = unknown
        .iter()
        .map(|sensor| format!("# {}: {}\n{}\n", sensor.codec, sensor.id, sensor.configuration()))
        .collect();
    insta::assert_snapshot!(told);
    // Pasted behind the site, the lines are a configuration.
    let lines: String = unknown.iter().map(vedette_engine::UnknownSensor::configuration).collect();
    let text = format!("[site]\nid = \"x\"\norigin = {{ lat = 52.0, lon = 23.6 }}\n{lines}");
    let config: vedette_engine::config::EngineConfig = toml::from_str(&text).expect("valid TOML");
    assert_eq!(config.faults(), []);
}

#[test]
fn a_deleted_topic_is_nothing() {
    for codec in ["onvif", "zigbee2mqtt"] {
        let message = Message { bytes: Vec::new(), ..good(codec) };
        assert_eq!(Listener::new().hear_as(&message, true), (Vec::new(), vedette_engine::codec::Report::default()));
    }
}

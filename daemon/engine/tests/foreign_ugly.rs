//! Codecs of other systems on ugly messages: every one gets an answer, and the good items of a half-bad one survive.

mod listener;

use listener::{Listener, Message, all_good, good, plots, received};
use proptest::prelude::*;
use serde_json::{Value, json};
use vedette_engine::codec::{Measured, Reading, Report};
use vedette_engine::{Engine, Frame, FrameContent, Input};

/// Values no sender should send; the first is what JSON has no word for.
fn ugly_values() -> Vec<Value> {
    let mut values = vec![
        json!("@NAN@"),
        json!("@INFINITY@"),
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!(4_294_967_296_u64),
    ];
    values.extend([
        json!(""),
        json!("seven"),
        json!("1970-01-01T00:00:00Z"),
        json!("9999-12-31T23:59:59Z"),
        json!("\u{0}\u{7f}ž"),
    ]);
    values.extend([json!([]), json!({}), json!([[[[]]]]), json!({"lat": 1}), json!(vec![0.5; 3_000])]);
    values
}

fn written(value: &Value) -> Vec<u8> {
    let text = value.to_string().replace("\"@NAN@\"", "NaN").replace("\"@INFINITY@\"", "-Infinity");
    text.into_bytes()
}

/// Paths to every value of a message.
fn paths(value: &Value, path: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                out.push(path.clone());
                paths(value, &path, out);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                let path = format!("{path}/{index}");
                out.push(path.clone());
                paths(value, &path, out);
            }
        }
        _ => {}
    }
}

fn is_json(message: &Message) -> bool {
    message.bytes.first() == Some(&b'{')
}

/// What an answer must be, whatever the message was.
fn check(message: &Message, readings: &[Reading], report: &Report) {
    let place = || format!("{}: {}", message.codec, String::from_utf8_lossy(&message.bytes));
    for fault in &report.faults {
        assert!(!fault.field.is_empty() && !fault.expected.is_empty(), "{fault:?} of {}", place());
    }
    for (_, measured) in plots(readings) {
        let sound = match measured {
            Measured::Bearing { azimuth_deg, azimuth_sd_deg } => {
                azimuth_deg.is_finite() && azimuth_sd_deg.is_none_or(|sd| sd > 0.0 && sd.is_finite())
            }
            Measured::Range { range_m, .. } => (0.0..=100_000.0).contains(&range_m),
            Measured::RangeBearing { range_m, azimuth_deg, .. } => range_m.is_finite() && azimuth_deg.is_finite(),
            _ => true,
        };
        assert!(sound, "{measured:?} of {}", place());
    }
    for reading in readings {
        if let Reading::Plots(plots) = reading {
            let age_s = received().seconds_since(plots.time);
            assert!((-1.0..=3_600.0).contains(&age_s), "{age_s} of {}", place());
        }
    }
}

/// Handles the message as the daemon would, to see that geometry and tracker get along with what the codec let through.
fn through_the_engine(engine: &mut Engine, message: &Message) {
    let bytes = message.bytes.clone();
    let content = FrameContent::Message {
        codec: message.codec.into(),
        topic: Some(message.topic.clone()),
        retained: false,
        bytes,
    };
    let frame = Frame { source: "x".into(), received: received(), content };
    engine.handle(received(), Input::Frame(frame), &mut Vec::new());
}

#[test]
fn every_ugly_value_in_every_place_is_a_reading_or_a_named_fault() {
    let mut engine = Engine::new(&listener::config()).expect("valid configuration");
    let mut tried = 0;
    for message in all_good().into_iter().filter(is_json) {
        let whole: Value = serde_json::from_slice(&message.bytes).expect("JSON");
        let mut all = Vec::new();
        paths(&whole, "", &mut all);
        for path in &all {
            for ugly in ugly_values() {
                let mut changed = whole.clone();
                *changed.pointer_mut(path).expect("the path is of this message") = ugly;
                let changed = Message { bytes: written(&changed), ..message.clone() };
                let (readings, report) = Listener::new().hear(&changed);
                check(&changed, &readings, &report);
                through_the_engine(&mut engine, &changed);
                tried += 1;
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn a_missing_field_is_named_unless_nobody_needs_it() {
    let mut told = String::new();
    for message in all_good().into_iter().filter(is_json) {
        let whole: Value = serde_json::from_slice(&message.bytes).expect("JSON");
        let mut all = Vec::new();
        paths(&whole, "", &mut all);
        for path in all {
            let (above, name) = path.rsplit_once('/').expect("paths begin with a slash");
            let mut changed = whole.clone();
            let Some(Value::Object(fields)) = changed.pointer_mut(above) else { continue };
            fields.remove(&name.replace("~1", "/"));
            let changed = Message { bytes: written(&changed), ..message.clone() };
            let (readings, report) = Listener::new().hear(&changed);
            if let Some(fault) = report.faults.first() {
                let (codec, count) = (message.codec, plots(&readings).len());
                told.push_str(&format!("{codec} without {path}: {count} plots; {}: {fault}\n", fault.reason.name()));
            } else {
                assert!(plots(&readings).len() <= 1, "{path}");
            }
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn the_good_objects_of_a_frame_survive_the_bad_ones() {
    let bad_objects = [
        "7",
        "null",
        "{}",
        "[]",
        "{\"Appearance\":7}",
        "{\"Appearance\":{\"Shape\":{\"BoundingBox\":{\"@left\":NaN}}}}",
        "{\"bounding_box\":{\"left\":\"a\"}}",
        "{\"bounding_box\":{\"left\":0.7,\"right\":0.1,\"top\":0,\"bottom\":1}}",
    ];
    for (codec, start) in [("onvif", "\"Object\":["), ("axis", "\"detections\":[")] {
        for bad in bad_objects {
            let message = good(codec).with(start, &format!("{start}{bad},{bad},"));
            let (readings, report) = Listener::new().hear(&message);
            assert_eq!((plots(&readings).len(), report.faults.len()), (1, 2), "{codec} {bad}: {report:?}");
            assert_eq!(report.faults[1].plot, Some(1), "{codec} {bad}");
            let alone = good(codec).text().split(start).next().map(|head| format!("{head}{start}{bad}]}}]}}"));
            let _ = Listener::new().hear(&Message { bytes: alone.unwrap_or_default().into_bytes(), ..good(codec) });
        }
    }
}

#[test]
fn a_frame_whose_objects_are_all_bad_is_no_empty_frame() {
    let message = good("axis").with("\"left\":0.4", "\"left\":9.5");
    let (readings, report) = Listener::new().hear(&message);
    assert_eq!((readings.len(), report.faults.len()), (0, 1));
    let empty =
        Message { bytes: br#"{"timestamp":"2026-03-01T02:14:07.5Z","detections":[]}"#.to_vec(), ..good("axis") };
    let (readings, _) = Listener::new().hear(&empty);
    assert!(matches!(&readings[..], [Reading::Plots(plots)] if plots.plots.is_empty()));
}

#[test]
fn huge_arrays_are_cut_and_said() {
    let object = r#"{"bounding_box":{"left":0.4,"right":0.6,"top":0.1,"bottom":0.9}},"#;
    let many = object.repeat(1_500);
    let message = good("axis").with("\"detections\":[", &format!("\"detections\":[{many}"));
    let (readings, report) = Listener::new().hear(&message);
    assert_eq!((plots(&readings).len(), report.faults[0].reason.name()), (1_000, "too_many_plots"));
    let larger = Message { bytes: vec![b' '; (1 << 20) + 1], ..good("axis") };
    assert_eq!(Listener::new().hear(&larger).1.faults[0].reason.name(), "too_large");
}

#[test]
fn ugly_messages_name_field_expected_and_got() {
    let (frigate, onvif, axis, chirpstack) = (good("frigate"), good("onvif"), good("axis"), good("chirpstack"));
    let (rtl_433, mesh, cot, kraken) = (good("rtl_433"), good("meshtastic"), good("cot"), good("kraken"));
    let (csv, zigbee) = (good("kraken_csv"), good("zigbee2mqtt"));
    let messages = [
        frigate.with("600,100,680,300", "600,100,680"),
        frigate.with("600,", "1e9,"),
        frigate.with("0.87", "\"high\""),
        frigate.with("0.87", "87"),
        frigate.with("1772331247.5", "1772331247500"),
        frigate.with("1772331247.5", "NaN"),
        frigate.with("1772331247.5", "12.5"),
        frigate.with("1772331247.5", "1772999999"),
        Message { bytes: b"[]".to_vec(), ..frigate.clone() },
        Message { bytes: b"{\"type\":\"new\xff\"}".to_vec(), ..frigate.clone() },
        Message { bytes: b"{\"type\":".to_vec(), ..frigate.clone() },
        onvif.with("2026-03-01T02:14:07.5", "1970-01-01T00:00:07"),
        onvif.with("2026-03-01T02:14:07.5", "yesterday"),
        onvif.with("300.0", "-900.0"),
        onvif.with("\"@left\":300.0", "\"@left\":Infinity"),
        onvif.with("\"Frame\"", "\"frame\""),
        axis.with("\"left\":0.4", "\"left\":0.7"),
        axis.with("\"detections\"", "\"detection\""),
        axis.with("0.7", "1.7"),
        chirpstack.with("\"motion\":true", "\"motion\":\"maybe\""),
        chirpstack.with("\"batV\":3.1", "\"batV\":3100"),
        chirpstack.with("\"deduplicationId\":\"3ac7\",", ""),
        chirpstack.with("70b3d57ed0001234", "70b3d57ed0009abc").with("qgQ=", "not base64"),
        chirpstack.with("70b3d57ed0001234", "70b3d57ed0009abc").with("qgQ=", "qg=="),
        zigbee.with("\"voltage\":2900", "\"voltage\":-2"),
        zigbee.with("\"temperature\":11.5", "\"temperature\":\"warm\""),
        rtl_433.with("\"code\":\"800a2\"", "\"code\":null"),
        rtl_433.with("2026-03-01T02:14:07.5Z", "1999-03-01T02:14:07.5Z"),
        mesh.with("detected", "says hello"),
        mesh.with("1128077868", "-4"),
        mesh.with("1772331247.5", "1772999999"),
        kraken.with("\"90\"", "\"north\""),
        kraken.with("\"90\"", "\"NaN\""),
        csv.with("KR01", "KR77"),
        csv.with("270", "2700"),
        Message { bytes: b"1,2,3".to_vec(), ..csv.clone() },
        cot.with("lat=\"52.001\"", "lat=\"north\""),
        cot.with("lat=\"52.001\"", "lat=\"NaN\""),
        cot.with("lat=\"52.001\" ", ""),
        cot.with("02:15:00", "02:14:00"),
        cot.with("</event>", ""),
        cot.with("<event ", "<!DOCTYPE x [<!ENTITY a \"b\">]><event "),
        cot.with("ce=\"8.0\"", "ce=\"88000\""),
    ];
    let verdict = |message: &Message| {
        let (readings, report) = Listener::new().hear(message);
        let faults: Vec<_> = report.faults.iter().map(|fault| format!("{}: {fault}", fault.reason.name())).collect();
        format!("{}: {} plots; {}\n", message.codec, plots(&readings).len(), faults.join("; "))
    };
    insta::assert_snapshot!(messages.iter().map(verdict).collect::<String>());
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(which in any::<prop::sample::Index>(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let messages = all_good();
        let message = Message { bytes, ..messages[which.index(messages.len())].clone() };
        let (readings, report) = Listener::new().hear(&message);
        check(&message, &readings, &report);
    }

    #[test]
    fn a_good_message_changed_anywhere_gets_an_answer(
        which in any::<prop::sample::Index>(), changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<Option<prop::sample::Index>>(),
    ) {
        let messages = all_good();
        let mut message = messages[which.index(messages.len())].clone();
        for (at, byte) in changes {
            let at = at.index(message.bytes.len());
            message.bytes[at] = byte;
        }
        if let Some(cut) = cut {
            let length = cut.index(message.bytes.len());
            message.bytes.truncate(length);
        }
        let (readings, report) = Listener::new().hear(&message);
        check(&message, &readings, &report);
    }

    #[test]
    fn numbers_that_mean_something_else_get_an_answer(which in any::<prop::sample::Index>(), digit in any::<prop::sample::Index>(), number in any::<f64>()) {
        let messages: Vec<_> = all_good().into_iter().filter(is_json).collect();
        let message = &messages[which.index(messages.len())];
        let whole: Value = serde_json::from_slice(&message.bytes).expect("JSON");
        let mut all = Vec::new();
        paths(&whole, "", &mut all);
        let mut changed = whole.clone();
        let path = &all[digit.index(all.len())];
        *changed.pointer_mut(path).expect("the path is of this message") = json!(number);
        let changed = Message { bytes: written(&changed), ..message.clone() };
        let (readings, report) = Listener::new().hear(&changed);
        check(&changed, &readings, &report);
    }
}

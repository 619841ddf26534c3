//! Events as the receivers read them.

use proptest::prelude::*;
use vedette_engine::config::LatLon;
use vedette_engine::time::parse_rfc3339;
use vedette_engine::{AlertState, ClassProbabilities};

use super::*;

fn at() -> Timestamp {
    parse_rfc3339("2026-03-01T02:14:07.25Z").expect("a time")
}

fn seen_track() -> SeenTrack {
    SeenTrack {
        id: 42,
        place: LatLon { lat: 54.93, lon: 23.95 },
        covariance_m2: [9.0, 0.0, 16.0],
        localised: true,
        coasting: false,
        speed_mps: 1.12,
        course_deg: 63.4,
        velocity_mps: [1.0, 0.5],
        existence: 0.97,
        class: ClassProbabilities { person: 0.83, animal: 0.12, vehicle: 0.05 },
        count: (1, 2),
        first_seen: at(),
        last_seen: at(),
        seen_by: vec![("radar-1".to_owned(), at()), ("pir-2".to_owned(), at())],
    }
}

fn view() -> View {
    let sensor = SeenSensor {
        id: "pir-2".to_owned(),
        aliases: Vec::new(),
        kind: SensorKind::Pir,
        place: LatLon { lat: 54.931, lon: 23.951 },
        last_heard: Some(at()),
    };
    View {
        site: "gw07".to_owned(),
        origin: LatLon { lat: 54.9, lon: 23.9 },
        at: at(),
        tracks: vec![seen_track()],
        sensors: vec![sensor],
    }
}

fn raised() -> Alert {
    let expires = at().plus_seconds(600.0).as_micros();
    let text = format!(
        r#"{{"id":"0123456789abcdef","rev":1,"dedup_key":"zone/border/track-42","mode":"actual","severity":"high",
"kind":"crossing","zone":"border","state":"raised","place":{{"point":{{"lat":54.93,"lon":23.95,"ellipse":{{"major_m":20.0,"minor_m":10.0,"orientation_deg":0.0}}}}}},
"heading_deg":63.4,"speed_mps":1.12,"confidence":0.9,"contributors":[{{"sensor":"pir-2","share":0.8}}],"first_seen":0,"last_seen":0,
"expires_at":{expires},"erase_at":0,"text":"Probably a person crossed border inward <here> & now"}}"#
    );
    serde_json::from_str(&text).expect("an alert")
}

const FORM: AlertForm = AlertForm { from: Severity::Low, emergency_from: Severity::High };

fn xml(event: &Event) -> String {
    String::from_utf8(event.to_xml().expect("in memory")).expect("UTF-8")
}

#[test]
fn tracks_sensors_and_alerts_are_written_as_receivers_expect() {
    let view = view();
    let over = Alert { state: AlertState::Expired, ..raised() };
    let medium = Alert { severity: Severity::Medium, ..raised() };
    let test = Alert { mode: Mode::Test, severity: Severity::Critical, kind: AlertKind::Test, place: None, ..raised() };
    let events = [
        track(&seen_track(), "gw07", at(), at().plus_seconds(15.0)),
        track(&seen_track(), "gw07", at(), at().plus_seconds(15.0)).ended(at().plus_seconds(2.0)),
        sensor(&view.sensors[0], "gw07", at(), at().plus_seconds(180.0)),
        alert(&raised(), &view, at(), FORM).expect("severe enough"),
        alert(&over, &view, at(), FORM).expect("severe enough"),
        alert(&medium, &view, at(), FORM).expect("severe enough"),
        alert(&test, &view, at(), FORM).expect("severe enough"),
    ];
    let expected: [&[&str]; 7] = [
        &[
            r#"<event version="2.0" uid="gw07.track.42" type="a-u-G" how="m-f" time="2026-03-01T02:14:07.250Z" "#,
            r#"start="2026-03-01T02:14:07.250Z" stale="2026-03-01T02:14:22.250Z">"#,
            r#"<point lat="54.9300000" lon="23.9500000" hae="9999999.0" ce="5.0" le="9999999.0"/>"#,
            r#"<contact callsign="gw07 T42"/>"#,
            r#"<track course="63.4" speed="1.12"/>"#,
            "person 83 %, exists 97 %; seen by radar-1, pir-2",
        ],
        &[r#"stale="2026-03-01T02:14:09.250Z""#, r#"uid="gw07.track.42""#],
        &[r#"uid="gw07.sensor.pir-2" type="a-f-G-E-S""#, r#"ce="9999999.0""#, "infrared sensor, last heard 2026-03-01"],
        &[
            r#"uid="gw07.alert.0123456789abcdef" type="b-a-o-tbl""#,
            r#"stale="2026-03-01T02:24:07.250Z""#,
            r#"<link uid="gw07.track.42" type="a-u-G" relation="p-p"/>"#,
            r#"<emergency type="911 Alert">gw07 A01234567</emergency>"#,
            "inward &lt;here&gt; &amp; now",
        ],
        &[r#"type="b-a-o-can""#, r#"<emergency cancel="true">"#, r#"stale="2026-03-01T02:14:07.250Z""#],
        &[r#"type="b-d-m""#],
        &[r#"callsign="TEST gw07 A01234567""#, r#"type="b-d-m""#, r#"lat="54.9000000" lon="23.9000000""#],
    ];
    for (event, parts) in events.iter().zip(expected) {
        for part in parts {
            assert!(xml(event).contains(part), "{part} in {}", xml(event));
        }
    }
    assert!(!xml(&events[5]).contains("emergency") && !xml(&events[6]).contains("emergency"));
    assert_eq!(alert(&Alert { severity: Severity::Info, ..raised() }, &view, at(), FORM), None);
}

#[test]
fn a_likely_vehicle_has_a_type_of_its_own() {
    let class = ClassProbabilities { person: 0.1, animal: 0.1, vehicle: 0.8 };
    let event = track(&SeenTrack { class, ..seen_track() }, "gw07", at(), at());
    assert!(xml(&event).contains(r#"type="a-u-G-E-V""#));
}

proptest! {
    #[test]
    fn no_name_or_text_breaks_the_xml(id in ".{0,20}", text in ".{0,60}") {
        let mut alarmed = Alert { text: text.clone(), ..raised() };
        alarmed.id = id;
        let event = alert(&alarmed, &view(), at(), FORM).expect("severe enough");
        let written = xml(&event);
        let mut reader = quick_xml::Reader::from_str(&written);
        let mut events = 0;
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(quick_xml::events::Event::Start(start)) => {
                    for attribute in start.attributes() {
                        prop_assert!(attribute.is_ok(), "{written}");
                    }
                    events += 1;
                }
                Ok(_) => {}
                Err(error) => prop_assert!(false, "{error}: {written}"),
            }
        }
        prop_assert!(events >= 3);
    }
}

//! A camera's object ids reach the tracker as numbers, and leave the engine neither as text nor as numbers.

mod listener;

use vedette_engine::config::EngineConfig;
use vedette_engine::{Durable, Engine, Frame, FrameContent, Input, Output, Volatile};

const NAMES: [&str; 2] = ["QZ-4711", "QZ-4712"];

/// Two people whom one camera places by itself, walking abreast for a minute.
fn outputs(engine: &mut Engine) -> Vec<Output> {
    let mut out = Vec::new();
    for second in 0..60 {
        let north_deg = 52.0001 + 1.2e-5 * f64::from(second);
        let object = |(name, lon): (&str, f64)| {
            format!(
                r##"{{"@ObjectId":"{name}","Appearance":{{"GeoLocation":{{"@lat":{north_deg},"@lon":{lon}}},
"Class":{{"Type":[{{"@Likelihood":0.8,"#text":"Human"}}]}}}}}}"##
            )
        };
        let objects = [object((NAMES[0], 23.6005)), object((NAMES[1], 23.6006))].join(",");
        let text = format!(r#"{{"Frame":[{{"@UtcTime":"2026-03-01T02:15:{second:02}Z","Object":[{objects}]}}]}}"#);
        let now = listener::received().plus_seconds(52.1 + f64::from(second));
        let content = FrameContent::Message {
            codec: "onvif".into(),
            topic: Some("cams/onvif-mj/VideoAnalytics/profile-1/module".into()),
            retained: false,
            bytes: text.into_bytes(),
        };
        engine.handle(now, Input::Frame(Frame { source: "cams".into(), received: now, content }), &mut out);
    }
    out
}

fn engine() -> Engine {
    let zone = r#"
[[zone]]
name = "yard"
kind = "alert"
points_m = [[0.0, -100.0], [200.0, -100.0], [200.0, 300.0], [0.0, 300.0]]
"#;
    let config: EngineConfig = toml::from_str(&format!("{}{zone}", listener::SITE)).expect("valid TOML");
    Engine::new(&config).expect("a valid configuration")
}

#[test]
fn the_tracker_gets_a_number_for_each_object() {
    let mut numbers = Vec::new();
    for output in outputs(&mut engine().inspected()) {
        if let Output::Volatile(Volatile::Seen(seen)) = output {
            let mut of_scan: Vec<u64> = seen.scan.detections.iter().filter_map(|plot| plot.object).collect();
            of_scan.sort_unstable();
            numbers.push(of_scan);
        }
    }
    assert!(numbers.len() > 50, "{} scans", numbers.len());
    assert!(numbers[0].len() == 2 && numbers[0][0] != numbers[0][1]);
    assert!(numbers.iter().all(|of_scan| *of_scan == numbers[0]), "the same object, the same number");
}

#[test]
fn no_object_id_leaves_the_engine() {
    let mut watched = engine().inspected();
    let numbers = outputs(&mut watched).into_iter().find_map(|output| match output {
        Output::Volatile(Volatile::Seen(seen)) => Some(seen.scan.detections),
        _ => None,
    });
    let mut marks: Vec<String> = NAMES.map(str::to_owned).to_vec();
    marks.extend(numbers.expect("a scan").iter().filter_map(|plot| Some(plot.object?.to_string())));
    assert_eq!(marks.len(), 4);

    let mut engine = engine();
    let out = outputs(&mut engine);
    assert!(
        out.iter().any(|output| matches!(output, Output::Durable(Durable::Alert(_)))),
        "an alert goes to the centre"
    );
    let picture = engine.picture(listener::received().plus_seconds(112.0));
    assert!(!picture.tracks.is_empty());
    let told = serde_json::to_string(&(&out, &picture, engine.status())).expect("plain data");
    for mark in marks {
        assert!(!told.contains(&mark), "{mark}");
    }
}

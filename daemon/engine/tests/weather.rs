//! A weather station's messages, and what becomes of them.

use vedette_engine::config::EngineConfig;
use vedette_engine::time::parse_rfc3339;
use vedette_engine::{Engine, Frame, FrameContent, Input};

const SITE: &str = r#"
[site]
id = "gate-1"
origin = { lat = 52.0, lon = 23.6 }

[weather]
id = "mast-1"
aliases = ["Fineoffset-WHx080:77"]
"#;

fn heard(messages: &[(&str, &str)]) -> Engine {
    let config: EngineConfig = toml::from_str(SITE).expect("valid TOML");
    let mut engine = Engine::new(&config).expect("valid configuration");
    let mut now = parse_rfc3339("2026-03-01T02:14:08Z").expect("a time");
    for (codec, text) in messages {
        let bytes = text.as_bytes().to_vec();
        let content = FrameContent::Message { codec: (*codec).to_owned(), topic: None, retained: false, bytes };
        engine.handle(now, Input::Frame(Frame { source: "x".into(), received: now, content }), &mut Vec::new());
        now = now.plus_seconds(60.0);
    }
    engine
}

#[test]
fn a_station_is_heard_in_its_own_format_and_by_rtl_433() {
    let own = heard(&[
        ("weather", r#"{"v":1,"weather":"mast-1","wind_mps":4.0,"rain_total_mm":812.5,"temperature_c":3.5}"#),
        ("weather", r#"{"v":1,"weather":"mast-1","rain_total_mm":814.0}"#),
    ]);
    let foreign = heard(&[
        (
            "rtl_433",
            r#"{"time":"2026-03-01 03:14:07","model":"Fineoffset-WHx080","id":77,"battery_ok":1,"temperature_C":3.5,
            "wind_avg_km_h":14.4,"rain_mm":812.5}"#,
        ),
        ("rtl_433", r#"{"model":"Fineoffset-WHx080","id":77,"rain_mm":814.0}"#),
    ]);
    for engine in [own, foreign] {
        let status = engine.status();
        let now = status.weather.expect("weather");
        assert_eq!((now.rain_mm, now.temperature_c), (Some(1.5), Some(3.5)));
        assert!(now.wind_mps.is_some_and(|mps| (mps - 4.0).abs() < 1e-9), "{now:?}");
        assert!(status.recent_faults.is_empty() && status.unknown_sensors.is_empty(), "{:?}", status.recent_faults);
        assert_eq!(engine.counters().get("weather_reports"), 2);
    }
}

#[test]
fn a_strangers_weather_is_not_taken_and_a_number_that_cannot_be_costs_itself_alone() {
    let engine = heard(&[
        ("weather", r#"{"v":1,"weather":"mast-2","rain_total_mm":812.5}"#),
        ("weather", "{}"),
        ("weather", ""),
    ]);
    assert_eq!((engine.status().weather, engine.status().recent_faults.len()), (None, 3));
    let engine =
        heard(&[("weather", r#"{"weather":"mast-1","wind_mps":-3,"rain_total_mm":"much","temperature_c":7}"#)]);
    let faults: Vec<String> = engine.status().recent_faults.iter().map(|(.., fault)| fault.to_string()).collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    let now = engine.status().weather.expect("weather");
    assert_eq!((now.wind_mps, now.rain_mm, now.temperature_c), (None, None, Some(7.0)));
}

#[test]
fn the_weather_survives_a_snapshot() {
    let engine = heard(&[
        ("weather", r#"{"weather":"mast-1","rain_total_mm":1}"#),
        ("weather", r#"{"weather":"mast-1","rain_total_mm":5}"#),
    ]);
    let bytes = engine.snapshot_bytes().expect("bytes");
    let config: EngineConfig = toml::from_str(SITE).expect("valid TOML");
    let restored =
        Engine::restore(&config, vedette_engine::Snapshot::from_bytes(&bytes).expect("a snapshot")).expect("fits");
    assert_eq!(restored.status().weather.and_then(|now| now.rain_mm), Some(4.0));
    assert_eq!(restored.status(), engine.status());
}

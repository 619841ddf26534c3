//! A camera that only tells of events says nothing in a quiet night, and is not silent for that.

mod listener;

use listener::{Message, good, received};
use vedette_engine::config::EngineConfig;
use vedette_engine::{Alert, AlertKind, Durable, Engine, Fact, Frame, FrameContent, Input, Output, Severity};

const TEN_MINUTES_S: f64 = 600.0;

/// Whether the camera of the site is told silent within ten minutes after these messages, a second apart.
fn told_silent(messages: &[Message], keys: &str) -> bool {
    told(messages, keys, &[], TEN_MINUTES_S).is_some()
}

/// What is told of the camera's silence so long after these messages, on a site with sources of these formats.
fn told(messages: &[Message], keys: &str, formats: &[&str], within_s: f64) -> Option<Alert> {
    let site = listener::SITE.replacen("kind = \"camera\"", &format!("kind = \"camera\"\n{keys}"), 1);
    let mut config: EngineConfig = toml::from_str(&site).expect("valid TOML");
    config.formats = formats.iter().map(|&name| name.to_owned()).collect();
    let mut engine = Engine::new(&config).expect("valid configuration");
    let (mut out, mut now) = (Vec::new(), received());
    for message in messages {
        let content = FrameContent::Message {
            codec: message.codec.into(),
            topic: Some(message.topic.clone()),
            retained: false,
            bytes: message.bytes.clone(),
        };
        engine.handle(now, Input::Frame(Frame { source: "x".into(), received: now, content }), &mut out);
        now = now.plus_seconds(1.0);
    }
    let end = now.plus_seconds(within_s);
    while now < end {
        now = now.plus_seconds(f64::max(5.0, within_s / 2_000.0));
        engine.handle(now, Input::Tick, &mut out);
    }
    assert_eq!(engine.status().sensors[0].messages, u64::try_from(messages.len()).expect("a few"));
    let mut alerts = out.into_iter().filter_map(|output| match output {
        Output::Durable(Durable::Alert(alert)) => Some(*alert),
        _ => None,
    });
    let told = alerts.find(|alert| alert.kind == AlertKind::SensorSilent && alert.text.contains("gate-cam"));
    assert_eq!(
        alerts.filter(|alert| alert.kind == AlertKind::SensorSilent && alert.text.contains("gate-cam")).count(),
        0
    );
    told
}

/// A camera's motion detection: an event beside its scans.
fn motion() -> Message {
    let text = r#"{"UtcTime":"2026-03-01T02:14:07.5","Source":{},"Data":{"IsMotion":true}}"#;
    let topic = "cams/onvif-ej/VideoAnalytics/profile-1/CellMotionDetector/Motion";
    Message { bytes: text.into(), ..good("onvif").at(topic) }
}

#[test]
fn a_camera_is_missed_only_when_its_format_would_tell_that_it_sees_nothing() {
    let (frigate, scan, native) = (
        [good("frigate")],
        good("onvif"),
        Message {
            codec: "native",
            topic: String::new(),
            bytes: br#"{"v":1,"sensor":"gate-cam","t":"2026-03-01T02:14:07.5Z","plots":[]}"#.to_vec(),
        },
    );
    let silent = |messages: &[Message]| told_silent(messages, "");
    assert!(!silent(&frigate));
    assert!(!silent(&[motion()]));
    assert!(silent(&[native]) && silent(&[good("axis")]));
    assert!(silent(&[scan.clone(), motion()]) && silent(&[motion(), scan]), "its scans have ended");
    assert!(!silent(&[]), "it may tell of events alone, and none has happened");
    for key in ["reports_empty_scans = true", "silent_after_s = 300.0"] {
        assert!(told_silent(&frigate, key), "{key}");
    }
    assert!(!told_silent(&[good("axis")], "reports_empty_scans = false"));
}

#[test]
fn a_camera_that_was_never_heard_is_told_of_once_when_something_should_have_happened() {
    let events = ["frigate", "native"];
    let of_events = |within_s| told(&[], "", &events, within_s);
    assert_eq!(of_events(23.9 * 3_600.0), None);
    let alert = of_events(72.0 * 3_600.0).expect("a day without an event is long");
    assert_eq!(alert.severity, Severity::Low);
    assert_eq!(
        alert.text,
        "Camera gate-cam never heard in the 24 h since the start. It may tell of events alone and have had none; if it \
         is not there, what moves in its ground is not seen by it."
    );
    // Where every source would tell of quiet, and where the configuration says so, the start alone is waited for.
    for (keys, formats) in
        [("", &["native", "axis"][..]), ("reports_empty_scans = true", &events), ("silent_after_s = 60.0", &events)]
    {
        assert_eq!(told(&[], keys, formats, 290.0), None, "{keys} {formats:?}");
        let alert = told(&[], keys, formats, TEN_MINUTES_S).expect("an alert");
        assert!(
            alert.severity == Severity::Medium && alert.text.contains("never heard since the start"),
            "{}",
            alert.text
        );
    }
}

/// The gateway was without power for ten minutes; its sensors get theirs with it.
#[test]
fn who_was_heard_before_an_outage_is_given_time_to_get_going_again() {
    let config: EngineConfig = toml::from_str(listener::SITE).expect("valid TOML");
    let mut engine = Engine::new(&config).expect("valid configuration");
    let message = good("axis");
    let content = FrameContent::Message {
        codec: message.codec.into(),
        topic: Some(message.topic.clone()),
        retained: false,
        bytes: message.bytes.clone(),
    };
    let (mut out, heard) = (Vec::new(), received());
    engine.handle(heard, Input::Frame(Frame { source: "x".into(), received: heard, content }), &mut out);
    let back = heard.plus_seconds(600.0);
    engine.handle(back, Input::Fact(Fact::Started { nonce: 7 }), &mut out);
    let mut silent_after_s = |second: f64| {
        engine.handle(back.plus_seconds(second), Input::Tick, &mut out);
        engine.open_alerts().any(|alert| alert.kind == AlertKind::SensorSilent && alert.text.contains("gate-cam"))
    };
    assert!(!silent_after_s(0.2) && !silent_after_s(290.0) && silent_after_s(310.0));
}

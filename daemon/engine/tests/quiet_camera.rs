//! A camera that only tells of events says nothing in a quiet night, and is not silent for that.

mod listener;

use listener::{Message, good, received};
use vedette_engine::config::EngineConfig;
use vedette_engine::{AlertKind, Durable, Engine, Frame, FrameContent, Input, Output};

/// Whether the camera of the site is told silent within ten minutes after these messages, a second apart.
fn told_silent(messages: &[Message], keys: &str) -> bool {
    let site = listener::SITE.replacen("kind = \"camera\"", &format!("kind = \"camera\"\n{keys}"), 1);
    let config: EngineConfig = toml::from_str(&site).expect("valid TOML");
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
    for _ in 0..120 {
        now = now.plus_seconds(5.0);
        engine.handle(now, Input::Tick, &mut out);
    }
    assert_eq!(engine.status().sensors[0].messages, u64::try_from(messages.len()).expect("a few"));
    out.iter().any(|output| match output {
        Output::Durable(Durable::Alert(alert)) => {
            alert.kind == AlertKind::SensorSilent && alert.text.contains("gate-cam")
        }
        _ => false,
    })
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
    assert!(silent(&[]), "nobody has ever heard it");
    for key in ["reports_empty_scans = true", "silent_after_s = 300.0"] {
        assert!(told_silent(&frigate, key), "{key}");
    }
    assert!(!told_silent(&[good("axis")], "reports_empty_scans = false"));
}

//! A clock that is wrong is told of in whatever format its times come: else a sensor that reports all day is blind, and nobody knows.

mod listener;

use listener::{Message, all_good, good, received};
use vedette_engine::{Alert, AlertKind, AlertState, Durable, Engine, Frame, FrameContent, Input, Output, Timestamp};

/// The message, received a minute apart in time with these delays against its reception as it is meant.
fn hear(engine: &mut Engine, message: &Message, delays_s: &[f64]) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for &delay_s in delays_s {
        let now: Timestamp = received().plus_seconds(delay_s);
        let content = FrameContent::Message {
            codec: message.codec.into(),
            topic: Some(message.topic.clone()),
            retained: false,
            bytes: message.bytes.clone(),
        };
        for input in [Input::Frame(Frame { source: "x".into(), received: now, content }), Input::Tick] {
            let mut out = Vec::new();
            engine.handle(now, input, &mut out);
            alerts.extend(out.into_iter().filter_map(|output| match output {
                Output::Durable(Durable::Alert(alert)) => Some(*alert),
                _ => None,
            }));
        }
    }
    alerts
}

/// What is told of a clock: the alert that stays when its times cannot be right.
fn about_clock(alerts: &[Alert]) -> Vec<&Alert> {
    let told = |alert: &&Alert| matches!(alert.kind, AlertKind::SensorSilent | AlertKind::PositionDoubt);
    alerts.iter().filter(told).filter(|alert| alert.text.contains("clock") || alert.text.contains("stamped")).collect()
}

#[test]
fn a_clock_that_is_ahead_is_told_in_every_format_that_carries_a_time() {
    for message in all_good().into_iter().filter(|message| message.codec != "zigbee2mqtt") {
        let mut engine = Engine::new(&listener::config()).expect("valid configuration");
        let alerts = hear(&mut engine, &message, &[-400.0, -370.0, -330.0]);
        let told = about_clock(&alerts);
        assert_eq!(told.len(), 1, "{}: {alerts:#?}", message.codec);
        let (whose, kind) = match message.codec {
            "cot" => ("own unit patrol-3", AlertKind::PositionDoubt),
            _ => ("that sensor ", AlertKind::SensorSilent),
        };
        assert!(told[0].text.contains(whose) && told[0].kind == kind, "{}: {}", message.codec, told[0].text);
        assert!(told[0].text.contains("its clock is 5 min ahead"), "{}: {}", message.codec, told[0].text);
        // One good report is proof that it is right again.
        let after = hear(&mut engine, &message, &[0.0, 40.0]);
        let closed =
            after.iter().any(|alert| matches!(alert.state, AlertState::Closed { .. }) && alert.id == told[0].id);
        assert!(closed, "{}: {after:#?}", message.codec);
    }
}

/// A time server that fails, or this gateway's own clock, makes many clocks wrong: one alert that says so.
#[test]
fn many_wrong_clocks_are_one_cause() {
    let mut engine = Engine::new(&listener::config()).expect("valid configuration");
    let mut told = Vec::new();
    for delay_s in [-400.0, -370.0, -330.0, -320.0] {
        for codec in ["frigate", "rtl_433", "kraken"] {
            told.extend(hear(&mut engine, &good(codec), &[delay_s]));
        }
    }
    let texts: Vec<&str> = about_clock(&told).iter().map(|alert| alert.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("unused for their clocks")), "{texts:?}");
    assert!(texts.len() <= 2, "{texts:?}");
}

#[test]
fn a_clock_that_is_behind_is_told_and_a_burst_of_old_reports_is_not() {
    for codec in ["onvif", "axis", "frigate", "chirpstack", "rtl_433", "kraken", "cot"] {
        let hear_at = |delays_s: &[f64]| {
            let mut engine = Engine::new(&listener::config()).expect("valid configuration");
            let alerts = hear(&mut engine, &good(codec), delays_s);
            about_clock(&alerts).into_iter().map(|alert| alert.text.clone()).collect::<Vec<_>>()
        };
        let texts = hear_at(&[7_200.0, 7_230.0, 7_270.0]);
        assert!(matches!(&texts[..], [text] if text.contains("it is stamped as 2 h old")), "{codec}: {texts:?}");
        assert_eq!(hear_at(&[7_200.0, 7_201.0, 7_202.0, 7_203.0]), Vec::<String>::new(), "{codec}");
    }
}

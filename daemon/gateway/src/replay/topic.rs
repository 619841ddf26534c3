//! What an input is about, as text that a regular expression can pick.

use std::borrow::Cow;

use serde::Deserialize;
use vedette_engine::{FrameContent, Input};

/// The topic of an input:
///
/// - a broker's message: its own, `vedette/v1/north/sensor/radar-1/detections`;
/// - a line of a log: `log/sensor/radar-1/detections`, or `log` when it names no sensor;
/// - a radio frame: source and node, `radio-1/node/17`;
/// - `command`, `fact`, `clock`, `reconfigure`;
/// - none for a tick, which is time passing and belongs to no topic.
#[must_use]
pub fn topic(input: &Input) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        sensor: Cow<'a, str>,
    }
    Some(match input {
        Input::Frame(frame) => match &frame.content {
            FrameContent::Message { topic: Some(topic), .. } => topic.into(),
            FrameContent::Message { topic: None, bytes, .. } => match serde_json::from_slice::<Named<'_>>(bytes) {
                Ok(named) => format!("{}/sensor/{}/detections", frame.source, named.sensor).into(),
                Err(_) => (&frame.source).into(),
            },
            FrameContent::Radio(radio) => format!("{}/node/{}", frame.source, radio.node).into(),
        },
        Input::Tick => return None,
        Input::Command(_) => "command".into(),
        Input::Fact(_) => "fact".into(),
        Input::Clock { .. } => "clock".into(),
        Input::Reconfigure(_) => "reconfigure".into(),
    })
}

#[cfg(test)]
mod tests {
    use vedette_engine::{Frame, RadioFrame, Timestamp};

    use super::*;

    fn frame(source: &str, content: FrameContent) -> Input {
        Input::Frame(Frame { source: source.to_owned(), received: Timestamp::from_seconds(1), content })
    }

    #[test]
    fn topics_name_what_an_input_is_about() {
        let message = |topic: Option<&str>, bytes: &[u8]| {
            let (codec, topic) = ("native".to_owned(), topic.map(str::to_owned));
            FrameContent::Message { codec, topic, retained: false, bytes: bytes.to_vec() }
        };
        let radio =
            RadioFrame { node: 17, counter: 1, exercise: false, payload: Vec::new(), rssi_dbm: -90, snr_qdb: 8 };
        let inputs = [
            frame("field", message(Some("vedette/v1/north/sensor/radar-1/detections"), b"{}")),
            frame("log", message(None, br#"{"v":1,"sensor":"pir-\u0031","plots":[]}"#)),
            frame("log", message(None, b"no json")),
            frame("radio-1", FrameContent::Radio(radio)),
            Input::Clock { offset_micros: 1, sd_s: 0.1 },
            Input::Tick,
        ];
        let topics: Vec<Option<String>> = inputs.iter().map(|input| topic(input).map(Cow::into_owned)).collect();
        let expected = [
            Some("vedette/v1/north/sensor/radar-1/detections"),
            Some("log/sensor/pir-1/detections"),
            Some("log"),
            Some("radio-1/node/17"),
            Some("clock"),
            None,
        ];
        assert_eq!(topics, expected.map(|topic| topic.map(str::to_owned)));
    }
}

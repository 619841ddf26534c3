//! A site that listens to every foreign format, and one good message of each.

#![allow(dead_code, reason = "each test program uses its part")]

use vedette_engine::Timestamp;
use vedette_engine::codec::{CodecState, Context, Measured, Reading, Report, codec_named};
use vedette_engine::config::{EngineConfig, Site};
use vedette_engine::time::parse_rfc3339;

pub(crate) const SITE: &str = include_str!("../fixtures/foreign.toml");

pub(crate) fn config() -> EngineConfig {
    toml::from_str(SITE).expect("valid TOML")
}

/// When every message is received; all are stamped half a second earlier.
pub(crate) fn received() -> Timestamp {
    parse_rfc3339("2026-03-01T02:14:08Z").expect("a time")
}

pub(crate) struct Listener {
    site: Site,
    state: CodecState,
}

impl Listener {
    pub(crate) fn new() -> Self {
        Self { site: config().resolve().expect("valid configuration"), state: CodecState::default() }
    }

    pub(crate) fn hear_as(&mut self, message: &Message, retained: bool) -> (Vec<Reading>, Report) {
        let context =
            Context { site: &self.site, topic: Some(&message.topic), retained, received: received(), clocks: &[] };
        let mut readings = Vec::new();
        let decode = codec_named(message.codec).expect("a codec").decode;
        let report = decode(&message.bytes, &context, &mut self.state, &mut readings);
        (readings, report)
    }

    pub(crate) fn hear(&mut self, message: &Message) -> (Vec<Reading>, Report) {
        self.hear_as(message, false)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) codec: &'static str,
    pub(crate) topic: String,
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    fn new(codec: &'static str, topic: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { codec, topic: topic.to_owned(), bytes: bytes.into() }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("text")
    }

    /// The same with other text in it; the old text must be there.
    pub(crate) fn with(&self, old: &str, new: &str) -> Self {
        assert!(self.text().contains(old), "{old} in {}", self.text());
        Self { bytes: self.text().replacen(old, new, 1).into_bytes(), ..self.clone() }
    }

    pub(crate) fn at(&self, topic: &str) -> Self {
        Self { topic: topic.to_owned(), ..self.clone() }
    }
}

/// The plots of all readings with their sensors.
pub(crate) fn plots(readings: &[Reading]) -> Vec<(usize, Measured)> {
    let plots = readings.iter().filter_map(|reading| match reading {
        Reading::Plots(plots) => Some(plots.plots.iter().map(|plot| (plots.sensor, plot.measured))),
        _ => None,
    });
    plots.flatten().collect()
}

pub(crate) fn azimuth_deg(readings: &[Reading]) -> f64 {
    match plots(readings)[..] {
        [(_, Measured::Bearing { azimuth_deg, .. })] => azimuth_deg,
        ref other => panic!("{other:?}"),
    }
}

/// The good message of this codec.
pub(crate) fn good(codec: &str) -> Message {
    all_good().into_iter().find(|message| message.codec == codec).expect("a message for each codec")
}

/// One good message for each foreign codec.
pub(crate) fn all_good() -> Vec<Message> {
    vec![
        Message::new(
            "onvif",
            "cams/onvif-mj/VideoAnalytics/profile-1/module",
            r##"{"Frame":[{"@UtcTime":"2026-03-01T02:14:07.5","@Source":"x","Transformation":{"Translate":{"@x":-1.0,"@y":-1.0},
"Scale":{"@x":0.003125,"@y":0.004}},"Object":[{"@ObjectId":15,"Appearance":{"Shape":{"BoundingBox":{"@left":300.0,"@top":80.0,
"@right":340.0,"@bottom":30.0},"CenterOfGravity":{"@x":60.0,"@y":50.0}},"Color":{"ColorCluster":[{"Weight":0.9}]},
"Class":{"Type":[{"@Likelihood":0.8,"#text":"Human"}]},"HumanFace":{"Gender":"Male","Age":{"Min":20}}}}]}]}"##,
        ),
        Message::new(
            "axis",
            "gate-cam/com.axis.scene.frame.v1",
            r#"{"channel_id":1,"timestamp":"2026-03-01T02:14:07.500Z","detections":[{"track_id":"7","bounding_box":
{"left":0.4,"right":0.6,"top":0.1,"bottom":0.9},"class":{"type":"Human","score":0.7,"upper_clothing_colors":[{"name":"red"}]}}],
"track_events":[]}"#,
        ),
        Message::new(
            "frigate",
            "frigate/events",
            r#"{"type":"update","before":null,"after":{"id":"1.5-a","camera":"front_door","frame_time":1772331247.5,
"label":"person","top_score":0.95,"score":0.87,"box":[600,100,680,300],"false_positive":false,"region":[0,0,300,300],
"current_zones":["yard"],"thumbnail":null,"stationary":false}}"#,
        ),
        Message::new(
            "chirpstack",
            "application/1/device/70b3d57ed0001234/event/up",
            r#"{"deduplicationId":"3ac7","time":"2026-03-01T02:14:07.500+00:00","deviceInfo":{"tenantName":"t",
"devEui":"70b3d57ed0001234","deviceName":"x"},"fPort":1,"data":"qgQ=","object":{"motion":true,"batV":3.1,"text":"x",
"case":{"open":false}},"rxInfo":[{"gatewayId":"0016","rssi":-36,"snr":10.5}]}"#,
        ),
        Message::new(
            "zigbee2mqtt",
            "zigbee2mqtt/hall_sensor",
            r#"{"occupancy":true,"battery":87,"voltage":2900,"linkquality":70,"temperature":11.5,"battery_low":false,"tamper":false}"#,
        ),
        Message::new(
            "rtl_433",
            "rtl_433/host/events",
            r#"{"time":"2026-03-01T02:14:07.5Z","model":"Generic-Motion","code":"800a2","battery_ok":1}"#,
        ),
        Message::new(
            "meshtastic",
            "msh/EU_868/2/json/LongFast/!433d1a2c",
            r#"{"channel":0,"from":1128077868,"hops_away":1,"id":305441741,"payload":{"text":"PIR-N3 detected\u0007"},
"rssi":-92,"snr":7.25,"timestamp":1772331247.5,"to":4294967295,"type":"detection"}"#,
        ),
        Message::new("meshtastic_protobuf", "msh/EU_868/2/e/LongFast/!433d1a2c", envelope(1, b"PIR-N3 detected\x07")),
        Message::new("meshtastic_serial", "", envelope(2, b"PIR-N3 detected\x07")),
        Message::new(
            "kraken",
            "",
            r#"{"station_id":"KR01","tStamp":1772331247500,"latitude":"52.001","longitude":"23.6","gpsBearing":"12.0",
"radioBearing":"90","conf":"8.31","power":"-29.4","freq":394314000,"doaArray":"0.00,0.01","snr_db":14.2}"#,
        ),
        Message::new(
            "kraken_csv",
            "",
            "1772331247500, 270, 8.31, -29.4, 394314000, UCA, 412, KR01, 52.001, 23.6, 12.0, 12.0, GPS, R, R, R, R, 0.00, 0.01",
        ),
        Message::new(
            "cot",
            "",
            r#"<?xml version="1.0" encoding="UTF-8"?><event version="2.0" uid="ANDROID-3c1f" type="a-f-G-U-C" how="m-g"
time="2026-03-01T02:14:07.5Z" start="2026-03-01T02:14:07.5Z" stale="2026-03-01T02:15:00Z"><point lat="52.001" lon="23.6" hae="150"
ce="8.0" le="9999999.0"/><detail><contact callsign="Wolf 3"/><track course="63.4" speed="1.12"/></detail></event>"#,
        ),
    ]
}

/// One length-delimited field of a protobuf message.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).expect("a short field")];
    out.extend_from_slice(bytes);
    out
}

/// A detection's packet as field `number` of what carries it.
pub(crate) fn envelope(number: u8, text: &[u8]) -> Vec<u8> {
    let mut data = vec![1 << 3, 10];
    data.extend(field(2, text));
    let mut packet = vec![1 << 3 | 5];
    packet.extend(1_128_077_868_u32.to_le_bytes());
    packet.extend(field(4, &data));
    packet.push(6 << 3 | 5);
    packet.extend(305_441_741_u32.to_le_bytes());
    packet.push(7 << 3 | 5);
    packet.extend(1_772_331_247_u32.to_le_bytes());
    // A float (signal to noise) and what later versions add: skipped.
    packet.push(8 << 3 | 5);
    packet.extend(7.25_f32.to_le_bytes());
    packet.extend(field(15, b"new"));
    field(number, &packet)
}

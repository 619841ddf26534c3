//! Speed of the codecs of other systems, one message each: `cargo bench -p vedette-engine --bench foreign`. The item counts
//! are messages; below each line stands what it allocates.

#[path = "../tests/listener/mod.rs"]
mod listener;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use prost::Message as _;
use vedette_engine::codec::sapient::message::{
    Content, DetectionReport, RangeBearing, SapientMessage, Timestamp as Stamp,
};
use vedette_engine::codec::{CodecState, Context, codec_named};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const CODECS: [&str; 13] = [
    "onvif",
    "axis",
    "frigate",
    "chirpstack",
    "zigbee2mqtt",
    "rtl_433",
    "meshtastic",
    "meshtastic_protobuf",
    "meshtastic_serial",
    "kraken",
    "kraken_csv",
    "cot",
    "sapient",
];

/// The codecs of JSON whose messages are objects.
const JSON: [&str; 8] = ["onvif", "axis", "frigate", "chirpstack", "zigbee2mqtt", "rtl_433", "meshtastic", "kraken"];

#[divan::bench(args = CODECS)]
fn decode(bencher: Bencher<'_, '_>, codec: &str) {
    let (topic, bytes) = message(codec);
    decode_again_and_again(bencher, codec, &topic, &bytes);
}

/// The same messages with 64 KiB of fields that nobody reads: what is allocated must not grow with them.
#[divan::bench(args = JSON)]
fn decode_padded(bencher: Bencher<'_, '_>, codec: &str) {
    let (topic, bytes) = message(codec);
    let text = String::from_utf8(bytes).expect("text");
    let inner = text.trim_start().strip_prefix('{').expect("an object");
    let ignored: Vec<String> = (0..1_000)
        .map(|number| format!(r#""ignored_{number}":[{number},{{"deep":"some \"text\" of it"}},null,true]"#))
        .collect();
    let padded = format!("{{{},{inner}", ignored.join(","));
    decode_again_and_again(bencher, codec, &topic, padded.as_bytes());
}

fn decode_again_and_again(bencher: Bencher<'_, '_>, codec: &str, topic: &str, bytes: &[u8]) {
    let text = listener::SITE.replace("\"profile-1\"", &format!("\"profile-1\", \"{NODE}\""));
    let config: vedette_engine::config::EngineConfig = toml::from_str(&text).expect("valid TOML");
    let site = config.resolve().expect("valid configuration");
    let context =
        Context { site: &site, topic: Some(topic), retained: false, received: listener::received(), clocks: &[] };
    let decode = codec_named(codec).expect("a codec").decode;
    let mut readings = Vec::new();
    let report = decode(bytes, &context, &mut CodecState::default(), &mut readings);
    assert!(report.faults.is_empty() && !readings.is_empty(), "{codec}: {:?}", report.faults);
    // The memory is new each time, or every message but the first would be a repeat.
    bencher.counter(ItemsCount::new(1_usize)).with_inputs(CodecState::default).bench_local_refs(|state| {
        readings.clear();
        decode(divan::black_box(bytes), &context, state, &mut readings)
    });
}

const NODE: &str = "7ee406ee-6291-4612-9a9e-1796a333f0a3";

fn message(codec: &str) -> (String, Vec<u8>) {
    if codec != "sapient" {
        let message = listener::good(codec);
        return (message.topic, message.bytes);
    }
    let id = || Some("01M7ZSPMDSWXV00DK4P078S6SX".to_owned());
    let seen = RangeBearing {
        azimuth: Some(90.0),
        range: Some(120.0),
        coordinate_system: Some(1),
        datum: Some(1),
        ..RangeBearing::default()
    };
    let report =
        DetectionReport { report_id: id(), object_id: id(), range_bearing: Some(seen), ..DetectionReport::default() };
    let message = SapientMessage {
        timestamp: Some(Stamp { seconds: 1_772_331_247, nanos: 500_000_000 }),
        node_id: Some(NODE.to_owned()),
        destination_id: None,
        content: Some(Content::DetectionReport(report)),
    };
    (String::new(), message.encode_to_vec())
}

//! Speed of the codecs of other systems, one message each: `cargo bench -p vedette-engine --bench foreign`. The item counts
//! are messages.

#[path = "../tests/listener/mod.rs"]
mod listener;

use divan::Bencher;
use divan::counter::ItemsCount;
use vedette_engine::codec::{CodecState, Context, codec_named};

fn main() {
    divan::main();
}

const CODECS: [&str; 12] = [
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
];

#[divan::bench(args = CODECS)]
fn decode(bencher: Bencher<'_, '_>, codec: &str) {
    let message = listener::good(codec);
    let site = listener::config().resolve().expect("valid configuration");
    let context = Context { site: &site, topic: Some(&message.topic), retained: false, received: listener::received() };
    let decode = codec_named(codec).expect("a codec").decode;
    let mut readings = Vec::new();
    // The memory is new each time, or every message but the first would be a repeat.
    bencher.counter(ItemsCount::new(1_usize)).with_inputs(CodecState::default).bench_local_refs(|state| {
        readings.clear();
        decode(divan::black_box(&message.bytes), &context, state, &mut readings)
    });
}

//! Any bytes to any codec: no panic, and a time that no gateway ever has does no harm either. The first byte picks the codec;
//! the native JSON is the first.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vedette_engine::Timestamp;
use vedette_engine::codec::{CODECS, CodecState, Context};
use vedette_engine::config::{EngineConfig, Site};

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let text = include_str!("../../../daemon/engine/tests/fixtures/mixed.toml");
    let config: EngineConfig = toml::from_str(text).expect("a valid file");
    config.resolve().expect("a valid configuration")
});

fuzz_target!(|bytes: &[u8]| {
    let Some((first, message)) = bytes.split_first() else { return };
    let codec = CODECS[usize::from(*first) % CODECS.len()];
    let mut state = CodecState::default();
    let topic = Some("vedette/v1/mixed/sensor/radar/detections");
    for received in [Timestamp::from_seconds(1_772_323_200), Timestamp::from_micros(i64::MAX), Timestamp::MIN] {
        let context = Context { site: &SITE, topic, retained: false, received };
        let mut readings = Vec::new();
        let report = (codec.decode)(message, &context, &mut state, &mut readings);
        assert!(readings.len() <= message.len(), "{} readings of {} bytes", readings.len(), message.len());
        assert!(report.faults.len() <= message.len() + 1);
    }
});

//! Speed of the native codec and of the whole engine: `cargo bench -p vedette-engine`. The item counts are plots (for
//! the codec) and messages (for the engine).

use divan::Bencher;
use divan::counter::ItemsCount;
use vedette_engine::codec::{CodecState, Context, codec_named};
use vedette_engine::config::EngineConfig;
use vedette_engine::time::{format_rfc3339, parse_rfc3339};
use vedette_engine::{Engine, Frame, FrameContent, Input, PictureRate, Timestamp};

fn main() {
    divan::main();
}

fn config() -> EngineConfig {
    toml::from_str(include_str!("../tests/fixtures/radar.toml")).expect("valid TOML")
}

fn at(second: f64) -> Timestamp {
    parse_rfc3339("2026-03-01T00:00:00Z").expect("a time").plus_seconds(second)
}

fn message(time: Timestamp, plots: usize, shift: usize) -> Vec<u8> {
    let plot = |n: usize| {
        let (east, north) = ((n * 7_919 + shift * 14) % 20_000, (n * 104_729 + shift * 3) % 4_000);
        format!(
            r#"{{"kind":"position","east_m":{}.{:03},"north_m":{}.{:03}}}"#,
            east / 10,
            east % 1_000,
            north / 10,
            north % 1_000
        )
    };
    let plots: Vec<String> = (0..plots).map(plot).collect();
    let t = format_rfc3339(time);
    format!(r#"{{"v":1,"sensor":"radar-1","t":"{t}","received":"{t}","plots":[{}]}}"#, plots.join(",")).into_bytes()
}

#[divan::bench(args = [1, 10, 100])]
fn decode_native_plots(bencher: Bencher<'_, '_>, plots: usize) {
    let site = config().resolve().expect("valid configuration");
    let bytes = message(at(1.0), plots, 0);
    let context = Context { site: &site, topic: None, retained: false, received: at(1.05), clocks: &[] };
    let decode = codec_named("native").expect("a codec").decode;
    let mut state = CodecState::default();
    let mut readings = Vec::new();
    bencher.counter(ItemsCount::new(plots)).bench_local(|| {
        readings.clear();
        decode(divan::black_box(&bytes), &context, &mut state, &mut readings)
    });
}

/// Ten seconds of a radar at 1 Hz with this many plots a scan, from bytes to alerts.
#[divan::bench(args = [1, 10, 50], sample_count = 10)]
fn engine_scans(bencher: Bencher<'_, '_>, plots: usize) {
    let inputs: Vec<(Timestamp, Input)> = (1_u32..=10)
        .map(|second| {
            let time = at(f64::from(second));
            let bytes = message(time, plots, usize::try_from(second).unwrap_or(0));
            let content = FrameContent::Message { codec: "native".into(), topic: None, retained: false, bytes };
            let received = time.plus_seconds(0.05);
            (received, Input::Frame(Frame { source: "radar".into(), received, content }))
        })
        .collect();
    let engine = || Engine::new(&config()).expect("valid configuration").with_pictures(PictureRate::OnRequest);
    bencher.counter(ItemsCount::new(inputs.len())).with_inputs(|| (engine(), inputs.clone())).bench_local_values(
        |(mut engine, inputs)| {
            let mut out = Vec::new();
            for (now, input) in inputs {
                engine.handle(now, input, &mut out);
            }
            (engine, out)
        },
    );
}

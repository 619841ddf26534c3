//! Any text as a configuration: no panic; what is accepted makes an engine, and reads the same when it is written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vedette_engine::config::EngineConfig;
use vedette_engine::{Engine, Input, Timestamp};

fuzz_target!(|text: &str| {
    let Ok(config) = toml::from_str::<EngineConfig>(text) else { return };
    let written = toml::to_string(&config).expect("what was read can be written");
    let again: EngineConfig = toml::from_str(&written).expect("what was written can be read");
    assert_eq!(again.resolve().is_ok(), config.resolve().is_ok());
    if let Ok(mut engine) = Engine::new(&config) {
        engine.handle(Timestamp::from_seconds(1_772_323_200), Input::Tick, &mut Vec::new());
    }
});

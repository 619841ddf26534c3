//! `vedette check`: validate a configuration.

use std::path::PathBuf;

use vedette_gateway::config::Config;

use crate::outcome::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let Config { engine, source, sink, .. } = Config::load(&arguments.file)?;
    let sources = source.serial.len() + source.mqtt.len();
    println!(
        "{}: site {}, {} sensors, {} zones, {sources} sources, {} sinks: in order",
        arguments.file.display(),
        engine.site.id,
        engine.sensor.len(),
        engine.zone.len(),
        sink.centre.len(),
    );
    Ok(Outcome::Done)
}

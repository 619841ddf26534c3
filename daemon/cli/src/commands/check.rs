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
    let config = Config::load(&arguments.file)?;
    let Config { engine, source, sink, .. } = &config;
    let streams = source.serial.len() + source.meshtastic.len() + source.gnss.len() + source.file.len();
    let peers = source.mqtt.len() + source.http.len() + source.cot.len() + source.sapient.len();
    let sources = streams + peers;
    println!(
        "{}: site {}, {}, {}, {}, {}: in order",
        arguments.file.display(),
        engine.site.id,
        counted(engine.sensor.len(), "sensor"),
        counted(engine.zone.len(), "zone"),
        counted(sources, "source"),
        counted(sink.centre.len() + sink.cot.len() + sink.sapient.len(), "sink"),
    );
    for remark in config.remarks() {
        println!("Note: {remark}");
    }
    println!("A running daemon takes it on SIGHUP, except {}: these need a restart.", Config::AT_THE_START.join(", "));
    Ok(Outcome::Done)
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

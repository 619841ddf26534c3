//! `vedette check`: validate a configuration.

use std::io::Write;
use std::path::{Path, PathBuf};

use vedette_gateway::config::Config;
use vedette_gateway::daemon;

use crate::outcome::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    if is_of_a_centre(&arguments.file) {
        return check_centre(&arguments.file);
    }
    let config = Config::load(&arguments.file)?;
    let Config { engine, source, sink, .. } = &config;
    let streams = source.serial.len() + source.meshtastic.len() + source.gnss.len() + source.file.len();
    let peers = source.mqtt.len() + source.http.len() + source.cot.len() + source.sapient.len();
    let sources = streams + peers;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}: site {}, {}, {}, {}, {}: in order",
        arguments.file.display(),
        engine.site.id,
        counted(engine.sensor.len(), "sensor"),
        counted(engine.zone.len(), "zone"),
        counted(sources, "source"),
        counted(sink.centre.len() + sink.cot.len() + sink.sapient.len(), "sink"),
    )?;
    for remark in config.remarks() {
        writeln!(out, "Note: {remark}")?;
    }
    // It may be meant for another machine.
    if let Err(error) = daemon::check(&config) {
        writeln!(out, "Note: on this machine it would not start: {:#}", anyhow::Error::from(error))?;
    }
    for file in config.unreadable_files() {
        writeln!(out, "Note: on this machine a connection could not be made: {file}")?;
    }
    writeln!(
        out,
        "A running daemon takes it on SIGHUP, except {}: these need a restart.",
        Config::AT_THE_START.join(", ")
    )?;
    Ok(Outcome::Done)
}

/// A gateway's configuration has a site; one that has a centre or a ledger instead is a centre's.
fn is_of_a_centre(file: &Path) -> bool {
    let table = |line: &str| line.trim().strip_prefix('[')?.split(']').next().map(|name| name.trim().to_owned());
    // One that cannot be read is told by whoever reads it next.
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let tables: Vec<String> = text.lines().filter_map(table).collect();
    let has = |name: &str| tables.iter().any(|table| table == name);
    !has("site") && (has("centre") || has("ledger"))
}

fn check_centre(file: &Path) -> anyhow::Result<Outcome> {
    let config = vedette_centre::Config::read(file)?;
    config.check()?;
    let mut out = std::io::stdout().lock();
    let keys = counted(config.gateway.len(), "key");
    let signing = if config.signing.required { "signatures required" } else { "signatures not required" };
    writeln!(
        out,
        "{}: centre {}, broker {}:{}, ledger {}, {keys} of gateways, {signing}: in order",
        file.display(),
        config.centre.id,
        config.broker.host,
        config.broker.port,
        config.ledger.path.display(),
    )?;
    writeln!(
        out,
        "A running centre takes it on SIGHUP, except centre.id, broker, ledger.path: these need a restart. Renewed \
         certificates it takes by itself."
    )?;
    Ok(Outcome::Done)
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

//! `vedette sensors`: which sensors send that are not configured.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use vedette_gateway::config::Config;
use vedette_gateway::discover;
use vedette_gateway::engine::codec::{Fault, Reason};

use crate::outcome::Outcome;
use crate::plain::{printable, wrapped};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Listen on all configured sources and print tables for the sensors that are not configured
    Discover {
        /// The configuration with the sources
        #[arg(long)]
        config: PathBuf,
        /// How long to listen
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let Act::Discover { config, seconds } = &arguments.act;
    let config = Config::load(config)?;
    eprintln!("listening for {seconds} s; radio concentrators are left out, since their nodes need a key first");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("runtime")?;
    let heard = runtime.block_on(discover::listen(&config, Duration::from_secs(*seconds)))?;
    let mut out = std::io::stdout();
    for sensor in &heard.status.unknown_sensors {
        writeln!(out, "# {}: {} of {}", sensor.codec, counted(sensor.messages, "message"), printable(&sensor.id))?;
        for line in sensor.configuration().lines() {
            writeln!(out, "{}", printable(line))?;
        }
        writeln!(out)?;
    }
    for (name, link) in &heard.links {
        let messages = counted(heard.messages.get(name).copied().unwrap_or(0), "message");
        match &link.trouble {
            Some(trouble) => eprint!("{}", wrapped("", "  ", &format!("{name}: {messages}, {trouble}"))),
            None => eprintln!("{name}: {messages}"),
        }
    }
    for (_, codec, fault) in heard.status.recent_faults.iter().filter(|(.., fault)| !is_told(fault)).take(FAULTS) {
        eprint!("{}", wrapped("", "  ", &format!("not readable as {codec}: {fault}")));
    }
    let known = heard.status.sensors.iter().filter(|sensor| sensor.messages > 0).count();
    let unknown = heard.status.unknown_sensors.len();
    eprintln!(
        "heard {} that {} configured, and {} that {} not",
        counted(known as u64, "sensor"),
        if known == 1 { "is" } else { "are" },
        unknown,
        if unknown == 1 { "is" } else { "are" },
    );
    let up = heard.links.values().any(|link| link.ups > 0);
    anyhow::ensure!(up || heard.links.is_empty(), "no source could be reached");
    Ok(Outcome::Done)
}

/// Faulty messages told of.
const FAULTS: usize = 5;

/// What the tables above say already.
fn is_told(fault: &Fault) -> bool {
    fault.reason == Reason::UnknownSensor
}

fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

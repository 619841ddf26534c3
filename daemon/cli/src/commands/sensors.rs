//! `vedette sensors`: which sensors send that are not configured.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use vedette_gateway::config::Config;
use vedette_gateway::discover;

use crate::outcome::Outcome;

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
    for (name, link) in &heard.links {
        if let Some(trouble) = &link.trouble {
            eprintln!("{name}: {trouble}");
        }
    }
    for sensor in &heard.status.unknown_sensors {
        println!("# {}: {} messages of {}", sensor.codec, sensor.messages, sensor.id);
        println!("{}", sensor.configuration());
    }
    let known = heard.status.sensors.iter().filter(|sensor| sensor.messages > 0).count();
    let unknown = heard.status.unknown_sensors.len();
    eprintln!("heard {known} configured sensors and {unknown} others");
    let up = heard.links.values().any(|link| link.ups > 0);
    anyhow::ensure!(up || heard.links.is_empty(), "no source could be reached");
    Ok(Outcome::Done)
}

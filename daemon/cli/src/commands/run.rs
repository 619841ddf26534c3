//! `vedette run`: the daemon.

use std::path::PathBuf;

use anyhow::Context;
use vedette_gateway::config::Config;
use vedette_gateway::daemon;

use crate::log;
use crate::outcome::Outcome;
use crate::stop;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(long)]
    config: PathBuf,
    /// Form of the log lines on standard error
    #[arg(long, value_enum, default_value_t)]
    log: log::Form,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let config = Config::load(&arguments.config)?;
    log::start(arguments.log, "info");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("runtime")?;
    runtime.block_on(async {
        daemon::run(config, stop::asked().context("signals")?).await.map_err(anyhow::Error::from)
    })?;
    Ok(Outcome::Done)
}

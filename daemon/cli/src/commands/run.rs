//! `vedette run`: the daemon.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use vedette_gateway::config::{Config, ConfigError};
use vedette_gateway::daemon::{self, Ending, Origin, Past};

use crate::log;
use crate::outcome::Outcome;
use crate::stop;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(long)]
    config: PathBuf,
    /// Where the last configuration that worked is kept, to start with when the file is wrong [default: last-good.toml in
    /// $STATE_DIRECTORY, else beside the configuration]
    #[arg(long)]
    last_good: Option<PathBuf>,
    /// Form of the log lines on standard error
    #[arg(long, value_enum, default_value_t)]
    log: log::Form,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let past = Past::new(last_good(arguments));
    let ((config, text), wrong) = choose(&arguments.config, &past)?;
    let origin = Origin { text, past: Some(past), fallback: wrong.is_some() };
    log::start(arguments.log, "info");
    if let Some(error) = wrong {
        tracing::error!("starting with the last configuration that worked: {error:#}");
    }
    for remark in config.remarks() {
        tracing::warn!("{remark}");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("runtime")?;
    let ending = runtime.block_on(async {
        let stop = stop::asked().context("signals")?;
        daemon::run(config, Some(origin), stop).await.map_err(anyhow::Error::from)
    });
    // A disk that does not answer must not keep the program from ending.
    runtime.shutdown_background();
    Ok(match ending? {
        Ending::Whole => Outcome::Done,
        Ending::Lost { .. } | Ending::Unknown => Outcome::WithLosses,
    })
}

/// The configuration to start with: the one in the file, or the last good one and what is wrong with the file.
fn choose(file: &Path, past: &Past) -> anyhow::Result<((Config, String), Option<anyhow::Error>)> {
    let (harmful, wrong) = match usable(file, file) {
        Ok(found) if past.was_rolled_back(&found.1) => {
            let name = file.display();
            (Some(found), anyhow!("{name} did harm and was rolled back; change it, or try it again with SIGHUP"))
        }
        Ok(found) => return Ok((found, None)),
        Err(error) => (None, error),
    };
    match (usable(file, past.last_good()), harmful) {
        (Ok(found), _) => Ok((found, Some(wrong))),
        // There is nothing better.
        (Err(_), Some(found)) => Ok((found, None)),
        (Err(_), None) => Err(wrong),
    }
}

/// A configuration that can be read and whose keys are there.
fn usable(path: &Path, file: &Path) -> anyhow::Result<(Config, String)> {
    let (config, text) = read(path, file)?;
    daemon::check(&config)?;
    Ok((config, text))
}

/// The configuration whose text stands in `file`, with paths as if it stood at `path`.
fn read(path: &Path, file: &Path) -> Result<(Config, String), ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| ConfigError::Unreadable { path: file.to_path_buf(), error: error.to_string() })?;
    Ok((Config::parse(path, &text)?, text))
}

fn last_good(arguments: &Arguments) -> PathBuf {
    let state = std::env::var_os("STATE_DIRECTORY").map(|folder| PathBuf::from(folder).join("last-good.toml"));
    arguments.last_good.clone().or(state).unwrap_or_else(|| {
        let mut beside = arguments.config.clone().into_os_string();
        beside.push(".last-good");
        PathBuf::from(beside)
    })
}

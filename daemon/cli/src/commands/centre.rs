//! `vedette centre`: the receiving side.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use vedette_centre::{Announcement, Config, ConfigError, Form, Printer, Summary};

use crate::outcome::Outcome;
use crate::{log, stop};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The centre's configuration
    #[arg(long)]
    config: PathBuf,
    /// Print alerts as JSON, one object a line
    #[arg(long)]
    json: bool,
    /// Form of the log lines on standard error
    #[arg(long, value_enum, default_value_t)]
    log: log::Form,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let config = Config::read(&arguments.config)?;
    log::start(arguments.log, "info");
    let form = if arguments.json { Form::Json } else { Form::Text { colour: log::colour(&std::io::stdout()) } };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().context("runtime")?;
    let printer = Printer::new(form);
    // Each line is written out before the next: only what was shown counts as told.
    let tell = move |announcement: &Announcement| {
        let mut out = std::io::stdout().lock();
        printer.write(announcement, &mut out)?;
        out.flush()
    };
    let summary = runtime.block_on(async {
        // Orders come from operators' tools; this command gives none.
        let (_orders, no_orders) = mpsc::channel(1);
        let configurations = read_again(&arguments.config).context("signals")?;
        let stop = stop::asked().context("signals")?;
        anyhow::Ok(vedette_centre::run(config, tell, no_orders, configurations, stop).await?)
    })?;
    let Summary { alerts, refused, dropped } = summary;
    tracing::info!("stopped: {alerts} alerts entered, {refused} messages refused, {dropped} dropped");
    Ok(if summary.dropped == 0 { Outcome::Done } else { Outcome::WithLosses })
}

/// The configuration as it is at each hang-up signal.
fn read_again(file: &Path) -> std::io::Result<mpsc::Receiver<Result<Config, ConfigError>>> {
    let (tell, told) = mpsc::channel(1);
    let (mut hangup, file) = (signal(SignalKind::hangup())?, file.to_path_buf());
    tokio::spawn(async move { while hangup.recv().await.is_some() && tell.send(Config::read(&file)).await.is_ok() {} });
    Ok(told)
}

//! `vedette explain`: why there was an alert.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use crate::log_file::{Log, LogArguments};
use crate::outcome::Outcome;
use crate::story;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The alert: its id, or the beginning of it
    alert_id: String,
    #[command(flatten)]
    log: LogArguments,
    /// Write a page with map, time line and plots instead of text
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let found = story::find_alert(Log::open(&arguments.log)?, &arguments.alert_id)?;
    let story = story::story(Log::open(&arguments.log)?, found)?;
    if let Some(path) = &arguments.html {
        std::fs::write(path, story::alert_page(&story)).with_context(|| path.display().to_string())?;
    } else {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        story::tell(&story, &mut out)?;
        out.flush()?;
    }
    Ok(Outcome::Done)
}

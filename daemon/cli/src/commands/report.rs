//! `vedette report`: what a whole log holds.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use crate::log_file::{Log, LogArguments};
use crate::outcome::Outcome;
use crate::story;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    /// Write a page with map, charts and tables instead of a summary
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let night = story::night(Log::open(&arguments.log)?)?;
    if let Some(path) = &arguments.html {
        std::fs::write(path, story::log_page(&night)).with_context(|| path.display().to_string())?;
    } else {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        story::log_summary(&night, &mut out)?;
        out.flush()?;
    }
    Ok(Outcome::Done)
}

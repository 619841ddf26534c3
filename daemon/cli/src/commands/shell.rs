//! Hidden commands for packagers: shell completions and man pages.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::CommandFactory;

use crate::Cli;
use crate::outcome::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Folder the pages are written to
    dir: PathBuf,
}

pub(crate) fn completions(arguments: &Completions) -> anyhow::Result<Outcome> {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "vedette", &mut std::io::stdout());
    Ok(Outcome::Done)
}

pub(crate) fn man(Man { dir }: &Man) -> anyhow::Result<Outcome> {
    std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    clap_mangen::generate_to(Cli::command(), Path::new(dir)).with_context(|| dir.display().to_string())?;
    Ok(Outcome::Done)
}
